"""A transcript as lines to read: what a terminal would obey is taken out or made visible."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

# More are only in the file.
MOST_LINES = 5000
# A sequence that is longer is none that the begin of a next event would end.
LONGEST_SEQUENCE = 64

# Colours, cursors and modes (ECMA-48, control sequences): they say nothing.
_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
# The begin of one, or of a line break, that the next event may go on with.
_BROKEN = re.compile(r"(?:\x1b(?:\[[0-?]*[ -/]*)?|\r)\Z")
# All other control characters, and those that turn the direction of a text: each by a sign.
_SIGNS = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"},
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **{
        code: f"\\u{code:04x}"
        for code in (0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
    },
}


class Line(NamedTuple):
    """When it began to be shown, in seconds since the begin; a resize says the size instead."""

    seconds: float
    text: str
    size: str = ""

    @property
    def at(self) -> str:
        """As 1:02:03.4 or 2:03.4."""
        whole, tenths = divmod(round(self.seconds * 10), 10)
        hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
        start = f"{hours}:{minutes:02}" if hours else f"{minutes}"
        return f"{start}:{seconds:02}.{tenths}"


class Replay(NamedTuple):
    lines: list[Line]
    # There are more than these.
    is_more: bool


def replay(plain: bytes) -> Replay:
    """The begin of a transcript as lines, in bounds."""
    found: list[Line] = []
    for line in _lines(plain):
        if len(found) == MOST_LINES:
            return Replay(found, is_more=True)
        found.append(line)
    return Replay(found, is_more=False)


def harmless(text: str) -> str:
    """One line without sequences, every other control character by a sign."""
    return _SEQUENCE.sub("", text).translate(_SIGNS)


def _lines(plain: bytes) -> Iterator[Line]:
    # In parts: a line without an end may be as long as the transcript.
    line: list[str] = []
    began = 0.0
    for at, code, text in _mended(plain):
        if code == "r":
            if line:
                yield _line(began, line)
            yield Line(at, "", size=harmless(text))
            continue
        for n, part in enumerate(text.replace("\r\n", "\n").split("\n")):
            if n:
                yield _line(began, line)
            began = began if line else at
            if part:
                line.append(part)
    if line:
        yield _line(began, line)


def _mended(plain: bytes) -> Iterator[tuple[float, str, str]]:
    """The events, no sequence or line break spread over two of them."""
    at, broken = 0.0, ""
    for at, code, data in _events(plain):
        if code == "r":
            yield at, code, data
            continue
        text = broken + data
        found = _BROKEN.search(text, max(0, len(text) - LONGEST_SEQUENCE))
        broken = found.group() if found else ""
        yield at, code, text.removesuffix(broken)
    yield at, "o", broken


def _line(began: float, parts: list[str]) -> Line:
    """The line, whose parts are used up."""
    text = harmless("".join(parts))
    parts.clear()
    return Line(began, text)


def _events(plain: bytes) -> Iterator[tuple[float, str, str]]:
    for row in plain.splitlines()[1:]:
        event: Any = msgspec.json.decode(row)
        yield event[0], event[1], event[2]
