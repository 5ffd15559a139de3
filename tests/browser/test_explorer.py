"""The lists of the explorer: what is typed, chosen, saved and selected."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.reading import faults

pytestmark = pytest.mark.browser


def rows(page: Page) -> Locator:
    return page.locator("main tbody tr[data-key]")


def test_a_query_is_completed_by_the_keyboard(visit: Callable[..., Page]) -> None:
    page = visit("/pods/")
    field = page.get_by_role("combobox", name="Query")
    options = page.locator("#query-options").get_by_role("option")
    field.focus()
    page.keyboard.type("clus")
    expect(options).to_have_text(["cluster:"])
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "query-option-0")
    assert faults(page) == []
    page.keyboard.press("Enter")
    expect(field).to_have_value("cluster:")
    expect(options).to_have_text(["dev", "prod", "staging"])
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    expect(field).to_have_value("cluster:staging ")
    expect(field).to_be_focused()
    page.keyboard.type("ns:plat")
    expect(options).to_have_text(["platform"])
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(field).to_be_focused()
    page.keyboard.type("form")
    page.keyboard.press("Escape")
    field.press("Enter")
    expect(page).to_have_url(re.compile("cluster%3Astaging"))
    expect(rows(page)).to_have_count(8)


def test_a_mistake_is_marked_where_it_stands(visit: Callable[..., Page]) -> None:
    page = visit("/pods/?q=web+colour:red")
    expect(page.locator(".query-mark mark")).to_have_text("colour")
    expect(page.get_by_label("Query")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#query-problems")).to_contain_text("character 5")


def test_rows_are_selected_and_stay_so_under_live_rows(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit("/pods/?cluster=staging")
    bar = page.get_by_role("region", name="Selected rows")
    boxes = page.locator("input[data-pick]")
    expect(bar).to_be_hidden()
    boxes.nth(1).check()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(bar).to_contain_text("4 selected")
    page.get_by_role("columnheader", name="Age").get_by_role("link").click()
    expect(page).to_have_url(re.compile("sort=age"))
    expect(bar).to_contain_text("4 selected")
    expect(page.locator("input[data-pick]:checked")).to_have_count(4)
    assert faults(page) == []
    with page.expect_download() as download:
        bar.get_by_role("link", name="CSV").click()
    download.value.save_as(tmp_path / "rows.csv")
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 5
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar).to_contain_text(re.compile("[35] selected"))
    bar.get_by_role("button", name="All that match").click()
    total = int(page.locator(".page-meta").inner_text().split()[0])
    expect(bar).to_contain_text(f"{total} selected")
    bar.get_by_role("button", name="Select nothing").click()
    expect(bar).to_be_hidden()
    boxes.first.check()
    name = page.locator("tr[data-ui-selected] a[data-drawer]").inner_text()
    bar.get_by_role("link", name="Open as query").click()
    expect(page).to_have_url(re.compile(r"q=id%3A\d+$"))
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text(name)


def test_columns_are_chosen_and_a_view_keeps_them(visit: Callable[..., Page]) -> None:
    page = visit("/objects/deployments/")
    tools = page.locator(".list-tools")
    tools.get_by_role("button", name="Columns").click()
    tools.get_by_label("Labels").check()
    tools.get_by_label("Revision").uncheck()
    tools.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("columnheader", name="Labels")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Revision")).to_have_count(0)
    page.locator(".filters").get_by_label("Cluster").select_option("prod")
    expect(page).to_have_url(re.compile("cluster=prod"))
    tools.get_by_role("button", name="Views").click()
    tools.get_by_role("link", name="Save this view").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Name").fill("Prod with labels")
    assert faults(page) == []
    dialog.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile("columns=.*labels"))
    expect(rows(page).filter(has_not_text="prod")).to_have_count(0)
    page.goto("/objects/deployments/")
    tools.get_by_role("button", name="Views").click()
    tools.get_by_role("link", name="Prod with labels", exact=True).click()
    expect(page).to_have_url(re.compile("cluster=prod"))
    tools.get_by_role("button", name="Views").click()
    tools.get_by_role("link", name="Delete the view Prod with labels").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The view Prod with labels is deleted.")).to_be_visible()
    tools.get_by_role("button", name="Columns").click()
    tools.get_by_role("button", name="As usual").click()
    expect(page.get_by_role("columnheader", name="Revision")).to_be_visible()


def test_every_kind_is_found_from_the_menu(visit: Callable[..., Page]) -> None:
    page = visit("/")
    page.get_by_role("link", name="All kinds").click()
    page.locator("main").get_by_role("link", name="Services", exact=True).click()
    expect(page).to_have_url("/objects/services/")
    expect(rows(page).first).to_contain_text("ClusterIP")
    rows(page).first.locator("a[data-drawer]").click()
    expect(page.locator("#drawer")).to_contain_text("Cluster IP")
