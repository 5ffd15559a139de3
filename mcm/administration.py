"""The Django admin: for platform admins only, and with their own way in."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from csp.constants import NONCE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.decorators import method_decorator
from unfold.sites import UnfoldAdminSite

from teams import access

# The theme's Alpine.js turns attributes of its templates into functions, and sets style attributes.
# Only here: scripts and style sheets still come from nowhere but our own files.
POLICY = {
    "script-src": [SELF, NONCE, UNSAFE_EVAL],
    "style-src-attr": [UNSAFE_INLINE],
}


class Site(UnfoldAdminSite):  # type: ignore[misc]  # untyped
    site_title = site_header = "MCM"

    def has_permission(self, request: HttpRequest) -> bool:
        return access.is_platform_admin(request.user)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        return csp_update(POLICY)(super().admin_view(view, cacheable))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # The theme would write its colours into each page; they stand in static/admin.css.
        return {**super().each_context(request), "colors": {}}

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is one way to sign in. Who is, and may not enter, is refused as elsewhere."""
        there = request.GET.get("next") or reverse("admin:index")
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': there})}")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("logout", preserve_request=True)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """One's own password is changed where everybody changes it."""
        return redirect("account_change_password")
