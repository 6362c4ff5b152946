"""Pages as a reader has them: opened from a file in a real browser that can reach nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Theme = Literal["light", "dark"]
ONLY_VIOLATIONS = {"resultTypes": ["violations"]}  # every rule runs; what passes is not described, which takes as long as the rules
OPEN_ALL = "document.querySelectorAll('details').forEach(box => box.open = true)"
SPILL = """[...document.querySelectorAll('main *, header *')]
  .filter(e => !e.closest('.scroll, pre, svg, .vh') && e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.outerHTML.slice(0, 80))"""
TOUCHING = """[...document.querySelectorAll('svg.c')].flatMap(svg => {
  const boxes = [...svg.querySelectorAll('text')].filter(t => t.getClientRects().length).map(t => t.getBoundingClientRect());
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2)).map(b => b.x + ',' + b.y);
})"""
"""Labels of charts that touch each other."""


@contextmanager
def opening(browser: Browser) -> Iterator[Callable[[Path, int, Theme, bool], Page]]:
    """What opens a file in a browser that can reach nothing else; every page is closed at the end."""
    contexts = []

    def open_file(path: Path, width: int, theme: Theme, script: bool) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 1000}, color_scheme=theme, offline=True, java_script_enabled=script
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(path.as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()


def open_pages(browser: Browser, folder: Path, reports: Mapping[str, Callable[[], str]]) -> Iterator[Callable[..., Page]]:
    """What opens one of the reports by its name."""
    with opening(browser) as open_file:

        def open_page(name: str, width: int = 1440, theme: Theme = "light") -> Page:
            path = folder / "report.html"
            path.write_text(reports[name](), "utf-8")
            return open_file(path, width, theme, True)

        yield open_page


def open_folders(browser: Browser, folders: Mapping[str, Path]) -> Iterator[Callable[..., Page]]:
    """What opens a page of one of the folders by its name."""
    with opening(browser) as open_file:

        def open_page(name: str, page_name: str = "index", width: int = 1440, theme: Theme = "light", script: bool = True) -> Page:
            return open_file(folders[name] / f"{page_name}.html", width, theme, script)

        yield open_page


def write_pages(folder: Path, pages: Iterable[tuple[str, bytes]]) -> None:
    """The files of a folder of pages, by their paths in it."""
    for path, content in pages:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def violations(page: Page) -> list[tuple[Any, list[str]]]:
    """What axe finds with every drawer open: the rule, and the first elements that break it."""
    page.evaluate(OPEN_ALL)
    found = Axe().run(page, options=ONLY_VIOLATIONS).response["violations"]
    return [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found]
