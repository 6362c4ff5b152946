"""What the checks found, as a terminal shows it: every finding and check accounted for, plain when piped, and safe to print."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.reports import check_sample as sample
from unspun.book.checks.report import CheckReport
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
        assert f"{check_claims.share_of(finding)} of the {finding.unit}".replace("\u00a0", " ") in said
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


def test_after_a_load_one_paragraph_says_the_verdict_and_the_gravest_findings() -> None:
    lines = [line.plain for line in finding_lines(sample.every_kind(), 100)]
    said = " ".join(" ".join(lines).replace("\u00a0", " ").split())
    assert said.startswith("▲ 3 errors and 3 warnings stand between this book and its figures")
    assert "19,432 of 25,000 events (77.7 %)" in said and said.endswith("And 3 more: unspun check.")
    assert "".join(line.plain for line in finding_lines(sample.nothing_found(), 100)).startswith("· 2 checks found no fault")
