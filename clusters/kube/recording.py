"""What a shell shows while it streams, written down as an asciicast that any player can replay.

Format: https://docs.asciinema.org/manual/asciicast/v2/. Kept is what the pod wrote and the size of
the terminal, never what was typed: with a terminal the echo shows of it what was meant to be shown,
and passwords are typed without one; without a terminal it may be any file, and is counted.
"""

import binascii
import codecs
import hashlib
import time
from collections import deque
from collections.abc import Sequence

import msgspec

# Of a transcript; of what follows only the number of bytes is known.
LONGEST = 1024 * 1024
# So much of it is kept in one row.
LARGEST_PIECE = 256 * 1024
# A message is written down in parts of so many bytes, so that little of one is lost at the cut.
PART = 16 * 1024
STDIN, STDOUT, STDERR, RESIZE = 0, 1, 2, 4


class _Size(msgspec.Struct):
    """As kubectl tells it; Kubernetes knows no larger ones."""

    width: int = msgspec.field(name="Width")
    height: int = msgspec.field(name="Height")


class Recording:
    """A transcript that grows by the messages of both directions, whole as they passed.

    `take` gives its next pieces to be stored; what is stored already is not held.
    """

    def __init__(self, protocol: str, *, has_terminal: bool, at: float) -> None:
        """`protocol` is what was agreed on, `at` the moment in seconds since 1970."""
        self._is_base64 = "base64" in protocol
        self._has_terminal = has_terminal
        self._began = time.monotonic()
        self._digest = hashlib.sha256()
        self._pieces: deque[bytes] = deque()
        self._newest = bytearray()
        # Each stream may break a character at the end of a message.
        make = codecs.getincrementaldecoder("utf-8")
        self._decoders = {each: make(errors="replace") for each in (STDOUT, STDERR)}
        # Bytes of the transcript, of output that came after it was full, and of input without a
        # terminal.
        self.size = 0
        self.cut = 0
        self.typed = 0
        # Until the first resize nobody knows the size; a player takes it from there.
        self._add({"version": 2, "width": 80, "height": 24, "timestamp": int(at)})

    @property
    def sha256(self) -> str:
        """Of all that was written down."""
        return self._digest.hexdigest()

    def from_pod(self, message: bytes | str) -> None:
        """A message of the API server. Never raises."""
        channel, body = self._read(message)
        if channel not in self._decoders:
            return
        if self.cut:
            self.cut += len(body)
            return
        at = self._seconds()
        for start in range(0, len(body), PART):
            self._show(channel, at, body[start : start + PART])

    def from_person(self, message: bytes | str) -> None:
        """A message of the person. Never raises."""
        channel, body = self._read(message)
        if channel == STDIN and not self._has_terminal:
            self.typed += len(body)
        elif channel == RESIZE and not self.cut:
            try:
                size = msgspec.json.decode(body, type=_Size)
            except (msgspec.DecodeError, RecursionError):
                return
            if 0 < size.width < 2**16 and 0 < size.height < 2**16:
                self._add([self._seconds(), "r", f"{size.width}x{size.height}"])

    def end(self) -> None:
        """Nothing comes any more: what broke off within a character is shown as broken."""
        for channel in self._decoders:
            self._show(channel, self._seconds(), b"", final=True)

    def take(self) -> Sequence[bytes]:
        """What was written down since the last call, in pieces that are not empty."""
        if self._newest:
            self._pieces.append(bytes(self._newest))
            self._newest.clear()
        taken = list(self._pieces)
        self._pieces.clear()
        return taken

    def _show(self, channel: int, at: float, body: bytes, *, final: bool = False) -> None:
        text = self._decoders[channel].decode(body, final)
        # Once something is lost, all that follows is: no transcript has a hole.
        if self.cut or (text and not self._add([at, "o", text])):
            self.cut += len(body)

    def _add(self, event: object) -> bool:
        """Whether there was room for it."""
        line = msgspec.json.encode(event) + b"\n"
        if self.size + len(line) > LONGEST:
            return False
        self._digest.update(line)
        self.size += len(line)
        if self._newest and len(self._newest) + len(line) > LARGEST_PIECE:
            self._pieces.append(bytes(self._newest))
            self._newest.clear()
        self._newest += line
        return True

    def _seconds(self) -> float:
        return round(time.monotonic() - self._began, 3)

    def _read(self, message: bytes | str) -> tuple[int, bytes]:
        """The channel and what came by it; -1 for a message that is none."""
        data = message.encode(errors="replace") if isinstance(message, str) else message
        if not data:
            return -1, b""
        if not self._is_base64:
            return data[0], data[1:]
        try:
            return data[0] - ord("0"), binascii.a2b_base64(data[1:])
        except binascii.Error:
            # Nothing that passed is left out because it is written wrongly.
            return data[0] - ord("0"), data[1:]
