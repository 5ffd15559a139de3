"""Statistics, use now, and use over time by the API, for those who see all and those who do not."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from clusters.kube import kubeconfig, metrics
from clusters.models import Capacity, Cluster, KindState, Status
from clusters.services import figures
from clusters.store import usage
from clusters.store.usage import Sample
from teams.models import User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from testbed.waiting import wait_until
from tests import factories

pytestmark = pytest.mark.django_db


def asked(user: User, cluster: Cluster, what: str, **query: Any) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(f"/api/v1/clusters/{cluster.pk}/{what}", query)


def pods(cluster: Cluster, namespace: str, **statuses: str) -> None:
    """A pod for each status word, with its health."""
    for status, health in statuses.items():
        factories.PodFactory.create(
            cluster=cluster, namespace=namespace, status=status.replace("__", ":"), health=health
        )


@pytest.fixture
def many(prod: Cluster, shop: Any, bank: Any) -> Cluster:
    """prod with pods of every kind in shop, and one in bank."""
    pods(
        prod, "shop", Running="healthy", NotReady="degraded", Terminating="progressing",
        Pending="progressing", ContainerCreating="progressing", CrashLoopBackOff="failing",
        Init__ErrImagePull="failing", Completed="idle",
    )  # fmt: skip
    pods(prod, "bank", Evicted="failing")
    for name in ("shop", "bank"):
        factories.PodFactory.create(
            cluster=prod, kind="Namespace", namespace="", name=name, status="Active"
        )
    factories.NodeFactory.create(cluster=prod, name="node-1", cpu=4000, memory=8192)
    return prod


# --- statistics ----------------------------------------------------------------------------------
def test_a_pod_is_counted_once_and_one_that_succeeded_has_not_failed(
    many: Cluster, viewer: User
) -> None:
    answer = asked(viewer, many, "stats").json()
    assert answer == {
        "nodeCount": 1, "podCount": 9, "namespaceCount": 2, "runningPods": 3, "pendingPods": 2,
        "failedPods": 3, "succeededPods": 1, "freshness": "unknown", "observedAt": None,
    }  # fmt: skip


def test_who_sees_a_namespace_gets_its_figures(many: Cluster, shop_viewer: User) -> None:
    answer = asked(shop_viewer, many, "stats").json()
    assert (answer["nodeCount"], answer["namespaceCount"], answer["podCount"]) == (0, 1, 8)
    parts = ("runningPods", "pendingPods", "failedPods", "succeededPods")
    assert sum(answer[part] for part in parts) == 8


def test_statistics_say_how_old_they_are(many: Cluster, viewer: User) -> None:
    now = datetime.now(UTC)
    many.observed_at = now
    many.save()
    assert asked(viewer, many, "stats").json()["freshness"] == "live"
    lost, then = KindState.State.LOST, now - timedelta(hours=1)
    KindState.objects.create(cluster=many, kind="Pod", state=lost, observed_at=then)
    answer = asked(viewer, many, "stats").json()
    assert (answer["freshness"], answer["observedAt"]) == ("stale", then.isoformat())


# --- use now -------------------------------------------------------------------------------------
@pytest.mark.cluster
@pytest.mark.django_db(transaction=True)
def test_use_now_is_what_kubectl_top_would_print(
    cluster: RealCluster, namespace: str, admin: User
) -> None:
    template = {
        "metadata": {
            "name": "busy",
            "annotations": {"testbed.mcm/cpu": "200m", "testbed.mcm/memory": "64Mi"},
        },
        "spec": {"containers": [{"name": name, "image": "busy:1"} for name in ("app", "side")]},
    }
    template["metadata"]["annotations"]["testbed.mcm/phase"] = "0"  # type: ignore[index]
    cluster.api.post(
        f"/api/v1/namespaces/{namespace}/pods", {"apiVersion": "v1", "kind": "Pod", **template}
    )
    real = kubeconfig.parse(cluster.kubeconfig)
    mine = factories.ClusterFactory.create(name="real", connection=real)
    path = f"{metrics.PATH}/namespaces/{namespace}/pods"

    def measured() -> bool:
        return any(True for _ in cluster.api.items(path))

    wait_until(measured, "figures of the pod", timeout=90)
    answer = asked(admin, mine, "resources").json()
    assert {node["name"] for node in answer["nodes"]} <= {
        f"test-node-{n + 1:02d}" for n in range(cluster.spec.nodes)
    }
    assert answer["nodes"]
    [pod] = [pod for pod in answer["pods"] if pod["namespace"] == namespace]
    assert set(pod) == {"namespace", "name", "cpu", "memory"}
    # Two containers, each with the wave of the annotation around it.
    assert 2 * 50 < pod["cpu"] < 2 * 400
    assert 2 * 32 < pod["memory"] < 2 * 128

    space = factories.NamespaceFactory.create(cluster=mine, name=namespace)
    person = factories.UserFactory.create()
    factories.give(person, Role.VIEWER, space)
    seen = asked(person, mine, "resources").json()
    assert seen["nodes"] == []
    assert {pod["namespace"] for pod in seen["pods"]} == {namespace}


def test_a_cluster_that_refuses_is_a_bad_gateway(prod: Cluster, viewer: User) -> None:
    answer = asked(viewer, prod, "resources")
    assert answer.status_code == 502
    assert "nothing listens" in answer.json()["error"]


def test_a_cluster_that_hangs_is_a_timeout(
    prod: Cluster, viewer: User, black_hole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "DEADLINE", 0.5)
    prod.connection = factories.NOWHERE.__class__(server=f"https://127.0.0.1:{black_hole}")
    prod.save()
    begun = time.monotonic()
    answer = asked(viewer, prod, "resources")
    assert (answer.status_code, time.monotonic() - begun < 4) == (504, True)
    assert answer.json()["error"] == "The cluster did not answer in time."


def test_a_cluster_known_to_be_away_is_not_waited_for(
    prod: Cluster, viewer: User, listener: list[Any]
) -> None:
    port = listener[0]
    prod.connection = factories.NOWHERE.__class__(server=f"https://127.0.0.1:{port}")
    prod.status, prod.status_reason = Status.UNREACHABLE, "The cluster did not answer in time."
    prod.save()
    answer = asked(viewer, prod, "resources")
    assert answer.status_code == 502
    assert answer.json()["error"] == "The cluster did not answer in time."
    assert listener[1:] == []


@pytest.fixture
def listener() -> Iterator[list[Any]]:
    """A port, followed by whoever connected to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen: list[Any] = [server.getsockname()[1]]

        def accept() -> None:
            try:
                while True:
                    seen.append(server.accept())
            except OSError:
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield seen
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_credentials_that_do_not_open_are_a_bad_gateway(prod: Cluster, viewer: User) -> None:
    Cluster.objects.update(sealed_connection=b"damaged")
    answer = asked(viewer, prod, "resources")
    assert (answer.status_code, answer.json()["error"]) == (
        502, "The stored credentials cannot be opened.",
    )  # fmt: skip


