"""One object: why it fails, what is around it, its YAML; by the keyboard, for each person."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reading import faults

pytestmark = pytest.mark.browser


def opened(visit: Callable[..., Page], where: str, who: str = "admin") -> Page:
    """The list with the first row of it in the drawer, opened by the keyboard."""
    page = visit(where, who)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer-title")).to_be_visible()
    return page


def test_the_drawer_says_why_a_pod_fails(visit: Callable[..., Page]) -> None:
    where = "/pods/?cluster=dev&q=mailer"
    page = opened(visit, where)
    drawer = page.locator("#drawer")
    expect(drawer.get_by_role("heading", name="Why is it failing?")).to_be_visible()
    expect(drawer.locator(".cause").first).to_contain_text("memory")
    expect(drawer.locator(".cause").first).to_contain_text("What to do:")
    expect(drawer.get_by_role("table")).to_contain_text("OOMKilled")
    assert faults(page) == []
    page.keyboard.press("y")
    expect(page).to_have_url(re.compile(r"/pods/\d+/\?tab=yaml$"))
    expect(drawer.get_by_role("link", name="YAML", exact=True)).to_be_focused()
    expect(drawer.locator("#object-text")).to_contain_text("kind: Pod")
    assert faults(page) == []
    drawer.get_by_role("link", name="Events").click()
    expect(drawer.get_by_role("table")).to_contain_text("Scheduled")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page).to_have_url(where)


def test_what_is_around_an_object_opens_beside_the_list(visit: Callable[..., Page]) -> None:
    page = opened(visit, "/pods/?cluster=dev&q=frontend")
    drawer = page.locator("#drawer")
    drawer.get_by_role("link", name="Related").click()
    expect(drawer.get_by_role("heading", name="Services")).to_be_visible()
    expect(drawer.get_by_role("heading", name="Runs on")).to_be_visible()
    assert faults(page) == []
    owners = drawer.locator(".relatives").first
    expect(owners).to_contain_text("ReplicaSet")
    owners.get_by_role("link", name="frontend", exact=True).click()
    expect(drawer.get_by_role("heading", name="frontend", exact=True)).to_be_visible()
    expect(drawer).to_contain_text("Conditions")
    page.keyboard.press("Escape")
    expect(page).to_have_url("/pods/?cluster=dev&q=frontend")


def test_metrics_are_drawn_in_the_drawer(visit: Callable[..., Page]) -> None:
    page = opened(visit, "/nodes/?cluster=dev")
    drawer = page.locator("#drawer")
    drawer.get_by_role("link", name="Metrics").click()
    expect(drawer.locator("canvas").first).to_be_visible(timeout=60_000)
    drawer.get_by_role("link", name="30 days").click()
    expect(page).to_have_url(re.compile("hours=720"))
    assert faults(page) == []


def test_who_sees_a_namespace_is_shown_no_more(visit: Callable[..., Page]) -> None:
    page = opened(visit, "/pods/?cluster=dev&q=recommender", "sam")
    drawer = page.locator("#drawer")
    expect(drawer.get_by_role("heading", name="Why is it failing?")).to_be_visible()
    drawer.get_by_role("link", name="Related").click()
    runs_on = drawer.locator("h2:text-is('Runs on') + .relatives")
    expect(runs_on).to_contain_text("Node")
    expect(runs_on.get_by_role("link")).to_have_count(0)
