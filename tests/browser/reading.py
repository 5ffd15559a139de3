"""How well a page reads: accessibility by axe, and whether it fits."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def faults(page: Page, theme: str = "light") -> list[str]:
    """What axe finds, and whether the page scrolls sideways. Themes differ in colours only."""
    options = {"resultTypes": ["violations"]}
    if theme == "dark":
        options["runOnly"] = ["color-contrast"]
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = [
        f"{rule['id']}: {[node['target'] for node in rule['nodes']]}"
        for rule in page.evaluate("options => axe.run(options)", options)["violations"]
    ]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append("scrolls sideways")
    return found


def accessible(page: Page) -> None:
    """Nothing is wrong in either theme, nor on a phone."""
    size = page.viewport_size or {"width": 1280, "height": 720}
    assert faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults(page, "dark") == []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 800})
    assert faults(page) == []
    page.set_viewport_size(size)
