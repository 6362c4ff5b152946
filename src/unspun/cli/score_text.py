"""The health score of one account on a terminal: why it is what it is, and how it was under each definition."""

from __future__ import annotations

import shlex
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING

from unspun.cli.layout import CAUTION, CHURN, INDENT, QUIET, Column, heading, paragraph, table
from unspun.cli.terminal import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from rich.text import Text

    from unspun.app.badges import Badge
    from unspun.app.health.history import Curve, HistoryPoint, ScoreHistory
    from unspun.app.health.value import InputValue, ScoreValue, ShownScore
    from unspun.health.definition import HealthScore

BAND_STYLES = {"red": CHURN, "yellow": CAUTION, "amber": CAUTION, "orange": CAUTION, "green": "green"}
WIDE = 110  # cells from which on there is room for ids beside names
MOST_NAMED = 3
LOST, GIVEN = "─", "━"


def shown_lines(shown: ShownScore, width: int) -> Iterator[Text]:
    """The score of an account, how far it can be trusted, what each metric gives, what is missing, and what changed."""
    from rich.text import Text

    score, now = shown.score, shown.now
    yield from heading(f"{score.label} of {shown.account} on {now.as_of}: {_headline(score, now)}", width)
    yield from track_record(shown.badge, width)
    if now.value is None:
        yield from paragraph(_why_none(score, now), width, CAUTION, first="! ")
    yield Text()
    yield from _inputs(score, now, width)
    if now.value is not None:
        yield from paragraph(f"{GIVEN} gives  {LOST} could give besides", width, QUIET)
        yield Text()
        yield from paragraph(_lost(score, now), width, first="· ")
    yield from _missing(now, width)
    yield from paragraph(_change(shown), width, first="· ")
    yield from _whence(shown, width)


def _whence(shown: ShownScore, width: int) -> Iterator[Text]:
    """Where the rows and the formula are, and what the score was computed of."""
    from rich.text import Text

    now = shown.now
    metric = next(iter(_most_lost(shown.score, now) or now.inputs)).metric
    command = f"unspun metrics show {metric.id} --account {shlex.quote(shown.account)} --as-of {now.as_of}"
    yield Text()
    yield from paragraph(f"Rows: {command}", width, QUIET)
    yield from paragraph(f"Formula: unspun scores explain {shown.score.id}", width, QUIET)
    definition = f"scores.yml {shown.definition.sha256[:12]}, metrics.yml {shown.definition.metrics.sha256[:12]}"
    yield from paragraph(f"Book version {shown.book_version}, {definition}.", width, QUIET)


def _headline(score: HealthScore, value: ScoreValue) -> str:
    from unspun.health.write_yaml import decimal_text

    if value.value is None:
        return "no score"
    band = f", {value.band}" if value.band else ""
    return f"{units_text(score, value.value)} of {decimal_text(score.high)}{band}"


def units_text(score: HealthScore, units: int) -> str:
    """Units of a score's last digit, with all its digits."""
    from unspun.health.formula import decimal_of

    return f"{decimal_of(units, score.digits):,}"


def _signed(score: HealthScore, units: int) -> str:
    return ("+" if units > 0 else "") + units_text(score, units)


def track_record(badge: Badge, width: int) -> Iterator[Text]:
    """How far a score can be trusted: what its trial said, or that there was none."""
    from unspun.app.badges import UNVALIDATED

    if badge.verdict == UNVALIDATED:
        yield from paragraph(f"{badge.verdict}: {badge.note}", width, CAUTION, first="! ")
    else:
        note = f"; {badge.note}" if badge.note else ""
        yield from paragraph(f"Track record: {badge.text}, ledger entry {badge.entry}{note}.", width, first="· ")


def _why_none(score: HealthScore, value: ScoreValue) -> str:
    from unspun.app.health.value import reason_text
    from unspun.health.formula import TOO_LITTLE

    told = f"{value.reason}: {reason_text(value.reason or '')}"
    if value.reason == TOO_LITTLE:
        return f"{told}: {percent_text(value.weight_present)}, and the least is {percent_text(Fraction(score.least_weight))}."
    return f"{told}."


