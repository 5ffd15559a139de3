"""Open pages follow the clusters without a reload, and nothing of the reader's place is lost."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, Request, WebSocketRoute, expect

from testbed.api import Api
from tests.browser.conftest import expect_live
from tests.browser.product import Product

pytestmark = pytest.mark.browser

# Notes the rows that flash, since a flash may be over before anybody looks.
NOTE_FLASHES = """() => {
  window.flashed = [];
  new MutationObserver((changes) => {
    const rows = changes.map(({ target }) => target).filter((row) => row.matches("tr.flash"));
    window.flashed.push(...rows.map((row) => row.id));
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["class"] });
}"""


@pytest.fixture
def dev(product: Product) -> Api:
    return product.cluster("dev").api


@pytest.fixture
def follows(visit: Callable[..., Page]) -> Iterator[Callable[[str], Page]]:
    """Opens a page that must never be loaded again."""
    pages: list[Page] = []

    def open_page(path: str) -> Page:
        pages.append(visit(path))
        pages[-1].evaluate("() => { window.neverLoadedAgain = true; }")
        return pages[-1]

    yield open_page
    for page in pages:
        assert page.evaluate("() => window.neverLoadedAgain")


def test_a_deleted_pod_goes_and_its_successor_comes(
    follows: Callable[[str], Page], dev: Api
) -> None:
    page = follows("/pods/?cluster=dev&namespace=shop&q=frontend")
    rows = page.locator("#pods tbody tr")
    expect(rows).to_have_count(2)
    row, name = _first(rows)
    dev.delete(f"/api/v1/namespaces/shop/pods/{name}")
    expect(page.get_by_role("link", name=name)).to_have_count(0)
    expect(page.locator(f"#{row}")).to_have_count(0)
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="Running")).to_have_count(2)


def test_a_change_updates_its_row_in_place_and_flashes(
    follows: Callable[[str], Page], dev: Api
) -> None:
    page = follows("/pods/?cluster=dev&namespace=shop&q=catalog")
    row, name = _first(page.locator("#pods tbody tr"))
    fetched = _fetched_rows(page)
    page.evaluate(NOTE_FLASHES)
    page.evaluate("id => { document.getElementById(id).sameElement = true; }", row)
    _restart(dev, "shop", name, 41)
    expect(page.locator(f"#{row}").get_by_role("cell").nth(5)).to_have_text("41")
    assert page.evaluate("id => document.getElementById(id).sameElement", row)
    assert page.evaluate("() => new Set(window.flashed).size") == 1
    assert page.evaluate("() => window.flashed[0]") == row
    assert fetched == []  # it came over the socket


def test_rows_that_the_socket_does_not_give_are_fetched(
    visit: Callable[..., Page], dev: Api
) -> None:
    page = visit("/pods/?cluster=dev&namespace=shop&q=catalog")
    page.route_web_socket("**/ws/live/", _answers_no_rows)
    page.reload()
    expect_live(page)
    row, name = _first(page.locator("#pods tbody tr"))
    fetched = _fetched_rows(page)
    # The whole list may bring it first, where news of a cluster come at the same moment.
    for restarts in range(57, 77):
        _restart(dev, "shop", name, restarts)
        expect(page.locator(f"#{row}").get_by_role("cell").nth(5)).to_have_text(str(restarts))
        if fetched:
            break
    assert fetched


def test_the_readers_place_survives_updates(follows: Callable[[str], Page], dev: Api) -> None:
    page = follows("/pods/?cluster=dev")
    page.set_viewport_size({"width": 1440, "height": 420})
    opened = page.get_by_role("row").filter(has_text="postgres-0").get_by_role("link")
    opened.click()
    drawer = page.locator("#drawer")
    expect(drawer.get_by_role("heading", name="postgres-0")).to_be_visible()
    focused = page.get_by_role("row").filter(has_text="redis-0").get_by_role("link")
    focused.focus()
    focused.evaluate("link => link.scrollIntoView({ block: 'center' })")
    typed = page.get_by_label("Search", exact=True)
    typed.evaluate("input => { input.value = 'half a word'; }")
    top = _top(focused)

    # One change of a row above, and one of the list itself.
    _, gone = _first(page.locator("#pods tbody tr").filter(has_text="checkout"))
    _restart(dev, "data", "postgres-0", 42)
    dev.delete(f"/api/v1/namespaces/shop/pods/{gone}")
    expect(drawer.locator("dt:text-is('Restarts') + dd")).to_have_text("42")
    expect(page.get_by_role("link", name=gone)).to_have_count(0)
    expect(page.locator("#pods tbody tr").filter(has_text="checkout")).to_have_count(2)

    expect(focused).to_be_focused()
    expect(typed).to_have_value("half a word")
    expect(drawer.get_by_role("heading", name="postgres-0")).to_be_visible()
    assert _top(focused) == pytest.approx(top, abs=2)


def test_a_pod_that_is_gone_says_so_in_its_drawer(follows: Callable[[str], Page], dev: Api) -> None:
    page = follows("/pods/?cluster=dev&namespace=platform&q=gateway")
    _, name = _first(page.locator("#pods tbody tr"))
    page.get_by_role("link", name=name).click()
    expect(page.locator("#drawer").get_by_role("heading", name=name)).to_be_visible()
    dev.delete(f"/api/v1/namespaces/platform/pods/{name}")
    expect(page.get_by_role("status").filter(has_text="This is gone")).to_be_visible()
    expect(page.locator("#pods tbody").get_by_role("link", name=name)).to_have_count(0)


def _fetched_rows(page: Page) -> list[str]:
    """The addresses of rows that the page fetches from now on."""
    urls: list[str] = []

    def note(request: Request) -> None:
        if "/pods/rows/" in request.url:
            urls.append(request.url)

    page.on("request", note)
    return urls


def _answers_no_rows(page: WebSocketRoute) -> None:
    """A server whose socket gives no rows."""
    server = page.connect_to_server()

    def said(text: str | bytes) -> None:
        asked = json.loads(text).get("rows")
        if asked is None:
            server.send(text)
        else:
            page.send(json.dumps({"type": "rows", "number": asked["number"], "html": None}))

    page.on_message(said)


def _first(rows: Locator) -> tuple[str, str]:
    """The id of the first row and the name of its pod."""
    row = rows.first
    return str(row.get_attribute("id")), row.get_by_role("link").first.inner_text()


def _top(element: Locator) -> float:
    """Where it stands in the window."""
    return float(element.evaluate("element => element.getBoundingClientRect().top"))


def _restart(api: Api, namespace: str, pod: str, times: int) -> None:
    """Lets the pod's container count so many restarts."""
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
    containers = api.get(path)["status"]["containerStatuses"]
    containers[0]["restartCount"] = times
    api.patch(f"{path}/status", {"status": {"containerStatuses": containers}})
