"""Editing YAML in the browser: a conflict merged to its end, and applying what is new."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from testbed.api import suppress_missing
from testbed.cluster import Cluster
from tests.browser.product import Product
from tests.browser.reading import accessible

pytestmark = pytest.mark.browser
WORK_SECONDS = 60_000
PATH = "/apis/apps/v1/namespaces/shop/deployments"


@pytest.fixture
def dev(product: Product) -> Iterator[Cluster]:
    """The cluster dev with a Deployment of this test's own, without pods."""
    cluster = product.cluster("dev")
    labels = {"app": "edited"}
    pod = {"containers": [{"name": "app", "image": "edited:1"}]}
    spec = {
        "replicas": 0, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }  # fmt: skip
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "edited"}}
    cluster.api.post(PATH, made | {"spec": spec})
    yield cluster
    for path in (f"{PATH}/edited", "/api/v1/namespaces/shop/configmaps/written"):
        with suppress_missing():
            cluster.api.delete(path)


PASTE = """(element, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const given = { clipboardData, bubbles: true, cancelable: true };
  element.dispatchEvent(new ClipboardEvent("paste", given));
}"""


def paste(page: Page, text: str) -> None:
    """Puts a text in the place of all that is written."""
    content = page.locator(".cm-content")
    content.click()
    page.keyboard.press("Control+a")
    content.evaluate(PASTE, text)
    expect(page.locator("#editor-text")).to_have_value(text)
    page.mouse.move(0, 0)


def write(page: Page, old: str, new: str) -> None:
    text = page.locator("#editor-text").input_value()
    assert old in text
    paste(page, text.replace(old, new))


def test_a_conflict_is_merged_and_saved(visit: Callable[..., Page], dev: Cluster) -> None:
    page = visit("/objects/deployments/?cluster=dev&q=name:edited", who="dana")
    page.locator("#objects").get_by_role("link", name="edited", exact=True).click()
    page.locator("#drawer").get_by_role("link", name="Edit YAML").click()
    expect(page.get_by_role("heading", name="Edit edited")).to_be_visible()
    expect(page.locator("[data-editor-schema]")).to_contain_text("as the cluster tells them")
    write(page, "edited:1", "edited:2")
    write(page, "replicas: 0", "replicaz: 0")
    expect(page.locator(".cm-lintRange-warning")).not_to_have_count(0)
    accessible(page)
    page.get_by_role("button", name="Preview").click()
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("spec.replicaz")
    expect(page.locator(".cm-content")).to_contain_text("edited:2")
    write(page, "replicaz: 0", "replicas: 0")
    env = [{"name": "app", "image": "edited:3", "env": [{"name": "A", "value": "b"}]}]
    dev.api.patch(f"{PATH}/edited", {"spec": {"template": {"spec": {"containers": env}}}})

    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Others have changed it")).to_be_visible()
    asked = page.get_by_role("group", name="spec.template.spec.containers[app].image")
    expect(asked).to_contain_text("edited:3")
    accessible(page)
    asked.get_by_label("Mine").check()
    page.get_by_role("button", name="Merge and preview").click()
    diff = page.get_by_role("region", name="From what is live to what would be")
    expect(diff).to_contain_text("edited:2")
    accessible(page)
    page.get_by_role("button", name="Save").click()
    badge = page.locator("#operation .page-head .status-badge")
    expect(badge).to_have_text("Succeeded", timeout=WORK_SECONDS)
    (found,) = dev.api.get(f"{PATH}/edited")["spec"]["template"]["spec"]["containers"]
    assert (found["image"], found["env"]) == ("edited:2", env[0]["env"])


def test_the_keyboard_leaves_the_editor_and_what_is_new_is_applied(
    visit: Callable[..., Page], dev: Cluster
) -> None:
    page = visit("/objects/", who="dana")
    page.get_by_role("link", name="Apply YAML").click()
    page.get_by_label("dev", exact=False).first.check()
    content = page.locator(".cm-content")
    paste(page, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: written\n  namespace: shop\n")
    page.keyboard.press("Control+End")
    page.keyboard.type("da")
    page.keyboard.press("Control+Space")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("data")
    # For 75 ms the editor takes Enter for a new line, lest it chooses what just came: of the end
    # of that it tells nothing.
    page.wait_for_timeout(150)
    page.keyboard.press("Enter")
    page.keyboard.type("\n  a: b")
    expect(page.locator("#editor-text")).to_have_value(re.compile(r"\ndata:\n  +a: b"))
    # Esc, then Tab: nobody is caught in the editor.
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(content).not_to_be_focused()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".apply-object")).to_contain_text("created")
    accessible(page)
    page.get_by_role("button", name="Apply", exact=True).click()
    badge = page.locator("#operation .page-head .status-badge")
    expect(badge).to_have_text("Succeeded", timeout=WORK_SECONDS)
    assert dev.api.get("/api/v1/namespaces/shop/configmaps/written")["data"] == {"a": "b"}
    off = visit("/objects/deployments/?cluster=dev&q=name:edited", who="viewer")
    off.locator("#objects").get_by_role("link", name="edited", exact=True).click()
    expect(off.locator("#drawer").get_by_role("button", name="Edit YAML")).to_be_disabled()
