"""Results that are kept, of keys that a hostile cluster chooses."""

from collections.abc import Callable, Iterable, Sized
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

# What an API server lets through is shorter. Longer keys could fill the memory, thousands of them
# as large as an answer may be.
LARGEST_KEY = 2048

P = ParamSpec("P")
T = TypeVar("T")


def cached(most: int, size: Callable[..., int]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """As lru_cache with room for `most` results, but what is too large is worked out each time."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        kept = lru_cache(most)(function)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            if size(*args, **kwargs) > LARGEST_KEY:
                return function(*args, **kwargs)
            return kept(*args, **kwargs)  # type: ignore[arg-type]

        return call

    return decorate


def total(parts: Iterable[Sized]) -> int:
    """The length of all parts together."""
    return sum(map(len, parts))
