"""What the checks found, as a terminal shows it: every finding and check accounted for, plain when piped, and safe to print."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.reports import check_sample as sample
from unspun.book.checks.finding import Finding, Severity
from unspun.book.checks.report import CheckReport
from unspun.book.checks.run import CheckOutcome
from unspun.cli.check_text import MOST_SHOWN, check_lines, finding_lines, print_check
from unspun.reports import check_claims


def text(report: CheckReport, width: int = 100) -> str:
    lines = [line.plain for line in check_lines(report, (), width)]
    return " ".join(" ".join(lines).replace("\u00a0", " ").split())


def test_each_finding_stands_with_its_id_sentence_share_what_it_reaches_and_how_to_mend_it() -> None:
    report = sample.every_kind()
    said = text(report)
    assert said.startswith("3 errors and 3 warnings stand between this book and its figures; 2 findings were accepted.")
    for one in report.standing():
        finding = one.finding
        assert f"{finding.severity} {finding.id} {finding.message}" in said
        assert check_claims.share_of(finding).replace("\u00a0", " ") in said
        assert finding.mend in said
        assert all(affected.split(":")[0] in said for affected in finding.affects)
    assert "Accepted at 30 of 25,000; now 42 of 25,000 rows, so it stands again." in said


def test_accepted_findings_and_checks_that_could_not_run_are_told() -> None:
    said = text(sample.every_kind(), 120)
    assert "2 findings accepted" in said and "gaps/subscriptions" in said and "Nora Lind" in said and "41" in said
    assert "1 check could not run · tickets before signup: nothing is mapped to accounts.created_on." in said


def test_of_many_findings_the_rest_are_told_by_their_sentence() -> None:
    report = sample.many()
    said = text(report)
    assert f"The other {len(report.judged) - MOST_SHOWN}, by their sentence" in said
    assert all(one.finding.id in said and one.finding.message in said for one in report.judged)
    assert said.count("To mend:") == MOST_SHOWN


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for report in (sample.every_kind(), sample.many(), sample.nothing_found(), sample.notes_only()):
        lines = [*check_lines(report, ["Report: a" + "/long" * 40], width), *finding_lines(report, width)]
        assert max(line.cell_len for line in lines) <= width


def test_a_clean_book_says_how_many_checks_found_nothing_and_offers_nothing_to_accept() -> None:
    said = text(sample.nothing_found())
    assert said.startswith("2 checks found no fault in this book; 1 could not be run.")
    assert "unspun accept" not in said


def test_piped_it_is_plain_and_escape_sequences_are_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = replace(sample.finding(), message="\x1b[31mred\x1b[0m [bold]markup[/bold]", subject="\x1b]0;title\x07")
    print_check(sample.report(sample.judged(hostile)), ["Report: check.html"])
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\x07" not in out
    assert "[bold]markup[/bold]" in out and "Report: check.html" in out


def after_a_load(report: CheckReport, before: dict[str, Finding] | None = None) -> str:
    lines = [line.plain for line in finding_lines(report, 100, before)]
    return " ".join(" ".join(lines).replace("\u00a0", " ").split())


def test_checks_that_the_same_lack_keeps_from_running_are_told_in_one_line() -> None:
    lack = "the book holds no contacts"
    report = sample.nothing_found()
    looked_for = ("shared addresses", "orphan contacts")
    hindered = tuple(CheckOutcome(sample.check(title.replace(" ", "_"), title, "contacts"), lack) for title in looked_for)
    said = text(replace(report, outcomes=(*report.clean(), *hindered)))
    assert "2 checks could not run · shared addresses; orphan contacts: the book holds no contacts." in said


def test_the_share_at_fault_is_said_once() -> None:
    told, silent = sample.finding(), replace(sample.finding(), message="reports_built stopped.", unit="days", count=21, of=1092)
    assert text(sample.report(sample.judged(told))).count("77.7 %") == 1
    assert "1.9 % of the days. Reaches usage trends and score audits with events." in text(sample.report(sample.judged(silent)))


def test_after_a_first_load_the_verdict_and_the_gravest_findings_are_said() -> None:
    said = after_a_load(sample.every_kind())
    assert said.startswith("▲ 3 errors and 3 warnings stand between this book and its figures")
    assert "▲ 19,432 of 25,000 events (77.7 %)" in said and said.endswith("And 3 more. All of it: unspun check.")
    assert after_a_load(sample.nothing_found()).startswith("· 2 checks found no fault")


def test_after_a_later_load_what_is_new_is_said_first_and_what_is_gone_is_counted() -> None:
    old, new = sample.finding(), sample.finding("before_signup", "warning", 30, 2000)
    said = after_a_load(sample.report(sample.judged(old), sample.judged(new)), {old.id: old, "gone/events": old})
    assert said.startswith(
        "◇ New or worse with this load: 1 warning. In all, 1 error and 1 warning stand between this book and its figures."
    )
    assert new.message in said and old.message not in said
    assert "Of the findings before it, 1 is gone." in said


@pytest.mark.parametrize(
    ("before", "is_told"),
    [
        (("error", 19_432), False),
        (("error", 12_000), False),  # over half of it was known
        (("error", 9_000), True),
        (("warning", 19_432), True),
    ],
)
def test_a_finding_that_was_known_is_told_again_once_it_is_graver_or_has_more_than_doubled(
    before: tuple[Severity, int], is_told: bool
) -> None:
    now = sample.finding()
    said = after_a_load(sample.report(sample.judged(now)), {now.id: sample.finding(now.check, *before)})
    assert (now.message in said) is is_told
    assert (f"Before this load: {before[1]:,} of 25,000 rows." in said) is is_told
    assert said.startswith(
        "▲ New or worse with this load: 1 error." if is_told else "· Nothing is new or worse with this load. 1 error stands"
    )


def test_notes_that_are_new_are_no_news() -> None:
    said = after_a_load(sample.notes_only(), {})
    assert said.startswith("· Nothing is new or worse with this load. No open error or warning stands")
