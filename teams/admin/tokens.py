"""API tokens: whose they are, how far they reach and how long; never what they are kept as."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from teams.admin.bulk import confirmed
from teams.admin.rows import ReadOnlyAdmin
from teams.models import Token
from teams.services import tokens

_revoke = confirmed(
    "revoke",
    _("Revoke"),
    _("These tokens open nothing from now on. That cannot be undone:"),
    lambda token, by: tokens.revoke(token, by=by),
)

# knox registers whatever model stands for its own.
if admin.site.is_registered(Token):
    admin.site.unregister(Token)


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    list_display = ("name", "user", "level", "created", "expiry", "last_used", "last_address")
    list_filter = ("level", "expiry")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    date_hierarchy = "created"
    ordering = ("-created",)
    actions = (_revoke,)
    exclude = ("digest", "token_key")
    fields = ("name", "user", "level", "only", "created", "expiry", "last_used", "last_address")

    def describe(self, row: Any) -> str:
        said = {"name": row.name, "who": row.user, "when": f"{row.created:%Y-%m-%d %H:%M}"}
        if row.name:
            return gettext("%(name)s of %(who)s, made %(when)s (UTC)") % said
        return gettext("Token of %(who)s, made %(when)s (UTC)") % said
