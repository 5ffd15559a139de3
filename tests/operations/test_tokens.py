"""Work that was asked for by a token reaches no further than the token, and ends with it."""

from datetime import timedelta

import pytest

from clusters.models import Cluster, IdentityMode
from clusters.store import identity
from operations import executor, services
from operations.executor import Failed
from operations.models import Operation
from teams.models import Token, User
from teams.roles import Level, Reach, Role
from teams.services import tokens
from tests import factories

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def by_token(user: User, level: Level) -> User:
    """The person as he comes in by a token of this scope."""
    row, _text = tokens.make(user, tokens.Wanted(DAY, "ci", Reach(level)), by=user)
    user.token = row
    return user


def asked(user: User, cluster: Cluster) -> Operation:
    place = services.Place(cluster, "shop", "web")
    return services.request("helm.install", place, b"{}", by=user)


def test_a_token_takes_no_wider_groups_along(prod: Cluster, operator: User) -> None:
    Cluster.objects.update(identity_mode=IdentityMode.IMPERSONATION)
    prod.refresh_from_db()
    factories.give(operator, Role.ADMIN, prod)
    operation = asked(by_token(operator, Level.OPERATE), prod)
    person = User.objects.get(pk=operator.pk)
    found = identity.for_work(person, prod, Level(operation.level))
    assert {group.rpartition(":")[2] for group in found.groups} == {"operator"}
    whole = identity.for_work(person, prod)
    assert {group.rpartition(":")[2] for group in whole.groups} == {"operator", "admin"}


def test_a_platform_admins_token_is_no_cluster_admin(prod: Cluster, admin: User) -> None:
    factories.give(admin, Role.OPERATOR, prod)
    operation = asked(by_token(admin, Level.OPERATE), prod)
    found = identity.person(User.objects.get(pk=admin.pk), prod, Level(operation.level))
    assert "mcm:platform-admins" not in found.groups


def test_what_a_revoked_token_asked_for_is_not_begun(prod: Cluster, operator: User) -> None:
    operation = asked(by_token(operator, Level.ADMIN), prod)
    executor._check_rights(operation)
    Token.objects.all().delete()
    with pytest.raises(Failed):
        executor._check_rights(operation)


def test_a_token_ends_with_the_one_that_made_it(operator: User) -> None:
    first = by_token(operator, Level.ADMIN).token
    assert first is not None
    second, _text = tokens.make(operator, tokens.Wanted(DAY, "more"), by=operator)
    assert second.made_by == first
    tokens.revoke(first, by=operator)
    assert not Token.objects.exists()
