"""Which watcher holds which cluster. Only the database's clock counts, so skewed machines agree."""

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from clusters.models import Lease
from clusters.store.rows import Fence

LASTS = timedelta(seconds=10)
_TAKE = """
INSERT INTO clusters_lease (cluster_id, owner, epoch, expires)
SELECT id, %(owner)s, 1, now() + make_interval(secs => %(lasts)s) FROM clusters_cluster
WHERE NOT EXISTS (
  SELECT FROM clusters_lease WHERE cluster_id = clusters_cluster.id AND expires > now()
)
ON CONFLICT (cluster_id) DO UPDATE SET
  owner = EXCLUDED.owner, epoch = clusters_lease.epoch + 1, expires = EXCLUDED.expires
WHERE clusters_lease.expires <= now()
"""


@transaction.atomic
def renew_and_take(owner: str) -> dict[UUID, tuple[Fence, int]]:
    """Renews this watcher's leases, takes those that nobody holds.

    Returns by cluster the fence and the version of the connection to watch it with.
    """
    mine = Lease.objects.filter(owner=owner, expires__gt=Now())
    mine.update(expires=Now() + LASTS)
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"owner": owner, "lasts": LASTS.total_seconds()})
    held = mine.values_list("cluster_id", "epoch", "cluster__connection_version")
    return {row[0]: (Fence(row[0], owner, row[1]), row[2]) for row in held}


def release(owner: str) -> None:
    """Gives every lease back at once, for a watcher that stops in order."""
    Lease.objects.filter(owner=owner).update(expires=Now(), epoch=F("epoch") + 1)
