"""A check: what it needs, what it asks of the book in SQL, and how it judges the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from unspun.book.checks.extracts import AskedBook, FileFacts
from unspun.book.checks.finding import Finding
from unspun.book.checks.shape import BookShape
from unspun.book.tracking.series import TrackingSeries

Answers = Mapping[str, pa.Table]
Drawn = tuple[Iterable[Finding], tuple[TrackingSeries, ...]]
"""Findings, and the series that they are drawn with."""


def always(_shape: BookShape) -> str:
    """Nothing stands in the way."""
    return ""


def nothing_to_prepare(_book: AskedBook) -> None:
    """The views and the extracts are all that is asked."""


def nothing_kept_besides(_book: AskedBook) -> tuple[FileFacts, ...]:
    """What is kept of data files is kept of the extracts."""
    return ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked for in every book.

    `title` is what it looks for, in words ("usage outside any subscription"). `hindrance` says why it cannot be run on a book ("" it
    can), which is shown rather than passed over. `ask` gives SQL by name over the views of the book and over the `extracts` that it
    names; `judge` takes the answers by the same names. `prepare` makes further tables that this SQL reads. `tables` are those it looks at,
    the first the one its findings are about.
    `facts` is what is kept of data files for this check alone: it may be made ahead, on another thread.
    `drawn` judges in place of `judge` where findings are drawn, and gives the series as well.
    """

    code: str
    title: str
    tables: tuple[str, ...]
    hindrance: Callable[[BookShape], str]
    ask: Callable[[BookShape], Mapping[str, str]]
    judge: Callable[[BookShape, Answers], Iterable[Finding]]
    extracts: tuple[str, ...] = ()
    drawn: Callable[[BookShape, Answers], Drawn] | None = None
    prepare: Callable[[AskedBook], None] = nothing_to_prepare
    facts: Callable[[AskedBook], tuple[FileFacts, ...]] = nothing_kept_besides
