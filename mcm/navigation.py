"""The navigation of every page: only places that exist and that this person may open."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

# group, label, name of the address, icon
PLACES = (
    (None, _("Fleet"), "fleet", "layout-dashboard"),
    (_("Workloads"), _("Pods"), "pods", "cube"),
    (_("Delivery"), _("Releases"), "releases", "package"),
    (_("Delivery"), _("Operations"), "operations", "activity"),
    (_("Govern"), _("Clusters"), "clusters", "topology-star-3"),
)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`nav`: a list of label, url, icon, active, group. Empty for who is not signed in."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"nav": []}
    match = request.resolver_match
    section = match.url_name.split("-")[0] if match and match.url_name else ""
    nav = [
        {
            "group": group,
            "label": label,
            "url": reverse(name),
            "icon": icon,
            "active": section == name or section + "s" == name,
        }
        for group, label, name, icon in PLACES
    ]
    return {"nav": nav}
