"""Signing in: what is noted of it, the second factor, sessions, teams by a provider's groups."""

import base64
import math
import time
from collections.abc import Iterable
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.core.internal import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import ngettext

from teams import audit, services, vault
from teams.executor import announce_rights_changed, end_sessions
from teams.models import GroupMapping, Membership, User

# Whose the sealed secrets of second factors are; the row is not made yet when they are sealed.
OWNER = "second-factor"
# django-allauth's codes of the refusal of who failed too often.
LOCKED = "too_many_login_attempts"
FAILURES: dict[str, Any] = {"app": "allauth.account", "action": "login_failed"}


# --- what is noted ---------------------------------------------------------------------------
def signed_in(user: User, *, provider: str, second_factor: bool) -> None:
    audit.record(user, "login", user, provider=provider, second_factor=second_factor)


def of_session(key: str) -> User | None:
    """Who is signed in by this session now; None when it is over."""
    asks = HttpRequest()
    asks.session = SessionStore(key)
    user = get_user(asks)
    return user if isinstance(user, User) and user.is_active else None


def signed_out(user: User) -> None:
    audit.record(user, "logout", user)
    announce_rights_changed()


def failed(name: str, *, step: str, locked: bool) -> None:
    """A wrong password or code. Names that nobody has are not kept: they may be passwords."""
    user = User.objects.filter(username=name).first() or User()
    audit.record(None, "login.failed", user, step=step, locked=locked)


def confirmed(user: User, *, how: str) -> None:
    audit.record(user, "login.confirmed", user, how=how)


@transaction.atomic
def password_changed(user: User) -> None:
    """By the person. The new hash ends the other sign-ins, and their sockets hear of it."""
    services.password_changed(user, by=user)


# --- failures --------------------------------------------------------------------------------
def locked_seconds(request: HttpRequest, key: str) -> int:
    """Seconds until this key, and this address, may try again; 0 when they may now."""
    now, wait = time.time(), 0.0
    for rate in ratelimit.get_rates(**FAILURES):
        place = ratelimit.get_cache_key(request, rate=rate, key=key, **FAILURES)
        recent = [at for at in cache.get(place, []) if at > now - rate.duration]
        if len(recent) >= rate.amount:  # the newest stands first
            wait = max(wait, recent[rate.amount - 1] + rate.duration - now)
    return math.ceil(wait)


def locked(request: HttpRequest, key: str) -> ValidationError:
    """The refusal that says for how long."""
    minutes = max(1, math.ceil(locked_seconds(request, key) / 60))
    text = ngettext(
        "Too many failed tries. Try again in %(n)d minute.",
        "Too many failed tries. Try again in %(n)d minutes.",
        minutes,
    )
    return ValidationError(text % {"n": minutes}, code=LOCKED)


# --- the second factor -----------------------------------------------------------------------
def must_have_second_factor(user: User) -> bool:
    if settings.SECOND_FACTOR == "admins":
        return user.is_superuser or user.is_staff
    return bool(settings.SECOND_FACTOR == "all")


def has_second_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def _trusted(provider: str) -> bool:
    """The provider itself asks for a second factor."""
    return any(
        app["provider_id"] == provider and app["settings"]["second_factor"] for app in _apps()
    )


def proved_twice(request: HttpRequest, user: User) -> bool:
    """A second factor was shown in this session, here or at a provider that asks for one."""
    return any(
        record["method"] == "mfa"
        or (record["method"] == "socialaccount" and _trusted(record["provider"]))
        for record in get_authentication_records(request, user)
    )


@transaction.atomic
def enrol(user: User, secret: str, *, by: User) -> Authenticator:
    """Turns the second factor on, with recovery codes beside it."""
    made = TOTP.activate(user, secret).instance
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    RecoveryCodes.activate(user)
    audit.record(by, "second_factor.enrol", user)
    return made


