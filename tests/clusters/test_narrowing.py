"""A token for some clusters, or of a robot: what it finds, counts and hears of is just that."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from clusters.models import Cluster, Namespace
from explorer.filters import counts
from explorer.filters.criteria import ObjectFilter
from explorer.filters.inventory import Inventory
from teams import access, services
from teams import tokens as incoming
from teams.models import Team, Token, User
from teams.roles import Action, Level, Reach, Role
from teams.services import tokens
from tests import factories

DAY = timedelta(days=1)
READ = Reach(Level.READ)


def token_of(user: User, reach: Reach) -> str:
    return tokens.make(user, tokens.Wanted(DAY, "t", reach), by=None)[1]


def get(token: str, path: str, **query: Any) -> Any:
    answer = Client().get(path, query, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.fixture
def fleet(prod: Cluster, other: Cluster, shop: Namespace, bank: Namespace) -> None:
    """Pods on both clusters; of prod in both namespaces."""
    for cluster, space, n in ((prod, "shop", 3), (prod, "bank", 2), (other, "shop", 4)):
        for i in range(n):
            name = f"{cluster.name}-{space}-{i}"
            factories.PodFactory.create(cluster=cluster, namespace=space, name=name)


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("role", ["admin", "both"])
def test_search_counts_and_facets_know_only_its_clusters(
    role: str, prod: Cluster, other: Cluster, admin: User
) -> None:
    user = admin
    if role == "both":
        user = factories.UserFactory.create()
        for cluster in (prod, other):
            factories.give(user, Role.ADMIN, cluster)
    for q, n in (("", 5), ("kind:Pod", 5), ("ns:shop", 3), ("prod-shop-1", 1), ("other", 0)):
        said = get(token_of(user, Reach(only=frozenset({prod.pk}))), "/api/v1/objects", q=q)
        assert (said["total"], len(said["objects"])) == (n, n), q
        assert {each["cluster"] for each in said["objects"]} <= {"prod"}
        assert set(said["facets"]["cluster"]) <= {"prod"}
    said = get(token_of(user, Reach()), "/api/v1/objects")
    assert said["total"] == 9
    nothing = get(token_of(user, Reach(only=frozenset())), "/api/v1/objects")
    assert (nothing["total"], nothing["objects"]) == (0, [])
    named = get(token_of(user, Reach(only=frozenset({prod.pk}))), "/api/v1/clusters")
    assert [each["name"] for each in named["clusters"]] == ["prod"]


@pytest.mark.usefixtures("fleet")
def test_a_namespace_stays_one_within_a_token_for_its_cluster(
    prod: Cluster, other: Cluster, shop_operator: User
) -> None:
    factories.give(shop_operator, Role.VIEWER, other)
    token = token_of(shop_operator, Reach(only=frozenset({prod.pk})))
    said = get(token, "/api/v1/objects")
    assert {each["name"] for each in said["objects"]} == {f"prod-shop-{i}" for i in range(3)}
    assert get(token, f"/api/v1/clusters/{prod.pk}/stats")["podCount"] == 3


def caller(token: str) -> User:
    found = incoming.caller(token, "127.0.0.1")
    assert found is not None
    return found


@pytest.mark.usefixtures("fleet")
def test_random_reaches_find_what_a_filter_by_hand_finds(
    prod: Cluster, other: Cluster, shop: Namespace, bank: Namespace, admin: User
) -> None:
    """All combinations of grants, levels and clusters, beside the same filter in Python."""
    people = {
        frozenset(): admin,
        frozenset({("prod", "shop"), ("prod", "bank")}): _holder(prod),
        frozenset({("prod", "shop")}): _holder(shop),
        frozenset({("prod", "bank"), ("other", "shop")}): _holder(bank, other),
    }
    everything = {("prod", "shop"), ("prod", "bank"), ("other", "shop")}
    pods = [(c, s, f"{c}-{s}-{i}") for c, s, n in _PODS for i in range(n)]
    for held, user in people.items():
        for only in (None, frozenset({prod.pk}), frozenset({other.pk}), frozenset()):
            names = {"prod": prod.pk, "other": other.pk}
            seen = {
                name
                for cluster, space, name in pods
                if (cluster, space) in (held or everything)
                and (only is None or names[cluster] in only)
            }
            for level in Level:
                me = caller(token_of(user, Reach(level, only)))
                inventory = Inventory(me, ObjectFilter.of(_query(), kind="Pod"))
                assert set(inventory.objects().values_list("name", flat=True)) == seen
                assert counts.count(inventory).total == len(seen)
                for action in set(Action) - set(level.actions):
                    assert not access.visible(me, Cluster, action).exists()
                    assert not access.visible(me, Namespace, action).exists()


_PODS = (("prod", "shop", 3), ("prod", "bank", 2), ("other", "shop", 4))


def _query() -> Any:
    return QueryDict("")


def _holder(*scopes: Cluster | Namespace) -> User:
    user = factories.UserFactory.create()
    for scope in scopes:
        factories.give(user, Role.ADMIN, scope)
    return user


@pytest.fixture
def crew(db: None, prod: Cluster, bank: Namespace, other: Cluster) -> Team:
    """Ann manages it; it operates the namespace bank of prod and sees other."""
    team = factories.team("crew", factories.UserFactory.create(username="ann"))
    team.membership_set.update(is_manager=True)
    services.grant(team, Role.OPERATOR, bank, by=None)
    services.grant(team, Role.VIEWER, other, by=None)
    return team


def robot(team: Team, reach: Reach, name: str = "ci") -> str:
    ann = User.objects.get(username="ann")
    return tokens.make_robot(team, tokens.Wanted(DAY, name, reach), by=ann)[1]


@pytest.mark.usefixtures("fleet")
def test_a_robot_sees_and_does_what_its_team_was_granted(
    crew: Team, bank: Namespace, prod: Cluster, other: Cluster
) -> None:
    me, ann = caller(robot(crew, Reach())), User.objects.get(username="ann")
    for model in (Cluster, Namespace, Team):
        for action in (Action.VIEW, Action.OPERATE):
            mine, hers = (set(access.visible(who, model, action)) for who in (me, ann))
            assert mine == hers, (model, action)
    assert access.cluster_groups(me, {bank: ""}) == ("mcm:team:crew:operator",)
    token = robot(crew, Reach(Level.OPERATE, frozenset({prod.pk})), "deploy")
    found = get(token, "/api/v1/objects")["objects"]
    assert {each["name"] for each in found} == {"prod-bank-0", "prod-bank-1"}


def test_what_its_team_loses_a_robot_loses(crew: Team, other: Cluster) -> None:
    token = robot(crew, READ)
    services.revoke(crew.grants.get(role=Role.VIEWER), by=None)
    assert [each["name"] for each in get(token, "/api/v1/clusters")["clusters"]] == ["prod"]
    services.delete_team(crew, by=None)
    header = {"authorization": f"Bearer {token}"}
    assert Client().get("/api/v1/clusters", headers=header).status_code == 401
    assert not Token.objects.exists()
