"""Who comes in by a token. Stands alone: DRF loads it while it defines its own views."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import knox.auth
from django.db.models import Q
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed

from teams.audit.context import address_in

if TYPE_CHECKING:
    from teams.models import Token, User

# Its last use is written no more often: a row that changes at every call is a slow one.
NOTED_EVERY = timedelta(minutes=1)


class TokenAuthentication(knox.auth.TokenAuthentication):  # type: ignore[misc]  # untyped
    """knox's; the caller is narrowed to what the token is for, by `User.token`."""

    def authenticate(self, request: Any) -> "tuple[User, Token] | None":
        found: tuple[User, Token] | None = super().authenticate(request)
        if found is not None:
            note_use(found[1], address_in(request.META))
        return found

    def authenticate_credentials(self, token: bytes) -> "tuple[User, Token]":
        try:
            user, row = super().authenticate_credentials(token)
        except UnicodeDecodeError as error:
            raise AuthenticationFailed from error
        user.token = row
        return user, row

    def _cleanup_token(self, auth_token: "Token") -> bool:
        """Whether it is over. knox asks for all tokens of the person here, to drop those that are;
        ours stay for a while, where their owner sees why they work no more.
        """
        return auth_token.is_over


def bearer(authorization: str) -> str | None:
    """The token in an Authorization header; None where it holds something else."""
    kind, _space, token = authorization.partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def caller(text: str, address: str | None) -> "User | None":
    """Who comes in by this token, narrowed to what it is for; None where it is no good."""
    try:
        user, row = TokenAuthentication().authenticate_credentials(text.encode())
    except AuthenticationFailed:
        return None
    note_use(row, address)
    return user


def note_use(token: "Token", address: str | None) -> None:
    """An address that is not known leaves the known one."""
    now = timezone.now()
    if token.last_used is not None and now - token.last_used < NOTED_EVERY:
        return
    rows = type(token).objects.filter(pk=token.pk)
    # Of many calls at the same moment one writes, the others find it done.
    stale = Q(last_used=None) | Q(last_used__lte=now - NOTED_EVERY)
    known = {"last_address": address} if address else {}
    rows.filter(stale).update(last_used=now, **known)
