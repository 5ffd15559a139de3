"""The page of logs: what is merged, searched, paused and told, by mouse, keyboard and phone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.reading import faults

pytestmark = pytest.mark.browser


def lines(page: Page) -> Locator:
    return page.locator("#log-lines .log-line")


def chosen(page: Page, count: int) -> None:
    """Opens the logs of the first rows of a list."""
    boxes = page.locator("input[data-pick]")
    for n in range(count):
        boxes.nth(n).check()
    page.get_by_role("region", name="Selected rows").get_by_role("link", name="Logs").click()
    expect(page).to_have_url(re.compile(r"/logs/\?object="))
    expect(lines(page).first).to_be_visible()


def test_logs_of_a_selection_over_clusters(visit: Callable[..., Page]) -> None:
    page = visit("/objects/deployments/?q=frontend")
    chosen(page, 2)
    expect(page.locator("#log-summary")).to_contain_text("Logs:")
    assert faults(page) == []
    page.locator("#log-sources summary").click()
    expect(page.locator("#log-sources .chip").nth(1)).to_be_visible()
    stamps = page.locator("#log-lines .log-line:not(.log-told) .ts").evaluate_all(
        "all => all.map(one => one.title)"
    )
    assert len(stamps) > 100
    assert stamps == sorted(stamps)


def test_logs_are_searched_paused_and_kept_in_the_address(
    visit: Callable[..., Page], tmp_path: object
) -> None:
    page = visit("/objects/deployments/?q=checkout")
    chosen(page, 1)
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search in the lines")
    expect(field).to_be_focused()
    page.keyboard.type("accepted")
    expect(page.locator("#log-lines mark").first).to_have_text("accepted")
    expect(page.locator("#log-hits")).to_have_text(re.compile(r"0 of \d+"))
    page.keyboard.press("Enter")
    expect(page.locator(".log-line.log-now")).to_have_count(1)
    expect(page.locator("#log-hits")).to_have_text(re.compile(r"1 of \d+"))
    page.keyboard.press("Escape")
    page.locator("#log-lines").focus()
    page.keyboard.press("n")
    expect(page.locator("#log-hits")).to_have_text(re.compile(r"2 of \d+"))
    page.keyboard.press("N")
    expect(page.locator("#log-hits")).to_have_text(re.compile(r"1 of \d+"))
    page.get_by_label("Only matches").check()
    expect(page.locator("#log-lines .log-line:not(.hit)").first).to_be_hidden()
    expect(page).to_have_url(re.compile("find=accepted&only=1"))
    page.get_by_label("Only matches").uncheck()
    page.locator("#log-lines").focus()
    page.keyboard.press(" ")
    pause = page.get_by_role("button", name="Go on")
    expect(pause).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#log-held")).to_have_text(re.compile(r"\+\d"))
    count = lines(page).count()
    held = int(page.locator("#log-held").inner_text().removeprefix("+"))
    page.keyboard.press(" ")
    expect(page.locator("#log-held")).to_have_text("")
    expect(lines(page).nth(count + held - 1)).to_be_attached()
    page.get_by_label("Show since").select_option("5m")
    expect(page).to_have_url(re.compile("since=5m"))
    expect(lines(page).first).to_be_visible()
    page.reload()
    expect(field).to_have_value("accepted")
    expect(page.get_by_label("Show since")).to_have_value("5m")
    expect(page.locator("#log-lines mark").first).to_be_visible()
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.bsTheme = '{theme}'")
        assert faults(page, theme) == []


def test_a_file_of_the_logs(visit: Callable[..., Page]) -> None:
    page = visit("/objects/deployments/?q=checkout")
    chosen(page, 1)
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as whole:
        page.get_by_role("link", name="Whole logs, up to 50 MiB").click()
    assert re.fullmatch(r"checkout-.*\.log", whole.value.suggested_filename)
    text = whole.value.path().read_text()
    assert len(text.splitlines()) >= 240
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as shown:
        page.get_by_role("button", name="The lines that are shown").click()
    assert "accepted" in shown.value.path().read_text()


def test_on_a_phone_and_in_chinese(visit: Callable[..., Page]) -> None:
    page = visit("/objects/deployments/?q=checkout")
    chosen(page, 1)
    page.set_viewport_size({"width": 390, "height": 844})
    assert faults(page) == []
    page.get_by_role("button", name="中文").click()
    expect(page.locator("#log-summary")).to_contain_text("日志")
    assert faults(page) == []
    page.get_by_role("button", name="English").click()


def test_who_may_not_read_logs_is_told_why(visit: Callable[..., Page]) -> None:
    page = visit("/pods/?q=ns:shop", who="shopper")
    page.locator("tbody a[data-drawer]").first.click()
    button = page.locator("#drawer").get_by_role("button", name=re.compile("^Logs"))
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("title", re.compile("role operator"))
    key = page.locator("tbody tr[data-key]").first.get_attribute("data-key")
    page.goto(f"/logs/?object={key}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("may not")
