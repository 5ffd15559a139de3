"""Every kind beside a real API server: its columns must be those that `kubectl get` prints."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from clusters.kube.client import Client
from clusters.kube.kinds import KINDS
from clusters.kube.types import SERVICE_ACCOUNT, Connection, Row
from testbed.cluster import Cluster
from testbed.waiting import NotReady, wait_until
from tests.kube import every_kind

pytestmark = pytest.mark.cluster

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
Cells = dict[str, Any]

# What settles within seconds; what does not (an autoscaler looks every 15 s) is only compared.
SETTLED = {
    ("Deployment", "web"): ("Available", "healthy"),
    ("Deployment", "none"): ("ScaledDown", "idle"),
    ("Deployment", "paused"): ("Paused", "degraded"),
    ("Deployment", "stuck"): ("ProgressDeadlineExceeded", "failing"),
    ("StatefulSet", "store"): ("Available", "healthy"),
    ("StatefulSet", "stuck"): ("Unavailable", "degraded"),
    ("DaemonSet", "agent"): ("Available", "healthy"),
    ("DaemonSet", "nowhere"): ("NoNodes", "idle"),
    ("ReplicaSet", "bare"): ("Available", "healthy"),
    ("Job", "done"): ("Complete", "idle"),
    ("Job", "three"): ("Complete", "idle"),
    ("Job", "queue"): ("Suspended", "idle"),
    ("Job", "late"): ("Failed", "failing"),
    ("CronJob", "nightly"): ("Scheduled", "healthy"),
    ("CronJob", "held"): ("Suspended", "idle"),
    ("Service", "web"): ("Active", "healthy"),
    ("Service", "balanced"): ("Pending", "progressing"),
    ("Ingress", "web"): ("NoAddress", "idle"),
    ("PersistentVolumeClaim", "bound"): ("Bound", "healthy"),
    ("PersistentVolumeClaim", "slow"): ("Pending", "progressing"),
    ("PodDisruptionBudget", "one"): ("Allowing", "healthy"),
    ("ResourceQuota", "roomy"): ("WithinLimits", "healthy"),
    ("ResourceQuota", "full"): ("Exhausted", "degraded"),
    ("ConfigMap", "settings"): ("", "idle"),
    ("Secret", "password"): ("", "idle"),
    ("ServiceAccount", "robot"): ("", "idle"),
    ("NetworkPolicy", "closed"): ("", "idle"),
}


def quotas(cells: Cells) -> dict[str, str]:
    parts = (part for name in ("Request", "Limit") for part in cells[name].split(", ") if part)
    return dict(part.split(": ") for part in parts)


def ready(row: Row) -> Cells:
    return {"Ready": f"{row.ready}/{row.wanted}"}


def desired(row: Row) -> Cells:
    return {"Desired": row.wanted, "Ready": row.ready}


def fact(row: Row, name: str, missing: str = "<none>") -> str:
    return row.facts.get(name, missing)


COLUMNS: dict[str, Callable[[Row], Cells]] = {
    "Namespace": lambda row: {"Status": row.status},
    "Node": lambda row: {"Status": row.status, "Version": row.facts["version"]},
    "Pod": lambda row: {
        **ready(row),
        "Status": row.status,
        "Restarts": str(row.restarts),
        "IP": fact(row, "ip"),
        "Node": row.node or "<none>",
    },
    "Deployment": ready,
    "StatefulSet": ready,
    "DaemonSet": desired,
    "ReplicaSet": desired,
    "Job": lambda row: {"Status": row.status, "Completions": row.facts["completions"]},
    "CronJob": lambda row: {
        "Schedule": row.facts["schedule"],
        "Suspend": "True" if "suspended" in row.facts else "False",
        "Active": int(row.facts["active"]),
    },
    "Service": lambda row: {
        "Type": row.facts["type"],
        "Cluster-IP": fact(row, "clusterIP"),
        "External-IP": fact(
            row, "externalIP", "<pending>" if row.status == "Pending" else "<none>"
        ),
        "Port(s)": fact(row, "ports"),
    },
    "Ingress": lambda row: {
        "Class": fact(row, "class"),
        "Hosts": row.facts["hosts"],
        "Address": fact(row, "address", ""),
    },
    "PersistentVolumeClaim": lambda row: {
        "Status": row.status,
        "Volume": fact(row, "volume", ""),
        "Capacity": fact(row, "capacity", ""),
        "StorageClass": fact(row, "class", ""),
    },
    "PersistentVolume": lambda row: {
        "Status": row.status,
        "Capacity": row.facts["capacity"],
        "Claim": fact(row, "claim", ""),
        "StorageClass": fact(row, "class", ""),
    },
    "StorageClass": lambda row: {"Provisioner": row.facts["provisioner"]},
    "HorizontalPodAutoscaler": lambda row: {
        "Reference": row.facts["target"],
        "MinPods": row.facts["min"],
        "MaxPods": int(row.facts["max"]),
        "Replicas": row.ready,
    },
    "PodDisruptionBudget": lambda row: {
        "Min Available": fact(row, "minAvailable", "N/A"),
        "Max Unavailable": fact(row, "maxUnavailable", "N/A"),
        "Allowed Disruptions": int(row.facts["allowed"]),
    },
    "Event": lambda row: {
        "Type": row.facts["type"],
        "Reason": row.status,
        "Object": f"{row.owner_kind.lower()}/{row.owner_name}",
        "Message": row.facts["message"],
        "Count": int(row.facts["count"]),
    },
}


@pytest.fixture
def made(cluster: Cluster, namespace: str) -> Iterator[str]:
    """A namespace that has objects of every kind."""
    every_kind.make(cluster.api, namespace)
    yield namespace
    every_kind.remove(cluster.api, namespace)


def test_rows_tell_what_kubectl_prints(connection: Connection, made: str) -> None:
    with Client(connection, SERVICE_ACCOUNT) as client:
        compared = {kind: _compare(client, kind, made) for kind in KINDS}
        _await_settled(client, made)
        settled = {kind: _compare(client, kind, made) for kind in KINDS}
    assert {kind for kind, number in settled.items() if not number} == {"HelmRelease"}
    assert sum(compared.values()) > 30


def _compare(client: Client, kind: str, namespace: str) -> int:
    """How many objects the server and we tell the same of; those that changed meanwhile not."""
    rows = {row.uid: row for row in _rows(client, kind, namespace)}
    number = 0
    for uid, version, cells in _printed(client, kind, namespace):
        row = rows.get(uid)
        if row is None or row.resource_version != version:
            continue
        number += 1
        if kind == "ResourceQuota":
            assert row.facts == quotas(cells), row
            continue
        expected = COLUMNS[kind](row) if kind in COLUMNS else {}
        # The time of the last restart follows the number of them.
        told = {name: cells[name] for name in expected}
        if "Restarts" in told:
            told["Restarts"] = told["Restarts"].split(" ")[0]
        assert expected == told, row
        assert kind == "Event" or cells["Name"].removesuffix(" (default)") == row.name
    return number


def _rows(client: Client, kind: str, namespace: str) -> list[Row]:
    if not KINDS[kind].namespaced:
        return client.rows(kind)
    return client.rows(kind, namespace)


def _printed(client: Client, kind: str, namespace: str) -> Iterator[tuple[str, int, Cells]]:
    """The server's own table: uid, version and the cells by their column."""
    path = every_kind.path(kind, namespace)
    table = client.get(path, {"includeObject": "Metadata", **KINDS[kind].params}, accept=TABLE)
    names = [column["name"] for column in table["columnDefinitions"]]
    for each in table["rows"] or []:
        metadata = each["object"]["metadata"]
        cells = dict(zip(names, each["cells"], strict=True))
        yield metadata["uid"], int(metadata["resourceVersion"]), cells


def _await_settled(client: Client, namespace: str) -> None:
    """Waits until everything is in the state that it will stay in."""
    kinds = {kind for kind, _name in SETTLED}
    told: dict[tuple[str, str], tuple[str, str]] = {}

    def is_settled() -> bool:
        rows = [row for kind in kinds for row in client.rows(kind, namespace)]
        found = {(row.kind, row.name): (row.status, row.health) for row in rows}
        told.update((key, found[key]) for key in SETTLED)
        return told == SETTLED

    with suppress(NotReady):
        wait_until(is_settled, "the state of all objects", timeout=45)
    assert told == SETTLED
