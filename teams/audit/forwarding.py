"""Sends the sealed lines of the trail to a syslog server or a webhook, in order, by tasks only.

How far each target is stands in a row: what it did not take is sent again, later and later, until
it does; a request never waits for it. Each line is sent at least once, and known by its `seq`.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from teams.clients import syslog, webhook
from teams.clients.errors import Undelivered
from teams.trail import AuditEvent, AuditForward

# Lines sent at once, and batches in one turn.
BATCH = 200
TURNS = 10
# Nobody sends longer than this; then another worker may.
CLAIM = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(minutes=5)

log = logging.getLogger(__name__)
Line = dict[str, Any]


def targets() -> dict[str, Callable[[Sequence[Line]], None]]:
    """What the settings name: how to send lines there. Each raises Undelivered."""
    found: dict[str, Callable[[Sequence[Line]], None]] = {}
    if (server := settings.AUDIT.syslog) is not None:
        found["syslog"] = lambda lines: syslog.send(server, lines)
    if (hook := settings.AUDIT.webhook) is not None:
        found["webhook"] = lambda lines: webhook.send(hook, lines)
    return found


def taken() -> list[int]:
    """Up to where each target of the settings has the trail."""
    known = dict(AuditForward.objects.values_list("target", "seq"))
    return [known.get(name, 0) for name in targets()]


def forward() -> int:
    """Sends what the targets lack; how many lines were taken."""
    return sum(_forward(name, send) for name, send in targets().items())


def standing() -> list[tuple[AuditForward, int]]:
    """Each target of the settings, and how many lines it lacks."""
    rows = AuditForward.objects.in_bulk()
    found = [rows.get(name) or AuditForward(target=name) for name in targets()]
    return [(row, AuditEvent.objects.filter(seq__gt=row.seq).count()) for row in found]


def _forward(name: str, send: Callable[[Sequence[Line]], None]) -> int:
    row = _claim(name)
    if row is None:
        return 0
    sent = 0
    mine = AuditForward.objects.filter(pk=name, claimed_until=row.claimed_until)
    try:
        for _turn in range(TURNS):
            rows = AuditEvent.objects.filter(seq__gt=row.seq).order_by("seq")[:BATCH]
            lines = [line(each) for each in rows]
            if not lines:
                break
            send(lines)
            row.seq = lines[-1]["seq"]
            now = timezone.now()
            if not mine.update(seq=row.seq, sent_at=now, failures=0, error="", next_try=None):
                return sent  # it took so long that another worker sends by now
            sent += len(lines)
    except Undelivered as error:
        pause = min(timedelta(seconds=2 ** min(row.failures + 1, 9)), LONGEST_PAUSE)
        log.warning("the audit trail is not forwarded to %s: %s", name, error)
        told = {"error": str(error)[:300], "next_try": timezone.now() + pause}
        mine.update(failures=row.failures + 1, **told)
    finally:
        mine.update(claimed_until=None)
    return sent


def _claim(name: str) -> AuditForward | None:
    """The target's row, if nobody else sends and no pause is on."""
    AuditForward.objects.get_or_create(pk=name)
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    due = Q(next_try=None) | Q(next_try__lte=now)
    waiting = AuditEvent.objects.filter(seq__isnull=False).order_by("-seq").values("seq")[:1]
    rows = AuditForward.objects.filter(free, due, pk=name, seq__lt=waiting)
    if not rows.update(claimed_until=now + CLAIM):
        return None
    return AuditForward.objects.get(pk=name)


def line(event: AuditEvent) -> Line:
    """A line as it is exported and forwarded."""
    return {
        "id": event.pk,
        "seq": event.seq,
        "at": event.at.isoformat(),
        "who": event.actor_name,
        "token": event.token,
        "via": event.via,
        "address": event.address,
        "userAgent": event.user_agent,
        "requestId": event.request_id,
        "action": event.action,
        "result": event.result,
        "reason": event.reason,
        "count": event.count,
        "objectType": event.object_type,
        "objectId": event.object_id,
        "object": event.object_name,
        "cluster": event.cluster,
        "namespace": event.namespace,
        "detail": event.detail,
        "before": event.before,
        "after": event.after,
        "previous": event.previous,
        "hash": event.hash,
    }
