"""A check: what it needs, what it asks of the book in SQL, and how it judges the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from unspun.book.checks.finding import Finding
from unspun.book.checks.shape import BookShape
from unspun.book.tracking.series import TrackingSeries

Answers = Mapping[str, pa.Table]


def always(_shape: BookShape) -> str:
    """Nothing stands in the way."""
    return ""


def undrawn(_shape: BookShape, _answers: Answers) -> tuple[TrackingSeries, ...]:
    """No series: the findings need no plot."""
    return ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked for in every book.

    `title` is what it looks for, in words ("usage outside any subscription"). `hindrance` says why it cannot be run on a book ("" it
    can), which is shown rather than passed over. `ask` gives SQL by name over the views of the book and over the `extracts` that it
    names; `judge` takes the answers by the same names. `tables` are those it looks at, the first the one its findings are about.
    `series` are what its findings are drawn with.
    """

    code: str
    title: str
    tables: tuple[str, ...]
    hindrance: Callable[[BookShape], str]
    ask: Callable[[BookShape], Mapping[str, str]]
    judge: Callable[[BookShape, Answers], Iterable[Finding]]
    extracts: tuple[str, ...] = ()
    series: Callable[[BookShape, Answers], tuple[TrackingSeries, ...]] = undrawn
