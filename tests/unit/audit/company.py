"""Small companies as arrays: tables written out by hand, and a seeded random one whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.audit.terms import Terms, order_terms
from unspun.book.tables import OUTCOMES, UNDECIDED, Codes, Renewals, ScoreHistory, ScoreSeries, Source

Cells = Mapping[str, Sequence[str]]
Floats = NDArray[np.float64]
Tables = tuple[ScoreHistory, Renewals]
MISSING = "-"


def table(text: str) -> dict[str, list[str]]:
    """Columns of a table written as text, headings first."""
    heading, *rows = [line.split() for line in text.strip().splitlines()]
    return {name: list(cells) for name, cells in zip(heading, zip(*rows, strict=True), strict=True)}


def codes(cells: Sequence[str]) -> Codes:
    names = tuple(dict.fromkeys(cell for cell in cells if cell != MISSING))
    position = {name: i for i, name in enumerate(names)}
    return Codes(np.array([position.get(cell, -1) for cell in cells], dtype=np.int32), names)


def day(text: str) -> int:
    """Days since 1970-01-01."""
    return int(np.datetime64(text, "D").astype(np.int64))


def renewals(cells: Cells | str) -> Renewals:
    """Renewals from columns (or a table of them): account, due, outcome, and any of start, notice, known, before, after, ..."""
    given = table(cells) if isinstance(cells, str) else cells
    n = len(given["account"])
    return Renewals(
        source=_source("renewals", n),
        row=np.arange(2, n + 2),
        account=codes(given["account"]),
        due=_times(given["due"], "D"),
        outcome=np.array([UNDECIDED if cell == MISSING else OUTCOMES.index(cell) for cell in given["outcome"]], dtype=np.int8),
        amount_before=_numbers(given.get("before")),
        amount_after=_numbers(given.get("after")),
        currency=_maybe_codes(given, "currency"),
        term_start=_maybe_times(given, "start", "D"),
        notice=_maybe_times(given, "notice", "D"),
        outcome_known=_maybe_times(given, "known", "D"),
        segment=_maybe_codes(given, "segment"),
        owner=_maybe_codes(given, "owner"),
        parent=_maybe_codes(given, "parent"),
    )


def scores(cells: Cells | str) -> ScoreHistory:
    """Scores from columns: account, dated, value, and any of recorded, segment, owner, parent."""
    given = table(cells) if isinstance(cells, str) else cells
    n = len(given["account"])
    values = _numbers(given["value"])
    assert values is not None
    return ScoreHistory(
        source=_source("scores", n),
        row=np.arange(2, n + 2),
        account=codes(given["account"]),
        dated=_times(given["dated"], "us"),
        series=(ScoreSeries("score", values),),
        recorded=_maybe_times(given, "recorded", "us"),
        segment=_maybe_codes(given, "segment"),
        owner=_maybe_codes(given, "owner"),
        parent=_maybe_codes(given, "parent"),
    )


def terms(cells: Cells | str, as_of: str = "2026-06-30", score_parents: str = "") -> Terms:
    """Ordered terms of a table of renewals. `score_parents` is a table of account and parent in the scores file."""
    links = table(score_parents) if score_parents else {"account": ["nobody"]}
    n = len(links["account"])
    return order_terms(renewals(cells), scores({**links, "dated": ["2020-01-01"] * n, "value": ["1"] * n}), day(as_of), {}, None)


def random_company(
    seed: int, accounts: int = 500, strength: float = 1.2, term_days: int = 365, first: str = "2023-01-01", last: str = "2025-12-31"
) -> Tables:
    """Accounts renew term after term until they churn; a monthly score (higher is healthier) foretells it by `strength`.

    Churn also depends on the amount and the segment, which the baseline knows. Every row of the scores is recorded on its
    date; every outcome is known on its due date, and a term still running after `last` is open.
    """
    rng = np.random.default_rng(seed)
    health, amount = rng.normal(size=accounts), np.exp(rng.normal(9, 1, accounts)).round()
    small = rng.random(accounts) < 0.4
    rows: list[tuple[str, str, str, str, str, str]] = []
    for i in range(accounts):
        start = np.datetime64(first, "D") + int(rng.integers(-term_days, term_days))
        while (due := start + term_days) <= np.datetime64(last, "D"):
            churned = rng.random() < special.expit(-1.6 - strength * health[i] + 0.7 * small[i] - 0.3 * (np.log(amount[i]) - 9))
            outcome = "churned" if churned else str(rng.choice(["renewed", "contracted", "expanded"], p=[0.6, 0.2, 0.2]))
            rows.append((f"a{i}", str(start), str(due), outcome, str(due), str(amount[i])))
            if churned:
                break
            start = due
        else:
            rows.append((f"a{i}", str(start), str(due), MISSING, MISSING, str(amount[i])))
    account, begun, due, outcome, known, before = (list(cells) for cells in zip(*rows, strict=True))
    months = np.arange(np.datetime64(first, "M") - 12, np.datetime64(last, "M") + 1).astype("datetime64[D]")
    value = 50 + 15 * (health[:, None] + 0.7 * rng.normal(size=(accounts, len(months))))
    dated = [str(month) for month in months]
    history = scores(
        {
            "account": [f"a{i}" for i in range(accounts) for _ in dated],
            "dated": dated * accounts,
            "recorded": dated * accounts,
            "value": [repr(float(v)) for v in value.ravel().round(6)],
            "segment": [("small" if small[i] else "large") for i in range(accounts) for _ in dated],
        }
    )
    columns = {"account": account, "start": begun, "due": due, "outcome": outcome, "known": known, "before": before}
    return history, renewals(columns)


def _source(role: str, n: int) -> Source:
    return Source("scores" if role == "scores" else "renewals", f"{role}.csv", "0" * 64, "csv", n, {}, (), ())


def _times(cells: Sequence[str], unit: str) -> NDArray[np.datetime64]:
    return np.array(["NaT" if cell == MISSING else cell for cell in cells], dtype=f"datetime64[{unit}]")


def _maybe_times(given: Cells, name: str, unit: str) -> NDArray[np.datetime64] | None:
    return _times(given[name], unit) if name in given else None


def _maybe_codes(given: Cells, name: str) -> Codes | None:
    return codes(given[name]) if name in given else None


def _numbers(cells: Sequence[str] | None) -> Floats | None:
    return None if cells is None else np.array([np.nan if cell == MISSING else float(cell) for cell in cells], dtype=np.float64)
