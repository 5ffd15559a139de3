"""Results that are kept, of keys that a hostile cluster chooses."""

from collections.abc import Callable, Iterable, Sized
from typing import Any, TypeVar

# What an API server lets through is shorter. Longer keys could fill the memory, thousands of them
# as large as an answer may be.
LARGEST_KEY = 2048

K = TypeVar("K")
T = TypeVar("T")


class _Kept(dict[K, T]):
    def __init__(self, function: Callable[[K], T], most: int, size: Callable[[Any], int]) -> None:
        super().__init__()
        self._function = function
        self._most = most
        self._size = size

    def __missing__(self, key: K) -> T:
        made = self._function(key)
        if self._size(key) <= LARGEST_KEY:
            if len(self) >= self._most:
                self.clear()
            self[key] = made
        return made


def cached(most: int, size: Callable[[Any], int]) -> Callable[[Callable[[K], T]], Callable[[K], T]]:
    """Keeps the results of a function of one argument, all of them until there are `most`.

    What is too large by `size` is worked out each time. A kept result costs 0.1 µs, with an
    lru_cache behind a look at the size it costs 0.7 µs, and decoding a pod asks for a dozen.
    """
    return lambda function: _Kept(function, most, size).__getitem__


def total(parts: Iterable[Sized]) -> int:
    """The length of all parts together."""
    return sum(map(len, parts))
