"""What MCM may do in a cluster and what it follows there, in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clusters.kube.kinds import KINDS
from clusters.models import Cluster, KindState
from clusters.views import identity
from teams.access import Held
from teams.views import SignedInRequest

# What people do without when MCM may not do it.
ACTIONS: dict[str, tuple[Promise, Promise]] = {
    "logs": (_("Read logs"), _("No logs of containers are shown.")),
    "exec": (_("Open a shell in a container"), _("No terminal can be opened.")),
    "apply": (
        _("Install and change workloads"),
        _("Nothing can be installed, upgraded or rolled back there."),
    ),
    "delete": (_("Delete workloads and pods"), _("Nothing can be deleted or restarted there.")),
    "impersonate": (
        _("Act in the name of people"),
        _("People who hold only a namespace cannot install or uninstall there."),
    ),
}
METRICS = (_("Read metrics"), _("What is used is not known; only requests are shown."))
KIND_COSTS: dict[str, Promise] = {
    "Node": _("No nodes, and no capacity to compare requests with."),
    "Pod": _("No pods: MCM shows almost nothing of the cluster."),
    "Namespace": _("No namespaces: nothing can be granted on them."),
    "Event": _("No events: why something fails is harder to see."),
    "ReplicaSet": _("It is not known which revision a failing pod belongs to."),
    "HelmRelease": _("Releases are not followed live; the list is refreshed by polls."),
    "Secret": _("Secrets are not listed; MCM never keeps their contents."),
}
DEFAULT_COST = _("Objects of this kind are not shown.")
# What needs a look stands on top.
_ORDER = [
    KindState.State.LOST,
    KindState.State.FORBIDDEN,
    KindState.State.LISTING,
    KindState.State.ABSENT,
    KindState.State.WATCHING,
]


@dataclass(frozen=True)
class Right:
    """One thing that may be allowed; `allowed` is None when the cluster was not asked."""

    label: str | Promise
    allowed: bool | None
    cost: str | Promise


@dataclass(frozen=True)
class KindRow:
    """One kind, how its watch stands, and what not reading it costs."""

    kind: str
    state: KindState | None
    allowed: bool | None

    @property
    def cost(self) -> str | Promise:
        return KIND_COSTS.get(self.kind, DEFAULT_COST)

    @property
    def missing(self) -> bool:
        forbidden = self.state is not None and self.state.state == KindState.State.FORBIDDEN
        return self.allowed is False or forbidden

    @property
    def rank(self) -> tuple[int, str]:
        known = self.state.state if self.state else KindState.State.LISTING
        return _ORDER.index(KindState.State(known)), self.kind


def context(_request: SignedInRequest, _held: Held, cluster: Cluster) -> dict[str, Any]:
    told: dict[str, Any] = cluster.rights or {}
    actions, kinds = told.get("actions", {}), told.get("kinds", {})
    states = {state.kind: state for state in cluster.kinds.all()}
    # Where people act under their own names, MCM's account needs none of these.
    needed = {} if cluster.impersonates else ACTIONS
    rights = [Right(label, actions.get(key), cost) for key, (label, cost) in needed.items()]
    rows = [KindRow(kind, states.get(kind), kinds.get(kind)) for kind in {*KINDS, *states}]
    return {
        "asked_at": _moment(told.get("at")),
        "complete": told.get("complete", False),
        "rights": [*rights, Right(METRICS[0], told.get("metrics"), METRICS[1])],
        "kinds": sorted(rows, key=lambda row: row.rank),
        "customs": cluster.custom_resources.order_by("group", "plural"),
        "customs_found": told.get("customResources"),
        **identity.summary(cluster),
    }


def _moment(text: object) -> datetime | None:
    return parse_datetime(text) if isinstance(text, str) else None
