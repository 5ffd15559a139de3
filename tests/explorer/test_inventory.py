"""Any list of objects: each visible row once and in order, counts as by hand, and nothing leaks."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from clusters.models import Cluster, Namespace, Object
from explorer.filters import counts, cursors, paging
from explorer.filters.criteria import ObjectFilter
from explorer.filters.inventory import Inventory
from explorer.filters.ordering import SORTS, Order
from explorer.filters.words import HEALTH
from teams.models import User
from teams.roles import Role
from tests import factories
from tests.factories import THEN

# Of the facts two stand for all: a text and a number.
NAMES = [name for name in SORTS if name in {"facts.ip", "facts.count"} or "." not in name]
ORDERS = [sign + name for name in NAMES for sign in ("", "-")]
STATUSES = {
    "Running": "healthy", "Error": "failing", "CrashLoopBackOff": "failing",
    "Pending": "progressing", "Completed": "idle", "Terminating": "unknown",
}  # fmt: skip


@pytest.fixture
def fleet(db: None) -> list[Cluster]:
    """Four clusters with 100 objects, many of them alike in what they are sorted by."""
    chance = random.Random(7)
    clusters = [
        factories.ClusterFactory.create(name=f"c-{n}", environment=("dev", "prod")[n % 2])
        for n in range(4)
    ]
    rows = []
    for n in range(100):
        status = chance.choice(list(STATUSES))
        app = chance.choice(["web", "api", "a-long-name"])
        rows.append(
            factories.PodFactory.build(
                cluster=chance.choice(clusters),
                kind=chance.choice(["Pod", "Pod", "Pod", "Deployment", "Certificate.example.io"]),
                namespace=chance.choice(["shop", "bank", "kube-system"]),
                name=f"{app}-{chance.randrange(40)}",
                status=status,
                health=STATUSES[status],
                restarts=chance.choice([0, 0, 0, 7]),
                node=chance.choice(["", "node-1", "node-2"]),
                labels={"app": app, "tier": chance.choice(["x", "y"])},
                images=[f"registry.example/{app}:{n % 3}"],
                owner_kind="ReplicaSet",
                owner_name=f"{app}-{n % 4}f",
                created=THEN + timedelta(microseconds=n % 6),
                since=THEN + timedelta(microseconds=n % 5),
                ready=n % 3,
                wanted=n % 4,
                cpu=n % 7,
                memory=n % 9,
                facts={"ip": f"10.0.0.{n % 8}", "count": str(5 + n % 9)} if n % 5 else {},
            )
        )
    Object.objects.bulk_create(rows)
    return clusters


@pytest.fixture(params=["gathered", "walked", "given up"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows are gathered, many are walked to, and where that takes long both are tried."""
    if request.param != "gathered":
        monkeypatch.setattr(paging, "GATHERED", -1)
        monkeypatch.setattr(paging, "LARGE_GROUP", 9)
        monkeypatch.setattr(paging, "CLUSTERS", 2)
    if request.param == "given up":
        monkeypatch.setattr(paging, "STEPS", 11)
        monkeypatch.setattr(paging, "PLACES", 0)


def walk(user: User, query: str, size: int = 13) -> list[Object]:
    """All pages after another."""
    seen: list[Object] = []
    address = QueryDict(query, mutable=True)
    for _ in range(100):
        inventory = Inventory(user, ObjectFilter.of(address))
        assert not inventory.wanted.problems
        page = paging.page(inventory, size)
        keys = [found.object.pk for found in inventory.rows(page.keys)]
        seen += map(Object.objects.select_related("cluster").in_bulk(keys).__getitem__, keys)
        if page.next is None:
            return seen
        address["cursor"] = page.next
    raise AssertionError("the pages never end")


def sort_key(row: Object, sort: str) -> tuple[Any, ...]:
    count = row.facts.get("count", "")
    place = {
        "cluster__name": row.cluster.name, "health rank": list(HEALTH).index(row.health),
        "missing": row.wanted - row.ready, "first image": row.images[0],
        "facts.ip": row.facts.get("ip", ""), "facts.count": count, "digits.count": len(count),
    }  # fmt: skip
    columns = SORTS[sort.removeprefix("-")].columns
    return (*(place.get(name, getattr(row, name, None)) for name in columns), row.pk)


