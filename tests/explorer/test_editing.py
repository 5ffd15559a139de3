"""Editing an object as YAML on a real API server: preview, save, conflicts, Secrets and rights."""

import json
import re
from base64 import b64encode
from typing import Any

import pytest
import yaml
from django.test import Client

from clusters.kube.edited.contents import CHANGED
from clusters.kube.opened.text import MASK
from clusters.models import Cluster, Environment, Object
from operations import executor
from operations.models import Operation
from teams.models import AuditEvent, User
from testbed.cluster import Cluster as RealCluster
from tests.explorer.acted import config, seen, told
from tests.explorer.acted import ran as acted_ran
from tests.kube import acted
from tests.kube.acted import APPS, CORE

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]
Json = dict[str, Any]


def form(client: Client, url: str) -> Json:
    """What the editor's form would send."""
    answer = client.get(url)
    assert answer.status_code == 200, answer.content
    return fields(answer)


def fields(answer: Any) -> Json:
    draft = answer.context["draft"]
    names = ("base", "previewed", "key")
    given = {name: answer.context[name] for name in names}
    return given | {"version": draft.version, "text": draft.text}


def ran(answer: Any) -> Operation:
    """The operation to which the answer leads, after it ran."""
    assert answer.status_code == 302, answer.context["page"]
    operation = Operation.objects.get(pk=answer.headers["Location"].strip("/").split("/")[-1])
    executor.run(str(operation.pk))
    operation.refresh_from_db()
    return operation


def saved(client: Client, url: str, previewed: Any, **more: str) -> Operation:
    return ran(client.post(url, fields(previewed) | {"do": "save"} | more))


@pytest.fixture
def web(real: Cluster, cluster: RealCluster, namespace: str) -> Object:
    found = acted.deployment(cluster, namespace, replicas=1)
    return seen(real, "Deployment", found, ready=1, wanted=1)


@pytest.fixture
def url(web: Object, client: Client, worker: User) -> str:
    client.force_login(worker)
    return f"/objects/{web.pk}/edit/"


def test_an_image_is_edited_and_put_back(
    client: Client, url: str, web: Object, cluster: RealCluster, namespace: str
) -> None:
    given = form(client, url)
    assert "managedFields" not in given["text"]
    assert "status" not in yaml.safe_load(given["text"])
    given["text"] = given["text"].replace("image: web:1", "image: web:2")
    page = client.post(url, given | {"do": "preview"})
    assert page.status_code == 200
    lines = [line for line in page.context["page"].looked.lines if line.kind in "ad"]
    texts = [line.text.strip("+- ") for line in lines if line.kind]
    assert texts == ["image: web:1", "image: web:2"]
    path = f"{APPS}/namespaces/{namespace}/deployments/web"
    assert image(cluster, path) == "web:1"
    unseen = client.post(url, given | {"do": "save"})
    assert unseen.status_code == 422  # nobody looked at what would be saved
    made = saved(client, url, page)
    where = "spec.template.spec.containers[0].image"
    assert made.status == "succeeded"
    assert where in told(made)[0][1]
    assert image(cluster, path) == "web:2"
    events = AuditEvent.objects.filter(object_id=web.uid, action="object.edit.succeeded")
    assert where in (events.get().after or {})["fields"]
    assert "web:2" not in str(list(AuditEvent.objects.values_list("before", "after", "detail")))

    dialog = client.get(f"/operations/{made.pk}/undo/")
    assert "Undo: Put back: web" in dialog.content.decode()
    undone = ran(client.post(f"/operations/{made.pk}/undo/", {"key": "back"}))
    assert undone.status == "succeeded", told(undone)
    assert image(cluster, path) == "web:1"


def image(cluster: RealCluster, path: str) -> str:
    return str(cluster.api.get(path)["spec"]["template"]["spec"]["containers"][0]["image"])


def test_what_is_refused_is_told_at_its_line_and_kept(client: Client, url: str) -> None:
    given = form(client, url)
    lines = given["text"].splitlines()
    at = next(n for n, line in enumerate(lines, 1) if "replicas:" in line)
    for wrong, field in (
        (given["text"].replace("replicas: 1", "replicas: -1"), "spec.replicas"),
        (given["text"].replace("replicas: 1", "replicaz: 1"), "spec.replicaz"),
        (given["text"].replace("replicas: 1", "replicas: 1\n  replicas: 2"), "spec.replicas"),
        (given["text"].replace("replicas: 1", "replicas: [1"), ""),
    ):
        page = client.post(url, given | {"text": wrong, "do": "preview"})
        assert page.status_code == 422
        problem = page.context["page"].problems[0]
        assert (problem.field, problem.line >= at) == (field, True), problem
        assert page.context["draft"].text == wrong
        assert not Operation.objects.exists()
    foreign = client.post(url, given | {"text": given["text"].replace("name: web\n", "name: x\n")})
    assert foreign.status_code == 422


