"""Asking for acts and what becomes of them, on a real cluster, by the API, dialogs and executor."""

import pytest
from django.test import Client

from clusters.kube.kinds import KINDS
from clusters.models import Cluster, Namespace, Object
from operations import executor
from operations.models import Operation, Step
from teams import services as teams
from teams.models import AuditEvent, Grant, User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from tests import factories
from tests.explorer.acted import ask, config, ran, seen, told
from tests.kube import acted
from tests.kube.acted import APPS, CORE

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]


def test_scaling_by_the_api_is_followed_and_undone(
    client: Client, worker: User, real: Cluster, cluster: RealCluster, namespace: str
) -> None:
    web = seen(real, "Deployment", acted.deployment(cluster, namespace), ready=2, wanted=2)
    url = f"/api/v1/objects/{web.pk}/actions"
    made = ran(ask(client, url, worker, {"action": "scale", "arguments": {"replicas": 3}}))
    assert (made.status, made.error) == ("succeeded", "")
    words = "Scaled from 2 to 3 replicas. All 3 pods are ready."
    assert told(made) == [("succeeded", words)]
    assert acted.ready(cluster, f"{APPS}/namespaces/{namespace}/deployments/web") == 3
    page = client.get(f"/api/v1/operations/{made.pk}").json()
    assert page["steps"][0]["before"] == {"replicas": 2}
    events = AuditEvent.objects.filter(object_id=web.uid).values_list("action", "after")
    assert list(events) == [("object.scale.succeeded", {"replicas": 3})]

    dialog = client.get(f"/operations/{made.pk}/undo/")
    assert "Undo: Scale: web" in dialog.content.decode()
    done = client.post(f"/operations/{made.pk}/undo/", {"key": "undo-1"})
    undone = Operation.objects.get(pk=done.headers["Location"].strip("/").split("/")[-1])
    executor.run(str(undone.pk))
    assert told(undone) == [("succeeded", "Scaled from 3 to 2 replicas. All 2 pods are ready.")]


def test_many_objects_of_several_clusters_end_each_for_itself(
    client: Client, worker: User, real: Cluster, dead: Cluster, cluster: RealCluster, namespace: str
) -> None:
    kept = seen(real, "ConfigMap", config(cluster, namespace, "one"))
    meta = {"name": "two", "namespace": namespace, "uid": "x"}
    gone = seen(real, "ConfigMap", {"metadata": meta})
    lost = [
        factories.PodFactory.create(cluster=dead, kind="ConfigMap", name=f"far-{n}") for n in (1, 2)
    ]
    body = {
        "action": "label", "arguments": {"changes": {"seen": "yes"}},
        "objects": [kept.pk, gone.pk, *(each.pk for each in lost)],
    }  # fmt: skip
    made = ran(ask(client, "/api/v1/actions", worker, body))
    assert made.cluster_id is None
    assert (made.status, made.result) == ("failed", {"succeeded": 1})
    found = told(made)
    assert found[0] == ("succeeded", "Its labels are changed.")
    assert found[1] == ("failed", "It is not there any more.")
    assert [status for status, _words in found[2:]] == ["failed", "failed"]
    assert found[2][1] == found[3][1] != ""
    page = client.get(f"/operations/{made.pk}/").content.decode()
    # What is gone from the cluster is in the inventory still; the step that succeeded is left out.
    again = ",".join(str(each.pk) for each in (gone, *lost))
    assert f"/actions/label/?ids={again}" in page
    path = f"{CORE}/namespaces/{namespace}/configmaps/one"
    assert cluster.api.get(path)["metadata"]["labels"] == {"seen": "yes"}


