"""Where a thing that needs attention is mended."""

from urllib.parse import urlencode

from django.urls import reverse

from clusters.models import Object
from clusters.store.standing import Entry
from teams import access
from teams.models import User

# Entries that lead to a tab of their cluster's page.
TABS = ("nodes", "workloads", "events", "access")


def mended(entry: Entry, user: User, row: Object | None = None) -> str:
    """The address of the place: of an object whose row is known its page, which says why. Who may
    not replace credentials is led to the cluster.
    """
    if entry.leads_to == "leaving":
        return _leaving(entry)
    if row is not None:
        return reverse("pod-detail" if row.kind == "Pod" else "object-detail", args=[row.pk])
    if entry.leads_to == "pods":
        return _pods(entry, health=entry.health)
    if entry.leads_to == "credentials" and access.is_platform_admin(user):
        return reverse("cluster-credentials", args=[entry.cluster.pk])
    page = reverse("cluster-detail", args=[entry.cluster.pk])
    if entry.leads_to not in TABS:
        return page
    return f"{page}?{_query(tab=entry.leads_to, namespace=entry.namespace)}"


def _leaving(entry: Entry) -> str:
    if entry.pod is not None:
        return reverse("pod-detail", args=[entry.pod])
    return _pods(entry, status="Terminating")


def _pods(entry: Entry, *, health: str = "", status: str = "") -> str:
    asked = _query(
        health=health,
        cluster=entry.cluster.name,
        namespace=entry.namespace,
        q=entry.name,
        status=status,
    )
    return f"{reverse('pods')}?{asked}"


def _query(**asked: str) -> str:
    return urlencode({key: value for key, value in asked.items() if value})
