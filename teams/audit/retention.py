"""Removes the oldest lines of the trail, if so set, and keeps what proves the rest."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from teams import audit
from teams.audit import chain, forwarding, transcripts
from teams.audit.chain import START, Point
from teams.trail import AuditEvent, Named

# Rows removed in one transaction.
BATCH = 2000


def sweep() -> int:
    """Removes the rows older than MCM_AUDIT_DAYS from the begin of the chain; how many.

    None that a target of forwarding has not taken yet. The anchor moves with them: the trigger of
    the table refuses to remove what the anchor does not cover. Transcripts go with the line of
    their begin.
    """
    if not settings.AUDIT.days:
        return 0
    limit = _limit(settings.AUDIT.days)
    removed = 0
    while some := _remove_some(limit):
        removed += some
    # Also what a shell still wrote of which the begin had gone before.
    transcripts.remove_old()
    if removed:
        days = settings.AUDIT.days
        audit.record(None, "audit.retention", Named("audit", "", "audit"), rows=removed, days=days)
    return removed


def _limit(days: int) -> int:
    """The last row that may go."""
    kept = AuditEvent.objects.filter(at__gte=timezone.now() - timedelta(days=days))
    first = kept.aggregate(seq=Min("seq"))["seq"]
    newest = chain.head().seq
    last = newest if first is None else first - 1
    return min([last, newest, *forwarding.taken()])


@transaction.atomic
def _remove_some(limit: int) -> int:
    chain.wait_for_lock()
    rows = AuditEvent.objects.filter(seq__lte=limit).order_by("seq")
    batch = list(rows.values_list("seq", "hash")[:BATCH])
    if not batch:
        return 0
    last = Point(batch[-1][0] or 0, batch[-1][1])
    chain.write_anchor(START, last)
    AuditEvent.objects.filter(seq__lte=last.seq)._raw_delete("default")
    return len(batch)
