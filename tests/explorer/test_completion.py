"""Completion of the typed query: what is offered, where it goes, and for whom."""

from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster, Image, Namespace
from explorer.filters import candidates
from explorer.filters.words import FIELDS
from teams.models import User
from tests import factories

pytestmark = pytest.mark.usefixtures("patient")

URL = "/api/v1/objects/complete"


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def some(prod: Cluster, other: Cluster) -> None:
    make = factories.PodFactory.create
    make(cluster=prod, namespace="shop", name="web-1", labels={"app": "web", "app.io/x": "1"},
         images=["registry/nginx:1"], node="node-7")  # fmt: skip
    make(cluster=prod, namespace="bank", name="ledger-1", labels={"app": "ledger", "teams": "b"},
         images=["registry/ledger:2"], node="vault-1", owner_name="ledger-5f", status="Error",
         health="failing")  # fmt: skip
    make(cluster=other, namespace="shop-far", name="web-far", labels={"app": "web far"},
         kind="Deployment", owner_kind="", owner_name="", node="")  # fmt: skip


def asked(client: Client, q: str, **more: Any) -> dict[str, Any]:
    answer = client.get(URL, {"q": q, **more})
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def texts(client: Client, q: str, **more: Any) -> list[str]:
    return [option["text"] for option in asked(client, q, **more)["options"]]


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("env:", ["dev", "prod", "staging"]),
        ("health:f", ["failing"]),
        ("cluster:", ["other", "prod"]),
        ("cluster:PR", ["prod"]),
        ("ns:sh", ["shop", "shop-far"]),
        ("web -ns:b", ["bank"]),
        ("ns:bank,sh", ["shop", "shop-far"]),
        ("status:", ["Error", "Running", "failing"]),
        ("kind:p", ["Pod", "pods"]),
        ("node:", ["node-7", "vault-1"]),
        ("node:v", ["vault-1"]),
        ("owner:le", ["ledger-5f"]),
        ("name:web", ["web-1", "web-far"]),
        ("image:NGI", ["registry/nginx:1"]),
        ("app=", ["ledger", "web", '"web far"']),
        ('app="web f', ['"web far"']),
        ("label:te", ["teams="]),
        ("label:app=led", ["app=ledger"]),
        ("label:app=ledger,te", ["teams="]),
        ("age<", ["5m", "1h", "1d", "7d", "30d"]),
        ("restarts>=", ["0", "5", "10"]),
        ("colour:", []),
        ("id:", []),
    ],
)
def test_values_begin_as_what_is_typed(query: str, expected: list[str], mcm: Client) -> None:
    assert sorted(texts(mcm, query)) == sorted(expected)


@pytest.mark.usefixtures("some")
def test_fields_labels_and_names_begin_a_term(mcm: Client) -> None:
    assert texts(mcm, "na") == ["name:", "namespace:"]
    assert texts(mcm, "web") == ["web-1", "web-far"]
    assert texts(mcm, "-app") == ["app=", "app.io/x="]
    assert {text[:-1] for text in texts(mcm, "")} >= set(FIELDS)
    assert "restarts>" in texts(mcm, "re")


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("query", "at", "start", "end"),
    [
        ("web ns:sh", None, 7, 9),
        ("web ns:sh rest", 9, 7, 9),
        ("ns:ba,sh,x", 8, 6, 8),
        ("ns:shop", 4, 3, 7),
        ("-ns", None, 1, 3),
        ("web ", None, 4, 4),
        ('app="we', None, 4, 7),
        ("restarts>=5", None, 10, 11),
        ("集群 ns:s", None, 6, 7),
    ],
)
def test_an_option_takes_the_place_of_what_it_completes(
    query: str, at: int | None, start: int, end: int, mcm: Client
) -> None:
    told = asked(mcm, query, **({} if at is None else {"at": at}))
    assert (told["start"], told["end"]) == (start, end)


@pytest.mark.usefixtures("some")
def test_nothing_is_told_of_what_one_does_not_see(
    client: Client, shop_viewer: User, bank: Namespace
) -> None:
    Image.objects.get_or_create(name="registry/secret:9")
    client.force_login(shop_viewer)
    seen = {
        "ns:": ["shop"], "cluster:": ["prod"], "status:": ["Running", "failing"],
        "kind:": ["Pod", "pods"], "node:": ["node-7"], "owner:": ["web"], "name:": ["web-1"],
        "image:": ["registry/nginx:1"], "app=": ["web"], "teams=": [],
        "label:": ["app=", "app.io/x="], "ledger": [], "te": [],
    }  # fmt: skip
    for query, expected in seen.items():
        assert sorted(texts(client, query)) == sorted(expected), query


@pytest.mark.usefixtures("some")
def test_a_kind_narrows_it(mcm: Client) -> None:
    assert texts(mcm, "ns:", kind="deploy") == ["shop-far"]
    assert texts(mcm, "app=", kind="Deployment") == ['"web far"']
    assert mcm.get(URL, {"q": "", "kind": "Thing"}).json()["fields"].keys() == {"kind"}


def test_what_takes_too_long_is_left_out_and_said(
    mcm: Client, pod: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(mcm, "node:")["complete"]
    monkeypatch.setattr(candidates, "PATIENCE", "100ms")
    monkeypatch.setattr(candidates, "_TEXTS", "SELECT 'x' FROM pg_sleep(5), ({}) AS slow")
    told = asked(mcm, "node:")
    assert (told["options"], told["complete"]) == ([], False)
    assert asked(mcm, "ns:")["complete"]


def test_no_text_is_an_error(mcm: Client, pod: Any) -> None:
    for query in ('"', "-", ":", "=", "<", "ns:,", "a" * 5000, "'%_\\", "ns:'", '-"', "集", ",,,",
                  "label:=", 'label:"a', "age<=", "=x", "--", "\t\n"):  # fmt: skip
        for at in range(0, min(len(query), 8) + 1):
            asked(mcm, query, at=at)
    for wrong in ("-1", "x", "\u0663", "9" * 9):
        assert mcm.get(URL, {"q": "web", "at": wrong}).status_code == 400
    assert mcm.get(URL, {"colour": "red"}).status_code == 400
