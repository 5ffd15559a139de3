"""All kinds of the fleet, each with how many of it one may see and how they stand."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from clusters.kube.kinds import KINDS
from clusters.models import Cluster, Namespace
from explorer import store
from explorer.filters.paths import list_path
from explorer.filters.words import title
from teams import access
from teams.roles import Action
from teams.views import SignedInRequest, fragment

MENU = "explorer/menu.html"
GROUPS = (
    (
        _("Workloads"),
        ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob",
         "HorizontalPodAutoscaler", "PodDisruptionBudget", "HelmRelease"),
    ),
    (_("Network"), ("Service", "Ingress", "NetworkPolicy")),
    (_("Configuration"), ("ConfigMap", "Secret", "ServiceAccount", "ResourceQuota")),
    (_("Storage"), ("PersistentVolumeClaim", "PersistentVolume", "StorageClass")),
    (_("Cluster"), ("Node", "Namespace", "Event")),
)  # fmt: skip
# What changes often, and so is listened to; the rest is seen with it.
TOPICS = "pods deployments statefulsets daemonsets jobs nodes events clusters"
# Healths that need a person.
TROUBLES = ("failing", "degraded")


@require_GET
def kinds(request: SignedInRequest) -> HttpResponse:
    found = store.kinds(request.user)
    custom = sorted(kind for kind in found if kind not in KINDS)
    groups: list[tuple[Any, tuple[str, ...]]] = list(GROUPS)
    if custom:
        groups.append((_("Custom resources"), tuple(custom)))
    context: dict[str, Any] = {
        "sections": [(label, [_entry(kind, found) for kind in names]) for label, names in groups],
        "topics": TOPICS,
        "may_apply": access.may_anywhere(request.user, Action.OPERATE, Cluster, Namespace),
    }
    return fragment(request, MENU, "kinds", context)


def _entry(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    numbers = found.get(kind, {})
    return {
        "title": title(kind),
        "url": list_path(kind),
        "n": sum(numbers.values()),
        "troubles": [(health, numbers[health]) for health in TROUBLES if numbers.get(health)],
    }
