"""The search of the top bar, by keyboard and by pointer."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser


def opened(page: Page) -> Locator:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search", exact=True)).to_be_focused()
    return page.get_by_role("listbox", name="Suggestions")


def test_an_object_is_found_by_kind_name_and_cluster(visit: Callable[..., Page]) -> None:
    page = visit("/clusters/")
    palette = opened(page)
    page.keyboard.type("deploy gateway dev")
    first = palette.get_by_role("option").first
    expect(first).to_contain_text("gateway")
    expect(first).to_contain_text(re.compile(r"Deployment · .* · dev"))
    expect(first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/objects/\d+/$"))
    expect(page.get_by_role("heading", name="gateway").first).to_be_visible()
    # And is among the last places.
    palette = opened(page)
    expect(palette.get_by_role("group", name="Recent").get_by_role("option")).to_have_count(1)


def test_pages_and_lists_are_found(visit: Callable[..., Page]) -> None:
    page = visit("/")
    palette = opened(page)
    pages = palette.get_by_role("group", name="Pages")
    expect(pages.get_by_role("option", name="Operations")).to_be_visible()
    page.keyboard.type("svc gate")
    listed = palette.get_by_role("group", name="Lists").get_by_role("option")
    expect(listed).to_have_text("Services with “gate”")
    listed.click()
    expect(page).to_have_url("/objects/services/?q=gate")


def test_what_can_be_done_here_is_offered(visit: Callable[..., Page]) -> None:
    page = visit("/clusters/")
    palette = opened(page)
    page.keyboard.type("register")
    palette.get_by_role("group", name="On this page").get_by_role("option").first.click()
    expect(page.get_by_role("dialog", name="Register cluster")).to_be_visible()


def test_escape_closes_and_nothing_found_is_told(visit: Callable[..., Page]) -> None:
    page = visit("/")
    palette = opened(page)
    page.keyboard.type("zzz-no-such-thing")
    expect(palette.get_by_role("status")).to_have_text("Nothing that you may see is called so.")
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(palette).to_be_visible()
