"""Samples of CPU (millicores) and memory (MiB): written by polls, read as lines over time.

A poll of 10,000 pods is one COPY and one statement that sets one slot of 10,000 arrays.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from clusters.models import Capacity, Scope
from clusters.store import partitions

HOUR = timedelta(hours=1)
# The longest span that is answered by the minute; longer ones by the hour.
BY_MINUTE = 24
FRESH = timedelta(minutes=5)
LINE_POINTS = 48
_HALF = 1800
_LARGEST = 2**31 - 1

Value = int | None


@dataclass(frozen=True)
class Sample:
    """What one series uses now. A cluster has no names, a namespace no `name`."""

    scope: Scope
    namespace: str
    name: str
    cpu: int
    memory: int


@dataclass(frozen=True)
class Series:
    """Points at equal distances, oldest first: seconds since 1970, and None for the unknown."""

    times: list[int]
    cpu: list[Value]
    memory: list[Value]


_UPSERT = """
INSERT INTO clusters_usage AS u (cluster_id, scope, namespace, name, hour, cpu, memory)
SELECT %(cluster)s, scope, namespace, name, %(hour)s,
  %(gap)s::int[] || cpu, %(gap)s::int[] || memory
FROM unnest(%(scopes)s::text[], %(spaces)s::text[], %(names)s::text[], %(cpu)s::int[],
  %(memory)s::int[]) AS seen(scope, namespace, name, cpu, memory)
ON CONFLICT (cluster_id, scope, namespace, name, hour) DO UPDATE SET
  cpu[%(slot)s] = EXCLUDED.cpu[%(slot)s], memory[%(slot)s] = EXCLUDED.memory[%(slot)s]
WHERE u.cpu[%(slot)s] IS DISTINCT FROM EXCLUDED.cpu[%(slot)s]
  OR u.memory[%(slot)s] IS DISTINCT FROM EXCLUDED.memory[%(slot)s]
"""
_MINUTES = """
SELECT hour, cpu, memory FROM clusters_usage
WHERE cluster_id = %s AND scope = %s AND namespace = %s AND name = %s AND hour >= %s
"""
_HOURS = """
SELECT day, cpu, memory FROM clusters_usagehour
WHERE cluster_id = %s AND scope = %s AND namespace = %s AND name = %s AND day >= %s
"""
# Arrays end with their newest sample.
_LATEST = """
SELECT DISTINCT ON (cluster_id, namespace, name)
  cluster_id, namespace, name, cpu[cardinality(cpu)], memory[cardinality(memory)]
FROM clusters_usage WHERE cluster_id = ANY(%(clusters)s) AND scope = %(scope)s
  AND hour >= date_trunc('hour', %(since)s)
  AND hour + (cardinality(cpu) - 1) * interval '1 minute' >= date_trunc('minute', %(since)s)
ORDER BY cluster_id, namespace, name, hour DESC
"""
_LINES = """
SELECT cluster_id, extract(epoch FROM hour)::bigint + half.start, half.cpu
FROM clusters_usage, LATERAL (VALUES
  (0, (SELECT avg(v) FROM unnest(cpu[1:30]) AS v)),
  (1800, (SELECT avg(v) FROM unnest(cpu[31:60]) AS v))
) AS half(start, cpu)
WHERE cluster_id = ANY(%s) AND scope = 'cluster' AND namespace = '' AND name = ''
  AND hour >= %s AND half.cpu IS NOT NULL
"""


def now() -> datetime:
    """The database's clock: machines whose clocks differ write into the same slots."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment.astimezone(UTC)


@transaction.atomic
def write(cluster_id: UUID, samples: Iterable[Sample], at: datetime | None = None) -> None:
    """Stores one sample of each series in the minute of `at` (None: now), over an earlier one."""
    at = at or now()
    hour, minute = _hour_of(at), at.minute
    partitions.ensure(hour.date())
    # Two samples of one series cannot be in one statement.
    chosen = {(each.scope, each.namespace, each.name): each for each in samples}
    scopes, spaces, names = zip(*chosen, strict=True) if chosen else ((), (), ())
    values: dict[str, Any] = {
        "cluster": cluster_id, "hour": hour, "slot": minute + 1, "gap": [None] * minute,
        "scopes": list(scopes), "spaces": list(spaces), "names": list(names),
        "cpu": [min(each.cpu, _LARGEST) for each in chosen.values()],
        "memory": [min(each.memory, _LARGEST) for each in chosen.values()],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, values)


