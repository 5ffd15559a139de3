"""What was measured, and RESULTS.md made of it."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.machine import load_average


@dataclass
class Samples:
    """Figures of contestants, round by round."""

    _values: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, who: str, **figures: float) -> None:
        """One round of one contestant. A figure's name ends in its unit: `wall_s`, `peak_mb`."""
        for name, value in figures.items():
            self._values.setdefault((who, name), []).append(value)

    def median(self, who: str, figure: str) -> float:
        """The median of its rounds."""
        return statistics.median(self._values[who, figure])

    def ratio(self, who: str, other: str, figure: str) -> float:
        """The median of the ratios of each round: noise of the machine hits both of a pair."""
        pairs = zip(self._values[who, figure], self._values[other, figure], strict=True)
        return statistics.median(one / two if two else float("inf") for one, two in pairs)

    def table(self, title: str) -> "Table":
        """All of it: raw, minimum, median, maximum."""
        lines = [
            [who, name.replace("_", " "), ", ".join(map(figure, values)),
             figure(min(values)), figure(statistics.median(values)), figure(max(values))]
            for (who, name), values in self._values.items()
        ]  # fmt: skip
        return Table(title, ["who", "figure", "rounds", "min", "median", "max"], lines)


@dataclass(frozen=True)
class Table:
    """Cells are texts."""

    title: str
    head: Sequence[str]
    lines: Sequence[Sequence[str]]

    def text(self) -> str:
        """As Markdown."""
        rows = [self.head, ["---"] * len(self.head), *self.lines]
        return f"{self.title}:\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


@dataclass(frozen=True)
class Verdict:
    """One goal: what must be, what was measured, and whether that is enough."""

    must: str
    measured: str
    met: bool

    @property
    def word(self) -> str:
        """How the results call it."""
        return "met" if self.met else "**MISSED**"


@dataclass
class Result:
    """One row of the table of goals."""

    row: str
    title: str
    method: str
    tables: list[Table] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    load: str = field(default_factory=load_average)
    seconds: float = 0.0
    failure: str = ""

    def at_most(self, must: str, value: float, limit: float, unit: str) -> None:
        """Judges a figure that must not be above `limit`."""
        self.verdicts.append(Verdict(must, f"{figure(value)} {unit}", value <= limit))

    def at_least(self, must: str, value: float, limit: float, unit: str) -> None:
        """Judges a figure that must not be below `limit`."""
        self.verdicts.append(Verdict(must, f"{figure(value)} {unit}", value >= limit))

    def text(self) -> str:
        """Its part of RESULTS.md."""
        parts = [f"## {self.row}: {self.title}", self.method]
        parts.append(f"Load average at the start {self.load}; took {self.seconds:.0f} s.")
        if self.failure:
            parts.append(f"**FAILED**, so nothing here may be relied on: {self.failure}")
        if self.verdicts:
            lines = [[verdict.must, verdict.measured, verdict.word] for verdict in self.verdicts]
            parts.append(Table("Goals", ["must", "measured", ""], lines).text())
        parts += [table.text() for table in self.tables]
        parts += [f"- {note}" for note in self.notes]
        return "\n\n".join(parts)


def figure(value: float) -> str:
    """Three digits that matter, more where they are before the point."""
    if not math.isfinite(value):
        return "none"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def document(head: Sequence[str], results: Sequence[Result]) -> str:
    """All of RESULTS.md."""
    lines = [
        [result.row, verdict.must, verdict.measured, verdict.word]
        for result in results
        for verdict in result.verdicts
    ]
    lines += [
        [result.row, "runs to its end", "", "**FAILED**"] for result in results if result.failure
    ]
    goals = Table("Goals", ["row", "must", "measured", ""], lines).text()
    parts = ["# Measured by `make bench`", "\n".join(f"- {line}" for line in head), goals]
    return "\n\n".join([*parts, *(result.text() for result in results)]) + "\n"
