"""Restarting, draining and acting in bulk, as people with all, some and no rights do it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from testbed.cluster import Cluster
from testbed.waiting import wait_until
from tests.browser.product import Product
from tests.browser.reading import accessible

pytestmark = pytest.mark.browser
WORK_SECONDS = 90_000


@pytest.fixture
def dev(product: Product) -> Iterator[Cluster]:
    """The cluster dev; afterwards what was ready is so again, on nodes that all take pods."""
    cluster = product.cluster("dev")
    before = ready(cluster)
    yield cluster
    for node in cluster.api.get("/api/v1/nodes")["items"]:
        path = f"/api/v1/nodes/{node['metadata']['name']}"
        cluster.api.patch(path, {"spec": {"unschedulable": None}})
    wait_until(lambda: ready(cluster) >= before, "dev is as before", timeout=120)


def ready(cluster: Cluster) -> set[str]:
    """The Deployments all of whose pods are ready."""
    return {
        found["metadata"]["uid"]
        for found in cluster.api.items("/apis/apps/v1/deployments")
        if found["status"].get("readyReplicas", 0) >= found["spec"]["replicas"]
    }


def status(page: Page) -> Locator:
    return page.locator("#operation .page-head .status-badge")


def choose(page: Page, act: str, *names: str) -> Locator:
    """Ticks the rows and opens the dialog of the act."""
    for name in names:
        page.get_by_label(f"Select {name}", exact=True).first.check()
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("link", name=f"{act}…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_contain_text(act)
    return dialog


@pytest.mark.usefixtures("dev")
def test_an_operator_restarts_two_at_once(visit: Callable[..., Page]) -> None:
    page = visit("/objects/deployments/?cluster=dev&namespace=shop", who="dana")
    dialog = choose(page, "Restart", "cart", "catalog")
    expect(dialog.get_by_role("heading")).to_have_text("Restart: 2 objects")
    expect(dialog).to_contain_text("shop/cart")
    expect(dialog).to_contain_text("dev")
    accessible(page)
    dialog.get_by_role("button", name="Restart").click()
    steps = page.locator("#steps tbody tr")
    expect(steps).to_have_count(2)
    expect(status(page)).to_have_text("Succeeded", timeout=WORK_SECONDS)
    expect(steps.first).to_contain_text("pods are ready.")
    accessible(page)
    page.get_by_role("link", name="Undo").click()
    expect(page.get_by_role("dialog").get_by_role("heading")).to_contain_text("Undo:")


def test_an_admin_drains_a_node_and_takes_it_back(visit: Callable[..., Page], dev: Cluster) -> None:
    node = dev.api.get("/api/v1/nodes")["items"][0]["metadata"]["name"]
    page = visit("/nodes/?cluster=dev")
    dialog = choose(page, "Drain", node)
    expect(dialog).to_contain_text("run there.")
    dialog.get_by_label("Seconds that each pod gets to end").fill("0")
    dialog.get_by_role("button", name="Drain").click()
    expect(status(page)).to_have_text("Succeeded", timeout=WORK_SECONDS)
    expect(page.locator("#steps")).to_contain_text("Drained:")
    assert dev.api.get(f"/api/v1/nodes/{node}")["spec"]["unschedulable"] is True
    page.get_by_role("link", name="Undo").click()
    page.get_by_role("dialog").get_by_role("button", name="Uncordon").click()
    expect(page.locator("#steps")).to_contain_text("It takes new pods again.")
    expect(status(page)).to_have_text("Succeeded", timeout=WORK_SECONDS)


def test_who_knows_one_namespace_acts_there_and_reads_why_not_elsewhere(
    visit: Callable[..., Page],
) -> None:
    page = visit("/objects/deployments/?q=name:recommender", who="sam")
    expect(page.locator("#objects tbody tr[data-key]")).to_have_count(2)
    for box in page.get_by_label("Select recommender", exact=True).all():
        box.check()
    dialog = choose(page, "Label")
    expect(dialog).to_contain_text("1 object is left out")
    dialog.locator("summary").click()
    expect(dialog).to_contain_text("You need the role operator here.")
    dialog.get_by_label("Labels").fill("looked-at=yes")
    dialog.get_by_role("button", name="Label").click()
    expect(status(page)).to_have_text("Succeeded", timeout=WORK_SECONDS)
    expect(page.locator("#steps tbody tr")).to_have_count(1)


def test_a_viewer_reads_why_acts_are_off(visit: Callable[..., Page]) -> None:
    page = visit("/objects/deployments/?cluster=dev", who="viewer")
    page.get_by_label("Select cart", exact=True).check()
    page.get_by_role("button", name="Actions").click()
    off = page.locator("#acts-menu").get_by_role("button", name="Restart")
    expect(off).to_be_disabled()
    expect(off).to_contain_text("You need the role operator here.")
    off.click(force=True)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_in_prod_the_name_is_typed_first(visit: Callable[..., Page]) -> None:
    page = visit("/objects/deployments/?cluster=prod&q=name:mailer")
    dialog = choose(page, "Scale", "mailer")
    sure = dialog.get_by_role("button", name="Scale")
    expect(sure).to_be_disabled()
    dialog.get_by_label("Type mailer to confirm").fill("mailer")
    expect(sure).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
