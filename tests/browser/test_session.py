"""Signing in and out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import expect_live, fill_login
from tests.browser.product import Product

pytestmark = pytest.mark.browser


@pytest.fixture
def stranger(chromium: Browser, product: Product, contexts: list[BrowserContext]) -> Page:
    """A page of somebody who is not signed in."""
    contexts.append(chromium.new_context(base_url=product.url))
    return contexts[-1].new_page()


def test_a_wrong_password_is_told(stranger: Page) -> None:
    stranger.goto("/")
    fill_login(stranger, "admin", "wrong")
    expect(stranger.get_by_role("alert")).to_contain_text("The username or the password is wrong.")
    expect(stranger.get_by_label("Username")).to_have_value("admin")


def test_signing_in_leads_to_the_page_that_was_asked_for(stranger: Page) -> None:
    stranger.goto("/pods/?health=failing")
    fill_login(stranger, "admin")
    expect(stranger).to_have_url("/pods/?health=failing")
    expect(stranger.get_by_role("heading", name="Pods", level=1)).to_be_visible()
    expect_live(stranger)


def test_signing_out_ends_every_open_page(stranger: Page) -> None:
    stranger.goto("/pods/")
    fill_login(stranger, "admin")
    expect_live(stranger)
    other = stranger.context.new_page()
    other.goto("/")
    expect_live(other)
    other.get_by_role("button", name="Account of admin").click()
    other.get_by_role("button", name="Sign out").click()
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible(timeout=5_000)
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    stranger.goto("/pods/")
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_dead_session_sends_the_next_click_to_the_login(visit: Callable[..., Page]) -> None:
    page = visit("/pods/", who="outsider")
    page.context.clear_cookies()
    # Not by the locator, which would wait on a page that is gone where typing alone was enough.
    page.get_by_label("Query").focus()
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
