"""The list of any kind: its columns, its orders, what it says when it is empty, and the menu."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from clusters.kube.kinds import KINDS
from clusters.models import Cluster, CustomResource, KindState, Namespace, Object
from explorer.filters import columns
from explorer.filters.ordering import SORTS
from explorer.filters.paths import list_path
from explorer.filters.words import TITLES
from explorer.views.menu import GROUPS
from teams.models import User
from tests import factories

CUSTOM = "Certificate.cert-manager.io"


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def make(cluster: Cluster, kind: str, name: str, **values: Any) -> Object:
    made: Object = factories.PodFactory.create(cluster=cluster, kind=kind, name=name, **values)
    return made


def names(answer: Any) -> list[str]:
    return re.findall(r'data-drawer class="mono">([^<]*)</a>', answer.content.decode())


def heads(answer: Any) -> list[str]:
    return [str(column.label) for column in answer.context["columns"]]


def test_every_kind_has_a_list_a_title_and_a_place_in_the_menu(mcm: Client) -> None:
    for kind in KINDS:
        assert mcm.get(f"/objects/{kind}/", follow=True).context["title"] == str(TITLES[kind])
    assert sorted(kind for _label, kinds in GROUPS for kind in kinds) == sorted(KINDS)


def test_each_list_has_one_address(mcm: Client) -> None:
    for word in ("Deployment", "deploy", "DEPLOYMENTS"):
        answer = mcm.get(f"/objects/{word}/", {"q": "web", "sort": "-age"})
        assert answer.headers["Location"] == "/objects/deployments/?q=web&sort=-age"
    assert mcm.get("/objects/pods/?health=failing").headers["Location"] == "/pods/?health=failing"
    assert mcm.get("/objects/nothing/").status_code == 404
    assert mcm.get(f"/objects/{CUSTOM}/").status_code == 200


def test_a_list_shows_the_facts_of_its_kind_and_no_other_kind(mcm: Client, prod: Cluster) -> None:
    facts = {"type": "NodePort", "clusterIP": "10.0.0.9", "ports": "80:30080/TCP"}
    make(prod, "Service", "web", facts=facts)
    make(prod, "Deployment", "api")
    answer = mcm.get("/objects/services/?kind=Deployment")
    assert names(answer) == ["web"]
    assert heads(answer) == [
        "Name", "Cluster", "Namespace", "Status", "Type", "Cluster IP", "External IP", "Ports",
        "Age",
    ]  # fmt: skip
    for text in facts.values():
        assert text in answer.content.decode()


def test_kinds_without_a_state_or_a_namespace_show_neither(mcm: Client, prod: Cluster) -> None:
    make(prod, "ConfigMap", "settings", status="", health="idle")
    make(prod, "Node", "n-1", namespace="", facts={"version": "v1.30.1"})
    assert heads(mcm.get("/objects/configmaps/")) == ["Name", "Cluster", "Namespace", "Age"]
    nodes = mcm.get("/nodes/")
    assert "Namespace" not in heads(nodes)
    assert b"v1.30.1" in nodes.content
    assert [facet["name"] for facet in nodes.context["facets"]] == [
        "health", "status", "cluster", "environment",
    ]  # fmt: skip


def test_every_column_of_every_kind_can_be_shown_and_sorted_by(mcm: Client, prod: Cluster) -> None:
    for kind in KINDS:
        make(prod, kind, f"a-{kind.lower()}", facts={"count": "3", "cpu": "1/2"})
        for column in columns.possible(kind):
            keys = f"cluster,{column.key}"
            page = mcm.get(f"{list_path(kind)}?columns={keys}&sort={column.sort}", follow=True)
            assert names(page) == [f"a-{kind.lower()}"], (kind, column.key)
            assert str(column.label) in heads(page)
    assert {key for key in SORTS if key.startswith("facts.")} == {
        key for key in columns.COLUMNS if key.startswith("facts.")
    }


def test_facts_that_are_numbers_are_sorted_as_numbers(mcm: Client, prod: Cluster) -> None:
    for count in ("9", "10", "100"):
        make(prod, "Event", f"seen-{count}", facts={"count": count})
    make(prod, "Event", "seen-never")
    shown = ["seen-never", "seen-9", "seen-10", "seen-100"]
    assert names(mcm.get("/objects/events/?sort=facts.count")) == shown
    assert names(mcm.get("/objects/events/?sort=-facts.count")) == shown[::-1]


def test_events_begin_with_the_newest(mcm: Client, prod: Cluster) -> None:
    make(prod, "Event", "a-old")
    later = factories.THEN.replace(year=2027)
    make(prod, "Event", "b-new", created=later)
    assert names(mcm.get("/objects/events/")) == ["b-new", "a-old"]
    assert mcm.get("/objects/events/?sort=age").headers["Location"] == "/objects/events/"
    assert names(mcm.get("/objects/events/?sort=name")) == ["a-old", "b-new"]


def test_the_columns_of_an_address_are_those_of_the_page_and_its_rows(
    mcm: Client, prod: Cluster
) -> None:
    row = make(prod, "Deployment", "web", labels={"app": "shop-window"}, images=["web:1.2"])
    answer = mcm.get("/objects/deployments/?columns=labels,image,nonsense,labels")
    assert heads(answer) == ["Name", "Labels", "Images"]
    url = re.search(r'data-live-rows-url="([^"]*)"', answer.content.decode())
    assert url
    part = mcm.get(url[1].replace("&amp;", "&") + f"&rows={row.pk}")
    assert names(part) == ["web"]
    assert b"app=shop-window" in part.content
    assert part.content.strip() in answer.content
    assert heads(mcm.get("/objects/deployments/?columns=nonsense")) == heads(
        mcm.get("/objects/deployments/")
    )


def test_rows_of_no_kind_are_none(mcm: Client, pod: Object) -> None:
    for query in ("", "of=nothing", "of=Node", "of=Pod&health=failing"):
        assert mcm.get(f"/objects/rows/?rows={pod.pk}&{query}").content == b""
    assert names(mcm.get(f"/objects/rows/?rows={pod.pk}&of=Pod")) == [pod.name]


def test_a_custom_kind_is_listened_to_by_its_plural(mcm: Client, prod: Cluster) -> None:
    CustomResource.objects.create(
        cluster=prod, group="cert-manager.io", version="v1", plural="certificates",
        kind="Certificate", namespaced=True,
    )  # fmt: skip
    make(prod, CUSTOM, "site", status="Ready")
    answer = mcm.get(f"/objects/{CUSTOM}/")
    assert names(answer) == ["site"]
    assert answer.context["topics"] == "certificates clusters"


def test_who_has_a_namespace_sees_of_every_kind_what_is_in_it(
    client: Client, shop_viewer: User, prod: Cluster, bank: Namespace
) -> None:
    mine = make(prod, "Secret", "mine", namespace="shop", status="", health="idle")
    theirs = make(prod, "Secret", "theirs", namespace="bank", status="", health="idle")
    node = factories.NodeFactory.create(cluster=prod, name="their-node")
    hidden = make(prod, CUSTOM, "hidden", namespace="bank")
    client.force_login(shop_viewer)
    assert names(client.get("/objects/secrets/")) == ["mine"]
    nodes = client.get("/nodes/")
    assert names(nodes) == []
    assert b"You see namespaces only" in nodes.content
    keys = ",".join(str(row.pk) for row in (mine, theirs, node, hidden))
    assert names(client.get(f"/objects/rows/?of=Secret&rows={keys}")) == ["mine"]
    assert client.get(f"/objects/{mine.pk}/").status_code == 200
    for row in (theirs, node, hidden):
        assert client.get(f"/objects/{row.pk}/").status_code == 404
    menu = client.get("/objects/")
    shown = {
        entry["title"]: entry["n"] for _label, rows in menu.context["sections"] for entry in rows
    }
    assert (shown["Secrets"], shown["Nodes"]) == (1, 0)
    assert CUSTOM.encode() not in menu.content
    # Nobody can tell a kind that is hidden from one that is not there.
    there, nowhere = (client.get(f"/objects/{name}/") for name in (CUSTOM, "Zertifikat.a.b"))
    assert there.context["objects"] == nowhere.context["objects"] == []
    assert there.context["topics"] == nowhere.context["topics"]


def test_the_menu_counts_each_kind(mcm: Client, prod: Cluster) -> None:
    factories.pods(prod, ["a", "b"])
    factories.pods(prod, ["c"], health="failing", status="Error")
    make(prod, CUSTOM, "site")
    sections = mcm.get("/objects/").context["sections"]
    rows = {entry["title"]: entry for _label, entries in sections for entry in entries}
    assert (rows["Pods"]["n"], rows["Pods"]["troubles"]) == (3, [("failing", 1)])
    assert rows["Pods"]["url"] == "/pods/"
    assert rows[CUSTOM]["url"] == reverse("object-list", args=[CUSTOM])
    assert rows["Deployments"]["n"] == 0


@pytest.mark.parametrize(
    ("state", "said"),
    [("forbidden", b"MCM may not read this"), ("absent", b"No cluster has this kind")],
)
def test_an_empty_list_says_why(state: str, said: bytes, mcm: Client, prod: Cluster) -> None:
    Cluster.objects.update(observed_at=datetime.now(UTC))
    assert b"Nothing there" in mcm.get("/objects/ingresses/").content
    KindState.objects.create(cluster=prod, kind="Ingress", state=state, reason="RBAC says no.")
    page = mcm.get("/objects/ingresses/")
    assert said in page.content
    # Where it is not installed in one of several clusters, nobody needs to hear of it.
    factories.ClusterFactory.create(name="another", observed_at=datetime.now(UTC))
    page = mcm.get("/objects/ingresses/")
    assert said not in page.content
    late = [cluster.name for cluster, *_ in page.context["behind"]]
    assert ("prod" in late) is (state == "forbidden")


def test_the_navigation_marks_the_list(mcm: Client) -> None:
    for path, label in (("/objects/deployments/", "Deployments"), ("/objects/", "All kinds"),
                        ("/pods/", "Pods"), ("/objects/secrets/", "All kinds")):  # fmt: skip
        active = [entry["label"] for entry in mcm.get(path).context["nav"] if entry["active"]]
        assert active == [label], path


def test_a_kind_in_no_query_is_a_chip_of_the_page(mcm: Client) -> None:
    page = mcm.get("/objects/jobs/?owner=nightly")
    assert QueryDict("owner=nightly").urlencode() in page.context["path"]
    assert b"owner: nightly" in page.content
