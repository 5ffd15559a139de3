"""Emptying real nodes: what goes, what stays, what budgets hold back."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from clusters.kube.acting import drain
from clusters.kube.acting.drain import Options, Progress
from clusters.kube.acting.target import Did, Unfit
from clusters.kube.client import Client
from clusters.kube.types import SERVICE_ACCOUNT, Connection
from testbed.cluster import Cluster
from testbed.waiting import wait_until
from tests.kube import acted
from tests.kube.acted import APPS, CORE, target

pytestmark = pytest.mark.cluster


@pytest.fixture
def client(connection: Connection) -> Iterator[Client]:
    with Client(connection, SERVICE_ACCOUNT) as made:
        yield made


class Drained:
    """Drains a node and keeps what is told meanwhile."""

    def __init__(self, cluster: Cluster, client: Client, node: str) -> None:
        self.progress: list[Progress] = []
        self.lines: list[str] = []
        self.stopped = threading.Event()
        self._client = client
        self.target = target("Node", cluster.api.get(f"{CORE}/nodes/{node}"))

    def __call__(self, **options: Any) -> Did:
        wanted = Options(**{"timeout": 60, "grace": 0, **options})
        return drain.drain(
            self._client, self.target, wanted,
            tell=self.progress.append, log=self.lines.append, stopped=self.stopped,
        )  # fmt: skip


@pytest.fixture
def node(cluster: Cluster) -> Iterator[tuple[str, Any]]:
    with acted.own_node(cluster) as made:
        yield made


def test_pods_leave_and_those_of_daemon_sets_stay(
    cluster: Cluster, client: Client, namespace: str, node: Any
) -> None:
    name, spec = node
    acted.deployment(cluster, namespace, replicas=3, **spec)
    labels = {"app": "agent"}
    cluster.api.post(
        f"{APPS}/namespaces/{namespace}/daemonsets",
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "agent"},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "app", "image": "agent:1"}], **spec},
                },
            },
        },
    )
    wait_until(lambda: len(acted.on(cluster, name)) == 4, "all pods are there", timeout=60)
    drained = Drained(cluster, client, name)
    did = drained()
    assert {pod[:5] for pod in acted.on(cluster, name)} == {"agent"}
    assert cluster.api.get(drained.target.url())["spec"]["unschedulable"] is True
    assert did.facts == {"gone": 3, "staying": 1}
    assert did.undo == ("uncordon", {})
    assert drained.progress[-1] == Progress(3, 3, {})
    assert sum(line.endswith("has left") for line in drained.lines) == 3


def test_what_is_not_confirmed_changes_nothing(
    cluster: Cluster, client: Client, namespace: str, node: Any
) -> None:
    name, spec = node
    acted.pod(cluster, namespace, "alone", **spec)
    acted.deployment(
        cluster, namespace, replicas=1, volumes=[{"name": "cache", "emptyDir": {}}], **spec
    )
    drained = Drained(cluster, client, name)
    with pytest.raises(Unfit, match=f"Nobody would make these pods anew: {namespace}/alone"):
        drained()
    with pytest.raises(Unfit, match=f"emptyDirs: {namespace}/web-"):
        drained(unmanaged=True)
    assert "unschedulable" not in cluster.api.get(drained.target.url())["spec"]
    assert len(acted.on(cluster, name)) == 2
    drained(unmanaged=True, empty_dirs=True)
    assert acted.on(cluster, name) == set()


def test_a_budget_that_never_allows_is_told_and_ends_it(
    cluster: Cluster, client: Client, namespace: str, node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "ROUND", 0.5)
    name, spec = node
    acted.deployment(cluster, namespace, replicas=2, **spec)
    acted.budget(cluster, namespace, "web", least="100%")
    drained = Drained(cluster, client, name)
    with pytest.raises(Unfit) as late:
        drained(timeout=3)
    said = str(late.value)
    assert said.startswith("After 3 s 2 of 2 pods are still there.")
    assert "The disruption budget web needs 2 healthy pods and has 2" in said
    assert len(drained.progress[-1].waiting) == 2
    assert len(acted.on(cluster, name)) == 2
    # Each is told once, not in every round.
    assert sum("waits" in line for line in drained.lines) == 2


def test_a_budget_lets_them_go_one_after_the_other(
    cluster: Cluster, client: Client, namespace: str, node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "ROUND", 0.5)
    name, spec = node
    # Their label lets new ones stand on other nodes: only the taint is tolerated.
    acted.deployment(cluster, namespace, replicas=2, **spec)
    acted.budget(cluster, namespace, "web", least=2)
    drained = Drained(cluster, client, name)

    def loosen(progress: Progress) -> None:
        drained.progress.append(progress)
        if len(progress.waiting) == 2:
            path = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets/web"
            cluster.api.patch(path, {"spec": {"minAvailable": 0}})

    did = drain.drain(
        client, drained.target, Options(timeout=60, grace=0),
        tell=loosen, log=drained.lines.append, stopped=drained.stopped,
    )  # fmt: skip
    assert did.facts == {"gone": 2, "staying": 0}
    assert drained.progress[0].waiting
    assert drained.progress[-1].waiting == {}


def test_it_can_be_stopped(cluster: Cluster, client: Client, namespace: str, node: Any) -> None:
    name, spec = node
    acted.deployment(cluster, namespace, replicas=2, **spec)
    acted.budget(cluster, namespace, "web", least=2)
    drained = Drained(cluster, client, name)
    stop = drained.stopped
    did = drain.drain(
        client, drained.target, Options(timeout=60),
        tell=lambda _progress: stop.set(), log=drained.lines.append, stopped=stop,
    )  # fmt: skip
    assert did.words.startswith("Stopped")
    assert len(acted.on(cluster, name)) == 2
    assert did.undo == ("uncordon", {})
