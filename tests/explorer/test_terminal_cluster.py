"""The terminal at a real API server, as one who holds a namespace."""

import asyncio
import json
from typing import Any

import pytest

from clusters.models import Cluster, Object
from explorer.consumers import session
from teams.audit import transcripts
from teams.models import User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from testbed.waiting import wait_until
from tests import factories
from tests.clusters.sockets import cookie_of, in_database
from tests.explorer.shelled import at, lines

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]
cookie = in_database(cookie_of)
API = "rbac.authorization.k8s.io"
ASKS = {"container": "frontend", "columns": 101, "rows": 31}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "ASK_SECONDS", 20.0)


@pytest.fixture
def tenant(real: Cluster, namespace: str) -> User:
    """Operates one namespace in MCM, and by the cluster's own RBAC nothing yet."""
    user = factories.UserFactory.create(username="tenant")
    factories.give(
        user, Role.OPERATOR, factories.NamespaceFactory.create(cluster=real, name=namespace)
    )
    return user


@pytest.fixture
def bound(tenant: User, cluster: RealCluster, namespace: str) -> User:
    """The tenant, as whom the cluster lets in."""
    team = tenant.membership_set.get().team.name
    group = f"mcm:team:{team}:operator:{namespace}"
    cluster.api.apply(
        {
            "apiVersion": f"{API}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "tenants", "namespace": namespace},
            "roleRef": {"apiGroup": API, "kind": "ClusterRole", "name": "edit"},
            "subjects": [{"apiGroup": API, "kind": "Group", "name": group}],
        }
    )
    return tenant


@pytest.fixture
def running(real: Cluster, cluster: RealCluster, namespace: str) -> Object:
    """A pod that runs, as the inventory knows it."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    spec = {"containers": [{"name": "frontend", "image": "registry.example/web:1"}]}
    cluster.api.post(path, {"metadata": {"name": "web-1"}, "spec": spec})

    def runs() -> bool:
        return bool(cluster.api.get(f"{path}/web-1")["status"].get("phase") == "Running")

    wait_until(runs, "the pod", timeout=60)
    return factories.PodFactory.create(cluster=real, namespace=namespace, name="web-1")


async def test_a_shell_in_a_pod_as_the_person(
    bound: User, running: Object, cluster: RealCluster
) -> None:
    async with at(running.pk, await cookie(bound), asks=ASKS) as page:
        assert (await page.until("open"))["shell"] == "bash"
        await page.type(b"stty size; echo $((6*7))-wor''ked\r")
        await page.until_shown(b"31 101")
        await page.until_shown(b"42-worked")
        await page.say(json.dumps({"size": [77, 22]}))
        while b"22 77" not in page.shown:
            await page.type(b"stty size\r")
            await page.any()
        await page.type(b"exit 3\r")
        assert (await page.ended())[0] == "exited"
        # A kubelet tells the code as such, KWOK in words.
        assert "exit status 3" in page.told[-1]["text"]
    begun, ended = await lines()
    assert ended.detail["shell"] == "bash"
    plain = await in_database(transcripts.read)(begun.pk)
    shown: list[Any] = [json.loads(line) for line in plain.splitlines()][1:]
    assert "42-worked" in "".join(each[2] for each in shown if each[1] == "o")
    assert [each[2] for each in shown if each[1] == "r"] == ["101x31", "77x22"]
    async with asyncio.timeout(20):
        while not (users := seen_by(cluster, running.namespace)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # its log is written a little later
    assert users == {"mcm:tenant"}


def seen_by(cluster: RealCluster, namespace: str) -> set[str]:
    """As whom the API server saw who executed in the namespace."""
    found = set()
    for event in cluster.audit():
        where = event.get("objectRef", {})
        if (where.get("namespace"), where.get("subresource")) == (namespace, "exec"):
            found.add(event["impersonatedUser"]["username"])
    return found


async def test_what_the_cluster_refuses_is_told_in_its_words(tenant: User, running: Object) -> None:
    async with at(running.pk, await cookie(tenant), asks=ASKS) as page:
        assert await page.ended() == ("cluster", 1011)
        assert "pods/exec" in page.told[-1]["text"]
    assert [each.detail.get("status") for each in await lines()] == [None, "forbidden"]


async def test_a_program_that_is_not_there_is_no_shell(bound: User, running: Object) -> None:
    asks = {**ASKS, "shell": "powershell.exe"}
    async with at(running.pk, await cookie(bound), asks=asks) as page:
        assert (await page.ended())[0] == "no_shell", page.told
