"""What the demo looks like once it said that it is ready, against what the testbed declares."""

import re
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from testbed.specs import SPECS
from testbed.workloads import APPS, unhealthy, wanted
from tests.browser.product import Product

pytestmark = pytest.mark.browser

# How each declared way of being unhealthy reads; a crash shows as either of its two moments.
WORDS = {
    "crash-loop": {"CrashLoopBackOff", "OOMKilled"},
    "crash-error": {"CrashLoopBackOff", "Error"},
    "image-pull": {"ImagePullBackOff", "ErrImagePull"},
    "pending": {"Pending"},
}
NAMESPACES = {app.namespace for app in APPS}


@pytest.mark.parametrize(("name", "nodes"), [("dev", 3), ("staging", 5), ("prod", 12)])
def test_each_cluster_is_active_and_live(visit: Callable[..., Page], name: str, nodes: int) -> None:
    page = visit("/")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))
    expect(row.get_by_text("Active")).to_be_visible()
    expect(row.get_by_text("Live")).to_be_visible()
    cells = row.get_by_role("cell")
    expect(cells.nth(3)).to_have_text(str(nodes))


@pytest.mark.parametrize("name", SPECS)
def test_exactly_the_declared_pods_are_unhealthy(visit: Callable[..., Page], name: str) -> None:
    page = visit(f"/pods/?cluster={name}")
    running: Counter[tuple[str, str]] = Counter()
    for namespace, pod, status in _rows(page):
        if namespace not in NAMESPACES:
            continue  # what other tests install
        key = _app(namespace, pod)
        if status == "Running":
            running[key] += 1
        elif key in unhealthy(name):
            assert status in WORDS[unhealthy(name)[key]], pod
        else:
            # Jobs come and go beside them.
            assert namespace == "data", (pod, status)
    assert running >= wanted(name, healthy=True)


def test_what_fails_needs_attention_and_leads_to_why(visit: Callable[..., Page]) -> None:
    page = visit("/")
    attention = page.get_by_role("region", name="Needs attention")
    entry = attention.get_by_role("listitem").filter(has_text="recommender").filter(has_text="dev")
    entry.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/objects/\d+/$"))
    expect(page.get_by_role("heading", name="recommender").first).to_be_visible()


def test_a_storm_of_changes_is_fetched_once_a_second(
    visit: Callable[..., Page], product: Product
) -> None:
    page, asked = visit("/"), list[float]()
    page.on(
        "request", lambda request: asked.append(time.monotonic()) if _overview(request) else None
    )
    api = product.cluster("dev").api
    pods = [str(pod["metadata"]["name"]) for pod in api.items("/api/v1/namespaces/shop/pods")]
    began = time.monotonic()
    # A page asks ten times less than its last answer took: that may be seconds from now.
    with page.expect_request(_overview, timeout=20_000):
        for n in range(60):
            api.patch(
                f"/api/v1/namespaces/shop/pods/{pods[n % len(pods)]}",
                {"metadata": {"labels": {"storm": str(n)}}},
            )
    page.wait_for_timeout(1500)  # what was asked for last has been fetched
    assert 1 <= len(asked) <= time.monotonic() - began + 2


def _overview(request: Request) -> bool:
    return urlsplit(request.url).path == "/" and request.headers.get("hx-target") == "div#overview"


def _rows(page: Page) -> list[tuple[str, str, str]]:
    """Namespace, name and status of every row."""
    cells = page.locator("#pods tbody tr[data-key]").evaluate_all(
        "rows => rows.map(row => [2, 0, 3].map(at => row.cells[at].innerText.trim()))"
    )
    return [(namespace, name, status) for namespace, name, status in cells]


def _app(namespace: str, pod: str) -> tuple[str, str]:
    """The declared app to which a pod belongs."""
    found = [app for app in APPS if app.namespace == namespace and pod.startswith(f"{app.name}-")]
    return max((app.key for app in found), key=lambda key: len(key[1]), default=(namespace, pod))
