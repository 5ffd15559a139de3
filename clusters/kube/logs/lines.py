"""Bytes of a log as lines that are safe to show, each with its moment.

What a container writes is hostile: of its control sequences only colours (SGR) are kept, all other
control characters become visible signs, and no line is longer than LONGEST.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

# Characters of a line; what follows is counted and left out.
LONGEST = 16 * 1024

_MOMENT = re.compile(
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)(?: |\Z)", re.ASCII
)
# C0 but tab, DEL, C1, and what turns the direction of text or ends a line elsewhere.
_UNSAFE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
_SEQUENCE = re.compile(
    "(?P<colour>\x1b\\[[0-9;:]{0,40}m)"
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: cursor, erase, …
    "|(?:\x1b\\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"  # OSC: titles, links
    "|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\\\|\x9c)?"  # DCS, SOS, PM, APC
    "|\x1b[ -/]*[0-~]"
)
_COLOUR = re.compile("\x1b\\[[0-9;:]{0,40}m")


class Line(NamedTuple):
    """A line; `at` is UTC in nanoseconds, "2026-01-31T12:00:00.123456789Z", so that it sorts as
    text, "" where the log tells none. `note` marks what is told about the log, and is not of it.
    """

    at: str
    text: str
    note: str = ""


def safe(text: str) -> str:
    """The text with nothing left in it that steers a terminal or a page, but for colours."""
    if _UNSAFE.search(text) is None:
        return text
    parts, done = [], 0
    for found in _SEQUENCE.finditer(text):
        parts.append(_UNSAFE.sub(_sign, text[done : found.start()]))
        parts.append(found["colour"] or "")
        done = found.end()
    parts.append(_UNSAFE.sub(_sign, text[done:]))
    return "".join(parts)


def plain(text: str) -> str:
    """What `safe` gave, without its colours."""
    return _COLOUR.sub("", text)


def _sign(found: re.Match[str]) -> str:
    """The visible picture of a control character."""
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


class Splitter:
    """Cuts what comes in into lines."""

    def __init__(self) -> None:
        self._rest = b""
        # Bytes of the line under way that were left out.
        self._left_out = 0

    def feed(self, data: bytes) -> list[Line]:
        """The lines that are complete now."""
        *whole, rest = data.split(b"\n")
        if not whole:
            self._keep(data)
            return []
        first, *others = whole
        self._keep(first)
        lines = [self._line()]
        lines += [_read(each[:LONGEST], max(0, len(each) - LONGEST)) for each in others]
        self._keep(rest)
        return lines

    def end(self) -> list[Line]:
        """The last line, where the log ended within one."""
        return [self._line()] if self._rest else []

    def _keep(self, data: bytes) -> None:
        room = LONGEST - len(self._rest)
        self._rest += data[:room]
        self._left_out += max(0, len(data) - room)

    def _line(self) -> Line:
        line = _read(self._rest, self._left_out)
        self._rest, self._left_out = b"", 0
        return line


def _read(raw: bytes, left_out: int) -> Line:
    at, begins = _moment(raw)
    text = safe(raw[begins:].removesuffix(b"\r").decode("utf-8", "replace"))
    return Line(at, f"{text} … (+{left_out} B)" if left_out else text)


def _moment(raw: bytes) -> tuple[str, int]:
    """The moment at the begin of a line, and where its text begins."""
    found = _MOMENT.match(raw)
    if found is None:
        return "", 0
    second, fraction = found[1].decode(), (found[2] or b"").decode().ljust(9, "0")
    if found[3] != b"Z":
        try:
            there = datetime.fromisoformat(second + found[3].decode())
            second = there.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        except (ValueError, OverflowError):
            return "", 0
    return f"{second}.{fraction}Z", found.end()
