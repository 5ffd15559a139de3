"""Events that tell the same of what belongs together, as one row each.

The database looks at the newest MOST events that match and no more, however many there are; they
are put together there, and only a page of groups comes out. Two messages are the same when they
differ only in names of the object, in numbers, hashes and uids.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import BooleanField, F, Func, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from clusters.models import Cluster, Object
from clusters.store.plain import around
from clusters.store.queries import Named
from explorer import store
from explorer.filters import cursors
from explorer.filters.cursors import BadCursor
from explorer.filters.happened.asked import SORTS, EventsAsked, type_of
from explorer.filters.inventory import Inventory
from teams import access
from teams.access import AnyUser

# The newest events that are put together: a page must not wait for more.
MOST = 10_000
# Objects of a group that are named, and single events that are shown of it.
NAMED = 5
SINGLE = 50

# Names that controllers make of another's: NAME-HASH-RANDOM, NAME-RANDOM, NAME-NUMBER.
_MADE = {
    "Pod": r"(-[0-9a-z]{6,10})?-[0-9a-z]{5}$|-\d{1,4}$",
    "ReplicaSet": r"-[0-9a-z]{6,10}$",
    "Job": r"-\d{6,}$",
}
# What differs from one telling of a thing to the next; the object's own name was replaced by \x01.
_DIFFERS = (
    r"\x01(-[0-9a-z]{4,10})*|\m[0-9a-f]{8,}(-[0-9a-f]{4,})*\M"
    r"|(\d+([.:]\d+)*([nuµm]?s|m|h|[KMG]i?B?)?)+"
)

_GROUPS = """
WITH happened(id, cluster_id, namespace, kind, name, reason, health, first, last, seen, message,
  times) AS MATERIALIZED ({}),
