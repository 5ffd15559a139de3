"""Who reads something for longer than a request lasts, asked again and again."""

from typing import Any, NamedTuple, Self

from django.http import HttpRequest

from teams import accounts, tokens
from teams.audit import context
from teams.models import User


class Ended(Exception):
    """The person may read no more, or there is nothing: `code` for programs, the text for people.

    `said` holds the error behind it, for the audit trail.
    """

    def __init__(self, code: str, text: str, said: object = None) -> None:
        super().__init__(text)
        self.code = code
        self.said = said


class Caller(NamedTuple):
    """By what somebody is signed in: a token, or else the session of a browser."""

    bearer: str | None
    session: str | None
    address: str | None

    @classmethod
    def of_scope(cls, scope: Any) -> Self:
        """Of a socket that `mcm.sockets` let in."""
        session = scope.get("session")
        key = session.session_key if session is not None else None
        return cls(scope.get("bearer"), key, context.Origin.of_scope(scope).address)

    @classmethod
    def of_request(cls, request: HttpRequest) -> Self:
        bearer = tokens.bearer(request.headers.get("Authorization", ""))
        return cls(bearer, request.session.session_key, context.address_in(request.META))

    def person(self) -> User | None:
        """Who it is now; None when not, or no longer, signed in."""
        if self.bearer is not None:
            return tokens.caller(self.bearer, self.address)
        return accounts.of_session(self.session) if self.session else None
