"""All workloads, what happened, and nodes: one walk each; and verbs in the search."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_workloads_of_several_kinds_are_filtered_and_selected(visit: Callable[..., Page]) -> None:
    page = visit("/workloads/?cluster=dev")
    rows = page.locator("#objects tbody tr[data-key]")
    expect(rows.first).to_be_visible()
    page.locator(".filters").get_by_label("Kind").select_option("StatefulSet")
    expect(page).to_have_url(re.compile("kind=StatefulSet"))
    expect(rows.filter(has_not_text="StatefulSet")).to_have_count(0)
    rows.first.locator("[data-pick]").check()
    bar = page.get_by_role("region", name="Selected rows")
    bar.get_by_role("button", name="Actions").click()
    bar.get_by_role("link", name="Restart…").click()
    expect(page.get_by_role("dialog").get_by_role("heading", name="Restart")).to_be_visible()


def test_what_happened_is_read_group_by_group(visit: Callable[..., Page]) -> None:
    page = visit("/events/?window=all")
    groups = page.locator("#happened tbody tr")
    expect(groups.first).to_be_visible()
    page.locator(".filters").get_by_label("Type").select_option("Warning")
    expect(page).to_have_url(re.compile("type=Warning"))
    expect(groups.first.locator("td").first).to_contain_text("Warning")
    single = groups.first.locator("details.single")
    single.locator("summary").click()
    expect(single.locator("li").first).to_be_visible()
    single.locator("li a").first.click()
    expect(page.locator("#drawer").get_by_role("heading").first).to_be_visible()


def test_nodes_lead_to_their_pods(visit: Callable[..., Page]) -> None:
    page = visit("/nodes/?cluster=dev")
    expect(page.get_by_text("How requests are spread over the nodes")).to_be_visible()
    page.locator("#objects tbody tr[data-key]").first.get_by_role("link", name=" of ").click()
    expect(page).to_have_url(re.compile(r"/pods/\?cluster=dev&node=.*&sort=-cpu"))
    expect(page.locator("#pods tbody tr[data-key]").first).to_be_visible()


def test_a_verb_opens_the_dialog_and_does_nothing(visit: Callable[..., Page]) -> None:
    page = visit("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("restart gateway dev")
    option = page.get_by_role("group", name="Actions").get_by_role("option").first
    expect(option).to_contain_text("Restart: gateway")
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("heading", name="Restart")).to_be_visible()