said AS (
  SELECT *, regexp_replace(replace(message, name, E'\\x01'), %s, '…', 'g') AS said,
    CASE WHEN times ~ '^[0-9]{{1,9}}$' THEN times::bigint ELSE 1 END AS n
  FROM happened
),
about AS (
  SELECT named.*,
    coalesce(nullif(above.owner_kind, ''), nullif(made.owner_kind, ''), '') AS owner_kind,
    coalesce(nullif(above.owner_name, ''), nullif(made.owner_name, ''), CASE
      WHEN made.id IS NOT NULL THEN named.name
      WHEN named.kind = 'Pod' THEN regexp_replace(named.name, %s, '')
      WHEN named.kind = 'ReplicaSet' THEN regexp_replace(named.name, %s, '')
      WHEN named.kind = 'Job' THEN regexp_replace(named.name, %s, '')
      ELSE named.name END) AS owner_name
  FROM (SELECT DISTINCT cluster_id, namespace, kind, name FROM happened) AS named
  LEFT JOIN LATERAL (
    SELECT id, owner_kind, owner_name FROM clusters_object AS o
    WHERE o.cluster_id = named.cluster_id AND o.kind = named.kind
      AND o.namespace = named.namespace AND o.name = named.name LIMIT 1
  ) AS made ON named.kind IN ('Pod', 'ReplicaSet', 'Job')
  LEFT JOIN LATERAL (
    SELECT owner_kind, owner_name FROM clusters_object AS o
    WHERE o.cluster_id = named.cluster_id AND o.kind = made.owner_kind
      AND o.namespace = named.namespace AND o.name = made.owner_name LIMIT 1
  ) AS above ON made.owner_kind IN ('ReplicaSet', 'Job')
),
each AS (
  SELECT said.*, about.owner_kind, about.owner_name, md5(jsonb_build_array(
    said.cluster_id, said.namespace, said.kind, about.owner_name, said.reason, said.health,
    said.said)::text) AS key
  FROM said JOIN about USING (cluster_id, namespace, kind, name)
)
"""
_PAGE = """, grouped AS (
  SELECT key, cluster_id, namespace, kind, max(owner_kind) AS owner_kind, owner_name, reason,
    health, sum(n)::bigint AS times, count(*) AS events, min(first) AS first, max(last) AS last,
    count(DISTINCT name) AS objects,
    (array_agg(message ORDER BY last DESC, id DESC))[1] AS message,
    (array_agg(name ORDER BY last DESC, id DESC))[1] AS newest,
    (array_agg(DISTINCT name))[1:{named}] AS names
  FROM each GROUP BY key, cluster_id, namespace, kind, owner_name, reason, health
)
SELECT page.*, counted.* FROM (
  SELECT count(*) AS groups, coalesce(sum(events), 0)::bigint AS events,
    (SELECT count(*) FROM happened) AS looked_at FROM grouped
) AS counted LEFT JOIN (
  SELECT key, cluster_id, namespace, kind, owner_kind, owner_name, reason, health, times, events,
    first, last, objects, message, newest, names, {by} AS sorted
  FROM grouped WHERE {beyond} ORDER BY {by} {way}, key {way} LIMIT {size}
) AS page ON true ORDER BY page.sorted {way}, page.key {way}
"""
_NEWER = """, grouped AS (SELECT key, min(seen) AS met, max(seen) AS seen FROM each GROUP BY key)
SELECT count(*) FILTER (WHERE met > %s), count(*) FILTER (WHERE seen > %s) FROM grouped
"""
_SINGLE = "SELECT id FROM each WHERE key = %s ORDER BY last DESC, id DESC LIMIT {size}"


class _IsAny(Func):
    """That a row has one of these keys; as `pk__in`, without a parameter for each."""

    template = "(%(expressions)s::bigint[]))"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, keys: Iterable[int]) -> None:
        super().__init__(F("pk"), Value("{" + ",".join(map(str, keys)) + "}"))


class Group(NamedTuple):
    """Events of one sort. `times` counts what each says of itself, `events` are those rows.

    `kind` is of the `objects` that are told of, `names` some of them, `newest` the last one; the
    owner's kind is "" where nobody knows what it was, and the name is then made out of theirs.
    """

    key: str
    cluster_id: UUID
    namespace: str
    kind: str
    owner_kind: str
    owner_name: str
    reason: str
    health: str
    times: int
    events: int
    first: datetime
    last: datetime
    objects: int
    message: str
    newest: str
    names: list[str]
    sorted: Any

    @property
    def type(self) -> str:
        return type_of(self.health)


class Groups(NamedTuple):
    """A page; `total` groups hold `events`; `complete`: no event that matches was left out."""

    rows: list[Group]
    total: int
    events: int
    complete: bool
    next: str | None


class Happened:
    """What one person sees of what happened. The right to see is part of every query."""

    def __init__(self, user: AnyUser, asked: EventsAsked) -> None:
        self.user = user
        self.asked = asked
        self.inventory = Inventory(user, asked.wanted)

    def matching(self, but: str = "") -> QuerySet[Object]:
        """The newest events that match, at most MOST; `but` leaves out the terms of one field."""
        return self._newest(but) if but else Object.objects.filter(_IsAny(self._keys)).order_by()

    @cached_property
    def _keys(self) -> list[int]:
        """Looked for once: bars, facets and groups are of the same events."""
        return [pk for (pk,) in around("{}", self._newest("").values_list("pk"))]

    def _newest(self, but: str) -> QuerySet[Object]:
        rows = self.inventory.objects(but)
        if self.asked.about and but != "about":
            rows = rows.filter(owner_kind__in=self.asked.about)
        return rows.order_by("-created", "-pk")[:MOST]

    def page(self, size: int) -> Groups:
        """The page at the cursor. Raises BadCursor."""
        asked = self.asked
        by = SORTS[asked.sort.removeprefix("-")]
        way, sign = ("DESC", "<") if asked.sort.startswith("-") else ("ASC", ">")
        after = _read(asked.sort, asked.cursor)
        beyond = f"ROW({by}, key) {sign} ROW(%s, %s)" if after else "true"
        sql = _PAGE.format(named=NAMED, by=by, way=way, beyond=beyond, size=size + 1)
        found = self._around(sql, after)
        if not found:
            return Groups([], 0, 0, True, None)
        width = len(Group._fields)
        total, events, looked_at = found[0][width:]
        rows = [Group(*row[:width]) for row in found if row[0] is not None]
        more, rows = len(rows) > size, rows[:size]
        following = _write(asked.sort, rows[-1]) if more else None
        return Groups(rows, total, events, looked_at < MOST, following)

    def newer(self, than: datetime) -> tuple[int, int]:
        """How many groups there are that were not there then, and how many that had more since."""
        found = self._around(_NEWER, [than, than])
        return (int(found[0][0]), int(found[0][1])) if found else (0, 0)

    def single(self, key: str) -> list[Object]:
        """The newest events of a group."""
        keys = [pk for (pk,) in self._around(_SINGLE.format(size=SINGLE), [key])]
        return list(self.inventory.objects().filter(pk__in=keys).order_by("-created", "-pk"))

    def objects(self, groups: Iterable[Group]) -> dict[tuple[Any, ...], Object]:
        """What the groups tell of, as far as it is stored and may be seen: by cluster, kind,
        namespace ("" too, outside of namespaces) and name.
        """
        rows = list(groups)
        wanted = {(row.kind, row.newest) for row in rows}
        wanted |= {(row.owner_kind, row.owner_name) for row in rows if row.owner_kind}
        if not wanted:
            return {}
        found = access.visible(self.user, Object).filter(
            cluster__in={row.cluster_id for row in rows},
            kind__in={kind for kind, _name in wanted},
            namespace__in={row.namespace for row in rows} | {""},
            name__in={name for _kind, name in wanted},
        )
        return {(row.cluster_id, row.kind, row.namespace, row.name): row for row in found}

    def standing(self, clusters: Iterable[Cluster | Named]) -> dict[UUID, str]:
        """How fresh the events of each cluster are."""
        known = list(clusters)
        behind = store.behind(known, ["Event"])
        return {each.pk: store.freshness(each, behind.get((each.pk, "Event")))[0] for each in known}

    def _around(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        rows = self.matching().values_list(
            "pk", "cluster_id", "namespace", "owner_kind", "owner_name", "status", "health",
            "since", "created", "observed_at", _fact("message"), _fact("count"),
        )  # fmt: skip
        given = [_DIFFERS, _MADE["Pod"], _MADE["ReplicaSet"], _MADE["Job"], *values]
        return around(_GROUPS + sql, rows, after=given)


def _fact(name: str) -> Coalesce:
    fact = KeyTextTransform(name, F("facts"))
    return Coalesce(fact, Value(""), output_field=TextField())


def _write(sort: str, row: Group) -> str:
    return cursors.write(sort, [row.sorted, row.key])


def _read(sort: str, cursor: str) -> list[Any]:
    """What `_write` was given, empty for no cursor. Raises BadCursor."""
    if not cursor:
        return []
    try:
        of, value, key = cursors.plain(cursor)
        if of != sort or type(key) is not str or not key.isalnum() or len(key) > 32:
            raise BadCursor
        if SORTS[sort.removeprefix("-")] in {"first", "last"}:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise BadCursor
            return [moment, key]
        if type(value) is not int or not 0 <= value < 2**63:
            raise BadCursor
    except (ValueError, TypeError, RecursionError) as error:
        raise BadCursor from error
    return [value, key]
