"""What holds for every request: who is not signed in gets nowhere, and answers stay private."""

from collections.abc import Callable
from http import HTTPStatus

from django.contrib.auth import middleware
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import gettext as _

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
