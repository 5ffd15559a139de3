"""Secrets that a test plants, and the search for them in everything that MCM keeps and says."""

import base64
import re
import secrets
from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple
from urllib.parse import quote_plus

# What all secrets that are made here begin with: who looks for this finds any of them.
FIRST = "Pl4nted-here-"


def dresses(secret: str) -> tuple[bytes, ...]:
    """All ways in which a text is looked for: as it is, in an address, in hex, in base64.

    The latter within a longer text, wherever it begins, also in the letters for URLs and wrapped
    up twice. A number of few digits has no dress of which it could be told.
    """
    plain = secret.encode()
    if secret.isdigit():
        return (plain,)
    once = set(_in_base64(plain))
    twice = {inner for each in once for inner in _in_base64(each)}
    return tuple({plain, quote_plus(secret).encode(), plain.hex().encode()} | once | twice)


def _in_base64(plain: bytes) -> Iterator[bytes]:
    for before, letters in product(range(3), (None, b"-_")):
        coded = base64.b64encode(bytes(before) + plain, altchars=letters)
        # What also depends on the neighbours is left out at both ends.
        yield coded[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6]


class Found(NamedTuple):
    """A marker where none may be."""

    marker: str
    where: str
    around: str


class Markers:
    """The table of all that was planted: secrets by the name of the place where each was."""

    def __init__(self) -> None:
        self._made: dict[str, str] = {}
        self._known: dict[str, str] = {}

    def plant(self, name: str) -> str:
        """A new secret, fit for a password, a token and a value in YAML."""
        assert name not in self._made, name
        self._made[name] = FIRST + secrets.token_hex(12)
        return self._made[name]

    def knows(self, name: str, secret: str) -> str:
        """A secret that somebody else made."""
        assert len(secret) >= 8, name
        assert name not in self._known, name
        self._known[name] = secret
        return secret

    def secret(self, name: str) -> str:
        """One that was planted before."""
        return (self._made | self._known)[name]

    def __len__(self) -> int:
        return len(self._made) + len(self._known)

    def search(
        self, where: str, data: bytes, *, but: Iterable[str] = (), plain: bool = False
    ) -> list[Found]:
        """All markers in the data, but those that may be there; `plain`: known ones undressed."""
        wanted = dict(self._known)
        if any(needle in data for needle in _FIRST):
            wanted |= self._made
        found = []
        for name, secret in wanted.items():
            undressed = plain and name in self._known
            for needle in (secret.encode(),) if undressed else dresses(secret):
                if name not in but and (at := _place(needle, data)) >= 0:
                    around = data[max(0, at - 80) : at + len(needle) + 40]
                    found.append(Found(name, where, repr(around)))
                    break
        return found


_FIRST = dresses(FIRST)


def _place(needle: bytes, data: bytes) -> int:
    """Where it stands; one of digits only must not be a part of a longer number."""
    at = data.find(needle)
    while at >= 0 and needle.isdigit() and _is_part(data[max(0, at - 1) : at + len(needle) + 1]):
        at = data.find(needle, at + 1)
    return at


def _is_part(around: bytes) -> bool:
    return re.fullmatch(rb"[^0-9a-fA-F.]?\d{8}[^0-9a-fA-F]?", around) is None


def without_textareas(page: bytes) -> bytes:
    """A page without what stands in its form to be sent once more."""
    return re.sub(rb"(?s)(<textarea[^>]*>).*?(</textarea>)", rb"\1\2", page)
