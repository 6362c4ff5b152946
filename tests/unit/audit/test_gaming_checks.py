"""The five checks of a whole audit, their words, and the false-alarm rates they state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.gaming_tables import BEGIN, END, false_alarms, tables
from tests.unit.audit.company import random_company
from unspun.audit.gaming.checks import INNOCENT, QUESTIONS, Finding, conclude
from unspun.audit.gaming.proof import FALSE_ALARMS, STUDY
from unspun.audit.judge import judge
from unspun.audit.protocol import AuditSettings
from unspun.stats.estimate import Estimate, NoEstimate

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "benchmarks" / "results" / f"{STUDY}.json"
ACCUSING = ("manipulat", "cheat", "fraud", "guilt", "dishonest", "suspicious", "tamper", "lied", "lying")


def test_the_false_alarm_rates_stated_are_those_of_the_committed_study() -> None:
    found = false_alarms(json.loads(RESULTS.read_text()))
    assert {check: (flagged, n) for check, (flagged, n, _) in found.items()} == {c: v[:2] for c, v in FALSE_ALARMS.items()}
    for check, (_, _, worst) in found.items():
        assert FALSE_ALARMS[check][2] == pytest.approx(worst, abs=1e-6)


def test_no_check_sees_evidence_in_more_than_one_honest_history_in_a_hundred_overall() -> None:
    for check, (flagged, n, _) in FALSE_ALARMS.items():
        assert n >= 1000, check
        assert flagged / n <= 0.0125, check


def test_the_tables_of_the_page_are_written_from_the_study() -> None:
    page = (ROOT / "docs" / "explanation" / "gaming-detectors.md").read_text()
    written = page.partition(BEGIN)[2].partition(END)[0].strip()
    assert written == tables(json.loads(RESULTS.read_text()))


@pytest.mark.parametrize(("p", "found"), [(0.009, "evidence"), (0.011, "none seen"), (None, "cannot tell")])
def test_evidence_is_seen_below_one_in_a_hundred(p: float | None, found: str) -> None:
    check = conclude(Finding("bunching", "", "", NoEstimate("none"), p, 0))
    assert check.found == found
    assert check.false_alarm.n == FALSE_ALARMS["bunching"][1]
    assert check.false_alarm.low <= check.false_alarm.point <= check.false_alarm.high


def test_each_check_names_innocent_explanations_and_none_accuses() -> None:
    assert QUESTIONS.keys() == INNOCENT.keys() == FALSE_ALARMS.keys()
    assert all(len(explanations) >= 2 for explanations in INNOCENT.values())
    said = " ".join([*QUESTIONS.values(), *(text for texts in INNOCENT.values() for text in texts)]).casefold()
    assert not [word for word in ACCUSING if word in said]


def test_an_audit_asks_all_five_of_each_score_and_none_where_details_were_not_asked_for() -> None:
    scores, renewals = random_company(3)
    settings = AuditSettings(horizons=(90,), thresholds=(40.0, 70.0), replicates=0)
    result = judge(scores, renewals, settings, "test").result.scores[0]
    assert [check.code for check in result.gaming] == list(QUESTIONS)
    for check in result.gaming:
        assert check.evidence.endswith(".")
        assert (check.p is None) == (check.found == "cannot tell")
        assert check.p is None or check.p >= 0.0
        assert isinstance(check.false_alarm, Estimate)
    bare = AuditSettings(horizons=(90,), detail="none", replicates=0)
    assert judge(scores, renewals, bare, "test").result.scores[0].gaming == ()
