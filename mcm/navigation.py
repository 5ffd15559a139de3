"""The navigation of every page: only places that exist and that this person may open."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from clusters.models import Cluster
from teams import access
from teams.models import User

# group, label, name of the address (of a list of objects: and its kind), icon
PLACES = (
    (None, _("Fleet"), "fleet", "layout-dashboard"),
    (_("Workloads"), _("Pods"), "pods", "cube"),
    (_("Workloads"), _("All workloads"), "workloads", "box"),
    (_("Workloads"), _("Deployments"), "object-list deployments", "stack-2"),
    (_("Workloads"), _("StatefulSets"), "object-list statefulsets", "database"),
    (_("Workloads"), _("DaemonSets"), "object-list daemonsets", "versions"),
    (_("Workloads"), _("Jobs"), "object-list jobs", "player-play"),
    (_("Workloads"), _("CronJobs"), "object-list cronjobs", "clock"),
    (_("Inventory"), _("Nodes"), "nodes", "server"),
    (_("Inventory"), _("Services"), "object-list services", "plug"),
    (_("Inventory"), _("Events"), "events", "list-details"),
    (_("Inventory"), _("All kinds"), "objects", "list"),
    (_("Delivery"), _("Releases"), "releases", "package"),
    (_("Delivery"), _("Operations"), "operations", "activity"),
    (_("Govern"), _("Clusters"), "clusters", "topology-star-3"),
    (_("Govern"), _("Teams"), "teams", "users"),
    (_("Govern"), _("Audit"), "audit", "history"),
)
# Who may open those that are not for everybody.
ALLOWED = {"audit": access.may_read_trail}


# Lists that narrow to the cluster that `?cluster=` names; elsewhere a cluster leads to its page.
LIST = "object-list"
NARROWING = ("pods", "workloads", "nodes", "events", LIST, "releases")


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`nav`: a list of label, url, icon, active, group; `scope`: the clusters to choose from.

    Empty for who is not signed in.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"nav": []}
    match = request.resolver_match
    page = match.url_name if match else None
    place = " ".join([page, *match.kwargs.values()]) if match and page == LIST else page
    # Only whole pages have it; fragments, which are most answers, look up no rights for it.
    nav = SimpleLazyObject(lambda: _nav(user, place))
    return {"nav": nav, "scope": _scope(request, user, page)}


def _nav(user: User, place: str | None) -> list[dict[str, Any]]:
    here = _entry_of(place) if place else ""
    return [
        {
            "group": group,
            "label": label,
            "url": _address(name),
            "icon": icon,
            "active": name == here,
        }
        for group, label, name, icon in PLACES
        if name not in ALLOWED or ALLOWED[name](user)
    ]


def _entry_of(place: str) -> str:
    """The entry to which a page belongs: its own, or that of what its name begins with."""
    names = {name for _group, _label, name, _icon in PLACES}
    section = place.split("-")[0]
    return next((name for name in (place, section, f"{section}s") if name in names), "")


def _address(name: str) -> str:
    page, *args = name.split()
    return reverse(page, args=args)


def _scope(request: HttpRequest, user: User, page: str | None) -> dict[str, Any]:
    """`chosen`, `all_url`, and `entries`, which only a whole page asks for."""
    narrows = page in NARROWING

    def entries() -> list[dict[str, Any]]:
        return [
            {
                "name": cluster.name,
                "environment": cluster.environment,
                "label": cluster.get_environment_display(),
                "url": f"{request.path}?{urlencode({'cluster': cluster.name})}"
                if narrows
                else reverse("cluster-detail", args=[cluster.pk]),
            }
            for cluster in access.visible(user, Cluster).defer("sealed_connection")
        ]

    return {
        "chosen": request.GET.get("cluster", "") if narrows else "",
        "all_url": request.path if narrows else reverse("clusters"),
        "entries": entries,
    }
