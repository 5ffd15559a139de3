"""One object of a real cluster: why it fails, its YAML, what is around it, for each person."""

import base64
import json
from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster, Freshness, KindState, Namespace, Object
from teams.models import AuditEvent, User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from testbed.waiting import wait_until
from tests import factories

pytestmark = [pytest.mark.cluster, pytest.mark.django_db]
PLANTED = "planted-in-a-secret"
ENCODED = base64.b64encode(PLANTED.encode()).decode()
LABELS = {"app": "web"}


@pytest.fixture
def space(real: Cluster, namespace: str) -> Namespace:
    return factories.NamespaceFactory.create(cluster=real, name=namespace)


@pytest.fixture
def pod(cluster: RealCluster, real: Cluster, space: Namespace) -> Object:
    """A pod that waits for a ConfigMap that is not there; a Service chooses it, a Secret is its."""
    start = f"/api/v1/namespaces/{space.name}"
    service = {"metadata": {"name": "front"}, "spec": {"selector": LABELS, "ports": [{"port": 80}]}}
    cluster.api.post(f"{start}/services", service)
    cluster.api.post(f"{start}/secrets", {"metadata": {"name": "keys"}, "data": {"a": ENCODED}})
    container = {
        "name": "app",
        "image": "registry.example.com/web:1",
        "resources": {"requests": {"cpu": "1000"}},
        "envFrom": [{"secretRef": {"name": "keys"}}, {"configMapRef": {"name": "none"}}],
    }
    spec = {"containers": [container], "automountServiceAccountToken": False}
    meta = {"name": "web-1", "labels": LABELS}
    cluster.api.post(f"{start}/pods", {"metadata": meta, "spec": spec})
    path = f"{start}/pods/web-1"
    wait_until(lambda: _conditions(cluster, path), "the scheduler's word", timeout=30)
    return factories.PodFactory.create(
        cluster=real, namespace=space.name, name="web-1", owner_name="", owner_kind="", node="",
        status="Pending", health="progressing", labels=LABELS,
    )  # fmt: skip


def _conditions(cluster: RealCluster, path: str) -> Any:
    return cluster.api.get(path)["status"].get("conditions")


@pytest.fixture
def keys(real: Cluster, space: Namespace, pod: Object) -> Object:
    """The row of the Secret."""
    return factories.PodFactory.create(
        cluster=real, namespace=pod.namespace, kind="Secret", name="keys", status=""
    )


@pytest.fixture
def service(real: Cluster, pod: Object) -> Object:
    """The row of the Service."""
    return factories.PodFactory.create(
        cluster=real, namespace=pod.namespace, kind="Service", name="front", status="Active"
    )


def someone(role: Role, scope: Any) -> User:
    made = factories.UserFactory.create()
    factories.give(made, role, scope)
    return made


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_why_a_pod_waits(real: Cluster, pod: Object) -> None:
    mcm = signed_in(someone(Role.VIEWER, real))
    answer = mcm.get(f"/api/v1/objects/{pod.pk}/why")
    assert answer.status_code == 200, answer.json()
    found = answer.json()
    assert found["causes"][0]["code"] == "pending_too_large"
    assert "1000" in found["causes"][0]["text"]
    assert found["causes"][0]["evidence"]
    assert [each["type"] for each in found["conditions"]] == ["PodScheduled"]
    assert [each["name"] for each in found["containers"]] == ["app"]
    page = mcm.get(f"/objects/{pod.pk}/why/").content.decode()
    assert "What to do:" in page
    assert "Insufficient cpu" in page


def test_who_sees_a_namespace_reads_no_further(pod: Object, space: Namespace) -> None:
    """MCM's own account reads in this cluster: it is MCM that keeps people inside."""
    answer = signed_in(someone(Role.VIEWER, space)).get(f"/api/v1/objects/{pod.pk}/why")
    found = answer.json()
    assert answer.status_code == 200, found
    assert {each["part"] for each in found["unknown"]} >= {"nodes"}
    assert "beyond" in found["unknown"][0]["reason"]


def test_yaml_comes_from_the_cluster(real: Cluster, pod: Object) -> None:
    mcm = signed_in(someone(Role.VIEWER, real))
    found = mcm.get(f"/api/v1/objects/{pod.pk}/yaml").json()
    assert "name: web-1" in found["yaml"]
    assert "managedFields" not in found["yaml"]
    assert found["managedFields"]
    file = mcm.get(f"/objects/{pod.pk}/yaml/?download")
    assert file["Content-Disposition"] == 'attachment; filename="web-1.yaml"'
    assert b"managedFields" in mcm.get(f"/objects/{pod.pk}/yaml/").content


def _relatives(mcm: Client, of: Object) -> dict[str, list[dict[str, Any]]]:
    """What stands around it, by the relation."""
    found = mcm.get(f"/api/v1/objects/{of.pk}/related").json()
    return {group["relation"]: group["objects"] for group in found["groups"]}


def test_what_is_around_a_pod(real: Cluster, pod: Object, keys: Object, service: Object) -> None:
    mcm = signed_in(someone(Role.VIEWER, real))
    found = mcm.get(f"/api/v1/objects/{pod.pk}/related").json()
    groups = _relatives(mcm, pod)
    assert [(each["name"], each["id"]) for each in groups["service"]] == [("front", service.pk)]
    assert [(each["name"], each["id"]) for each in groups["secret"]] == [("keys", keys.pk)]
    assert [(each["name"], each["id"]) for each in groups["config"]] == [("none", None)]
    assert (found["problem"], found["unread"]) == (None, [])
    (front,) = groups["service"]
    assert front["freshness"] == real.freshness != Freshness.STALE
    assert groups["config"][0]["freshness"] is None
    KindState.objects.update_or_create(
        cluster=real, kind="Service", defaults={"state": KindState.State.LOST, "reason": "away"}
    )
    (front,) = _relatives(mcm, pod)["service"]
    assert (front["freshness"], front["observedAt"]) == (Freshness.STALE, None)
    assert "status stale" in mcm.get(f"/objects/{pod.pk}/related/").content.decode()
    back = mcm.get(f"/api/v1/objects/{service.pk}/related").json()
    assert [(g["relation"], g["objects"][0]["id"]) for g in back["groups"]] == [("pods", pod.pk)]
    used = mcm.get(f"/api/v1/objects/{keys.pk}/related").json()
    assert [(g["relation"], g["objects"][0]["id"]) for g in used["groups"]] == [("user", pod.pk)]


