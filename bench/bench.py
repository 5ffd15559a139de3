"""What every row is given: a folder, sizes, rounds, and somebody to tell how far it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bench:
    """`scale` is 1 for the sizes of the table of goals; smaller for a quick look."""

    folder: Path
    scale: float
    rounds: int
    say: Callable[[str], None]

    def size(self, full: int, least: int = 1) -> int:
        """A size of the table, as this run has it."""
        return max(least, round(full * self.scale))

    def seconds(self, full: float) -> float:
        """How long to measure: shorter in a quick look, never less than two seconds."""
        return max(2.0, full * min(1.0, self.scale * 4))

    def each_round(self, what: str) -> Iterator[int]:
        """The numbers of the rounds; in each, all contestants take their turn."""
        for number in range(self.rounds):
            self.say(f"{what}: round {number + 1} of {self.rounds}")
            yield number
