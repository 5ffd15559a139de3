"""Turns what a program writes into lines that are safe to store and show."""

import re
from collections import deque
from collections.abc import Callable
from typing import Final

LINE_LIMIT: Final = 4000
TOTAL_LIMIT: Final = 5 << 20
TAIL: Final = 200
_RAW_LIMIT: Final = LINE_LIMIT * 4  # bytes of one line that are kept while it comes
# CSI and OSC sequences, other escapes, then every control character but the tab; also the marks
# that turn text round on the page.
_CONTROL: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


def plain(text: str) -> str:
    """Return one line without escapes and control characters, cut at `LINE_LIMIT`."""
    text = _CONTROL.sub("", text)
    return text if len(text) <= LINE_LIMIT else text[: LINE_LIMIT - 1] + "…"


class Lines:
    """Takes bytes, gives whole lines to `on_line`, keeps the last ones.

    `fatal` is what the Go runtime said when it gave up (the trace that follows pushes it out of the
    tail).
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._rest = bytearray()
        self._total = 0
        self._tail: deque[str] = deque(maxlen=TAIL)
        self.fatal = ""

    def feed(self, data: bytes) -> None:
        """Take what came; a line is given on as soon as its end is there."""
        *whole, rest = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for part in whole:
            self._grow(part)
            self._give()
        self._grow(rest)

    def finish(self) -> None:
        """Give on the last line if it had no end."""
        if self._rest:
            self._give()

    def tail(self) -> tuple[str, ...]:
        """Return the last lines."""
        return tuple(self._tail)

    def _grow(self, part: bytes) -> None:
        self._rest += part[: max(0, _RAW_LIMIT - len(self._rest))]

    def _give(self) -> None:
        line = plain(self._rest.decode("utf-8", "replace"))
        self._rest.clear()
        self._tail.append(line)
        if line.startswith(("fatal error: ", "runtime: ")) and len(self.fatal) < LINE_LIMIT:
            self.fatal += line + "\n"
        if self._total > TOTAL_LIMIT:
            return
        self._total += len(line) + 1
        listener, self._on_line = self._on_line, _drop  # one that raises is not called again
        listener(line if self._total <= TOTAL_LIMIT else "(the rest of the output is cut)")
        self._on_line = listener


def _drop(_line: str) -> None:
    """Take a line and drop it."""


def lines_of(text: str) -> list[str]:
    """Split a text that is already here into lines fit to show."""
    return [plain(line) for line in text.splitlines()]
