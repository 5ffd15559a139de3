"""Every page in both languages, both themes and both widths: it works, fits, and reads well."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from tests.browser.conftest import expect_live, watch
from tests.browser.product import Product
from tests.browser.reading import faults

pytestmark = pytest.mark.browser

LANGUAGES = {"en": "en", "zh-hans": "zh-hans"}
WIDTHS = {1440: 900, 390: 844}
PAGES = {
    "fleet": "/",
    "clusters": "/clusters/",
    "register": "/clusters/register/",
    "cluster": "/clusters/{cluster}/",
    "cluster nodes": "/clusters/{cluster}/?tab=nodes",
    "cluster namespaces": "/clusters/{cluster}/?tab=namespaces",
    "cluster workloads": "/clusters/{cluster}/?tab=workloads",
    "cluster events": "/clusters/{cluster}/?tab=events",
    "cluster statistics": "/clusters/{cluster}/?tab=statistics",
    "cluster people": "/clusters/{cluster}/?tab=people",
    "grant": "/clusters/{cluster}/grants/new/",
    "revoke": "/grants/{grant}/revoke/",
    "teams": "/teams/",
    "team": "/teams/{team}/",
    "new team": "/teams/new/",
    "add": "/teams/{team}/members/new/",
    "person": "/people/{person}/",
    "signing in": "/account/",
    "second factor": "/account/second-factor/",
    "password": "/account/password/",
    "confirm": "/confirm/",
    "sign out everywhere": "/account/sessions/end/",
    "cluster access": "/clusters/{cluster}/?tab=access",
    "delete": "/clusters/{cluster}/delete/",
    "pods": "/pods/?cluster=dev",
    "no pod": "/pods/?q=no-such-pod",
    "pod": "/pods/{pod}/",
    "misread query": "/pods/?q=restarts%3Emany%20web",
    "deployments": "/objects/deployments/",
    "nodes": "/nodes/",
    "workloads": "/workloads/",
    "events": "/events/?window=all",
    "kinds": "/objects/",
    "new view": "/views/new/?kind=Pod",
    "releases": "/releases/",
    "install": "/releases/install/",
    "release": "/releases/{release}/",
    "uninstall": "/releases/{release}/uninstall/",
    "audit": "/audit/",
    "audit event": "/audit/{event}/",
    "operations": "/operations/",
    "operation": "/operations/{operation}/",
}
# Words of the frame and the heads that must not stand on a Chinese page.
ENGLISH = re.compile(
    r"\b(Fleet|Workloads|Delivery|Operations?|Govern|Clusters|Environment|Status|Nodes|Freshness"
    r"|Version|Live|Active|Install|Register|Delete|Uninstall|Cancel|Needs attention|Development"
    r"|Production|Namespaces|Restarts|Age|All|Search|Sign|Revision|Updated|Type|Succeeded)\b"
)


@pytest.fixture(scope="module")
def places(product: Product) -> dict[str, str]:
    """The keys in the addresses; a release and its operation are made as rows."""
    said = product.shell("from tests.browser import people; people.places()")
    return dict(line.split("=") for line in said.split())


@pytest.fixture(scope="module")
def in_language(
    chromium: Browser, product: Product, signed_in: Callable[[str], StorageState]
) -> Iterator[Callable[[str], BrowserContext]]:
    opened: dict[str, BrowserContext] = {}

    def context(language: str) -> BrowserContext:
        if language not in opened:
            cookie = {"name": "django_language", "value": language, "url": product.url}
            opened[language] = chromium.new_context(
                base_url=product.url, storage_state=signed_in("admin")
            )
            opened[language].add_cookies([cookie])  # type: ignore[list-item]
        return opened[language]

    yield context
    for each in opened.values():
        each.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_works_fits_and_reads_well(
    in_language: Callable[[str], BrowserContext],
    places: dict[str, str],
    tmp_path: Path,
    name: str,
    language: str,
) -> None:
    page, problems = in_language(language).new_page(), list[str]()
    watch(page, problems)
    page.goto(PAGES[name].format(**places))
    expect_live(page)
    expect(page.locator("html")).to_have_attribute("lang", LANGUAGES[language])
    if language != "en":
        assert ENGLISH.findall(_text(page)) == []
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
            problems += [f"{width} {theme}: {said}" for said in faults(page, theme)]
            if problems:
                page.screenshot(path=tmp_path / f"{width}-{theme}.png")
    page.close()
    assert problems == []


def test_the_dialog_and_the_drawer_read_well(visit: Callable[..., Page]) -> None:
    page = visit("/pods/?cluster=dev")
    page.locator("#pods tbody a").first.click()
    expect(page.locator("#drawer-title")).to_be_visible()
    assert faults(page) == []
    page.goto("/clusters/")
    page.get_by_role("link", name="Register cluster").click()
    expect(page.get_by_role("dialog", name="Register cluster")).to_be_visible()
    assert faults(page) == []


def test_language_and_theme_are_remembered(visit: Callable[..., Page]) -> None:
    page = visit("/pods/?cluster=dev")
    page.get_by_role("button", name="中文").click()
    expect(page).to_have_url("/pods/?cluster=dev")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.get_by_role("navigation").first).to_contain_text("总览")
    page.locator("[data-theme-toggle]").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Fleet", level=1)).to_be_visible()


def test_the_navigation_unfolds_on_a_phone(visit: Callable[..., Page]) -> None:
    page = visit("/")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("link", name="Releases")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Releases").click()
    expect(page.get_by_role("heading", name="Releases", level=1)).to_be_visible()


def _text(page: Page) -> str:
    """What stands on the page; logs stay as they were said."""
    said = page.locator("body").inner_text()
    for log in page.get_by_role("log").all_inner_texts():
        said = said.replace(log, "")
    return said
