"""Objects of a real cluster to act on, and a node that no other test's pods are put on."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from clusters.kube.acting.target import Target
from clusters.kube.kinds import KINDS
from testbed.api import suppress_missing
from testbed.cluster import Cluster
from testbed.waiting import wait_until

Json = dict[str, Any]
APPS, BATCH, CORE = "/apis/apps/v1", "/apis/batch/v1", "/api/v1"


def target(kind: str, found: Json, version: str = "") -> Target:
    """The object as an act means it."""
    meta = found["metadata"]
    path = KINDS[kind].path
    return Target(kind, path, meta.get("namespace", ""), meta["name"], meta["uid"], version)


def deployment(
    cluster: Cluster, namespace: str, name: str = "web", replicas: int = 2, **pod: Any
) -> Json:
    """A Deployment whose pods are ready; `pod` is more of their spec."""
    labels = {"app": name}
    spec = {"containers": [{"name": "app", "image": "web:1"}], **pod}
    made = cluster.api.post(
        f"{APPS}/namespaces/{namespace}/deployments",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": spec},
            },
        },
    )
    path = f"{APPS}/namespaces/{namespace}/deployments/{name}"
    wait_until(lambda: ready(cluster, path) == replicas, f"{name} is ready", timeout=60)
    return made


def ready(cluster: Cluster, path: str) -> int:
    return int(cluster.api.get(path)["status"].get("readyReplicas", 0))


def budget(cluster: Cluster, namespace: str, name: str, least: int | str) -> None:
    """A PodDisruptionBudget of the app, once the controller has counted."""
    path = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    cluster.api.post(
        path,
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": name},
            "spec": {"minAvailable": least, "selector": {"matchLabels": {"app": name}}},
        },
    )

    def counted() -> bool:
        status = cluster.api.get(f"{path}/{name}").get("status", {})
        return bool(status.get("observedGeneration")) and status.get("currentHealthy", 0) > 0

    wait_until(counted, "the budget is counted", timeout=60)


def cron_job(cluster: Cluster, namespace: str, name: str = "report") -> Json:
    pod = {
        "restartPolicy": "Never",
        "containers": [{"name": "app", "image": "report:1"}],
    }
    return cluster.api.post(
        f"{BATCH}/namespaces/{namespace}/cronjobs",
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": name},
            "spec": {
                "schedule": "0 0 1 1 *",
                "jobTemplate": {"spec": {"template": {"spec": pod}}},
            },
        },
    )


def pod(cluster: Cluster, namespace: str, name: str, **spec: Any) -> Json:
    """A pod that nobody owns, running."""
    path = f"{CORE}/namespaces/{namespace}/pods"
    containers = [{"name": "app", "image": "web:1"}]
    made = cluster.api.post(
        path,
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"containers": containers, **spec},
        },
    )  # fmt: skip
    runs: Callable[[], bool] = lambda: phase(cluster, f"{path}/{name}") == "Running"  # noqa: E731
    wait_until(runs, f"{name} runs", timeout=60)
    return made


def phase(cluster: Cluster, path: str) -> str:
    return str(cluster.api.get(path)["status"].get("phase", ""))


@contextmanager
def own_node(cluster: Cluster) -> Iterator[tuple[str, Json]]:
    """A node and what a pod's spec needs to stand on it; pods of others never do."""
    name = f"own-{uuid.uuid4().hex[:8]}"
    like = cluster.api.get(f"{CORE}/nodes")["items"][0]
    labels = {**like["metadata"]["labels"], "kubernetes.io/hostname": name, "own": name}
    taint = {"key": "own", "value": name, "effect": "NoSchedule"}
    cluster.api.post(
        f"{CORE}/nodes",
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": labels,
                "annotations": like["metadata"].get("annotations", {}),
            },
            "spec": {"taints": [taint]},
            "status": {
                key: like["status"][key]
                for key in ("capacity", "allocatable", "nodeInfo", "addresses", "daemonEndpoints")
            },
        },
    )
    toleration = {"key": "own", "operator": "Equal", "value": name, "effect": "NoSchedule"}
    try:
        yield name, {"nodeSelector": {"own": name}, "tolerations": [toleration]}
    finally:
        with suppress_missing():
            cluster.api.delete(f"{CORE}/nodes/{name}")


def on(cluster: Cluster, node: str) -> set[str]:
    """The names of the pods on a node."""
    found = cluster.api.items(f"{CORE}/pods", fieldSelector=f"spec.nodeName={node}")
    return {item["metadata"]["name"] for item in found}
