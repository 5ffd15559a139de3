"""The terminal: opened, typed in, resized, left by the keyboard, pasted into, and told."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reading import faults

pytestmark = pytest.mark.browser
PROMPT = re.compile(r"[$#]\s*$")


def shown(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.locator("#terminal .xterm-rows")).to_contain_text(text)


def entered(visit: Callable[..., Page], query: str) -> Page:
    """The page of a terminal, by way of the drawer of the first pod of a list."""
    page = visit(f"/pods/?q={query}")
    page.locator("tbody a[data-drawer]").first.click()
    page.locator("#drawer").get_by_role("link", name="Terminal").click()
    expect(page.get_by_role("button", name="Open a shell")).to_be_visible()
    return page


def test_a_shell_is_opened_typed_in_and_told(visit: Callable[..., Page]) -> None:
    page = entered(visit, "cluster:dev status:Running frontend")
    expect(page.get_by_role("button", name="Open a shell")).to_be_focused()
    assert faults(page) == []
    page.keyboard.press("Enter")
    expect(page.locator("#terminal-said")).to_contain_text("is open")
    expect(page.locator("#terminal textarea")).to_be_focused()
    page.keyboard.type("echo wor''ked-$((6*7)); printf '\\033[38;2;255;0;128mpink\\033[m\\n'\n")
    shown(page, "worked-42")
    # Colours that are written as styles, under the policy of all pages.
    pink = page.locator(".xterm-rows span", has_text=re.compile("^pink$"))
    expect(pink).to_have_css("color", re.compile(r"rgb\(2\d\d, \d+, 1\d\d\)"))
    page.keyboard.type("stty size\n")
    shown(page, re.compile(r"\d+ \d{2,3}(?!\d)"))
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(
        "document.querySelector('.xterm-rows').firstElementChild.scrollWidth <= 390"
    )
    # The node applies a new size beside what is typed, so the shell waits until it is there.
    page.keyboard.type("clear; until stty size | grep -E ' [34][0-9]$'; do read -t 0.1; done\n")
    shown(page, re.compile(r"\d+ [34]\d(?!\d)"))
    assert faults(page) == []
    page.set_viewport_size({"width": 1280, "height": 720})
    for theme in ("dark", "light"):
        page.evaluate(f"document.documentElement.dataset.bsTheme = '{theme}'")
        assert faults(page, theme) == []
    page.keyboard.press("Control+F6")
    close = page.get_by_role("button", name="Close the shell")
    expect(close).to_be_focused()
    page.locator("#terminal textarea").focus()
    page.keyboard.type("exit 3\n")
    expect(page.locator("#terminal-said")).to_contain_text("exit status 3")
    expect(page.get_by_role("button", name="Open a shell")).to_be_focused()
    found = page.request.get("/api/v1/audit?action=terminal.exec&result=done").json()["events"]
    page.goto(f"/audit/{found[0]['detail']['transcript']['event']}/transcript/")
    expect(page.locator("body")).to_contain_text("worked-42")


def test_production_asks_before_it_opens_and_before_it_pastes(visit: Callable[..., Page]) -> None:
    page = entered(visit, "cluster:prod status:Running frontend")
    page.get_by_role("button", name="Open a shell").click()
    asked = page.get_by_role("dialog", name="Open a shell in production?")
    expect(asked).to_contain_text("frontend")
    expect(asked).to_contain_text("prod")
    assert faults(page) == []
    asked.get_by_role("button", name="Cancel").click()
    expect(page.locator("#terminal-said")).to_be_hidden()
    page.get_by_role("button", name="Open a shell").click()
    asked.get_by_role("button", name="Open a shell in production").click()
    expect(page.locator("#terminal-said")).to_contain_text("is open")
    shown(page, PROMPT)
    paste(page, "echo one-$((1+1))")
    shown(page, "one-$((1+1))")
    page.keyboard.press("Control+u")
    paste(page, "echo first-$((1+2))\necho second\x1b[201~\n")
    asked = page.get_by_role("dialog", name="Paste this into production?")
    expect(asked).to_contain_text("Lines: 2")
    expect(asked.locator("pre")).to_have_text("echo first-$((1+2))\necho second[201~\n")
    assert faults(page) == []
    asked.get_by_role("button", name="Cancel").click()
    expect(page.locator(".xterm-rows")).not_to_contain_text("first")
    paste(page, "echo first-$((1+2))\n")
    asked.get_by_role("button", name="Paste").click()
    page.keyboard.press("Enter")
    shown(page, "first-3")
    page.get_by_role("button", name="Close the shell").click()
    expect(page.locator("#terminal-said")).to_contain_text("You closed the shell")


def paste(page: Page, text: str) -> None:
    page.locator("#terminal textarea").evaluate(
        """(element, text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const event = { clipboardData: data, bubbles: true, cancelable: true };
            element.dispatchEvent(new ClipboardEvent("paste", event));
        }""",
        text,
    )


def test_who_may_not_open_a_terminal_is_told_why(visit: Callable[..., Page]) -> None:
    page = visit("/pods/?q=ns:shop", who="shopper")
    page.locator("tbody a[data-drawer]").first.click()
    button = page.locator("#drawer").get_by_role("button", name=re.compile("^Terminal"))
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("title", re.compile("role operator"))