def series(
    cluster_id: UUID,
    scope: Scope,
    name: str = "",
    namespace: str = "",
    hours: int = BY_MINUTE,
    at: datetime | None = None,
) -> Series:
    """The last `hours` until `at` (None: now): each minute up to 24, beyond that each hour.

    Pods have no more than 24 hours; the rest of a longer line is unknown.
    """
    at = at or now()
    key = (cluster_id, scope, namespace, name)
    if hours <= BY_MINUTE:
        return _by_minute(key, at - timedelta(hours=hours), at)
    return _by_hour(key, at - timedelta(hours=hours), at)


def _by_minute(key: tuple[Any, ...], since: datetime, at: datetime) -> Series:
    cpu: dict[int, Value] = {}
    memory: dict[int, Value] = {}
    for hour, some_cpu, some_memory in _fetch(_MINUTES, [*key, _hour_of(since)]):
        start = _minute(hour)
        cpu.update(enumerate(some_cpu, start))
        memory.update(enumerate(some_memory, start))
    minutes = range(_minute(since) + 1, _minute(at) + 1)
    return _filled(minutes, 60, cpu, memory)


def _by_hour(key: tuple[Any, ...], since: datetime, at: datetime) -> Series:
    cpu: dict[int, Value] = {}
    memory: dict[int, Value] = {}
    # The newest hours may not be summed up yet.
    for hour, some_cpu, some_memory in _fetch(_MINUTES, [*key, _hour_of(at) - 2 * HOUR]):
        cpu[_minute(hour) // 60] = _mean(some_cpu)
        memory[_minute(hour) // 60] = _mean(some_memory)
    for day, some_cpu, some_memory in _fetch(_HOURS, [*key, since.date()]):
        start = _minute(datetime(day.year, day.month, day.day, tzinfo=UTC)) // 60
        cpu.update(enumerate(some_cpu, start))
        memory.update(enumerate(some_memory, start))
    hours = range(_minute(since) // 60 + 1, _minute(at) // 60 + 1)
    return _filled(hours, 3600, cpu, memory)


def latest(
    cluster_id: UUID, scope: Scope, at: datetime | None = None
) -> dict[tuple[str, str], tuple[int, int]]:
    """(CPU, memory) by (namespace, name): the newest samples, none older than five minutes."""
    return {(space, name): used for _key, space, name, used in _latest([cluster_id], scope, at)}


def latest_of(
    cluster_ids: Iterable[UUID], scope: Scope, at: datetime | None = None
) -> dict[tuple[UUID, str], tuple[int, int]]:
    """As `latest`, of several clusters, by cluster and name: of nodes, which have no namespace."""
    found = _latest(cluster_ids, scope, at)
    return {(cluster, name): used for cluster, _space, name, used in found}


def _latest(
    cluster_ids: Iterable[UUID], scope: Scope, at: datetime | None
) -> Iterator[tuple[UUID, str, str, tuple[int, int]]]:
    values = {"clusters": list(cluster_ids), "scope": scope, "since": (at or now()) - FRESH}
    for cluster, space, name, cpu, memory in _fetch(_LATEST, values):
        yield cluster, space, name, (cpu, memory)


def day_lines(
    cluster_ids: Iterable[UUID], at: datetime | None = None
) -> dict[UUID, list[float | None]]:
    """For each cluster the share (0 to 1) of its CPU that was used: 48 half hours, the newest last.

    A share of what the nodes can give now; None where nothing was measured.
    """
    ids = list(cluster_ids)
    last = int((at or now()).timestamp()) // _HALF
    first = last - LINE_POINTS + 1
    lines: dict[UUID, list[float | None]] = {each: [None] * LINE_POINTS for each in ids}
    capacities = Capacity.objects.filter(cluster__in=ids, cpu_allocatable__gt=0)
    given = dict(capacities.values_list("cluster", "cpu_allocatable"))
    since = _hour_of(datetime.fromtimestamp(first * _HALF, UTC))
    for cluster_id, second, cpu in _fetch(_LINES, [ids, since]):
        point = second // _HALF - first
        if cluster_id in given and 0 <= point < LINE_POINTS:
            lines[cluster_id][point] = float(cpu) / given[cluster_id]
    return lines


def _fetch(query: str, values: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def _filled(steps: range, seconds: int, cpu: dict[int, Value], memory: dict[int, Value]) -> Series:
    times = [step * seconds for step in steps]
    return Series(times, [cpu.get(step) for step in steps], [memory.get(step) for step in steps])


def _mean(values: list[Value]) -> Value:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known)) if known else None


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60
