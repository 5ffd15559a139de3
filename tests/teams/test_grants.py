"""Grants, members and teams, and the rights that follow from them."""

import random
import secrets
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from guardian.models import GroupObjectPermission
from guardian.shortcuts import get_objects_for_user

from clusters.models import Cluster, Namespace, Object
from operations.models import Operation
from teams import access, services
from teams.models import AuditEvent, Grant, Membership, Team, User
from teams.roles import Action, Role
from tests import factories


def actions(user: User, scope: Cluster | Namespace) -> set[Action]:
    """What a person may do there, asked anew."""
    return {action for action in Action if access.may(user, action, scope)}


def test_each_role_gives_its_actions(
    viewer: User, operator: User, owner: User, prod: Cluster
) -> None:
    assert actions(viewer, prod) == {Action.VIEW}
    assert actions(operator, prod) == {Action.VIEW, Action.OPERATE}
    assert actions(owner, prod) == set(Action)


def test_a_namespace_shows_its_cluster_and_no_more(
    shop_operator: User, prod: Cluster, shop: Namespace, bank: Namespace
) -> None:
    assert actions(shop_operator, prod) == {Action.VIEW}
    assert actions(shop_operator, shop) == {Action.VIEW, Action.OPERATE}
    assert actions(shop_operator, bank) == set()


@pytest.mark.parametrize("action", Action)
def test_what_is_looked_up_at_once_is_what_guardian_knows(
    action: Action, prod: Cluster, shop: Namespace, bank: Namespace
) -> None:
    user = factories.UserFactory.create()
    team = factories.team("both", user)
    services.grant(team, Role.OPERATOR, shop, by=None)
    services.grant(team, Role.VIEWER, bank, by=None)
    services.grant(team, Role.ADMIN, factories.ClusterFactory.create(), by=None)
    services.grant(factories.team("others"), Role.ADMIN, prod, by=None)
    held = access.Held(user, action)
    for model in (Cluster, Namespace):
        name = f"clusters.{action}_{model._meta.model_name}"
        known = get_objects_for_user(user, name, model, accept_global_perms=False)
        assert held.ids(model) == {row.pk for row in known}
    user.is_active = False
    for person in (user, AnonymousUser()):
        assert not access.Held(person, action).ids(Cluster)


def test_of_two_overlapping_grants_one_remains(prod: Cluster) -> None:
    user = factories.UserFactory.create()
    team = factories.team("both", user)
    strong = services.grant(team, Role.OPERATOR, prod, by=None)
    services.grant(team, Role.VIEWER, prod, by=None)
    services.revoke(strong, by=None)
    assert actions(user, prod) == {Action.VIEW}


def test_the_weaker_of_two_grants_takes_nothing_with_it(prod: Cluster) -> None:
    user = factories.UserFactory.create()
    team = factories.team("both", user)
    weak = services.grant(team, Role.VIEWER, prod, by=None)
    services.grant(team, Role.ADMIN, prod, by=None)
    services.revoke(weak, by=None)
    assert actions(user, prod) == set(Action)


def test_a_grant_given_twice_is_one(prod: Cluster) -> None:
    team = factories.team("twice")
    first = services.grant(team, Role.VIEWER, prod, by=None)
    assert services.grant(team, Role.VIEWER, prod, by=None) == first
    assert AuditEvent.objects.filter(action="grant.create").count() == 1


def test_another_team_keeps_what_one_team_loses(prod: Cluster) -> None:
    user = factories.UserFactory.create()
    factories.give(user, Role.VIEWER, prod)
    services.revoke(factories.give(user, Role.OPERATOR, prod), by=None)
    assert actions(user, prod) == {Action.VIEW}


def test_who_leaves_a_team_loses_its_rights(operator: User, prod: Cluster) -> None:
    services.delete_membership(Membership.objects.get(user=operator), by=None)
    assert actions(operator, prod) == set()


def test_a_membership_that_moves_takes_the_rights_along(operator: User, prod: Cluster) -> None:
    membership = Membership.objects.get(user=operator)
    membership.user = factories.UserFactory.create()
    services.save_membership(membership, by=None)
    assert actions(operator, prod) == set()
    assert Action.OPERATE in actions(membership.user, prod)


