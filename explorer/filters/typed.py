"""The grammar of the typed query, the same wherever objects are searched.

    query   = { term }
    term    = [ "-" ] ( word | field ":" values | field compare value | key "=" values )
    values  = value { "," value }
    compare = "<" | "<=" | ">" | ">="

Terms stand between spaces and must all hold; `-` turns one around. A word is a part of the name.
The values of a field are alternatives, so are several terms of one field that are not negated
(of labels: of one key); comparisons must all hold. `*` stands for any rest: `cluster:prod-*`.
Double quotes keep spaces and take the meaning from `-`, `:`, `=`, `<`, `>`, `,` and `*` inside
them: `image:nginx,redis -ns:kube-system app=web restarts>5 "odd name"`.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from explorer.filters.words import COMPARED, FIELDS

LONGEST = 1000
MOST_TERMS = 30
EQUAL = ":"
# The field of a term that nobody types: which of the lists of several kinds.
SET = "set"
# What turns a term around, divides it, or stands for any rest, outside quotes.
SIGNS = frozenset('-:=<>,*"')
# What has a meaning in the values of a field.
DIVIDING = frozenset(',*"')


class BadQuery(Exception):
    """What cannot be read, at which character, counted from 1, and how many of them; str() is
    safe to show.
    """

    def __init__(self, message: str, at: int, length: int = 1) -> None:
        super().__init__(_("character %(at)d: %(message)s") % {"at": at, "message": message})
        self.at = at
        self.length = length


@dataclass(frozen=True)
class Term:
    """One term: a field of `words.FIELDS`, how it is compared with its alternatives, those of them
    that are patterns, and where it stands.
    """

    field: str
    values: tuple[str, ...]
    negated: bool = False
    at: int = 1
    length: int = 1
    sign: str = EQUAL
    patterns: frozenset[str] = frozenset()


@dataclass
class Token:
    """What stands between two spaces; `plain[i]` is False where character i stood in quotes, and
    `places[i]` is where it stands in the query. `end` is the first place behind it.
    """

    at: int
    text: str = ""
    plain: tuple[bool, ...] = ()
    places: tuple[int, ...] = ()
    end: int = 0

    def add(self, character: str, plain: bool, place: int) -> None:
        self.text += character
        self.plain += (plain,)
        self.places += (place,)

    def find(self, sign: str, start: int = 0) -> int:
        """Where one of the signs outside quotes stands first, -1 for nowhere."""
        places = range(start, len(self.text))
        return next((i for i in places if self.text[i] in sign and self.plain[i]), -1)

    @property
    def length(self) -> int:
        return self.end - self.at

    @property
    def negated(self) -> bool:
        return len(self.text) > 1 and self.find("-") == 0


def parse(query: str) -> list[Term]:
    """The terms of a query, none for an empty one. Raises BadQuery."""
    terms, bad = read(query)
    if bad:
        raise bad[0]
    return terms


def read(query: str) -> tuple[list[Term], list[BadQuery]]:
    """The terms of a query that can be read, and what is wrong with the others, in their order."""
    try:
        found = _bounded(query)
    except BadQuery as error:
        return [], [error]
    terms, bad = [], []
    for token in found:
        try:
            terms.append(_term(token))
        except BadQuery as error:
            bad.append(error)
    return terms, bad


def _bounded(query: str) -> list[Token]:
    """What stands between spaces. Raises BadQuery where it is too much, or a quote is open."""
    if len(query) > LONGEST:
        raise BadQuery(_("the query is too long"), LONGEST + 1, len(query) - LONGEST)
    found = tokens(query)
    if len(found) > MOST_TERMS:
        first, last = found[MOST_TERMS], found[-1]
        raise BadQuery(_("there are too many terms"), first.at, last.end - first.at)
    return found


def quoted(value: str, *, alone: bool = True) -> str:
    """A value as it must be typed to be taken as it is, `alone` or behind a field. It may hold no
    double quote.
    """
    signs = SIGNS - {"-"} if alone else DIVIDING
    plain = not set(value) & signs and not any(character.isspace() for character in value)
    return value if value and plain and not (alone and value[0] == "-") else f'"{value}"'


def tokens(query: str, *, unfinished: bool = False) -> list[Token]:
    """What stands between spaces; where it may be `unfinished`, a quote may be open at the end."""
    found: list[Token] = []
    current: Token | None = None
    opened = 0
    for at, character in enumerate(query, 1):
        if character.isspace() and not opened:
            current = None
            continue
        if current is None:
            current = Token(at)
            found.append(current)
        if character == '"':
            opened = 0 if opened else at
        else:
            current.add(character, not opened, at)
        current.end = at + 1
    if opened and not unfinished:
        message = _("this double quote is never closed")
        raise BadQuery(message, opened, len(query) + 1 - opened)
    return found


def _term(token: Token) -> Term:
    start = int(token.negated)
    compares = token.find("<>", start)
    colon, equals = token.find(":", start), token.find("=", start)
    before = [place for place in (colon, equals) if place >= 0]
    if compares > start and all(compares < place for place in before):
        return _comparison(token, start, compares)
    if equals > 0 and not 0 <= colon < equals:
        return _made(token, start, "label")
    if colon < 0:
        return _made(token, start, "name")
    word = token.text[start:colon]
    field = FIELDS.get(word.lower())
    if field is None:
        message = _('there is no field "%(word)s"') % {"word": word[:50]}
        raise BadQuery(message, token.at, max(colon, 1))
    return _made(token, colon + 1, field)


def _comparison(token: Token, start: int, compares: int) -> Term:
    word = token.text[start:compares]
    field = FIELDS.get(word.lower(), "")
    if field not in COMPARED:
        message = _('"%(word)s" cannot be compared; these can: %(fields)s')
        facts = {"word": word[:50], "fields": ", ".join(COMPARED)}
        raise BadQuery(message % facts, token.at, token.length)
    width = 2 if token.text[compares + 1 : compares + 2] == "=" else 1
    value = token.text[compares + width :]
    if not value:
        raise BadQuery(_("a value is missing"), token.at, token.length)
    sign = token.text[compares : compares + width]
    return Term(field, (value,), token.negated, token.at, token.length, sign)


def _made(token: Token, start: int, field: str) -> Term:
    """A term whose alternatives begin here; a word without a field is one, whatever is in it."""
    values, patterns = [], set()
    while True:
        comma = token.find(",", start) if field != "name" else -1
        end = comma if comma >= 0 else len(token.text)
        values.append(token.text[start:end])
        if 0 <= token.find("*", start) < end:
            patterns.add(values[-1])
        if comma < 0:
            break
        start = comma + 1
    if not all(values):
        raise BadQuery(_("a value is missing"), token.at, token.length)
    if field == "label" and not all(value.find("=") > 0 for value in values):
        raise BadQuery(_("write a label as key=value"), token.at, token.length)
    place = (token.negated, token.at, token.length)
    return Term(field, tuple(values), *place, patterns=frozenset(patterns))
