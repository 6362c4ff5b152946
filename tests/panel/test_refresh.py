"""A panel made of what is kept of data files equals the panel made of all rows, whatever happened to the book in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.panel.histories import History, history
from tests.panel.random_metrics import random_metrics
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import Count, Distinct, Rows
from unspun.metrics.windows import Days
from unspun.warehouse import panel_state

SEEDS = range(5)
STEPS = 5
LOGINS = MetricSet((Metric("rows_28d", Count(Rows("events", None, Days(28)))), Metric("users", Distinct(Rows("events"), "user_id"))))


@pytest.fixture(autouse=True)
def _every_file_is_worth_keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel_state, "LEAST_ROWS", 1)


class _Held:
    """What the writer of metrics has to know of a book."""

    held = dict.fromkeys(("events", "purchases", "accounts"))


def check(told: History, metrics: MetricSet, what: str) -> panel_state.StateUse:
    """Both ways agree: with what is kept made now, or there already."""
    question = told.question(metrics, told.renewals() if told.random.random() < 0.2 else None)
    kept, use = told.of_kept(question)
    assert kept.equals(told.of_rows(question)), what
    return use


@pytest.mark.parametrize("seed", SEEDS)
def test_after_any_history_the_panel_of_what_is_kept_is_that_of_the_rows(tmp_path: Path, seed: int) -> None:
    with history(tmp_path, seed) as told:
        told.load("accounts", told.new_rows("accounts", 6))
        told.load("events", told.new_rows("events", 40))
        metrics = random_metrics(told.random, _Held(), 6)
        done, uses = list[str](), list[panel_state.StateUse]()
        for _ in range(STEPS):
            uses.append(check(told, metrics, f"{seed} {done}"))
            done.append(told.step())
            if told.random.random() < 0.3:
                metrics = random_metrics(told.random, _Held(), 6)
            if told.random.random() < 0.1:
                told.maker.zone = told.random.choice(("UTC", "Asia/Kathmandu"))
        uses.append(check(told, metrics, f"{seed} {done}"))
        assert told.keyed or any(use.rows_kept for use in uses)