QUERIES: dict[str, Callable[[Object], bool]] = {
    "": lambda row: True,
    "kind=Pod&q=web": lambda row: row.kind == "Pod" and "web" in row.name,
    "kind=Pod&kind=deploy&namespace=shop": lambda row: (
        row.kind in {"Pod", "Deployment"} and row.namespace == "shop"
    ),
    "health=failing": lambda row: row.health == "failing",
    "q=status:failing -ns:bank": lambda row: row.health == "failing" and row.namespace != "bank",
    "environment=prod&q=web": lambda row: row.cluster.name in {"c-1", "c-3"} and "web" in row.name,
    "cluster=c-1&cluster=c-2": lambda row: row.cluster.name in {"c-1", "c-2"},
    "q=app=web,tier=y": lambda row: row.labels["app"] == "web" or row.labels["tier"] == "y",
    "label=app=web&label=tier=y": lambda row: row.labels == {"app": "web", "tier": "y"},
    "label=app=web&label=app=api": lambda row: row.labels["app"] in {"web", "api"},
    "image=WEB:1": lambda row: "web:1" in row.images[0],
    "node=node-1&q=-a": lambda row: row.node == "node-1" and "web" in row.name,
    "q=owner:web": lambda row: row.owner_name.startswith("web-"),
    "q=owner:ReplicaSet/web-1f": lambda row: row.owner_name == "web-1f",
    "q=lo": lambda row: "long" in row.name,
    "q=ng": lambda row: False,
    "q=-status:Running": lambda row: row.status != "Running",
    "q=-app=web -cluster:c-0": lambda row: row.labels["app"] != "web" and row.cluster.name != "c-0",
    "q=restarts>6": lambda row: row.restarts > 6,
    "q=-restarts>0 kind:Pod": lambda row: row.restarts == 0 and row.kind == "Pod",
    "q=restarts:7": lambda row: row.restarts == 7,
    "q=ready>=1 ready<2": lambda row: row.ready == 1,
    "q=cpu>2m memory<=4Mi": lambda row: row.cpu > 2 and row.memory <= 4,
    "q=age<1h": lambda row: False,
    "q=age>1h since>1m": lambda row: True,
    "q=cluster:c-* -cluster:*-3": lambda row: row.cluster.name != "c-3",
    "q=ns:*s* -ns:*p": lambda row: row.namespace == "kube-system",
    "q=status:*o*": lambda row: "o" in row.status,
    "q=web-1*": lambda row: row.name.startswith("web-1"),
    "q=name:*-LONG-*1": lambda row: "-long-" in row.name and row.name.endswith("1"),
    "q=app=*e* node:*": lambda row: "e" in row.labels["app"],
    "q=owner:*-2f": lambda row: row.owner_name.endswith("-2f"),
    "q=owner:ReplicaSet/api-*": lambda row: row.owner_name.startswith("api-"),
    'q="web*"': lambda row: False,
    "namespace=nothing": lambda row: False,
    "cluster=nothing": lambda row: False,
}


def expected(query: str, rows: Any = None) -> list[Object]:
    found = Object.objects.all() if rows is None else rows
    return [row for row in found.select_related("cluster") if QUERIES[query](row)]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("sort", ORDERS)
def test_all_pages_together_are_every_row_once_and_in_order(
    sort: str, fleet: list[Cluster], admin: User
) -> None:
    for query in ("", "kind=Pod&q=web", "kind=Pod&kind=deploy&namespace=shop"):
        rows = sorted(expected(query), key=lambda row: sort_key(row, sort))
        if Order.named(sort).down:
            rows.reverse()
        seen = walk(admin, f"{query}&sort={sort}")
        assert [row.pk for row in seen] == [row.pk for row in rows], query


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("query", QUERIES)
def test_each_filter_finds_what_it_asks_for(query: str, fleet: list[Cluster], admin: User) -> None:
    rows = expected(query)
    for sort in ("name", "-status"):
        seen = walk(admin, f"{query}&sort={sort}", size=30)
        assert {row.pk for row in seen} == {row.pk for row in rows}
        assert len(seen) == len(rows)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("seed", range(3))
def test_nobody_sees_or_counts_more_than_was_granted(seed: int, fleet: list[Cluster]) -> None:
    chance = random.Random(seed)
    user = factories.UserFactory.create()
    clusters = set(chance.sample(fleet, chance.randint(0, 1)))
    places = {
        (chance.choice(fleet), chance.choice(["shop", "bank"])) for _ in range(chance.randint(0, 3))
    }
    for cluster in clusters:
        factories.give(user, Role.VIEWER, cluster)
    for cluster, name in places:
        space, _ = Namespace.objects.get_or_create(cluster=cluster, name=name)
        factories.give(user, Role.VIEWER, space)
    visible = {
        row.pk
        for row in Object.objects.select_related("cluster")
        if row.cluster in clusters or (row.cluster, row.namespace) in places
    }
    for query in QUERIES:
        mine = [row for row in expected(query) if row.pk in visible]
        seen = walk(user, f"{query}&sort={chance.choice(ORDERS)}", size=40)
        assert Counter(row.pk for row in seen) == Counter(row.pk for row in mine), query
        counted = counts.count(Inventory(user, ObjectFilter.of(QueryDict(query))))
        assert (counted.total, counted.exact) == (len(mine), True), query
        own = {name for name in counts.FACETS if f"{name}=" in query or f"{name}:" in query}
        for facet in counts.FACETS.keys() - own - ({"namespace"} if "ns:" in query else set()):
            assert counted.facets[facet] == by_hand(facet, mine), (query, facet)


