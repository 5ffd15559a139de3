"""YAML that people write: documents of plain data, each field with its line, and no surprises.

Scalars are read as kubectl reads them (YAML 1.1), but for what it would not survive: dates stay
texts, and so do sexagesimal numbers.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import yaml

from clusters.kube.errors import KubeError, sentence

LARGEST = 1024 * 1024
MOST_DOCUMENTS = 200
DEEPEST = 60
LONGEST_FIELD, LONGEST_KEY = 1000, 320

TOO_LARGE = sentence("The text is larger than 1 MiB.")
TOO_MANY = sentence("There are more than 200 documents.")
INVALID = sentence("This is not valid YAML.")
ALIAS = sentence("Anchors and aliases are not accepted.")
TAG = sentence("Tags are not accepted.")
MERGE_KEY = sentence("Merge keys are not accepted.")
NO_TEXT_KEY = sentence("A key is not a plain text.")
TWICE = sentence("This key occurs twice.")
TOO_DEEP = sentence("It is nested too deeply.")
NOT_A_NUMBER = sentence("JSON knows no such number.")
NO_OBJECT = sentence("This is no object of Kubernetes: it has no apiVersion, kind and name.")
NAMELESS = sentence("It must be a plain text that is not empty.")
EMPTY = sentence("There is no object in the text.")

_NULL = re.compile(r"~|null|Null|NULL|\Z")
_BOOL = re.compile(r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF")
_INT = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?")
_ENDLESS = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TRUE = frozenset({"yes", "true", "on"})
# A number of JSON beyond this loses digits on its way.
_LARGEST_INT = 2**63


class Wrong(KubeError):
    """A place in the text that is not accepted; `line` counts from 1, 0 where it is not known.

    `reason` is a sentence to translate that quotes nothing of the text; `field` is the place in the
    object (`spec.containers[0].image`), `document` counts from 1.
    """

    code = "bad_yaml"

    def __init__(self, reason: str, line: int = 0, field: str = "", document: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.field = field
        self.document = document


class Document(NamedTuple):
    """One object: its data, the line on which it begins, and the line of each of its fields."""

    data: dict[str, Any]
    line: int
    lines: dict[str, int]
    number: int = 1

    def line_of(self, field: str) -> int:
        """The line of a field as Kubernetes names it, or of the nearest part that is written."""
        wanted = normal(field)
        while wanted:
            if wanted in self.lines:
                return self.lines[wanted]
            wanted = wanted[: max(wanted.rfind("."), wanted.rfind("["), 0)]
        return self.line


def normal(field: str) -> str:
    """A field in one form: `data[a.b]`, `data["a.b"]` and `data.a.b` are the same."""
    return re.sub(r"\[\"?([^\]\"]*)\"?\]", lambda m: _part(m[1]), field).lstrip(".")


def _part(inner: str) -> str:
    return f"[{inner}]" if inner.isdecimal() else f".{inner}"


def within(field: str, key: str | int) -> str:
    """A field inside of another. Bounded: of a key of a MiB each of its fields would be a copy."""
    if isinstance(key, int):
        return f"{field[:LONGEST_FIELD]}[{key}]"
    short = key[:LONGEST_KEY]
    return f"{field[:LONGEST_FIELD]}.{short}" if field else short


def load(text: str) -> list[Document]:
    """The objects in the text, in their order; empty documents are passed over. Raises Wrong."""
    if len(text.encode("utf-8", "replace")) > LARGEST:
        raise Wrong(TOO_LARGE)
    found: list[Document] = []
    number, problem = 0, None
    try:
        for made in _documents(text):
            number = made.number
            found.append(made)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = Wrong(INVALID, mark.line + 1 if mark else 0, "", number + 1)
    except (yaml.YAMLError, UnicodeError):
        problem = Wrong(INVALID, 0, "", number + 1)
    # Outside the handlers: the parser's own message quotes the text, and with it its secrets.
    if problem is not None:
        raise problem
    if not found:
        raise Wrong(EMPTY, 1)
    return found


def _documents(text: str) -> Iterator[Document]:
    number = 0
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            number += 1
            if number > MOST_DOCUMENTS:
                raise Wrong(TOO_MANY, _line(event), "", number)
            made = _Reader(events, number).document()
            if made is not None:
                yield made


def only(text: str) -> Document:
    """The one object in the text. Raises Wrong."""
    found = load(text)
    if len(found) > 1:
        raise Wrong(sentence("This is one object: leave one document."), found[1].line, "", 2)
    return found[0]


def _line(event: Any) -> int:
    """The line of an event, counted from 1."""
    return int(event.start_mark.line) + 1


class _Reader:
    """Reads one document from the parser's events."""

    def __init__(self, events: Iterator[Any], number: int) -> None:
        self._events = events
        self._number = number
        self._lines: dict[str, int] = {}

    def document(self) -> Document | None:
        event = next(self._events)
        line = _line(event)
        data = self._node(event, "", 0)
        if data is None:
            return None
        if not isinstance(data, dict):
            raise Wrong(NO_OBJECT, line, "", self._number)
        made = Document(data, line, self._lines, self._number)
        self._check(made)
        return made

    def _check(self, made: Document) -> None:
        metadata = made.data.get("metadata")
        for field, value in (
            ("apiVersion", made.data.get("apiVersion")),
            ("kind", made.data.get("kind")),
            ("metadata.name", metadata.get("name") if isinstance(metadata, dict) else None),
        ):
            if value is None:
                raise Wrong(NO_OBJECT, made.line_of(field), field, self._number)
            if not isinstance(value, str) or not value:
                raise Wrong(NAMELESS, made.line_of(field), field, self._number)

    def _wrong(self, reason: str, event: Any, field: str) -> Wrong:
        return Wrong(reason, _line(event), field, self._number)

    def _node(self, event: Any, field: str, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._wrong(ALIAS, event, field)
        if event.tag is not None:
            raise self._wrong(TAG, event, field)
        if depth > DEEPEST:
            raise self._wrong(TOO_DEEP, event, field)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(field, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(field, depth)
        if not event.implicit[0]:
            return event.value
        try:
            return scalar(event.value)
        except ValueError:
            raise self._wrong(NOT_A_NUMBER, event, field) from None

    def _mapping(self, field: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._wrong(NO_TEXT_KEY, event, field)
            key: str = event.value
            self._node(event, field, depth)
            if key == "<<":
                raise self._wrong(MERGE_KEY, event, field)
            inner = within(field, key)
            if key in found:
                raise self._wrong(TWICE, event, inner)
            self._lines.setdefault(inner, _line(event))
            found[key] = self._node(next(self._events), inner, depth + 1)
        return found

    def _sequence(self, field: str, depth: int) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            inner = within(field, len(found))
            self._lines.setdefault(inner, _line(event))
            found.append(self._node(event, inner, depth + 1))
        return found


def scalar(plain: str) -> Any:
    """What a scalar without quotes stands for; ValueError for what JSON cannot say."""
    if _NULL.fullmatch(plain):
        return None
    if _BOOL.fullmatch(plain):
        return plain.lower() in _TRUE
    if _INT.fullmatch(plain):
        return _integer(plain.replace("_", ""))
    if _FLOAT.fullmatch(plain):
        made = float(plain.replace("_", ""))
        if made in (float("inf"), float("-inf")):
            raise ValueError(plain)
        return made
    if _ENDLESS.fullmatch(plain):
        raise ValueError(plain)
    return plain


def _integer(plain: str) -> int:
    if len(plain) > 70:
        raise ValueError(plain)
    digits = plain.lstrip("+-").lower()
    if digits.startswith("0") and len(digits) > 1 and digits[1].isdecimal():
        digits = f"0o{digits[1:]}"
    made = int(digits, 0) * (-1 if plain.startswith("-") else 1)
    if not -_LARGEST_INT <= made < 2 * _LARGEST_INT:
        raise ValueError(plain)
    return made


def is_text(plain: str) -> bool:
    """Whether this text, written without quotes, is read as a text again."""
    try:
        return isinstance(scalar(plain), str)
    except ValueError:
        return False


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to JSON: 1 and true are not."""
    return msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")
