"""Actions on many chosen rows: shown and confirmed first, then one service call for each row."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from teams.admin.rows import Admin, acting
from teams.models import User

Text = str | Promise
# Of one row, by the acting person. Raises ValidationError where it cannot be done to this one.
Service = Callable[[Any, User], object]
Action = Callable[[Admin, HttpRequest, QuerySet[Any]], HttpResponse | None]

# More are not done in one request: each is a transaction of its own.
MOST = 500


def confirmed(name: str, label: Text, question: Text, service: Service) -> Action:
    """An action of the list. Nothing happens before the page that names the rows is confirmed."""

    def action(site: Admin, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
        rows = list(chosen[: MOST + 1])
        if len(rows) > MOST:
            text = _("Choose at most %(most)s rows at once.") % {"most": MOST}
            site.message_user(request, text, messages.ERROR)
            return None
        if request.POST.get("post") != "yes":
            return _asked(site, request, rows, {"action": name, "label": label, "ask": question})
        _done(site, request, rows, service)
        return None

    action.__name__ = name
    action.short_description = label  # type: ignore[attr-defined]  # as Django reads it
    action.allowed_permissions = ["view"]  # type: ignore[attr-defined]
    return action


def _asked(
    site: Admin, request: HttpRequest, rows: list[Any], said: dict[str, Any]
) -> HttpResponse:
    context = {
        **site.admin_site.each_context(request),
        **said,
        "title": said["label"],
        "opts": site.opts,
        "chosen": [(str(row.pk), site.describe(row)) for row in rows],
        "key_name": helpers.ACTION_CHECKBOX_NAME,
        "media": site.media,
    }
    return TemplateResponse(request, "admin/confirm.html", context)


def _done(site: Admin, request: HttpRequest, rows: list[Any], service: Service) -> None:
    done = 0
    for row in rows:
        try:
            service(row, acting(request))
        except (ValidationError, PermissionDenied) as error:
            told = " ".join(getattr(error, "messages", [])) or _("You may not do this.")
            site.message_user(request, f"{site.describe(row)}: {told}", messages.ERROR)
        else:
            done += 1
    if done:
        text = ngettext("Done for %(n)s row.", "Done for %(n)s rows.", done) % {"n": done}
        site.message_user(request, text, messages.SUCCESS)
