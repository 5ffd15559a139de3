"""Lists by keyboard and by address."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_a_list_is_read_with_the_keyboard(visit: Callable[..., Page]) -> None:
    page = visit("/pods/?cluster=dev")
    links = page.locator("#pods tbody tr td:first-child a")
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()
    name = links.nth(0).inner_text()
    page.keyboard.press("Enter")
    drawer = page.locator("#drawer")
    expect(drawer.get_by_role("heading", name=name)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/pods/\d+/$"))
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page).to_have_url("/pods/?cluster=dev")
    expect(links.nth(0)).to_be_focused()


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_a_key_leads_to_the_search(visit: Callable[..., Page], key: str) -> None:
    page = visit("/")
    page.keyboard.press(key)
    expect(page.get_by_label("Search", exact=True)).to_be_focused()
    page.keyboard.type("gateway")
    page.get_by_role("option", name="Pods with “gateway”").click()
    expect(page).to_have_url("/pods/?q=gateway")
    expect(page.locator("#pods tbody tr")).to_have_count(9)


def test_the_question_mark_helps(visit: Callable[..., Page]) -> None:
    page = visit("/clusters/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()


def test_filters_stand_in_the_address_and_back_undoes_them(visit: Callable[..., Page]) -> None:
    page = visit("/pods/")
    rows = page.locator("#pods tbody tr[data-key]")
    expect(rows).to_have_count(100)
    page.locator(".filters").get_by_label("Cluster").select_option("staging")
    expect(page).to_have_url(re.compile("cluster=staging"))
    expect(rows.filter(has_not_text="staging")).to_have_count(0)
    in_staging = rows.count()
    page.locator(".filters").get_by_label("Namespace").select_option("platform")
    expect(page).to_have_url(re.compile("namespace=platform"))
    expect(rows).to_have_count(8)
    page.go_back()
    expect(rows).to_have_count(in_staging)
    expect(page.locator(".filters").get_by_label("Namespace")).to_have_value("")
    expect(page.locator(".filters").get_by_label("Cluster")).to_have_value("staging")
    page.go_back()
    expect(rows).to_have_count(100)
    expect(page.locator(".filters").get_by_label("Cluster")).to_have_value("")
    page.go_forward()
    expect(page.locator(".filters").get_by_label("Cluster")).to_have_value("staging")
    page.reload()
    expect(page.locator(".filters").get_by_label("Cluster")).to_have_value("staging")
    page.get_by_role("link", name="Clear filters").click()
    expect(page).to_have_url("/pods/")


def test_a_column_sorts_both_ways(visit: Callable[..., Page]) -> None:
    page = visit("/pods/?cluster=dev")
    head = page.get_by_role("columnheader", name="Restarts")
    for order in ("ascending", "descending"):
        head.get_by_role("link").click()
        expect(head).to_have_attribute("aria-sort", order)
        cells = page.locator("#pods tbody tr td:nth-child(6)").all_inner_texts()
        restarts = [int(text) for text in cells]
        assert restarts == sorted(restarts, reverse=order == "descending")
    expect(page).to_have_url(re.compile(r"cluster=dev.*sort=-restarts"))


def test_more_rows_come_and_stay(visit: Callable[..., Page]) -> None:
    page = visit("/pods/")
    rows = page.locator("#pods tbody tr[data-key]")
    total = int(page.locator(".page-meta").inner_text().split()[0])
    expect(rows).to_have_count(100)
    page.get_by_role("link", name="Load more").click()
    expect(rows).to_have_count(total)
    expect(page.get_by_role("link", name="Load more")).to_have_count(0)
    names = page.locator("#pods tbody tr td:first-child").all_inner_texts()
    assert names == sorted(names)


def test_what_does_not_match_says_so(visit: Callable[..., Page]) -> None:
    page = visit("/pods/?q=no-such-pod")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.locator("#pods .empty").get_by_role("link", name="Clear filters").click()
    expect(page.locator("#pods tbody tr[data-key]")).to_have_count(100)
