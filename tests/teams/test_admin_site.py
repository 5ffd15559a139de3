"""The Django admin: every page renders, and what is done there goes through the services."""

from typing import Any

import pytest
from django.contrib import admin as site
from django.db.models import Model
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from clusters.models import Cluster, KindState, Lease, Namespace
from deployments.models import Release
from operations.models import Operation
from teams import access
from teams.models import AuditEvent, Grant, GroupMapping, Membership, Team, User
from teams.roles import Action, Role
from tests import factories

MODELS = sorted(site.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def inside(client: Client, admin: User) -> Client:
    """The client in the admin site."""
    client.force_login(admin)
    return client


@pytest.fixture
def one_of_each(
    operator: User, shop_viewer: User, operation: Operation, release: Release, chart: Any
) -> None:
    """A row of every model."""
    cluster = operation.cluster
    GroupMapping.objects.create(provider="company", group="g", team=Team.objects.earliest("pk"))
    KindState.objects.create(cluster=cluster, kind="Pod", state="watching")
    Lease.objects.create(cluster=cluster, owner="me", expires=timezone.now())


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
@pytest.mark.usefixtures("one_of_each")
def test_every_page_renders(model: type[Model], inside: Client) -> None:
    row = model._default_manager.first()
    assert row is not None
    assert inside.get(address(model, "changelist")).status_code == 200
    assert inside.get(address(model, "changelist"), {"q": "x"}).status_code == 200
    page = inside.get(address(model, "change", row.pk))
    assert page.status_code == 200
    for secret in ("planted-cluster-token", "sealed_connection", "sealed_input"):
        assert secret not in page.content.decode()
    try:
        adding = inside.get(address(model, "add")).status_code
    except NoReverseMatch:
        adding = 403
    assert adding == (200 if model in {Grant, GroupMapping, Team, User} else 403)


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
    chosen = {"team": outsider.teams.get().pk, "role": "viewer", "cluster": shop.cluster.pk}
    sent(inside, address(Grant, "add"), chosen if whole else {**chosen, "namespace": shop.pk})
    assert access.may(outsider, Action.VIEW, shop)
    assert access.may(outsider, Action.VIEW, bank) == whole


def test_a_namespace_of_another_cluster_is_refused(
    inside: Client, outsider: User, shop: Namespace, other: Cluster
) -> None:
    chosen = {"team": outsider.teams.get().pk, "role": "viewer", "cluster": other.pk}
    page = inside.post(address(Grant, "add"), {**chosen, "namespace": shop.pk})
    assert "This namespace is in another cluster." in page.content.decode()
    assert not access.may(outsider, Action.VIEW, shop)
