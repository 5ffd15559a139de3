"""What people with less than all rights see: less rows, and buttons that say why they are off."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("path", "button", "reason"),
    [
        ("/", "Register cluster", "Only platform admins register clusters."),
        ("/clusters/", "Register cluster", "Only platform admins register clusters."),
        ("/releases/", "Install chart", "You need the role operator"),
    ],
)
def test_a_viewer_reads_why_a_button_is_off(
    visit: Callable[..., Page], path: str, button: str, reason: str
) -> None:
    page = visit(path, who="viewer")
    off = page.get_by_role("button", name=button)
    expect(off).to_be_disabled()
    assert reason in (off.get_attribute("title") or "")
    expect(off).to_contain_text(reason)
    off.click(force=True)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(path)


def test_a_viewer_sees_the_granted_cluster_only(visit: Callable[..., Page]) -> None:
    page = visit("/clusters/", who="viewer")
    expect(page.locator("#clusters tbody tr")).to_have_count(1)
    page.get_by_role("link", name="dev", exact=True).click()
    expect(page.get_by_role("button", name="Delete")).to_be_disabled()
    expect(page.get_by_role("button", name="Delete")).to_contain_text("You need the role admin")


def test_a_namespace_is_all_that_its_viewer_sees(visit: Callable[..., Page]) -> None:
    page = visit("/pods/", who="shopper")
    rows = page.locator("#pods tbody tr")
    expect(rows).to_have_count(7)
    assert set(page.locator("#pods tbody tr td:nth-child(2)").all_inner_texts()) == {
        "dev Development"
    }
    assert set(page.locator("#pods tbody tr td:nth-child(3)").all_inner_texts()) == {"shop"}
    options = page.locator(".filters").get_by_label("Namespace").get_by_role("option")
    expect(options).to_have_text(["All namespaces", "shop (7)"])
    page.goto("/pods/?namespace=data")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/clusters/", "/pods/", "/releases/"])
def test_who_has_no_grant_reads_what_to_do(visit: Callable[..., Page], path: str) -> None:
    page = visit(path, who="outsider")
    expect(page.get_by_role("heading", name="You see no cluster yet")).to_be_visible()
    expect(page.get_by_text("Ask a platform admin")).to_be_visible()


def test_a_page_of_another_team_is_not_found(visit: Callable[..., Page]) -> None:
    there = visit("/clusters/").get_by_role("link", name="prod", exact=True).get_attribute("href")
    page = visit(str(there), who="viewer")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "There is nothing here that you can see"
    )