def test_a_deleted_team_leaves_no_right_behind(operator: User, prod: Cluster) -> None:
    services.delete_team(Team.objects.get(members=operator), by=None)
    assert actions(operator, prod) == set()
    assert not GroupObjectPermission.objects.exists()
    assert not operator.groups.exists()


def test_who_is_disabled_sees_nothing(owner: User, admin: User, prod: Cluster) -> None:
    for user in (owner, admin):
        user.is_active = False
        user.save()
        assert actions(user, prod) == set()


def test_a_key_of_the_wrong_shape_is_like_a_missing_one(viewer: User, prod: Cluster) -> None:
    for key in ("x", "", None, "0" * 5000, 7):
        with pytest.raises(Http404):
            access.get_or_404(viewer, Cluster, key)
    with pytest.raises(PermissionDenied):
        access.get_or_404(viewer, Cluster, prod.pk, Action.ADMIN)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_visible_is_what_the_grants_say(seed: int, db: None) -> None:
    chance = random.Random(seed)
    clusters = factories.ClusterFactory.create_batch(3)
    spaces = [
        factories.NamespaceFactory.create(cluster=cluster, name=name)
        for cluster in clusters
        for name in ("a", "b")
    ]
    for cluster in clusters:
        for space in ("a", "b", ""):
            factories.PodFactory.create(cluster=cluster, namespace=space)
            factories.OperationFactory.create(cluster=cluster, namespace=space or "c")
    user = factories.UserFactory.create()
    scopes: list[Any] = [*clusters, *spaces]
    held: set[Grant] = set()
    for _ in range(12):
        if held and chance.random() < 0.4:
            lost = chance.choice(sorted(held, key=lambda grant: grant.pk))
            held.discard(lost)
            services.revoke(Grant.objects.get(pk=lost.pk), by=None)
        else:
            held.add(factories.give(user, chance.choice(list(Role)), chance.choice(scopes)))
    for action in Action:
        granted: list[Any] = [grant.scope for grant in held if action in Role(grant.role).actions]
        whole = {scope.pk for scope in granted if isinstance(scope, Cluster)}
        parts = {(s.cluster_id, s.name) for s in granted if isinstance(s, Namespace)}
        for model in (Object, Operation):
            expected = {
                row.pk
                for row in model._default_manager.all()
                if row.cluster_id in whole or (row.cluster_id, row.namespace) in parts
            }
            found = access.visible(user, model, action).values_list("pk", flat=True)
            assert sorted(map(str, found)) == sorted(map(str, expected)), (action, model)
        seen = whole | ({pk for pk, _ in parts} if action is Action.VIEW else set())
        assert set(access.visible(user, Cluster, action).values_list("pk", flat=True)) == seen
        inside = {s.pk for s in spaces if s.cluster_id in whole or (s.cluster_id, s.name) in parts}
        assert set(access.visible(user, Namespace, action).values_list("pk", flat=True)) == inside


def test_every_change_leaves_a_line_of_who_did_it(admin: User, prod: Cluster) -> None:
    user = services.save_user(factories.UserFactory.build(username="new"), by=admin)
    services.save_user(user, by=admin)
    team = services.save_team(Team(name="shop"), by=admin)
    services.save_team(team, by=admin)
    membership = services.save_membership(Membership(team=team, user=user), by=admin)
    row = services.grant(team, Role.VIEWER, prod, by=admin)
    services.revoke(row, by=admin)
    services.delete_membership(membership, by=admin)
    services.delete_team(team, by=admin)
    services.delete_user(user, by=admin)
    events = AuditEvent.objects.order_by("pk")
    assert [event.action for event in events] == [
        "user.create", "user.change", "team.create", "team.change", "membership.save",
        "grant.create", "grant.delete", "membership.delete", "team.delete", "user.delete",
    ]  # fmt: skip
    assert {event.actor_name for event in events} == {"admin"}


def test_the_trail_outlives_who_is_on_it(admin: User) -> None:
    name = f"team-{secrets.token_hex(3)}"
    services.save_team(Team(name=name), by=admin)
    admin.delete()
    event = AuditEvent.objects.get()
    assert (event.actor, event.actor_name, event.object_name) == (None, "admin", name)
    assert event.actor_id is not None
