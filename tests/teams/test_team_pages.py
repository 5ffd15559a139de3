"""Teams, their members and what one person holds, in the browser."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster
from teams import services
from teams.models import Membership, Team, User
from teams.roles import Role
from tests import factories


@pytest.fixture
def crew(db: None) -> Team:
    """Ann manages it, Bob is in it."""
    people = [factories.UserFactory.create(username=name) for name in ("ann", "bob")]
    team = factories.team("crew", *people)
    Membership.objects.filter(user=people[0]).update(is_manager=True)
    return team


def client_of(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def post(who: str, address: str, key: int | None = None, **form: str) -> Any:
    return client_of(who).post(reverse(address, args=[] if key is None else [key]), form)


def member(name: str) -> Membership:
    return Membership.objects.get(user__username=name)


def test_a_platform_admin_makes_renames_and_deletes_a_team(admin: User) -> None:
    assert post("admin", "team-create", name="ops").status_code == 302
    team = Team.objects.get()
    assert (team.name, team.group.name) == ("ops", "team:ops")
    assert post("admin", "team-create", name="ops").status_code == 422
    assert post("admin", "team-edit", team.pk, name="sre").status_code == 302
    team.refresh_from_db()
    assert team.name == "sre"
    assert post("admin", "team-delete", team.pk, confirm_name="ops").status_code == 422
    assert post("admin", "team-delete", team.pk, confirm_name="sre").status_code == 302
    assert not Team.objects.exists()


def test_one_sees_the_teams_that_one_is_in(crew: Team, admin: User) -> None:
    factories.team("others")
    names = [row[0].name for row in client_of("bob").get("/teams/").context["rows"]]
    assert names == ["crew"]
    names = [row[0].name for row in client_of("admin").get("/teams/").context["rows"]]
    assert names == ["crew", "others"]


def test_a_manager_adds_and_removes_members_but_makes_no_managers(crew: Team, admin: User) -> None:
    for name in ("eve", "dan"):
        factories.UserFactory.create(username=name)
    assert post("ann", "team-add", crew.pk, username="eve", is_manager="on").status_code == 302
    assert not member("eve").is_manager
    assert post("bob", "team-add", crew.pk, username="dan").status_code == 403
    assert post("ann", "member-manager", member("eve").pk, manager="true").status_code == 403
    assert post("admin", "member-manager", member("eve").pk, manager="true").status_code == 302
    assert member("eve").is_manager
    assert post("ann", "member-remove", member("eve").pk).status_code == 403
    assert post("ann", "member-remove", member("bob").pk).status_code == 302
    assert not Membership.objects.filter(user__username="bob").exists()


def test_who_leaves_loses_what_the_team_held(crew: Team, prod: Cluster) -> None:
    services.grant(crew, Role.VIEWER, prod, by=None)
    assert client_of("bob").get(f"/clusters/{prod.pk}/").status_code == 200
    assert post("bob", "member-remove", member("bob").pk).url == "/teams/"
    assert client_of("bob").get(f"/clusters/{prod.pk}/").status_code == 404


@pytest.mark.parametrize("name", ["nobody", "bob", "gone"])
def test_who_cannot_join_is_told_at_the_field(name: str, crew: Team, admin: User) -> None:
    factories.UserFactory.create(username="gone", is_active=False)
    answer = post("admin", "team-add", crew.pk, username=name)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"username"}


def test_a_person_sees_what_they_hold_and_why(crew: Team, prod: Cluster, admin: User) -> None:
    services.grant(crew, Role.OPERATOR, prod, by=None)
    bob = User.objects.get(username="bob")
    for who in ("bob", "admin"):
        page = client_of(who).get(reverse("person", args=[bob.pk]))
        [(scope, holding)] = page.context["rows"]
        assert scope == prod
        assert [grant.team for grant in holding.grants] == [crew]
        assert "Operator by the team crew" in page.content.decode()
    assert client_of("ann").get(reverse("person", args=[bob.pk])).status_code == 404
