"""A verb before a name: it leads where that is done, for who may, and does nothing by itself."""

from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster, Object
from operations.models import Operation
from teams.models import User
from teams.roles import Role
from tests import factories

pytestmark = pytest.mark.usefixtures("patient")


@pytest.fixture
def some(prod: Cluster, other: Cluster) -> dict[str, Object]:
    make = factories.PodFactory.create
    alone = {"owner_name": "", "owner_kind": ""}
    return {
        "payments": make(cluster=prod, name="payments", kind="Deployment", **alone),
        "service": make(cluster=prod, name="payments", kind="Service", **alone),
        "pod": make(cluster=prod, name="payments-5f-abcde", owner_name="payments-5f"),
        "elsewhere": make(cluster=other, name="payments", kind="Deployment", **alone),
        "node": factories.NodeFactory.create(cluster=prod, name="payments-node"),
    }


def asked(client: Client, q: str) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/api/v1/search", {"q": q}).json()
    return told


def urls(client: Client, q: str) -> list[str]:
    return [each["url"] for each in asked(client, q)["actions"]]


def test_a_verb_leads_there(client: Client, admin: User, some: dict[str, Object]) -> None:
    client.force_login(admin)
    key = {name: row.pk for name, row in some.items()}
    assert urls(client, "logs payments prod") == [
        f"/logs/?object={key['payments']}", f"/logs/?object={key['pod']}",
    ]  # fmt: skip
    assert urls(client, "logs pod payments") == [f"/logs/?object={key['pod']}"]
    assert urls(client, "events payments prod")[0] == f"/objects/{key['payments']}/?tab=events"
    restart = asked(client, "restart payments prod")["actions"]
    assert [each["url"] for each in restart] == [f"/actions/restart/?ids={key['payments']}"]
    assert (restart[0]["title"], restart[0]["dialog"]) == ("Restart: payments", True)
    assert urls(client, "drain payments") == [f"/actions/drain/?ids={key['node']}"]
    assert urls(client, "payments restart") == urls(client, "logs") == []
    assert asked(client, "nodes prod")["lists"][0]["url"] == "/nodes/?cluster=prod"
    assert asked(client, "events payments prod")["lists"][0]["url"] == (
        "/events/?cluster=prod&q=payments"
    )
    # It was looked up, and nothing was begun; what it leads to asks first.
    assert client.get(restart[0]["url"]).status_code == 200
    assert not Operation.objects.exists()


def test_nobody_is_led_to_what_he_may_not_do(
    client: Client, viewer: User, shop_operator: User, some: dict[str, Object]
) -> None:
    client.force_login(viewer)
    assert urls(client, "logs payments") == urls(client, "restart payments") == []
    assert len(urls(client, "events payments prod")) == 4
    client.force_login(shop_operator)
    assert urls(client, "restart payments") == [f"/actions/restart/?ids={some['payments'].pk}"]
    assert urls(client, "drain payments") == []


def test_verbs_have_names_in_the_readers_language(
    client: Client, prod: Cluster, some: dict[str, Object]
) -> None:
    user = factories.UserFactory.create(username="op")
    factories.give(user, Role.OPERATOR, prod)
    client.force_login(user)
    found = client.get(
        "/api/v1/search", {"q": "日志 payments"}, headers={"Accept-Language": "zh-hans"}
    ).json()
    assert [each["verb"] for each in found["actions"]] == ["logs", "logs"]
