"""Helm on the page: a live log, an end that is true, and a list that agrees with helm itself."""

import json
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from deployments.helm import programs
from testbed.cluster import Cluster
from tests.browser.product import Product

pytestmark = pytest.mark.browser

HELM_SECONDS = 60_000
NOWHERE = "nodeSelector: {there-is: no-such-node}"


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `helm create` and `helm package` make."""
    folder = tmp_path_factory.mktemp("chart")
    _helm("create", "hello", cwd=folder)
    _helm("package", "hello", cwd=folder)
    return folder / "hello-0.1.0.tgz"


@pytest.fixture
def name() -> str:
    return f"hello-{secrets.token_hex(3)}"


def test_a_chart_is_installed_and_uninstalled(
    visit: Callable[..., Page], product: Product, chart: Path, name: str
) -> None:
    kubeconfig = product.cluster("dev").kubeconfig_path
    listed = visit("/releases/?cluster=dev")
    row = listed.get_by_role("row").filter(has_text=name)
    page = visit("/releases/")
    page.get_by_role("link", name="Install chart").click()
    # No node will have its pod until one is labelled, so the install runs as long as is looked.
    _install(page, name, chart, values=f"nodeSelector:\n  held-by: {name}\n")
    expect(page.get_by_role("log")).to_contain_text("of 1 ready", timeout=HELM_SECONDS)
    expect(_status(page)).to_have_text("Running")
    with _labelled_node(product.cluster("dev"), name):
        expect(_status(page)).to_have_text("Succeeded", timeout=HELM_SECONDS)
    expect(page.get_by_role("log")).to_contain_text("All workloads are ready.")
    assert _listed(kubeconfig, name) == [("deployed", "hello-0.1.0")]
    expect(row).to_contain_text("deployed")
    expect(row).to_contain_text("hello 0.1.0")

    row.get_by_role("link").click()
    expect(listed.get_by_role("heading", name=name, level=1)).to_be_visible()
    listed.get_by_role("link", name="Uninstall").click()
    sure = listed.get_by_role("dialog").get_by_role("button", name="Uninstall")
    expect(sure).to_be_disabled()
    listed.get_by_label(f"Type {name} to confirm").fill(name)
    sure.click()
    expect(_status(listed)).to_have_text("Succeeded", timeout=HELM_SECONDS)
    assert _listed(kubeconfig, name) == []
    listed.get_by_role("link", name="Releases", exact=True).last.click()
    expect(row).to_have_count(0)


def test_what_never_gets_ready_fails_with_its_reason(
    visit: Callable[..., Page], chart: Path, name: str
) -> None:
    page = visit("/releases/install/?cluster=dev")
    _install(page, name, chart, values=NOWHERE, timeout="10")
    expect(_status(page)).to_have_text("Failed", timeout=HELM_SECONDS)
    expect(page.get_by_role("alert")).to_contain_text("Unschedulable")
    expect(page.get_by_role("alert")).to_contain_text("node")


def test_a_running_install_is_cancelled(
    visit: Callable[..., Page], product: Product, chart: Path, name: str
) -> None:
    page = visit("/releases/install/?cluster=dev")
    _install(page, name, chart, values=NOWHERE)
    expect(page.get_by_role("log")).to_contain_text("of 1 ready", timeout=HELM_SECONDS)
    page.get_by_role("button", name="Cancel").click()
    expect(_status(page)).to_have_text("Cancelled", timeout=HELM_SECONDS)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    statuses = [status for status, _chart in _listed(product.cluster("dev").kubeconfig_path, name)]
    assert "pending-install" not in statuses


def test_what_is_refused_stays_filled_in(visit: Callable[..., Page], chart: Path) -> None:
    page = visit("/releases/install/")
    _install(page, "Not A Name", chart, values="a: 1")
    expect(page.get_by_label("Release name")).to_be_focused()
    expect(page.get_by_label("Release name")).to_have_value("Not A Name")
    expect(page.get_by_label("Values")).to_have_value("a: 1")
    files = page.get_by_label("Chart archive").evaluate("input => input.files.length")
    assert files == 1
    page.get_by_label("Values").fill("a: [")
    page.get_by_role("button", name="Install").click()
    expect(page.get_by_label("Values")).to_be_focused()


def _install(page: Page, name: str, chart: Path, values: str = "", timeout: str = "120") -> None:
    page.get_by_label("Cluster").select_option(label="dev")
    page.get_by_label("Namespace").fill("default")
    page.get_by_label("Release name").fill(name)
    page.get_by_label("Chart archive").set_input_files(chart)
    page.get_by_label("Values").fill(values)
    page.get_by_label("Give up after (seconds)").fill(timeout)
    page.get_by_role("button", name="Install").click()


def _status(page: Page) -> Locator:
    return page.locator("#operation .status-badge")


@contextmanager
def _labelled_node(cluster: Cluster, value: str) -> Iterator[None]:
    """One node carries the label `held-by` meanwhile."""
    node = cluster.api.get("/api/v1/nodes")["items"][0]["metadata"]["name"]
    cluster.api.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {"held-by": value}}})
    try:
        yield
    finally:
        cluster.api.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {"held-by": None}}})


def _listed(kubeconfig: Path, name: str) -> list[tuple[str, str]]:
    """Status and chart of the release, as helm itself says it."""
    arguments = ["list", "--namespace", "default", "--filter", f"^{name}$", "--output", "json"]
    reply = _helm(*arguments, "--kubeconfig", str(kubeconfig))
    return [(release["status"], release["chart"]) for release in json.loads(reply)]


def _helm(*arguments: str, cwd: Path | None = None) -> str:
    program = programs.find("helm").path
    done = subprocess.run(
        [program, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