def percent_text(share: Fraction) -> str:
    """A share in percent: with up to two decimals where these say it exactly, else with one."""
    percent = share * 100
    exact = (percent * 100).denominator == 1
    return f"{float(percent):.2f}".rstrip("0").rstrip(".") + " %" if exact else f"{float(percent):.1f} %"


def _lost(score: HealthScore, value: ScoreValue) -> str:
    """Where most points are lost."""
    worst = _most_lost(score, value)
    if not worst:
        return "Every metric gives all that it can."
    named = [f"{one.metric.label} ({_number(_loss(score, one))} of {_number(one.weight * Fraction(score.high))})" for one in worst]
    return f"Most is lost on {', '.join(named)}."


def _most_lost(score: HealthScore, value: ScoreValue) -> list[InputValue]:
    there = [one for one in value.inputs if one.reason is None and _loss(score, one) >= Fraction(1, 10)]
    return sorted(there, key=lambda one: -_loss(score, one))[:MOST_NAMED]


def _loss(score: HealthScore, one: InputValue) -> Fraction:
    """What an input does not give of what it could, in points of the score."""
    return one.weight * (Fraction(score.high) - _points(one))


def _points(one: InputValue) -> Fraction:
    from unspun.health.definition import POINT_DIGITS

    return Fraction(one.points, 10**POINT_DIGITS)


def _number(number: Fraction) -> str:
    return f"{float(number):,.1f}"


def _missing(value: ScoreValue, width: int) -> Iterator[Text]:
    from unspun.app.health.value import reason_text

    gone = [one for one in value.inputs if one.reason is not None]
    for one in gone if len(gone) < len(value.inputs) else []:
        told = (
            f"{one.metric.label} is missing ({percent_text(one.usual_weight)} of the weight), {one.reason}: {reason_text(one.reason or '')}"
        )
        yield from paragraph(f"{told}.", width, CAUTION, first="! ")
    if gone and value.value is not None:
        yield from paragraph(f"The score rests on {percent_text(value.weight_present)} of its weight, shared among what is there.", width)


def _change(shown: ShownScore) -> str:
    """What changed since the day it is compared with, by metric: these add up to the difference."""
    before, now, score = shown.before, shown.now, shown.score
    if before is None:
        return ""
    when = f"{(now.as_of - before.as_of).days} days before"
    if before.value is None or now.value is None:
        return f"{when}: {_headline(score, before)}{f' ({before.reason})' if before.reason else ''}."
    moved = [(one.contribution - then.contribution, one) for one, then in zip(now.inputs, before.inputs, strict=True)]
    moved = sorted((pair for pair in moved if pair[0]), key=lambda pair: -abs(pair[0]))
    named = [f"{one.metric.label} {_signed(score, units)}" for units, one in moved[:MOST_NAMED]]
    rest = sum(units for units, _ in moved[MOST_NAMED:])
    named += [f"others {_signed(score, rest)}"] if moved[MOST_NAMED:] else []
    if {one.reason is None for one in now.inputs} != {one.reason is None for one in before.inputs}:
        named.append("what is missing is not the same")
    told = f": {', '.join(named)}" if named else ""
    return f"{when}: {_headline(score, before)}, so {_signed(score, now.value - before.value)}{told}."


# What each metric gives


