"""The check of schema drift: what the last load of each source has otherwise than the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from unspun.book.checks.check import Answers, Check, always
from unspun.book.checks.finding import Finding
from unspun.book.checks.shape import BookShape
from unspun.book.drift.findings import CODE
from unspun.book.entities import TABLES


def _nothing(_shape: BookShape) -> Mapping[str, str]:
    """Nothing is asked of the book: the changes were seen as the files were loaded."""
    return {}


def _judge(shape: BookShape, _answers: Answers) -> Iterable[Finding]:
    return [finding for finding in shape.drift if finding.table in shape.tables]


CHECKS: tuple[Check, ...] = (
    Check(CODE, "columns that changed between loads", tuple(TABLES), always, _nothing, _judge),
)  # fmt: skip
