"""How well a page reads: accessibility by axe, and whether it fits."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

# Colours on their way to those of another theme.
SETTLED = """
() => Promise.allSettled(
  document.getAnimations()
    .filter((each) => each.effect?.getComputedTiming().endTime < 5000)
    .map((each) => each.finished))
"""


def faults(page: Page, theme: str = "light") -> list[str]:
    """What axe finds, and whether the page scrolls sideways. Themes differ in colours only."""
    options = {"resultTypes": ["violations"]}
    if theme == "dark":
        options["runOnly"] = ["color-contrast"]
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    page.evaluate(SETTLED)
    found = [
        f"{rule['id']}: {[node['target'] for node in rule['nodes']]}"
        for rule in page.evaluate("options => axe.run(options)", options)["violations"]
    ]
    if _scrolls_sideways(page):
        found.append("scrolls sideways")
    return found


def _scrolls_sideways(page: Page) -> bool:
    """Whether it still does once all has been laid out anew, as editors and charts do late."""
    try:
        page.wait_for_function(
            "document.documentElement.scrollWidth <= window.innerWidth", timeout=5_000
        )
    except PlaywrightTimeout:
        return True
    return False


def accessible(page: Page) -> None:
    """Nothing is wrong in either theme, nor on a phone."""
    size = page.viewport_size or {"width": 1280, "height": 720}
    found = faults(page)
    page.emulate_media(color_scheme="dark")
    found += faults(page, "dark")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 800})
    found += faults(page)
    page.set_viewport_size(size)
    assert not found, found
