"""Writing what the watcher saw: COPY into a scratch table, then one upsert; the lease is the fence.

Single statements reach 2,000 rows a second, this 20,000 in batches of 1,000, tallies and indexes
included, and 50,000 in whole lists (PostgreSQL 18).
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import nlargest
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from clusters.kube.types import Row
from clusters.models import KindState
from clusters.store import copying, writing
from clusters.store.writing import Fence, LeaseLost, hold

# Of more changes than these it is told in which namespaces they are (live.MOST_KEYS), not which.
MANY = 500
# Events come by the hundred a second and go after an hour: the newest are kept.
MOST_ROWS = {"Event": 20_000}

__all__ = [
    "MANY", "MOST_ROWS", "Fence", "Key", "LeaseLost", "Pending", "flush", "flush_together",
    "forget", "hold",
]  # fmt: skip

log = logging.getLogger(__name__)


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

# Whoever had one of a list's rows stored before, most likely has the first.
_BEGUN = """
SELECT now(), EXISTS (
  SELECT FROM clusters_object WHERE cluster_id = %s AND kind = %s AND uid = %s
)
"""
# A whole kind of a large cluster takes longer than any request may. What GIN indexes gather of it
# is sorted in by autovacuum or the next change, not in the middle of it: a tenth of a row's cost.
_TAKE_TIME = "SET LOCAL statement_timeout = '120s'; SET LOCAL gin_pending_list_limit = '32MB'"
_FORGET_TALLIES = "DELETE FROM clusters_tally WHERE cluster_id = %s AND kind = ANY(%s) AND n = 0"


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
        fit = {kind: _storable(fence.cluster_id, seen) for kind, seen in pending.items()}
        return _flush(fence, fit, False)


def flush_together(
    many: Sequence[tuple[Fence, Mapping[str, Pending]]],
) -> dict[UUID, dict[str, list[Key]]]:
    """Writes changes of several clusters, no lists, in one transaction; returns as `flush`.

    A cluster that is not in the answer is to be flushed for itself: its lease was lost, or
    somebody else has its locks. Raises as the database does, having written nothing.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        held = writing.hold_free(cursor, [fence for fence, _pending in many])
        taken = {fence.cluster_id: seen for fence, seen in many if fence.cluster_id in held}
        rows = {cluster_id: _rows(pending) for cluster_id, pending in taken.items()}
        gone = [place for key, pending in taken.items() for place in _gone(key, pending)]
        found = writing.upsert(cursor, rows, []) + writing.delete(cursor, gone)
    changed: dict[UUID, dict[str, list[Key]]] = {key: {} for key in taken}
    for cluster_id, kind, key, namespace in found:
        changed[cluster_id].setdefault(kind, []).append((key, namespace))
    return changed


def _rows(pending: Mapping[str, Pending]) -> list[Row]:
    return [row for seen in pending.values() for row in seen.rows.values()]


def _gone(cluster_id: UUID, pending: Mapping[str, Pending]) -> list[writing.Place]:
    return [(cluster_id, kind, uid) for kind, seen in pending.items() for uid in seen.deleted]


@transaction.atomic
def _flush(fence: Fence, pending: Mapping[str, Pending], straight: bool) -> dict[str, list[Key]]:
    pending = {kind: _bounded(kind, seen) for kind, seen in pending.items()}
    changed: dict[str, list[Key]] = {kind: [] for kind in pending}
    listed = {kind: seen.whole for kind, seen in pending.items() if seen.whole is not None}
    overruling = [kind for kind, seen in pending.items() if seen.overrules]
    cluster_id = fence.cluster_id
    with connection.cursor() as cursor:
        hold(cursor, fence)
        if overruling:
            cursor.execute(_TAKE_TIME)
        rows, found = _rows(pending), None
        if straight and len(pending) == len(overruling) == 1:
            found = _write_straight(cursor, cluster_id, rows)
        if found is None:
            found = writing.upsert(cursor, {cluster_id: rows}, overruling)
        found += writing.delete(cursor, _gone(cluster_id, pending))
        for kind, whole in listed.items():
            found += writing.delete_unlisted(cursor, cluster_id, kind, whole)
        if listed:
            cursor.execute(_FORGET_TALLIES, [cluster_id, list(listed)])
    for _cluster_id, kind, key, namespace in found:
        changed[kind].append((key, namespace))
    return changed


def _write_straight(cursor: Any, cluster_id: UUID, rows: list[Row]) -> writing.Found | None:
    """None if they must be upserted: to look for each is a tenth of its cost."""
    if len(rows) <= MANY or rows[0].kind == "Namespace":
        return None
    cursor.execute(_BEGUN, [cluster_id, rows[0].kind, rows[0].uid])
    moment, is_stored = cursor.fetchone()
    if is_stored:
        return None
    copying.copy_straight(cursor, cluster_id, moment, rows)
    return [(cluster_id, row.kind, 0, row.namespace) for row in rows]


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


def _storable(cluster_id: UUID, seen: Pending) -> Pending:
    """What of it PostgreSQL takes, found by trying halves."""
    kept = {row.uid: row for row in _fitting(cluster_id, list(seen.rows.values()))}
    # A list leaves nothing that it does not confirm: not what such a row was before, either.
    unfit = seen.rows.keys() - kept.keys() if seen.overrules else set()
    return replace(seen, rows=kept, deleted=seen.deleted | unfit)


def _fitting(cluster_id: UUID, rows: list[Row]) -> list[Row]:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(copying.SCRATCH)
            copying.copy(cursor, {cluster_id: rows})
    except copying.UNFIT as error:
        if len(rows) == 1:
            log.warning("a %s cannot be stored: %s", rows[0].kind, error)
            return []
        half = len(rows) // 2
        return _fitting(cluster_id, rows[:half]) + _fitting(cluster_id, rows[half:])
    return rows
