"""The grammar of the typed query, the same wherever objects are searched.

    query   = { term }
    term    = [ "-" ] ( word | field ":" values | key "=" value )
    values  = value { "," value }

Terms stand between spaces and must all hold; `-` turns one around. A word is a part of the name.
The values of a field are alternatives, so are several terms of one field that are not negated
(of labels: of one key). Double quotes keep spaces and take the meaning from `-`, `:`, `=` and
`,` inside them: `image:nginx,redis -ns:kube-system app=web "odd name"`.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from explorer.filters.words import FIELDS

LONGEST = 1000
MOST_TERMS = 30


class BadQuery(Exception):
    """What cannot be read, and at which character, counted from 1; str() is safe to show."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(_("character %(at)d: %(message)s") % {"at": at, "message": message})
        self.at = at


@dataclass(frozen=True)
class Term:
    """One term: a field of `words.FIELDS`, its alternatives, and where it begins."""

    field: str
    values: tuple[str, ...]
    negated: bool = False
    at: int = 1


@dataclass
class _Token:
    """What stands between two spaces; `plain[i]` is False where character i stood in quotes."""

    at: int
    text: str = ""
    plain: tuple[bool, ...] = ()

    def add(self, character: str, plain: bool) -> None:
        self.text += character
        self.plain += (plain,)

    def find(self, sign: str, start: int = 0) -> int:
        """Where a sign outside quotes stands first, -1 for nowhere."""
        places = range(start, len(self.text))
        return next((i for i in places if self.text[i] == sign and self.plain[i]), -1)


def parse(query: str) -> list[Term]:
    """The terms of a query, none for an empty one. Raises BadQuery."""
    if len(query) > LONGEST:
        raise BadQuery(_("the query is too long"), LONGEST + 1)
    terms = [_term(token) for token in _tokens(query)]
    if len(terms) > MOST_TERMS:
        raise BadQuery(_("there are too many terms"), terms[MOST_TERMS].at)
    return terms


def quoted(value: str) -> str:
    """A value as it must be typed to be taken as it is. It may hold no double quote."""
    plain = value and not value.startswith("-") and not set(value) & set(' \t\n:=,"')
    return value if plain else f'"{value}"'


def _tokens(query: str) -> list[_Token]:
    tokens: list[_Token] = []
    current: _Token | None = None
    opened = 0
    for at, character in enumerate(query, 1):
        if character.isspace() and not opened:
            current = None
            continue
        if current is None:
            current = _Token(at)
            tokens.append(current)
        if character == '"':
            opened = 0 if opened else at
        else:
            current.add(character, plain=not opened)
    if opened:
        raise BadQuery(_("this double quote is never closed"), opened)
    return tokens


def _term(token: _Token) -> Term:
    negated = len(token.text) > 1 and token.find("-") == 0
    start = int(negated)
    colon, equals = token.find(":", start), token.find("=", start)
    if equals > 0 and not 0 <= colon < equals:
        return Term("label", _values(token, start, "label"), negated, token.at)
    if colon < 0:
        return Term("name", _values(token, start, "name"), negated, token.at)
    word = token.text[start:colon]
    field = FIELDS.get(word.lower())
    if field is None:
        raise BadQuery(_('there is no field "%(word)s"') % {"word": word[:50]}, token.at)
    return Term(field, _values(token, colon + 1, field), negated, token.at)


def _values(token: _Token, start: int, field: str) -> tuple[str, ...]:
    """The alternatives from here on; a word without a field is one, whatever stands in it."""
    values = []
    while field != "name" and (comma := token.find(",", start)) >= 0:
        values.append(token.text[start:comma])
        start = comma + 1
    values.append(token.text[start:])
    if not all(values):
        raise BadQuery(_("a value is missing"), token.at)
    if field == "label" and not all(value.find("=") > 0 for value in values):
        raise BadQuery(_("write a label as key=value"), token.at)
    return tuple(values)
