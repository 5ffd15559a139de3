"""The dialog before an act: what it names, what it asks, what it leaves out."""

import re
from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster, Environment, Namespace, Object
from operations.models import Operation
from teams.models import User
from teams.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def web(prod: Cluster, shop: Namespace) -> Object:
    """A Deployment in shop of prod."""
    return factories.PodFactory.create(
        cluster=prod, kind="Deployment", name="web", ready=2, wanted=2, owner_kind=""
    )


def opened(client: Client, user: User, act: str, *objects: Object) -> str:
    client.force_login(user)
    ids = ",".join(str(each.pk) for each in objects)
    answer = client.get(f"/actions/{act}/?ids={ids}")
    assert answer.status_code == 200
    return answer.content.decode()


def sent(client: Client, act: str, *objects: Object, **more: Any) -> Any:
    ids = ",".join(str(each.pk) for each in objects)
    return client.post(f"/actions/{act}/", {"ids": ids, **more})


def test_in_prod_the_name_is_typed(client: Client, operator: User, web: Object) -> None:
    page = opened(client, operator, "restart", web)
    assert "Restart: web" in page
    assert "shop/" in page
    assert "Production" in page
    assert 'data-confirm-name="web"' in page
    for typed in ("", "wep"):
        answer = sent(client, "restart", web, timeout=60, confirm_name=typed)
        assert answer.status_code == 422
    assert Operation.objects.count() == 0
    answer = sent(client, "restart", web, timeout=60, confirm_name="web")
    assert answer.status_code == 302
    assert Operation.objects.get().kind == "object.restart"


def test_what_takes_harm_back_asks_for_no_name(
    client: Client, operator: User, prod: Cluster
) -> None:
    node = factories.NodeFactory.create(cluster=prod, status="Ready,SchedulingDisabled")
    assert "data-confirm-name" not in opened(client, operator, "uncordon", node)
    assert sent(client, "uncordon", node).status_code == 302


def test_elsewhere_a_click_is_enough(client: Client, outsider: User, other: Cluster) -> None:
    pod = factories.PodFactory.create(cluster=other)
    assert "data-confirm-name" not in opened(client, outsider, "delete", pod)
    assert sent(client, "delete", pod).status_code == 302


def test_of_many_the_cluster_or_the_environment_is_typed(
    client: Client, operator: User, web: Object, prod: Cluster
) -> None:
    db = factories.PodFactory.create(cluster=prod, kind="Deployment", name="db")
    assert 'data-confirm-name="prod"' in opened(client, operator, "restart", web, db)
    second = factories.ClusterFactory.create(name="prod-2", environment=Environment.PROD)
    factories.give(operator, Role.OPERATOR, second)
    far = factories.PodFactory.create(cluster=second, kind="Deployment", name="far")
    page = opened(client, operator, "restart", web, db, far)
    assert "Restart: 3 objects" in page
    assert 'data-confirm-name="prod"' in page
    assert sent(client, "restart", web, db, far, timeout=60, confirm_name="prod").status_code == 302
    operation = Operation.objects.get()
    assert (operation.cluster_id, operation.steps.count()) == (None, 3)


def test_what_one_may_not_touch_is_left_out_and_told(
    client: Client, shop_operator: User, web: Object, prod: Cluster, bank: Namespace
) -> None:
    factories.give(shop_operator, Role.VIEWER, bank)
    theirs = factories.PodFactory.create(
        cluster=prod, kind="Deployment", name="vault", namespace="bank"
    )
    page = opened(client, shop_operator, "restart", web, theirs)
    assert "1 object is left out" in page
    assert "You need the role operator here." in page
    sent(client, "restart", web, theirs, timeout=60, confirm_name="web")
    assert [step.name for step in Operation.objects.get().steps.all()] == ["web"]


def test_sent_twice_it_is_done_once(client: Client, operator: User, web: Object) -> None:
    page = opened(client, operator, "scale", web)
    (key,) = re.findall(r'name="key" value="(\w+)"', page)
    fields = {"replicas": 3, "timeout": 60, "confirm_name": "web", "key": key}
    first, second = (sent(client, "scale", web, **fields) for _ in range(2))
    assert first.url == second.url
    assert Operation.objects.count() == 1
    changed = sent(client, "scale", web, **{**fields, "replicas": 4})
    assert changed.status_code == 422
    assert "The dialog was used before." in changed.content.decode()


def test_scaling_knows_what_was_shown_and_who_scales_too(
    client: Client, operator: User, web: Object, prod: Cluster
) -> None:
    factories.PodFactory.create(
        cluster=prod, kind="HorizontalPodAutoscaler", name="web-hpa",
        facts={"target": "Deployment/web"},
    )  # fmt: skip
    page = opened(client, operator, "scale", web)
    assert "These autoscalers set the number again: web-hpa" in page
    assert f'name="shown" value="{web.pk}:2"' in page
    sent(client, "scale", web, replicas=5, timeout=60, confirm_name="web", shown=f"{web.pk}:2")
    assert b'"seen":2' in Operation.objects.get().unseal()


def test_grave_acts_in_prod_ask_who_it_is(
    client: Client, operator: User, web: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(operator)
    session = client.session
    session["account_authentication_methods"] = []
    session.save()
    operator.set_password("x")
    operator.save()
    client.force_login(operator)
    monkeypatch.setattr("teams.confirmation.TO_OPEN", -1)
    answer = client.get(f"/actions/delete/?ids={web.pk}")
    assert answer.status_code == 302
    assert "confirm" in answer.headers["Location"]
    assert client.get(f"/actions/restart/?ids={web.pk}").status_code == 200


def test_a_list_offers_what_may_be_done(
    client: Client, operator: User, viewer: User, web: Object
) -> None:
    client.force_login(operator)
    page = client.get("/objects/deployments/").content.decode()
    for act in ("scale", "restart", "pause", "rollback", "label", "delete"):
        assert f'href="/actions/{act}/"' in page
    client.force_login(viewer)
    page = client.get("/objects/deployments/").content.decode()
    assert 'href="/actions/' not in page
    assert page.count("(You need the role operator here.)") >= 6


def test_a_page_of_an_object_offers_what_makes_sense(
    client: Client, operator: User, prod: Cluster
) -> None:
    job = factories.PodFactory.create(
        cluster=prod, kind="CronJob", name="report", facts={"suspended": "true"}
    )
    client.force_login(operator)
    page = client.get(f"/objects/{job.pk}/").content.decode()
    assert f"/actions/unsuspend/?ids={job.pk}" in page
    assert "/actions/suspend/" not in page
