"""Who can do what in a cluster and why; granting with a preview, revoking, ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster, Namespace
from teams import access, services, tasks
from teams.models import AuditEvent, Grant, Team, User
from teams.roles import Action, Role
from tests import factories


@pytest.fixture
def crew(db: None) -> Team:
    """A team of two that holds nothing."""
    people = [factories.UserFactory.create(username=name) for name in ("ann", "bob")]
    return factories.team("crew", *people)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def tab(user: User, cluster: Cluster, **query: str) -> Any:
    answer = signed_in(user).get(f"/clusters/{cluster.pk}/", {"tab": "people", **query})
    assert answer.status_code == 200
    return answer


def told(answer: Any) -> set[tuple[str, str, str]]:
    """Person, namespace and actions of each row."""
    return {
        (row.user.username, row.namespace, " ".join(row.actions)) for row in answer.context["rows"]
    }


def test_the_tab_tells_who_can_do_what_and_why(
    owner: User, viewer: User, shop_operator: User, outsider: User, prod: Cluster, admin: User
) -> None:
    page = tab(owner, prod)
    assert told(page) == {
        ("owner", "", "view operate admin"),
        ("viewer", "", "view"),
        ("shop-operator", "shop", "view operate"),
    }
    assert page.context["platform_admins"] == [admin]
    grant = Grant.objects.get(team__members=viewer)
    assert reverse("grant-revoke", args=[grant.pk]) in page.content.decode()
    assert told(tab(owner, prod, q="SHOP")) == {("shop-operator", "shop", "view operate")}
    assert told(tab(owner, prod, q="nobody")) == set()


def test_others_see_what_their_own_teams_hold(
    owner: User, viewer: User, shop_operator: User, prod: Cluster
) -> None:
    assert told(tab(viewer, prod)) == {("viewer", "", "view")}
    page = tab(shop_operator, prod)
    assert told(page) == {("shop-operator", "shop", "view operate")}
    assert page.context["platform_admins"] == []
    assert b"owner" not in page.content.replace(b"shop-owner", b"")
    assert b"/revoke/" not in page.content


def test_who_administers_a_namespace_grants_just_there(
    prod: Cluster, shop: Namespace, bank: Namespace, crew: Team
) -> None:
    for space in (shop, bank):
        factories.PodFactory.create(
            cluster=prod, kind="Namespace", namespace=space.name, name=space.name
        )
    user = factories.UserFactory.create()
    factories.give(user, Role.ADMIN, shop)
    address = reverse("cluster-grant", args=[prod.pk])
    form = {"team_name": "crew", "place": "bank", "role_name": "viewer"}
    assert signed_in(user).post(address, form).status_code == 422
    assert signed_in(user).post(address, {**form, "place": ""}).status_code == 422
    previewed(signed_in(user), address, {**form, "place": "shop"})
    assert Grant.objects.get(team=crew).scope == shop


def previewed(client: Client, address: str, form: dict[str, str]) -> list[Any]:
    """Fills the form in, looks at what would change and grants it."""
    answer = client.post(address, form)
    assert answer.status_code == 200, answer.context["form"].errors
    before = Grant.objects.count()
    shown = answer.context["form"]["previewed"].value()
    assert client.post(address, {**form, "previewed": shown}).status_code == 302
    assert Grant.objects.count() >= before
    effects: list[Any] = answer.context["effects"]
    return effects


def test_what_changes_is_shown_before_it_is_granted(
    owner: User, prod: Cluster, shop: Namespace, crew: Team
) -> None:
    ann = User.objects.get(username="ann")
    factories.give(ann, Role.VIEWER, prod)
    address = reverse("cluster-grant", args=[prod.pk])
    form = {"team_name": "crew", "place": "", "role_name": "operator"}
    first = signed_in(owner).post(address, form)
    assert not Grant.objects.filter(team=crew).exists()
    effects = previewed(signed_in(owner), address, form)
    assert [(each.user.username, each.gained, each.lost) for each in effects] == [
        ("ann", [Action.OPERATE], []),
        ("bob", [Action.VIEW, Action.OPERATE], []),
    ]
    assert [each.after for each in first.context["effects"]] == [each.after for each in effects]
    for each in effects:
        assert {a for a in Action if access.may(each.user, a, prod)} == each.after
    line = AuditEvent.objects.filter(action="grant.create").latest("pk")
    assert (line.actor, line.before, line.after) == (
        owner,
        None,
        {"role": "operator", "ends": None},
    )


def test_another_choice_is_previewed_anew(owner: User, prod: Cluster, crew: Team) -> None:
    address = reverse("cluster-grant", args=[prod.pk])
    form = {"team_name": "crew", "place": "", "role_name": "viewer"}
    client = signed_in(owner)
    shown = client.post(address, form).context["form"]["previewed"].value()
    other = client.post(address, {**form, "role_name": "admin", "previewed": shown})
    assert other.status_code == 200
    assert not Grant.objects.filter(team=crew).exists()


def test_revoking_shows_who_loses_what(owner: User, prod: Cluster, crew: Team) -> None:
    grant = services.grant(crew, Role.OPERATOR, prod, by=None)
    services.grant(crew, Role.VIEWER, prod, by=None)
    address = reverse("grant-revoke", args=[grant.pk])
    page = signed_in(owner).get(address)
    assert [each.lost for each in page.context["effects"]] == [[Action.OPERATE]] * 2
    answer = signed_in(owner).post(address)
    assert answer.headers["Location"] == f"/clusters/{prod.pk}/?tab=people"
    ann = User.objects.get(username="ann")
    assert {action for action in Action if access.may(ann, action, prod)} == {Action.VIEW}
    assert signed_in(owner).post(address).status_code == 404


def test_a_grant_ends_by_itself(prod: Cluster, crew: Team) -> None:
    ann = User.objects.get(username="ann")
    soon, later = (timezone.now() + timedelta(seconds=n) for n in (-1, 3600))
    services.grant(crew, Role.OPERATOR, prod, ends=soon, by=None)
    services.grant(crew, Role.VIEWER, prod, ends=later, by=None)
    tasks.end_grants()
    assert {action for action in Action if access.may(ann, action, prod)} == {Action.VIEW}
    line = AuditEvent.objects.latest("pk")
    assert (line.action, line.actor_name) == ("grant.delete", "system")


def test_an_end_is_changed_by_granting_again(owner: User, prod: Cluster, crew: Team) -> None:
    address = reverse("cluster-grant", args=[prod.pk])
    form = {"team_name": "crew", "place": "", "role_name": "viewer"}
    previewed(signed_in(owner), address, {**form, "ends": "2999-01-02T03:04"})
    assert Grant.objects.get(team=crew).ends == datetime(2999, 1, 2, 3, 4, tzinfo=UTC)
    assert "until" in tab(owner, prod).content.decode()
    previewed(signed_in(owner), address, form)
    assert Grant.objects.get(team=crew).ends is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("team_name", "nobody"),
        ("place", "elsewhere"),
        ("role_name", "king"),
        ("ends", "2001-01-01T00:00"),
        ("ends", "soon"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    field: str, value: str, owner: User, prod: Cluster, crew: Team
) -> None:
    form = {"team_name": "crew", "place": "", "role_name": "viewer", field: value}
    answer = signed_in(owner).post(reverse("cluster-grant", args=[prod.pk]), form)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
