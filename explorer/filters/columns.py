"""The columns of a list, by kind: what `kubectl get` prints, and what else may be shown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clusters.kube.kinds import KINDS
from clusters.store.capacity import Share
from explorer.filters.ordering import SORTS
from explorer.store import Seen


@dataclass(frozen=True)
class Column:
    """`value` is what its cell shows, in a form that `look` knows; `fields` are those of objects
    that it needs beside what every list asks for. A `card` is what a phone shows.
    """

    key: str
    label: Promise | str
    value: Callable[[Seen], Any]
    look: str = "text"
    css: str = ""
    card: bool = False
    fields: tuple[str, ...] = ()

    @property
    def sort(self) -> str:
        """The order that it names, "" if it has none."""
        return self.key if self.key in SORTS else ""

    def text(self, seen: Seen) -> str:
        """The cell as a text, such as for a file."""
        value = self.value(seen)
        if self.look in {"cluster", "status", "kubelet"}:
            return str(value[0])
        if self.look == "share" and value:
            share: Share = value[0]
            return (
                f"{'' if share.used is None else share.used}/{share.requested}/{share.allocatable}"
            )
        if self.look == "pods" and value:
            return f"{value[0]}/{value[1]}"
        return value.isoformat() if self.look == "age" else str(value)


def _owner(seen: Seen) -> str:
    row = seen.object
    return f"{row.owner_kind}/{row.owner_name}" if row.owner_name else ""


def _labels(seen: Seen) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(seen.object.labels.items()))


def _limits(seen: Seen) -> str:
    return ", ".join(f"{key}: {value}" for key, value in sorted(seen.object.facts.items()))


def _fact(
    name: str, label: Promise, css: str = "", *, look: str = "", card: bool = False
) -> Column:
    look = look or ("number" if css == "num" else "text")
    return Column(
        f"facts.{name}", label, lambda seen: seen.object.facts.get(name, ""), look, css, card,
        fields=("facts",),
    )  # fmt: skip


def _share(resource: str) -> Callable[[Seen], Any]:
    """How full a node is, and whether its cluster measures that."""
    return lambda seen: (getattr(seen.load, resource), seen.load.metrics) if seen.load else ""


def _pods(seen: Seen) -> Any:
    """How many, of how many, those in trouble, and the parameters of their list."""
    if seen.load is None:
        return ""
    load = seen.load
    here = urlencode({"cluster": seen.cluster.name, "node": seen.object.name, "sort": "-cpu"})
    return load.pods, load.most_pods, load.troubled, load.pods_width, here


def _kubelet(seen: Seen) -> Any:
    """Its version, and the API server's where that is newer."""
    return seen.object.facts.get("version", ""), seen.load.behind if seen.load else ""


