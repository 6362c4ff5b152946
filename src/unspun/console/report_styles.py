"""The style sheets of reports as parts of pages of the console: the same rules, in force within `.report` only.

Reports ask how wide the window is; within the console it is the room beside the rail that counts, so that each such question is put to
the container.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any, Final

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, Storage

SHEETS: Final = {
    "report-evidence.css": ("report.css", "evidence.css"),
    "report-risk.css": ("report.css", "evidence.css", "risk.css"),
    "report-forecast.css": ("report.css", "forecast.css"),
    "report-performance.css": ("report.css", "performance.css"),
}
FRAME: Final = "report-frame.css"
"""Rules of the console's own that come last: no margins of a page, and headings of its size."""
WIDTH: Final = re.compile(r"\((max|min)-width: (\d+)px\)")
QUESTION: Final = re.compile(r"@media ((?:\((?:max|min)-width: \d+px\)(?: and )?)+)")
PAPER: Final = re.compile(r"@page \{[^}]*\}")
NARROW, MARGINS, NARROW_MARGINS = 700, 64, 32
"""The margins that a report has on both sides together, from which its room follows; the smaller ones below NARROW pixels."""


def report_sheet(sources: Iterable[str]) -> str:
    """Style sheets of reports, and the console's own rules for them, in force within `.report`."""
    assets, console = files("unspun.reports") / "assets", files("unspun.console") / "static"
    rules = "".join((assets / name).read_text("utf-8") for name in sources).replace("body {", ":scope {", 1)
    rules = QUESTION.sub(lambda found: f"@container report {WIDTH.sub(_of_room, found[1])}", PAPER.sub("", rules))
    return f"@scope (.report) {{\n{rules}\n{(console / FRAME).read_text('utf-8')}}}\n"


def _of_room(question: re.Match[str]) -> str:
    width = int(question[2])
    return f"({question[1]}-width: {width - (MARGINS if width > NARROW else NARROW_MARGINS)}px)"


class ReportStyles(BaseFinder):
    """Finds the sheets, made as they are asked for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._storage = InMemoryStorage()
        for name, sources in SHEETS.items():
            self._storage.save(name, ContentFile(report_sheet(sources).encode()))

    def check(self, **kwargs: Any) -> list[Any]:
        """Nothing of it can be set wrongly."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """No path: they are no files."""
        return []

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """Each sheet, and where it is kept."""
        yield from ((name, self._storage) for name in SHEETS)
