"""Pods by the thousand, without scheduler and controllers: bound to nodes from the start."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import TypeVar

from testbed.api import Api, Json, suppress_missing
from testbed.cluster import Cluster
from testbed.waiting import wait_until

T = TypeVar("T")

LABEL = "testbed.mcm/bulk"
WRITERS = 8
APPS = ("web", "api", "worker", "queue", "cache", "cron", "auth", "search")


def make_pods(
    cluster: Cluster, count: int, namespace: str, *, first: int = 0, timeout: float = 600
) -> None:
    """Make `count` pods `bulk-NNNNN` (from `first` on) in `namespace`; returns when all run.

    The namespace is made when missing. NotReady after `timeout` seconds.
    """
    api = cluster.api
    api.create_missing({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    nodes = [node["metadata"]["name"] for node in api.items("/api/v1/nodes")]
    path = f"/api/v1/namespaces/{namespace}/pods"
    pods = _pods(first, count, nodes)
    with ThreadPoolExecutor(WRITERS) as writers:
        for done in [writers.submit(_create, api, path, share) for share in _shares(pods)]:
            done.result()
    wait_until(lambda: _none_pending(api, path), f"{count} pods", timeout=timeout)


def delete_pods(cluster: Cluster, namespace: str, *, timeout: float = 600) -> None:
    """Delete all pods that `make_pods` made in `namespace`; returns when they are gone."""
    api, path = cluster.api, f"/api/v1/namespaces/{namespace}/pods"
    # One by one: the deletion of a large collection outlives every request timeout.
    names = [pod["metadata"]["name"] for pod in api.items(path, labelSelector=LABEL)]
    with ThreadPoolExecutor(WRITERS) as writers:
        for done in [writers.submit(_delete, api, path, share) for share in _shares(names)]:
            done.result()
    wait_until(lambda: not _some(api, path, labelSelector=LABEL), "the end", timeout=timeout)


def _pods(first: int, count: int, nodes: list[str]) -> list[Json]:
    places = islice(cycle(nodes), count)
    return [_pod(first + number, node) for number, node in enumerate(places)]


def _pod(number: int, node: str) -> Json:
    app = APPS[number % len(APPS)]
    labels = {LABEL: "true", "app.kubernetes.io/name": app, "app.kubernetes.io/version": "1.0.0"}
    image = f"registry.example.com/bulk/{app}:1.0.0"
    requests = {"cpu": "10m", "memory": "16Mi"}
    container = {"name": app, "image": image, "resources": {"requests": requests}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"bulk-{number:05d}", "labels": labels},
        "spec": {"nodeName": node, "containers": [container], "terminationGracePeriodSeconds": 0},
    }


def _shares(everything: list[T]) -> Iterator[list[T]]:
    for writer in range(WRITERS):
        yield everything[writer::WRITERS]


def _create(api: Api, path: str, pods: list[Json]) -> None:
    for pod in pods:
        api.post(path, pod)


def _delete(api: Api, path: str, names: list[str]) -> None:
    now = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
    for name in names:
        with suppress_missing():
            api.delete(f"{path}/{name}", now)


def _none_pending(api: Api, path: str) -> bool:
    query = {"labelSelector": LABEL, "fieldSelector": "status.phase=Pending"}
    return not _some(api, path, **query)


def _some(api: Api, path: str, **query: str) -> bool:
    return bool(api.get(path, limit=1, **query)["items"])
