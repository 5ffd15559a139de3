"""Settings of the terminals in the browser: how long one lasts, and how many there are."""

from typing import NamedTuple

from mcm import env


class Terminals(NamedTuple):
    """Seconds, and numbers in one web process."""

    idle: float
    longest: float
    per_person: int
    most: int


TERMINAL = Terminals(
    idle=env.integer("MCM_TERMINAL_IDLE_MINUTES", 15, least=1, most=24 * 60) * 60,
    longest=env.integer("MCM_TERMINAL_HOURS", 8, least=1, most=7 * 24) * 3600,
    per_person=env.integer("MCM_TERMINALS_PER_PERSON", 10, least=1, most=1000),
    most=env.integer("MCM_TERMINALS", 200, least=1, most=10_000),
)
