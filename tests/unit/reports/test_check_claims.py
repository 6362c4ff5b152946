"""What a report of the checks says in words, against counts made by hand."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import date

import pytest

from tests.unit.reports import check_sample as sample
from unspun.book.checks.finding import Severity
from unspun.book.checks.report import JudgedFinding
from unspun.reports import check_claims as claims


def of(*severities: Severity, accepted: int = 0) -> list[JudgedFinding]:
    found = [sample.judged(sample.finding(f"check_{at}", severity)) for at, severity in enumerate(severities)]
    taken = [sample.finding(f"taken_{at}") for at in range(accepted)]
    return found + [sample.judged(one, state="accepted", acceptance=sample.acceptance(one, one.count)) for one in taken]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (of("error"), "1 error stands between this book and its figures"),
        (of("error", "warning"), "1 error and 1 warning stand between this book and its figures"),
        (
            of("warning", "warning", "note", accepted=1),
            "2 warnings stand between this book and its figures; 1 finding was accepted",
        ),
        (
            of("error", "error", "error", "warning", "warning", accepted=2),
            "3 errors and 2 warnings stand between this book and its figures; 2 findings were accepted",
        ),
        (of("note", "note"), "No open error or warning stands between this book and its figures; 2 notes describe it"),
        (
            of("note", accepted=2),
            "No open error or warning stands between this book and its figures; 1 note describes it and 2 findings were accepted",
        ),
        (of(accepted=1), "No open error or warning stands between this book and its figures; 1 finding was accepted"),
        (of(), "2 checks found no fault in this book; 1 could not be run"),
    ],
)
def test_the_verdict_counts_what_stands_and_what_was_accepted(found: list[JudgedFinding], said: str) -> None:
    assert claims.verdict(sample.report(*found)) == said


def test_where_no_check_could_be_run_nothing_is_claimed() -> None:
    report = sample.report()
    hindered = tuple(replace(one, hindrance="the book holds no events") for one in report.outcomes)
    assert claims.verdict(replace(report, outcomes=hindered)).startswith("No check could be run")


def test_a_finding_that_grew_since_it_was_accepted_counts_again() -> None:
    one = sample.finding(count=42)
    grown = sample.judged(one, state="grown", acceptance=sample.acceptance(one, 30))
    assert claims.verdict(sample.report(grown)) == "1 error stands between this book and its figures"
    assert claims.growth(grown) == "Accepted at 30 of 25,000; now 42 of 25,000 rows, so it stands again"


def test_what_errors_reach_is_named_before_what_warnings_reach_and_once() -> None:
    wrong = sample.judged(replace(sample.finding(), affects=("retention: GRR, NRR", "renewals")))
    same = sample.judged(replace(sample.finding("b", "warning"), affects=("retention: NRR", "renewals")))
    more = sample.judged(replace(sample.finding("c", "warning"), affects=("retention: logos", "usage trends")))
    noted = sample.judged(replace(sample.finding("d", "note"), affects=("forecasts",)))
    said = "Not to be relied on until mended: retention (GRR, NRR) and renewals."
    assert claims.what_it_reaches(sample.report(wrong, same, noted)) == said
    assert claims.what_it_reaches(sample.report(wrong, same, more)) == f"{said} May mislead: retention (NRR, logos) and usage trends."
    assert claims.what_it_reaches(sample.report(noted)) == ""


def test_an_area_without_named_figures_is_reached_as_a_whole() -> None:
    one = replace(sample.finding(), affects=("retention: GRR", "retention", "usage trends, score audits"))
    assert claims.figures_of(one) == {"retention": (), "usage trends": (), "score audits": ()}


def test_the_most_reached_area_is_counted_among_errors_and_warnings() -> None:
    judged = sample.many().standing()
    grave = [one for one in judged if one.finding.severity != "note"]
    areas = {affected.split(":")[0] for one in judged for affected in one.finding.affects}
    counts = {area: sum(any(a.split(":")[0] == area for a in one.finding.affects) for one in grave) for area in areas}
    assert dict(claims.reached(judged)) == counts
    assert [n for _, n in claims.reached(judged)] == sorted(counts.values(), reverse=True)
    most = max(counts.values())
    assert f"each reached by {most} of the {len(grave)} open errors and warnings" in claims.reach_claim(judged)


@pytest.mark.parametrize(
    ("count", "of", "said"), [(1, 5000, "under 0.1 %"), (1077, 2000, "53.9 %"), (4999, 5000, "over 99.9 %"), (2, 2, "100 %")]
)
def test_a_share_is_never_rounded_to_none_or_all(count: int, of: int, said: str) -> None:
    assert claims.share_of(sample.finding(count=count, of=of)).replace("\u00a0", " ") == said


@pytest.mark.parametrize("subject", ["a b", "it's; rm -rf /", "$(reboot)", "\n", '"><script>'])
def test_commands_reach_the_shell_as_one_word_whatever_the_id(subject: str) -> None:
    one = replace(sample.finding(), subject=subject)
    assert shlex.split(claims.accept_command(one))[:3] == ["unspun", "accept", one.id]
    assert shlex.split(claims.rows_command(one)) == ["unspun", "check", one.id, "--rows", "rows.csv"]


def test_an_acceptance_that_has_run_out_says_until_when_it_held() -> None:
    one = sample.finding()
    lapsed = sample.judged(one, acceptance=sample.acceptance(one, one.count, date(2026, 10, 31)))
    assert claims.expired(lapsed, date(2026, 11, 1)).replace("\u00a0", " ") == "The acceptance held until 31 Oct 2026"
    assert claims.expired(lapsed, date(2026, 10, 31)) == ""
