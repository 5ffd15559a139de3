"""What does not answer is shown as that, soon, and comes back by itself."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from testbed.cluster import Cluster
from tests.browser.conftest import expect_live
from tests.browser.product import Product

pytestmark = pytest.mark.browser


def test_a_hanging_cluster_is_marked_and_heals(
    visit: Callable[..., Page], product: Product
) -> None:
    fleet, pods = visit("/"), visit("/pods/?q=gateway")
    rows = pods.locator("#pods tbody tr")
    expect(rows).to_have_count(9)
    staging = fleet.get_by_role("row").filter(has_text="eu-central-1").filter(has_text="staging")
    cluster = product.cluster("staging")
    cluster.pause()
    try:
        expect(staging.locator(".fresh-word")).to_have_text("Unreachable", timeout=15_000)
        expect(staging.locator(".fresh time")).to_be_visible()
        said = pods.get_by_role("status").filter(has_text="staging")
        expect(said).to_contain_text("Its rows are shown as they were last seen.")
        expect(rows).to_have_count(9)
        expect(pods.locator("#pods tr[data-stale]")).to_have_count(2)
        expect(pods.locator("#pods tr[data-stale]").filter(has_text="staging")).to_have_count(2)
        for other in ("dev", "prod"):
            row = fleet.locator("#overview tbody tr").filter(has_text=other)
            expect(row.locator(".fresh-word")).to_have_text("Live")
    finally:
        cluster.resume()
    expect(staging.locator(".fresh-word")).to_have_text("Live", timeout=15_000)
    expect(pods.locator("#pods tr[data-stale]")).to_have_count(0)


def test_a_lost_socket_is_told_and_the_page_catches_up(
    visit: Callable[..., Page], product: Product
) -> None:
    page = visit("/pods/?cluster=dev&namespace=shop")
    page.evaluate("() => { window.neverLoadedAgain = true; }")
    names = page.locator("#pods tbody tr td:first-child")
    indicator = page.locator("#live")
    product.kill_web()
    expect(indicator).to_contain_text("Reconnecting", timeout=5_000)
    # Nobody tells the page of this one.
    lost = names.filter(has_text="checkout").first.inner_text()
    product.cluster("dev").api.delete(f"/api/v1/namespaces/shop/pods/{lost}")
    expect_live(page, 60)
    expect(names.filter(has_text=lost)).to_have_count(0)
    expect(names.filter(has_text="checkout")).to_have_count(2)
    assert sorted(names.all_inner_texts()) == _truth(product.cluster("dev"), "shop")
    assert page.evaluate("() => window.neverLoadedAgain")


def _truth(cluster: Cluster, namespace: str) -> list[str]:
    pods = cluster.api.items(f"/api/v1/namespaces/{namespace}/pods")
    return sorted(str(pod["metadata"]["name"]) for pod in pods)
