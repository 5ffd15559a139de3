"""What the roles of MCM allow in a cluster: the rules of the ClusterRoles that people get.

Each role exists twice: for a namespace, and for a whole cluster, where it also holds what belongs
to no namespace. A RoleBinding must never hold the latter: "update namespaces" in one would let its
holder change the labels of the namespace itself, by which Pod Security is enforced.
"""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from clusters.kube.kinds import KINDS
from clusters.kube.roster import Role

READ = ["get", "list", "watch"]
WRITE = ["create", "update", "patch", "delete", "deletecollection"]
ALL = [*READ, *WRITE]

# What operators change, by API group.
CHANGED = {
    "": [
        "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "secrets",
        "serviceaccounts", "services",
    ],
    "apps": [
        "daemonsets", "daemonsets/scale", "deployments", "deployments/scale", "replicasets",
        "replicasets/scale", "statefulsets", "statefulsets/scale",
    ],
    "autoscaling": ["horizontalpodautoscalers"],
    "batch": ["cronjobs", "jobs"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
    "policy": ["poddisruptionbudgets"],
}  # fmt: skip
# What admins of a whole cluster change besides.
WHOLE = {
    "": ["namespaces", "nodes", "persistentvolumes"],
    "admissionregistration.k8s.io": [
        "mutatingwebhookconfigurations", "validatingadmissionpolicies",
        "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
    ],
    "apiextensions.k8s.io": ["customresourcedefinitions"],
    "apiregistration.k8s.io": ["apiservices"],
    "networking.k8s.io": ["ingressclasses"],
    "rbac.authorization.k8s.io": ["clusterroles", "clusterrolebindings"],
    "scheduling.k8s.io": ["priorityclasses"],
    "storage.k8s.io": ["storageclasses"],
}  # fmt: skip
METRICS = "metrics.k8s.io"
RBAC = "rbac.authorization.k8s.io"

Rule = dict[str, Any]


class Custom(NamedTuple):
    """A custom resource that is turned on in the cluster."""

    group: str
    plural: str
    namespaced: bool


def rules(role: Role, *, whole: bool, custom: Collection[Custom] = ()) -> list[Rule]:
    """The rules of a role for a whole cluster or for a namespace."""
    found = [*_seen(custom, whole)]
    if role != "viewer":
        found += _operated(custom, whole)
    if role == "admin":
        found += _administered(whole)
    return found


def rule(group: str, resources: Collection[str], verbs: Collection[str]) -> Rule:
    return {"apiGroups": [group], "resources": sorted(resources), "verbs": list(verbs)}


def _seen(custom: Collection[Custom], whole: bool) -> Iterator[Rule]:
    """What MCM shows; Secrets are for who operates."""
    for group, plurals in _kinds(whole).items():
        yield rule(group, plurals, READ)
    yield rule(METRICS, ["nodes", "pods"] if whole else ["pods"], ["get", "list"])
    for group, plurals in _customs(custom, whole).items():
        yield rule(group, plurals, READ)
    if whole:
        yield rule("apiextensions.k8s.io", ["customresourcedefinitions"], READ)
    else:
        yield rule("", ["namespaces"], ["get"])  # in a RoleBinding: its own


def _operated(custom: Collection[Custom], whole: bool) -> Iterator[Rule]:
    yield rule("", ["pods/log"], ["get"])
    yield rule("", ["pods/attach", "pods/exec", "pods/portforward"], ["create", "get"])
    yield rule("", ["pods/eviction"], ["create"])
    for group, changed in CHANGED.items():
        yield rule(group, changed, ALL)
    for group, plurals in _customs(custom, whole).items():
        yield rule(group, plurals, WRITE)
    if whole:
        yield rule("", ["namespaces"], ["create"])
        yield rule("", ["nodes"], ["patch"])


def _administered(whole: bool) -> Iterator[Rule]:
    """RBAC lets nobody give away what they do not hold themselves."""
    yield rule(RBAC, ["roles", "rolebindings"], ALL)
    if whole:
        yield rule("", ["resourcequotas", "limitranges"], ALL)
        for group, plurals in WHOLE.items():
            yield rule(group, plurals, ALL)


def _kinds(whole: bool) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for kind in KINDS.values():
        start, _, plural = kind.path.rpartition("/")
        if plural != "secrets" and (whole or kind.namespaced):
            group = start.split("/")[2] if start.startswith("/apis/") else ""
            found.setdefault(group, set()).add(plural)
    return found


def _customs(custom: Collection[Custom], whole: bool) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in custom:
        if whole or each.namespaced:
            found.setdefault(each.group, set()).add(each.plural)
    return dict(sorted(found.items()))
