"""What holds for every request: who is not signed in gets nowhere, and answers stay private."""

import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import logout, middleware
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import gettext as _
from django_structlog import middlewares as structlog

from teams import accounts, audit
from teams.audit import context, denials
from teams.models import User
from teams.trail import Named

Handler = Callable[[HttpRequest], HttpResponse]


class LoginRequiredMiddleware(middleware.LoginRequiredMiddleware):
    """Sends people to the login page; the API answers for itself, fragments ask for a reload."""

    def process_view(self, request, view_func, view_args, view_kwargs):  # type: ignore[no-untyped-def]
        if request.path.startswith("/api/"):
            return None  # DRF knows more ways to sign in and answers 401 in its own shape.
        if request.resolver_match.url_name == "set_language":
            return None  # The login page, too, is read in one's own language.
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request, view_func):  # type: ignore[no-untyped-def]
        if request.headers.get("HX-Request"):
            return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
        return super().handle_no_permission(request, view_func)


class LogMiddleware(structlog.RequestMiddleware):
    """A line for each request; what a provider sends people back with opens a session once."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        if request.path.startswith("/login/"):
            return f"{request.method} {request.path}"
        return f"{request.method} {request.get_full_path()}"


class SessionsMiddleware:
    """Notes when a sign-in was last used, and ends those that lack a second factor by now."""

    EVERY = 60.0
    MOST = 10_000

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        # Of this process: each notes a session once a minute at most, and asks nobody before.
        self.noted: dict[str, float] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SECOND_FACTOR != "optional" and self._lacks(request):
            logout(request)
        response = self.get_response(request)
        if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._note(request)
        return response

    def _lacks(self, request: HttpRequest) -> bool:
        user = request.user
        if not isinstance(user, User) or not accounts.must_have_second_factor(user):
            return False
        return not accounts.proved_twice(request, user)

    def _note(self, request: HttpRequest) -> None:
        key, now = request.session.session_key, time.time()
        if key is None or self.noted.get(key, -self.EVERY) > now - self.EVERY:
            return
        if not request.user.is_authenticated:
            return
        if len(self.noted) >= self.MOST:
            self.noted.clear()
        self.noted[key] = now
        # Of another person's sign-in that this one followed in the same browser, too.
        row = UserSession.objects.filter(session_key=key, user_id=request.user.pk)
        if not row.update(last_seen_at=timezone.now()):
            UserSession.objects.create_from_request(request)


# No page asks for any of these, and none that is slipped into one shall.
_UNUSED = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer",
    "microphone", "midi", "payment", "usb",
)  # fmt: skip
_HEADERS = {
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNUSED),
    "Cross-Origin-Resource-Policy": "same-origin",
}


class HeadersMiddleware:
    """What Django's own headers of all answers leave out."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response


class ErrorsMiddleware:
    """A request that no view could read is refused early; the API tells every error in JSON."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # PostgreSQL takes no NUL, and none has a meaning in an address.
        unreadable = "%00" in request.META.get("QUERY_STRING", "")
        response = HttpResponseBadRequest() if unreadable else self.get_response(request)
        told = response.headers.get("Content-Type", "").startswith("application/json")
        if response.status_code < 400 or told or not request.path.startswith("/api/"):
            return response
        status = HTTPStatus(response.status_code)
        error = _("Not found.") if status == HTTPStatus.NOT_FOUND else status.phrase
        return JsonResponse({"error": error, "fields": {}}, status=status)


class PrivatePagesMiddleware:
    """No cache keeps a signed-in person's page, and none mixes up pages with fragments."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return response  # perhaps there is nobody to ask who is signed in
        if not response.has_header("Cache-Control") and request.user.is_authenticated:
            add_never_cache_headers(response)
        return response


class AuditMiddleware:
    """Knows from where each request comes, and tells what was refused to whom.

    Stands inside the middleware that finds out who asks and gives the request its id.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = timezone.now()
        with context.acting(context.Origin.of(request)) as origin:
            response = self.get_response(request)
            if response.status_code == HTTPStatus.FORBIDDEN and isinstance(request.user, User):
                error = getattr(request, "refused_by", None)
                denials.denied(request.user, _asked(request), request.path, error)
            elif origin.rows == 0 and _changed_by_admin(request, response, began):
                self._tell_of_admin(request)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if isinstance(exception, PermissionDenied):
            request.refused_by = exception  # type: ignore[attr-defined]

    def _tell_of_admin(self, request: HttpRequest) -> None:
        """Whatever an admin form changed without a service of ours must not go untold."""
        user = request.user
        if isinstance(user, User):
            audit.record(user, _asked(request), Named("address", "", request.path))


def _asked(request: HttpRequest) -> str:
    """The method and the name of the address, such as "POST cluster-delete"."""
    match = request.resolver_match
    return f"{request.method} {match.view_name if match else request.path}"[:100]


def _changed_by_admin(request: HttpRequest, response: HttpResponse, began: datetime) -> bool:
    """As Django's own log has it: a redirect alone may lead to the question who it is, or come from
    a form that changed nothing.
    """
    match = request.resolver_match
    if request.method != "POST" or match is None or "admin" not in match.app_names:
        return False
    if response.status_code != HTTPStatus.FOUND or not request.user.is_authenticated:
        return False
    noted = LogEntry.objects.filter(user_id=request.user.pk, action_time__gte=began)
    return noted.exclude(action_flag=CHANGE, change_message__in=["", "[]"]).exists()
