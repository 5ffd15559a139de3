"""`GET /api/v1/objects`, and the schema that describes the whole API."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.http import QueryDict
from django.test import Client

from clusters.models import Cluster, KindState, Namespace, Object
from explorer.filters import counts, paging
from explorer.filters.criteria import ObjectFilter
from explorer.filters.inventory import Inventory
from teams.models import User
from tests import factories
from tests.factories import THEN

URL = "/api/v1/objects"


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def test_an_object_is_told_whole(mcm: Client, prod: Cluster) -> None:
    Cluster.objects.update(observed_at=datetime.now(UTC))
    pod = factories.PodFactory.create(
        cluster=prod,
        name="web-1",
        labels={"app": "web"},
        images=["web:1"],
        facts={"ip": "10.0.0.1"},
    )
    answer = mcm.get(URL).json()
    assert answer.keys() == {"objects", "total", "totalIsExact", "next", "facets"}
    assert (answer["total"], answer["totalIsExact"], answer["next"]) == (1, True, None)
    prod.refresh_from_db()
    assert prod.observed_at
    assert answer["objects"] == [
        {
            "id": pod.pk, "cluster": "prod", "clusterId": str(prod.pk), "environment": "prod",
            "kind": "Pod", "namespace": "shop", "name": "web-1", "uid": pod.uid,
            "labels": {"app": "web"}, "owner": {"kind": "ReplicaSet", "name": "web"},
            "images": ["web:1"], "status": "Running", "health": "healthy", "ready": 1, "wanted": 1,
            "restarts": 0, "node": "node-1", "cpu": 0, "memory": 0, "created": THEN.isoformat(),
            "since": THEN.isoformat(), "observedAt": prod.observed_at.isoformat(),
            "freshness": "live", "facts": {"ip": "10.0.0.1"}, "load": None,
        }
    ]  # fmt: skip
    assert answer["facets"] == {
        "status": {"Running": 1}, "health": {"healthy": 1}, "cluster": {"prod": 1},
        "environment": {"prod": 1}, "namespace": {"shop": 1}, "kind": {"Pod": 1},
    }  # fmt: skip


def test_a_kind_whose_watch_is_lost_is_stale_since_then(mcm: Client, prod: Cluster) -> None:
    Cluster.objects.update(observed_at=datetime.now(UTC))
    factories.PodFactory.create(cluster=prod)
    factories.NodeFactory.create(cluster=prod)
    KindState.objects.create(cluster=prod, kind="Pod", state="lost", observed_at=THEN)
    KindState.objects.create(cluster=prod, kind="Node", state="watching")
    told = {row["kind"]: row for row in mcm.get(URL).json()["objects"]}
    assert (told["Pod"]["freshness"], told["Pod"]["observedAt"]) == ("stale", THEN.isoformat())
    assert told["Node"]["freshness"] == "live"
    Cluster.objects.update(status="unreachable")
    told = {row["kind"]: row for row in mcm.get(URL).json()["objects"]}
    assert {row["freshness"] for row in told.values()} == {"unreachable"}


def test_pages_follow_each_other(mcm: Client, prod: Cluster) -> None:
    factories.pods(prod, (f"pod-{n}" for n in range(7)))
    first = mcm.get(URL, {"limit": "4", "counts": "false", "sort": "-name"}).json()
    assert (first["total"], first["facets"]) == (None, {})
    rest = {"limit": "4", "sort": "-name", "cursor": str(first["next"])}
    second = mcm.get(URL, rest).json()
    names = [row["name"] for row in first["objects"] + second["objects"]]
    assert names == [f"pod-{n}" for n in range(6, -1, -1)]
    assert second["next"] is None
    assert mcm.get(URL, rest | {"sort": "name"}).json()["fields"].keys() == {"cursor"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"), ("limit", "501"), ("limit", "x"), ("limit", "\u0663"), ("cursor", "x"),
        ("sort", "beauty"), ("kind", "Thing"), ("health", "rosy"), ("environment", "mars"),
        ("label", "app"), ("q", "colour:red"), ("q", 'web "half'), ("colour", "red"),
        ("counts", "maybe"), ("q", "image:" + ",".join("abcdefgh"[n % 8] for n in range(101))),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused_by_name(name: str, value: str, mcm: Client) -> None:
    answer = mcm.get(URL, {name: value})
    assert answer.status_code == 400
    assert answer.json()["fields"].keys() == {name}


def test_a_mistake_in_a_query_is_told_with_its_place(mcm: Client) -> None:
    answer = mcm.get(URL, {"q": "web colour:red"})
    assert answer.json()["positions"] == {"q": [{"offset": 4, "length": 6}]}
    answer = mcm.get(URL, {"q": "restarts>x web age:1h"})
    assert answer.status_code == 400
    assert len(answer.json()["fields"]["q"]) == 2
    places = [{"offset": 0, "length": 10}, {"offset": 15, "length": 6}]
    assert answer.json()["positions"] == {"q": places}
    page = mcm.get("/pods/", {"q": "restarts>x <b>"}).content.decode()
    assert "<mark>restarts&gt;x</mark>" in page
    assert "positions" not in mcm.get(URL, {"limit": "0"}).json()


def test_there_is_an_end_to_the_values_of_a_parameter(mcm: Client) -> None:
    values = [f"v{n}" for n in range(101)]
    assert mcm.get(URL, {"image": values[1:]}).status_code == 200
    answer = mcm.get(URL, {"image": values})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["image"])


def test_a_cluster_that_comes_while_one_counts_is_no_failure(prod: Cluster, admin: User) -> None:
    inventory = Inventory(admin, ObjectFilter.of(QueryDict("sort=cluster")))
    assert list(inventory.clusters) == [prod.pk]
    factories.PodFactory.create(cluster__name="new")
    counted = counts.count(inventory)
    assert (counted.total, counted.facets["cluster"]) == (1, {})


def test_a_cluster_renamed_while_one_pages_is_no_failure(
    pod: Object, prod: Cluster, admin: User
) -> None:
    inventory = Inventory(admin, ObjectFilter.of(QueryDict("sort=cluster")))
    assert inventory.clusters.keys() == {prod.pk}
    Cluster.objects.update(name="renamed")
    assert paging.page(inventory, 5).keys in ([], [pod.pk])


def test_who_has_a_namespace_gets_its_objects_only(
    client: Client, shop_viewer: User, prod: Cluster, bank: Namespace
) -> None:
    factories.PodFactory.create(cluster=prod, namespace="shop", name="mine")
    factories.PodFactory.create(cluster=prod, namespace="bank", name="theirs", status="Odd")
    factories.NodeFactory.create(cluster=prod)
    client.force_login(shop_viewer)
    for query in ("", "q=mi", "sort=status", "namespace=bank&namespace=shop"):
        answer = client.get(f"{URL}?{query}")
        assert [row["name"] for row in answer.json()["objects"]] == ["mine"]
        assert answer.json()["total"] == 1
        assert b"theirs" not in answer.content
        assert b"Odd" not in answer.content


@pytest.fixture
def schema(mcm: Client) -> dict[str, Any]:
    return dict(mcm.get("/api/v1/schema", {"format": "json"}).json())


def test_the_schema_is_valid_and_knows_every_call(schema: dict[str, Any], tmp_path: Any) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema"))
    assert {"/api/v1/objects", "/api/v1/clusters", "/api/v1/releases"} <= schema["paths"].keys()
    error = {"$ref": "#/components/schemas/Error"}
    for methods in schema["paths"].values():
        for operation in methods.values():
            told = operation["responses"]["default"]["content"]["application/json"]["schema"]
            assert told == error
            assert {"token": []} in operation["security"]
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_the_page_of_the_schema_needs_no_other_host(mcm: Client) -> None:
    page = mcm.get("/api/v1/docs/")
    assert page.status_code == 200
    assert b"http" not in page.content.replace(b"<!DOCTYPE html>", b"")
    rules = [rule.split() for rule in page.headers["Content-Security-Policy"].split(";")]
    (scripts,) = [sources for name, *sources in rules if name == "script-src"]
    assert "'self'" in scripts
    assert "'unsafe-inline'" not in scripts
