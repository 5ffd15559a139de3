"""The fleet and the list of clusters: what stands there, for whom, and what is not told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clusters.models import Capacity, Cluster, Namespace, Status
from teams.models import User
from tests import factories
from tests.clusters.reading import get, measured, order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def live(prod: Cluster) -> None:
    measured(prod)


def test_the_fleet_adds_up_what_was_measured(prod: Cluster, admin: User) -> None:
    twin = factories.ClusterFactory.create(name="twin", observed_at=timezone.now())
    Capacity.objects.create(
        cluster=twin, cpu_used=0, cpu_allocatable=4000, memory_used=0, memory_allocatable=4096,
        sampled_at=timezone.now(),
    )  # fmt: skip
    page = get(admin, "/")
    assert "<b>25% <small>used</small></b>" in page
    assert "38% requested of 8 cores" in page
    assert "25% requested of 8 GiB" in page


def test_use_that_is_old_is_not_told_as_present(prod: Cluster, viewer: User) -> None:
    Capacity.objects.update(sampled_at=timezone.now() - timedelta(minutes=6))
    page = get(viewer, "/")
    assert "<b>\N{EN DASH} <small>used</small></b>" in page
    assert "75% requested of 4 cores" in page
    assert "Use was not measured in the last minutes." in page


def test_the_fleet_counts_pods_that_the_person_sees(
    prod: Cluster, shop: Namespace, bank: Namespace, viewer: User, shop_viewer: User
) -> None:
    factories.pods(prod, ["a", "b"], namespace="shop")
    factories.pods(prod, ["c"], namespace="bank", status="Error", health="failing")
    assert '<b>3</b> <span class="muted parts"><span class="nowrap">2 running' in get(viewer, "/")
    page = get(shop_viewer, "/")
    assert '<b>2</b> <span class="muted parts"><span class="nowrap">2 running' in page
    assert "Shown to those who see a whole cluster." in page
    assert "bank" not in page


def test_a_fleet_without_nodes_says_so_to_who_would_see_them(prod: Cluster, admin: User) -> None:
    Capacity.objects.all().delete()
    page = get(admin, "/")
    assert "No node has been seen in any cluster." in page
    assert "Shown to those who see a whole cluster." not in page


def test_what_needs_attention_leads_to_where_it_is_mended(
    prod: Cluster, admin: User, owner: User, viewer: User
) -> None:
    pod = factories.PodFactory.create(
        cluster=prod, owner_name="", owner_kind="", name="web", status="Error", health="failing"
    )
    assert f'href="/pods/{pod.pk}/"' in get(viewer, "/")
    deployment = factories.PodFactory.create(
        cluster=prod, kind="Deployment", name="api", owner_name="", owner_kind=""
    )
    lost = {"cluster": prod, "owner_kind": "Deployment", "status": "Error", "health": "failing"}
    factories.PodFactory.create(name="api-1", owner_name="api", **lost)
    factories.PodFactory.create(name="gone-1", owner_name="gone", **lost)
    page = get(viewer, "/")
    assert f'href="/objects/{deployment.pk}/"' in page
    # Of what is not stored there are still the pods.
    assert 'href="/pods/?health=failing&amp;cluster=prod&amp;namespace=shop&amp;q=gone"' in page
    Cluster.objects.update(status=Status.UNAUTHORIZED)
    assert f'<a href="/clusters/{prod.pk}/credentials/">prod</a>' in get(admin, "/")
    assert f'<a href="/clusters/{prod.pk}/">prod</a>' in get(owner, "/")


def test_a_cluster_that_is_not_live_says_so_beside_its_figures(prod: Cluster, viewer: User) -> None:
    assert "not live" not in get(viewer, "/")
    Cluster.objects.update(observed_at=timezone.now() - timedelta(minutes=1))
    page = get(viewer, "/")
    assert "1 is not live: its figures are as last seen" in page
    assert "data-stale" in page


@pytest.fixture
def many(prod: Cluster) -> None:
    """Prod, and two others beside it."""
    factories.ClusterFactory.create(name="alpha", environment="dev", version="v1.9.0", region="eu")
    factories.ClusterFactory.create(
        name="beta", environment="staging", version="v1.10.1", status=Status.UNREACHABLE
    )
    Cluster.objects.filter(name="prod").update(version="v1.37.0", node_count=7)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", ["alpha", "beta", "prod"]),
        ("?sort=-name", ["prod", "beta", "alpha"]),
        ("?sort=env", ["prod", "beta", "alpha"]),
        ("?sort=version", ["alpha", "beta", "prod"]),
        ("?sort=-nodes", ["prod", "alpha", "beta"]),
        ("?sort=-cpu", ["prod", "alpha", "beta"]),
        ("?env=dev", ["alpha"]),
        ("?status=unreachable", ["beta"]),
        ("?q=ALPH", ["alpha"]),
        ("?q=eu", ["alpha"]),
        ("?env=nonsense&status=x&sort=y", ["alpha", "beta", "prod"]),
    ],
)
def test_the_list_is_filtered_and_sorted_by_its_address(
    many: None, admin: User, query: str, wanted: list[str]
) -> None:
    page = get(admin, f"/clusters/{query}", htmx=True)
    assert order(page, "<b>alpha</b>", "<b>beta</b>", "<b>prod</b>") == [
        f"<b>{name}</b>" for name in wanted
    ]


def test_what_matches_nothing_says_so(many: None, admin: User) -> None:
    page = get(admin, "/clusters/?q=nothing")
    assert "No cluster matches" in page
    assert "0 of 3 clusters" in page


def test_actions_are_off_with_the_reason_for_who_may_not(
    prod: Cluster, admin: User, owner: User, viewer: User
) -> None:
    pages = {who: get(who, "/clusters/") for who in (admin, owner, viewer)}
    for act, allowed in (("edit", 2), ("credentials", 1), ("delete", 2)):
        link = f'href="/clusters/{prod.pk}/{act}/"'
        assert [link in page for page in pages.values()].count(True) == allowed
    assert "Only platform admins replace credentials." in pages[owner]
    assert "Delete prod (You need the role admin on this cluster.)" in get(viewer, "/clusters/")
    assert "?tab=statistics" in get(viewer, "/clusters/")


def test_expiry_is_shown_to_who_sees_the_whole_cluster(
    prod: Cluster, viewer: User, shop_viewer: User
) -> None:
    Cluster.objects.update(credential_expires=timezone.now() + timedelta(days=3, hours=1))
    assert "expires in 3 days" in get(viewer, "/clusters/")
    assert "expires in" not in get(shop_viewer, "/clusters/")
