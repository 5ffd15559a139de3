"""What all of the REST API shares: the shape of an error and who asks."""

from typing import Any, cast

from django.core.exceptions import RequestDataTooBig
from django.http import UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    NotAuthenticated,
    ParseError,
    Throttled,
    ValidationError,
)
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from teams.models import User
from teams.throttles import Strangers


def caller(request: Request) -> User:
    """The signed-in person; the API's permission classes let nobody else through."""
    return cast(User, request.user)


class Misread(ValidationError):
    """400 for texts of which is known where they are wrong: `positions` says so by field."""

    def __init__(self, detail: Any, positions: dict[str, list[dict[str, int]]]) -> None:
        super().__init__(detail)
        self.positions = positions


class Conflict(APIException):
    """409: somebody or something holds what was asked for."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class Gone(APIException):
    """410: it was there, and the cluster no longer has it."""

    status_code = status.HTTP_410_GONE
    default_code = "gone"


class BadGateway(APIException):
    """502: the cluster answered with a failure or not at all."""

    status_code: int = status.HTTP_502_BAD_GATEWAY
    default_code = "cluster"


class GatewayTimeout(BadGateway):
    """504: the cluster did not answer in time."""

    status_code = status.HTTP_504_GATEWAY_TIMEOUT


class TooLarge(APIException):
    """413: the body is larger than any call needs."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


def error_answer(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's handler, answering `{"error": "text", "fields": {"name": ["text"]}}` always.

    `positions` stands beside them where it is known where in a text the mistake is.
    """
    if isinstance(request := context.get("request"), Request):
        # For the audit trail, which tells of what was refused where the answer leaves.
        request._request.refused_by = exc  # type: ignore[attr-defined]
    exc = _told(exc, context)
    response = exception_handler(exc, context)
    if response is None:
        return None
    fields = _fields(exc.detail) if isinstance(exc, ValidationError) else {}
    if fields:
        name, texts = next(iter(fields.items()))
        error = texts[0] if name == "" else f"{name}: {texts[0]}"
        fields.pop("", None)
    elif response.status_code == status.HTTP_404_NOT_FOUND:
        # A foreign object and a missing one must read the same.
        error = _("Not found.")
    else:
        error = str(getattr(exc, "detail", "")) or _("The request was refused.")
    response.data = {"error": error, "fields": fields}
    if isinstance(exc, Misread):
        response.data["positions"] = exc.positions
    return response


def _told(exc: Exception, context: dict[str, Any]) -> Exception:
    """What the caller is told instead of what Python or Django says."""
    if isinstance(exc, RecursionError):
        return ParseError(_("The body is nested too deeply."))
    if isinstance(exc, UnreadablePostError):
        return ParseError(_("The body broke off."))
    if isinstance(exc, RequestDataTooBig):
        return TooLarge(_("The body is too large."))
    if isinstance(exc, AuthenticationFailed | NotAuthenticated):
        return _too_many(context) or exc
    return exc


def _too_many(context: dict[str, Any]) -> Throttled | None:
    """Instead of the next 401 for an address that has had too many of them."""
    strangers = Strangers()
    if strangers.allow_request(context["request"], context["view"]):
        return None
    return Throttled(strangers.wait())


def _fields(detail: Any, path: str = "") -> dict[str, list[str]]:
    """DRF's nested details as one level: `options.timeout`; "" for what belongs to no field."""
    if isinstance(detail, dict):
        flat: dict[str, list[str]] = {}
        for key, value in detail.items():
            name = "" if key in {"non_field_errors", "detail"} else _encodable(key)
            flat |= _fields(value, ".".join(part for part in (path, name) if part))
        return flat
    return {path: [_encodable(each) for each in (detail if isinstance(detail, list) else [detail])]}


def _encodable(text: object) -> str:
    """As text that UTF-8 can write: JSON can spell halves of characters, and errors repeat it."""
    return str(text).encode(errors="replace").decode()