def test_others_changes_are_merged_and_overlaps_are_asked(
    client: Client, url: str, cluster: RealCluster, namespace: str
) -> None:
    path = f"{APPS}/namespaces/{namespace}/deployments/web"
    given = form(client, url)
    given["text"] = given["text"].replace("image: web:1", "image: web:2")
    given["text"] = given["text"].replace("minReadySeconds: 0", "")
    container = {"name": "app", "image": "web:3", "env": [{"name": "A", "value": "b"}]}
    cluster.api.patch(
        path,
        {"metadata": {"labels": {"by": "others"}},
         "spec": {"template": {"spec": {"containers": [container]}}}},
    )  # fmt: skip
    page = client.post(url, given | {"do": "preview"})
    assert page.status_code == 409
    clash = page.context["page"].clash
    field = "spec.template.spec.containers[app].image"
    assert [(one.path, one.base, one.mine, one.theirs) for one in clash.overlaps] == [
        (field, "web:1", "web:2", "web:3")
    ]
    assert any("by: others" in line.text for line in clash.their_lines)
    assert page.context["draft"].text == given["text"]
    # Without a choice it is asked again.
    assert client.post(url, given | {"do": "merge"}).status_code == 409
    merged = client.post(url, given | {"do": "merge", "path": [field], "side-0": "mine"})
    assert merged.status_code == 200
    made = saved(client, url, merged)
    assert made.status == "succeeded", told(made)
    found = cluster.api.get(path)
    (only,) = found["spec"]["template"]["spec"]["containers"]
    assert (only["image"], only["env"]) == ("web:2", [{"name": "A", "value": "b"}])
    assert found["metadata"]["labels"]["by"] == "others"


def test_who_is_overtaken_while_it_waits_loses_nothing(
    client: Client, url: str, web: Object, cluster: RealCluster, namespace: str
) -> None:
    given = form(client, url)
    given["text"] = given["text"].replace("image: web:1", "image: web:2")
    page = client.post(url, given | {"do": "preview"})
    answer = client.post(url, fields(page) | {"do": "save"})
    path = f"{APPS}/namespaces/{namespace}/deployments/web"
    cluster.api.patch(path, {"metadata": {"labels": {"by": "others"}}})
    made = ran(answer)
    assert made.status == "failed"
    assert "It was changed meanwhile: metadata.labels.by" in told(made)[0][1]
    shown = client.get(f"/operations/{made.pk}/").content.decode()
    assert f"{url}?operation={made.pk}" in shown
    again = form(client, f"{url}?operation={made.pk}")
    assert "image: web:2" in again["text"]
    assert client.post(url, again | {"do": "preview"}).status_code == 409


def test_a_secret_stays_unread(
    client: Client, worker: User, real: Cluster, cluster: RealCluster, namespace: str
) -> None:
    values = {"user": "root", "password": "hunter2-of-mine"}
    data = {key: b64encode(value.encode()).decode() for key, value in values.items()}
    path = f"{CORE}/namespaces/{namespace}/secrets"
    found = cluster.api.post(
        path, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": data}
    )
    row = seen(real, "Secret", found)
    client.force_login(worker)
    url = f"/objects/{row.pk}/edit/"
    given = form(client, url)
    assert given["text"].count(MASK) == 2
    changed = given["text"].replace(f"user: {MASK}", "user: YWRtaW4=")
    changed = changed.replace("type: Opaque", "type: Opaque\nstringData:\n  more: planted-by-me")
    page = client.post(url, given | {"text": changed, "do": "preview"})
    assert page.status_code == 200, page.context["page"].problems
    shown = [line.text for line in page.context["page"].looked.lines]
    assert any(f"user: '{CHANGED}'" in line or f"user: {CHANGED}" in line for line in shown), shown
    made = saved(client, url, page)
    assert made.status == "succeeded", told(made)
    held = cluster.api.get(f"{path}/db")["data"]
    assert held == {
        "user": "YWRtaW4=", "password": data["password"],
        "more": b64encode(b"planted-by-me").decode(),
    }  # fmt: skip
    rows = str(list(AuditEvent.objects.values())) + str(list(made.steps.values()))
    rows += client.get(f"/operations/{made.pk}/").content.decode()
    for secret in ("planted-by-me", "YWRtaW4=", data["password"], *values.values()):
        assert secret not in re.sub(r"'sealed\w*': [^,]*", "", rows)
    missing = given["text"].replace("password:", "passwort:")
    assert client.post(url, given | {"text": missing}).status_code == 409  # its version is old
    given = form(client, url)
    missing = given["text"].replace("password:", "passwort:")
    page = client.post(url, given | {"text": missing, "do": "preview"})
    assert [each.field for each in page.context["page"].problems] == ["data.passwort"]

    undone = ran(client.post(f"/operations/{made.pk}/undo/", {"key": "back"}))
    assert undone.status == "succeeded", told(undone)
    assert cluster.api.get(f"{path}/db")["data"] == data


