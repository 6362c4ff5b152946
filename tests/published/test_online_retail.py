"""The tutorial on the UCI Online Retail data: units, outcomes and AUC recomputed with pandas and scikit-learn, and its page's figures."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from unspun.audit.judge import Judged, judge
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import Bands, CapturedArr, Description, ScoreResult
from unspun.book.purchases import read_purchases
from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions
from unspun.reports.result_json import to_json
from unspun.stats.estimate import Estimate, NoEstimate

HORIZON = pd.Timedelta(days=90)
YEAR = pd.Timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Tutorial:
    """The script's scores, the audit of them, and the page."""

    lines: Path
    scores: Path
    judged: Judged
    page: str

    def score(self, name: str) -> ScoreResult:
        return next(score for score in self.judged.result.scores if score.name == name)


@pytest.fixture(scope="module")
def tutorial(shared_data: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Tutorial:
    lines, scores = shared_data / "online_retail" / "onlineretail.parquet", tmp_path_factory.mktemp("repurchase") / "scores.csv"
    make_scores: Callable[[str, str], None] = runpy.run_path(str(root / "docs" / "tutorials" / "repurchase.py"))["main"]
    make_scores(str(lines), str(scores))
    reading = ReadingOptions()
    settings = AuditSettings(primary_horizon=90, direction={"recency": "lower"})
    judged = judge(read_scores(str(scores), reading), read_purchases(str(lines), reading), settings, "test")
    return Tutorial(lines, scores, judged, (root / "docs" / "tutorials" / "repurchase.md").read_text())


@pytest.fixture(scope="module")
def units(tutorial: Tutorial) -> pd.DataFrame:
    """Every judged unit by pandas: customer, t, lapsed, spend, recency, frequency."""
    lines = pq.read_table(tutorial.lines).to_pandas()
    bought = lines[lines.CustomerID.notna() & (lines.Quantity > 0)].assign(amount=lambda d: d.Quantity * d.UnitPrice)
    bought["day"] = bought.InvoiceDate.dt.floor("D")
    days = bought.groupby(["CustomerID", "day"], as_index=False).amount.sum()
    last = days.day.max()
    found = []
    for t in pd.date_range("2010-12-01", last - HORIZON, freq="MS"):
        past = (
            days[(days.day > t - YEAR) & (days.day <= t)]
            .groupby("CustomerID")
            .agg(last=("day", "max"), frequency=("day", "size"), spend=("amount", "sum"))
        )
        again = days[(days.day > t) & (days.day <= t + HORIZON)].CustomerID.unique()
        found.append(past.assign(t=t, lapsed=~past.index.isin(again), recency=(t - past["last"]).dt.days).reset_index())
    return pd.concat(found, ignore_index=True)


def shown(estimate: object) -> str:
    assert isinstance(estimate, Estimate)
    return f"{estimate.point:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def test_the_units_and_their_outcomes_are_those_of_pandas(tutorial: Tutorial, units: pd.DataFrame) -> None:
    primary = tutorial.score("recency").primary
    assert (primary.n, primary.n_churned) == (len(units), int(units.lapsed.sum()))
    split = primary.split
    assert not isinstance(split, NoEstimate)
    test = units[units.t >= pd.Timestamp(split.first_test_as_of)]
    known = units[units.t + HORIZON < pd.Timestamp(split.first_test_as_of)]
    assert (split.n_test, split.n_test_churned) == (len(test), int(test.lapsed.sum()))
    assert (split.n_train, split.n_train_churned) == (len(known), int(known.lapsed.sum()))


def test_the_auc_of_recency_is_that_of_scikit_learn(tutorial: Tutorial, units: pd.DataFrame) -> None:
    primary = tutorial.score("recency").primary
    assert isinstance(primary.auc, Estimate)
    assert primary.auc.point == pytest.approx(roc_auc_score(units.lapsed, units.recency), abs=1e-12)
    assert isinstance(primary.test.auc, Estimate)
    test = units[units.t >= "2011-07-01"]
    assert primary.test.auc.point == pytest.approx(roc_auc_score(test.lapsed, test.recency), abs=1e-12)


def test_the_spend_that_lapses_in_the_test_is_that_of_pandas(tutorial: Tutorial, units: pd.DataFrame) -> None:
    captured = tutorial.score("mix").primary.captured_arr
    assert isinstance(captured, CapturedArr)
    assert captured.churned_arr == pytest.approx(units[(units.t >= "2011-07-01") & units.lapsed].spend.sum(), rel=1e-9)


def test_the_scores_of_the_script_use_nothing_after_their_date(tutorial: Tutorial, units: pd.DataFrame) -> None:
    made = pd.read_csv(tutorial.scores, parse_dates=["date"])
    both = units.merge(made, left_on=["CustomerID", "t"], right_on=["account", "date"], suffixes=("", "_made"), how="left")
    np.testing.assert_array_equal(both.recency, both.recency_made)
    np.testing.assert_array_equal(both.frequency, both.frequency_made)


def test_the_page_states_the_verdicts_and_figures_seen(tutorial: Tutorial) -> None:
    for name in ("recency", "frequency", "mix"):
        score = tutorial.score(name)
        test = score.primary.test
        assert isinstance(test.auc_both, Estimate)
        assert isinstance(test.auc_baseline, Estimate)
        row = f"| `{name}` | {shown(test.auc)} | {test.auc_both.point:.3f} | {shown(test.gain)} | {score.verdict} |"
        assert row in tutorial.page
        assert f"alone has an AUC of {test.auc_baseline.point:.3f}." in tutorial.page


def test_the_page_states_the_counts_seen(tutorial: Tutorial) -> None:
    result = tutorial.judged.result
    file = result.inputs[1]
    text = re.sub(r"\s+", " ", tutorial.page)
    without, returns = (entry.n for entry in file.set_aside)
    assert f"{file.rows_read:,} rows read = {file.rows_used:,} used + {without:,} without an account + {returns:,} returns" in text
    assert f"{result.design.n_renewals:,} purchases of {result.design.n_accounts:,} customers" in text
    months, censored, judged = (n for _, n in tutorial.score("mix").primary.flow[:3])
    lapsed = dict(result.design.outcomes)["lapsed"]
    assert f"{months:,} active customer-months, of which {-censored:,} are not over and {judged:,} are judged. {lapsed:,} of these" in text
    test = tutorial.score("mix").primary.test
    assert f"{test.n:,} of them, {test.n_churned:,} lapsed" in text


def test_the_page_states_the_money_and_bands_seen(tutorial: Tutorial, units: pd.DataFrame) -> None:
    text = re.sub(r"\s+", " ", tutorial.page)
    mix = tutorial.score("mix")
    captured = mix.primary.captured_arr
    assert isinstance(captured, CapturedArr)

    def percents(estimate: object) -> str:
        assert isinstance(estimate, Estimate)
        return f"{estimate.point:.0%} ({estimate.low * 100:.0f} to {estimate.high:.0%})".replace("%", " %")

    assert isinstance(captured.score, Estimate)
    assert isinstance(captured.random, Estimate)
    assert f"reaches {captured.score.point * 100:.1f} % of the yearly spend" in text
    assert f"at random ({captured.random.point * 100:.1f} %)" in text
    assert f"The 20 largest reach {percents(captured.arr_alone)}, risk times spend {percents(captured.score_times_arr)}" in text
    assert isinstance(mix.description, Description)
    bands = mix.description.bands
    assert isinstance(bands, Bands)
    worst, _, best = bands.rows
    assert isinstance(worst.left, Estimate)
    assert isinstance(best.left, Estimate)
    assert f"Of the worst third by `mix` {worst.left.point * 100:.0f} % lapse, of the best third {best.left.point * 100:.0f} %" in text
    cancelled = units[(units.CustomerID == 12346) & (units.t >= "2011-07-01")]
    assert cancelled.lapsed.all()
    assert f"alone is {cancelled.spend.sum() / captured.churned_arr * 100:.0f} % of the spend that lapses" in text


def test_no_text_of_the_result_speaks_of_churn_or_renewals(tutorial: Tutorial) -> None:
    def texts(node: object) -> list[str]:
        inner = list(node.values()) if isinstance(node, dict) else node
        return [text for part in inner for text in texts(part)] if isinstance(inner, list) else [str(inner)]

    said = texts(json.loads(to_json(tutorial.judged.result)))
    assert not [text for text in said if re.search(r"churn|renew|\bARR\b", text, re.IGNORECASE)]
    assert "repurchased" in json.loads(to_json(tutorial.judged.result))["design"]["outcomes"]
