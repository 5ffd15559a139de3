"""Lists as CSV files, and which rows may be selected."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster, Namespace
from explorer.filters import written
from explorer.views import selection
from teams import services, throttles
from teams.models import Grant, User
from tests import factories

API = "/api/v1/objects/export.csv"


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def some(prod: Cluster, other: Cluster) -> None:
    make = factories.PodFactory.create
    make(cluster=prod, name="=1+1", labels={"a": "b"})
    make(cluster=prod, name="-x", namespace="bank", status="@SUM(A1)", health="failing", restarts=3)
    make(cluster=other, name="far")
    make(cluster=prod, name="web", kind="Deployment", images=["web:1", "side:2"])


def table(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode()
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.usefixtures("some")
def test_a_file_has_what_the_list_shows(mcm: Client) -> None:
    answer = mcm.get("/objects/pods/csv/?cluster=prod&sort=-restarts&columns=cluster,restarts,age")
    assert ".csv" in answer.headers["Content-Disposition"]
    head, *rows = table(answer)
    assert head == ["Name", "Cluster", "Restarts", "Age"]
    assert rows == [
        ["'-x", "prod", "3", "2026-01-01T00:00:00+00:00"],
        ["'=1+1", "prod", "0", "2026-01-01T00:00:00+00:00"],
    ]
    rows = table(mcm.get("/objects/deployments/csv/"))
    assert rows[1][:4] == ["web", "prod", "shop", "Running"]
    assert "web:1, side:2" in rows[1]


@pytest.mark.usefixtures("some")
def test_nothing_in_a_file_is_a_formula(mcm: Client) -> None:
    for row in table(mcm.get(API, {"columns": "name,status,labels"})):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)


@pytest.mark.usefixtures("some")
def test_the_api_writes_any_kinds_and_columns(mcm: Client) -> None:
    head, *rows = table(mcm.get(API))
    assert head == [
        "kind", "name", "cluster", "namespace", "status", "ready", "restarts", "node", "age",
    ]  # fmt: skip
    assert len(rows) == 4
    assert table(mcm.get(API, {"kind": "deploy"}))[0] == [
        "name", "cluster", "namespace", "status", "ready", "facts.revision", "image", "age",
    ]  # fmt: skip
    assert table(mcm.get(API, {"q": "far", "columns": "uid,name"}))[1][1] == "far"
    for query in ({"columns": "name,beauty"}, {"limit": "5"}, {"q": "colour:red"}):
        assert mcm.get(API, query).status_code == 400, query


def test_a_file_of_many_rows_has_each_once_and_tells_where_it_ends(
    mcm: Client, prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.pods(prod, (f"pod-{n:03}" for n in range(25)))
    monkeypatch.setattr(written, "CHUNK", 10)
    rows = table(mcm.get("/objects/pods/csv/"))[1:]
    assert [row[0] for row in rows] == [f"pod-{n:03}" for n in range(25)]
    monkeypatch.setattr(written, "MOST", 20)
    *rows, last = table(mcm.get("/objects/pods/csv/"))[1:]
    assert len(rows) == 20
    assert last == ["Only the first 20 rows are in this file."]
    monkeypatch.setattr(written, "MOST", 30)
    assert len(table(mcm.get("/objects/pods/csv/"))) == 26


def test_rights_are_those_of_each_moment(
    client: Client, shop_viewer: User, prod: Cluster, bank: Namespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    factories.pods(prod, (f"mine-{n}" for n in range(20)), namespace="shop")
    theirs = factories.pods(prod, ["their"], namespace="bank")[0]
    client.force_login(shop_viewer)
    assert {row[0] for row in table(client.get(API, {"columns": "namespace"}))[1:]} == {"shop"}
    named = client.get("/objects/pods/csv/", {"rows": f"{theirs.pk}"})
    assert len(table(named)) == 1
    monkeypatch.setattr(written, "CHUNK", 10)
    answer: Any = client.get(API, {"columns": "name"})
    reading = answer.streaming_content
    assert next(reading)
    assert next(reading).count(b"mine-") == 10
    services.revoke(Grant.objects.get(team__members=shop_viewer), by=None)
    assert b"".join(reading) == b""


@pytest.mark.usefixtures("some")
def test_a_file_of_the_selection_has_just_its_rows(mcm: Client) -> None:
    rows = mcm.get("/objects/pods/keys/?q=-far&sort=name").json()
    assert [row["name"] for row in rows["rows"]] == ["-x", "=1+1"]
    assert not rows["more"]
    keys = ",".join(row["key"] for row in rows["rows"])
    assert len(table(mcm.get("/objects/pods/csv/", {"rows": keys, "sort": "-name"}))) == 3
    assert len(table(mcm.get("/objects/pods/csv/", {"rows": "x,-1,9" + "9" * 30}))) == 1
    page = mcm.get("/pods/", {"q": f"id:{keys}"})
    assert [seen.object.name for seen in page.context["objects"]] == ["-x", "=1+1"]


def test_no_more_is_selected_than_can_be(
    mcm: Client, prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MOST_SELECTED", 5)
    factories.pods(prod, (f"pod-{n}" for n in range(6)))
    found = mcm.get("/objects/pods/keys/").json()
    assert (len(found["rows"]), found["more"]) == (5, True)
    assert mcm.get("/objects/nothing/keys/").status_code == 404
    assert mcm.get("/objects/pods/keys/?q=colour:red").status_code == 404


def test_files_cost_what_costly_calls_cost(
    mcm: Client, pod: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttles.Costly, "get_rate", lambda _self: "2/min")
    monkeypatch.setattr(throttles.Costly, "timer", lambda _self: 90.0)  # no minute ends meanwhile
    assert mcm.get("/objects/pods/csv/").status_code == 200
    assert mcm.get(API).status_code == 200
    refused = mcm.get("/objects/pods/csv/")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert mcm.get(API).status_code == 429
    assert mcm.get("/pods/").status_code == 200
