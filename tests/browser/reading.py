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
