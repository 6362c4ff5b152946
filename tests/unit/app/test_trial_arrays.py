"""The arrays of a trial: rows by account and day, months of customers, the merged history, and settings as plain values."""

from __future__ import annotations

import json
from datetime import date
from typing import cast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unspun.app.evidence.inputs import settings_from_json, settings_to_json
from unspun.app.trial.book import Statements
from unspun.app.trial.history import HistoryMaker
from unspun.app.trial.panel import ActivePairs, TrialPanel, rows_at
from unspun.app.trial.scores import Called, RecordedScore
from unspun.audit.protocol import AuditSettings
from unspun.audit.terms import Terms
from unspun.audit.units import ActiveMonths
from unspun.book.tables import Codes
from unspun.warehouse.read import BookReader

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 12)), max_size=30)
NAMES = tuple("abcdef")


class Catalog:
    """A book without files."""

    def source_files(self) -> tuple[()]:
        return ()


class Version:
    digest = "of the book"


class Reader:
    catalog, version = Catalog(), Version()


def panel_of(pairs: list[tuple[int, int]]) -> TrialPanel:
    found = sorted(set(pairs))
    return TrialPanel(NAMES, np.array([a for a, _ in found], np.int64), np.array([d for _, d in found], np.int64))


@given(PAIRS, PAIRS)
def test_a_row_is_found_by_its_account_and_day_whatever_the_other_side_calls_its_accounts(
    held: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    panel, other = panel_of(held), ("z", *reversed(NAMES))
    account = np.array([other.index(NAMES[a]) for a, _ in asked], np.int64)
    found = rows_at(panel, other, account, np.array([d for _, d in asked], np.int64))
    place = {pair: row for row, pair in enumerate(sorted(set(held)))}
    assert found.tolist() == [place.get(pair, -1) for pair in asked]
    assert rows_at(panel, other, np.zeros(1, np.int64), np.zeros(1, np.int64)).tolist() == [-1], "z is in no row"


@given(PAIRS, PAIRS)
def test_months_of_customers_are_those_pairs_and_no_others(active: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    nothing = np.zeros(len(active), np.int64)
    months = ActiveMonths(
        np.array([a for a, _ in active], np.int64), np.array([d for _, d in active], np.int64), nothing, np.zeros(len(active), np.float64)
    )

    class Named:
        account_names = NAMES

    pairs = ActivePairs(cast("Terms", Named()), months)
    accounts, code = np.array([a for a, _ in asked], np.int64), np.array([d for _, d in asked], np.int64)
    assert pairs(NAMES, accounts, code).tolist() == [pair in set(active) for pair in asked]
    assert len(pairs) == len(set(active))


def test_the_parts_of_a_history_keep_their_rows_days_and_values() -> None:
    maker = HistoryMaker(cast("BookReader", Reader()))
    day = np.array([10, 20, 10], np.int64)
    maker.add_panel(TrialPanel(("b", "d"), np.array([0, 0, 1]), day), {"metric/m": np.array([1.0, np.nan, 3.0])})
    stamps = np.array([11, 12], "datetime64[D]").astype("datetime64[us]")
    late = np.array(["NaT", "1970-02-01"], "datetime64[us]")
    own = Codes(np.array([1, 0], np.int32), ("a", "d"))
    maker.add_score(
        "score/s", RecordedScore("s", own, stamps, late, np.array([5.0, 6.0]), (), own, (np.zeros(2, np.int64), np.array([7, 8])))
    )
    maker.add_calls("forecast/f", Called(np.array([2]), np.array([9]), np.array([0.5]), ()), ("x", "y", "b"))
    tiers = {"segment": Codes(np.array([0], np.int32), ("Large",)), "owner": Codes(np.array([-1], np.int32), ())}
    maker.add_statements(
        Statements(Codes(np.zeros(1, np.int32), ("c",)), stamps[:1], stamps[:1], (np.zeros(1, np.int64), np.ones(1, np.int64)), tiers)
    )
    history = maker.history(("forecast/f", "score/s", "metric/m"))
    assert [one.name for one in history.series] == ["forecast/f", "score/s", "metric/m"]
    assert [one.exact for one in history.series] == [True, False, True]
    rows = [history.account.names[code] + str(at)[8:10] for code, at in zip(history.account.codes, history.dated.astype(str), strict=True)]
    assert rows == ["b11", "b21", "d11", "d12", "a13", "b10", "c12"]
    for one in history.series:
        assert one.rows is not None
        assert len(one.rows) == len(one.values)
    assert [one.rows.tolist() for one in history.series if one.rows is not None] == [[5], [3, 4], [0, 1, 2]]
    assert history.recorded is not None
    assert np.isnat(history.recorded).tolist() == [True, True, True, True, False, True, False]
    assert history.segment is not None
    assert (history.segment.codes.tolist(), history.owner) == ([-1] * 6 + [0], None)
    assert history.set_by is not None
    assert [history.set_by.names[code] if code >= 0 else "" for code in history.set_by.codes] == ["", "", "", "d", "a", "", ""]


def test_settings_come_back_from_their_plain_values_as_they_were() -> None:
    settings = AuditSettings(
        design="landmark", horizons=(30, 90), primary_horizon=90, capacity=7, direction={"metric/m": "lower"}, thresholds=(0.5, 2.0),
        fixed=("region",), as_of=date(2026, 1, 31), currency_rates={"EUR": 1.1}, reporting_currency="USD", rates_dated=date(2026, 1, 1),
        active_days=100, seed=5, detail="all", reviews=(date(2025, 3, 31), date(2025, 6, 30)), replicates=3,
    )  # fmt: skip
    plain = json.loads(json.dumps(settings_to_json(settings)))
    assert settings_from_json(plain) == settings
    assert settings_from_json({}) == AuditSettings()
    assert set(plain) == {*AuditSettings.__dataclass_fields__}
