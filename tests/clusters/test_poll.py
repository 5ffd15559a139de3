"""Polls: what is stored and told, and what a cluster that hangs costs."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction

from clusters import tasks
from clusters.kube import errors, kubeconfig, poll
from clusters.kube.metrics import PodUsage, Usage
from clusters.kube.poll import Found
from clusters.kube.types import Connection
from clusters.models import Capacity, Cluster, Status
from clusters.store import polls, usage
from testbed.cluster import Cluster as RealCluster
from testbed.waiting import wait_until
from tests import factories
from tests.clusters.threads import together

pytestmark = pytest.mark.django_db


def found(**values: Any) -> Found:
    facts: dict[str, Any] = {
        "version": "v1.37.2", "node_count": 3, "latency_ms": 12, "certificate_expires": None,
        "credential_expires": None,
    }  # fmt: skip
    return Found(**facts | values)


# --- what is stored ------------------------------------------------------------------------------
def test_only_what_shows_is_news(prod: Cluster) -> None:
    assert polls.record(prod.pk, found())
    assert not polls.record(prod.pk, found(latency_ms=900))
    assert polls.record(prod.pk, found(node_count=4))
    assert polls.record(prod.pk, found(node_count=4, metrics_reason="no metrics"))
    prod.refresh_from_db()
    assert (prod.latency_ms, prod.node_count, prod.has_metrics, prod.metrics_reason) == (
        12, 4, False, "no metrics",
    )  # fmt: skip
    assert prod.polled_at


def test_what_may_not_be_counted_keeps_its_figure(prod: Cluster) -> None:
    polls.record(prod.pk, found())
    assert not polls.record(prod.pk, found(node_count=None))
    prod.refresh_from_db()
    assert prod.node_count == 3


def test_a_failure_is_told_once_and_healed_by_the_next_poll(prod: Cluster) -> None:
    polls.record(prod.pk, found())
    assert polls.record_failure(prod.pk, errors.Unreachable("nobody is there"))
    assert not polls.record_failure(prod.pk, errors.Unreachable("nobody is there"))
    prod.refresh_from_db()
    assert (prod.status, prod.status_reason, prod.latency_ms) == (
        "unreachable", "nobody is there", None,
    )  # fmt: skip
    assert polls.record(prod.pk, found())
    prod.refresh_from_db()
    assert (prod.status, prod.status_reason, prod.latency_ms) == ("active", "", 12)


def test_capacity_is_what_nodes_give_and_placed_pods_request(prod: Cluster, other: Cluster) -> None:
    def pod(**values: Any) -> None:
        factories.PodFactory.create(cluster=prod, cpu=100, memory=50, **values)

    for _ in range(2):
        factories.NodeFactory.create(cluster=prod, cpu=4000, memory=8192)
    factories.NodeFactory.create(cluster=other, cpu=1, memory=1)
    pod()
    pod(status="CrashLoopBackOff", health="failing")
    pod(node="", status="Pending", health="progressing")
    pod(status="Completed", health="idle")
    pod(status="Error", health="failing")
    pod(status="Evicted", health="failing", facts={"reason": "Evicted"})
    nodes = [Usage("node-1", 300, 1000), Usage("node-2", 50, 500)]
    polls.record_samples(prod.pk, found(nodes=nodes))
    row = Capacity.objects.get()
    assert (row.cpu_allocatable, row.memory_allocatable) == (8000, 16384)
    assert (row.cpu_requested, row.memory_requested, row.pods) == (200, 100, 2)
    assert (row.cpu_used, row.memory_used) == (350, 1500)


def test_each_thing_gets_its_sample(prod: Cluster) -> None:
    pods = [PodUsage("shop", "a", 10, 1), PodUsage("shop", "b", 20, 2), PodUsage("bank", "a", 4, 5)]
    at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    polls.record_samples(prod.pk, found(nodes=[Usage("node-1", 300, 1000)], pods=pods), at)
    assert usage.latest(prod.pk, "cluster", at) == {("", ""): (300, 1000)}
    assert usage.latest(prod.pk, "node", at) == {("", "node-1"): (300, 1000)}
    assert usage.latest(prod.pk, "namespace", at) == {("shop", ""): (30, 3), ("bank", ""): (4, 5)}
    assert usage.latest(prod.pk, "pod", at)["shop", "b"] == (20, 2)


def test_without_metrics_use_is_unknown_and_nothing_is_sampled(prod: Cluster) -> None:
    polls.record_samples(prod.pk, found(nodes=[Usage("node-1", 300, 1000)]))
    polls.record_samples(prod.pk, found(metrics_reason="no metrics"))
    row = Capacity.objects.get()
    assert (row.cpu_used, row.memory_used) == (None, None)
    assert usage.series(prod.pk, "cluster").cpu[-3:].count(300) <= 1


# --- the task ------------------------------------------------------------------------------------
@pytest.fixture
def hanging(black_hole: int) -> Cluster:
    """A cluster that accepts connections and never says a word."""
    there = Connection(server=f"https://127.0.0.1:{black_hole}", token="x")
    return factories.ClusterFactory.create(name="hanging", connection=there)


@pytest.mark.cluster
@pytest.mark.django_db(transaction=True)
def test_a_real_cluster_is_polled_and_the_pages_are_told(
    cluster: RealCluster, namespace: str, told: Callable[[], Any]
) -> None:
    cluster.api.post(f"/apis/apps/v1/namespaces/{namespace}/daemonsets", _daemon_set())
    real = kubeconfig.parse(cluster.kubeconfig)
    mine = factories.ClusterFactory.create(name="real", connection=real, status=Status.PENDING)
    with told() as messages:
        tasks.poll_cluster(str(mine.pk))
    mine.refresh_from_db()
    assert (mine.status, mine.node_count) == ("active", cluster.spec.nodes)
    assert mine.version.startswith("v1.")
    assert mine.latency_ms is not None
    assert mine.certificate_expires
    assert mine.credential_expires
    assert {message["topic"] for message in messages} == {"usage", "clusters"}

    def measured() -> bool:
        tasks.poll_cluster(str(mine.pk))
        return len(usage.latest(mine.pk, "node")) == cluster.spec.nodes and (
            (namespace, "") in usage.latest(mine.pk, "namespace")
        )

    # metrics-server needs two readings of a pod, 15 s apart.
    wait_until(measured, "figures of all nodes", timeout=90)
    whole = usage.latest(mine.pk, "cluster")["", ""]
    nodes = usage.latest(mine.pk, "node").values()
    assert whole == (sum(node[0] for node in nodes), sum(node[1] for node in nodes))
    assert min(whole) > 0
    with told() as messages:
        tasks.poll_cluster(str(mine.pk))
    assert [message["topic"] for message in messages] == ["usage"]
    mine.refresh_from_db()
    assert (mine.has_metrics, mine.metrics_reason) == (True, "")


def _daemon_set() -> dict[str, Any]:
    labels = {"app": "busy"}
    annotations = {
        "testbed.mcm/cpu": "200m",
        "testbed.mcm/memory": "64Mi",
        "testbed.mcm/phase": "0",
    }
    template = {
        "metadata": {"labels": labels, "annotations": annotations},
        "spec": {"containers": [{"name": "app", "image": "busy:1"}]},
    }
    spec = {"selector": {"matchLabels": labels}, "template": template}
    kind = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "busy"}}
    return {**kind, "spec": spec}


@pytest.mark.django_db(transaction=True)
def test_a_cluster_that_hangs_costs_one_deadline(
    hanging: Cluster, prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks.poll_cluster(str(prod.pk))  # the first one loads what all need
    monkeypatch.setattr(tasks, "DEADLINE", 0.8)
    begun = time.monotonic()
    tasks.poll_cluster(str(hanging.pk))
    assert time.monotonic() - begun < 8
    hanging.refresh_from_db()
    assert (hanging.status, hanging.status_reason) == (
        "unreachable", "The cluster did not answer in time.",
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_cluster_that_was_silent_is_only_knocked_at(
    hanging: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    Cluster.objects.update(status=Status.UNREACHABLE)
    monkeypatch.setattr(tasks, "KNOCK", 0.3)
    monkeypatch.setattr(tasks, "DEADLINE", 60)
    begun = time.monotonic()
    tasks.poll_cluster(str(hanging.pk))
    assert time.monotonic() - begun < 30 < tasks.DEADLINE


@pytest.mark.django_db(transaction=True)
def test_while_a_cluster_is_asked_no_database_connection_is_held(
    hanging: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def ask(_connection: Any, _budget: float) -> Found:
        asked.append(connection.connection)
        return found()

    monkeypatch.setattr(poll, "ask", ask)
    tasks.poll_cluster(str(hanging.pk))
    assert asked == [None]


@pytest.mark.django_db(transaction=True)
def test_what_a_poll_found_by_old_credentials_is_dropped(
    prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(_connection: Any, _budget: float) -> Found:
        Cluster.objects.update(connection_version=2)
        raise errors.Unauthorized("The cluster does not accept the credential.", 401)

    monkeypatch.setattr(poll, "ask", ask)
    tasks.poll_cluster(str(prod.pk))
    prod.refresh_from_db()
    assert prod.status == "active"


@pytest.mark.django_db(transaction=True)
def test_nobody_deletes_a_cluster_while_its_poll_is_stored(
    prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    @transaction.atomic
    def lock() -> None:
        Cluster.objects.select_for_update(nowait=True).get(pk=prod.pk)

    def record(key: UUID, _found: Found) -> bool:
        with pytest.raises(OperationalError):
            together(lock)
        tried.append(key)
        return False

    monkeypatch.setattr(poll, "ask", lambda *_: found())
    monkeypatch.setattr(polls, "record", record)
    tasks.poll_cluster(str(prod.pk))
    assert tried == [prod.pk]
    together(lock)


def test_a_cluster_that_is_gone_is_not_polled(prod: Cluster, told: Callable[[], Any]) -> None:
    key = str(prod.pk)
    prod.delete()
    with told() as messages:
        tasks.poll_cluster(key)
    assert messages == []


def test_credentials_that_do_not_open_are_told(prod: Cluster, other: Cluster) -> None:
    prod.sealed_connection = other.sealed_connection
    prod.save()
    tasks.poll_cluster(str(prod.pk))
    prod.refresh_from_db()
    assert prod.status == "degraded"
    assert "cannot be opened" in prod.status_reason


def test_each_cluster_is_polled_by_a_message_of_its_own(
    prod: Cluster, other: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[Any, Any]] = []
    monkeypatch.setattr(
        tasks.poll_cluster, "apply_async", lambda args, expires: sent.append((args, expires))
    )
    tasks.poll_clusters()
    tasks.poll_clusters()
    assert sorted(args[0] for args, _ in sent) == sorted([str(prod.pk), str(other.pk)])
    assert {expires for _, expires in sent} == {30}