def _inputs(score: HealthScore, value: ScoreValue, width: int) -> Iterator[Text]:
    from rich.text import Text

    columns = [Column("Metric", flexible=True), *([Column("Id", spare=True)] if width >= WIDE else []), Column("Value", right=True)]
    columns += [Column("Points", right=True), Column("Weight", right=True), Column("Gives", right=True), Column("")]
    bar_width = min(max(width // 4, 16), 32)
    largest = max((one.weight for one in value.inputs), default=Fraction()) or Fraction(1)
    rows: list[list[str | Text]] = []
    for group in score.groups:
        own = [one for one in value.inputs if one.group.name == group.name]
        if group.name:
            rows.append(_group_row(score, value, own, group.name, len(columns)))
        rows += [_input_row(score, value, one, largest, bar_width, len(columns), bool(group.name)) for one in own]
    total = units_text(score, value.value) if value.value is not None else "none"
    weight = percent_text(Fraction(1)) if value.value is not None else ""
    rows.append([Text("Score", style="bold"), *[""] * (len(columns) - 4), weight, Text(total, style="bold"), _band(value)])
    yield from table(columns, rows, width)


def _band(value: ScoreValue) -> Text:
    from rich.text import Text

    return Text(value.band or "", style=BAND_STYLES.get((value.band or "").lower(), "bold"))


def _group_row(score: HealthScore, value: ScoreValue, own: list[InputValue], name: str, cells: int) -> list[str | Text]:
    from rich.text import Text

    from unspun.cli.terminal import clean

    there = value.value is not None and any(one.reason is None for one in own)
    gives = units_text(score, sum(one.contribution for one in own)) if there else ""
    weight = percent_text(sum((one.weight for one in own), Fraction())) if there else ""
    return [Text(clean(name), style="bold"), *[""] * (cells - 4), weight, gives, ""]


def _input_row(
    score: HealthScore, value: ScoreValue, one: InputValue, largest: Fraction, bar_width: int, cells: int, indented: bool
) -> list[str | Text]:
    from rich.text import Text

    name = f"{' ' * INDENT if indented else ''}{one.metric.label}"
    first: list[str | Text] = [name, *([one.metric.id] if cells > 6 else [])]
    if one.reason is not None:
        usual = Text(f"({percent_text(one.usual_weight)})", style=QUIET)
        return [*first, Text("missing", style=CAUTION), "", usual, "", Text(shorten(one.reason, bar_width), style=CAUTION)]
    there = value.value is not None
    gives = units_text(score, one.contribution) if there else ""
    bar = _bar(score, one, largest, bar_width) if there else ""
    return [*first, _value(one), _number(_points(one)), percent_text(one.weight) if there else "", gives, bar]


def _bar(score: HealthScore, one: InputValue, largest: Fraction, bar_width: int) -> Text:
    """As long as the input weighs: heavy for what it gives, light for what it does not."""
    from rich.text import Text

    length = max(round(one.weight / largest * bar_width), 1)
    low, high = Fraction(score.low), Fraction(score.high)
    given = round((_points(one) - low) / (high - low) * length)
    text = Text(GIVEN * given)
    return text.append(LOST * (length - given), style=QUIET)


def _value(one: InputValue) -> str:
    value = one.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else shorten(str(value), 20)


# Over time


def history_lines(history: ScoreHistory, width: int) -> Iterator[Text]:
    """The score at the end of each period under today's definition, and under the earlier ones beside it."""
    score = history.listed.score
    yield from heading(f"{score.label} of {history.account}, {history.days[0]} to {history.days[-1]}", width)
    yield from track_record(history.listed.badge, width)
    yield from _curves(history, width)
    yield from _definitions(history, width)
    yield from paragraph(
        f"Why it is what it is on a day: unspun scores show {score.id} --account {shlex.quote(history.account)}", width, QUIET
    )


def _curves(history: ScoreHistory, width: int) -> Iterator[Text]:
    """A line for each day, and one for days in a row without a score by any definition."""
    today, earlier = history.curves[-1], [one for one in history.curves[:-1] if one.points]
    by_day = [{point.as_of: point for point in curve.points} for curve in earlier]
    runs = list(_runs(today.points, by_day))
    scored = [run[0] for run in runs if _has_score(run[0], by_day)]
    columns = [Column("Day"), Column("Band"), Column("Today's", right=True), Column("", spare=True)]
    columns += [Column(_title(curve), right=True) for curve in earlier]
    columns += [Column("No score", flexible=True)] if any(point.reason for point in scored) else []
    rows = [_day_row(history, point, earlier, by_day, width)[: len(columns)] for point in scored]
    lines = iter(table(columns, rows, width))
    if rows:
        yield next(lines)
    for run in runs:
        if _has_score(run[0], by_day):
            yield next(lines)
        else:
            yield from paragraph(_no_score(run), width, QUIET)
    if any(history.in_force(day) is not None for day in history.days):
        yield from paragraph("* by the definition that was in force on that day", width, QUIET)


def _day_row(
    history: ScoreHistory, point: HistoryPoint, earlier: list[Curve], by_day: list[dict[date, HistoryPoint]], width: int
) -> list[str | Text]:
    force, today = history.in_force(point.as_of), history.curves[-1]
    others = zip(earlier, by_day, strict=True)
    return [
        point.as_of.isoformat(),
        _banded(point),
        _cell(today, point, force == len(history.curves) - 1),
        _level(today, point, 20 if width < WIDE else 40),
        *(_cell(curve, days.get(point.as_of), force == history.curves.index(curve)) for curve, days in others),
        point.reason or "",
    ]


def _runs(points: Sequence[HistoryPoint], others: Sequence[Mapping[date, HistoryPoint]]) -> Iterator[list[HistoryPoint]]:
    """The points by themselves, but together where they follow each other without a score for one reason."""
    for _, run in groupby(points, lambda one: one.as_of if _has_score(one, others) else one.reason):
        yield list(run)


def _has_score(point: HistoryPoint, others: Sequence[Mapping[date, HistoryPoint]]) -> bool:
    """Whether there is a score on the day by any definition."""
    return any(one.value is not None for one in (point, *(days[point.as_of] for days in others if point.as_of in days)))


def _no_score(run: list[HistoryPoint]) -> str:
    first, last = run[0].as_of, run[-1].as_of
    return f"{first} to {last} ({len(run)}): no score, {run[0].reason}" if len(run) > 1 else f"{first}: no score, {run[0].reason}"


def _title(curve: Curve) -> str:
    return f"Entry {curve.version.entry}"


def _banded(point: HistoryPoint) -> Text:
    from rich.text import Text

    from unspun.cli.terminal import clean

    return Text(clean(point.band or ""), style=BAND_STYLES.get((point.band or "").lower(), "bold"))


def _cell(curve: Curve, point: HistoryPoint | None, in_force: bool) -> str:
    if point is None or point.value is None:
        return "none"
    return units_text(curve.version.score, point.value) + ("*" if in_force else "")


def _level(curve: Curve, point: HistoryPoint, bar_width: int) -> Text:
    from rich.text import Text

    score = curve.version.score
    if point.value is None:
        return Text("")
    low, high = Fraction(score.low), Fraction(score.high)
    length = round((Fraction(point.value, 10**score.digits) - low) / (high - low) * bar_width)
    return Text(GIVEN * length, style=BAND_STYLES.get((point.band or "").lower(), ""))


def _definitions(history: ScoreHistory, width: int) -> Iterator[Text]:
    from unspun.cli.book_text import instant

    today = history.curves[-1].version
    since = (
        "not in the ledger yet: `unspun scores compute` records it"
        if today.at is None
        else f"in force since {instant(today.at, history.zone)}"
    )
    yield from paragraph(
        f"Today's definition is {since} (entry {today.entry})." if today.entry else f"Today's definition is {since}.", width
    )
    for curve in history.curves[:-1]:
        at = instant(curve.version.at, history.zone)
        gone = f"; it cannot be computed any more: {curve.why_not}" if curve.why_not else ""
        yield from paragraph(f"Entry {curve.version.entry} is the definition in force from {at}{gone}.", width, first="· ")
    if history.older:
        yield from paragraph(f"{history.older} older definitions are left out.", width, first="· ")
