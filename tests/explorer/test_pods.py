"""The pods page: filters, order, pages by key, and only what one may see."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clusters.models import Cluster, Namespace, Object
from explorer.filters import counts
from explorer.views import lists as views
from teams.models import User
from teams.roles import Role
from tests import factories

MORE = {"HX-Request": "true", "HX-Target": "tr#more"}


ALL = ["100%_done", "a'b", "ledger", "web-1", "web-2", "web-3"]


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def some(prod: Cluster, other: Cluster) -> None:
    """Six pods that differ in everything that can be asked for."""
    make = factories.PodFactory.create
    make(cluster=prod, namespace="shop", name="web-1")
    make(cluster=prod, namespace="shop", name="web-2", status="Error", health="failing")
    make(cluster=prod, namespace="bank", name="ledger", status="Pending", health="progressing")
    make(cluster=other, namespace="shop", name="web-3", restarts=9)
    make(cluster=other, namespace="bank", name="100%_done", status="Completed", health="idle")
    make(cluster=other, namespace="bank", name="a'b", health="degraded")
    factories.NodeFactory.create(cluster=prod, name="web-node")


def shown(client: Client, **query: Any) -> list[str]:
    answer = client.get("/pods/", query, follow=True)
    assert answer.status_code == 200
    return [seen.object.name for seen in answer.context["objects"]]


def names(answer: Any) -> list[str]:
    """The pods in the rows of an answer."""
    return re.findall(r'data-drawer class="mono">([^<]*)</a>', answer.content.decode())


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ALL),
        ({"q": "web"}, ["web-1", "web-2", "web-3"]),
        ({"q": " WEB-2 "}, ["web-2"]),
        ({"q": "%"}, ["100%_done"]),
        ({"q": "_"}, ["100%_done"]),
        ({"q": "'"}, ["a'b"]),
        ({"q": "' OR 1=1 --"}, []),
        ({"q": "\\"}, []),
        ({"q": "x" * 500}, []),
        ({"q": "x" * 5000}, ALL),
        ({"q": "web -ns:shop"}, []),
        ({"q": "status:failing"}, ["web-2"]),
        ({"q": "env:prod -web"}, ["ledger"]),
        ({"q": "colour:red web"}, ["web-1", "web-2", "web-3"]),
        ({"cluster": "prod"}, ["ledger", "web-1", "web-2"]),
        ({"cluster": ["prod", "other"]}, ALL),
        ({"cluster": "none"}, []),
        ({"cluster": ""}, ALL),
        ({"namespace": "bank"}, ["100%_done", "a'b", "ledger"]),
        ({"namespace": ""}, ALL),
        ({"health": "failing"}, ["web-2"]),
        ({"health": ["failing", "idle"]}, ["100%_done", "web-2"]),
        ({"health": "nonsense"}, ALL),
        ({"env": "prod"}, ["ledger", "web-1", "web-2"]),
        ({"env": "nonsense"}, ALL),
        ({"environment": "prod"}, ["ledger", "web-1", "web-2"]),
        ({"q": "web", "namespace": "shop", "health": "healthy", "env": "prod"}, ["web-1"]),
        ({"sort": "nonsense"}, ALL),
        ({"sort": "cluster__sealed_connection"}, ALL),
        ({"sort": "-name"}, ALL[::-1]),
    ],
    ids=repr,
)
def test_each_filter_shows_its_pods(query: Any, expected: list[str], mcm: Client) -> None:
    assert shown(mcm, **query) == expected


@pytest.mark.usefixtures("some")
def test_numbers_that_are_none_are_never_an_error(mcm: Client) -> None:
    for shown_rows in ("-1", "x", "9" * 5000, "1e3", "\u0663", ""):
        answer = mcm.get("/pods/", headers={"X-MCM-Shown": shown_rows})
        assert answer.status_code == 200, shown_rows
    for rows in ("x", "9" * 30, "9" * 5000, ",,,", "1,x,-2", "\u0661"):
        assert mcm.get("/pods/rows/", {"rows": rows}).status_code == 200, rows
    for key in ("0", "9" * 30, "9" * 5000):
        assert mcm.get(f"/pods/{key}/").status_code == 404
    assert mcm.get("/pods/?q=%00").status_code == 400


def test_the_next_page_is_only_rows(mcm: Client, prod: Cluster) -> None:
    factories.pods(prod, (f"pod-{n:03}" for n in range(150)))
    first = mcm.get("/pods/")
    assert len(first.context["objects"]) == views.PAGE == 100
    second = mcm.get("/pods/", {"after": first.context["after"]}, headers=MORE)
    assert b"<html" not in second.content
    assert names(second) == [f"pod-{n}" for n in range(100, 150)]
    assert b"after=" not in second.content
    assert b"after=" in first.content
    for shown_rows in ("150", "9999"):
        page = mcm.get("/pods/", headers={"X-MCM-Shown": shown_rows})
        assert len(page.context["objects"]) == 150


def test_rows_between_pages_neither_repeat_nor_hide_others(mcm: Client, prod: Cluster) -> None:
    factories.pods(prod, (f"pod-{n:03}" for n in range(150)))
    first = mcm.get("/pods/")
    Object.objects.filter(name__in=["pod-000", "pod-099", "pod-120"]).delete()
    factories.pods(prod, ["pod-0005", "pod-1005"])
    second = mcm.get("/pods/", {"after": first.context["after"]}, headers=MORE)
    expected = {f"pod-{n}" for n in range(100, 150) if n != 120} | {"pod-1005"}
    assert set(names(second)) == expected


def test_more_than_can_be_counted_is_said_so(
    mcm: Client, prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MOST_COUNTED", 20)
    factories.pods(prod, (f"a-{n}" for n in range(20)))
    words, live = "/pods/?q=a-", {"X-MCM-Shown": "0"}
    counted = mcm.get(words, headers=live).context["counts"]
    assert (counted.total, counted.exact) == (20, True)
    factories.pods(prod, ["a-b"])
    page = mcm.get(words, headers=live)
    counted = page.context["counts"]
    assert (counted.total, counted.exact) == (20, False)
    assert b"20+" in page.content
    # What the tallies know is exact at any size.
    assert mcm.get("/pods/").context["counts"].total == 21


@pytest.mark.usefixtures("some")
def test_changed_rows_are_fetched_by_their_keys(mcm: Client) -> None:
    keys = dict(Object.objects.values_list("name", "pk"))
    query = {
        "rows": f"{keys['web-1']},{keys['web-2']},{keys['web-node']},{2**40}",
        "health": "failing",
    }
    answer = mcm.get("/pods/rows/", query)
    assert names(answer) == ["web-2"]
    assert answer.content.strip().startswith(b"<tr")
    assert f'data-key="{keys["web-2"]}"'.encode() in answer.content
    assert mcm.get("/pods/rows/").content.strip() == b""


def test_who_has_a_namespace_sees_its_pods_only(
    client: Client, shop_viewer: User, prod: Cluster, other: Cluster, bank: Namespace
) -> None:
    mine = factories.PodFactory.create(cluster=prod, namespace="shop", name="mine")
    theirs = factories.PodFactory.create(cluster=prod, namespace="bank", name="theirs")
    factories.PodFactory.create(cluster=other, namespace="shop", name="foreign")
    node = factories.NodeFactory.create(cluster=prod)
    client.force_login(shop_viewer)
    page = client.get("/pods/", {"namespace": ["bank", "shop"], "cluster": ["prod", "other"]})
    assert [seen.object.name for seen in page.context["objects"]] == ["mine"]
    counted = page.context["counts"]
    assert counted.total == 1
    assert counted.facets["namespace"] == {"shop": 1}
    assert [cluster.name for cluster in page.context["clusters"].values()] == ["prod"]
    rows = client.get("/pods/rows/", {"rows": f"{mine.pk},{theirs.pk},{node.pk}"})
    assert names(rows) == ["mine"]
    assert client.get(f"/pods/{theirs.pk}/").status_code == 404
    assert client.get(f"/pods/{node.pk}/").status_code == 404
    assert b"theirs" not in client.get("/").content


def test_the_drawer_shows_one_pod(mcm: Client, prod: Cluster) -> None:
    pod = factories.PodFactory.create(
        cluster=prod, name="<script>web", labels={"app": "<b>"}, images=["web:1"], status="Error"
    )
    url = f"/pods/{pod.pk}/"
    whole, part = mcm.get(url), mcm.get(url, headers={"HX-Request": "true"})
    for answer in (whole, part):
        assert b"&lt;script&gt;web" in answer.content
        assert b"<script>web" not in answer.content
        assert b"web:1" in answer.content
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    again = mcm.get(url, headers={"HX-Request": "true", "HX-Target": "div#object-drawer"})
    assert b"dialog-head" not in again.content
    assert b"web:1" in again.content
    assert mcm.get(f"/pods/{factories.NodeFactory.create(cluster=prod).pk}/").status_code == 404


def test_clusters_that_are_behind_are_named(mcm: Client, prod: Cluster) -> None:
    Cluster.objects.update(status="unreachable", status_reason="Nobody answers.")
    page = mcm.get("/pods/")
    assert [cluster.name for cluster, *_ in page.context["behind"]] == ["prod"]
    assert b"Nobody answers." in page.content
    assert b"<details" not in page.content
    factories.ClusterFactory.create(name="gone", status="unreachable", status_reason="Cut off.")
    assert b"<b>2 clusters are not live.</b>" in mcm.get("/pods/").content


@pytest.mark.parametrize("url", ["/pods/", "/", "/clusters/", "/operations/", "/releases/"])
def test_more_rows_need_no_more_queries(
    url: str, client: Client, viewer: User, shop_viewer: User, prod: Cluster, other: Cluster
) -> None:
    def grow(n: int) -> None:
        for number in range(n):
            cluster = factories.ClusterFactory.create()
            factories.give(viewer, Role.VIEWER, cluster)
            factories.pods(cluster, [f"pod-{number}-{m}" for m in range(5)], health="failing")
            factories.OperationFactory.create(cluster=cluster)
            factories.ReleaseFactory.create(cluster=cluster)
            factories.NodeFactory.create(cluster=cluster, health="failing")

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(url).status_code == 200
        return len(asked)

    grow(1)
    client.force_login(viewer)
    queries()
    few = queries()
    grow(6)
    assert queries() == few < 45


def test_no_secret_and_no_broken_number_stands_on_the_page(mcm: Client, prod: Cluster) -> None:
    factories.PodFactory.create(cluster=prod, restarts=3)
    text = mcm.get("/pods/").content.decode()
    assert "planted-cluster-token" not in text
    assert re.search(r'<td class="num">\s*3\s*</td>', text)
