"""The check of tracking: what it asks of the events, and the findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from unspun.book.checks.check import Answers, Check, Drawn
from unspun.book.checks.finding import Finding
from unspun.book.checks.shape import BookShape
from unspun.book.tracking.findings import CODE, finding_of_change, series_of_changes
from unspun.book.tracking.judge import judge_usage
from unspun.book.tracking.level import levels
from unspun.book.tracking.question import TRACKING_DAYS, measures
from unspun.book.tracking.usage import daily_usage


def _hindrance(shape: BookShape) -> str:
    return shape.lacks("events")


def _ask(_shape: BookShape) -> Mapping[str, str]:
    return {"days": f"FROM {TRACKING_DAYS}"}


def _judge(shape: BookShape, answers: Answers) -> Iterable[Finding]:
    return _drawn(shape, answers)[0]


def _drawn(shape: BookShape, answers: Answers) -> Drawn:
    usage = daily_usage(answers["days"], measures(shape))
    if usage is None:
        return (), ()
    found = levels(usage.counts, int(usage.days[0]))
    changes = judge_usage(usage, found)
    return [finding_of_change(shape, usage, one) for one in changes], series_of_changes(usage, found, changes)


CHECKS: tuple[Check, ...] = (
    Check(CODE, "events whose tracking broke", ("events", "accounts"), _hindrance, _ask, _judge, (TRACKING_DAYS,), _drawn),
)
