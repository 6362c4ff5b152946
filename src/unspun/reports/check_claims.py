"""What a report of the checks says in words: claims that a reader can count again on the page."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from unspun.book.checks.finding import Finding, Severity, Span, SpanKind
from unspun.book.checks.report import CheckReport, JudgedFinding
from unspun.book.checks.run import CheckOutcome
from unspun.book.checks.shares import percent
from unspun.reports import words

MEANINGS: dict[Severity, str] = {
    "error": "figures built on it are wrong",
    "warning": "figures built on it may mislead",
    "note": "it is described, so that nobody wonders later",
}
SPAN_WORDS: dict[SpanKind, str] = {
    "stopped": "nothing, or next to nothing, is recorded",
    "fell": "less is recorded than usual",
    "rose": "more is recorded than usual",
    "usage_fell": "customers use less",
}
MOST_NAMED = 3  # in a heading
MOST_EXAMPLES = 5  # a finding comes with no more


def verdict(report: CheckReport) -> str:
    """The sentence that matters: what stands between the book and its figures, and what people accepted."""
    standing = [counted(n, severity) for severity in ("error", "warning") if (n := len(report.standing(severity)))]
    notes, accepted = len(report.standing("note")), len(report.accepted())
    place = f"in {report.asked}" if report.asked else "between this book and its figures"
    taken = f"{counted(accepted, 'finding')} {'was' if accepted == 1 else 'were'} accepted" if accepted else ""
    if standing:
        verb = "stands" if len(report.standing("error")) + len(report.standing("warning")) == 1 else "stand"
        return f"{words.listed(standing)} {verb} {place}{'; ' if taken else ''}{taken}"
    if not report.judged:
        return _nothing_found(report)
    described = f"{counted(notes, 'note')} {'describes' if notes == 1 else 'describe'} it" if notes else ""
    rest = words.listed([part for part in (described, taken) if part])
    return f"No open error or warning stands {place}; {rest}"


def _nothing_found(report: CheckReport) -> str:
    ran, hindered = len(report.clean()), len(report.hindered())
    if ran:
        also = f"; {words.count(hindered)} could not be run" if hindered else ""
        return f"{counted(ran, 'check')} found no fault in this book{also}"
    return "No check could be run: of faults in this book nothing is known"


def what_it_reaches(report: CheckReport) -> str:
    """Which figures the open errors and warnings reach; "" where none is open."""
    wrong, misled = (_merged(report.standing(severity)) for severity in ("error", "warning"))
    rest = {area: of for area, of in misled.items() if area not in wrong or _with(wrong[area], of) != wrong[area]}
    parts = [f"Not to be relied on until mended: {words.listed(_named(wrong))}." if wrong else ""]
    parts.append(f"May mislead: {words.listed(_named(rest))}." if rest else "")
    return " ".join(part for part in parts if part)


def _merged(judged: Sequence[JudgedFinding]) -> dict[str, tuple[str, ...]]:
    """What findings reach together, area by area."""
    merged: dict[str, tuple[str, ...]] = {}
    for one in judged:
        for area, of in figures_of(one.finding).items():
            merged[area] = _with(merged[area], of) if area in merged else of
    return merged


def _with(figures: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """The figures of an area and others of it; () is all of them, and stays so."""
    return tuple(dict.fromkeys((*figures, *others))) if figures and others else ()


def _named(areas: dict[str, tuple[str, ...]]) -> list[str]:
    return [f"{area} ({', '.join(of)})" if of else area for area, of in areas.items()]


def figures_of(finding: Finding) -> dict[str, tuple[str, ...]]:
    """The areas that a finding reaches, with the figures of each that it names: retention: GRR and NRR; usage trends: all of them."""
    areas: dict[str, tuple[str, ...]] = {}
    for affected in finding.affects:
        area, colon, named = affected.partition(": ")
        found = {area: tuple(named.split(", "))} if colon else dict.fromkeys(affected.split(", "), ())
        areas |= {name: _with(areas[name], of) if name in areas else of for name, of in found.items()}
    return areas


def reached_by(finding: Finding) -> str:
    """What a finding reaches, as it stands within a sentence: retention (GRR, NRR) and usage trends."""
    return words.listed(_named(figures_of(finding)))


def coverage(report: CheckReport) -> str:
    """How many checks were run, over how many rows, and how many could not be."""
    ran, hindered = len(report.outcomes) - len(report.hindered()), len(report.hindered())
    looked_at = {table for one in report.outcomes if not one.hindrance for table in one.check.tables} & report.rows_by_table.keys()
    rows = sum(report.rows_by_table[table] for table in looked_at)
    said = f"{counted(ran, 'check')} over {counted(rows, 'row')} of {counted(len(looked_at), 'table')}"
    return f"{said}; {words.count(hindered)} could not be run" if hindered else said


def reached(judged: Sequence[JudgedFinding]) -> list[tuple[str, int]]:
    """The areas that findings reach, with how many errors and warnings do (where there are none: notes), the most reached first."""
    all_of = Counter(area for one in judged for area in figures_of(one.finding))
    grave = Counter(area for one in judged if one.finding.severity != "note" for area in figures_of(one.finding))
    counts = grave or all_of
    return [(area, counts[area]) for area in sorted(all_of, key=lambda area: (-counts[area], -all_of[area], area))]


def reach_claim(judged: Sequence[JudgedFinding]) -> str:
    """Which figure most of the errors and warnings reach."""
    areas = reached(judged)
    if not areas:
        return "No finding reaches a figure"
    grave = sum(one.finding.severity != "note" for one in judged)
    most = [area for area, count in areas if count == areas[0][1]]
    whole = counted(grave, "open error and warning") if grave else counted(len(judged), "open note")
    of = f"{words.count(areas[0][1])} of the {whole.replace('error and', 'errors and')}"
    if len(most) == 1:
        return f"{_capital(most[0])}: reached by {of}{', more than any other' if len(areas) > 1 else ''}"
    return (
        f"{_capital(words.listed(most)) if len(most) <= MOST_NAMED else f'{words.count(len(most))} kinds of figures'}: each reached by {of}"
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def counted(count: int, one: str) -> str:
    """1 error, 2 errors, 2 entries."""
    many = one.removesuffix("y") + "ies" if one.endswith("ry") else one if one.endswith("s") else one + "s"
    return f"{words.count(count)} {one if count == 1 else many}"


def amount_of(finding: Finding) -> str:
    """`19,432 of 25,000 rows`."""
    return f"{words.count(finding.count)} of {words.count(finding.of)} {finding.unit}"


def share_of(finding: Finding) -> str:
    """The share at fault, as the messages write it."""
    return words.spaced(percent(finding.count, finding.of))


def accept_command(finding: Finding) -> str:
    """What accepts it, to be typed in a shell; the reason is for the person to write."""
    return f'unspun accept {shlex.quote(finding.id)} --why "..."'


def rows_command(finding: Finding) -> str:
    """What writes all its rows, to be typed in a shell."""
    return f"unspun check {shlex.quote(finding.id)} --rows rows.csv"


def examples_claim(one: JudgedFinding) -> str:
    """Which of the rows behind a finding are shown."""
    shown = one.examples.num_rows
    if shown < MOST_EXAMPLES:
        return "The only row behind it" if shown == 1 else f"All {words.count(shown)} rows behind it"
    return f"The first {words.count(shown)} rows behind it, in the query's order"


def growth(one: JudgedFinding) -> str:
    """Why an accepted finding stands again, or that it has shrunk; "" where nothing changed or nobody accepted it."""
    accepted = one.acceptance
    if accepted is None or (one.finding.count, one.finding.of) == (accepted.count, accepted.of):
        return ""
    then = f"{words.count(accepted.count)} of {words.count(accepted.of)}"
    if one.state == "grown":
        return f"Accepted at {then}; now {amount_of(one.finding)}, so it stands again"
    return f"Accepted at {then}; now {amount_of(one.finding)}"


def expired(one: JudgedFinding, as_of: date) -> str:
    """That an acceptance has run out; "" where it has not."""
    until = one.acceptance.until if one.acceptance else None
    return f"The acceptance held until {words.day(until)}" if until is not None and until < as_of else ""


def instant(at: datetime, zone: str) -> str:
    """3 Mar 2026, 09:15 in the zone of the book."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{words.day(local.date())}, {local:%H:%M}"


def span_days(span: Span) -> str:
    """1 Mar 2026 to 21 Mar 2026; since 1 Mar 2026, where it goes on."""
    if span.last is None:
        return f"since {words.day(span.first)}"
    return words.day(span.first) if span.first == span.last else f"{words.day(span.first)} to {words.day(span.last)}"


def span_of(span: Span) -> str:
    """What it is limited to: an event, a part of the book."""
    where = f", where {span.where[0]} is {span.where[1]}" if span.where else ""
    return f"{f'event {span.event}' if span.event else 'all events'}{where}"


def fact_text(value: str | int | float | None) -> str:
    """A further figure: whole numbers with separators, others to four decimals at most."""
    match value:
        case None:
            return "not known"
        case bool():
            return "yes" if value else "no"
        case int():
            return words.count(value)
        case float():
            text = words.number(value, 4)
            return text.rstrip("0").rstrip(".") if "." in text else text
        case _:
            return value


def rows_looked_at(outcome: CheckOutcome, rows_by_table: dict[str, int]) -> str:
    """The tables that a check looked at, with the rows that each holds."""
    held = [(table, rows_by_table.get(table, 0)) for table in outcome.check.tables]
    return ", ".join(f"{counted(rows, 'row')} of {table}" for table, rows in held if rows) or "nothing there to look at"
