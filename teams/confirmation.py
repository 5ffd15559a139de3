"""Before dangerous acts people show again who they are: `@confirmed`, or `ask` within a view."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect
from rest_framework.exceptions import PermissionDenied as Refused
from rest_framework.request import Request

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
# Seconds since the password, code or provider's answer with which a form is opened, and sent: who
# was let in has time to fill it in.
TO_OPEN = 300
TO_SEND = 900


def is_confirmed(request: HttpRequest) -> bool:
    """The person showed a short while ago who it is, by signing in or when asked again."""
    within = TO_OPEN if request.method == "GET" else TO_SEND
    records = get_authentication_records(request, request.user)
    return any(time.time() - record["at"] < within for record in records)


def ask(request: Any, back: str = "") -> HttpResponse:
    """Leads to the question who it is and back; in a dialog, the question stands in its place."""
    methods = get_adapter().get_reauthentication_methods(request.user)
    if not methods:
        raise PermissionDenied(_("Set up a second factor first: this act asks who you are."))
    if request.method != "GET":
        messages.warning(request, _("Confirm that it is you. Nothing was changed yet."))
    url = f"{methods[0]['url']}?{urlencode({'next': back or request.get_full_path()})}"
    in_dialog = "dialog" in (request.headers.get("HX-Target") or "")
    if request.htmx and not (in_dialog and methods[0]["id"] != "provider"):
        return HttpResponseClientRedirect(url)
    return redirect(url)


def confirmed(view: V) -> V:
    """A view for who has just shown who it is; others are asked first, then led to it."""

    @wraps(view)
    def asking(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not is_confirmed(request):
            return ask(request)
        return view(request, *args, **kwargs)

    return cast(V, asking)


def require(request: Request) -> None:
    """For calls of the API: 403 where a browser's session asks and is not confirmed.

    Tokens pass: they are confirmed when they are made.
    """
    if request.auth is None and not is_confirmed(request._request):
        raise Refused(_("Confirm first that it is you, at /confirm/."))
