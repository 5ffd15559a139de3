"""Signing in, step by step: password or provider, code, a second factor where one is needed."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests
from allauth.account import views as allauth
from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.stagekit import stash_login
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base import views as mfa
from allauth.mfa.totp.internal.auth import clear_totp_secret
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from django.views.generic import FormView

from teams import accounts, confirmation
from teams.adapters import EnrolStage
from teams.forms import ActivateForm
from teams.models import User


class Telling:
    """A form whose refusals have the status that they are: 429 for who failed too often."""

    request: Any

    def get_form(self, *args: Any) -> Form:
        """Labels say what the fields are, without the same words inside them."""
        form: Form = super().get_form(*args)  # type: ignore[misc]  # beside it
        for field in form.fields.values():
            field.widget.attrs.pop("placeholder", None)
        next(iter(form.fields.values())).widget.attrs["autofocus"] = True
        return form

    def form_invalid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]  # beside it
        errors = [error for found in form.errors.as_data().values() for error in found]
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY.value
        if any(error.code == accounts.LOCKED for error in errors):
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS.value
        return response


class SignIn(Telling, allauth.LoginView):  # type: ignore[misc]  # untyped
    template_name = "registration/login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**kwargs)
        next_url = get_next_redirect_url(self.request) or ""
        return found | {"next": next_url, "providers": accounts.providers()}


class Code(Telling, mfa.AuthenticateView):  # type: ignore[misc]  # untyped
    template_name = "registration/code.html"


@method_decorator(login_stage_required(EnrolStage.key, "account_login"), name="dispatch")
class Enrol(Telling, FormView):  # type: ignore[type-arg]  # takes no parameter at run time
    """Makes the second factor that an account must have, then shows the recovery codes once."""

    template_name = "registration/enrol.html"
    form_class = ActivateForm

    @property
    def stage(self) -> Any:
        return self.request._login_stage  # of the decorator

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"user": self.stage.login.user}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = super().get_context_data(**kwargs)
        return found | secret_to_scan(self.stage.login.user, found["form"].secret)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if accounts.has_second_factor(self.stage.login.user):
            return self._exit()
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if accounts.has_second_factor(self.stage.login.user):
            return self._exit()
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        user = self.stage.login.user
        enrol(self.request, user, form.secret)
        stash_login(self.request, self.stage.login)
        codes = accounts.recovery_codes(user)
        return self.render_to_response({"codes": codes, "user": self.request.user})

    def _exit(self) -> Any:
        if not accounts.proved_twice(self.request, self.stage.login.user):
            # Enrolled meanwhile in another browser: that second factor must be shown here.
            return self.stage.abort()
        return self.stage.exit()


def enrol(request: HttpRequest, user: User, secret: str) -> None:
    """Turns the second factor on, which was shown in this session with its first code."""
    made = accounts.enrol(user, secret, by=user)
    clear_totp_secret(request)
    record_authentication(request, user, "mfa", id=made.pk, type=made.type)


def secret_to_scan(user: Any, secret: str) -> dict[str, str]:
    """The picture for the app, and the secret to type where nothing can be scanned."""
    adapter = get_mfa_adapter()
    svg = adapter.build_totp_svg(adapter.build_totp_url(user, secret))
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return {"picture": f"data:image/svg+xml,{quote(svg)}", "secret": spaced}


class Confirming(Telling):
    """Who is it? Asked by `teams/confirmation.py`; on a page, or in a dialog before another one."""

    template_name = "registration/confirm.html"
    how: str

    def get_template_names(self) -> list[str]:
        return [f"{self.template_name}#form" if self.request.htmx else self.template_name]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return found | {"next": get_next_redirect_url(self.request) or ""}

    def form_valid(self, form: Form) -> HttpResponse:
        accounts.confirmed(self.request.user, how=self.how)
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        return response


class ConfirmPassword(Confirming, allauth.ReauthenticateView):  # type: ignore[misc]  # untyped
    how = "password"


class ConfirmCode(Confirming, mfa.ReauthenticateView):  # type: ignore[misc]  # untyped
    how = "code"


@login_not_required
def provider(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The way to an identity provider: to sign in, to confirm who it is, to connect an account.

    Connecting takes a POST by htmx, so that no other site can make anybody connect anything.
    """
    try:
        found = get_adapter().get_provider(request, provider_id)
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    process, again = "login", {}
    if request.user.is_authenticated:
        process, again = "redirect", {"prompt": "login", "max_age": "0"}
        if request.method == "POST":
            if not confirmation.is_confirmed(request):
                return confirmation.ask(request, reverse("account"))
            process = "connect"
    next_url = get_next_redirect_url(request)
    try:
        response: HttpResponse = found.redirect(request, process, next_url, auth_params=again)
    except requests.RequestException:
        return _unreachable(request, found.name)
    if request.method == "POST":
        return HttpResponse(headers={"HX-Redirect": response["Location"]})
    return response


@login_not_required
@require_GET
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Where the provider sends people back to."""
    before = accounts.connected(request.user, provider_id)
    try:
        response: HttpResponse = openid_connect.callback(request, provider_id)
    except requests.RequestException:
        return _unreachable(request, accounts.providers().get(provider_id, provider_id))
    if before is False and isinstance(request.user, User):
        accounts.note_connection(request.user, provider_id)
    return response


def _unreachable(request: HttpRequest, name: str) -> HttpResponse:
    messages.error(request, _("%(name)s does not answer. Try again later.") % {"name": name})
    return redirect("account" if request.user.is_authenticated else "login")
