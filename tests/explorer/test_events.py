"""What happened lately: events that tell the same stand in one row, and nothing leaks."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster, Namespace, Object
from explorer.filters.happened import groups
from teams.models import User
from tests import factories
from tests.explorer.facets import counted

NUMBER = count()


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def happen(
    cluster: Cluster, about: str, reason: str, message: str, *, ago: float = 5, **values: Any
) -> Object:
    """An event that was told so many minutes ago."""
    kind, _slash, name = about.partition("/")
    moment = timezone.now() - timedelta(minutes=ago)
    health = values.pop("health", "degraded")
    times = str(values.pop("times", 1))
    facts = {"message": message, "count": times, "object": about, "reason": reason}
    given = {"created": moment, "since": moment, "observed_at": moment, "facts": facts} | values
    made: Object = factories.PodFactory.create(
        cluster=cluster, kind="Event", name=f"{name}.{next(NUMBER):x}", owner_kind=kind,
        owner_name=name, status=reason, health=health, **given,
    )  # fmt: skip
    return made


@pytest.fixture
def web(prod: Cluster) -> list[Object]:
    """A Deployment with its ReplicaSet and two pods."""
    make = factories.PodFactory.create
    return [
        make(cluster=prod, kind="Deployment", name="web", owner_kind="", owner_name=""),
        make(cluster=prod, kind="ReplicaSet", name="web-5f6d8c7b9", owner_kind="Deployment"),
        make(cluster=prod, name="web-5f6d8c7b9-abcde", owner_name="web-5f6d8c7b9"),
        make(cluster=prod, name="web-5f6d8c7b9-fghij", owner_name="web-5f6d8c7b9"),
    ]


BACK_OFF = "Back-off restarting failed container app in pod {0}_shop(1b4e28ba-2fa1-11d2-883f-00{1})"


def crash(cluster: Cluster) -> None:
    """Of three pods of a Deployment, one of which is gone."""
    for n, pod in enumerate(("abcde", "fghij", "klmno")):
        name = f"web-5f6d8c7b9-{pod}"
        said = BACK_OFF.format(name, f"16d3cba{n}a1")
        happen(cluster, f"Pod/{name}", "BackOff", said, ago=30 - n, times=10)


def rows(client: Client, **query: Any) -> list[tuple[Any, ...]]:
    """Each group as: owner, reason, events, times, objects."""
    found = client.get("/events/", query).context["rows"]
    return [
        (row.group.owner_name, row.group.reason, row.group.events, row.group.times,
         row.group.objects)
        for row in found
    ]  # fmt: skip


def test_what_tells_the_same_is_one_row(mcm: Client, prod: Cluster, web: list[Object]) -> None:
    crash(prod)
    happen(prod, "Pod/db-0", "Pulled", "Pulled image in 1.2s", health="idle", ago=3)
    happen(prod, "Pod/db-1", "Pulled", "Pulled image in 431ms", health="idle", ago=2)
    happen(prod, "Pod/db-0", "Pulled", "Image is there already", health="idle", ago=4)
    happen(prod, "Node/n-1", "NodeNotReady", "Node n-1 is not ready", namespace="default", ago=1)
    assert rows(mcm) == [
        ("n-1", "NodeNotReady", 1, 1, 1),
        ("db", "Pulled", 2, 2, 2),
        ("db", "Pulled", 1, 1, 1),
        ("web", "BackOff", 3, 30, 3),
    ]
    page = mcm.get("/events/")
    group = page.context["rows"][3].group
    assert (group.owner_kind, group.kind, group.type) == ("Deployment", "Pod", "Warning")
    assert group.names == [f"web-5f6d8c7b9-{end}" for end in ("abcde", "fghij", "klmno")]
    assert group.message.startswith("Back-off restarting failed container app in pod web-")
    assert timedelta(minutes=1) < group.last - group.first < timedelta(minutes=3)
    # The owner leads to its page, a pod that is gone to none.
    assert page.context["rows"][3].owner_url == f"/objects/{web[0].pk}/"
    assert page.context["rows"][3].url == ""
    assert (page.context["warnings"], page.context["normal"]) == (4, 3)
    assert sum(each["bar"].total for each in page.context["bars"]) == 7
    single = mcm.get("/events/single/", {"group": group.key}).content.decode()
    assert single.count("<li>") == 3


def test_time_facets_and_words_narrow_it(
    mcm: Client, prod: Cluster, other: Cluster, web: list[Object]
) -> None:
    crash(prod)
    happen(other, "Pod/api-0", "Pulled", "Pulled it", health="idle", ago=3, namespace="bank")
    happen(other, "Job/nightly-281", "Failed", "It failed", ago=200)
    assert [row[0] for row in rows(mcm, window="15m")] == ["api"]
    assert [row[0] for row in rows(mcm)] == ["api", "web"]
    assert [row[0] for row in rows(mcm, window="6h")] == ["api", "web", "nightly-281"]
    assert [row[0] for row in rows(mcm, window="all", about="Job")] == ["nightly-281"]
    assert [row[0] for row in rows(mcm, type="Warning")] == ["web"]
    assert [row[0] for row in rows(mcm, reason="Pulled")] == ["api"]
    assert [row[0] for row in rows(mcm, q="-cluster:prod ns:bank")] == ["api"]
    assert [row[0] for row in rows(mcm, q="web")] == ["web"]
    page = mcm.get("/events/", {"window": "6h", "type": "Warning"}).content.decode()
    assert counted(page, "type") == {"Warning": 4, "Normal": 1}
    assert counted(page, "about") == {"Pod": 3, "Job": 1}
    assert counted(page, "reason") == {"BackOff": 3, "Failed": 1}
    assert counted(page, "cluster") == {"prod": 3, "other": 1}
    bad = mcm.get("/events/", {"window": "2y", "sort": "name", "q": "colour:red"})
    assert bad.status_code == 200
    assert set(bad.context["filter"].problems) == {"window", "sort", "q"}


@pytest.mark.parametrize("sort", ["last", "-last", "count", "-count", "first", "-objects"])
def test_each_group_stands_on_one_page(
    sort: str, mcm: Client, prod: Cluster, other: Cluster
) -> None:
    for n in range(23):
        happen((prod, other)[n % 2], f"Node/n-{n}", "Rebooted", "Again", ago=n % 4, times=n % 3)
    met: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"sort": sort, "limit": "4", "cursor": cursor}
        found = mcm.get("/api/v1/events", query).json()
        met, cursor = met + found["groups"], found["next"]
        assert (found["total"], found["events"], found["complete"]) == (23, 23, True)
    assert len({each["id"] for each in met}) == len(met) == 23
    field = {"count": "times"}.get(sort.strip("-"), sort.strip("-"))
    values = [each[field] for each in met]
    assert values == sorted(values, reverse=sort.startswith("-"))
    for bad in ("x", "WyJ4Il0", found["groups"][0]["id"]):
        assert mcm.get("/api/v1/events", {"sort": sort, "cursor": bad}).status_code == 400
        assert mcm.get("/events/", {"sort": sort, "after": bad}).status_code == 200


def test_nobody_sees_what_happened_elsewhere(
    client: Client, shop_viewer: User, outsider: User, prod: Cluster, bank: Namespace,
    web: list[Object],
) -> None:  # fmt: skip
    crash(prod)
    happen(prod, "Pod/teller-0", "BackOff", "It fails", namespace="bank")
    happen(prod, "Node/n-1", "NodeNotReady", "It is gone", namespace="default")
    client.force_login(shop_viewer)
    page = client.get("/events/")
    assert [row.group.owner_name for row in page.context["rows"]] == ["web"]
    for hidden in (b"teller", b"n-1", b"bank", b"NodeNotReady"):
        assert hidden not in page.content
    key = page.context["rows"][0].group.key
    found = client.get("/api/v1/events").json()
    assert (found["total"], found["facets"]["namespace"]) == (1, {"shop": 3})
    client.force_login(outsider)
    assert client.get("/events/").context["rows"] == []
    assert client.get("/events/single/", {"group": key}).content.count(b"<li>") == 0
    assert client.get("/api/v1/events").json()["events"] == 0


def test_what_comes_later_is_announced(mcm: Client, prod: Cluster, web: list[Object]) -> None:
    crash(prod)
    page = mcm.get("/events/")
    asked = {"loaded": page.context["loaded"]}
    assert mcm.get("/events/newer/", asked).content.strip() == b""
    now = datetime.now(UTC) + timedelta(seconds=1)
    happen(prod, "Node/n-1", "Rebooted", "Again", observed_at=now)
    assert b"1 new group. Show it" in mcm.get("/events/newer/", asked).content
    assert b"new group" not in mcm.get("/events/newer/", asked | {"reason": "BackOff"}).content
    Object.objects.filter(owner_name="web-5f6d8c7b9-abcde").update(observed_at=now)
    said = mcm.get("/events/newer/", asked | {"reason": "BackOff"}).content
    assert b"1 group was told of again" in said
    assert mcm.get("/events/newer/", {"loaded": "soon"}).status_code == 404


def test_it_says_where_more_happened_than_it_looks_at(
    mcm: Client, prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MOST", 3)
    for n in range(5):
        happen(prod, f"Node/n-{n}", "Rebooted", "Again", ago=n)
    page = mcm.get("/events/")
    assert [row.group.newest for row in page.context["rows"]] == ["n-0", "n-1", "n-2"]
    assert b"More happened than is put together at once" in page.content
    assert mcm.get("/api/v1/events").json()["complete"] is False


def test_a_file_and_hostile_words(mcm: Client, prod: Cluster) -> None:
    happen(prod, "Pod/a+(b", "=1+1", "<script>alert(1)</script> a+(b %s {0} \\1", ago=1)
    happen(prod, "Pod/", "Odd", "", ago=2)
    page = mcm.get("/events/")
    assert len(page.context["rows"]) == 2
    assert b"<script>alert" not in page.content
    file = b"".join(mcm.get("/events/csv/")).decode().splitlines()
    assert file[0].startswith("Cluster,Namespace,Type,Reason")
    assert file[1].split(",")[3] == "'=1+1"
    assert len(file) == 3
