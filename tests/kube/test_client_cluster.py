"""The client beside a real API server."""

import random
import time
from typing import Any

import pytest

from clusters.kube import errors
from clusters.kube.client import Client
from clusters.kube.project import FAILING
from clusters.kube.types import SERVICE_ACCOUNT, Connection, Identity
from testbed.cluster import Cluster

pytestmark = pytest.mark.cluster


def test_the_steps_of_registering(connection: Connection) -> None:
    with Client(connection, SERVICE_ACCOUNT) as client:
        assert client.version().git_version.startswith("v1.")
        assert client.ready()
        assert len(client.system_uid()) == 36
        assert {row.kind for row in client.nodes()} == {"Node"}


def test_a_person_has_only_their_own_rights(connection: Connection) -> None:
    with Client(connection, Identity("mcm:nobody")) as client:
        assert client.system_uid() == ""
        with pytest.raises(errors.Forbidden, match='User "mcm:nobody" cannot list'):
            client.pods()


def test_a_wrong_token_is_unauthorized(connection: Connection) -> None:
    made = Connection(server=connection.server, ca=connection.ca, token="wrong")
    with Client(made, SERVICE_ACCOUNT) as client, pytest.raises(errors.Unauthorized):
        client.version()


def test_a_rollout_is_followed(cluster: Cluster, connection: Connection, namespace: str) -> None:
    labels = {"app": "web"}
    cluster.api.post(
        f"/apis/apps/v1/namespaces/{namespace}/deployments",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "app", "image": "web:1"}]},
                },
            },
        },
    )
    with Client(connection, SERVICE_ACCOUNT) as client:
        ends = time.monotonic() + 20
        while not (state := client.workload_state("Deployment", namespace, "web")).done:
            assert state.reason
            assert time.monotonic() < ends
        assert (state.ready, state.wanted, state.failed) == (2, 2, False)
        assert client.pod_problems(namespace, "app=web") == []
        pods = client.pods(namespace, "app=web")
        assert len(pods) == 2
        assert isinstance(client.log_tail(namespace, pods[0].name, "app", 5), str)
        with pytest.raises(errors.NotFound):
            client.workload_state("Job", namespace, "none")
        with pytest.raises(errors.NotFound):
            client.workload_state("Job", namespace, "../../secrets")


def test_status_words_are_those_of_kubectl(
    cluster: Cluster, connection: Connection, namespace: str
) -> None:
    """The API server prints the words itself (Table); random states must come out equal."""
    chance = random.Random(11)
    path = f"/api/v1/namespaces/{namespace}/pods"
    names = [f"odd-{number}" for number in range(150)]
    api = cluster.api
    for name in names:
        api.post(path, _odd_pod(name, chance))
        api.patch(f"{path}/{name}/status", {"status": _odd_status(chance)})
    for name in names[::5]:
        api.delete(f"{path}/{name}")
    with Client(connection, SERVICE_ACCOUNT) as client:
        table = client.get(path, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        rows = client.pods(namespace)
    for name in names:
        api.patch(f"{path}/{name}", {"metadata": {"finalizers": None}})
    printed = {cells[0]: [*cells[1:3], str(cells[3]).split(" ")[0]] for cells in _cells(table)}
    mine = {r.name: [f"{r.ready}/{r.wanted}", r.status, str(r.restarts)] for r in rows}
    assert mine == printed
    assert len({row.status for row in rows}) > 20
    assert {"Terminating", "Unknown"} <= {row.status for row in rows}


def _cells(table: dict[str, Any]) -> list[list[Any]]:
    return [row["cells"] for row in table["rows"]]


def _odd_pod(name: str, chance: random.Random) -> dict[str, Any]:
    sidecar = {"restartPolicy": "Always"}
    inits = [
        {"name": f"i{n}", "image": "x", **(sidecar if chance.random() < 0.3 else {})}
        for n in range(chance.randint(0, 2))
    ]
    containers = [{"name": f"c{n}", "image": "x"} for n in range(chance.randint(1, 3))]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "finalizers": ["mcm.test/stay"]},
        # No scheduler takes it, so nobody but this test writes its status.
        "spec": {"schedulerName": "nobody", "initContainers": inits, "containers": containers},
    }


def _odd_status(chance: random.Random) -> dict[str, Any]:
    gated = ("PodScheduled", "SchedulingGated")
    conditions = [
        {"type": name, "status": chance.choice(["True", "False"]), "reason": reason}
        for name, reason in (("Ready", ""), ("Initialized", ""), gated)
        if chance.random() < 0.4
    ]
    return {
        "phase": chance.choice(["Pending", "Running", "Succeeded", "Failed", "Unknown"]),
        "reason": chance.choice(["", "", "", "Evicted", "NodeLost", "DeadlineExceeded"]),
        "conditions": conditions,
        "initContainerStatuses": [_odd_container(f"i{n}", chance) for n in range(2)],
        "containerStatuses": [_odd_container(f"c{n}", chance) for n in range(3)],
    }


def _odd_container(name: str, chance: random.Random) -> dict[str, Any]:
    words = [*sorted(FAILING), "PodInitializing", "ContainerCreating"]
    state: dict[str, Any] = chance.choice(
        [
            {},
            {"running": {}},
            {"running": {}},
            {"waiting": {"reason": chance.choice(words)}},
            {"waiting": {}},
            {"terminated": {"exitCode": 0, "reason": "Completed"}},
            {"terminated": {"exitCode": 0}},
            {"terminated": {"exitCode": 1, "reason": "Error"}},
            {"terminated": {"exitCode": 3}},
            {"terminated": {"exitCode": 137, "signal": 9}},
        ]
    )
    return {
        "name": name,
        "state": state,
        "ready": chance.random() < 0.6,
        "started": chance.choice([True, False]),
        "restartCount": chance.randint(0, 4),
        "image": "x",
        "imageID": "",
    }
