"""What the checks found, on a terminal: the verdict, one block a finding, what was accepted, what could not run, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from unspun.cli.layout import BASE, CAUTION, CHURN, QUIET

if TYPE_CHECKING:
    from rich.text import Text

    from unspun.book.checks.finding import Finding, Severity
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


def finding_lines(report: CheckReport, width: int, before: Mapping[str, Finding] | None = None) -> Iterator[Text]:
    """After a load: the verdict, and the gravest findings by their sentence; where findings of a check before are given, what is new."""
    from unspun.cli.layout import paragraph
    from unspun.reports import check_claims, words

    grave = [one for one in report.standing() if one.finding.severity != "note"]
    told = grave if before is None else [one for one in grave if _is_new(one.finding, before) or one.state == "grown"]
    sign, style = SIGNS[told[0].finding.severity if told else "note"]
    verdict = words.sentence(check_claims.verdict(report))
    yield from paragraph(f"{_news(told, before)}{verdict}", width, style, first=sign)
    yield from (line for one in told[:MOST_NAMED] for line in _sentence(one, before or {}, width))
    gone = 0 if before is None else len(before.keys() - {one.finding.id for one in report.judged})
    rest = [
        f"And {words.count(len(told) - MOST_NAMED)} more." if len(told) > MOST_NAMED else "",
        f"Of the findings before it, {words.count(gone)} {'is' if gone == 1 else 'are'} gone." if gone else "",
        "All of it: unspun check." if report.judged else "",
    ]
    yield from paragraph(" ".join(part for part in rest if part), width)


def _is_new(finding: Finding, before: Mapping[str, Finding]) -> bool:
    """Whether the check before did not have it, or as less grave, or with less than half of the count and a smaller share."""
    from unspun.book.checks.finding import SEVERITIES

    was = before.get(finding.id)
    if was is None or SEVERITIES.index(finding.severity) < SEVERITIES.index(was.severity):
        return True
    return finding.count > 2 * was.count and finding.share > was.share


def _news(told: Sequence[JudgedFinding], before: Mapping[str, Finding] | None) -> str:
    from unspun.reports import check_claims, words

    if before is None:
        return ""
    counts = [sum(one.finding.severity == severity for one in told) for severity in ("error", "warning")]
    named = [check_claims.counted(n, what) for n, what in zip(counts, ("error", "warning"), strict=True) if n]
    return f"New or worse with this load: {words.listed(named)}. In all, " if named else "Nothing is new or worse with this load. "


def _sentence(one: JudgedFinding, before: Mapping[str, Finding], width: int) -> Iterator[Text]:
    from unspun.cli.layout import paragraph
    from unspun.reports import check_claims, words

    was = before.get(one.finding.id)
    then = f" Before this load: {check_claims.amount_of(was)}." if was else ""
    sign, style = SIGNS[one.finding.severity]
    yield from paragraph(f"{words.sentence(one.finding.message)}{then}", width, style, indent=4, first=f"  {sign}")


def _block(one: JudgedFinding, report: CheckReport, width: int) -> Iterator[Text]:
    """Severity and id; the sentence; what it reaches and how it is mended."""
    from rich.text import Text

    from unspun.cli.layout import paragraph
    from unspun.reports import check_claims, words

    finding, (sign, style) = one.finding, SIGNS[one.finding.severity]
    yield Text()
    yield from paragraph(f"{finding.severity}  {finding.id}", width, style, first=sign)
    yield from paragraph(words.sentence(finding.message), width, "bold")
    yield from paragraph(_extent(finding), width)
    for remark in (check_claims.growth(one), check_claims.expired(one, report.as_of)):
        yield from paragraph(words.sentence(remark) if remark else "", width, CAUTION)
    yield from paragraph(f"To mend: {words.sentence(finding.mend)}", width, QUIET)


def _extent(finding: Finding) -> str:
    """What a finding reaches, after the share at fault where its sentence does not say it."""
    from unspun.reports import check_claims, words

    share = check_claims.share_of(finding)
    said = "" if finding.of == 1 or share in words.spaced(finding.message) else f"{share[:1].upper()}{share[1:]} of the {finding.unit}. "
    return said + (f"Reaches {check_claims.reached_by(finding)}." if finding.affects else "")


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
    """The checks that could not run, by the reason: a table that the book lacks keeps several from it."""
    from unspun.cli.layout import heading, paragraph
    from unspun.reports import check_claims, words

    if not (hindered := report.hindered()):
        return
    yield from heading(f"{check_claims.counted(len(hindered), 'check')} could not run", width)
    by_reason: dict[str, list[str]] = {}
    for outcome in hindered:
        by_reason.setdefault(outcome.hindrance, []).append(outcome.check.title)
    for reason, titles in by_reason.items():
        yield from paragraph(words.sentence(f"{'; '.join(titles)}: {reason}"), width, QUIET, first="· ")


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