def test_the_same_key_is_the_same_work(
    client: Client, worker: User, real: Cluster, cluster: RealCluster, namespace: str
) -> None:
    one = seen(real, "ConfigMap", config(cluster, namespace, "one"))
    url = f"/api/v1/objects/{one.pk}/actions"
    body = {"action": "delete"}
    answers = [ask(client, url, worker, body, idempotency_key="k-1") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert Operation.objects.count() == 1
    ran(answers[0])
    assert ask(client, url, worker, body, idempotency_key="k-1").json() == answers[0].json()
    other = {"action": "label", "arguments": {"changes": {"a": "b"}}}
    assert ask(client, url, worker, other, idempotency_key="k-1").status_code == 409
    assert ask(client, url, worker, body, idempotency_key="a b").status_code == 400


def test_rights_that_went_are_asked_for_each_object_again(
    client: Client, worker: User, real: Cluster, space: Namespace, cluster: RealCluster,
) -> None:  # fmt: skip
    """Of the cluster nothing is left, the grant on the namespace stays; nodes are not in it."""
    factories.give(worker, Role.OPERATOR, space)
    mine = seen(real, "ConfigMap", config(cluster, space.name, "one"))
    theirs = factories.PodFactory.create(cluster=real, kind="ConfigMap", namespace="default")
    body = {"action": "delete", "objects": [mine.pk, theirs.pk]}
    answer = ask(client, "/api/v1/actions", worker, body)
    for grant in Grant.objects.filter(team__members=worker, scope_id=str(real.pk)):
        teams.revoke(grant, by=None)
    made = ran(answer)
    found = told(made)
    # The namespace's own grant is impersonated, and this cluster has no RBAC for it.
    assert found[0][0] == "failed"
    assert "mcm:worker" in found[0][1]
    assert found[1] == ("failed", "Whoever asked for this may no longer do it.")


def test_who_holds_one_of_two_is_refused_as_a_whole_by_the_api(
    client: Client, shop_operator: User, pod: Object, prod: Cluster
) -> None:
    other = factories.PodFactory.create(cluster=prod, namespace="bank")
    body = {"action": "evict", "objects": [pod.pk, other.pk]}
    answer = ask(client, "/api/v1/actions", shop_operator, body)
    assert answer.status_code == 400  # what is not to be seen is not there
    factories.give(shop_operator, Role.VIEWER, prod)
    assert ask(client, "/api/v1/actions", shop_operator, body).status_code == 403
    assert Operation.objects.count() == 0


def test_what_does_not_fit_is_told_by_field(client: Client, operator: User, pod: Object) -> None:
    url = f"/api/v1/objects/{pod.pk}/actions"
    for body, field in (
        ({"action": "scale", "arguments": {"replicas": 1}}, "action"),
        ({"action": "fly"}, "action"),
        ({"action": "label", "arguments": {"changes": {"-": "x"}}}, "arguments.changes"),
        ({"action": "label"}, "arguments.changes"),
        ({"action": "annotate", "arguments": {"changes": {APPLIED: None}}}, "arguments.changes"),
        ({"action": "evict", "arguments": {"speed": 1}}, "arguments.speed"),
    ):
        answer = ask(client, url, operator, body)
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [field]), body


def test_a_node_takes_the_whole_cluster(
    client: Client, prod: Cluster, operator: User, shop_operator: User
) -> None:
    node = factories.NodeFactory.create(cluster=prod)
    url = f"/api/v1/objects/{node.pk}/actions"
    assert ask(client, url, shop_operator, {"action": "cordon"}).status_code == 404
    assert ask(client, url, operator, {"action": "cordon"}).status_code == 202
    # Nodes are deleted by admins of the cluster.
    assert ask(client, url, operator, {"action": "delete"}).status_code == 403


def test_who_sees_one_object_sees_that_step_and_its_lines_only(
    client: Client, operator: User, shop_viewer: User, pod: Object, prod: Cluster
) -> None:
    hidden = factories.PodFactory.create(cluster=prod, namespace="bank", name="secret-pod")
    body = {"action": "evict", "objects": [pod.pk, hidden.pk]}
    made = ran(ask(client, "/api/v1/actions", operator, body))
    assert Step.objects.filter(operation=made).count() == 2
    client.force_login(shop_viewer)
    answer = client.get(f"/api/v1/operations/{made.pk}")
    assert [step["name"] for step in answer.json()["steps"]] == ["web-1"]
    page = client.get(f"/operations/{made.pk}/").content.decode()
    assert "web-1" in page
    assert "secret-pod" not in page + answer.content.decode()
    assert client.post(f"/operations/{made.pk}/cancel/").status_code == 403


def test_two_acts_on_one_object_hold_each_other(
    client: Client, operator: User, pod: Object
) -> None:
    url = f"/api/v1/objects/{pod.pk}/actions"
    first = ask(client, url, operator, {"action": "evict"}).json()["operation"]["id"]
    answer = ask(client, url, operator, {"action": "delete"})
    # Signed in a moment ago, so nobody is asked who it is, in prod either.
    assert (answer.status_code, answer.json()["operation"]["id"]) == (409, first)


def test_every_act_is_worked_on_by_somebody() -> None:
    from explorer.executor import _ACTS, catalog

    assert {*_ACTS, "drain"} == set(catalog.ACTS)
    assert {act.kind for act in catalog.ACTS.values()} <= set(executor._works)
    assert all(catalog.offered(kind) for kind in KINDS if kind not in {"HelmRelease", "Event"})
    assert catalog.offered("HelmRelease") == catalog.offered("Event") == []
