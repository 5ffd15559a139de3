"""Whatever is granted: lists, searches, facets and counts say just what a look at each row says.

The seed of each run stands in the test's name; `RIGHTS_SEED=n` runs that one again.
"""

import csv
import os
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatch
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster, Namespace, Object
from clusters.store import inside, queries
from deployments import store as releases
from deployments.models import Release
from explorer import store
from explorer.filters import candidates, counts
from explorer.filters.criteria import ObjectFilter
from explorer.filters.inventory import Inventory
from explorer.filters.words import path_word
from operations.models import Operation
from teams import access, executor, services
from teams.models import Grant, User
from teams.roles import Action, Role
from tests import factories

pytestmark = pytest.mark.django_db
NAMESPACES = ("shop", "bank", "kube-system", "")
HEALTH = {"Running": "healthy", "Error": "failing", "Pending": "progressing"}
QUESTIONS = ("", "web", "status:Error", "ns:shop", "namespace:bank api", "cluster:c-1", "kind:Node",
             "restarts>3", "-restarts>3 web", "cluster:c-*", "ns:*o*", "app=w*", "node:n-2",
             "age<1h")  # fmt: skip
SEEDS = [int(os.environ["RIGHTS_SEED"])] if "RIGHTS_SEED" in os.environ else [
    random.randrange(10**6) for _ in range(3)
]  # fmt: skip


@dataclass
class World:
    chance: random.Random
    clusters: list[Cluster]
    spaces: list[Namespace]
    people: list[User]


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    """Three clusters with rows of many kinds, four people, and grants of every sort by chance."""
    chance = random.Random(request.param)
    clusters = [factories.ClusterFactory.create(name=f"c-{n}") for n in range(3)]
    spaces = [
        factories.NamespaceFactory.create(cluster=cluster, name=name)
        for cluster in clusters
        for name in NAMESPACES[:3]
    ]
    Object.objects.bulk_create(_object(chance, chance.choice(clusters), n) for n in range(150))
    for cluster in clusters:
        for name in NAMESPACES[:3]:
            place: dict[str, Any] = {"cluster": cluster, "namespace": name}
            factories.ReleaseFactory.create(**place)
            factories.OperationFactory.create(**place)
    people = [factories.UserFactory.create(username=f"person-{n}") for n in range(4)]
    for n in range(5):
        team = factories.team(f"team-{n}", *chance.sample(people, chance.randrange(3)))
        for _ in range(chance.randrange(4)):
            scope = chance.choice([*clusters, *spaces, *spaces])
            ends = timezone.now() + timedelta(hours=chance.choice([-1, 1]))
            given = services.grant(team, chance.choice(list(Role)), scope, by=None, ends=ends)
            if chance.random() < 0.2:
                services.revoke(given, by=None)
    executor.end_grants()
    return World(chance, clusters, spaces, people)


def _object(chance: random.Random, cluster: Cluster, n: int) -> Object:
    namespace, status = chance.choice(NAMESPACES), chance.choice(list(HEALTH))
    kind = chance.choice(["Pod", "Pod", "Deployment"]) if namespace else "Node"
    return factories.PodFactory.build(
        cluster=cluster, kind=kind, namespace=namespace, status=status, health=HEALTH[status],
        name=f"{chance.choice(['web', 'api'])}-{n}", restarts=chance.randrange(7),
        labels={"app": chance.choice(["web", "api"])}, node=f"n-{chance.randrange(4)}",
        owner_name=f"o-{chance.randrange(9)}", images=[f"i:{chance.randrange(9)}"],
    )  # fmt: skip


def granted(user: User) -> tuple[set[Any], set[tuple[Any, str]]]:
    """By the rows of grants and members alone: the clusters, and the namespaces of others."""
    whole: set[Any] = set()
    parts: set[tuple[Any, str]] = set()
    for grant in Grant.objects.all():
        if not grant.team.members.filter(pk=user.pk).exists():
            continue
        if grant.ends is not None and grant.ends <= timezone.now():
            continue
        scope = grant.scope
        if isinstance(scope, Cluster):
            whole.add(scope.pk)
        elif isinstance(scope, Namespace):
            parts.add((scope.cluster_id, scope.name))
    return whole, parts


def by_hand(user: User, rows: list[Any]) -> list[Any]:
    whole, parts = granted(user)
    return [
        row for row in rows if row.cluster_id in whole or (row.cluster_id, row.namespace) in parts
    ]


def matches(row: Object, question: str) -> bool:
    """What the words of QUESTIONS mean."""
    for word in question.split():
        if _holds(row, word.removeprefix("-")) == word.startswith("-"):
            return False
    return True


def _holds(row: Object, word: str) -> bool:
    if word.startswith("age<"):
        return False  # all are of long ago
    if word.startswith("restarts>"):
        return row.restarts > int(word[9:])
    if word.startswith("app="):
        return fnmatch(row.labels["app"], word[4:])
    field, _colon, value = word.rpartition(":")
    return {
        "": value in row.name,
        "status": row.status == value,
        "ns": fnmatch(row.namespace, value),
        "namespace": row.namespace == value,
        "cluster": fnmatch(row.cluster.name, value),
        "kind": row.kind == value,
        "node": row.node == value,
    }[field]


@pytest.mark.parametrize("world", SEEDS, indirect=True, ids=lambda seed: f"seed-{seed}")
def test_lists_facets_and_counts_say_what_each_row_says(world: World, client: Client) -> None:
    every = list(Object.objects.select_related("cluster"))
    for user in world.people:
        seen = by_hand(user, every)
        for question in QUESTIONS:
            wanted = [row for row in seen if matches(row, question)]
            asked = ObjectFilter.of(QueryDict(urlencode({"q": question})))
            told = counts.count(Inventory(user, asked))
            assert told.total == len(wanted), (user, question)
            if "kind:" not in question:
                kinds = {kind: n for kind, n in told.facets["kind"].items() if n}
                assert kinds == Counter(row.kind for row in wanted), (user, question)
            _asked(client, user, question, wanted)