# --- use over time -------------------------------------------------------------------------------
def test_the_use_of_a_cluster_comes_with_what_it_has(many: Cluster, viewer: User) -> None:
    Capacity.objects.create(
        cluster=many, cpu_allocatable=4000, memory_allocatable=8192, sampled_at=datetime.now(UTC)
    )
    usage.write(many.pk, [Sample("cluster", "", "", 500, 900)])
    answer = asked(viewer, many, "usage").json()
    assert (answer["scope"], answer["hours"]) == ("cluster", 24)
    assert len(answer["times"]) == len(answer["cpu"]) == len(answer["memory"]) == 24 * 60
    assert 500 in answer["cpu"][-2:]
    assert 900 in answer["memory"][-2:]
    assert (answer["cpuAllocatable"], answer["memoryAllocatable"]) == (4000, 8192)


def test_a_month_is_told_by_the_hour(many: Cluster, viewer: User) -> None:
    usage.write(many.pk, [Sample("node", "", "node-1", 500, 900)])
    answer = asked(viewer, many, "usage", scope="node", name="node-1", hours=720).json()
    assert len(answer["times"]) == 720
    assert answer["times"][1] - answer["times"][0] == 3600
    assert (answer["cpu"][-1], answer["cpuAllocatable"]) == (500, 4000)


def test_who_sees_a_namespace_sees_its_use_and_no_other(many: Cluster, shop_viewer: User) -> None:
    usage.write(many.pk, [Sample("namespace", "shop", "", 7, 8), Sample("pod", "shop", "a", 5, 6)])
    space = asked(shop_viewer, many, "usage", scope="namespace", namespace="shop").json()
    assert 7 in space["cpu"][-2:]
    assert space["cpuAllocatable"] is None
    pod = asked(shop_viewer, many, "usage", scope="pod", namespace="shop", name="a").json()
    assert 5 in pod["cpu"][-2:]
    for scope in ({"scope": "cluster"}, {"scope": "node", "name": "node-1"}):
        assert asked(shop_viewer, many, "usage", **scope).status_code == 403
    for name in ("bank", "none"):
        answer = asked(shop_viewer, many, "usage", scope="namespace", namespace=name)
        assert (answer.status_code, answer.json()["error"]) == (404, "Not found.")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"scope": "planet"}, "scope"),
        ({"hours": "0"}, "hours"),
        ({"hours": "721"}, "hours"),
        ({"hours": "many"}, "hours"),
        ({"scope": "node"}, "name"),
        ({"scope": "pod", "name": "a"}, "namespace"),
        ({"scope": "pod", "namespace": "a", "name": "a", "hours": "25"}, "hours"),
        ({"name": "a"}, "name"),
        ({"scop": "node"}, "scop"),
    ],
)
def test_a_wrong_question_is_told_by_field(
    query: dict[str, str], field: str, many: Cluster, viewer: User
) -> None:
    answer = asked(viewer, many, "usage", **query)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