def recovery_codes(user: User) -> list[str]:
    """The unused ones, to be shown once; noted as shown."""
    codes = RecoveryCodes.activate(user)
    codes.mark_as_viewed()
    unused: list[str] = codes.get_unused_codes()
    return unused


@transaction.atomic
def renew_recovery_codes(user: User, *, by: User) -> None:
    User.objects.select_for_update().get(pk=user.pk)
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    RecoveryCodes.activate(user)
    audit.record(by, "second_factor.codes", user)


@transaction.atomic
def remove_second_factor(user: User, *, by: User) -> None:
    """By the person, or by a platform admin for one who lost it; then all sign-ins end, too."""
    Authenticator.objects.filter(user=user).delete()
    if by == user:
        audit.record(by, "second_factor.remove", user)
    else:
        audit.record(by, "second_factor.reset", user, sessions=end_sessions(user))


def reseal() -> tuple[int, int]:
    """Seals the secrets with the newest key; how many were, and how many no key opens."""
    sealed = unreadable = 0
    for pk in Authenticator.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            for name in {"secret", "seed"} & set(row.data if row else ()):
                found = base64.b64decode(row.data[name])
                if found.startswith(vault.newest_mark()):
                    continue
                try:
                    plain = vault.unseal(found, OWNER)
                except vault.CannotOpen:
                    unreadable += 1
                    continue
                row.data[name] = base64.b64encode(vault.seal(plain, OWNER)).decode()
                row.save(update_fields=["data"])
                sealed += 1
    return sealed, unreadable


# --- sessions --------------------------------------------------------------------------------
def session_count(user: User) -> int:
    return len(UserSession.objects.purge_and_list(user))


@transaction.atomic
def end_session(row: UserSession, *, by: User) -> None:
    audit.record(by, "session.end", row.user, address=row.ip)
    row.end()
    announce_rights_changed()


@transaction.atomic
def end_all_sessions(user: User, *, by: User) -> None:
    audit.record(by, "session.end_all", user, sessions=end_sessions(user))


# --- identity providers ----------------------------------------------------------------------
def _apps() -> list[dict[str, Any]]:
    apps: list[dict[str, Any]] = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    return apps


def providers() -> dict[str, str]:
    """The ids and names of the identity providers."""
    return {app["provider_id"]: app["name"] for app in _apps()}


def groups_of(claims: dict[str, Any], name: str) -> set[str]:
    """The groups in what the provider said: of the user info, else of the token."""
    for part in ("userinfo", "id_token"):
        found = (claims.get(part) or {}).get(name)
        if isinstance(found, list):
            return {str(each) for each in found}
        if isinstance(found, str):
            return {found}
    return set()


def connected(user: User | AnonymousUser, provider: str) -> bool | None:
    """Whether the person signs in by this provider; None for who is not signed in."""
    if not isinstance(user, User):
        return None
    return bool(SocialAccount.objects.filter(user=user, provider=provider).exists())


def note_connection(user: User, provider: str) -> None:
    """Notes that the person signs in by this provider from now on, if so."""
    if connected(user, provider):
        audit.record(user, "provider.connect", user, provider=provider)


@transaction.atomic
def disconnect(row: SocialAccount, *, by: User) -> None:
    audit.record(by, "provider.disconnect", by, provider=row.provider)
    row.delete()


@transaction.atomic
def follow_groups(user: User, provider: str, groups: Iterable[str]) -> None:
    """Joins the teams of these groups, and leaves those that earlier groups of it had given.

    What was made by hand, or by another provider, stays.
    """
    mappings = GroupMapping.objects.filter(provider=provider, group__in=list(groups))
    wanted = set(mappings.values_list("team", flat=True))
    held = {row.team_id: row for row in Membership.objects.filter(user=user)}
    for team in wanted - set(held):
        made = Membership(user=user, team_id=team, provider=provider)
        services.save_membership(made, by=None)
    for team, row in held.items():
        if row.provider == provider and team not in wanted:
            services.delete_membership(row, by=None)
