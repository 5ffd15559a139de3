"""What is done to objects, on a real API server with its controllers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clusters.kube import errors
from clusters.kube.acting import jobs, nodes, notes, removing, revisions, workloads
from clusters.kube.acting.target import Replaced, Target, Unfit
from clusters.kube.client import Client
from clusters.kube.types import SERVICE_ACCOUNT, Connection
from testbed.cluster import Cluster
from testbed.waiting import wait_until
from tests.kube import acted
from tests.kube.acted import APPS, BATCH, CORE, target

pytestmark = pytest.mark.cluster


@pytest.fixture
def client(connection: Connection) -> Iterator[Client]:
    with Client(connection, SERVICE_ACCOUNT) as made:
        yield made


def test_a_deployment_is_scaled_and_back(cluster: Cluster, client: Client, namespace: str) -> None:
    web = target("Deployment", acted.deployment(cluster, namespace))
    path = f"{APPS}/namespaces/{namespace}/deployments/web"
    did = workloads.scale(client, web, 0, seen=2)
    assert (did.before, did.after) == ({"replicas": 2}, {"replicas": 0})
    assert did.undo == ("scale", {"replicas": 2, "seen": 0})
    wait_until(lambda: acted.ready(cluster, path) == 0, "scaled down", timeout=60)
    # What is there is told as zero, though the API server leaves it out.
    assert "already" in str(workloads.scale(client, web, 0).words)
    workloads.scale(client, web, **did.undo[1])
    wait_until(lambda: acted.ready(cluster, path) == 2, "scaled up", timeout=60)


def test_who_saw_another_number_is_told(cluster: Cluster, client: Client, namespace: str) -> None:
    web = target("Deployment", acted.deployment(cluster, namespace))
    cluster.api.patch(web.url(), {"spec": {"replicas": 3}})
    with pytest.raises(Unfit, match="it has 3 replicas, not 2"):
        workloads.scale(client, web, 5, seen=2)
    assert cluster.api.get(web.url())["spec"]["replicas"] == 3


def test_another_object_of_the_name_is_never_touched(
    cluster: Cluster, client: Client, namespace: str
) -> None:
    web = target("Deployment", acted.deployment(cluster, namespace, replicas=1))
    cluster.api.delete(web.url(), propagationPolicy="Foreground")

    def gone() -> bool:
        try:
            client.get(web.url())
        except errors.NotFound:
            return True
        return False

    wait_until(gone, "the first one is gone", timeout=60)
    second = acted.deployment(cluster, namespace, replicas=1)
    before = cluster.api.get(web.url())
    acts: tuple[Callable[[], Any], ...] = (
        lambda: workloads.scale(client, web, 0),
        lambda: workloads.restart(client, web),
        lambda: workloads.pause(client, web),
        lambda: revisions.rollback(client, web),
        lambda: notes.label(client, web, {"a": "b"}),
        lambda: removing.delete(client, web),
    )
    for act in acts:
        with pytest.raises(Replaced):
            act()
    after = cluster.api.get(web.url())
    assert after["metadata"]["uid"] == second["metadata"]["uid"]
    assert (after["spec"], after["metadata"]["labels"]) == (
        before["spec"], before["metadata"]["labels"],
    )  # fmt: skip


def test_a_restart_makes_every_pod_anew_and_can_be_undone(
    cluster: Cluster, client: Client, namespace: str
) -> None:
    web = target("Deployment", acted.deployment(cluster, namespace))
    before = {row.name for row in client.pods(namespace)}
    did = workloads.restart(client, web)
    _done(client, namespace)
    after = {row.name for row in client.pods(namespace) if row.status == "Running"}
    assert len(after) == 2
    assert not before & after
    assert did.undo == ("rollback", {"revision": 1})
    revisions.rollback(client, web, **did.undo[1])
    _done(client, namespace)
    assert [one.number for one in revisions.revisions(client, web)] == [3, 2]


def _done(client: Client, namespace: str, name: str = "web") -> None:
    wait_until(
        lambda: client.workload_state("Deployment", namespace, name).done, "rolled out", timeout=60
    )


def test_a_rollout_is_undone_to_any_revision(
    cluster: Cluster, client: Client, namespace: str
) -> None:
    web = target("Deployment", acted.deployment(cluster, namespace))
    with pytest.raises(Unfit, match="no earlier revision"):
        revisions.rollback(client, web)
    for image in ("web:2", "web:3"):
        container = {"name": "app", "image": image}
        cluster.api.patch(web.url(), {"spec": {"template": {"spec": {"containers": [container]}}}})
        _done(client, namespace)
    known = revisions.revisions(client, web)
    assert [(one.number, one.images) for one in known] == [
        (3, ("web:3",)), (2, ("web:2",)), (1, ("web:1",)),
    ]  # fmt: skip
    did = revisions.rollback(client, web)
    assert did.undo == ("rollback", {"revision": 3})
    assert _image(cluster, web) == "web:2"
    _done(client, namespace)
    revisions.rollback(client, web, 1)
    assert _image(cluster, web) == "web:1"
    with pytest.raises(Unfit, match="no revision 99"):
        revisions.rollback(client, web, 99)
    labels = cluster.api.get(web.url())["spec"]["template"]["metadata"]["labels"]
    assert labels == {"app": "web"}


def _image(cluster: Cluster, web: Target) -> str:
    spec = cluster.api.get(web.url())["spec"]["template"]["spec"]
    return str(spec["containers"][0]["image"])


def test_what_is_paused_is_neither_restarted_nor_undone(
    cluster: Cluster, client: Client, namespace: str
) -> None:
    web = target("Deployment", acted.deployment(cluster, namespace))
    did = workloads.pause(client, web)
    assert did.undo == ("resume", {})
    for act in (workloads.restart, revisions.rollback):
        with pytest.raises(Unfit, match="paused"):
            act(client, web)
    assert workloads.pause(client, web).undo is None
    workloads.resume(client, web)
    assert "paused" not in cluster.api.get(web.url())["spec"]


def test_a_cron_job_is_suspended_and_run_once(
    cluster: Cluster, client: Client, namespace: str
) -> None:
    report = target("CronJob", acted.cron_job(cluster, namespace))
    assert jobs.suspend(client, report).undo == ("unsuspend", {})
    assert cluster.api.get(report.url())["spec"]["suspend"] is True
    jobs.unsuspend(client, report)
    for _ in range(2):
        did = jobs.trigger(client, report, "ABCDEF0123456789")
    (job,) = cluster.api.get(f"{BATCH}/namespaces/{namespace}/jobs")["items"]
    assert job["metadata"]["name"] == did.after["job"] == "report-manual-abcdef01"
    assert job["metadata"]["ownerReferences"][0]["uid"] == report.uid
    assert job["metadata"]["annotations"]["cronjob.kubernetes.io/instantiate"] == "manual"


def test_labels_and_annotations_come_back(cluster: Cluster, client: Client, namespace: str) -> None:
    path = f"{CORE}/namespaces/{namespace}/configmaps"
    meta = {"name": "settings", "labels": {"a": "1", "b": "2"}}
    made = cluster.api.post(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    settings = target("ConfigMap", made)
    did = notes.label(client, settings, {"a": None, "b": "3", "c": "4"})
    assert _labels(cluster, settings) == {"b": "3", "c": "4"}
    assert did.undo is not None
    notes.label(client, settings, **did.undo[1])
    assert _labels(cluster, settings) == {"a": "1", "b": "2"}
    assert notes.label(client, settings, {"a": "1"}).undo is None
    notes.annotate(client, settings, {"note": "looked at\nby me"})
    found = cluster.api.get(settings.url())["metadata"]["annotations"]
    assert found == {"note": "looked at\nby me"}


def _labels(cluster: Cluster, of: Target) -> Any:
    return cluster.api.get(of.url())["metadata"]["labels"]


def test_deleting_is_for_the_version_that_was_seen(
    cluster: Cluster, client: Client, namespace: str
) -> None:
    path = f"{CORE}/namespaces/{namespace}/configmaps"
    meta = {"name": "settings", "finalizers": ["mcm.test/stay"]}
    made = cluster.api.post(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    cluster.api.patch(f"{path}/settings", {"data": {"a": "b"}})
    with pytest.raises(Replaced):
        removing.delete(client, target("ConfigMap", made, made["metadata"]["resourceVersion"]))
    did = removing.delete(client, target("ConfigMap", made))
    assert did.facts == {"finalizers": "mcm.test/stay"}
    cluster.api.patch(f"{path}/settings", {"metadata": {"finalizers": None}})
    assert removing.delete(client, target("ConfigMap", made)).words == removing.GONE


def test_a_pod_is_evicted_as_its_budget_allows(
    cluster: Cluster, client: Client, namespace: str
) -> None:
    acted.deployment(cluster, namespace)
    pod = cluster.api.get(f"{CORE}/namespaces/{namespace}/pods")["items"][0]
    other = Target("Pod", "/api/v1/pods", namespace, pod["metadata"]["name"], "another")
    with pytest.raises(Replaced):
        removing.evict(client, other)
    acted.budget(cluster, namespace, "web", least=2)
    with pytest.raises(removing.Held, match="web needs 2 healthy pods and has 2") as held:
        removing.evict(client, target("Pod", pod))
    assert held.value.facts == {"budget": "web", "needed": "2", "healthy": "2"}


def test_a_node_is_cordoned_and_back(cluster: Cluster, client: Client) -> None:
    with acted.own_node(cluster) as (name, _spec):
        node = target("Node", cluster.api.get(f"{CORE}/nodes/{name}"))
        assert nodes.cordon(client, node).undo == ("uncordon", {})
        assert cluster.api.get(node.url())["spec"]["unschedulable"] is True
        assert nodes.cordon(client, node).undo is None
        nodes.uncordon(client, node)
        assert "unschedulable" not in cluster.api.get(node.url())["spec"]
