"""The Django admin: every page renders, and what is done there goes through the services."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster, Namespace
from teams import access, accounts
from teams.models import AuditEvent, Grant, GroupMapping, Membership, Team, User
from teams.roles import Action, Role
from teams.services import tokens
from tests import factories

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def inside(client: Client, admin: User) -> Client:
    """The client in the admin site."""
    client.force_login(admin)
    return client


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def inline(prefix: str, *rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """The fields of a formset."""
    fields = {
        f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial,
        f"{prefix}-MIN_NUM_FORMS": 0, f"{prefix}-MAX_NUM_FORMS": 1000,
    }  # fmt: skip
    return fields | {
        f"{prefix}-{number}-{name}": value
        for number, row in enumerate(rows)
        for name, value in row.items()
    }


def sent(client: Client, url: str, data: dict[str, Any]) -> None:
    answer = client.post(url, data)
    assert answer.status_code == 302, answer.context["errors"] if answer.context else answer


def test_a_team_is_added_with_its_members(inside: Client, viewer: User, prod: Cluster) -> None:
    members = inline("membership_set", {"user": viewer.pk})
    sent(inside, address(Team, "add"), {"name": "ops", **members})
    team = Team.objects.get(name="ops")
    assert list(team.members.all()) == [viewer]
    assert team.group in viewer.groups.all()
    row = Membership.objects.get(team=team)
    gone = {"id": row.pk, "team": team.pk, "user": viewer.pk, "DELETE": "on"}
    members = inline("membership_set", gone, initial=1)
    sent(inside, address(Team, "change", team.pk), {"name": "ops", **members})
    assert team.group not in viewer.groups.all()


@pytest.mark.parametrize("model", [Cluster, Namespace], ids=["cluster", "namespace"])
def test_a_grant_is_given_and_taken_back(
    model: type[Model], inside: Client, prod: Cluster, shop: Namespace
) -> None:
    scope = prod if model is Cluster else shop
    user = factories.UserFactory.create()
    team = factories.team("ops", user)
    prefix = "teams-grant-scope_type-scope_id"
    given = inline(prefix, {"team": team.pk, "role": Role.OPERATOR})
    sent(inside, address(model, "change", scope.pk), given)
    assert access.may(user, Action.OPERATE, scope)
    assert not access.may(user, Action.ADMIN, scope)
    assert access.may(user, Action.OPERATE, prod) == (model is Cluster)

    row = Grant.objects.get()
    back = inline(prefix, {"id": row.pk, "DELETE": "on"}, initial=1)
    sent(inside, address(model, "change", scope.pk), back)
    assert not access.may(user, Action.VIEW, scope)
    actions = AuditEvent.objects.filter(actor_name="admin").values_list("action", flat=True)
    assert set(actions) == {"grant.create", "grant.delete"}


def test_a_grant_is_taken_back_from_the_list(inside: Client, operator: User, prod: Cluster) -> None:
    row = Grant.objects.get()
    sent(inside, address(Grant, "delete", row.pk), {"post": "yes"})
    assert not access.may(operator, Action.VIEW, prod)


def test_many_are_deleted_at_once(inside: Client, operator: User, prod: Cluster) -> None:
    keys = [team.pk for team in Team.objects.all()]
    chosen = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    sent(inside, address(Team, "changelist"), chosen)
    assert not Team.objects.exists()
    assert not access.may(operator, Action.VIEW, prod)
    chosen["_selected_action"] = [operator.pk]
    sent(inside, address(User, "changelist"), chosen)
    assert AuditEvent.objects.filter(action="user.delete", object_name="operator").exists()


def test_a_cluster_is_neither_made_nor_deleted_here(inside: Client, prod: Cluster) -> None:
    assert inside.post(address(Cluster, "delete", prod.pk), {"post": "yes"}).status_code == 403
    assert Cluster.objects.exists()


@pytest.mark.parametrize("whole", [True, False])
def test_a_grant_is_given_on_its_own_page(
    inside: Client, outsider: User, shop: Namespace, bank: Namespace, whole: bool
) -> None:
    chosen = {"team": outsider.teams.get().pk, "role": "viewer", "cluster_name": "prod"}
    ends = {"ends_0": "2126-01-01", "ends_1": "00:00"}
    named = {} if whole else {"namespace_name": "shop"}
    sent(inside, address(Grant, "add"), {**chosen, **ends, **named})
    assert access.may(outsider, Action.VIEW, shop)
    assert access.may(outsider, Action.VIEW, bank) == whole
    given = Grant.objects.get(role="viewer", team__members=outsider)
    assert given.ends is not None
    assert given.ends.year == 2126


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            {"cluster_name": "other", "namespace_name": "shop"},
            "This cluster has no such namespace.",
        ),
        ({"cluster_name": "nowhere"}, "There is no such cluster."),
        (
            {"cluster_name": "prod", "ends_0": "2020-01-01", "ends_1": "00:00"},
            "This moment is over.",
        ),
    ],
)
def test_what_cannot_be_granted_is_refused_at_its_field(
    inside: Client, outsider: User, shop: Namespace, wrong: dict[str, str], told: str
) -> None:
    chosen = {"team": outsider.teams.get().pk, "role": "viewer", **wrong}
    assert told in inside.post(address(Grant, "add"), chosen).content.decode()
    assert not access.may(outsider, Action.VIEW, shop)


def test_a_user_is_made_and_made_a_platform_admin(inside: Client) -> None:
    words = {"password1": "a long enough 1", "password2": "a long enough 1"}
    sent(inside, address(User, "add"), {"username": "new", "usable_password": "true", **words})
    user = User.objects.get(username="new")
    sent(
        inside,
        address(User, "change", user.pk),
        {"username": "new", "is_active": "on", "is_superuser": "on"},
    )
    user.refresh_from_db()
    assert user.is_platform_admin
    assert user.is_staff
    assert user.check_password("a long enough 1")
    done = AuditEvent.objects.filter(object_name="new").values_list("action", flat=True)
    assert set(done) == {"user.create", "user.change"}


def test_nobody_deletes_himself(inside: Client, admin: User) -> None:
    assert inside.post(address(User, "delete", admin.pk), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [admin.pk], "post": "yes"}
    sent(inside, address(User, "changelist"), chosen)
    assert User.objects.filter(pk=admin.pk).exists()


def test_ones_own_password_is_changed_where_everybody_changes_it(
    inside: Client, admin: User
) -> None:
    admin.set_password("the old one 12")
    admin.save()
    inside.force_login(admin)
    page = inside.get(reverse("admin:password_change"), follow=True)
    assert (page.status_code, page.request["PATH_INFO"]) == (200, "/account/password/")


def test_who_did_not_show_a_while_ago_who_it_is_changes_no_person(
    inside: Client, admin: User, viewer: User
) -> None:
    admin.set_password("the old one 12")
    admin.save()
    inside.force_login(admin)
    session = inside.session
    session["account_authentication_methods"] = []
    session.save()
    password = reverse("admin:auth_user_password_change", args=[viewer.pk])
    for path in (address(User, "add"), address(User, "change", viewer.pk), password):
        for send in (inside.get, inside.post):
            answer = send(path)
            assert answer.status_code == 302
            assert answer.headers["Location"] == f"/confirm/?{urlencode({'next': path})}"
    # Nor is it told that anybody did.
    assert not AuditEvent.objects.filter(action__startswith="POST").exists()


def test_robots_stand_neither_among_people_nor_among_members(
    inside: Client, admin: User, viewer: User
) -> None:
    team = viewer.teams.get()
    robot = tokens.make_robot(team, tokens.Wanted(timedelta(days=1), name="nightly"), by=admin)[
        0
    ].user
    assert not inside.get(address(User, "changelist"), {"q": "nightly"}).context["cl"].result_count
    assert inside.get(address(User, "change", robot.pk)).status_code == 302
    for page in (
        inside.get(address(Membership, "changelist")),
        inside.get(address(Team, "change", team.pk)),
    ):
        assert "viewer" in page.content.decode()
        assert "robot nightly" not in page.content.decode()
    assert inside.get(address(Team, "changelist")).context["cl"].result_list[0].members_n == 1


def test_a_group_is_mapped_to_a_team_and_told(
    inside: Client, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "providers", lambda: {"company": "Company"})
    team = viewer.teams.get()
    typed = {"provider": "compny", "group": "devs", "team": team.pk}
    refused = inside.post(address(GroupMapping, "add"), typed).content.decode()
    assert "There is no such provider. There are: company" in refused
    sent(inside, address(GroupMapping, "add"), {**typed, "provider": "company"})
    row = GroupMapping.objects.get()
    sent(inside, address(GroupMapping, "delete", row.pk), {"post": "yes"})
    told = AuditEvent.objects.filter(actor_name="admin", object_type="teams.groupmapping")
    assert set(told.values_list("action", flat=True)) == {"mapping.save", "mapping.delete"}
