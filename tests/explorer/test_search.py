"""What a few words find: the best first, of what the person may see, in time."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster, Freshness, Namespace, Status
from explorer.filters import candidates
from explorer.models import SavedView
from teams.models import User
from teams.roles import Role
from tests import factories

pytestmark = pytest.mark.usefixtures("patient")

URL = "/api/v1/search"


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def some(prod: Cluster, other: Cluster) -> None:
    make = factories.PodFactory.create
    make(cluster=prod, namespace="shop", name="checkout-7d9f-abc")
    make(cluster=prod, namespace="shop", name="checkout", kind="Deployment", owner_name="")
    make(cluster=prod, namespace="shop", name="checkout-7d9f", kind="ReplicaSet")
    make(cluster=prod, namespace="shop", name="checkout.17f2", kind="Event")
    make(cluster=prod, namespace="bank", name="old-checkout", health="failing", status="Error")
    make(cluster=other, namespace="bank", name="precheckout-1")
    make(cluster=other, namespace="shop", name="checkout", kind="Service")


def found(client: Client, q: str) -> dict[str, Any]:
    answer = client.get(URL, {"q": q})
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    assert told["complete"]
    return told


def names(client: Client, q: str) -> list[str]:
    objects = found(client, q)["objects"]
    return [f"{each['cluster']}/{each['kind']}/{each['name']}" for each in objects]


@pytest.mark.usefixtures("some")
def test_the_best_come_first(mcm: Client) -> None:
    assert names(mcm, "checkout") == [
        "prod/Deployment/checkout",
        "other/Service/checkout",
        "prod/Pod/checkout-7d9f-abc",
        "prod/Pod/old-checkout",
        "other/Pod/precheckout-1",
    ]


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("deploy checkout", ["prod/Deployment/checkout"]),
        ("services CHECKOUT", ["other/Service/checkout"]),
        ("rs checkout", ["prod/ReplicaSet/checkout-7d9f"]),
        ("event checkout", ["prod/Event/checkout.17f2"]),
        ("pod checkout other", ["other/Pod/precheckout-1"]),
        ("pod other checkout", ["other/Pod/precheckout-1"]),
        ("checkout bank prod", ["prod/Pod/old-checkout"]),
        ("pod checkout 7d9f", ["prod/Pod/checkout-7d9f-abc"]),
        ('pod "old checkout"', ["prod/Pod/old-checkout"]),
        ("pod nothing", []),
        ("", []),
        ("   ", []),
    ],
)
def test_words_mean_kinds_names_and_places(mcm: Client, query: str, expected: list[str]) -> None:
    assert names(mcm, query) == expected


@pytest.mark.usefixtures("some")
def test_only_what_one_may_see_is_found(client: Client, prod: Cluster) -> None:
    user = factories.UserFactory.create()
    space = Namespace.objects.get_or_create(cluster=prod, name="bank")[0]
    factories.give(user, Role.VIEWER, space)
    client.force_login(user)
    assert names(client, "checkout") == ["prod/Pod/old-checkout"]
    assert names(client, "checkout other") == []
    assert found(client, "other")["clusters"] == []
    assert [each["name"] for each in found(client, "pro")["clusters"]] == ["prod"]
    client.force_login(factories.UserFactory.create())
    assert names(client, "checkout") == []


@pytest.mark.usefixtures("some")
def test_what_was_seen_long_ago_is_not_told_as_present(mcm: Client, prod: Cluster) -> None:
    live = {"status": Status.ACTIVE, "observed_at": timezone.now()}
    Cluster.objects.filter(pk=prod.pk).update(**live)
    (seen,) = found(mcm, "pod old-checkout")["objects"]
    assert (seen["status"], seen["health"], seen["freshness"]) == ("Error", "failing", "live")
    Cluster.objects.filter(pk=prod.pk).update(observed_at=None)
    (seen,) = found(mcm, "pod old-checkout")["objects"]
    assert (seen["status"], seen["health"]) == ("Error", "stale")
    assert seen["freshness"] != Freshness.LIVE


def test_lists_and_views_are_found(mcm: Client, admin: User) -> None:
    SavedView.objects.create(owner=admin, kind="Deployment", name="Broken in prod", query="q=a")
    SavedView.objects.create(
        owner=factories.UserFactory.create(), kind="Deployment", name="Broken of others"
    )
    assert [each["url"] for each in found(mcm, "broken")["views"]] == ["/objects/deployments/?q=a"]
    lists = found(mcm, "depl")["lists"]
    assert lists[0] == {"title": "Deployments", "url": "/objects/deployments/"}
    assert lists[-1]["url"] == "/pods/?q=depl"
    assert found(mcm, "svc web-1 x")["lists"] == [
        {"title": "Services with “web-1 x”", "url": "/objects/services/?q=web-1+x"}
    ]


@pytest.mark.usefixtures("some")
def test_what_takes_too_long_is_left_out_and_told(
    mcm: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "PATIENCE", "0.001ms")
    monkeypatch.setattr(candidates.Seen, "found", late)
    answer = mcm.get(URL, {"q": "checkout"})
    assert answer.status_code == 200
    assert (answer.json()["objects"], answer.json()["complete"]) == ([], False)


def late(seen: candidates.Seen, _rows: Any) -> list[tuple[Any, ...]]:
    """A question that the database ends, since its time is over."""
    candidates.PATIENCE = "1ms"
    return seen._ask("SELECT pg_sleep(1)::text FROM ({}) AS x", seen.objects().values_list("pk"))


def test_rubbish_is_told(mcm: Client) -> None:
    answer = mcm.get(URL, {"q": "a" * 201})
    assert answer.status_code == 400
    assert set(answer.json()["fields"]) == {"q"}
    assert set(mcm.get(URL, {"q": "a", "kind": "Pod"}).json()["fields"]) == {"kind"}
    assert mcm.get(URL, {"q": "a\x00b %_\\ ' \" ümlaut 结"}).status_code in {200, 400}
