"""Merged histories for trials: exact series on the days that a trial looks at, behind whatever scores there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tests.unit.audit.company import codes
from unspun.audit.asking import TrialDays
from unspun.audit.evidence_result import Subject
from unspun.book.tables import Codes, ScoreHistory, ScoreSeries

Floats = NDArray[np.float64]


def panel_days(days: TrialDays) -> list[tuple[str, date]]:
    """(account, day) of every row of the panel in the renewal design: each horizon before each due date."""
    dues = np.array([due for _, due in days.dues], dtype="datetime64[D]")
    return [
        (account, looked_at)
        for horizon in days.horizons
        for (account, _), looked_at in zip(days.dues, (dues - horizon).tolist(), strict=True)
    ]


def with_panel(
    history: ScoreHistory, rows: list[tuple[str, date]], columns: Mapping[str, Floats], score: str = "score/health"
) -> ScoreHistory:
    """The history's own series under the key `score`, and behind its rows the panel's, all of whose series share one rows array."""
    n, more = len(history.row), len(rows)
    panel = np.arange(n, n + more)
    names = [history.account.names[code] for code in history.account.codes] + [account for account, _ in rows]
    own = ScoreSeries(score, history.series[0].values, np.arange(n))
    exact = tuple(ScoreSeries(key, values, panel, exact=True) for key, values in columns.items())
    looked_at = np.array([day for _, day in rows], dtype="datetime64[us]")
    recorded = history.recorded
    return replace(
        history,
        source=replace(history.source, rows_read=n + more),
        row=np.arange(2, n + more + 2),
        account=codes(names),
        dated=np.concatenate([history.dated, looked_at]),
        series=(own, *exact),
        recorded=None if recorded is None else np.concatenate([recorded, np.full(more, np.datetime64("NaT"), dtype=recorded.dtype)]),
        segment=_longer(history.segment, more),
        owner=_longer(history.owner, more),
        parent=_longer(history.parent, more),
    )


def subject(key: str, *, direction_declared: bool = True, missing: Codes | None = None) -> Subject:
    """A subject by its key; the part before the slash is its kind."""
    kinds = {"metric": "metric", "score": "score", "health": "health score", "survey": "survey", "forecast": "forecast"}
    kind = kinds[key.split("/")[0]]
    return Subject(key, kind, key.split("/")[1], direction_declared=direction_declared, missing=missing)  # pyright: ignore[reportArgumentType]


def _longer(given: Codes | None, more: int) -> Codes | None:
    return None if given is None else Codes(np.append(given.codes, np.full(more, -1, dtype=np.int32)), given.names)