def by_hand(facet: str, rows: list[Object]) -> Counter[str]:
    def value(row: Object) -> str:
        of = {"cluster": row.cluster.name, "environment": str(row.cluster.environment)}
        return of.get(facet) or getattr(row, facet)

    return Counter(map(value, rows))


@pytest.mark.parametrize("rest", ["", "&q=web"])
def test_a_facet_leaves_its_own_filter_out(rest: str, fleet: list[Cluster], admin: User) -> None:
    query = f"health=failing&cluster=c-1{rest}"
    counted = counts.count(Inventory(admin, ObjectFilter.of(QueryDict(query))))
    rows = [row for row in expected("") if not rest or "web" in row.name]
    of_c1 = [row for row in rows if row.cluster.name == "c-1"]
    failing = [row for row in rows if row.health == "failing"]
    assert counted.facets["health"] == by_hand("health", of_c1)
    assert counted.facets["cluster"] == by_hand("cluster", failing)
    both = [row for row in of_c1 if row.health == "failing"]
    assert counted.facets["status"] == by_hand("status", both)
    assert counted.total == len(both)


def test_facets_of_more_than_can_be_counted_say_so(
    fleet: list[Cluster], admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MOST_COUNTED", 10)
    counted = counts.count(Inventory(admin, ObjectFilter.of(QueryDict("q=web"))))
    assert (counted.total, counted.exact) == (10, False)
    assert counts.count(Inventory(admin, ObjectFilter.of(QueryDict("")))).total == 100


RUBBISH = [
    "x", "ü", "!!!!", "bnVsbA", "W10", "WzFd", "WyJuYW1lIiwxLDJd", "WyJuYW1lIiwiYSIsImIiXQ",
    "WyJuYW1lIiwiXHUwMDAwIiwxXQ", "WyJuYW1lIiwiXHVkODAwIiwxXQ", "WyJuYW1lIiwiYSIsdHJ1ZV0",
    "WyJyZXN0YXJ0cyIsMTAwMDAwMDAwMDAwMDAwMDAwMDAwLDFd", "WyJhZ2UiLCIyMDI2LTAxLTAxIiwxXQ",
    "W1tbW1tbW1tbW1tb" * 200,
]  # fmt: skip


@pytest.mark.parametrize("sort", ORDERS)
def test_a_cursor_of_somebody_else_is_refused(sort: str) -> None:
    for cursor in RUBBISH:
        with pytest.raises(cursors.BadCursor):
            cursors.read(sort, cursor)
    others = [name for name in ORDERS if name != sort]
    position = ["a"] * len(SORTS[sort.removeprefix("-")].columns) + [1]
    for other in others:
        with pytest.raises(cursors.BadCursor):
            cursors.read(other, cursors.write(sort, position))


def test_rows_between_pages_neither_repeat_nor_hide_others(
    fleet: list[Cluster], admin: User
) -> None:
    inventory = Inventory(admin, ObjectFilter.of(QueryDict("sort=status")))
    first = paging.page(inventory, 20)
    gone = Object.objects.exclude(pk__in=first.keys).values_list("pk", flat=True)[:5]
    Object.objects.filter(pk__in=[*first.keys[-3:], *list(gone)]).delete()
    left = set(Object.objects.values_list("pk", flat=True)) - set(first.keys)
    rest = ObjectFilter.of(QueryDict(f"sort=status&cursor={first.next}"))
    assert set(paging.page(Inventory(admin, rest), 500).keys) == left


WRONG = ("restarts>x", "age:1h", "age<soon", "cpu>much", "memory<1Zi", "kind:*.io", "image:a*",
         "health:ros*", "id:x", "restarts:1,x")  # fmt: skip


@pytest.mark.parametrize("term", WRONG)
def test_what_has_no_meaning_is_left_out_and_its_place_told(term: str) -> None:
    wanted = ObjectFilter.of(QueryDict(urlencode({"q": f"web {term} api"})))
    assert [term.values for term in wanted.terms] == [("web",), ("api",)]
    assert wanted.places == ((4, len(term)),)
    assert wanted.problems["q"][0].startswith("character 5: ")


def test_what_cannot_be_read_is_told_by_parameter() -> None:
    query = "q=colour:red&health=rosy&environment=mars&kind=Thing&sort=beauty&label=x"
    problems = ObjectFilter.of(QueryDict(query)).problems
    assert problems.keys() == {"q", "health", "environment", "kind", "sort", "label"}
    assert ObjectFilter.of(QueryDict("q=web kind:Thing")).problems["q"][0].startswith("character 5")
    assert ObjectFilter.of(QueryDict("health=rosy")).terms == ()
