"""Signing out, and what all pages share."""

import sys
from http import HTTPStatus
from math import ceil
from typing import Any

from allauth.account.adapter import get_adapter
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template import loader
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails
from redis.exceptions import RedisError

from teams.models import User


class SignedInRequest(HttpRequest):
    """A request behind the login middleware."""

    user: User
    htmx: HtmxDetails


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """Ends the session, and with it the live sockets that it opened."""
    if request.user.is_authenticated:
        get_adapter().logout(request)
    return redirect("login")


def failed(_request: HttpRequest) -> HttpResponse:
    """What nobody caught: 503 where a server behind MCM is away, which mends itself, 500 else."""
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError | RedisError)
    status = HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.INTERNAL_SERVER_ERROR
    # Without the request: what fills every page in would ask the same database again.
    response = HttpResponse(loader.render_to_string(f"{status.value}.html"), status=status)
    if away:
        response.headers["Retry-After"] = "5"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is missing or old: Django's own page breaks our content policy."""
    request.refused_by = reason  # type: ignore[attr-defined]  # for the audit trail
    text = _("The form was open for too long. Go back, reload the page and try again.")
    return render(request, "403.html", {"exception": text}, status=HTTPStatus.FORBIDDEN)


def too_many_files(request: HttpRequest, wait: float) -> HttpResponse:
    """For who has taken so much that he must wait so many seconds; see `throttles.too_costly`."""
    text = _("You asked for too many files. Try again in a minute.")
    refused = render(request, "429.html", {"text": text}, status=HTTPStatus.TOO_MANY_REQUESTS)
    refused.headers["Retry-After"] = str(ceil(wait))
    return refused


def form_page(
    request: SignedInRequest, page: str, context: dict[str, Any], *, invalid: bool
) -> HttpResponse:
    """A page around a form, or just its part `form` in a dialog; 422 when it was refused."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY if invalid else HTTPStatus.OK
    return render(request, f"{page}#form" if request.htmx else page, context, status=status)


def go(request: SignedInRequest, url: str) -> HttpResponse:
    """Leaves for another page, also out of a dialog."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def fragment(
    request: SignedInRequest, page: str, part: str, context: dict[str, Any]
) -> HttpResponse:
    """The page, or the named part of it for a live update or a swap within the page."""
    return render(request, f"{page}#{part}" if request.htmx else page, context)
