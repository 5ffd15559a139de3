"""Results that are kept, of keys that a hostile cluster chooses."""

from collections.abc import Callable, Iterable, Sized
from functools import lru_cache, wraps
from typing import TypeVar, TypeVarTuple

# What an API server lets through is shorter. Longer keys could fill the memory, thousands of them
# as large as an answer may be.
LARGEST_KEY = 2048

Ts = TypeVarTuple("Ts")
T = TypeVar("T")


def cached(
    most: int, size: Callable[..., int]
) -> Callable[[Callable[[*Ts], T]], Callable[[*Ts], T]]:
    """As lru_cache with room for `most` results, but what is too large is worked out each time."""

    def decorate(function: Callable[[*Ts], T]) -> Callable[[*Ts], T]:
        kept = lru_cache(most)(function)

        @wraps(function)
        def call(*args: *Ts) -> T:
            if size(*args) > LARGEST_KEY:
                return function(*args)
            return kept(*args)

        return call

    return decorate


def total(parts: Iterable[Sized]) -> int:
    """The length of all parts together."""
    return sum(map(len, parts))
