"""Writing what the watcher saw: COPY into a scratch table, then one upsert; the lease is the fence.

Single statements reach 2,000 rows a second, this 20,000 in batches of 1,000, tallies and indexes
included, and 50,000 in whole lists (PostgreSQL 18).
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from heapq import nlargest
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from clusters.kube.types import Row
from clusters.models import KindState
from clusters.store import copying, namespaces

# Of more changes than these it is told in which namespaces they are (live.MOST_KEYS), not which.
MANY = 500
# Events come by the hundred a second and go after an hour: the newest are kept.
MOST_ROWS = {"Event": 20_000}

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another watcher holds the cluster now: what this one saw must not be written."""


@dataclass(frozen=True)
class Fence:
    """The lease under which a watcher writes one cluster."""

    cluster_id: UUID
    owner: str
    epoch: int


@dataclass
class Pending:
    """What was seen of one kind since the last flush; later sights replace earlier ones."""

    rows: dict[str, Row] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    # Whether rows of a list are among them, which is right whatever is stored.
    overrules: bool = False
    # After a whole list the uids of all there is, most of them perhaps stored with its portions:
    # rows of the kind that are not among them are gone.
    whole: set[str] | None = None

    def __len__(self) -> int:
        return len(self.rows) + len(self.deleted)

    @property
    def replaces(self) -> bool:
        """Whether a whole list is in it."""
        return self.whole is not None

    def portion(self, rows: Iterable[Row]) -> None:
        """Part of a list that still comes in; says nothing of what is not in it."""
        self.overrules = True
        self.change(rows, ())

    def list(self, rows: Iterable[Row], rest: Iterable[Row] | None = None) -> None:
        """A whole list; `rest` is what of it no `portion` was given since the list began."""
        rows = list(rows)
        self.whole = {row.uid for row in rows}
        if rest is None:
            self.rows = {row.uid: row for row in rows}
        else:
            waiting = {uid: row for uid, row in self.rows.items() if uid in self.whole}
            self.rows = waiting | {row.uid: row for row in rest}
        self.deleted.clear()
        self.overrules = True

    def change(self, rows: Iterable[Row], deleted: Iterable[str]) -> None:
        for row in rows:
            self.rows[row.uid] = row
            self.deleted.discard(row.uid)
            if self.whole is not None:
                self.whole.add(row.uid)
        for uid in deleted:
            self.rows.pop(uid, None)
            self.deleted.add(uid)
            if self.whole is not None:
                self.whole.discard(uid)


# The row's id and its namespace.
Key = tuple[int, str]
Found = list[tuple[str, int, str]]

_SHOWN = (
    "labels, owner_kind, owner_name, images, status, health, ready, wanted, restarts, node,"
    " created, cpu, memory, facts"
)


