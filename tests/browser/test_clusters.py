"""Registering a cluster on the page, and forgetting it."""

import json
import re
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import FAILED
from tests.browser.product import Product

pytestmark = pytest.mark.browser


@pytest.fixture
def name(request: pytest.FixtureRequest, product: Product) -> Iterator[str]:
    """The name of a cluster that does not outlive its test."""
    name = f"again-{secrets.token_hex(3)}"
    yield name
    if request.node.stash.get(FAILED, True):
        product.shell(
            f"from clusters.models import Cluster as C; C.objects.filter(name='{name}').delete()"
        )


def test_a_cluster_comes_by_the_dialog_and_goes_by_its_typed_name(
    visit: Callable[..., Page], product: Product, name: str
) -> None:
    listed = visit("/clusters/").get_by_role("row").filter(has_text=name)
    page = visit("/")
    dialog = _fill(page, name, product.cluster("dev").kubeconfig)
    dialog.get_by_role("button", name="Check and register").click()
    # It is registered already, as dev: twice only on purpose.
    expect(dialog.get_by_text("registered already, as dev").first).to_be_visible()
    expect(dialog.get_by_role("listitem").filter(has_text="List the nodes")).to_contain_text(
        "3 nodes"
    )
    dialog.get_by_label("Register it once more").check()
    dialog.get_by_role("button", name="Check and register").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(page.get_by_role("status").filter(has_text=f"{name} is registered")).to_be_visible()
    page.get_by_role("navigation", name="Parts of the cluster").get_by_text("Nodes").click()
    expect(page.locator("#cluster tbody").get_by_role("row")).to_have_count(3)
    expect(page.locator("#cluster .page-meta .fresh-word")).to_have_text("Live")
    # The other page hears of it.
    expect(listed).to_be_visible()
    expect(listed.get_by_text("Active")).to_be_visible()

    page.get_by_role("link", name="Delete").click()
    sure = page.get_by_role("dialog").get_by_role("button", name="Delete")
    typed = page.get_by_label(f"Type {name} to confirm")
    expect(typed).to_be_focused()
    expect(sure).to_be_disabled()
    typed.fill(name[:-1])
    expect(sure).to_be_disabled()
    typed.fill(name)
    sure.click()
    expect(page).to_have_url("/clusters/")
    expect(page.get_by_role("row").filter(has_text=name)).to_have_count(0)
    expect(listed).to_have_count(0)


def _with(text: str, user: dict[str, Any] | None = None, server: str = "") -> str:
    """The kubeconfig with another user or another server."""
    config = json.loads(text)
    if user is not None:
        config["users"][0]["user"] = user
    if server:
        config["clusters"][0]["cluster"]["server"] = server
    return json.dumps(config, indent=1)


RUNS_A_PROGRAM = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "touch"}}
# What is pasted, the step that fails, and a word of what is said.
BAD: dict[str, tuple[Callable[[str], str], str, str]] = {
    "no YAML": (lambda good: "clusters: [", "Read the kubeconfig", "YAML"),
    "a program": (lambda good: _with(good, RUNS_A_PROGRAM), "Read the kubeconfig", "exec"),
    "another port of this machine": (
        lambda good: _with(good, server="https://127.0.0.1:1"),
        "Check the address",
        "MCM_CLUSTER_ADDRESSES",
    ),
    "unknown credentials": (
        lambda good: _with(good, {"token": "unknown"}),
        "Connect to the API server",
        "does not accept these credentials",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_kubeconfig_is_told_at_its_step(
    visit: Callable[..., Page], product: Product, what: str
) -> None:
    make, step, word = BAD[what]
    name, pasted = f"bad-{secrets.token_hex(3)}", make(product.cluster("dev").kubeconfig)
    page = visit("/")
    dialog = _fill(page, name, pasted)
    dialog.get_by_role("button", name="Check and register").click()
    failed = dialog.get_by_role("listitem").filter(has_text=step)
    expect(failed).to_contain_text("failed")
    expect(failed).to_contain_text(word)
    kubeconfig = dialog.get_by_label("Kubeconfig", exact=True)
    expect(kubeconfig).to_be_focused()
    expect(kubeconfig).to_have_accessible_description(re.compile(word))
    # What was typed is kept, nothing was stored.
    expect(dialog.get_by_label("Name")).to_have_value(name)
    expect(dialog.get_by_label("Environment")).to_have_value("staging")
    expect(kubeconfig).to_have_value(pasted)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(visit("/clusters/").get_by_role("row").filter(has_text=name)).to_have_count(0)


def test_a_taken_name_is_told_at_its_field(visit: Callable[..., Page], product: Product) -> None:
    page = visit("/")
    dialog = _fill(page, "prod", product.cluster("dev").kubeconfig)
    dialog.get_by_role("button", name="Check and register").click()
    expect(dialog.get_by_label("Name")).to_be_focused()
    expect(dialog.get_by_text("already")).to_be_visible()


def test_the_form_works_as_a_page_of_its_own(visit: Callable[..., Page]) -> None:
    page = visit("/clusters/register/")
    expect(page.get_by_role("heading", name="Register cluster", level=1)).to_be_visible()
    page.get_by_label("Name").fill("half")
    page.get_by_label("Environment").select_option("dev")
    page.get_by_role("button", name="Check and register").click()
    expect(page.get_by_text("Paste a kubeconfig or choose its file.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("half")
    page.get_by_role("link", name="Cancel").click()
    expect(page).to_have_url("/clusters/")


def test_deleting_works_as_a_page_of_its_own(visit: Callable[..., Page]) -> None:
    page = visit("/clusters/")
    page.get_by_role("link", name="dev", exact=True).click()
    expect(page.get_by_role("heading", name="dev", level=1)).to_be_visible()
    page.goto(f"{page.url}delete/")
    expect(page.get_by_role("heading", name="Delete dev from MCM", level=1)).to_be_visible()
    expect(page.get_by_role("button", name="Delete")).to_be_disabled()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="dev", level=1)).to_be_visible()


def _fill(page: Page, name: str, kubeconfig: str) -> Locator:
    page.get_by_role("link", name="Register cluster").click()
    dialog = page.get_by_role("dialog", name="Register cluster")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Environment").select_option("staging")
    dialog.get_by_label("Kubeconfig", exact=True).fill(kubeconfig)
    return dialog
