"""What holds the pages to their promises, held to pages that break them: a check that cannot fail would pass every page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.doors.pages import SPILL, TOUCHING, open_pages, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FAULTY = """<!DOCTYPE html><html lang="en"><title>Faults</title><main><h1>Faults</h1>
<details><summary>More</summary><img src="data:,"><img src="data:,x"></details>
<p style="color:#aaa;background:#fff">pale</p>
<div style="width:2000px">wide</div>
<svg class="c" width="200" height="50"><text x="10" y="20">one</text><text x="15" y="22">other</text><text x="150" y="20">apart</text></svg>
</main></html>"""


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    yield from open_pages(browser, tmp_path, {"faulty": lambda: FAULTY})


def test_axe_names_each_rule_that_is_broken_and_the_elements_that_break_it_closed_drawers_too(show: Callable[..., Page]) -> None:
    found = dict(violations(show("faulty")))
    assert found["image-alt"] == ['<img src="data:,">', '<img src="data:,x">']
    assert found["color-contrast"] == ['<p style="color:#aaa;background:#fff">pale</p>']


def test_what_reaches_out_of_the_page_and_labels_that_touch_are_found(show: Callable[..., Page]) -> None:
    page = show("faulty", 800)
    assert page.evaluate(SPILL) == ['<div style="width:2000px">wide</div>']
    assert len(page.evaluate(TOUCHING)) == 1
