"""What is asked of the inventory: read from an address, and what it means for rows."""

from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext as _

from clusters.models import Environment
from explorer.filters import typed
from explorer.filters.ordering import SORTS
from explorer.filters.typed import Term
from explorer.filters.words import HEALTH, kind_named

# What the tallies can answer, too.
TALLIED = frozenset({"kind", "cluster", "environment", "namespace", "status", "health"})
PARAMETERS = (*sorted(TALLIED), "node", "image", "label", "owner")
LONGEST_VALUE = 512
# Of one parameter. Each may cost a look at an index, and PostgreSQL plans each by itself.
MOST_VALUES = 100


@dataclass(frozen=True)
class ObjectFilter:
    """Terms that must all hold, an order, and where to begin.

    `given` are the values of the address's own parameters, which its chips show; `problems` what
    could not be read, by parameter: the API refuses it, a page says so and goes on without.
    """

    terms: tuple[Term, ...] = ()
    q: str = ""
    given: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = "name"
    cursor: str = ""
    problems: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, query: QueryDict, kind: str = "") -> "ObjectFilter":
        """The question in an address; `kind`, where given, is the only one that is asked for."""
        problems: dict[str, list[str]] = {}
        given = {
            name: values
            for name in PARAMETERS
            if (values := _values(query, name)) and not (kind and name == "kind")
        }
        terms = [Term("kind", (kind,))] if kind else []
        for name, values in given.items():
            terms += _checked(_split(name, values), name, problems)
        q = query.get("q", "").strip()
        try:
            terms += _checked(_joined(typed.parse(q)), "q", problems)
        except typed.BadQuery as error:
            problems["q"] = [str(error)]
        sort = query.get("sort") or "name"
        if sort.removeprefix("-") not in SORTS:
            problems["sort"] = [_("There is no such order.")]
            sort = "name"
        cursor = query.get("cursor") or query.get("after") or ""
        return cls(tuple(terms), q, given, sort, cursor, problems)

    @property
    def narrows(self) -> bool:
        return bool(self.given or self.q)

    def asked(self, field: str) -> list[Term]:
        """The terms that want values of a field; not those that rule some out."""
        return [term for term in self.terms if term.field == field and not term.negated]

    @property
    def tallied(self) -> bool:
        """Whether the tallies alone can count what matches."""
        return all(term.field in TALLIED for term in self.terms)


def _values(query: QueryDict, name: str) -> tuple[str, ...]:
    """A parameter's values; `environment` may be called `env`, as in a typed query."""
    found = query.getlist(name) + (query.getlist("env") if name == "environment" else [])
    return tuple(dict.fromkeys(filter(None, found)))


def _split(name: str, values: tuple[str, ...]) -> list[Term]:
    """Values are alternatives; those of different labels must hold together."""
    if name != "label":
        return [Term(name, values)]
    return _joined([Term(name, (value,)) for value in values])


def _joined(terms: list[Term]) -> list[Term]:
    """Terms of one field, or of one label's key, become alternatives of one term."""
    joined: dict[object, Term] = {}
    for term in terms:
        key: object = term.field
        if term.field == "label":
            key = frozenset(value.partition("=")[0] for value in term.values)
        if term.field == "name" or term.negated:
            key = term
        before = joined.get((term.field, key))
        values = (before.values if before else ()) + term.values
        joined[(term.field, key)] = Term(term.field, values, term.negated, term.at)
    return list(joined.values())


def _checked(terms: list[Term], name: str, problems: dict[str, list[str]]) -> list[Term]:
    """The terms whose values have a meaning, with kinds as they are stored; notes the others."""
    if sum(len(term.values) for term in terms) > MOST_VALUES:
        problems[name] = [_("There may be at most %(most)d values.") % {"most": MOST_VALUES}]
        return []
    good = []
    for term in terms:
        values = tuple(filter(None, (_known(term.field, value) for value in term.values)))
        if len(values) == len(term.values):
            good.append(Term(term.field, values, term.negated, term.at))
            continue
        for value in term.values:
            if _known(term.field, value) is None:
                text = _('"%(value)s" is unknown.') % {"value": value[:50]}
                if name == "q":
                    text = str(typed.BadQuery(text, term.at))
                problems.setdefault(name, []).append(text)
    return good


def _known(field: str, value: str) -> str | None:
    """The value as rows hold it; None for one that no row can have."""
    if len(value) > LONGEST_VALUE:
        return None
    match field:
        case "kind":
            return kind_named(value)
        case "health":
            return value if value in HEALTH else None
        case "environment":
            return value if value in Environment.values else None
        case "label":
            return value if value.find("=") > 0 else None
        case _:
            return value