def test_prod_asks_for_the_name_and_the_fields_come_from_the_cluster(
    client: Client, worker: User, real: Cluster, cluster: RealCluster, namespace: str
) -> None:
    real.environment = Environment.PROD
    real.save()
    row = seen(real, "ConfigMap", config(cluster, namespace, "one"))
    client.force_login(worker)
    url = f"/objects/{row.pk}/edit/"
    given = form(client, url)
    given["text"] += "data:\n  a: '1e3'\n"
    page = client.post(url, given | {"do": "preview"})
    assert page.status_code == 200
    assert client.post(url, fields(page) | {"do": "save"}).status_code == 422
    made = saved(client, url, page, confirm_name="one")
    assert made.status == "succeeded"
    # What is written without quotes by others is a number: it stays the text that it was.
    assert 'a: "1e3"' in form(client, url)["text"]
    told_fields = client.get(f"/objects/{row.pk}/schema/").json()
    root = told_fields["types"][told_fields["root"]]["fields"]
    assert {"data", "binaryData", "immutable", "metadata"} <= set(root)


def test_a_dead_cluster_is_told_and_the_text_is_kept(
    client: Client, worker: User, dead: Cluster
) -> None:
    meta = {"name": "x", "namespace": "default", "uid": "u"}
    row = seen(dead, "ConfigMap", {"metadata": meta})
    client.force_login(worker)
    url = f"/objects/{row.pk}/edit/"
    page = client.get(url)
    assert page.context["page"].failure is not None
    base = json.dumps({"metadata": meta})
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n"
    page = client.post(url, {"base": base, "text": text, "version": "1", "do": "preview"})
    assert page.context["draft"].text == text
    assert client.get(f"/objects/{row.pk}/schema/").status_code == 204


def test_the_api_edits_with_three_documents_at_a_conflict(
    client: Client, worker: User, web: Object, cluster: RealCluster, namespace: str
) -> None:
    client.force_login(worker)
    url = f"/api/v1/objects/{web.pk}/edit"
    given = client.get(url).json()

    def put(**body: Any) -> Any:
        sent = {"yaml": mine, "base": given["yaml"], "resourceVersion": given["resourceVersion"]}
        return client.put(url, json.dumps(sent | body), content_type="application/json")

    mine = given["yaml"].replace("replicas: 1", "replicas: 2")
    looked = put(dryRun=True).json()
    assert looked["changed"] == ["spec.replicas"]
    assert "+  replicas: 2" in looked["diff"]
    cluster.api.patch(f"{APPS}/namespaces/{namespace}/deployments/web", {"spec": {"replicas": 3}})
    answer = put()
    assert answer.status_code == 409
    said = answer.json()
    assert said["overlaps"] == [{"path": "spec.replicas", "base": 1, "mine": 2, "theirs": 3}]
    assert "replicas: 3" in said["theirs"]
    assert (said["base"], said["mine"]) == (given["yaml"], mine)
    mine = said["theirs"].replace("replicas: 3", "replicas: 2")
    again = put(base=said["theirs"], resourceVersion=said["resourceVersion"])
    assert acted_ran(again).status == "succeeded"
    wrong = put(yaml="a: [", base=said["theirs"])
    assert (wrong.status_code, wrong.json()["problems"][0]["line"] > 0) == (400, True)


def test_who_only_sees_reads_why_and_who_does_not_see_finds_nothing(
    client: Client, viewer: User, outsider: User, operator: User, pod: Object
) -> None:
    url = f"/objects/{pod.pk}/edit/"
    for user, status in ((viewer, 403), (outsider, 404), (operator, 200)):
        client.force_login(user)
        assert client.get(url).status_code == status
    client.force_login(viewer)
    assert "You need the role operator here." in client.get(f"/pods/{pod.pk}/").content.decode()
