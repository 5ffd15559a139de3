"""The page of a cluster: its tabs, for whom they are, and what is said where nothing can be."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clusters.models import Cluster, KindState, Namespace
from clusters.store import usage
from clusters.store.usage import Sample
from teams.models import User
from tests import factories
from tests.clusters.reading import get, measured, order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def live(prod: Cluster) -> None:
    measured(prod)


def tab(cluster: Cluster, key: str, **query: Any) -> str:
    asked = "".join(f"&{name}={value}" for name, value in query.items())
    return f"/clusters/{cluster.pk}/?tab={key}{asked}"


def test_a_namespaces_viewer_sees_no_inner_facts(
    prod: Cluster, shop: Namespace, shop_viewer: User, viewer: User
) -> None:
    for key in ("nodes", "access"):
        link = f'href="/clusters/{prod.pk}/?tab={key}"'
        assert link in get(viewer, tab(prod, "overview"))
        page = get(shop_viewer, tab(prod, key))
        # As if no tab was asked for.
        assert f'aria-current="page" hx-get="/clusters/{prod.pk}/?tab=overview"' in page
        assert link not in page
    assert prod.server not in page
    assert "You see the namespaces that were granted to your teams." in page
    assert prod.server in get(viewer, tab(prod, "overview"))


def test_nodes_show_how_full_they_are(prod: Cluster, viewer: User) -> None:
    factories.NodeFactory.create(
        cluster=prod, name="n1", cpu=4000, memory=8192, facts={"pods": "110", "zone": "eu-1a"}
    )
    factories.NodeFactory.create(cluster=prod, name="n2", cpu=4000, memory=8192)
    factories.pods(prod, ["a", "b"], node="n1", cpu=500, memory=1024)
    factories.pods(prod, ["done"], node="n1", cpu=500, memory=1024, health="idle")
    usage.write(prod.pk, [Sample("node", "", "n1", 800, 4096)])
    page = get(viewer, tab(prod, "nodes", sort="-cpu"))
    assert order(page, ">n1<", ">n2<") == [">n1<", ">n2<"]
    assert "0.80 / 1 of 4 cores" in page
    assert "4 GiB / 2 GiB of 8 GiB" in page
    assert "2 of 110" in page
    assert "\N{EN DASH} / 0 of 4 cores" in page


def test_namespaces_show_their_pods_requests_and_use(
    prod: Cluster, shop: Namespace, viewer: User, shop_viewer: User
) -> None:
    for name in ("shop", "bank"):
        factories.PodFactory.create(cluster=prod, kind="Namespace", namespace="", name=name)
        Namespace.objects.get_or_create(cluster=prod, name=name)
    factories.pods(prod, ["a"], cpu=250, memory=512)
    factories.pods(prod, ["b"], health="failing")
    usage.write(prod.pk, [Sample("namespace", "shop", "", 130, 300)])
    page = get(viewer, tab(prod, "namespaces", sort="-failing"))
    assert order(page, 'id="namespace-shop"', 'id="namespace-bank"')[0] == 'id="namespace-shop"'
    assert "cluster=prod&amp;namespace=shop&amp;health=failing" in page
    for figure in ("0.25", "0.13", "512 MiB", "300 MiB"):
        assert figure in page
    assert "namespace-bank" not in get(shop_viewer, tab(prod, "namespaces"))


def test_workloads_that_fail_stand_first(prod: Cluster, viewer: User) -> None:
    for name, kind, health in (
        ("fine", "Deployment", "healthy"), ("broken", "StatefulSet", "failing"),
        ("lacking", "DaemonSet", "degraded"), ("over", "Job", "idle"),
    ):  # fmt: skip
        factories.PodFactory.create(cluster=prod, kind=kind, name=name, health=health)
    factories.PodFactory.create(
        cluster=prod, kind="CronJob", name="nightly", facts={"schedule": "0 3 * * *"}
    )
    page = get(viewer, tab(prod, "workloads"), htmx=True)
    wanted = [">broken<", ">lacking<", ">fine<", ">nightly<", ">over<"]
    assert order(page, *wanted) == wanted
    assert "0 3 * * *" in page
    assert ">fine<" not in get(viewer, tab(prod, "workloads", kind="StatefulSet"))
    assert ">broken<" not in get(viewer, tab(prod, "workloads", q="LACK"))
    assert "No workload matches" in get(viewer, tab(prod, "workloads", namespace="none"))


def test_events_come_newest_first_and_page_by_key(prod: Cluster, viewer: User) -> None:
    began = timezone.now() - timedelta(hours=1)

    def event(n: int, **values: Any) -> None:
        factories.PodFactory.create(
            cluster=prod, kind="Event", name=f"event-{n}", owner_kind="Pod", owner_name="web-1",
            status="Pulled", created=began + timedelta(seconds=n),
            facts={"message": f"message {n}."}, **{"health": "idle", **values},
        )  # fmt: skip

    for n in range(104):
        event(n)
    event(104, health="degraded")
    page = get(viewer, tab(prod, "events"), htmx=True)
    assert order(page, "message 104.", "message 103.", "message 5.")[0] == "message 104."
    assert "message 4." not in page
    assert "105 events" in page
    assert "1 warning<" in page
    warnings = get(viewer, tab(prod, "events", type="warning"))
    assert order(warnings, "message 104.", "message 103.") == ["message 104."]
    more = page.split("&amp;after=", 1)[1].split('"', 1)[0]
    event(105)  # on top: it shifts nothing below
    rest = get(
        viewer, tab(prod, "events", after=more), htmx=True,
        **{"HX-Target": "tr#more"},
    )  # fmt: skip
    assert order(rest, *(f"message {n}." for n in range(106))) == [
        f"message {n}." for n in range(4, -1, -1)
    ]
    assert "<table" not in rest
    assert "message 105." in get(viewer, tab(prod, "events", after="rubbish"))


def test_a_live_update_keeps_the_rows_that_were_loaded(prod: Cluster, viewer: User) -> None:
    for n in range(130):
        factories.PodFactory.create(cluster=prod, kind="Deployment", name=f"d{n:03}")
    shown = get(viewer, tab(prod, "workloads"), htmx=True)
    assert shown.count("data-key") == 100
    kept = get(viewer, tab(prod, "workloads"), htmx=True, **{"X-MCM-Shown": "120"})
    assert kept.count("data-key") == 120


def test_a_kind_that_is_not_read_is_named_instead_of_shown_as_none(
    prod: Cluster, viewer: User
) -> None:
    KindState.objects.create(
        cluster=prod, kind="Event", state=KindState.State.FORBIDDEN, reason="events is forbidden"
    )
    page = get(viewer, tab(prod, "events"))
    assert "MCM is not permitted to read these there" in page
    assert "events is forbidden" in page
    assert "No events" not in page
    page = get(viewer, tab(prod, "access"))
    assert "No events: why something fails is harder to see." in page


def test_rights_are_told_with_what_their_lack_costs(prod: Cluster, viewer: User) -> None:
    assert "The cluster was not asked yet" in get(viewer, tab(prod, "access"))
    Cluster.objects.update(
        rights={
            "kinds": {"Pod": True, "Node": False}, "actions": {"logs": True, "exec": False},
            "metrics": True, "customResources": 3, "complete": False,
            "at": "2026-11-25T03:00:00+00:00",
        }
    )  # fmt: skip
    page = get(viewer, tab(prod, "access"))
    assert "No terminal can be opened." in page
    assert "No logs of containers are shown." not in page
    assert "No nodes, and no capacity to compare requests with." in page
    assert "the cluster did not answer every question" in page
    assert "The cluster has 3." in page


def test_statistics_tell_in_figures_what_the_pictures_draw(prod: Cluster, viewer: User) -> None:
    for minute, cpu in ((10, 1000), (9, 3000), (0, 2000)):
        at = timezone.now() - timedelta(minutes=minute)
        usage.write(prod.pk, [Sample("cluster", "", "", cpu, 1536)], at=at)
    page = get(viewer, tab(prod, "statistics"))
    for label, figure in (("Now", "2"), ("Mean", "2"), ("Highest", "3"), ("Allocatable", "4")):
        assert f"<dt>{label}</dt><dd>{figure}</dd>" in page
    assert "<dt>Now</dt><dd>1.5 GiB</dd>" in page
    assert f'data-url="/api/v1/clusters/{prod.pk}/usage?scope=cluster&amp;hours=24"' in page


def test_an_old_sample_is_not_told_as_the_present(prod: Cluster, viewer: User) -> None:
    at = timezone.now() - timedelta(minutes=6)
    usage.write(prod.pk, [Sample("cluster", "", "", 3000, 1536)], at=at)
    page = get(viewer, tab(prod, "statistics"))
    assert "<dt>Now</dt><dd>\N{EN DASH}</dd>" in page
    assert "<dt>Highest</dt><dd>3</dd>" in page


def test_statistics_say_why_there_are_none(prod: Cluster, shop: Namespace, viewer: User) -> None:
    assert "No samples of this time span yet" in get(viewer, tab(prod, "statistics"))
    Cluster.objects.update(has_metrics=False, metrics_reason="The metrics API is not installed.")
    page = get(viewer, tab(prod, "statistics"))
    assert "The metrics API is not installed." in page
    assert "kubectl apply -f" in page


def test_statistics_of_a_node_and_of_a_namespace(
    prod: Cluster, shop: Namespace, viewer: User, shop_viewer: User
) -> None:
    factories.PodFactory.create(cluster=prod, kind="Namespace", namespace="", name="shop")
    factories.NodeFactory.create(cluster=prod, name="n1", cpu=8000, memory=1024)
    samples = [
        Sample("node", "", "n1", 500, 100), Sample("namespace", "shop", "", 70, 30),
        Sample("pod", "shop", "web-1", 70, 30), Sample("pod", "bank", "vault", 90, 40),
    ]  # fmt: skip
    usage.write(prod.pk, samples)
    assert "<dt>Allocatable</dt><dd>8</dd>" in get(viewer, tab(prod, "statistics", of="node:n1"))
    page = get(shop_viewer, tab(prod, "statistics", of="node:n1"))
    assert "scope=namespace&amp;hours=24&amp;namespace=shop" in page
    assert "<dt>Now</dt><dd>0.07</dd>" in page
    assert ">web-1<" in page
    assert "vault" not in page
