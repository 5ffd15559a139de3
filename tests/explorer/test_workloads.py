"""One list of all workloads: several kinds in the list of any kind, and nothing that is owned."""

import random
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from clusters.models import Cluster, KindState, Object
from explorer.filters import counts, paging
from explorer.filters.criteria import ObjectFilter
from explorer.filters.inventory import Inventory
from explorer.filters.words import UNOWNED, WHOLE
from teams.models import User
from tests import factories
from tests.explorer.facets import counted
from tests.explorer.test_kinds import heads, names

KINDS = (*WHOLE["Workload"], *UNOWNED["Workload"])


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def make(cluster: Cluster, kind: str, name: str, owner: str = "", **values: Any) -> Object:
    made: Object = factories.PodFactory.create(
        cluster=cluster, kind=kind, name=name, owner_name=owner,
        owner_kind="Thing" if owner else "", **values,
    )  # fmt: skip
    return made


def test_all_that_runs_stands_in_one_list(mcm: Client, prod: Cluster, other: Cluster) -> None:
    for kind in KINDS:
        make(prod, kind, f"own-{kind.lower()}")
        make(other, kind, f"owned-{kind.lower()}", owner="boss")
    for kind in ("Service", "Node", "ConfigMap"):
        make(prod, kind, f"no-{kind.lower()}")
    page = mcm.get("/workloads/")
    owned = [f"owned-{kind.lower()}" for kind in WHOLE["Workload"]]
    assert names(page) == sorted([f"own-{kind.lower()}" for kind in KINDS] + owned)
    assert heads(page) == [
        "Name", "Cluster", "Namespace", "Status", "Kind", "Ready", "Images", "In this state", "Age",
    ]  # fmt: skip
    assert page.context["topics"].split() == [
        "deployments", "statefulsets", "daemonsets", "cronjobs", "jobs", "replicasets", "pods",
        "clusters",
    ]  # fmt: skip
    counting = {"HX-Request": "true", "X-MCM-Shown": "0"}
    whole = mcm.get("/workloads/", headers=counting).content.decode()
    assert counted(whole, "kind") == {
        "Deployment": 2, "StatefulSet": 2, "DaemonSet": 2, "CronJob": 2, "Job": 2,
        "ReplicaSet": 1, "Pod": 1,
    }  # fmt: skip
    assert names(mcm.get("/workloads/?kind=Pod")) == ["own-pod"]
    assert names(mcm.get("/workloads/?kind=Pod&kind=Job")) == ["own-job", "own-pod", "owned-job"]
    # A kind that is chosen leaves the numbers of the others.
    chosen = mcm.get("/workloads/?kind=Job", headers=counting).content.decode()
    assert {value for value, n in counted(chosen, "kind").items() if n == 2} == set(
        WHOLE["Workload"]
    )
    assert '<option value="Job" selected>Job (2)</option>' in chosen
    assert mcm.get("/workloads/?kind=Node").context["objects"] == []
    assert mcm.get("/objects/wl/?q=web").headers["Location"] == "/workloads/?q=web"


def test_it_does_what_every_list_does(mcm: Client, prod: Cluster) -> None:
    web = make(prod, "Deployment", "web", images=["web:1"], status="Unavailable", health="degraded")
    make(prod, "CronJob", "nightly")
    pod = make(prod, "Pod", "web-1", owner="web-5f")
    assert names(mcm.get("/workloads/?q=kind:deploy status:Unavailable image:web")) == ["web"]
    assert names(mcm.get("/workloads/?sort=-kind")) == ["web", "nightly"]
    assert names(mcm.get("/workloads/?sort=status")) == ["nightly", "web"]
    # A change asks for single rows: the pod of a workload is none of them.
    keys = f"{web.pk},{pod.pk}"
    assert names(mcm.get(f"/objects/rows/?of=Workload&rows={keys}")) == ["web"]
    file = b"".join(mcm.get("/objects/workloads/csv/"))
    assert [line.split(b",")[0] for line in file.splitlines()] == [b"Name", b"nightly", b"web"]
    assert {row["name"] for row in mcm.get("/objects/workloads/keys/").json()["rows"]} == {
        "web", "nightly",
    }  # fmt: skip
    acts = {act.name for act, reason in mcm.get("/workloads/").context["tools"]["acts"]}
    assert {"restart", "scale", "suspend", "delete"} <= acts
    saved = mcm.post("/views/new/", {"name": "bad", "kind": "Workload", "query": "health=degraded"})
    assert saved.headers["Location"].startswith("/workloads/?health=degraded")
    found = mcm.get("/api/v1/objects", {"kind": "workload"}).json()
    assert {each["name"] for each in found["objects"]} == {"web", "nightly"}
    assert (found["total"], found["totalIsExact"]) == (2, True)
    rest = mcm.get("/api/v1/objects", {"q": "-kind:workload"}).json()
    assert [each["name"] for each in rest["objects"]] == ["web-1"]
    assert rest["total"] == 1


def test_a_kind_that_is_not_watched_is_told_and_the_others_stay(mcm: Client, prod: Cluster) -> None:
    make(prod, "Deployment", "web")
    state = KindState.objects.create(cluster=prod, kind="Job", state="forbidden", reason="No.")
    page = mcm.get("/workloads/")
    assert (names(page), page.context["forbidden"]) == (["web"], None)
    state.state = "absent"
    state.save()
    assert mcm.get("/workloads/").context["absent"] is False


@pytest.mark.parametrize("sort", ["name", "-age", "status", "cluster", "namespace", "health"])
def test_pages_hold_each_workload_once(
    sort: str, admin: User, viewer: User, prod: Cluster, other: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Walked along indexes, where only what nothing owns is looked at."""
    chance = random.Random(3)
    monkeypatch.setattr(paging, "GATHERED", 5)
    monkeypatch.setattr(paging, "LARGE_GROUP", 6)
    monkeypatch.setattr(paging, "STEPS", 40)
    rows = [
        factories.PodFactory.build(
            cluster=chance.choice([prod, other]),
            kind=chance.choice(KINDS),
            name=f"n-{chance.randrange(30)}",
            owner_name=chance.choice(["", "web"]),
            created=factories.THEN.replace(day=1 + n % 4),
            status=chance.choice(["Running", "Error"]),
            health=chance.choice(["healthy", "failing"]),
        )
        for n in range(300)
    ]
    Object.objects.bulk_create(rows)
    for user, whose in ((admin, {prod, other}), (viewer, {prod})):
        met: list[int] = []
        cursor: str | None = ""
        while cursor is not None:
            query = QueryDict(mutable=True)
            query.update({"sort": sort, "cursor": cursor})
            page = paging.page(Inventory(user, ObjectFilter.of(query, "Workload")), 7)
            met, cursor = met + page.keys, page.next
        wanted = {
            row.pk
            for row in rows
            if row.cluster in whose and (row.kind in WHOLE["Workload"] or not row.owner_name)
        }
        assert len(met) == len(set(met))
        assert set(met) == wanted
        whole = Inventory(user, ObjectFilter.of(QueryDict(""), "Workload"))
        assert counts.count(whole).total == len(wanted)


def test_who_has_a_namespace_sees_its_workloads(
    client: Client, shop_viewer: User, prod: Cluster
) -> None:
    make(prod, "Deployment", "mine", namespace="shop")
    make(prod, "Deployment", "theirs", namespace="bank")
    client.force_login(shop_viewer)
    assert names(client.get("/workloads/")) == ["mine"]
