"""The specs leave out no word of the language, and the reference page is made of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from tests.spec.chapters import CHAPTERS
from tests.spec.harness import ENGINES, Spec, mismatches
from tests.spec.page import PAGE, page_text
from unspun.metrics.conditions import COMPARISONS, TEXT_TESTS, AllOf, AnyOf, Compare, Condition, HasText, Not
from unspun.metrics.missing import REASONS
from unspun.metrics.nodes import MEASURES, Open, Series, Share, walk
from unspun.metrics.windows import PERIODS, LastPeriod, ThisPeriod, Window

SPECS: list[Spec] = [spec for chapter in CHAPTERS for spec in chapter.specs]
NODES: list[object] = [one for spec in SPECS for metric in spec.metric_set() for one in walk(metric.series)]
ROWS = [one.rows for one in NODES if isinstance(one, MEASURES)]


def conditions() -> Iterator[Condition]:
    """All that the specs ask of rows."""
    asked = [one.where for one in (*ROWS, *(one for one in NODES if isinstance(one, Open | Share))) if one.where is not None]
    while asked:
        condition = asked.pop()
        yield condition
        match condition:
            case Not(inner):
                asked.append(inner)
            case AllOf(parts) | AnyOf(parts):
                asked += parts
            case _:
                pass


def kinds(union: object) -> set[type]:
    """The classes of a union of unions."""
    return {kind for part in get_args(union) for kind in (kinds(part) or {part})}


def test_every_node_has_a_spec() -> None:
    assert {type(one) for one in NODES} == kinds(Series)


def test_every_window_has_a_spec() -> None:
    windows = {rows.window for rows in ROWS}
    assert {type(window) for window in windows} == kinds(Window)
    assert {*map(ThisPeriod, PERIODS), *map(LastPeriod, PERIODS)} <= windows


def test_every_condition_has_a_spec() -> None:
    asked = list(conditions())
    assert {type(one) for one in asked} == kinds(Condition)
    assert {one.comparison for one in asked if isinstance(one, Compare)} == {*COMPARISONS}
    assert {one.test for one in asked if isinstance(one, HasText)} == {*TEXT_TESTS}


def test_every_reason_has_a_spec() -> None:
    given = {answer.strip("()") for spec in SPECS for answer in spec.expected_answers() if answer.startswith("(")}
    assert given == {*REASONS}


def test_a_spec_that_expects_something_else_fails() -> None:
    spec = SPECS[0]
    other = Spec(spec.teaches, spec.metric, spec.expected.replace("| 3", "| 4"), spec.tables)
    reason = Spec(spec.teaches, spec.metric, spec.expected.replace("| 3", "| (no_rows)"), spec.tables)
    assert mismatches(spec, ENGINES["reference"]) == []
    assert len(mismatches(other, ENGINES["reference"])) == len(mismatches(reason, ENGINES["reference"])) == 1


def test_the_reference_page_is_what_the_specs_say(root: Path) -> None:
    assert (root / PAGE).read_text() == page_text(), "write it with `python -m tests.spec.page`"


def test_every_entry_of_the_page_s_contents_leads_to_a_heading(root: Path) -> None:
    text = (root / PAGE).read_text()
    headings = {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in text.splitlines() if line.startswith("#")}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
