"""What was refused: each 403 of somebody who is signed in, equal ones of a minute told together.

404s are not told: what one may not see reads as what is not there, and such are legion.
"""

import hashlib
import logging
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from teams import audit
from teams.audit import context
from teams.models import User
from teams.roles import Action, Denied
from teams.trail import AuditEvent, DeniedTry, Named, Placed, Result

WINDOW = timedelta(minutes=1)
# So many different tries of one person within a minute are told one by one.
MOST_DIFFERENT = 50
MANY = "many"

# Stored in English; the pages translate them.
_LACKS = {
    Action.VIEW: gettext_noop("The right to see it is missing."),
    Action.OPERATE: gettext_noop("The right to operate it is missing."),
    Action.ADMIN: gettext_noop("The right to administer it is missing."),
}

_COUNT = """
INSERT INTO teams_deniedtry AS t (key, actor_id, until, again) VALUES (%s, %s, %s, 0)
ON CONFLICT (key) DO UPDATE SET again = t.again + 1
RETURNING again
"""

log = logging.getLogger(__name__)


def denied(by: User, action: str, path: str, error: object) -> None:
    """Tells that this was refused; a database that fails here makes nothing of it allowed."""
    try:
        with transaction.atomic():
            _denied(by, action, _target(path, error), _reason(error))
    except DatabaseError:
        log.exception("a denied try of %s was not recorded: %s", by.pk, action)


def _denied(by: User, action: str, target: Named, reason: str) -> None:
    token = context.current().told["token"]
    key = _key(by, token, action, target.type, target.id or target.name)
    if not DeniedTry.objects.filter(key=key).exists() and _is_flood(by):
        key, action, target = _key(by, MANY), MANY, Named("address", "", MANY)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [key, by.pk, timezone.now() + WINDOW])
        if cursor.fetchone()[0]:
            return
    event = audit.record(by, action, target, result=Result.DENIED, reason=reason)
    DeniedTry.objects.filter(key=key).update(event=event)


def tell_repeated() -> int:
    """Adds one line for all that came again within its minute; how many lines."""
    told = 0
    with transaction.atomic():
        over = DeniedTry.objects.filter(until__lt=timezone.now())
        rows = list(over.select_for_update(of=("self",), skip_locked=True)[:500])
        events = AuditEvent.objects.in_bulk([row.event_id for row in rows if row.again])
        for row in rows:
            first = events.get(row.event_id or 0)
            if first is not None:
                _again(first, row.again)
                told += 1
        DeniedTry.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return told


def _again(first: AuditEvent, times: int) -> None:
    """The first line once more, for so many tries after it."""
    values = {
        each.attname: getattr(first, each.attname)
        for each in AuditEvent._meta.concrete_fields
        if each.name not in {"id", "at", "seq", "previous", "hash", "count", "detail"}
    }
    AuditEvent.objects.create(**values, count=times, detail={"since": first.at.isoformat()})


def _is_flood(by: User) -> bool:
    return DeniedTry.objects.filter(actor_id=by.pk).count() >= MOST_DIFFERENT


def _key(by: User, *parts: str) -> str:
    return hashlib.sha256("\0".join([str(by.pk), *parts]).encode()).hexdigest()


def _target(path: str, error: object) -> Named:
    """The object that the person saw and may not do this to; else the address."""
    if not isinstance(error, Denied):
        return Named("address", "", path)
    found: Any = error.found
    named = Named(found._meta.label_lower, str(found.pk), str(found))
    return (
        Named(named.type, named.id, named.name, found.place) if isinstance(found, Placed) else named
    )


def _reason(error: object) -> str:
    if isinstance(error, Denied):
        return _LACKS[error.action]
    return str(error or "")
