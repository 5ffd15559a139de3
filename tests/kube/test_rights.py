"""What an account may do, asked of a real API server as accounts with different rights."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from clusters.kube import errors
from clusters.kube.client import Client
from clusters.kube.discovery import custom_resources
from clusters.kube.kinds import KINDS
from clusters.kube.rights import ACTIONS, review
from clusters.kube.types import SERVICE_ACCOUNT, Connection, Identity
from testbed.cluster import Cluster
from testbed.waiting import wait_until

pytestmark = pytest.mark.cluster

NOBODY = Identity("mcm:rights-nobody")


def test_an_account_with_all_rights(connection: Connection) -> None:
    with Client(connection, SERVICE_ACCOUNT) as client:
        found = review(client)
    assert found.kinds == dict.fromkeys(KINDS, True)
    assert found.actions == dict.fromkeys(ACTIONS, True)
    assert found.complete
    plain = msgspec.to_builtins(found)
    parts = {"kinds", "actions", "metrics", "customResources", "complete", "at", "account"}
    assert set(plain) == parts
    assert plain["account"] == "admin"
    assert isinstance(plain["customResources"], int)


def test_an_account_without_rights(connection: Connection) -> None:
    with Client(connection, NOBODY) as client:
        found = review(client)
        custom_resources(client)  # everybody may discover
    assert found.kinds == dict.fromkeys(KINDS, False)
    assert found.actions == dict.fromkeys(ACTIONS, False)
    assert (found.metrics, found.complete) == (False, True)
    assert found.account == "mcm:rights-nobody"


@pytest.fixture
def reader(cluster: Cluster, namespace: str) -> Iterator[Identity]:
    """Reads pods, Deployments (without watching them) and logs; a Role in a namespace is no right.

    What it may do in one namespace, it may not do in the cluster.
    """
    api = cluster.api
    name = f"mcm:{namespace}"
    rules = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list", "create"]},
        {"apiGroups": ["batch"], "resources": ["*"], "verbs": ["*"]},
    ]
    subjects = [{"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}]
    role = {"kind": "ClusterRole", "name": namespace, "apiGroup": "rbac.authorization.k8s.io"}
    everything = {**role, "name": "cluster-admin"}
    start = "/apis/rbac.authorization.k8s.io/v1"

    def made(kind: str, **parts: Any) -> dict[str, Any]:
        version = "rbac.authorization.k8s.io/v1"
        return {"apiVersion": version, "kind": kind, "metadata": {"name": namespace}, **parts}

    api.post(f"{start}/clusterroles", made("ClusterRole", rules=rules))
    binding = made("ClusterRoleBinding", subjects=subjects, roleRef=role)
    api.post(f"{start}/clusterrolebindings", binding)
    local = made("RoleBinding", subjects=subjects, roleRef=everything)
    api.post(f"{start}/namespaces/{namespace}/rolebindings", local)
    yield Identity(name)
    api.delete(f"{start}/clusterrolebindings/{namespace}")
    api.delete(f"{start}/clusterroles/{namespace}")


def test_an_account_with_some_rights(connection: Connection, reader: Identity) -> None:
    with Client(connection, reader) as client:
        # The authorizer hears of new rules a moment later.
        wait_until(lambda: review(client).kinds["Job"], "the new rights", timeout=20)
        found = review(client)
    allowed = {kind for kind, may in found.kinds.items() if may}
    assert allowed == {"Pod", "Job", "CronJob"}
    assert {action for action, may in found.actions.items() if may} == {"logs"}
    assert found.complete


def test_what_is_not_known_in_time_is_left_out(connection: Connection) -> None:
    with Client(connection, NOBODY) as client:
        found = review(client, seconds=0)
    assert (found.kinds, found.actions, found.complete) == ({}, {}, False)


def test_a_cluster_that_cannot_be_asked_is_an_error(connection: Connection) -> None:
    away = Connection(server="https://127.0.0.1:1", ca=connection.ca, token="x")
    with Client(away, SERVICE_ACCOUNT) as client, pytest.raises(errors.Unreachable):
        review(client)
