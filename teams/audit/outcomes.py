"""Which line tells how that ended of which another tells the begin."""

from collections.abc import Iterable

from teams.trail import AuditEvent, Result

_KEY = ("via", "request_id", "action", "pk")


def outcomes(rows: Iterable[AuditEvent]) -> dict[int, int | None]:
    """Of the lines among these that tell a begin: the keys of those that tell their outcome.

    None where there is none: it goes on still, or nobody lived to tell.
    """
    begun = [row for row in rows if row.result == Result.BEGUN]
    wanted = {row.request_id for row in begun if row.request_id}
    if not wanted:
        return {row.pk: None for row in begun}
    # The exclusion is what lets PostgreSQL take the index.
    later = AuditEvent.objects.filter(request_id__in=wanted).exclude(request_id="")
    ends = later.exclude(result=Result.BEGUN).order_by("-pk")
    # Of several the first.
    found = {(via, request, action): pk for via, request, action, pk in ends.values_list(*_KEY)}
    return {row.pk: found.get((row.via, row.request_id, row.action)) for row in begun}


def begin_of(row: AuditEvent) -> int | None:
    """The key of the line that told the begin of what this one tells the outcome of."""
    if row.result == Result.BEGUN or not row.request_id:
        return None
    same = AuditEvent.objects.filter(request_id=row.request_id).exclude(request_id="")
    begun = same.filter(via=row.via, action=row.action, result=Result.BEGUN, pk__lt=row.pk)
    return begun.order_by("pk").values_list("pk", flat=True).first()
