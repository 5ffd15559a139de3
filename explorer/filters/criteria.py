"""What is asked of the inventory: read from an address, and what it means for rows."""

from dataclasses import dataclass, field, replace

from django.http import QueryDict
from django.utils.translation import gettext as _

from clusters.models import Environment
from explorer.filters import amounts, typed
from explorer.filters.ordering import SORTS
from explorer.filters.typed import SET, Term
from explorer.filters.words import (
    COMPARED,
    HEALTH,
    PATTERNED,
    UNOWNED,
    WHOLE,
    kind_named,
    members,
)

# What the tallies can answer, too.
TALLIED = frozenset({"kind", "cluster", "environment", "namespace", "status", "health"})
PARAMETERS = (*sorted(TALLIED), "node", "image", "label", "owner")
# The fields whose values are kinds.
KINDS_OF = frozenset({"kind", SET})
LONGEST_VALUE = 512
# Of one parameter. Each may cost a look at an index, and PostgreSQL plans each by itself.
MOST_VALUES = 100


@dataclass(frozen=True)
class ObjectFilter:
    """Terms that must all hold, an order, and where to begin.

    `given` are the values of the address's own parameters, which its chips show; `problems` what
    could not be read, by parameter: the API refuses it, a page says so and goes on without. Where
    each of those in the typed query stands is in `places`: from which character, from 0, how many.
    """

    terms: tuple[Term, ...] = ()
    q: str = ""
    given: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = "name"
    cursor: str = ""
    problems: dict[str, list[str]] = field(default_factory=dict)
    places: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, query: QueryDict, kind: str = "", begins: str = "name") -> "ObjectFilter":
        """The question in an address; `kind`, where given, is the only one that is asked for, or
        names a list of several, and `begins` is the order of a list that names none.
        """
        problems: dict[str, list[str]] = {}
        given = {
            name: values
            for name in PARAMETERS
            if (values := _values(query, name)) and (name != "kind" or not kind or kind in WHOLE)
        }
        terms = [Term(SET if kind in WHOLE else "kind", (kind,))] if kind else []
        for name, values in given.items():
            terms += _checked(_split(name, values), name, problems)
        q = query.get("q", "").strip()
        of_q, bad = _typed(q)
        terms += of_q
        if bad:
            problems["q"] = list(map(str, bad))
        sort = query.get("sort") or begins
        if sort.removeprefix("-") not in SORTS:
            problems["sort"] = [_("There is no such order.")]
            sort = begins
        cursor = query.get("cursor") or query.get("after") or ""
        places = tuple((error.at - 1, error.length) for error in bad)
        return cls(tuple(terms), q, given, sort, cursor, problems, places)

    @property
    def narrows(self) -> bool:
        return bool(self.given or self.q)

    def asked(self, field: str) -> list[Term]:
        """The terms that want values of a field; not those that rule some out."""
        return [term for term in self.terms if term.field == field and not term.negated]

    @property
    def several(self) -> str:
        """Which list of several kinds this is, "" for none."""
        return next((term.values[0] for term in self.asked(SET)), "")

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """The only kinds that can match; None where none was asked for."""
        found: tuple[str, ...] | None = None
        for term in (*self.asked(SET), *self.asked("kind")):
            mine = tuple(dict.fromkeys(kind for value in term.values for kind in members(value)))
            found = mine if found is None else tuple(kind for kind in found if kind in mine)
        return found

    @property
    def unowned(self) -> frozenset[str]:
        """The kinds of which only objects that nothing owns are asked for."""
        found = set[str]()
        for term in (*self.asked(SET), *self.asked("kind")):
            some = {kind for value in term.values for kind in UNOWNED.get(value, ())}
            found |= some - set(term.values)
        return frozenset(found)

    @property
    def tallied(self) -> bool:
        """Whether the tallies alone can count what matches: they do not know what is owned."""
        return all(term.field in TALLIED and not names_several(term) for term in self.terms)


def names_several(term: Term) -> bool:
    """Whether a term asks for a list of several kinds."""
    return term.field in KINDS_OF and bool(WHOLE.keys() & set(term.values))


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
        if term.field == "name" or term.negated or term.sign != typed.EQUAL:
            key = term
        before = joined.get((term.field, key))
        joined[(term.field, key)] = _together(before, term) if before else term
    return list(joined.values())


def _together(one: Term, other: Term) -> Term:
    values, patterns = one.values + other.values, one.patterns | other.patterns
    return replace(one, values=values, patterns=patterns)


def _typed(q: str) -> tuple[list[Term], list[typed.BadQuery]]:
    """The terms of a typed query that have a meaning, and what is wrong with the others."""
    terms, bad = typed.read(q)
    if sum(len(term.values) for term in terms) > MOST_VALUES:
        return [], [typed.BadQuery(_too_many(), 1, len(q))]
    good = []
    for term in terms:
        texts = _wrong(term)
        bad += [typed.BadQuery(text, term.at, term.length) for text in texts]
        if not texts:
            good.append(_as_stored(term))
    return _joined(good), sorted(bad, key=lambda error: error.at)


def _checked(terms: list[Term], name: str, problems: dict[str, list[str]]) -> list[Term]:
    """The terms of a parameter whose values have a meaning; notes the others."""
    if sum(len(term.values) for term in terms) > MOST_VALUES:
        problems[name] = [_too_many()]
        return []
    good = []
    for term in terms:
        if texts := _wrong(term):
            problems.setdefault(name, []).extend(texts)
        else:
            good.append(_as_stored(term))
    return good


def _too_many() -> str:
    return _("There may be at most %(most)d values.") % {"most": MOST_VALUES}


def _as_stored(term: Term) -> Term:
    """Kinds are stored by their names."""
    if term.field != "kind":
        return term
    return replace(term, values=tuple(kind_named(value) or value for value in term.values))


def _wrong(term: Term) -> list[str]:
    """What is wrong with the values of a term."""
    if term.patterns and term.field not in PATTERNED:
        return [_('"*" means nothing here; in quotes it is taken as it is.')]
    if term.field in amounts.SINCE and term.sign == typed.EQUAL:
        return [_('Compare it with "<" or ">", as in age<1h.')]
    return [
        _('"%(value)s" is unknown.') % {"value": value[:50]}
        for value in term.values
        if not _is_known(term.field, value)
    ]


def _is_known(field: str, value: str) -> bool:
    """Whether rows can have the value at all."""
    if len(value) > LONGEST_VALUE:
        return False
    if field in COMPARED:
        return amounts.read(field, value) is not None
    match field:
        case "kind":
            return kind_named(value) is not None
        case "health":
            return value in HEALTH
        case "environment":
            return value in Environment.values
        case "label":
            return value.find("=") > 0
        case "id":
            return value.isascii() and value.isdecimal() and len(value) < 19
        case _:
            return True
