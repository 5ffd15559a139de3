"""Which watcher holds which cluster. Only the database's clock counts, so skewed machines agree.

Each watcher takes its fair share: clusters by watchers that live, rounded up. All shares together
are at least all clusters, so none waits for a watcher while one lives.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from clusters.models import Cluster, CustomResource, Lease, Watcher
from clusters.store.rows import Fence

# A killed watcher's clusters are taken after this, a tick and the time of a list: within 15 s.
LASTS = timedelta(seconds=8)
# Of what is above the share, in one tick: each moved cluster is listed anew.
MOST_GIVEN = 5
# Any number that nobody else locks.
_BALANCING = 0x6D636D

# What is being written under the old epoch is not taken before that is committed: see rows.hold.
_TAKE_OVER = """
UPDATE clusters_lease
SET owner = %(owner)s, epoch = epoch + 1, expires = now() + make_interval(secs => %(lasts)s)
WHERE cluster_id IN (
  SELECT cluster_id FROM clusters_lease WHERE expires <= now()
  ORDER BY cluster_id LIMIT %(room)s FOR UPDATE SKIP LOCKED
)
"""
_TAKE_NEW = """
INSERT INTO clusters_lease (cluster_id, owner, epoch, expires)
SELECT id, %(owner)s, 1, now() + make_interval(secs => %(lasts)s) FROM clusters_cluster
WHERE NOT EXISTS (SELECT FROM clusters_lease WHERE cluster_id = clusters_cluster.id)
ORDER BY id LIMIT %(room)s
ON CONFLICT (cluster_id) DO NOTHING
"""
_RENEW_WATCHER = """
INSERT INTO clusters_watcher (owner, expires)
VALUES (%(owner)s, now() + make_interval(secs => %(lasts)s))
ON CONFLICT (owner) DO UPDATE SET expires = EXCLUDED.expires
"""


class Custom(NamedTuple):
    """A custom resource that is turned on: what `kinds.custom` takes."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    @property
    def full_kind(self) -> str:
        """As objects of it are stored: "Certificate.cert-manager.io"."""
        return f"{self.kind}.{self.group}"


@dataclass(frozen=True)
class Held:
    """A cluster that this watcher holds: its fence, and what changes when the registration does."""

    fence: Fence
    connection_version: int
    customs: frozenset[Custom] = frozenset()


@transaction.atomic
def renew_and_take(owner: str) -> dict[UUID, Held]:
    """Renews this watcher's leases and moves a few towards fair shares; returns what it holds."""
    mine = Lease.objects.filter(owner=owner, expires__gt=Now())
    # One whose cluster is being deleted must not hold up the others.
    free = mine.order_by("pk").select_for_update(no_key=True, skip_locked=True)
    keys = list(free.values_list("pk", flat=True))
    Lease.objects.filter(pk__in=keys).update(expires=Now() + LASTS)
    with connection.cursor() as cursor:
        cursor.execute(_RENEW_WATCHER, {"owner": owner, "lasts": LASTS.total_seconds()})
        # Who finds another at it leaves it to the next tick: nobody waits for one that hangs.
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_BALANCING])
        if cursor.fetchone() == (True,):
            _balance(cursor, owner)
    customs = _customs(owner)
    held = mine.values_list("cluster_id", "epoch", "cluster__connection_version")
    return {
        key: Held(Fence(key, owner, epoch), version, customs.get(key, frozenset()))
        for key, epoch, version in held
    }


def _balance(cursor: Any, owner: str) -> None:
    Watcher.objects.filter(expires__lte=Now()).delete()
    share = -(-Cluster.objects.count() // Watcher.objects.count())
    mine = Lease.objects.filter(owner=owner, expires__gt=Now())
    room = share - mine.count()
    for statement in (_TAKE_OVER, _TAKE_NEW):
        if room > 0:
            cursor.execute(
                statement, {"owner": owner, "lasts": LASTS.total_seconds(), "room": room}
            )
            room -= cursor.rowcount
    if room < 0:
        free = mine.order_by("-cluster_id").select_for_update(skip_locked=True)
        _give_back(free[: min(-room, MOST_GIVEN)])


def _customs(owner: str) -> dict[UUID, frozenset[Custom]]:
    rows = CustomResource.objects.filter(cluster__lease__owner=owner).values_list(
        "cluster_id", *Custom._fields
    )
    found: dict[UUID, set[Custom]] = {}
    for cluster_id, *fields in rows:
        found.setdefault(cluster_id, set()).add(Custom(*fields))
    return {cluster_id: frozenset(customs) for cluster_id, customs in found.items()}


@transaction.atomic
def release(owner: str) -> None:
    """Gives every lease back at once, for a watcher that stops in order."""
    _give_back(Lease.objects.filter(owner=owner).order_by("cluster_id").select_for_update())
    Watcher.objects.filter(owner=owner).delete()


def _give_back(locked: QuerySet[Lease]) -> None:
    keys = [lease.pk for lease in locked]
    Lease.objects.filter(pk__in=keys).update(expires=Now(), epoch=F("epoch") + 1)
