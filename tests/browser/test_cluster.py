"""The page of one cluster: each tab has its address, sorts, follows the cluster, and draws."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product

pytestmark = pytest.mark.browser

TABS = ("Overview", "Nodes", "Namespaces", "Workloads", "Events", "Statistics", "Access")


@pytest.fixture
def prod(visit: Callable[..., Page]) -> Page:
    """The page of prod."""
    page = visit("/clusters/")
    page.get_by_role("link", name="prod", exact=True).click()
    expect(page.get_by_role("heading", name="prod", level=1)).to_be_visible()
    return page


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Parts of the cluster").get_by_text(name).click()
    expect(page.locator(f"#tab-{name.lower()}")).to_be_visible()


def test_each_tab_has_its_address(prod: Page) -> None:
    for name in TABS:
        open_tab(prod, name)
        expect(prod).to_have_url(re.compile(rf"\?tab={name.lower()}$"))
        expect(prod.locator(".tabs [aria-current]")).to_have_text(name)
    prod.reload()
    expect(prod.locator("#tab-access")).to_be_visible()
    expect(prod.get_by_role("row").filter(has_text="Deployment")).to_contain_text("Watching")


def test_nodes_sort_and_narrow_by_the_address(prod: Page) -> None:
    open_tab(prod, "Nodes")
    rows = prod.locator("#cluster tbody tr[data-key]")
    expect(rows).to_have_count(12)
    prod.get_by_role("link", name="Node", exact=True).click()
    expect(rows.first).to_contain_text("prod-node-12")
    expect(prod).to_have_url(re.compile(r"sort=-name"))
    prod.get_by_label("Part of the name").fill("node-03")
    expect(rows).to_have_count(1)
    expect(prod).to_have_url(re.compile(r"q=node-03"))
    expect(rows).to_contain_text("of 110")


def test_workloads_that_fail_stand_first_and_lead_to_their_pods(prod: Page) -> None:
    open_tab(prod, "Workloads")
    prod.get_by_label("Kind").select_option("Deployment")
    names = prod.locator("#cluster tbody tr[data-key] td:first-child")
    expect(names).to_have_count(11)
    unhealthy = {"mailer", "recommender", "analytics"}
    assert set(names.all_inner_texts()[:3]) == unhealthy
    prod.get_by_role("link", name="recommender").click()
    expect(prod.get_by_role("heading", name="Pods", level=1)).to_be_visible()
    expect(prod).to_have_url(re.compile(r"cluster=prod&namespace=shop&q=recommender"))


def test_an_event_comes_without_a_reload(prod: Page, product: Product) -> None:
    open_tab(prod, "Events")
    prod.evaluate("() => { window.neverLoadedAgain = true; }")
    prod.get_by_label("Type").select_option("warning")
    expect(prod.get_by_role("option", name="Warnings only")).to_have_attribute("selected", "")
    product.cluster("prod").api.post(
        "/api/v1/namespaces/shop/events",
        {
            "metadata": {"generateName": "told-", "namespace": "shop"},
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "told-1"},
            "type": "Warning", "reason": "Told", "message": "something happened",
        },
    )  # fmt: skip
    row = prod.get_by_role("row").filter(has_text="told-1")
    expect(row).to_contain_text("something happened")
    assert prod.evaluate("() => window.neverLoadedAgain")


def test_use_over_time_is_drawn_and_told(prod: Page) -> None:
    open_tab(prod, "Statistics")
    pictures = prod.locator(".plot canvas")
    expect(pictures).to_have_count(2, timeout=90_000)
    expect(prod.locator("dl.figures").first).to_contain_text("Requested")
    before = prod.locator(".plot canvas").first.evaluate("canvas => canvas.toDataURL()")
    prod.locator("[data-theme-toggle]").click()
    prod.wait_for_function(
        "before => document.querySelector('.plot canvas')?.toDataURL() !== before", arg=before
    )
    expect(pictures).to_have_count(2)
    prod.get_by_label("Of what").select_option("node:prod-node-01")
    expect(prod.locator("#tab-statistics .card-head").first).to_contain_text("prod-node-01")
    expect(pictures).to_have_count(2)
    expect(prod).to_have_url(re.compile(r"of=node"))
