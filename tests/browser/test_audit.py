"""The audit page tells the story: what somebody tried, and what became of it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_the_trail_tells_of_a_refused_try(visit: Callable[..., Page]) -> None:
    page = visit("/audit/")
    theirs = visit("/clusters/", who="viewer")
    expect(theirs.get_by_role("link", name="Audit", exact=True)).to_have_count(0)
    address = theirs.get_by_role("link", name="dev", exact=True).get_attribute("href")
    assert theirs.request.get(f"{address}edit/").status == 403

    newer = page.locator("#audit-newer a")
    expect(newer).to_contain_text("new line", timeout=30_000)
    newer.click()
    row = page.locator("#audit tbody tr", has_text="GET cluster-edit").first
    expect(row).to_contain_text("viewer")
    expect(row).to_contain_text("Denied")

    page.get_by_label("Result").select_option("denied")
    expect(page).to_have_url(re.compile(r"/audit/\?.*result=denied"))
    expect(page.locator("#audit tbody tr", has_text="Done")).to_have_count(0)
    row.click()
    drawer = page.locator("#drawer")
    expect(drawer).to_contain_text("The right to administer it is missing.")
    expect(page).to_have_url(re.compile(r"/audit/\d+/$"))
    drawer.get_by_role("button", name="Close").click()
    expect(page).to_have_url(re.compile("result=denied"))


def test_a_change_shows_before_and_after(visit: Callable[..., Page]) -> None:
    page = visit("/clusters/")
    address = page.get_by_role("link", name="staging", exact=True).get_attribute("href")
    _move(page, f"{address}edit/", "eu-north")
    try:
        page.goto("/audit/?action=cluster.change")
        page.locator("#audit tbody tr").first.get_by_role("link", name="cluster.change").click()
        expect(page.locator("#drawer .diff .a")).to_contain_text("region: eu-north")
        expect(page.locator("#drawer")).to_contain_text("127.0.0.1")
    finally:
        _move(page, f"{address}edit/", "eu-central-1")  # other tests find it by that


def test_a_file_holds_what_the_page_is_narrowed_to(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit("/audit/?action=cluster.register&result=done")
    rows = page.locator("#audit tbody tr")
    expect(rows.nth(2)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    file = tmp_path / "audit.csv"
    download.value.save_as(file)
    lines = file.read_text().splitlines()
    assert lines[0].startswith("id,seq,at,who,")
    assert len(lines) == 1 + rows.count()
    assert all("cluster.register" in line for line in lines[1:])


def test_who_administers_nothing_is_told_so(visit: Callable[..., Page]) -> None:
    page = visit("/", who="viewer")
    answer = page.request.get("/audit/")
    assert answer.status == 403


def _move(page: Page, form: str, region: str) -> None:
    page.goto(form)
    page.get_by_label("Region").fill(region)
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(rf"{form.removesuffix('edit/')}$"))
