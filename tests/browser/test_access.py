"""A role is granted after a look at what it changes, and its people see it come and go."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product

pytestmark = pytest.mark.browser


def test_a_role_comes_and_goes_on_open_pages(product: Product, visit: Callable[..., Page]) -> None:
    product.shell("from tests.browser import people; people.guests()")
    theirs = visit("/clusters/", who="outsider")
    nothing = theirs.get_by_role("heading", name="You see no cluster yet")
    expect(nothing).to_be_visible()

    page = visit("/clusters/")
    page.locator("#clusters tbody").get_by_role("link", name="dev", exact=True).click()
    page.get_by_role("link", name="People").click()
    page.get_by_role("link", name="Grant a role").click()
    dialog = page.get_by_role("dialog", name="Grant a role on dev")
    dialog.get_by_label("Team").select_option("guests")
    dialog.get_by_role("button", name="Show what changes").click()
    expect(dialog.get_by_role("row").filter(has_text="outsider")).to_contain_text("+ see")
    expect(nothing).to_be_visible()
    dialog.get_by_role("button", name="Grant", exact=True).click()

    held = page.locator("#tab-people").get_by_role("row").filter(has_text="outsider")
    expect(held).to_contain_text("Viewer by the team guests")
    expect(theirs.locator("#clusters tbody tr")).to_have_count(1)

    held.get_by_role("link", name="Revoke").click()
    dialog = page.get_by_role("dialog", name="Revoke a role")
    expect(dialog.get_by_role("row").filter(has_text="outsider")).to_contain_text(
        "\N{MINUS SIGN} see"
    )
    dialog.get_by_role("button", name="Revoke").click()
    expect(held).to_have_count(0)
    expect(nothing).to_be_visible()
