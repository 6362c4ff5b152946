"""The whole audit on purchases: what it says, in which words, and what it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from tests.unit.audit.shop import Line, month_starts, purchases, random_lines, scores
from unspun.audit.judge import judge
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import AuditResult
from unspun.book.tables import Codes, Purchases, Rejection, ScoreHistory
from unspun.errors import BadInput
from unspun.reports.result_json import to_json
from unspun.stats.estimate import Estimate, NoEstimate

FIRST, LAST = date(2023, 1, 10), date(2025, 6, 20)
SETTINGS = AuditSettings(primary_horizon=60, replicates=50)
OTHER_WORDS = re.compile(r"churn|renew|\bARR\b|contract size|contract age", re.IGNORECASE)


def shop_lines(customers: int = 400, seed: int = 3) -> list[Line]:
    return random_lines(seed, customers, FIRST, (LAST - FIRST).days)


LINES = shop_lines()


def recency(lines: list[Line], turn: float = -1.0, noise: float = 0.0) -> list[tuple[str, date, float]]:
    """Days since the last purchase at each first of a month, turned so that higher is healthier."""
    draw = np.random.default_rng(5)
    bought: dict[str, list[date]] = {}
    for line in sorted(lines, key=lambda line: line.day):
        bought.setdefault(line.account, []).append(line.day)
    rows = []
    for account, days in bought.items():
        for month in month_starts(FIRST, LAST):
            past = [day for day in days if day <= month]
            if past:
                value = turn * (month - past[-1]).days
                rows.append((account, month, draw.normal() if noise else float(value)))
    return rows


def audit(lines: list[Line] | Purchases, history: ScoreHistory, settings: AuditSettings = SETTINGS) -> AuditResult:
    table = lines if isinstance(lines, Purchases) else purchases(lines)
    return judge(history, table, settings, "test").result


def texts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


def edited(lines: list[Line], days_later: int = 90) -> ScoreHistory:
    """A score that foresees nothing, lowered so many days later for everyone who does not buy within 60."""
    rows = recency(lines, noise=1.0)
    bought = {(line.account, line.day) for line in lines}
    recorded = []
    changed = []
    for account, month, value in rows:
        later = any((account, month + timedelta(days=n)) in bought for n in range(1, 61))
        recorded += [month] if later else [month, month + timedelta(days=days_later)]
        changed += [(account, month, value)] if later else [(account, month, value), (account, month, value - 9)]
    return scores(changed, recorded)


CASES = {
    "recency": (LINES, scores(recency(LINES)), SETTINGS),
    "turned": (LINES, scores(recency(LINES, turn=1.0)), SETTINGS),
    "noise": (LINES, scores(recency(LINES, noise=1.0)), SETTINGS),
    "edited afterwards": (LINES, edited(LINES), SETTINGS),
    "few": (LINES[:60], scores(recency(LINES[:60])), SETTINGS),
    "half of a year": (LINES, scores(recency(LINES)), replace(SETTINGS, as_of=date(2023, 6, 30))),
    "no score in time": (LINES, scores([("c1", date(2025, 6, 1), 1.0)]), SETTINGS),
    "everybody called": (LINES, scores(recency(LINES)), replace(SETTINGS, capacity=5000)),
    "primary by the protocol": (LINES, scores(recency(LINES)), replace(SETTINGS, primary_horizon=None)),
}


@pytest.fixture(scope="module", params=list(CASES), ids=lambda name: name.replace(" ", "_"))
def case(request: pytest.FixtureRequest) -> AuditResult:
    return audit(*CASES[request.param])


def test_no_text_of_the_result_speaks_of_churn_or_renewals(case: AuditResult) -> None:
    said = [text for text in texts(json.loads(to_json(case))) if OTHER_WORDS.search(text)]
    assert said == []


def test_every_unit_is_judged_or_set_aside_for_a_reason(case: AuditResult) -> None:
    for horizon in case.scores[0].horizons:
        flow = [n for _, n in horizon.flow]
        names = [name for name, _ in horizon.flow]
        eligible = names.index("eligible")
        assert sum(flow[:eligible]) == flow[eligible] == horizon.n
        if not isinstance(horizon.split, NoEstimate):
            assert flow[eligible] + flow[eligible + 1] + flow[eligible + 2] == flow[eligible + 3] == horizon.test.n


def test_the_verdicts_read_as_sentences_about_buying_again() -> None:
    said = {name: audit(*CASES[name]).scores[0] for name in ("recency", "turned", "noise", "edited afterwards", "few")}
    assert {name: score.verdict for name, score in said.items()} == {
        "recency": "foretells",
        "turned": "reversed",
        "noise": "no evidence",
        "edited afterwards": "leaks",
        "few": "cannot tell",
    }
    known = "yearly spend, time since the first purchase and the last outcome"
    assert said["recency"].sentence == (f"The score foresees who will not buy again within 60 days, and it knows more than {known} do.")
    assert said["turned"].sentence == "The score points the wrong way: customers it rates healthier have lapsed more."
    assert said["noise"].sentence.startswith("The score does not foresee who will not buy again within 60 days: ")
    assert said["few"].sentence.startswith("Nobody can tell yet whether the score foresees who will not buy again within 60 days: ")
    assert said["few"].needed is not None
    assert "more lapses would be needed" in said["few"].needed.text


def test_what_was_edited_after_the_window_is_found_without_any_column_for_it() -> None:
    leak = audit(*CASES["edited afterwards"]).scores[0].leak
    assert leak.possible
    assert (leak.churned_edited, leak.renewed_edited) == (leak.churned, 0)


def test_what_was_recorded_while_the_window_ran_is_no_edit_after_the_outcome() -> None:
    leak = audit(LINES, edited(LINES, days_later=30)).scores[0].leak
    assert (leak.possible, leak.churned_edited, leak.leaks) == (True, 0, False)


def test_the_horizons_are_those_of_purchases_unless_others_are_asked_for() -> None:
    history = scores(recency(LINES))
    settings = AuditSettings(replicates=0)
    by_default = audit(LINES, history, settings)
    assert [horizon.horizon_days for horizon in by_default.scores[0].horizons] == [30, 60, 90]
    assert dict(by_default.settings)["horizons"] == "30,60,90"
    asked = audit(LINES, history, replace(settings, horizons=(30, 180)))
    assert [horizon.horizon_days for horizon in asked.scores[0].horizons] == [30, 180]


def test_the_design_is_landmark_and_says_what_an_active_customer_is() -> None:
    design = audit(*CASES["recency"]).design
    assert (design.name, design.as_of, design.as_of_why) == (
        "landmark",
        max(line.day for line in LINES),
        "the last day with a purchase on file",
    )
    assert design.n_renewals == len({(line.account, line.day) for line in LINES})
    assert [name for name, _ in design.outcomes] == ["repurchased", "lapsed"]
    assert "365 days" in design.why


def test_a_customer_is_listed_once_for_each_lapse_with_the_row_of_the_last_purchase() -> None:
    missed = audit(*CASES["noise"]).scores[0].description
    assert not isinstance(missed, NoEstimate)
    table = purchases(LINES)
    assert missed.missed.units
    for unit in missed.missed.units:
        line = LINES[unit.row - 2]
        assert (line.account, unit.due) == (unit.account, unit.looked_at + timedelta(days=60))
        later = [other.day for other in LINES if other.account == unit.account and line.day < other.day <= unit.due]
        assert not later
    assert len({(unit.account, unit.row) for unit in missed.missed.units}) == len(missed.missed.units)
    assert len(table.row) == len(LINES)


def test_the_lead_time_is_not_worked_out_as_a_purchase_has_no_due_date() -> None:
    description = audit(*CASES["recency"]).scores[0].description
    assert not isinstance(description, NoEstimate)
    assert isinstance(description.lead_time, NoEstimate)
    assert "no due date" in description.lead_time.reason


def test_cautions_tell_of_the_cut_off_history_and_of_returns() -> None:
    table = purchases(LINES)
    back = Rejection("return", "return (negative amount or quantity): not a purchase", np.array([900001, 900002]))
    with_returns = replace(table, source=replace(table.source, rejections=(back,), rows_read=len(LINES) + 2))
    design = audit(with_returns, scores(recency(LINES))).design
    said = {caution.code: caution.text for caution in design.cautions}
    first = min(line.day for line in LINES)
    assert f"{first}: until {first + timedelta(days=365)}" in said["history_cut_off"]
    assert said["returns_set_aside"].startswith("2 returns are set aside")


def test_an_undated_segment_enters_the_baseline_only_where_it_is_declared_fixed() -> None:
    table = purchases(LINES)
    country = Codes((table.account.codes % 2).astype(np.int32), ("FR", "UK"))
    with_country = replace(table, segment=country)
    history = scores(recency(LINES))
    undated = audit(with_country, history)
    fixed = audit(with_country, history, replace(SETTINGS, fixed=("segment",)))
    assert "segment_undated" in {caution.code for caution in undated.design.cautions}
    assert "segment_declared_fixed" in {caution.code for caution in fixed.design.cautions}
    assert "segment" not in undated.scores[0].sentence
    assert "segment" in fixed.scores[0].sentence


def test_the_order_of_the_lines_changes_no_figure() -> None:
    def figures(lines: list[Line]) -> str:
        document = json.loads(to_json(audit(lines, scores(recency(LINES)))))
        for kind in ("missed", "false_alarms"):
            for unit in document["scores"][0][kind]["units"]:
                unit["row"] = lines[unit["row"] - 2].day.isoformat()
        return json.dumps(document)

    assert figures(LINES) == figures(LINES[::-1])


def test_without_amounts_everything_but_money_is_told() -> None:
    table = replace(purchases(LINES), amount=None, currency=None)
    score = audit(table, scores(recency(LINES))).scores[0]
    assert score.verdict == "foretells"
    assert isinstance(score.primary.captured_arr, NoEstimate)
    assert "no amounts" in score.primary.captured_arr.reason
    assert "spend" not in score.sentence


def test_money_is_the_spend_of_the_year_before() -> None:
    score = audit(*CASES["recency"]).scores[0]
    captured = score.primary.captured_arr
    assert not isinstance(captured, NoEstimate)
    assert isinstance(captured.arr_alone, Estimate)
    assert captured.currency == "GBP"
    assert [name for name, _ in score.primary.test.others] == ["yearly spend alone"]


def test_purchases_dated_after_the_as_of_date_are_set_aside() -> None:
    as_of = date(2025, 1, 31)
    judged = judge(scores(recency(LINES)), purchases(LINES), replace(SETTINGS, as_of=as_of), "test")
    source = judged.sources[1]
    late = [line for line in LINES if line.day > as_of]
    assert [(rejection.code, len(rejection.rows)) for rejection in source.rejections] == [("after_as_of", len(late))]


def test_nothing_to_judge_is_refused_in_the_words_of_purchases() -> None:
    with pytest.raises(BadInput, match="has a purchase") as strangers:
        audit(LINES, scores([("someone else", FIRST, 1.0)]))
    assert "purchases.account" in str(strangers.value)
    with pytest.raises(BadInput, match="no purchase was made by the as-of date"):
        audit(LINES, scores(recency(LINES)), replace(SETTINGS, as_of=date(2020, 1, 1)))
    with pytest.raises(BadInput, match="purchases have no due dates"):
        audit(LINES, scores(recency(LINES)), replace(SETTINGS, design="renewal"))


def test_whoever_buys_only_after_the_as_of_date_is_in_no_figure() -> None:
    as_of = date(2024, 9, 30)
    draw = np.random.default_rng(8)
    customers = sorted({line.account for line in LINES})
    history = scores([(account, month, float(draw.normal())) for account in customers for month in month_starts(FIRST, LAST)])
    settings = replace(SETTINGS, as_of=as_of, detail="all")
    known = [line for line in LINES if line.day <= as_of]
    moved = known + [Line(account, as_of + timedelta(days=int(draw.integers(1, 200))), 1e6) for account in customers]
    whole = known + [line for line in LINES if line.day > as_of]
    first, second, third = (audit(lines, history, settings).scores[0] for lines in (whole, known, moved))
    assert len({line.account for line in known}) < len(customers)
    for name in ("verdict", "facts", "cautions", "gaming", "leak", "needed"):
        assert getattr(first, name) == getattr(second, name) == getattr(third, name), name