def _of(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{column.strip()}" for column in columns.split(","))


# A list is the truth even where a restored cluster counts its versions from the past, and after an
# upgrade that reads more of each object; most of what it brings looks as before and is left alone.
_UPSERT = f"""
INSERT INTO clusters_object AS o (cluster_id, observed_at, {copying.COLUMNS})
SELECT %s, now(), {copying.COLUMNS} FROM seen
ON CONFLICT (cluster_id, kind, uid) DO UPDATE SET
  observed_at = now(), resource_version = EXCLUDED.resource_version,
  ({_SHOWN}) = ROW({_of("EXCLUDED", _SHOWN)}),
  since = CASE WHEN o.status = EXCLUDED.status AND o.health = EXCLUDED.health THEN o.since
    WHEN EXCLUDED.since > EXCLUDED.created THEN EXCLUDED.since ELSE now() END
WHERE CASE WHEN EXCLUDED.kind = ANY(%s)
    THEN o.resource_version > EXCLUDED.resource_version
      OR ({_of("o", _SHOWN)}) IS DISTINCT FROM ({_of("EXCLUDED", _SHOWN)})
    ELSE o.resource_version < EXCLUDED.resource_version END
RETURNING kind, id, namespace
"""  # noqa: S608 - constant column names
_DELETE = """
DELETE FROM clusters_object AS o USING unnest(%s::text[], %s::text[]) AS gone (kind, uid)
WHERE o.cluster_id = %s AND o.uid = gone.uid AND o.kind = gone.kind
RETURNING o.kind, id, namespace
"""
# Whoever had one of a list's rows stored before, most likely has the first.
_BEGUN = """
SELECT now(), EXISTS (
  SELECT FROM clusters_object WHERE cluster_id = %s AND kind = %s AND uid = %s
)
"""
# PostgreSQL looks each stored row up in a hash of the list. Joined to a scratch table, without
# statistics on it, 10,000 rows took four seconds of nested loops.
_DELETE_UNLISTED = """
DELETE FROM clusters_object WHERE cluster_id = %s AND kind = %s AND uid <> ALL(%s::text[])
RETURNING kind, id, namespace
"""
# A whole kind of a large cluster takes longer than any request may. What GIN indexes gather of it
# is sorted in by autovacuum or the next change, not in the middle of it: a tenth of a row's cost.
_TAKE_TIME = "SET LOCAL statement_timeout = '120s'; SET LOCAL gin_pending_list_limit = '32MB'"
_FORGET_TALLIES = "DELETE FROM clusters_tally WHERE cluster_id = %s AND kind = ANY(%s) AND n = 0"
# A lock that lets the lease be renewed meanwhile, but not be taken: that asks FOR UPDATE.
# Nobody else writes the cluster meanwhile, not even who was stopped under the same lease and still
# writes; and who hangs (its machine does, or the network to it) lets go after a while.
_HOLD = """
SELECT pg_advisory_xact_lock(hashtextextended(cluster_id::text, 0)),
  set_config('idle_in_transaction_session_timeout', '10s', true)
FROM clusters_lease WHERE cluster_id = %s AND owner = %s AND epoch = %s FOR KEY SHARE
"""


def hold(cursor: Any, fence: Fence) -> None:
    """Keeps the lease from moving until the transaction ends; LeaseLost when it has moved."""
    cursor.execute(_HOLD, [fence.cluster_id, fence.owner, fence.epoch])
    if cursor.rowcount != 1:
        raise LeaseLost


def flush(
    fence: Fence, pending: Mapping[str, Pending], *, straight: bool = True
) -> dict[str, list[Key]]:
    """Writes what was seen of some kinds in one transaction; returns by kind what that changed.

    Raises LeaseLost. A row that PostgreSQL does not take costs itself, not its kind. Many rows of
    which none is stored are written `straight`, without looking for each; their ids are told as 0.
    """
    try:
        return _flush(fence, pending, straight)
    except IntegrityError:
        if not straight:
            raise
        return flush(fence, pending, straight=False)
    except copying.UNFIT:
        return _flush(fence, {kind: _storable(seen) for kind, seen in pending.items()}, False)


@transaction.atomic
def _flush(fence: Fence, pending: Mapping[str, Pending], straight: bool) -> dict[str, list[Key]]:
    pending = {kind: _bounded(kind, seen) for kind, seen in pending.items()}
    changed: dict[str, list[Key]] = {kind: [] for kind in pending}
    listed = {kind: seen.whole for kind, seen in pending.items() if seen.whole is not None}
    overruling = [kind for kind, seen in pending.items() if seen.overrules]
    with connection.cursor() as cursor:
        hold(cursor, fence)
        if overruling:
            cursor.execute(_TAKE_TIME)
        rows = [row for seen in pending.values() for row in seen.rows.values()]
        if (
            straight
            and len(pending) == len(overruling) == 1
            and _write_straight(cursor, fence.cluster_id, rows)
        ):
            found = [(row.kind, 0, row.namespace) for row in rows]
        else:
            found = _upsert(cursor, fence.cluster_id, rows, overruling)
        for kind, whole in listed.items():
            found += _delete_unlisted(cursor, fence.cluster_id, kind, whole)
        found += _delete(cursor, fence.cluster_id, pending)
        if listed:
            cursor.execute(_FORGET_TALLIES, [fence.cluster_id, list(listed)])
    for kind, key, namespace in found:
        changed[kind].append((key, namespace))
    return changed


def _write_straight(cursor: Any, cluster_id: UUID, rows: list[Row]) -> bool:
    """Whether they were written: a tenth of the cost of a row is to look whether it is stored."""
    if len(rows) <= MANY or rows[0].kind == "Namespace":
        return False
    cursor.execute(_BEGUN, [cluster_id, rows[0].kind, rows[0].uid])
    moment, is_stored = cursor.fetchone()
    if not is_stored:
        copying.copy_straight(cursor, cluster_id, moment, rows)
    return not is_stored


def _upsert(cursor: Any, cluster_id: UUID, rows: list[Row], overruling: list[str]) -> Found:
    cursor.execute(copying.SCRATCH)
    copying.copy(cursor, rows)
    if any(row.kind == "Namespace" for row in rows):
        namespaces.take(cursor, cluster_id)
    cursor.execute(_UPSERT, [cluster_id, overruling])
    return list(cursor.fetchall())


def _delete_unlisted(cursor: Any, cluster_id: UUID, kind: str, whole: set[str]) -> Found:
    cursor.execute(_DELETE_UNLISTED, [cluster_id, kind, list(whole)])
    return list(cursor.fetchall())


def _delete(cursor: Any, cluster_id: UUID, pending: Mapping[str, Pending]) -> Found:
    gone = [(kind, uid) for kind, seen in pending.items() for uid in seen.deleted]
    if not gone:
        return []
    cursor.execute(_DELETE, [[kind for kind, _ in gone], [uid for _, uid in gone], cluster_id])
    return list(cursor.fetchall())


@transaction.atomic
def forget(fence: Fence, kinds: Iterable[str]) -> dict[str, list[Key]]:
    """Deletes everything stored of kinds that are not followed any more; LeaseLost as `flush`."""
    nothing = Pending(overrules=True, whole=set())
    changed = _flush(fence, dict.fromkeys(kinds, nothing), False)
    KindState.objects.filter(cluster_id=fence.cluster_id, kind__in=changed).delete()
    return changed


def _bounded(kind: str, seen: Pending) -> Pending:
    most = MOST_ROWS.get(kind)
    if most is None or len(seen.rows) <= most:
        return seen
    newest = nlargest(most, seen.rows.values(), key=attrgetter("created"))
    kept = {row.uid: row for row in newest}
    return replace(seen, rows=kept, whole=None if seen.whole is None else set(kept))


def _storable(seen: Pending) -> Pending:
    """What of it PostgreSQL takes, found by trying halves."""
    kept = {row.uid: row for row in _fitting(list(seen.rows.values()))}
    # A list leaves nothing that it does not confirm: not what such a row was before, either.
    unfit = seen.rows.keys() - kept.keys() if seen.overrules else set()
    return replace(seen, rows=kept, deleted=seen.deleted | unfit)


def _fitting(rows: list[Row]) -> list[Row]:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(copying.SCRATCH)
            copying.copy(cursor, rows)
    except copying.UNFIT as error:
        if len(rows) == 1:
            log.warning("a %s cannot be stored: %s", rows[0].kind, error)
            return []
        half = len(rows) // 2
        return _fitting(rows[:half]) + _fitting(rows[half:])
    return rows
