"""The logs that an address asks for: of which pods, and which part of them."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from explorer.collector import Options
from explorer.filters import amounts
from explorer.filters.criteria import PARAMETERS, ObjectFilter

# Of each container, where the address does not say.
TAIL = 200
MOST_TAIL = 10_000
# More objects than these are not asked about.
MOST_OBJECTS = 200
LONGEST_NAME = 253
EVERYTHING = "all"
# What chooses pods, beside objects.
CHOOSING = frozenset({*PARAMETERS, "env", "q"}) - {"kind"}


@dataclass(frozen=True)
class LogQuery:
    """`keys` name objects; without any, `wanted` filters pods. `problems` as of ObjectFilter."""

    keys: tuple[int, ...] = ()
    wanted: ObjectFilter | None = None
    options: Options = field(default_factory=Options)
    left_out: int = 0
    problems: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, query: QueryDict, *, follow: bool = True, tail: int | None = TAIL) -> Self:
        """`follow` and `tail` are what is meant where the address says nothing."""
        problems: dict[str, list[str]] = {}
        keys = _keys(query, problems)
        wanted = None
        if not keys and any(query.get(name) for name in CHOOSING):
            wanted = ObjectFilter.of(query, "Pod")
            problems |= wanted.problems
        options = _options(query, follow, tail, problems)
        left_out = max(0, len(keys) - MOST_OBJECTS)
        return cls(keys[:MOST_OBJECTS], wanted, options, left_out, problems)

    @property
    def asks(self) -> bool:
        """Whether it names any pods at all."""
        return bool(self.keys) or self.wanted is not None


def _keys(query: QueryDict, problems: dict[str, list[str]]) -> tuple[int, ...]:
    texts = [text for value in query.getlist("object") for text in value.split(",") if text]
    good = [text for text in texts if text.isascii() and text.isdecimal() and len(text) < 19]
    if len(good) < len(texts):
        problems["object"] = [_("Objects are named by their numbers, with commas between.")]
    return tuple(dict.fromkeys(map(int, good)))


def _options(
    query: QueryDict, follow: bool, tail: int | None, problems: dict[str, list[str]]
) -> Options:
    previous = _flag(query, "previous", problems, usual=False)
    since, sets_since = _since(query.get("since", ""), problems)
    if sets_since and tail is not None:
        tail = MOST_TAIL
    if text := query.get("tail", ""):
        if text.isascii() and text.isdecimal() and len(text) < 9:
            tail = int(text)
        else:
            problems["tail"] = [_("Give a number of lines.")]
    after = query.get("after", "")
    if after and not problems:
        since, tail = _moment(after), MOST_TAIL
    return Options(
        container=query.get("container", "")[:LONGEST_NAME],
        # What a container said before its last start goes on no more.
        follow=_flag(query, "follow", problems, usual=follow) and not previous,
        previous=previous,
        tail=tail,
        since=since,
    )


def _flag(query: QueryDict, name: str, problems: dict[str, list[str]], *, usual: bool) -> bool:
    text = query.get(name, "")
    if text not in {"", "0", "1", "false", "true"}:
        problems[name] = [_("Say true or false.")]
    return text in {"1", "true"} if text else usual


def _since(text: str, problems: dict[str, list[str]]) -> tuple[datetime | None, bool]:
    """The moment, and whether the address sets one ("all" sets none, and means all there is)."""
    if not text or text == EVERYTHING:
        return None, bool(text)
    if isinstance(span := amounts.read("since", text), timedelta):
        return timezone.now() - span, True
    if found := _moment(text):
        return found, True
    problems["since"] = [_("Give a time, or how long ago: 30s, 15m, 6h, 2d.")]
    return None, False


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    if found is None:
        return None
    return found if timezone.is_aware(found) else timezone.make_aware(found)
