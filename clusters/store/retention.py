"""What has grown old: hours are summed up, days of samples dropped, empty rows removed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from clusters.models import Tally, UsageHour, Watcher
from clusters.store import images, partitions

# Minutes are promised for 24 hours: a day goes an hour after its last minute is that old.
KEEP_DAYS = timedelta(days=2, hours=1)
KEEP_HOURS = timedelta(days=30)
# A watcher that was away for less comes back to its own row.
KEEP_WATCHERS = timedelta(hours=1)
_LOCK = 0x4D434D02
# Every poll that measures writes a sample of the cluster as a whole: these few rows, found by the
# primary key of each cluster, tell which hours there are.
_UNSUMMED = """
SELECT DISTINCT u.hour FROM clusters_cluster AS c JOIN clusters_usage AS u
ON (u.cluster_id, u.scope, u.namespace, u.name) = (c.id, 'cluster', '', '') WHERE u.hour < %s
AND NOT EXISTS (
  SELECT FROM clusters_usagehour AS d
  WHERE (d.cluster_id, d.scope, d.namespace, d.name) = (u.cluster_id, u.scope, u.namespace, u.name)
  AND d.day = (u.hour AT TIME ZONE 'UTC')::date
  AND d.cpu[extract(hour FROM u.hour AT TIME ZONE 'UTC')::int + 1] IS NOT NULL
) ORDER BY u.hour
"""
_SUM_UP = """
INSERT INTO clusters_usagehour AS d (cluster_id, scope, namespace, name, day, cpu, memory)
SELECT cluster_id, scope, namespace, name, %(day)s,
  %(gap)s::int[] || (SELECT round(avg(v))::int FROM unnest(cpu) AS v),
  %(gap)s::int[] || (SELECT round(avg(v))::int FROM unnest(memory) AS v)
FROM clusters_usage WHERE scope <> 'pod' AND hour = %(hour)s
ON CONFLICT (cluster_id, scope, namespace, name, day) DO UPDATE SET
  cpu[%(slot)s] = EXCLUDED.cpu[%(slot)s], memory[%(slot)s] = EXCLUDED.memory[%(slot)s]
WHERE d.cpu[%(slot)s] IS NULL
"""


def sweep(at: datetime) -> None:
    """Brings the samples to how they are kept at `at`; safe to run at any time, and twice."""
    today = at.astimezone(UTC).date()
    for ahead in range(2):
        partitions.ensure(today + ahead * partitions.DAY)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return  # another does it right now
        _sum_up(cursor, at)
    UsageHour.objects.filter(day__lt=today - KEEP_HOURS).delete()
    _remove_empty_tallies()
    images.sweep(at)
    Watcher.objects.filter(expires__lt=Now() - KEEP_WATCHERS).delete()
    for day in partitions.days():
        if datetime(day.year, day.month, day.day, tzinfo=UTC) + KEEP_DAYS <= at:
            partitions.drop(day)


def _sum_up(cursor: Any, at: datetime) -> None:
    """The averages of each finished hour that has none yet, however long nobody did it."""
    cursor.execute(_UNSUMMED, [at.replace(minute=0, second=0, microsecond=0)])
    for (found,) in cursor.fetchall():
        hour = found.astimezone(UTC)
        values = {"hour": hour, "day": hour.date(), "slot": hour.hour + 1}
        cursor.execute(_SUM_UP, {**values, "gap": [None] * hour.hour})


@transaction.atomic
def _remove_empty_tallies() -> None:
    """Never waits for a row: whoever counts objects may wait for another of ours."""
    empty = Tally.objects.filter(n=0).select_for_update(skip_locked=True)
    Tally.objects.filter(pk__in=list(empty.values_list("pk", flat=True)), n=0).delete()
