"""Pages as a reader has them: opened from a file in a real browser that can reach nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Theme = Literal["light", "dark"]
OPEN_ALL = "document.querySelectorAll('details').forEach(box => box.open = true)"
SPILL = """[...document.querySelectorAll('main *, header *')]
  .filter(e => !e.closest('.scroll, pre, svg, .vh') && e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.outerHTML.slice(0, 80))"""


def open_pages(browser: Browser, folder: Path, reports: Mapping[str, Callable[[], str]]) -> Iterator[Callable[..., Page]]:
    """What opens one of the reports by its name; every page is closed at the end."""
    contexts = []

    def open_page(name: str, width: int = 1440, theme: Theme = "light") -> Page:
        path = folder / "report.html"
        path.write_text(reports[name](), "utf-8")
        context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=theme, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


def violations(page: Page) -> list[tuple[Any, list[str]]]:
    """What axe finds with every drawer open: the rule, and the first elements that break it."""
    page.evaluate(OPEN_ALL)
    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found]