# What a node's load is made of.
_LOADED = ("cpu", "facts", "memory")
_ALL = (
    Column("name", _("Name"), lambda seen: seen.object.name, "name", card=True),
    Column(
        "cluster", _("Cluster"), lambda seen: (seen.cluster.name, seen.cluster.environment),
        "cluster", card=True,
    ),
    Column(
        "namespace", _("Namespace"), lambda seen: seen.object.namespace, "long", "short", card=True
    ),
    Column(
        "status", _("Status"), lambda seen: (seen.object.status, seen.shown_health),
        "status", card=True,
    ),
    Column(
        "ready", _("Ready"), lambda seen: f"{seen.object.ready}/{seen.object.wanted}", css="num"
    ),
    Column("restarts", _("Restarts"), lambda seen: seen.object.restarts, css="num"),
    Column("node", _("Node"), lambda seen: seen.object.node, "long", "hide-lg mono short"),
    Column("owner", _("Owner"), _owner, css="mono", fields=("owner_kind", "owner_name")),
    Column(
        "image", _("Images"), lambda seen: ", ".join(seen.object.images), "long", "hide-lg mono",
        fields=("images",),
    ),
    Column("labels", _("Labels"), _labels, "long", "mono", fields=("labels",)),
    Column("cpu", _("CPU"), lambda seen: seen.object.cpu, "cpu", "num", fields=("cpu",)),
    Column(
        "memory", _("Memory"), lambda seen: seen.object.memory, "memory", "num", fields=("memory",)
    ),
    Column("load.cpu", _("CPU"), _share("cpu"), "share", card=True, fields=_LOADED),
    Column("load.memory", _("Memory"), _share("memory"), "share", card=True, fields=_LOADED),
    Column("load.pods", _("Pods"), _pods, "pods", card=True, fields=_LOADED),
    Column("kubelet", _("Kubelet"), _kubelet, "kubelet", fields=_LOADED),
    Column("since", _("In this state"), lambda seen: seen.object.since, "age", "num",
           fields=("since",)),
    Column("age", _("Age"), lambda seen: seen.object.created, "age", "num"),
    Column("kind", _("Kind"), lambda seen: seen.object.kind, card=True),
    Column("uid", _("UID"), lambda seen: seen.object.uid, css="mono", fields=("uid",)),
    Column("limits", _("Used of allowed"), _limits, "long", fields=("facts",)),
    _fact("taints", _("Taints"), "mono short", look="long"),
    _fact("ip", _("IP"), "mono"),
    _fact("reason", _("Reason")),
    _fact("version", _("Version")),
    _fact("zone", _("Zone")),
    _fact("region", _("Region"), "hide-lg"),
    _fact("instanceType", _("Instance type"), "hide-lg"),
    _fact("pods", _("Most pods"), "num"),
    _fact("revision", _("Revision"), "num"),
    _fact("paused", _("Paused")),
    _fact("completions", _("Completions"), "nowrap"),
    _fact("schedule", _("Schedule"), "mono"),
    _fact("suspended", _("Suspended")),
    _fact("active", _("Active"), "num"),
    _fact("lastSchedule", _("Last schedule"), "mono hide-lg"),
    _fact("type", _("Type")),
    _fact("clusterIP", _("Cluster IP"), "mono"),
    _fact("externalIP", _("External IP"), "mono"),
    _fact("ports", _("Ports"), "mono hide-lg"),
    _fact("class", _("Class")),
    _fact("hosts", _("Hosts"), "mono"),
    _fact("address", _("Address"), "mono"),
    _fact("volume", _("Volume"), "mono"),
    _fact("capacity", _("Capacity")),
    _fact("claim", _("Claim"), "mono"),
    _fact("provisioner", _("Provisioner"), "mono"),
    _fact("default", _("Default")),
    _fact("target", _("Target"), "mono"),
    _fact("min", _("Min"), "num"),
    _fact("max", _("Max"), "num"),
    _fact("current", _("Current"), "num"),
    _fact("desired", _("Desired"), "num"),
    _fact("minAvailable", _("Min available")),
    _fact("maxUnavailable", _("Max unavailable")),
    _fact("allowed", _("Allowed disruptions"), "num"),
    _fact("object", _("Object"), "mono short", look="long", card=True),
    _fact("message", _("Message"), "wrap", look="lines", card=True),
    _fact("count", _("Times"), "num"),
    _fact("source", _("Source"), "hide-lg"),
    _fact("release", _("Release"), "mono"),
    _fact("chart", _("Chart")),
    _fact("chartVersion", _("Chart version")),
    _fact("appVersion", _("App version")),
)  # fmt: skip
COLUMNS = {column.key: column for column in _ALL}
# What a list begins and ends with, whatever it shows between; a status only where there is one.
_FIRST, _LAST = ("name", "cluster", "namespace", "status"), ("age",)
_STATELESS = frozenset({"ConfigMap", "Secret", "ServiceAccount", "NetworkPolicy", "StorageClass"})
# What each kind shows between. "." stands for a fact.
_SHOWN = {
    "Workload": "kind ready image since",
    "Pod": "ready restarts node",
    "Node": ".reason load.cpu load.memory load.pods kubelet .taints since",
    "Namespace": "",
    "Deployment": "ready .revision image",
    "StatefulSet": "ready image",
    "DaemonSet": "ready image",
    "ReplicaSet": "ready owner .revision",
    "Job": ".completions owner image",
    "CronJob": ".schedule .suspended .active .lastSchedule",
    "Service": ".type .clusterIP .externalIP .ports",
    "Ingress": ".class .hosts .address",
    "HelmRelease": ".release .revision .chart .chartVersion .appVersion",
    "PersistentVolumeClaim": ".volume .capacity .class",
    "PersistentVolume": ".capacity .claim .reason .class",
    "StorageClass": ".provisioner .default",
    "HorizontalPodAutoscaler": ".target .min .max .current .desired",
    "PodDisruptionBudget": ".minAvailable .maxUnavailable .allowed ready",
    "ResourceQuota": "limits",
    "Event": ".object .message .count",
}
# What may be added beside what every kind has.
_MORE = {
    "Workload": "owner restarts .reason .completions .schedule .revision",
    "Pod": "owner image cpu memory .ip .reason",
    "Node": ".zone .instanceType .region .version cpu memory .pods",
    "Deployment": ".paused",
    "StatefulSet": "owner",
    "DaemonSet": "owner",
    "ReplicaSet": "image",
    "CronJob": "image",
    "HorizontalPodAutoscaler": "ready",
    "Event": ".type .source",
}
_ANY = ("labels", "since", "uid")
# In which order a list begins, where it is not by name.
_BEGINS = {"Event": "age"}


def is_namespaced(kind: str) -> bool:
    """Whether objects of the kind stand in namespaces; of a custom one nobody knows for sure."""
    return kind not in KINDS or KINDS[kind].namespaced


def _keys(words: str) -> list[str]:
    return [f"facts{word}" if word.startswith(".") else word for word in words.split()]


def _has(kind: str, key: str) -> bool:
    if key == "namespace":
        return is_namespaced(kind)
    return key != "status" or kind not in _STATELESS


def usual(kind: str) -> list[Column]:
    """What the list of a kind shows unless somebody chose otherwise."""
    between = _keys(_SHOWN.get(kind, "" if kind in _STATELESS else "owner"))
    return [COLUMNS[key] for key in (*_FIRST, *between, *_LAST) if _has(kind, key)]


def possible(kind: str) -> list[Column]:
    """All that the list of a kind can show, what is usual first."""
    more = [*_keys(_MORE.get(kind, "")), *_ANY]
    return list(dict.fromkeys([*usual(kind), *(COLUMNS[key] for key in more)]))


def chosen(kind: str, keys: Iterable[str]) -> list[Column]:
    """The columns with these keys that the kind has, each once, the name first; `usual` if none."""
    known = {column.key: column for column in possible(kind)}
    found = [known[key] for key in dict.fromkeys(keys) if key in known and key != "name"]
    return [known["name"], *found] if found else usual(kind)


def fields(columns: Sequence[Column]) -> list[str]:
    """The fields of objects that the columns need beside what every list asks for."""
    return sorted({name for column in columns for name in column.fields})


def beginning(kind: str) -> str:
    """The order in which the list of a kind begins."""
    return _BEGINS.get(kind, "name")
