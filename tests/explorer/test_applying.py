"""Applying new YAML to a real API server: previews, owners of fields, refusals, rights."""

from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster, Namespace
from operations.models import Operation
from teams.models import AuditEvent, User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from tests import factories
from tests.explorer.acted import ask, config, ran, told
from tests.kube.acted import CORE

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]
URL, API = "/objects/apply/", "/api/v1/apply"
THREE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {a: b}
---
apiVersion: v1
kind: Secret
metadata: {name: two}
stringData: {key: planted-in-two}
---
apiVersion: v1
kind: Service
metadata: {name: three}
spec:
  ports:
  - port: 99999
"""


def send(client: Client, text: str, namespace: str, *clusters: str, **more: Any) -> Any:
    given = {"text": text, "namespace": namespace, "clusters": clusters, "do": "preview"}
    return client.post(URL, given | more)


def states(answer: Any) -> list[tuple[str, str]]:
    return [(each.step.name, each.state) for each in answer.context["page"].planned]


def test_three_documents_of_which_one_is_refused(
    client: Client, worker: User, real: Cluster, cluster: RealCluster, namespace: str
) -> None:
    client.force_login(worker)
    page = send(client, THREE, namespace, "real")
    # Secrets and ConfigMaps are made before what may need them.
    assert states(page) == [("two", "created"), ("one", "created"), ("three", "refused")]
    problem = page.context["page"].planned[2].problems[0]
    assert (problem.document, problem.field) == (3, "spec.ports[0].port")
    assert THREE.splitlines()[problem.line - 1].strip() == "- port: 99999"
    assert "planted-in-two" not in str(page.context["page"].planned)
    seen = {"previewed": page.context["previewed"], "key": "k", "do": "apply"}
    done = send(client, THREE, namespace, "real", **seen)
    assert done.status_code == 302, done.context["page"]
    made = Operation.objects.get(pk=done.headers["Location"].strip("/").split("/")[-1])
    from operations import executor

    executor.run(str(made.pk))
    assert told(made) == [("succeeded", "Created."), ("succeeded", "Created.")]
    held = cluster.api.get(f"{CORE}/namespaces/{namespace}/configmaps/one")
    assert held["data"] == {"a": "b"}
    assert {each["manager"] for each in held["metadata"]["managedFields"]} == {"mcm"}
    rows = str(list(AuditEvent.objects.values())) + str(list(made.steps.values()))
    assert "planted-in-two" not in rows
    again = send(client, THREE, namespace, "real")
    assert states(again)[:2] == [("two", "unchanged"), ("one", "unchanged")]


def test_fields_of_others_are_taken_over_by_decision_only(
    client: Client, worker: User, real: Cluster, cluster: RealCluster, namespace: str
) -> None:
    config(cluster, namespace, "one")
    path = f"{CORE}/namespaces/{namespace}/configmaps/one"
    cluster.api.patch(path, {"data": {"a": "theirs"}})
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: one, namespace: {namespace}}}\n"
    text += "data: {a: mine}\n"
    body = {"clusters": ["real"], "yaml": text, "dryRun": True}
    (found,) = ask(client, API, worker, body).json()["objects"]
    assert (found["state"], found["owners"][0]["field"]) == ("held", "data.a")
    assert "conflict with" in found["owners"][0]["text"]
    answer = ask(client, API, worker, body | {"dryRun": False})
    assert (answer.status_code, answer.json()["objects"][0]["state"]) == (400, "held")
    made = ran(ask(client, API, worker, body | {"dryRun": False, "force": True}))
    assert told(made) == [("succeeded", "Applied: data.a.")]
    assert cluster.api.get(path)["data"] == {"a": "mine"}


def test_a_namespace_and_what_stands_in_it_come_together(
    client: Client, worker: User, admin: User, real: Cluster, cluster: RealCluster, namespace: str
) -> None:
    new = f"{namespace}-new"
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: one, namespace: {new}}}\n---\n"
    text += f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {new}}}\n---\n"
    text += "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\n"
    text += f"metadata: {{name: {new}}}\nvalue: 7\n"
    body = {"clusters": ["real"], "yaml": text}
    # Who operates makes no namespaces by patch, and no priority classes.
    found = ask(client, API, worker, body | {"dryRun": True}).json()["objects"]
    assert [each["state"] for each in found] == ["forbidden", "refused", "forbidden"]
    made = ran(ask(client, API, admin, body))
    assert [status for status, _words in told(made)] == ["succeeded"] * 3
    assert cluster.api.get(f"{CORE}/namespaces/{new}/configmaps/one")
    for path in (f"/api/v1/namespaces/{new}", f"/apis/scheduling.k8s.io/v1/priorityclasses/{new}"):
        cluster.api.delete(path)


def test_each_is_told_of_what_he_may(
    client: Client, real: Cluster, space: Namespace, cluster: RealCluster
) -> None:
    """Who operates one namespace is sent no further; who only sees may not even ask."""
    tenant = factories.UserFactory.create(username="tenant")
    factories.give(tenant, Role.OPERATOR, space)
    elsewhere = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: kube-system}\n"
    client.force_login(tenant)
    page = send(client, elsewhere, "", "real")
    (planned,) = page.context["page"].planned
    assert planned.state in ("forbidden", "refused")
    assert not Operation.objects.exists()
    viewer = factories.UserFactory.create(username="sees")
    factories.give(viewer, Role.VIEWER, real)
    client.force_login(viewer)
    assert send(client, elsewhere, "", "real").status_code == 403
    assert ask(client, API, viewer, {"clusters": ["real"], "yaml": "a"}).status_code == 403


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: &x [1]\nb: *x\n", 1, "anchors"),
        ("apiVersion: v1\nkind: A\nmetadata: {name: b}\nkind: C\n", 4, "twice"),
        ("apiVersion: v1\nkind: A\n", 1, "name"),
        ("a: !!python/object x\n", 1, "Tags"),
        ("---\n" * 300 + "a: 1\n", 202, "200"),
        ("a: [\n", 2, "YAML"),
        ("x" * (1024 * 1024 + 1), 0, "1 MiB"),
    ],
)
def test_hostile_text_is_refused_with_its_place(
    client: Client, worker: User, real: Cluster, text: str, line: int, says: str
) -> None:
    client.force_login(worker)
    page = send(client, text, "default", "real")
    (problem,) = page.context["page"].problems
    assert says.lower() in problem.text.lower()
    assert abs(problem.line - line) <= 1
    assert page.context["page"].asked.text == text
