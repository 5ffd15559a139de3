"""One's own account: password, second factor, sign-ins, connected providers."""

from typing import Any

from allauth.account import views as allauth
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.socialaccount.internal.flows.connect import validate_disconnect
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from teams import access, accounts
from teams.confirmation import confirmed
from teams.models import User
from teams.views import SignedInRequest, form_page, go
from teams.views.signin import Telling, enrol, secret_to_scan

BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
            ("Safari", "Safari"), ("curl", "curl"))  # fmt: skip
SYSTEMS = (("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
           ("Mac OS", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


def device(agent: str) -> str:
    """Browser and system, as far as the browser tells them: enough to know one's own."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return " · ".join(filter(None, (browser, system))) or agent[:60] or _("unknown")


@require_GET
def account(request: SignedInRequest) -> HttpResponse:
    user = request.user
    sessions = UserSession.objects.purge_and_list(user)
    sessions.sort(key=lambda row: row.last_seen_at, reverse=True)
    connected = {row.provider: row for row in SocialAccount.objects.filter(user=user)}
    app = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    kept = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    context = {
        "sessions": [(row, device(row.user_agent), row.is_current()) for row in sessions],
        "app": app,
        "codes_left": len(kept.wrap().get_unused_codes()) if kept else 0,
        "must_have": accounts.must_have_second_factor(user),
        "providers": [
            (key, name, connected.get(key)) for key, name in accounts.providers().items()
        ],
    }
    return render(request, "account/account.html", context)


class Password(Telling, allauth.PasswordChangeView):  # type: ignore[misc]  # untyped
    """A new password ends all other sign-ins."""

    template_name = "account/password.html"
    success_url = reverse_lazy("account")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_usable_password():
            raise PermissionDenied(_("Your account signs in by its provider and has no password."))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        accounts.password_changed(self.request.user)
        messages.success(self.request, _("Your password is changed; all other sign-ins ended."))
        return response


@method_decorator(confirmed, name="dispatch")
class Activate(Telling, totp.ActivateTOTPView):  # type: ignore[misc]  # untyped
    template_name = "account/second_factor.html"

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if accounts.has_second_factor(request.user):
            return redirect("account")
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**kwargs)
        return found | secret_to_scan(self.request.user, found["form"].secret)

    def form_valid(self, form: Any) -> HttpResponse:
        enrol(self.request, self.request.user, form.secret)
        return redirect("recovery-codes")


@require_http_methods(["GET", "POST"])
@confirmed
def deactivate(request: SignedInRequest) -> HttpResponse:
    if not accounts.has_second_factor(request.user):
        raise Http404
    if accounts.must_have_second_factor(request.user):
        raise PermissionDenied(_("Your account must have a second factor."))
    if request.method == "POST":
        accounts.remove_second_factor(request.user, by=request.user)
        messages.success(request, _("The second factor is off."))
        return go(request, reverse("account"))
    return form_page(request, "account/deactivate.html", {}, invalid=False)


@method_decorator(confirmed, name="dispatch")
class RecoveryCodes(codes.ViewRecoveryCodesView):  # type: ignore[misc]  # untyped
    """The codes, once."""

    template_name = "account/recovery_codes.html"


@require_http_methods(["GET", "POST"])
@confirmed
def renew_codes(request: SignedInRequest) -> HttpResponse:
    if not accounts.has_second_factor(request.user):
        raise Http404
    if request.method == "POST":
        accounts.renew_recovery_codes(request.user, by=request.user)
        return go(request, reverse("recovery-codes"))
    return form_page(request, "account/renew_codes.html", {}, invalid=False)


@require_POST
def end_session(request: SignedInRequest, pk: int) -> HttpResponse:
    row = UserSession.objects.filter(pk=pk, user=request.user).first()
    if row is None:
        raise Http404
    accounts.end_session(row, by=request.user)
    return redirect("account")


@require_http_methods(["GET", "POST"])
def end_all_sessions(request: SignedInRequest) -> HttpResponse:
    """Everywhere, here too."""
    if request.method == "POST":
        accounts.end_all_sessions(request.user, by=request.user)
        return go(request, reverse("login"))
    return form_page(request, "account/end_sessions.html", {"person": None}, invalid=False)


@require_http_methods(["GET", "POST"])
@confirmed
def disconnect(request: SignedInRequest, provider_id: str) -> HttpResponse:
    """One signs in by this provider no longer; refused where there is no other way."""
    row = SocialAccount.objects.filter(provider=provider_id, user=request.user).first()
    if row is None:
        raise Http404
    error = ""
    if request.method == "POST":
        try:
            validate_disconnect(request, row)
        except ValidationError:
            error = _("There would be no way left to sign in. Ask for a password first.")
        else:
            accounts.disconnect(row, by=request.user)
            return go(request, reverse("account"))
    name = accounts.providers().get(provider_id, provider_id)
    context = {"name": name, "provider_id": provider_id, "error": error}
    return form_page(request, "account/disconnect.html", context, invalid=bool(error))


def _person(request: SignedInRequest, pk: int) -> User:
    """A person whom a platform admin looks at; oneself is only seen."""
    found = access.person_or_404(request.user, pk)
    access.require_platform_admin(request.user)
    return found


@require_http_methods(["GET", "POST"])
@confirmed
def reset_person(request: SignedInRequest, pk: int) -> HttpResponse:
    """Takes the second factor from who has lost it."""
    person = _person(request, pk)
    if request.method == "POST":
        accounts.remove_second_factor(person, by=request.user)
        text = _("%(who)s has no second factor now, and is signed out.")
        messages.success(request, text % {"who": person})
        return go(request, reverse("person", args=[pk]))
    return form_page(request, "account/reset.html", {"person": person}, invalid=False)


@require_http_methods(["GET", "POST"])
def end_person(request: SignedInRequest, pk: int) -> HttpResponse:
    """Signs a person out everywhere."""
    person = _person(request, pk)
    if request.method == "POST":
        accounts.end_all_sessions(person, by=request.user)
        messages.success(request, _("%(who)s is signed out everywhere.") % {"who": person})
        return go(request, reverse("person", args=[pk]))
    return form_page(request, "account/end_sessions.html", {"person": person}, invalid=False)
