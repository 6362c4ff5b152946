"""What changed at an account since somebody looked last, in words: what, then, now, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from unspun.app.portfolio.changes import AccountChanges, MetricMoved, ThenAndNow
from unspun.app.portfolio.looks import LastLook
from unspun.app.portfolio.timeline import TimelineItem
from unspun.console.figure_numbers import shown
from unspun.reports import words
from unspun.stats.estimate import Estimate, MaybeEstimate

MOST_METRICS, MOST_HAPPENED = 5, 6
SMALLEST: Final = 0.005
"""A risk that differs by less than this reads the same."""
ROLLED: Final = frozenset({"events"})


@dataclass(frozen=True, slots=True)
class LookLine:
    """One thing that changed."""

    what: str
    then: str
    now: str
    why: str = ""


def look_lines(look: LastLook) -> list[LookLine]:
    """What moved, the risk first; without notes and forecasts, which are told in whole."""
    return [] if look.changes is None else [*_moved(look.changes), *_happened(look.changes)]


def _moved(changes: AccountChanges) -> Iterator[LookLine]:
    for one in changes.renewals:
        yield from _renewal(one)
    for what, then, now in changes.stated:
        yield LookLine(STATED[what](), then or _("none"), now or _("none"))
    for one in changes.metrics[:MOST_METRICS]:
        yield LookLine(one.label, _value(one.then), _value(one.now), _metric_unit(one))
    rest = len(changes.metrics) - MOST_METRICS
    if rest > 0:
        yield LookLine(ngettext("%(n)s metric more", "%(n)s metrics more", rest) % {"n": rest}, "", "", _("moved less"))


def _renewal(one: ThenAndNow) -> Iterator[LookLine]:
    due = words.day(one.due)
    if one.then is None:
        yield LookLine(_("Renewal due %(day)s") % {"day": due}, "", _("is new"), _risk(one.now))
    elif one.now is None:
        yield LookLine(_("Renewal due %(day)s") % {"day": due}, "", _("is decided, or no longer there"))
    elif _differs(one.then, one.now) or one.new_reasons or one.gone_reasons:
        yield LookLine(_("Risk of churn, due %(day)s") % {"day": due}, _risk(one.then), _risk(one.now), _why(one))


def _differs(then: MaybeEstimate, now: MaybeEstimate) -> bool:
    if isinstance(then, Estimate) and isinstance(now, Estimate):
        return abs(then.point - now.point) >= SMALLEST
    return isinstance(then, Estimate) != isinstance(now, Estimate)


def _risk(value: MaybeEstimate | None) -> str:
    return words.number(value.point, 2) if isinstance(value, Estimate) else _("cannot tell")


def _why(one: ThenAndNow) -> str:
    parts = [_("new reason: %(names)s") % {"names": ", ".join(one.new_reasons)}] if one.new_reasons else []
    parts += [_("no longer: %(names)s") % {"names": ", ".join(one.gone_reasons)}] if one.gone_reasons else []
    return "; ".join(parts)


def _value(value: float | None) -> str:
    return _("none") if value is None else shown(value)


def _metric_unit(one: MetricMoved) -> str:
    return "" if one.unit.casefold() == one.label.casefold() else one.unit


def _happened(changes: AccountChanges) -> Iterator[LookLine]:
    """Single things that happened; counts of events are in the timeline."""
    told = [one for one in changes.happened if one.kind not in ROLLED]
    for one in told[:MOST_HAPPENED]:
        yield LookLine(words.day(one.day), "", "", _said(one))
    if len(told) > MOST_HAPPENED:
        rest = len(told) - MOST_HAPPENED
        yield LookLine(ngettext("%(n)s thing more", "%(n)s things more", rest) % {"n": rest}, "", "", _("in the timeline below"))


def _said(one: TimelineItem) -> str:
    return one.words


STATED = {"name": lambda: _("Name"), "segment": lambda: _("Segment"), "owner": lambda: _("Owner")}
