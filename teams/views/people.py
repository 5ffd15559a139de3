"""What one person can do where, and why."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from teams import access, accounts, store
from teams.models import Grant
from teams.views import SignedInRequest

PERSON = "teams/person.html"


@require_GET
def person(request: SignedInRequest, pk: int) -> HttpResponse:
    """For oneself, and of everybody for platform admins."""
    found = access.person_or_404(request.user, pk)
    grants = Grant.objects.filter(team__members=found).select_related("team")
    scopes = store.scopes(grants)
    own = [holding for holding in store.holdings(grants) if holding.user == found]
    rows = [(scopes[holding.place], holding) for holding in own if holding.place in scopes]
    rows.sort(key=lambda row: str(row[0]))
    context = {
        "person": found,
        "rows": rows,
        "may_admin": access.is_platform_admin(request.user),
        "has_second_factor": accounts.has_second_factor(found),
        "sessions": accounts.session_count(found),
        "memberships": found.membership_set.select_related("team").order_by("team__name"),
    }
    return render(request, PERSON, context)
