"""Nodes of the fleet: what is on them, which are in trouble, and how their load is spread."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster, Object
from clusters.store import usage
from clusters.store.nodes import is_behind
from teams.models import User
from tests import factories
from tests.explorer.test_kinds import heads, names


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def node(cluster: Cluster, name: str, cpu: int = 4000, **values: Any) -> Object:
    facts = {"version": "v1.33.1", "pods": "110"} | values.pop("facts", {})
    made: Object = factories.NodeFactory.create(
        cluster=cluster, name=name, cpu=cpu, memory=8192, facts=facts, owner_name="",
        owner_kind="", node="", **values,
    )  # fmt: skip
    return made


@pytest.fixture
def fleet(prod: Cluster) -> Cluster:
    """Four nodes, of which one has nearly all of the pods."""
    prod.version, prod.has_metrics = "v1.34.0", True
    prod.observed_at = datetime.now(UTC)
    prod.save()
    for name in ("a", "b", "c"):
        node(prod, name)
        factories.pods(prod, [f"on-{name}"], node=name, cpu=200, memory=100)
    node(prod, "d", facts={"version": "v1.34.2", "taints": "gpu=yes:NoSchedule"})
    factories.pods(prod, ["big"], node="d", cpu=3000, memory=1024, health="failing")
    factories.pods(prod, ["over"], node="d", cpu=1000, memory=1024, health="idle")
    usage.write(prod.pk, [usage.Sample("node", "", "d", 1500, 2048)])
    return prod


def test_a_node_shows_what_is_on_it(mcm: Client, fleet: Cluster) -> None:
    page = mcm.get("/nodes/")
    assert heads(page) == [
        "Name", "Cluster", "Status", "Reason", "CPU", "Memory", "Pods", "Kubelet", "Taints",
        "In this state", "Age",
    ]  # fmt: skip
    loads = {seen.object.name: seen.load for seen in page.context["objects"]}
    full = loads["d"]
    assert (full.cpu.used, full.cpu.requested, full.cpu.allocatable) == (1500, 3000, 4000)
    assert (full.pods, full.most_pods, full.troubled, full.behind) == (1, 110, 1, "")
    assert (loads["a"].cpu.used, loads["a"].cpu.requested, loads["a"].behind) == (
        None,
        200,
        "v1.34.0",
    )
    text = page.content.decode()
    assert "3 of 4 requested" in text
    assert "gpu=yes:NoSchedule" in text
    assert "/pods/?cluster=prod&amp;node=d&amp;sort=-cpu" in text
    assert text.count("behind v1.34.0") == 3
    # Rows that are asked for one by one are the same.
    row = Object.objects.get(kind="Node", name="d")
    part = mcm.get("/objects/rows/", {"of": "Node", "rows": str(row.pk)})
    assert part.content.strip() in page.content
    assert mcm.get("/objects/nodes/?q=d").headers["Location"] == "/nodes/?q=d"
    found = mcm.get("/api/v1/objects", {"kind": "Node", "q": "d"}).json()["objects"][0]
    assert found["load"] == {
        "cpu": {"used": 1500, "requested": 3000, "allocatable": 4000},
        "memory": {"used": 2048, "requested": 1024, "allocatable": 8192},
        "pods": 1, "mostPods": 110, "troubledPods": 1, "behind": None,
    }  # fmt: skip
    file = b"".join(mcm.get("/objects/nodes/csv/?q=d")).decode()
    assert "1500/3000/4000" in file


def test_trouble_and_a_full_node_are_told(mcm: Client, fleet: Cluster, other: Cluster) -> None:
    node(fleet, "gone", status="NotReady", health="failing", facts={"reason": "NodeStatusUnknown"})
    node(fleet, "held", status="Ready,SchedulingDisabled", health="degraded")
    node(other, "short", health="degraded", facts={"reason": "MemoryPressure"})
    page = mcm.get("/nodes/spread/")
    told = {words: (n, url) for words, n, url, _health in page.context["troubles"]}
    assert {words: n for words, (n, _url) in told.items()} == {
        "not ready": 1, "short of memory, disk or processes": 1, "cordoned": 1,
        "behind their API server": 5,
    }  # fmt: skip
    assert names(mcm.get(told["cordoned"][1])) == ["held"]
    assert names(mcm.get(told["not ready"][1])) == ["gone"]
    (spread,) = page.context["spreads"]
    assert (spread.fullest.name, spread.fullest.percent, spread.middle) == ("d", 75, 5)
    assert spread.is_far
    assert b"d has far more than its peers" in page.content
    only = mcm.get("/nodes/spread/", {"cluster": "other"})
    assert only.context["spreads"] == []
    Object.objects.filter(kind="Pod", name="big").update(cpu=300)
    assert not mcm.get("/nodes/spread/").context["spreads"][0].is_far


def test_who_sees_namespaces_sees_no_node(
    client: Client, shop_viewer: User, viewer: User, fleet: Cluster
) -> None:
    client.force_login(shop_viewer)
    assert names(client.get("/nodes/")) == []
    page = client.get("/nodes/spread/")
    assert (page.context["troubles"], page.context["spreads"]) == ([], [])
    client.force_login(viewer)
    assert names(client.get("/nodes/")) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("kubelet", "server", "behind"),
    [
        ("v1.33.1", "v1.34.0", True), ("v1.34.1", "v1.34.9", False), ("v1.9.0", "v1.10.0", True),
        ("v1.35.0", "v1.34.0", False), ("", "v1.34.0", False), ("v1.33.1-gke.1", "v1.34", True),
        ("odd", "v1.34.0", False),
    ],
)  # fmt: skip
def test_an_older_minor_is_behind(kubelet: str, server: str, behind: bool) -> None:
    assert is_behind(kubelet, server) is behind
