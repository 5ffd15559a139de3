"""The words of a query: names of fields, of kinds as kubectl shortens them, of healths."""

from django.utils.translation import gettext_lazy as _

from clusters.kube.kinds import KINDS

HEALTH = {
    "failing": _("Failing"),
    "degraded": _("Degraded"),
    "progressing": _("Progressing"),
    "unknown": _("Unknown"),
    "healthy": _("Healthy"),
    "idle": _("Completed"),
}
# How a field may be called in a typed query. "name" is what words without a field ask for.
FIELDS = {
    "name": "name",
    "kind": "kind",
    "cluster": "cluster",
    "namespace": "namespace",
    "ns": "namespace",
    "environment": "environment",
    "env": "environment",
    "status": "status",
    "health": "health",
    "node": "node",
    "image": "image",
    "label": "label",
    "owner": "owner",
    "id": "id",
    "restarts": "restarts",
    "ready": "ready",
    "age": "age",
    "since": "since",
    "cpu": "cpu",
    "memory": "memory",
}
# Those that may be compared, and those in which `*` stands for any rest.
COMPARED = ("restarts", "ready", "age", "since", "cpu", "memory")
PATTERNED = frozenset({"name", "cluster", "namespace", "status", "node", "label", "owner"})
# Lists of several kinds: each kind whole, or just those of it that nothing owns.
WHOLE = {"Workload": ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job")}
UNOWNED = {"Workload": ("ReplicaSet", "Pod")}
# As `kubectl api-resources` shortens them, and a few that everybody says.
_SHORT = {
    "po": "Pod",
    "no": "Node",
    "ns": "Namespace",
    "deploy": "Deployment",
    "sts": "StatefulSet",
    "ds": "DaemonSet",
    "rs": "ReplicaSet",
    "cj": "CronJob",
    "svc": "Service",
    "ing": "Ingress",
    "cm": "ConfigMap",
    "release": "HelmRelease",
    "pvc": "PersistentVolumeClaim",
    "pv": "PersistentVolume",
    "sc": "StorageClass",
    "hpa": "HorizontalPodAutoscaler",
    "pdb": "PodDisruptionBudget",
    "sa": "ServiceAccount",
    "netpol": "NetworkPolicy",
    "quota": "ResourceQuota",
    "ev": "Event",
    "workload": "Workload",
    "workloads": "Workload",
    "wl": "Workload",
}
_KINDS = (
    {name.lower(): name for name in KINDS}
    | {kind.topic: name for name, kind in KINDS.items()}
    | _SHORT
)


TITLES = {
    "Workload": _("Workloads"),
    "Pod": _("Pods"),
    "Deployment": _("Deployments"),
    "StatefulSet": _("StatefulSets"),
    "DaemonSet": _("DaemonSets"),
    "ReplicaSet": _("ReplicaSets"),
    "Job": _("Jobs"),
    "CronJob": _("CronJobs"),
    "HorizontalPodAutoscaler": _("HorizontalPodAutoscalers"),
    "PodDisruptionBudget": _("PodDisruptionBudgets"),
    "Service": _("Services"),
    "Ingress": _("Ingresses"),
    "NetworkPolicy": _("NetworkPolicies"),
    "ConfigMap": _("ConfigMaps"),
    "Secret": _("Secrets"),
    "ServiceAccount": _("ServiceAccounts"),
    "ResourceQuota": _("ResourceQuotas"),
    "HelmRelease": _("Helm releases"),
    "PersistentVolumeClaim": _("PersistentVolumeClaims"),
    "PersistentVolume": _("PersistentVolumes"),
    "StorageClass": _("StorageClasses"),
    "Node": _("Nodes"),
    "Namespace": _("Namespaces"),
    "Event": _("Events"),
}


def title(kind: str) -> str:
    """What a list of the kind is called; custom resources have only their own name."""
    return str(TITLES.get(kind, kind))


def members(kind: str) -> tuple[str, ...]:
    """The kinds of which a list may show objects: several of "Workload", of others just itself."""
    return (*WHOLE[kind], *UNOWNED[kind]) if kind in WHOLE else (kind,)


def path_word(kind: str) -> str:
    """The kind as addresses write it: "deployments", "Certificate.cert-manager.io"."""
    if kind in WHOLE:
        return f"{kind.lower()}s"
    return KINDS[kind].topic if kind in KINDS else kind


def kind_named(word: str) -> str | None:
    """The kind that "Pod", "pods" or "po" means; None for a word that is none.

    A custom resource is named with its group, "Certificate.cert-manager.io", and kept as it is.
    """
    return _KINDS.get(word.lower()) or (word if "." in word.strip(".") else None)
