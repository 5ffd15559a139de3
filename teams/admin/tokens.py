"""API tokens: whose they are and until when, and nothing of what they are kept as."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from knox.models import get_token_model
from unfold.admin import checkbox

from teams import services
from teams.admin.bulk import confirmed
from teams.admin.rows import ReadOnlyAdmin

Token: Any = get_token_model()

_revoke = confirmed(
    "revoke",
    _("Revoke"),
    _("These tokens open nothing from now on. That cannot be undone:"),
    lambda token, by: services.revoke_token(token, by=by),
)

if admin.site.is_registered(Token):
    admin.site.unregister(Token)


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    """Tokens have no page of their own: the key of their rows is the digest of the secret."""

    list_display = ("user", "created", "expiry")
    list_display_links = None
    list_filter = ("expiry",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    date_hierarchy = "created"
    ordering = ("-created",)
    actions = (_revoke,)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and bool(super().has_view_permission(request))

    def handle(self, row: Any) -> str:
        return salted_hmac("teams.admin.tokens", row.pk).hexdigest()

    def describe(self, row: Any) -> str:
        said = {"who": row.user, "when": f"{row.created:%Y-%m-%d %H:%M}"}
        return _t("Token of %(who)s, made %(when)s (UTC)") % said

    @admin.display(description=checkbox.render("action_toggle_all", 1))
    def action_checkbox(self, obj: Any) -> str:
        return str(checkbox.render(ACTION_CHECKBOX_NAME, self.handle(obj)))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if chosen := set(request.POST.getlist(ACTION_CHECKBOX_NAME)):
            # What the page calls by handles, Django's actions look up by keys.
            data = request.POST.copy()
            keys = [row.pk for row in Token.objects.only("pk") if self.handle(row) in chosen]
            data.setlist(ACTION_CHECKBOX_NAME, keys)
            request.POST = data  # type: ignore[assignment]  # a QueryDict as before
        answer: HttpResponse = super().changelist_view(request, extra_context)
        return answer
