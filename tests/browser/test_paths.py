"""The same paths (logs, terminal, editing, in bulk, draining) as four people with other rights."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OPERATOR = re.compile("role operator")


@pytest.mark.parametrize(
    ("who", "operates", "drains"),
    [("admin", True, True), ("dana", True, True), ("sam", True, None), ("viewer", False, False)],
)
def test_each_person_goes_as_far_as_the_rights_do(
    visit: Callable[..., Page], who: str, operates: bool, drains: bool | None
) -> None:
    """`drains` is None for who sees no node."""
    page = visit("/pods/?q=cluster:dev ns:shop name:cart", who=who)
    page.locator("tbody a[data-drawer]").first.click()
    for name in ("Logs", "Terminal", "Edit YAML"):
        offered(page, name, operates)
    key = page.locator("tbody tr[data-key]").first.get_attribute("data-key")
    for path in (f"/logs/?object={key}", f"/terminal/{key}/", f"/objects/{key}/edit/"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == (200 if operates else 403), path
    page.goto("/objects/deployments/?cluster=dev&namespace=shop")
    page.get_by_label("Select cart", exact=True).check()
    acts(page, "Restart", operates)
    page.goto("/nodes/?cluster=dev")
    if drains is None:
        expect(page.locator("#objects tbody tr[data-key]")).to_have_count(0)
    else:
        page.locator("tbody input[data-pick]").first.check()
        acts(page, "Drain", drains)


def offered(page: Page, name: str, operates: bool) -> None:
    drawer = page.locator("#drawer")
    if operates:
        expect(drawer.get_by_role("link", name=name, exact=True)).to_be_visible()
        return
    button = drawer.get_by_role("button", name=re.compile(f"^{name}"))
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("title", OPERATOR)


def acts(page: Page, name: str, may: bool) -> None:
    """The act in the menu of what is selected: a link, or off with the reason."""
    page.get_by_role("button", name="Actions").click()
    menu = page.locator("#acts-menu")
    if may:
        expect(menu.get_by_role("link", name=f"{name}…")).to_be_visible()
    else:
        off = menu.get_by_role("button", name=name)
        expect(off).to_be_disabled()
        expect(off).to_contain_text("You need the role")
