"""What is asked of the audit trail: read from an address, and what it means for rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from teams import access
from teams.access import Who
from teams.roles import Action
from teams.trail import AuditEvent, Result

LONGEST = 200
# A number as PostgreSQL's bigint has it, of digits only.
_DIGITS = 18

# What each parameter asks of the rows; "*" at the end of a text stands for any rest.
_TEXTS: dict[str, str] = {
    "who": "actor_name",
    "action": "action",
    "object": "object_name",
    "type": "object_type",
    "id": "object_id",
    "cluster": "cluster",
    "namespace": "namespace",
    "token": "token",
    "address": "address",
    "request": "request_id",
}
PARAMETERS = (*_TEXTS, "result", "since", "until", "q")
_SEARCHED = ("actor_name", "action", "object_name", "reason", "cluster", "namespace", "token")


@dataclass(frozen=True)
class AuditFilter:
    """Conditions that must all hold, and after which row to go on.

    `given` is what the address says; `problems` what could not be read, by parameter: the API
    refuses it, a page says so and goes on without.
    """

    conditions: Q = field(default_factory=Q)
    given: dict[str, str] = field(default_factory=dict)
    after: int | None = None
    problems: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, query: QueryDict) -> "AuditFilter":
        given = {name: text for name in PARAMETERS if (text := query.get(name, "").strip())}
        problems: dict[str, list[str]] = {}
        conditions = Q()
        for name, text in given.items():
            try:
                conditions &= _condition(name, text)
            except ValueError as error:
                problems[name] = [str(error)]
        after = query.get("after") or query.get("cursor") or ""
        if after and not _is_number(after):
            problems["cursor"] = [_("This is no cursor of this list.")]
        number = int(after) if _is_number(after) else None
        return cls(conditions, given, number, problems)

    @property
    def narrows(self) -> bool:
        return bool(self.given)

    @property
    def rarer(self) -> list[tuple[str, str]]:
        """What is given for parameters that have no field of their own on the page."""
        fields = {"q", "who", "action", "object", "cluster", "result", "since", "until"}
        return [(name, text) for name, text in self.given.items() if name not in fields]

    def rows(self, who: Who) -> QuerySet[AuditEvent]:
        """What matches and may be read by the person, newest first, without regard to `after`."""
        found = access.visible(who, AuditEvent, Action.ADMIN)
        return found.filter(self.conditions).order_by("-pk")

    def page(self, who: Who, size: int) -> tuple[list[AuditEvent], str | None]:
        """A page of the rows, and the cursor of the next one."""
        rows = self.rows(who)
        if self.after is not None:
            rows = rows.filter(pk__lt=self.after)
        found = list(rows[: size + 1])
        more = len(found) > size
        return found[:size], str(found[size - 1].pk) if more else None


def _condition(name: str, text: str) -> Q:
    """Raises ValueError with words for the reader."""
    if len(text) > LONGEST or "\0" in text:
        raise ValueError(_("At most %(most)d characters.") % {"most": LONGEST})
    return _READ[name](name, text)


def _text(name: str, text: str) -> Q:
    column = _TEXTS[name]
    if text.endswith("*"):
        return Q(**{f"{column}__startswith": text[:-1]})
    return Q(**{column: text})


def _address(_name: str, text: str) -> Q:
    # As text: an address that is none would be refused by PostgreSQL.
    return (
        Q(address__startswith=text.rstrip("*")) if text.endswith("*") else Q(address__iexact=text)
    )


def _result(_name: str, text: str) -> Q:
    if text not in Result.values:
        raise ValueError(_("Choose one of: %(values)s.") % {"values": ", ".join(Result.values)})
    return Q(result=text)


def _since(_name: str, text: str) -> Q:
    return Q(at__gte=_moment(text, time.min))


def _until(_name: str, text: str) -> Q:
    return Q(at__lte=_moment(text, time.max))


def _search(_name: str, text: str) -> Q:
    condition = Q()
    for column in _SEARCHED:
        condition |= Q(**{f"{column}__icontains": text})
    return condition


_READ: dict[str, Callable[[str, str], Q]] = {
    **dict.fromkeys(_TEXTS, _text),
    "address": _address,
    "result": _result,
    "since": _since,
    "until": _until,
    "q": _search,
}


def _moment(text: str, of_day: time) -> datetime:
    """A day, which begins or ends in the reader's time zone, or a day and time."""
    wrong = _("Give a day as 2026-01-31, or a time as 2026-01-31T12:00.")
    try:
        day, moment = parse_date(text), None if len(text) < 11 else parse_datetime(text)
    except ValueError as error:
        raise ValueError(wrong) from error
    if moment is None and day is not None:
        moment = datetime.combine(day, of_day)
    if moment is None:
        raise ValueError(wrong)
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS
