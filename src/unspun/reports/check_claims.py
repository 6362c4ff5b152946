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
from unspun.reports import words
from unspun.reports.words import NBSP

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
MOST_EXAMPLES = 5  # a finding comes with no more
LEAST_SHARE, SMALL_SHARE = 0.0005, 0.995  # a share is shown as 0.1 % at least, and as 100 % only where it is


def verdict(report: CheckReport) -> str:
    """The sentence that matters: what stands between the book and its figures, and what people accepted."""
    standing = [counted(n, severity) for severity in ("error", "warning") if (n := len(report.standing(severity)))]
    notes, accepted = len(report.standing("note")), len(report.accepted())
    taken = f"{counted(accepted, 'finding')} {'was' if accepted == 1 else 'were'} accepted" if accepted else ""
    if standing:
        verb = "stands" if len(report.standing("error")) + len(report.standing("warning")) == 1 else "stand"
        return f"{words.listed(standing)} {verb} between this book and its figures{'; ' if taken else ''}{taken}"
    if not report.judged:
        return _nothing_found(report)
    described = f"{counted(notes, 'note')} {'describes' if notes == 1 else 'describe'} it" if notes else ""
    rest = words.listed([part for part in (described, taken) if part])
    return f"No open error or warning stands between this book and its figures; {rest}"


def _nothing_found(report: CheckReport) -> str:
    ran, hindered = len(report.clean()), len(report.hindered())
    if ran:
        also = f"; {words.count(hindered)} could not be run" if hindered else ""
        return f"{counted(ran, 'check')} found no fault in this book{also}"
    return "No check could be run: of faults in this book nothing is known"


def what_it_reaches(report: CheckReport) -> str:
    """Which figures the open errors and warnings reach; "" where none is open."""
    wrong = list(dict.fromkeys(named for one in report.standing("error") for named in one.finding.affects))
    misled = [named for one in report.standing("warning") for named in one.finding.affects]
    rest = [named for named in dict.fromkeys(misled) if named not in wrong]
    parts = [f"Not to be relied on until it is mended: {words.listed(figure_names(wrong))}." if wrong else ""]
    parts.append(f"May mislead: {words.listed(figure_names(rest))}." if rest else "")
    return " ".join(part for part in parts if part)


def coverage(report: CheckReport) -> str:
    """How many checks were run, over how many rows, and how many could not be."""
    ran, hindered = len(report.outcomes) - len(report.hindered()), len(report.hindered())
    looked_at = {table for one in report.outcomes if not one.hindrance for table in one.check.tables} & report.rows_by_table.keys()
    rows = sum(report.rows_by_table[table] for table in looked_at)
    said = f"{counted(ran, 'check')} over {counted(rows, 'row')} of {counted(len(looked_at), 'table')}"
    return f"{said}; {words.count(hindered)} could not be run" if hindered else said


def figure_name(affected: str) -> str:
    """`retention: GRR, NRR` as it stands within a list: retention (GRR, NRR)."""
    area, colon, figures = affected.partition(": ")
    return f"{area} ({figures})" if colon else affected


def figure_names(affected: Sequence[str]) -> list[str]:
    """Each as it stands within a list."""
    return [figure_name(one) for one in affected]


def reached(judged: tuple[JudgedFinding, ...]) -> list[tuple[str, int]]:
    """The figures that findings reach, with how many of them do, the most reached first."""
    found = Counter(affected for one in judged for affected in dict.fromkeys(one.finding.affects))
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def reach_claim(judged: tuple[JudgedFinding, ...]) -> str:
    """Which figure most of the findings reach."""
    figures = reached(judged)
    if not figures:
        return "No finding reaches a figure"
    most = [figure_name(name) for name, count in figures if count == figures[0][1]]
    of = f"{words.count(figures[0][1])} of the {counted(len(judged), 'open finding')}"
    if len(most) == 1:
        return f"{_capital(most[0])}: reached by {of}{', more than any other figure' if len(figures) > 1 else ''}"
    return f"{_capital(words.listed(most)) if len(most) == 2 else f'{words.count(len(most))} figures'}: each reached by {of}"


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
    """The share at fault; never rounded to nought or to the whole."""
    share = finding.share
    if share < LEAST_SHARE:
        return f"under 0.1{NBSP}%"
    if SMALL_SHARE <= share < 1:
        return f"over 99{NBSP}%" if share >= 1 - LEAST_SHARE else words.percent(share, 1)
    return words.percent(share, 0 if share == 1 else 1)


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
    """What it is limited to: an event, a measure, a part of the book."""
    parts = [f"event {span.event}" if span.event else "all events", f"measure {span.measure}" if span.measure else ""]
    parts.append(f"where {span.where[0]} is {span.where[1]}" if span.where else "")
    return ", ".join(part for part in parts if part)


def rows_looked_at(outcome: CheckOutcome, rows_by_table: dict[str, int]) -> str:
    """The tables that a check looked at, with the rows that each holds."""
    held = [(table, rows_by_table.get(table, 0)) for table in outcome.check.tables]
    return ", ".join(f"{counted(rows, 'row')} of {table}" for table, rows in held if rows) or "nothing there to look at"
