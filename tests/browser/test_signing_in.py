"""The second factor, lists of sign-ins, confirmation, and a provider, as people meet them."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import Browser, BrowserContext, Page, expect

from testbed import dex
from tests.browser.conftest import expect_live, fill_login, watch
from tests.browser.product import Product
from tests.browser.reading import faults

pytestmark = pytest.mark.browser

MAKE = "from tests.browser import people; people.newcomer({name!r})"
AGE = "from tests.browser import people; people.forget_confirmation({name!r})"


@pytest.fixture
def fresh(
    chromium: Browser, product: Product, contexts: list[BrowserContext]
) -> Iterator[Callable[[], Page]]:
    """A browser that knows nothing; no script of its pages may fail."""
    problems: list[str] = []

    def open_page() -> Page:
        contexts.append(chromium.new_context(base_url=product.url))
        page = contexts[-1].new_page()
        watch(page, problems)
        return page

    yield open_page
    # Answers of 4xx are what these tests ask for.
    assert [said for said in problems if not said.startswith("Failed to load resource")] == []


def sign_in(page: Page, who: str, path: str = "/") -> None:
    page.goto(path)
    fill_login(page, who)


def code_now(secret: str) -> str:
    app = TOTP(base64.b32decode(secret), 6, hashes.SHA1(), 30, enforce_key_length=False)
    return app.generate(int(time.time())).decode()


def enter_code(page: Page, label: str, button: str, code: str) -> None:
    page.get_by_label(label).fill(code)
    page.get_by_role("button", name=button).click()


def test_a_second_factor_is_set_up_and_asked_for(
    product: Product, fresh: Callable[[], Page]
) -> None:
    product.shell(MAKE.format(name="tess"))
    page = fresh()
    sign_in(page, "tess", "/account/")
    page.get_by_role("link", name="Set up").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    enter_code(page, "Code of the app", "Turn on", code_now(secret))
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    codes = page.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()

    by_code = fresh()
    sign_in(by_code, "tess", "/pods/")
    expect(by_code.get_by_role("heading", name="Second factor")).to_be_visible()
    expect(by_code.get_by_label("Code")).to_be_focused()
    assert faults(by_code) == []
    enter_code(by_code, "Code", "Sign in", "000000")
    expect(by_code.get_by_role("alert")).to_contain_text("wrong, or was used already")
    enter_code(by_code, "Code", "Sign in", code_now(secret))
    expect(by_code).to_have_url("/pods/")

    by_recovery = fresh()
    sign_in(by_recovery, "tess")
    enter_code(by_recovery, "Code", "Sign in", codes[0])
    expect_live(by_recovery)
    by_recovery.goto("/account/")
    expect(by_recovery.get_by_text("9 recovery codes are left.")).to_be_visible()


def test_who_fails_too_often_is_told_how_long_to_wait(fresh: Callable[[], Page]) -> None:
    page = fresh()
    page.goto("/login/")
    for _ in range(6):
        fill_login(page, "nobody-of-this-name", "wrong")
        expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"Try again in [1-5] minutes?\."))
    assert faults(page) == []


def test_signing_out_everywhere_closes_the_pages_of_other_browsers(
    product: Product, fresh: Callable[[], Page]
) -> None:
    product.shell(MAKE.format(name="nora"))
    here, there = fresh(), fresh()
    for page in (here, there):
        sign_in(page, "nora", "/pods/")
        expect_live(page)
    here.goto("/account/")
    listed = here.get_by_role("region", name="Where you are signed in")
    expect(listed.get_by_role("row")).to_have_count(3)
    expect(here.get_by_role("row", name="this one, now")).to_contain_text("Chrome · Linux")
    here.get_by_role("link", name="Sign out everywhere").click()
    here.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    expect(there.get_by_role("heading", name="Sign in")).to_be_visible(timeout=5_000)
    expect(here.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_disabled_person_is_out_within_five_seconds(
    product: Product, fresh: Callable[[], Page]
) -> None:
    product.shell(MAKE.format(name="dora"))
    page = fresh()
    sign_in(page, "dora", "/pods/")
    expect_live(page)
    product.shell("from tests.browser import people; people.disable('dora')")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=5_000)


def test_deleting_a_cluster_asks_for_the_password_in_its_dialog(
    product: Product, fresh: Callable[[], Page]
) -> None:
    product.shell("from tests.browser import people; people.newcomer('root', is_superuser=True)")
    page = fresh()
    sign_in(page, "root", "/clusters/")
    page.get_by_role("link", name="dev", exact=True).first.click()
    expect_live(page)
    product.shell(AGE.format(name="root"))
    page.get_by_role("link", name="Delete").first.click()
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    expect(dialog).to_be_visible()
    assert faults(page) == []
    enter_code(page, "Password", "Go on", "wrong")
    expect(dialog.get_by_role("alert")).to_contain_text("The password is wrong.")
    enter_code(page, "Password", "Go on", "correct-horse-battery")
    expect(page.get_by_role("dialog", name="Delete dev from MCM")).to_be_visible()
    expect(page.get_by_label("to confirm")).to_be_visible()


@pytest.fixture
def company(product: Product, tmp_path: Path) -> Iterator[dex.Dex]:
    """The provider that the product was told of."""
    back = f"{product.url}/login/with/company/done/"
    running = dex.Dex(tmp_path, product.provider_port, [back], print)
    running.start({"ada": ["builders"], "eve": []})
    yield running
    running.stop()


def test_the_whole_way_through_a_provider(
    product: Product, company: dex.Dex, fresh: Callable[[], Page]
) -> None:
    product.shell("from tests.browser import people; people.map_group('builders')")
    page = fresh()
    page.goto("/pods/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_role("link", name="Sign in with Company").click()
    expect(page).to_have_url(re.compile(f"^{re.escape(company.issuer)}/"))
    page.locator("#login").fill("ada@example.com")
    page.locator("#password").fill(dex.PASSWORD)
    page.locator("#submit-login").click()
    expect(page).to_have_url(f"{product.url}/pods/")
    expect_live(page)
    page.get_by_role("button", name="Account of ada").click()
    page.get_by_role("link", name="My access").click()
    expect(page.get_by_role("link", name="builders")).to_be_visible()
