"""What a cause is: a sentence, what to do about it, and what says so."""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from clusters.kube.errors import safe_text

LONGEST_FACT = 300
LONGEST_EVIDENCE = 1000
MOST_EVIDENCE = 5
# What is read of a text from a cluster before it is looked through.
LONGEST_READ = 8000

# How telling a family of causes is: what stands first explains what comes after it.
DELETION, ENDED, NODE, PLACE, START, KILLED, CRASH, PROBE, WAITING, UNCLEAR = range(10)

Source = Literal["field", "condition", "container", "event", "answer"]


class Evidence(msgspec.Struct, frozen=True):
    """What said so: `place` is the path in the object or the event's reason, `text` the raw words.

    `since` and `at` are its first and newest time in seconds since 1970, 0 where it does not say;
    `times` is how often it was seen.
    """

    source: Source
    place: str
    text: str
    since: int = 0
    at: int = 0
    times: int = 1


class Saying(NamedTuple):
    """How one cause is told: a stable code, how telling it is, and its two sentences."""

    code: str
    rank: int
    words: str
    advice: str


class About(NamedTuple):
    """The object that a cause speaks of."""

    kind: str
    namespace: str
    name: str


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One cause. `words` and `advice` are what to translate, `facts` what fills them in.

    `container` is "" where the whole object is meant; `since` in seconds since 1970, 0 where
    nothing says since when. `rank`: the lower, the more telling. `pods` is of how many pods of a
    workload the same is true (of those looked at), 0 where no workload was asked about.
    """

    code: str
    kind: str
    namespace: str
    name: str
    container: str
    words: str
    advice: str
    facts: dict[str, str]
    since: int
    evidence: tuple[Evidence, ...]
    rank: int
    pods: int = 0

    @property
    def what(self) -> str:
        """What is wrong, in English."""
        return self.words % self.facts

    @property
    def todo(self) -> str:
        """What to do about it, in English."""
        return self.advice % self.facts


def evidence(
    source: Source, place: str, text: str, since: int = 0, at: int = 0, times: int = 1
) -> Evidence:
    """Evidence with its texts made harmless."""
    return Evidence(
        source, safe_text(place, 120), safe_text(text, LONGEST_EVIDENCE), since, at, times
    )


def cause(
    saying: Saying,
    about: About,
    said: Iterable[Evidence],
    /,
    *,
    container: str = "",
    **facts: object,
) -> Cause:
    """The cause that `saying` tells of `about`; it began with the first of the evidence."""
    kept = tuple(said)[:MOST_EVIDENCE]
    named = {"name": about.name, "container": container, **facts}
    return Cause(
        code=saying.code,
        kind=safe_text(about.kind, 63),
        namespace=safe_text(about.namespace, 63),
        name=safe_text(about.name, 253),
        container=safe_text(container, 63),
        words=saying.words,
        advice=saying.advice,
        facts={key: safe_text(str(value), LONGEST_FACT) for key, value in named.items()},
        since=min((each.since for each in kept if each.since), default=0),
        evidence=kept,
        rank=saying.rank,
    )


def first(table: Iterable[tuple[Saying, str]], text: str) -> Saying | None:
    """The first saying of the table whose pattern is found in the text, letters of any case."""
    read = text[:LONGEST_READ]
    for saying, pattern in table:
        if re.search(pattern, read, re.IGNORECASE):
            return saying
    return None