def _asked(client: Client, user: User, question: str, wanted: list[Object]) -> None:
    client.force_login(user)
    answer = client.get("/api/v1/objects", {"q": question, "limit": "200"}).json()
    assert sorted(row["uid"] for row in answer["objects"]) == sorted(row.uid for row in wanted)
    assert answer["total"] == len(wanted), (user, question)


@pytest.mark.parametrize("world", SEEDS, indirect=True, ids=lambda seed: f"seed-{seed}")
def test_files_menus_and_selections_have_what_one_sees(world: World, client: Client) -> None:
    every = list(Object.objects.select_related("cluster"))
    for user in world.people:
        seen = by_hand(user, every)
        client.force_login(user)
        kinds = store.kinds(user)
        assert {kind: n.total() for kind, n in kinds.items()} == Counter(row.kind for row in seen)
        answer: Any = client.get("/api/v1/objects/export.csv", {"columns": "uid"})
        file = answer.streaming_content
        lines = list(csv.reader(b"".join(file).decode().splitlines()))
        assert Counter(uid for (uid,) in lines[1:]) == Counter(row.uid for row in seen)
        for kind in ("Pod", "Node"):
            mine = {str(row.pk) for row in seen if row.kind == kind}
            found = client.get(f"/objects/{kind}/keys/").json()["rows"]
            assert {row["key"] for row in found} == mine
            theirs = ",".join(str(row.pk) for row in world.chance.sample(every, 90))
            rows = client.get(f"/objects/rows/?of={kind}&rows={theirs}").content.decode()
            assert set(re.findall(r'data-key="(\d+)"', rows)) == mine & set(theirs.split(","))


# What is completed, and the values that a row has of it.
COMPLETED: dict[str, Callable[[Object], set[str]]] = {
    "ns:": lambda row: {row.namespace} - {""},
    "cluster:": lambda row: {row.cluster.name},
    "kind:": lambda row: {row.kind, path_word(row.kind)},
    "status:": lambda row: {row.status},
    "node:": lambda row: {row.node},
    "owner:": lambda row: {row.owner_name},
    "image:": lambda row: set(row.images),
    "app=": lambda row: {row.labels["app"]},
    "label:": lambda row: {f"{key}=" for key in row.labels},
}


@pytest.mark.parametrize("world", SEEDS, indirect=True, ids=lambda seed: f"seed-{seed}")
def test_completion_offers_what_one_sees(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "PATIENCE", "15s")
    every = list(Object.objects.select_related("cluster"))
    for user in world.people:
        seen = by_hand(user, every)
        whole, parts = granted(user)
        clusters = whole | {cluster for cluster, _name in parts}
        client.force_login(user)
        for query, values in COMPLETED.items():
            told = client.get("/api/v1/objects/complete", {"q": query}).json()
            assert told["complete"], (user, query)
            found = {option["text"] for option in told["options"]} - {"failing"}
            expected = set().union(*map(values, seen))
            if query == "cluster:":
                # Clusters are told by the grants, even where nothing is in them.
                expected = {row.name for row in world.clusters if row.pk in clusters}
            assert found == expected, (user, query)


@pytest.mark.parametrize("world", SEEDS, indirect=True, ids=lambda seed: f"seed-{seed}")
def test_numbers_of_the_fleet_and_of_a_cluster_are_of_what_one_sees(world: World) -> None:
    every = list(Object.objects.all())
    for user in world.people:
        seen = by_hand(user, every)
        whole, parts = granted(user)
        clusters = {row.pk for row in queries.clusters(user)}
        assert clusters == whole | {cluster for cluster, _name in parts}
        assert queries.wholly_seen(user, world.clusters) == whole
        for kind in ("Pod", "Deployment", "Node"):
            expected: dict[Any, Counter[str]] = {}
            for row in seen:
                if row.kind == kind:
                    expected.setdefault(row.cluster_id, Counter())[row.health] += 1
            assert queries.health_counts(user, kind) == expected, (user, kind)
        for cluster in world.clusters:
            names = set(inside.namespace_names(user, cluster))
            assert names <= {row.namespace for row in seen if row.cluster_id == cluster.pk} | {
                name for place, name in parts if place == cluster.pk
            } | (set(NAMESPACES) if cluster.pk in whole else set())


@pytest.mark.parametrize("world", SEEDS, indirect=True, ids=lambda seed: f"seed-{seed}")
def test_releases_and_work_are_of_where_one_may_look(world: World, client: Client) -> None:
    for user in world.people:
        expected = by_hand(user, list(Release.objects.all()))
        assert {row.pk for row in releases.releases(user)} == {row.pk for row in expected}
        client.force_login(user)
        answer = client.get("/api/v1/releases").json()
        assert {row["name"] for row in answer["releases"]} == {row.name for row in expected}
        work = by_hand(user, list(Operation.objects.all()))
        assert set(access.visible(user, Operation)) == set(work)
        for action, roles in (
            (Action.OPERATE, {Role.OPERATOR, Role.ADMIN}), (Action.ADMIN, {Role.ADMIN}),
        ):  # fmt: skip
            rows = Grant.objects.filter(team__members=user, role__in=roles)
            mine = {(row.scope_type_id, row.scope_id) for row in rows}
            kind = {type(row.scope): row.scope_type_id for row in rows}
            for cluster in world.clusters:
                has = (kind.get(Cluster), str(cluster.pk)) in mine
                assert access.holds(user, action, cluster) == has
