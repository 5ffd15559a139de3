"""Drains as operations: what budgets hold is told, a killed worker leaves an honest end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster, Object
from operations import executor, tasks
from operations.models import Operation
from teams.models import User
from testbed.cluster import Cluster as RealCluster
from testbed.waiting import wait_until
from tests.explorer.acted import ask, ran, seen, told
from tests.faults.processes import of_this_test
from tests.kube import acted
from tests.kube.acted import CORE
from tests.operations.conftest import silence

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]
RUN = "import django; django.setup(); from operations import executor; executor.run('%s')"


@pytest.fixture
def node(cluster: RealCluster) -> Iterator[tuple[str, Any]]:
    with acted.own_node(cluster) as made:
        yield made


@pytest.fixture
def held(cluster: RealCluster, real: Cluster, namespace: str, node: Any) -> Object:
    """The row of a node with two pods that no eviction is allowed of."""
    name, spec = node
    acted.deployment(cluster, namespace, replicas=2, **spec)
    acted.budget(cluster, namespace, "web", least="100%")
    return seen(real, "Node", cluster.api.get(f"{CORE}/nodes/{name}"))


def test_a_budget_that_never_allows_is_the_reason(
    client: Client, worker: User, held: Object, cluster: RealCluster
) -> None:
    body = {"action": "drain", "arguments": {"timeout": 5}}
    made = ran(ask(client, f"/api/v1/objects/{held.pk}/actions", worker, body))
    assert made.status == "failed"
    ((status, words),) = told(made)
    assert status == "failed"
    assert words.startswith("After 5 s 2 of 2 pods are still there.")
    assert "The disruption budget web needs 2 healthy pods and has 2: it lets no pod go." in words
    client.cookies["django_language"] = "zh-hans"
    page = client.get(f"/operations/{made.pk}/").content.decode()
    assert "it lets no pod go" not in page.partition('id="log"')[0].partition('id="steps"')[2]
    assert len(acted.on(cluster, held.name)) == 2


def test_a_killed_worker_leaves_an_end_and_no_second_run(
    client: Client, worker: User, held: Object, cluster: RealCluster
) -> None:
    body = {"action": "drain", "arguments": {"timeout": 600}}
    answer = ask(client, f"/api/v1/objects/{held.pk}/actions", worker, body)
    made = Operation.objects.get(pk=answer.json()["operation"]["id"])
    process = subprocess.Popen([sys.executable, "-c", RUN % made.pk], env=of_this_test())
    try:
        wait_until(lambda: "of 2 pods" in told(made)[0][1], "the drain goes on", timeout=120)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert told(made)[0][0] == "running"
    silence(made)
    tasks.sweep_operations()
    made.refresh_from_db()
    assert (made.status, made.error) == ("failed", executor.LOST)
    assert told(made) == [("failed", executor.LOST)]
    # Delivered again, it does nothing: the node may be let go meanwhile.
    path = f"{CORE}/nodes/{held.name}"
    assert cluster.api.get(path)["spec"]["unschedulable"] is True
    cluster.api.patch(path, {"spec": {"unschedulable": None}})
    executor.run(str(made.pk))
    assert "unschedulable" not in cluster.api.get(path)["spec"]
    # Another may be asked for at once.
    body["arguments"] = {"timeout": 5}
    again = ask(client, f"/api/v1/objects/{held.pk}/actions", worker, body)
    assert again.status_code == 202


def test_a_drain_is_cancelled_between_evictions(
    client: Client, worker: User, held: Object, cluster: RealCluster
) -> None:
    body = {"action": "drain"}
    answer = ask(client, f"/api/v1/objects/{held.pk}/actions", worker, body)
    made = Operation.objects.get(pk=answer.json()["operation"]["id"])
    with subprocess.Popen([sys.executable, "-c", RUN % made.pk], env=of_this_test()) as process:
        wait_until(lambda: "of 2 pods" in told(made)[0][1], "the drain goes on", timeout=120)
        client.post(f"/operations/{made.pk}/cancel/")
        assert process.wait(60) == 0
    made.refresh_from_db()
    assert made.status == "cancelled"
    assert told(made) == [("cancelled", "Stopped: 0 pods have left, it takes no new ones.")]
    # The way back is offered.
    page = client.get(f"/operations/{made.pk}/").content.decode()
    assert f"/operations/{made.pk}/undo/" in page
