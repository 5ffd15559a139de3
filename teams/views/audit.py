"""The audit trail: the list, one line with what it changed, and files of it."""

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from teams import access, audit, vault
from teams.audit import compared, forwarding, outcomes, replay, transcripts, written
from teams.filters import AuditFilter
from teams.models import AuditEvent
from teams.throttles import too_costly
from teams.trail import Named, Result
from teams.views import SignedInRequest, fragment, too_many_files

LIST = "teams/audit.html"
DETAIL = "teams/audit_event.html"
NEWER = "teams/audit_newer.html"
TRANSCRIPT = "teams/audit_transcript.html"
PAGE = 100
# More new rows than these are not counted.
MOST_NEWER = 100


@require_GET
def trail(request: SignedInRequest) -> HttpResponse:
    """What the person may read of it and asks for, newest first."""
    access.require_trail(request.user)
    wanted = AuditFilter.of(request.GET)
    rows, following = wanted.page(request.user, PAGE)
    admin = access.is_platform_admin(request.user)
    context = {
        "rows": rows,
        "lost": {pk for pk, end in outcomes.outcomes(rows).items() if end is None},
        "next": following,
        "filter": wanted,
        "results": Result.choices,
        "problems": [text for texts in wanted.problems.values() for text in texts],
        "newest": rows[0].pk if rows and wanted.after is None else None,
        "targets": forwarding.standing() if admin else (),
        "sees_all": admin,
    }
    more = request.htmx.target == "tr#more"
    return fragment(request, LIST, "rows" if more else "table", context)


@require_GET
def newer(request: SignedInRequest) -> HttpResponse:
    """How many matching rows came since the newest that the page shows (`?newest=`)."""
    access.require_trail(request.user)
    wanted = AuditFilter.of(request.GET)
    known = request.GET.get("newest", "")
    if not known.isdecimal() or len(known) > 18:
        raise Http404
    rows = wanted.rows(request.user).filter(pk__gt=int(known))
    return render(request, NEWER, {"newer": rows[:MOST_NEWER].count(), "most": MOST_NEWER})


@require_GET
def event(request: SignedInRequest, pk: int) -> HttpResponse:
    access.require_trail(request.user)
    found = access.get_or_404(request.user, AuditEvent, pk)
    ends = outcomes.outcomes([found])
    context = {
        "event": found,
        "lost": None in ends.values(),
        "outcome": ends.get(found.pk),
        "begin": outcomes.begin_of(found),
        "transcript": transcripts.begin(found),
        "changes": compared.differences(found.before, found.after),
        "details": compared.flat(found.detail).items(),
    }
    return fragment(request, DETAIL, "drawer", context)


@require_GET
def transcript(request: SignedInRequest, pk: int) -> HttpResponse:
    """What a shell showed, as far as it is stored; that it was read stands in the trail."""
    begun = _shell(request, pk)
    end = outcomes.outcomes([begun]).get(begun.pk)
    facts = AuditEvent.objects.get(pk=end).detail.get(transcripts.FACTS) if end else None
    context = {"event": begun, "is_over": end is not None, "facts": facts}
    try:
        plain = transcripts.opened(begun, by=request.user)
    except vault.CannotOpen as error:
        context["problem"] = str(error)
    else:
        context["replay"] = replay.replay(plain)
    return render(request, TRANSCRIPT, context)


@require_GET
def cast(request: SignedInRequest, pk: int) -> HttpResponse:
    """The same as a file for players of terminals: the bytes of which the trail has the hash."""
    begun = _shell(request, pk)
    try:
        plain = transcripts.opened(begun, by=request.user)
    except vault.CannotOpen as error:
        raise Http404 from error
    return written.cast(plain, begun)


def _shell(request: SignedInRequest, pk: int) -> AuditEvent:
    """The begin of the shell of which this line tells. Raises PermissionDenied and Http404."""
    access.require_trail(request.user)
    begun = transcripts.begin(access.get_or_404(request.user, AuditEvent, pk))
    if begun is None:
        raise Http404
    return access.get_or_404(request.user, AuditEvent, begun)


@require_GET
def export(request: SignedInRequest, form: str) -> HttpResponseBase:
    """A file of all rows that match; that it was taken stands in the trail, too.

    As costly as by the API, and counted with what the person takes there.
    """
    access.require_trail(request.user)
    if (wait := too_costly(request)) is not None:
        return too_many_files(request, wait)
    wanted = AuditFilter.of(request.GET)
    if wanted.problems:
        raise Http404
    audit.record(request.user, "audit.export", Named("audit", form, form), asked=wanted.given)
    return written.answer(wanted.rows(request.user), form)
