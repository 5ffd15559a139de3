"""What django-allauth asks of MCM at each step of signing in."""

import base64
import time
import unicodedata
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.account.stages import LoginStage
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams import accounts, audit, vault
from teams.models import User

# Seconds since a provider asked for a password, by what it says itself, that still confirm.
JUST_NOW = 300


class EnrolStage(LoginStage):  # type: ignore[misc]  # untyped
    """Who must have a second factor and has none makes one before being signed in."""

    key = "mcm_enrol"
    urlname = "enrol"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user = self.login.user
        if not accounts.must_have_second_factor(user) or accounts.proved_twice(self.request, user):
            return None, True
        return redirect("enrol"), True


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # untyped
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": gettext_lazy("The username or the password is wrong."),
        "incorrect_password": gettext_lazy("The password is wrong."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:  # noqa: ARG002
        return False  # our own views ask, by `teams/confirmation.py`

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        if level >= messages.WARNING:  # that all went well is told by the page itself
            super().add_message(request, level, *args, **kwargs)

    def get_login_stages(self) -> list[str]:
        return [*super().get_login_stages(), "teams.adapters.EnrolStage"]

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        for account in SocialAccount.objects.filter(user_id=user.pk) if user.pk else ():
            name = accounts.providers().get(account.provider)
            if name:
                url = reverse("openid_connect_login", args=[account.provider])
                found.append({"id": "provider", "description": name, "url": url})
        return found

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:  # noqa: ARG002
        # Not with the host, as allauth has it: who sends another Host would begin at none again.
        return unicodedata.normalize("NFKC", credentials.get("username", "")).casefold()

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            key = self._get_login_attempts_cache_key(request, **credentials)
            raise accounts.locked(request, key) from error

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        key = self._get_login_attempts_cache_key(request, **credentials)
        is_locked = accounts.locked_seconds(request, key) > 0
        accounts.failed(credentials.get("username", ""), step="password", locked=is_locked)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:  # noqa: ARG002
        messages.error(request, _("This account may not sign in. Ask a platform administrator."))
        return redirect("login")

    def post_login(
        self, request: HttpRequest, user: User, *, signal_kwargs: dict[str, Any] | None, **more: Any
    ) -> HttpResponse:
        login = (signal_kwargs or {}).get("sociallogin")
        if login is not None:
            claim = login.provider.app.settings["groups_claim"]
            groups = accounts.groups_of(login.account.extra_data, claim)
            accounts.follow_groups(user, login.account.provider, groups)
        methods = {record["method"] for record in get_authentication_records(request, user)}
        provider = login.account.provider if login else ""
        accounts.signed_in(user, provider=provider, second_factor="mfa" in methods)
        response: HttpResponse = super().post_login(
            request, user, signal_kwargs=signal_kwargs, **more
        )
        return response

    def logout(self, request: HttpRequest) -> None:
        user = request.user
        super().logout(request)
        if isinstance(user, User):
            accounts.signed_out(user)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # untyped
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("The code is wrong, or was used already."),
        "cannot_delete_authenticator": gettext_lazy("Your account must have a second factor."),
    }

    def get_totp_label(self, user: User) -> str:
        return user.get_username()

    def encrypt(self, text: str) -> str:
        return base64.b64encode(vault.seal(text.encode(), accounts.OWNER)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return vault.unseal(base64.b64decode(encrypted_text), accounts.OWNER).decode()

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        return not accounts.must_have_second_factor(authenticator.user)


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # untyped
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002
        return bool(sociallogin.provider.app.settings["create_users"])

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002
        return True

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        if not data.get("username"):
            data["username"] = (data.get("email") or data.get("name") or "").partition("@")[0]
        user: User = super().populate_user(request, sociallogin, data)
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        sociallogin.email_addresses = []  # a person's address is a field of the user here
        sociallogin.token = None  # of no use to us, and kept in the session otherwise
        if sociallogin.state.get("process") != "redirect":
            return
        # Somebody signed in was sent there to confirm who it is.
        user = request.user
        if not isinstance(user, User) or sociallogin.user != user:
            refuse(request, _("That was another account. Nothing was confirmed."), to="account")
            return
        account = sociallogin.account
        shown = (account.extra_data.get("id_token") or {}).get("auth_time")
        if isinstance(shown, int) and time.time() - shown > JUST_NOW:
            text = _("%(name)s did not ask who you are. Nothing was confirmed.")
            refuse(request, text % {"name": sociallogin.provider.name}, to="account")
        accounts.confirmed(user, how=account.provider)
        record_authentication(
            request, user, "socialaccount", provider=account.provider, uid=account.uid
        )

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        audit.record(user, "user.create", user, provider=sociallogin.account.provider)
        return user

    def get_connect_redirect_url(self, *_connected: Any) -> str:
        return reverse("account")

    def on_authentication_error(self, request: HttpRequest, provider: Any, **said: Any) -> None:  # noqa: ARG002
        to = "account" if request.user.is_authenticated else "login"
        text = _("%(name)s did not sign you in. Try again, or ask a platform administrator.")
        refuse(request, text % {"name": provider.name}, to=to)


def refuse(request: HttpRequest, text: str, *, to: str) -> None:
    messages.error(request, text)
    raise ImmediateHttpResponse(redirect(to))
