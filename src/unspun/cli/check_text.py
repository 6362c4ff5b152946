"""What the checks found, on a terminal: the verdict, one block a finding, what was accepted, what could not run, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from unspun.cli.layout import BASE, CAUTION, CHURN, QUIET

if TYPE_CHECKING:
    from rich.text import Text

    from unspun.book.checks.finding import Severity
    from unspun.book.checks.report import CheckReport, JudgedFinding

MOST_SHOWN = 20  # findings in full; the others by their sentence
MOST_NAMED = 3  # findings after a load
SIGNS: dict[Severity, tuple[str, str]] = {"error": ("▲ ", CHURN), "warning": ("◇ ", CAUTION), "note": ("· ", BASE)}


def print_check(report: CheckReport, written: Sequence[str] = ()) -> None:
    """Print the report on standard output, and which files were written."""
    from unspun.cli.book_text import print_made

    print_made(lambda width: check_lines(report, written, width))


def check_lines(report: CheckReport, written: Sequence[str], width: int) -> Iterator[Text]:
    """The report as lines of at most `width` cells."""
    from rich.text import Text

    from unspun.cli.layout import paragraph
    from unspun.cli.terminal import wrap
    from unspun.reports import check_claims, words

    yield from (Text(line, style="bold") for line in wrap(words.sentence(check_claims.verdict(report)), width))
    yield from paragraph(check_claims.what_it_reaches(report), width)
    standing = report.standing()
    yield from (line for one in standing[:MOST_SHOWN] for line in _block(one, report, width))
    yield from _others(standing[MOST_SHOWN:], width)
    yield from _accepted(report, width)
    yield from _hindered(report, width)
    yield Text()
    yield from paragraph(f"{words.sentence(check_claims.coverage(report))} {_where(report)}", width, QUIET)
    if report.unrecorded:
        yield from paragraph(f"This run could not be recorded: {report.unrecorded}", width, CAUTION, first="! ")
    yield from (line for step in _next_steps(report) for line in paragraph(step, width))
    yield from (line for path in written for line in paragraph(path, width))


def finding_lines(report: CheckReport, width: int) -> Iterator[Text]:
    """The verdict in one paragraph, for after a load: with the gravest findings by their sentence, and the command for the rest."""
    from unspun.cli.layout import paragraph
    from unspun.reports import check_claims, words

    grave = [one for one in report.standing() if one.finding.severity != "note"]
    said = [words.sentence(check_claims.verdict(report)), *(words.sentence(one.finding.message) for one in grave[:MOST_NAMED])]
    more = len(grave) - MOST_NAMED
    said.append(f"And {words.count(more)} more: unspun check." if more > 0 else "Details: unspun check." if report.judged else "")
    worst = report.standing()[0].finding.severity if grave else "note"
    yield from paragraph(" ".join(part for part in said if part), width, SIGNS[worst][1], first=SIGNS[worst][0])


def _block(one: JudgedFinding, report: CheckReport, width: int) -> Iterator[Text]:
    """Severity and id; the sentence; how much, what it reaches and how it is mended."""
    from rich.text import Text

    from unspun.cli.layout import paragraph
    from unspun.reports import check_claims, words

    finding, (sign, style) = one.finding, SIGNS[one.finding.severity]
    yield Text()
    yield from paragraph(f"{finding.severity}  {finding.id}", width, style, first=sign)
    yield from paragraph(words.sentence(finding.message), width, "bold")
    reaches = f"; reaches {check_claims.reached_by(finding)}" if finding.affects else ""
    yield from paragraph(f"{check_claims.share_of(finding)} of the {finding.unit}{reaches}.", width)
    for remark in (check_claims.growth(one), check_claims.expired(one, report.as_of)):
        yield from paragraph(words.sentence(remark) if remark else "", width, CAUTION)
    yield from paragraph(f"To mend: {words.sentence(finding.mend)}", width, QUIET)


def _others(others: Sequence[JudgedFinding], width: int) -> Iterator[Text]:
    from unspun.cli.layout import heading, paragraph
    from unspun.reports import words

    if not others:
        return
    yield from heading(f"The other {words.count(len(others))}, by their sentence", width)
    for one in others:
        sign, style = SIGNS[one.finding.severity]
        yield from paragraph(f"{words.sentence(one.finding.message)} {one.finding.id}", width, style, first=sign)


def _accepted(report: CheckReport, width: int) -> Iterator[Text]:
    """Each on lines of its own: an id that is cut could not be typed again."""
    from unspun.cli.layout import heading, paragraph
    from unspun.reports import check_claims, words

    taken = [(one.finding, one.acceptance) for one in report.accepted() if one.acceptance]
    if taken:
        yield from heading(f"{check_claims.counted(len(taken), 'finding')} accepted", width)
    for finding, by in taken:
        when = f"{by.who}, {words.day(by.at.date())}, ledger entry {by.entry}"
        said = f"{finding.id}: {check_claims.amount_of(finding)}. {when}: {words.sentence(by.why)}"
        yield from paragraph(said, width, QUIET, first="· ")


def _hindered(report: CheckReport, width: int) -> Iterator[Text]:
    from unspun.cli.layout import heading, paragraph
    from unspun.reports import check_claims, words

    if not (hindered := report.hindered()):
        return
    yield from heading(f"{check_claims.counted(len(hindered), 'check')} could not run", width)
    for outcome in hindered:
        yield from paragraph(words.sentence(f"{outcome.check.title}: {outcome.hindrance}"), width, QUIET, first="· ")


def _where(report: CheckReport) -> str:
    from unspun.reports import words

    recorded = "not recorded in the ledger" if report.entry is None else f"entry {report.entry} of the ledger"
    return f"As of {words.day(report.as_of)}, book version {report.book_version}, {recorded}."


def _next_steps(report: CheckReport) -> Iterator[str]:
    from unspun.reports import check_claims

    if standing := report.standing():
        first = standing[0].finding
        yield f"Rows of the first: {check_claims.rows_command(first)}"
        yield f"To accept it: {check_claims.accept_command(first)}"
    if report.judged:
        yield "All of it with example rows and queries: unspun check --html check.html"
