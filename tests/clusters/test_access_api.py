"""Teams, members, grants and who can do what, by the API."""

from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster, Namespace
from teams import access, services
from teams.models import AuditEvent, Grant, Team, User
from teams.roles import Action, Role
from tests import factories

LATER = "2999-01-02T03:04:00Z"


def call(who: User | str, method: str, path: str, body: Any = None) -> Any:
    client = Client()
    client.force_login(who if isinstance(who, User) else User.objects.get(username=who))
    send = getattr(client, method.lower())
    return send(f"/api/v1/{path}", body, content_type="application/json")


@pytest.fixture
def crew(db: None) -> Team:
    """Ann manages it, Bob is in it; it holds nothing."""
    people = [factories.UserFactory.create(username=name) for name in ("ann", "bob")]
    team = factories.team("crew", *people)
    team.membership_set.filter(user=people[0]).update(is_manager=True)
    return team


def test_a_platform_admin_makes_renames_and_deletes_a_team(admin: User) -> None:
    made = call(admin, "POST", "teams", {"name": "ops"})
    assert made.status_code == 201
    team = made.json()
    assert team == {**team, "name": "ops", "members": 0, "grants": 0, "mayManage": True}
    path = f"teams/{team['id']}"
    assert call(admin, "POST", "teams", {"name": "ops"}).json()["fields"].keys() == {"name"}
    assert call(admin, "PATCH", path, {"name": "sre"}).json()["name"] == "sre"
    assert Team.objects.get().group.name == "team:sre"
    assert call(admin, "DELETE", path).status_code == 200
    assert call(admin, "GET", "teams").json() == {"teams": [], "total": 0}


def test_a_manager_adds_and_removes_people_but_makes_no_managers(crew: Team, admin: User) -> None:
    eve = factories.UserFactory.create(username="eve")
    path = f"teams/{crew.pk}/members"
    assert call("ann", "POST", path, {"username": "nobody"}).json()["fields"].keys() == {"username"}
    assert call("ann", "POST", path, {"username": "eve", "manager": True}).status_code == 403
    assert call("ann", "POST", path, {"username": "eve"}).status_code == 201
    assert call("ann", "PATCH", f"{path}/{eve.pk}", {"manager": True}).status_code == 403
    assert call(admin, "PATCH", f"{path}/{eve.pk}", {"manager": True}).json()["manager"] is True
    assert call("ann", "DELETE", f"{path}/{eve.pk}").status_code == 403
    bob = User.objects.get(username="bob")
    assert call("bob", "DELETE", f"{path}/{bob.pk}").status_code == 200
    assert call("bob", "GET", path).status_code == 404
    names = [each["username"] for each in call("ann", "GET", path).json()["members"]]
    assert names == ["ann", "eve"]


def test_a_grant_is_previewed_made_changed_and_revoked(
    owner: User, prod: Cluster, shop: Namespace, crew: Team
) -> None:
    factories.PodFactory.create(cluster=prod, kind="Namespace", namespace="shop", name="shop")
    path = f"clusters/{prod.pk}/grants"
    body = {"team": "crew", "role": "operator", "namespace": "shop"}
    [ann, _bob] = call(owner, "POST", f"{path}/preview", body).json()["effects"]
    both = ["view", "operate"]
    assert ann == {"user": "ann", "actions": both, "gained": both, "lost": []}
    assert not Grant.objects.filter(team=crew).exists()
    made = call(owner, "POST", path, body)
    assert made.status_code == 201
    again = call(owner, "POST", path, {**body, "ends": LATER})
    assert again.status_code == 200
    grant = again.json()
    assert (grant["cluster"], grant["namespace"], grant["role"]) == ("prod", "shop", "operator")
    assert grant["ends"].startswith("2999-01-02T03:04")
    line = AuditEvent.objects.filter(action="grant.create").latest("pk")
    assert line.actor == owner
    [listed] = call("bob", "GET", path).json()["grants"]
    assert listed == grant
    assert call(owner, "GET", f"{path}?namespace=shop").json()["total"] == 1
    [lost, _] = call(owner, "GET", f"grants/{grant['id']}/effects").json()["effects"]
    assert (lost["actions"], lost["lost"]) == ([], both)
    assert call("bob", "DELETE", f"grants/{grant['id']}").status_code == 403
    assert call(owner, "DELETE", f"grants/{grant['id']}").status_code == 200
    assert not access.may(User.objects.get(username="bob"), Action.VIEW, shop)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("team", "nobody"),
        ("role", "king"),
        ("namespace", "elsewhere"),
        ("ends", "2001-01-01T00:00:00Z"),
        ("ends", "soon"),
        ("until", LATER),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    field: str, value: str, owner: User, prod: Cluster, crew: Team
) -> None:
    body = {"team": "crew", "role": "viewer", field: value}
    for path in ("grants", "grants/preview"):
        answer = call(owner, "POST", f"clusters/{prod.pk}/{path}", body)
        assert answer.status_code == 400
        assert set(answer.json()["fields"]) == {field}
    assert not Grant.objects.filter(team=crew).exists()


def test_who_administers_a_namespace_grants_just_there(
    prod: Cluster, shop: Namespace, bank: Namespace, crew: Team
) -> None:
    for name in ("shop", "bank"):
        factories.PodFactory.create(cluster=prod, kind="Namespace", namespace=name, name=name)
    user = factories.UserFactory.create()
    factories.give(user, Role.ADMIN, shop)
    path = f"clusters/{prod.pk}/grants"
    for space, status in (("", 400), ("bank", 400), ("shop", 201)):
        body = {"team": "crew", "role": "viewer", "namespace": space}
        assert call(user, "POST", path, body).status_code == status, space


def test_who_can_do_what_is_told_as_on_the_page(
    owner: User, viewer: User, shop_operator: User, outsider: User, admin: User, prod: Cluster
) -> None:
    path = f"clusters/{prod.pk}/people"

    def told(who: User, query: str = "") -> set[tuple[str, str, str]]:
        rows = call(who, "GET", path + query).json()["people"]
        return {(row["user"], row["namespace"], " ".join(row["actions"])) for row in rows}

    assert told(owner) == {
        ("owner", "", "view operate admin"),
        ("viewer", "", "view"),
        ("shop-operator", "shop", "view operate"),
    }
    assert told(owner, "?q=SHOP") == {("shop-operator", "shop", "view operate")}
    assert told(viewer) == {("viewer", "", "view")}
    assert call(owner, "GET", path).json()["platformAdmins"] == ["admin"]
    assert call(viewer, "GET", path).json()["platformAdmins"] == []


def test_a_person_reads_what_they_hold_and_why(
    crew: Team, prod: Cluster, shop: Namespace, admin: User
) -> None:
    services.grant(crew, Role.VIEWER, prod, by=None)
    services.grant(crew, Role.OPERATOR, shop, by=None)
    bob = User.objects.get(username="bob")
    me = call(bob, "GET", "people/me").json()
    assert me == call(admin, "GET", f"people/{bob.pk}").json()
    assert me["teams"] == [{"id": crew.pk, "name": "crew", "manager": False}]
    held = [(each["namespace"], each["actions"]) for each in me["holdings"]]
    assert held == [("", ["view"]), ("shop", ["view", "operate"])]
    assert me["holdings"][0]["grants"][0]["team"] == "crew"
    assert call("ann", "GET", f"people/{bob.pk}").status_code == 404
