"""What one person sees of the fleet through one filter, as queries of objects and of tallies."""

from collections.abc import Iterable
from functools import cached_property
from uuid import UUID

from django.db.models import Q, QuerySet

from clusters.models import Cluster, Object, Tally
from clusters.models.among import among
from clusters.store import queries
from clusters.store.queries import Named
from explorer.filters.conditions import meaning, pattern
from explorer.filters.criteria import KINDS_OF, TALLIED, ObjectFilter, names_several
from explorer.filters.typed import SET, Term
from explorer.filters.words import FIELDS, members
from explorer.store import Seen, listed, loaded, seen
from teams import access
from teams.access import AnyUser

# What a row of a list shows.
_SHOWN = (
    "kind", "namespace", "name", "status", "health", "ready", "wanted", "restarts", "node",
    "created", *(f"cluster__{field}" for field in queries.SHOWN),
)  # fmt: skip

# The fields that tell what a node can give.
LOADED = frozenset({"cpu", "memory", "facts"})


class Inventory:
    """The visible rows that match. The right to see is part of every query, never a second step."""

    def __init__(self, user: AnyUser, wanted: ObjectFilter) -> None:
        self.user = user
        self.wanted = wanted
        self._held = access.holdings(user)
        self._conditions: dict[Term, Q] = {}

    @cached_property
    def clusters(self) -> dict[UUID, Named]:
        """Every cluster that the person sees something of, by name."""
        return queries.named(self._held)

    @cached_property
    def searched(self) -> list[Named]:
        """The clusters in which objects could match."""
        terms = [term for term in self.wanted.terms if term.field in {"cluster", "environment"}]
        asked = [(term.negated, set(self._clusters(term))) for term in terms]
        return [
            cluster
            for pk, cluster in self.clusters.items()
            if all((pk in keys) != negated for negated, keys in asked)
        ]

    @property
    def sees_a_whole_cluster(self) -> bool:
        """Whether the person may see what stands outside namespaces anywhere."""
        return self._held.everything or bool(self._held.ids(Cluster))

    @property
    def limited(self) -> bool:
        """Whether anything but the kind keeps rows out: a term, or the person's rights."""
        only_kinds = all(term.field in KINDS_OF for term in self.wanted.terms)
        return not (only_kinds and self._held.everything)

    @cached_property
    def _visible(self) -> tuple[QuerySet[Object], QuerySet[Tally]]:
        return access.visible(self._held, Object), access.visible(self._held, Tally)

    def objects(self, but: str = "") -> QuerySet[Object]:
        """The objects that match, in no order; `but` leaves out the terms of one field."""
        return self._visible[0].filter(self._condition(but, (*FIELDS, SET)))

    def rows(self, keys: list[int]) -> list[Seen]:
        """The objects with these keys, which a page of this inventory gave; those that are gone
        since are left out.
        """
        found = listed(keys)
        known = [found[key] for key in keys if key in found]
        rows = [row for row in known if row.cluster_id in self.clusters]
        return loaded(self._held, seen(rows, self.clusters))

    def named(self, keys: list[int], fields: Iterable[str] = ()) -> list[Seen]:
        """Those of the objects with these keys that match, in no order; `fields` are those that
        are needed beside what every list shows.
        """
        found = self.objects().filter(pk__in=keys).select_related("cluster")
        rows = list(found.only(*_SHOWN, *fields))
        here = seen(rows, {row.cluster_id: row.cluster for row in rows})
        return loaded(self._held, here) if LOADED.issubset(fields) else here

    def tallies(self, but: str = "") -> QuerySet[Tally]:
        """The tallies of what matches, as far as they know: by the terms of `TALLIED` fields, and
        of lists of several kinds also what is owned.
        """
        condition = self._condition(but, (*TALLIED, SET), tallies=True)
        return self._visible[1].filter(condition, n__gt=0)

    def _condition(self, but: str, fields: Iterable[str], *, tallies: bool = False) -> Q:
        wanted = Q()
        for term in self.wanted.terms:
            if term.field != but and term.field in fields:
                if tallies and names_several(term):
                    wanted &= _at_least(term)
                    continue
                if term not in self._conditions:
                    self._conditions[term] = self._term(term)
                condition = self._conditions[term]
                wanted &= ~condition if term.negated else condition
        if self.wanted.asked("namespace"):
            # An index knows a namespace within its cluster.
            wanted &= among("cluster", self.clusters)
        return wanted

    def _term(self, term: Term) -> Q:
        """A term as if it were not negated."""
        # By key: a join would hide from the database how few rows these are.
        if term.field in {"cluster", "environment"}:
            return among("cluster", self._clusters(term))
        return meaning(term)

    def _clusters(self, term: Term) -> list[UUID]:
        """The visible clusters that a term means, by name or id or by environment."""
        values = set(term.values)
        if term.field == "environment":
            return [pk for pk, found in self.clusters.items() if found.environment in values]
        like = [pattern(value) for value in term.patterns]
        return [
            pk
            for pk, found in self.clusters.items()
            if values & {found.name, str(pk)} or any(each.fullmatch(found.name) for each in like)
        ]


def _at_least(term: Term) -> Q:
    """All of the kinds that a term may mean, owned or not."""
    kinds = [kind for value in term.values for kind in members(value)]
    return Q() if term.negated else Q(kind__in=kinds)