def test_what_is_around_a_workload(cluster: RealCluster, real: Cluster, space: Namespace) -> None:
    core, inside = f"/api/v1/namespaces/{space.name}", f"namespaces/{space.name}"
    containers = [{"name": "a", "image": "a"}]
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": containers}}
    labels = {"matchLabels": LABELS}
    made = {"replicas": 0, "selector": labels, "template": template}
    backend = {"service": {"name": "front", "port": {"number": 80}}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    other = {"matchLabels": {"app": "other"}}
    for path, name, spec in (
        (f"/apis/apps/v1/{inside}/deployments", "web", made),
        (f"{core}/services", "front", {"selector": LABELS, "ports": [{"port": 80}]}),
        (f"{core}/services", "back", {"selector": {"app": "other"}, "ports": [{"port": 80}]}),
        (f"/apis/networking.k8s.io/v1/{inside}/ingresses", "in", {"defaultBackend": backend}),
        (f"/apis/networking.k8s.io/v1/{inside}/networkpolicies", "all", {"podSelector": {}}),
        (f"/apis/policy/v1/{inside}/poddisruptionbudgets", "keep", {"selector": labels}),
        (f"/apis/policy/v1/{inside}/poddisruptionbudgets", "not", {"selector": other}),
        (
            f"/apis/autoscaling/v2/{inside}/horizontalpodautoscalers",
            "grow",
            {"scaleTargetRef": target, "maxReplicas": 3},
        ),
    ):
        cluster.api.post(path, {"metadata": {"name": name}, "spec": spec})
    web = factories.PodFactory.create(
        cluster=real, namespace=space.name, kind="Deployment", name="web", owner_name=""
    )
    made_by = {"owner_kind": "Deployment", "owner_name": "web", "kind": "ReplicaSet"}
    replicas = factories.PodFactory.create(
        cluster=real, namespace=space.name, name="web-1", **made_by
    )
    mcm = signed_in(someone(Role.VIEWER, space))
    found = mcm.get(f"/api/v1/objects/{web.pk}/related").json()
    groups = {g["relation"]: [each["name"] for each in g["objects"]] for g in found["groups"]}
    assert found["groups"][0]["objects"][0]["id"] == replicas.pk
    assert groups == {
        "owned": ["web-1"], "service": ["front"], "ingress": ["in"], "autoscaler": ["grow"],
        "budget": ["keep"], "policy": ["all"],
    }  # fmt: skip


def test_a_secret_is_hidden_until_an_admin_reveals_it(real: Cluster, keys: Object) -> None:
    url = f"/api/v1/objects/{keys.pk}"
    viewer, operator, owner = (signed_in(someone(role, real)) for role in Role)
    assert viewer.get(f"{url}/yaml").status_code == 403
    for client in (operator, owner):
        found = client.get(f"{url}/yaml")
        assert (found.status_code, found.json()["hidden"]) == (200, 1)
        page = client.get(f"/objects/{keys.pk}/yaml/")
        for answer in (found, page):
            assert ENCODED not in answer.content.decode()
            assert PLANTED not in answer.content.decode()
    assert operator.post(f"{url}/reveal").status_code == 403
    answer = owner.post(f"{url}/reveal")
    assert answer.json()["values"][0]["text"] == PLANTED
    assert answer["Cache-Control"] == "no-store"
    page = owner.post(f"/objects/{keys.pk}/reveal/")
    assert PLANTED in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    told = list(AuditEvent.objects.filter(action="secret.reveal", result="done"))
    assert [(each.object_id, each.namespace) for each in told] == [
        (str(keys.pk), keys.namespace)
    ] * 2
    everything = json.dumps(list(AuditEvent.objects.values("detail", "before", "after", "reason")))
    assert PLANTED not in everything
    assert ENCODED not in everything


def test_nobody_reveals_without_showing_who_it_is(real: Cluster, keys: Object) -> None:
    owner = signed_in(someone(Role.ADMIN, real))
    session = owner.session
    session["account_authentication_methods"] = []
    session.save()
    assert owner.post(f"/api/v1/objects/{keys.pk}/reveal").status_code == 403
    assert PLANTED not in owner.post(f"/objects/{keys.pk}/reveal/").content.decode()
    assert not AuditEvent.objects.filter(action="secret.reveal", result="done").exists()


def test_what_is_gone_keeps_its_page(cluster: RealCluster, real: Cluster, pod: Object) -> None:
    cluster.api.delete(f"/api/v1/namespaces/{pod.namespace}/pods/web-1", gracePeriodSeconds=0)
    mcm = signed_in(someone(Role.VIEWER, real))
    assert mcm.get(f"/api/v1/objects/{pod.pk}/why").status_code == 410
    for part in ("why", "yaml", "related"):
        page = mcm.get(f"/objects/{pod.pk}/{part}/")
        assert page.status_code == 200
        assert b"The cluster no longer has it." in page.content, part
    assert b"web-1" in mcm.get(f"/objects/{pod.pk}/").content
