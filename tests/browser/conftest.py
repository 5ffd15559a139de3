"""Chromium on the running product. Failing tests leave a picture in their `tmp_path`."""

import shutil
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

from bootstrap.missing import NEEDED
from teams.confirmation import TO_OPEN
from tests.browser.product import PASSWORD, Product

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)
# What the browser itself says of answers that a test asks for, and of servers that a test ends.
EXPECTED = ("Failed to load resource", "WebSocket connection to")
FAILED = pytest.StashKey[bool]()

expect.set_options(timeout=15_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """MCM with its demo, and the people of `people.py`."""
    running = Product(tmp_path_factory.mktemp("product"))
    try:
        running.until_ready()
        running.shell("from tests.browser import people; people.make()")
        yield running
    finally:
        running.stop()


# Not for the whole session: while it lives, no test of this process can run a coroutine.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    _purpose, names = NEEDED["chromium"]
    program = next(filter(None, map(shutil.which, names)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


def fill_login(page: Page, who: str, password: str = PASSWORD) -> None:
    page.get_by_label("Username").fill(who)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture(scope="package")
def signed_in(chromium: Browser, product: Product) -> Callable[[str], StorageState]:
    """The cookies of a person; who signs out signs in for himself.

    Signed in anew before dangerous acts begin to ask who it is: only tests of that are asked.
    """
    known: dict[str, StorageState] = {}
    since: dict[str, float] = {}

    def state(who: str) -> StorageState:
        if time.monotonic() - since.get(who, -TO_OPEN) > TO_OPEN / 2:
            since[who] = time.monotonic()
            context = chromium.new_context(base_url=product.url)
            page = context.new_page()
            page.goto("/login/")
            fill_login(page, who)
            expect(page.get_by_role("heading", name="Fleet", level=1)).to_be_visible()
            known[who] = context.storage_state()
            context.close()
        return known[who]

    return state


@pytest.fixture
def contexts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[BrowserContext]]:
    """The contexts of a test: pictures of their pages when it fails, closed at its end."""
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        for number, page in enumerate(context.pages):
            if request.node.stash.get(FAILED, True):
                page.screenshot(path=tmp_path / f"{opened.index(context)}-{number}.png")
        context.close()


@pytest.fixture
def visit(
    chromium: Browser,
    product: Product,
    signed_in: Callable[[str], StorageState],
    contexts: list[BrowserContext],
) -> Iterator[Callable[..., Page]]:
    """Opens an address for a person: `visit("/pods/", who="viewer")`; live when it returns.

    Pages of one person share their context. No script of any page may fail during the test.
    """
    problems: list[str] = []
    of: dict[str, BrowserContext] = {}

    def open_page(path: str, who: str = "admin") -> Page:
        if who not in of:
            of[who] = chromium.new_context(base_url=product.url, storage_state=signed_in(who))
            contexts.append(of[who])
        page = of[who].new_page()
        watch(page, problems)
        page.goto(path)
        expect_live(page)
        return page

    yield open_page
    assert [said for said in problems if not said.startswith(EXPECTED)] == []


def watch(page: Page, problems: list[str]) -> None:
    """Notes whatever goes wrong in the page's scripts, policy and requests."""
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)


def expect_live(page: Page, seconds: float = 15) -> None:
    expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=seconds * 1000)
