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
        return f"{reverse('pods')}?{urlencode(_pods(entry))}"
    if entry.leads_to == "credentials" and access.is_platform_admin(user):
        return reverse("cluster-credentials", args=[entry.cluster.pk])
    page = reverse("cluster-detail", args=[entry.cluster.pk])
    if entry.leads_to not in TABS:
        return page
    asked = {"tab": entry.leads_to, "namespace": entry.namespace}
    return f"{page}?{urlencode({key: value for key, value in asked.items() if value})}"


def _leaving(entry: Entry) -> str:
    if entry.pod is not None:
        return reverse("pod-detail", args=[entry.pod])
    asked = {**_pods(entry), "health": "", "status": "Terminating"}
    return f"{reverse('pods')}?{urlencode({key: value for key, value in asked.items() if value})}"


def _pods(entry: Entry) -> dict[str, str]:
    return {
        "health": entry.health,
        "cluster": entry.cluster.name,
        "namespace": entry.namespace,
        "q": entry.name,
    }
