"""What the optional files must not do: compare unlike currencies, disown rows that are used, or miss what was declared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.audit.company import Tables, codes, random_company
from tests.unit.audit.test_extras import MONTHLY, SETTINGS, YEARLY, accounts, audited, forecasts_of
from unspun.audit.judge import judge
from unspun.audit.result import Description, ListedUnit
from unspun.book.extras import NOTHING_ELSE, Extras
from unspun.book.tables import Purchases, Source


def in_two_currencies(made: Tables) -> Tables:
    """Every second account pays in yen, a hundred and fifty times the number."""
    scores, renewals = made
    assert renewals.amount_before is not None
    yen = renewals.account.codes % 2 == 1
    amount = renewals.amount_before * np.where(yen, 150.0, 1.0)
    return scores, replace(renewals, amount_before=amount, currency=codes(["JPY" if one else "EUR" for one in yen.tolist()]))


def test_amounts_in_unlike_currencies_are_not_ranked_against_one_another() -> None:
    def names(made: Tables) -> list[str]:
        return [one.name for one in audited(made).result.scores[0].primary.test.beside]

    assert names(YEARLY) == ["ARR alone"]
    assert names(in_two_currencies(YEARLY)) == []
    rates = {"currency_rates": {"JPY": 1 / 150}, "reporting_currency": "EUR"}
    converted = audited(in_two_currencies(YEARLY), **rates).result.scores[0].primary.test.beside[0]
    first = audited(YEARLY).result.scores[0].primary.test.beside[0]
    assert (converted.auc, converted.difference) == (first.auc, first.difference)


def listed(made: Tables) -> tuple[ListedUnit, ...]:
    found = audited(made, detail="all").result.scores[0].description
    assert isinstance(found, Description)
    return found.missed.units


def test_lists_of_the_largest_take_the_largest_of_each_currency_where_they_are_mixed() -> None:
    made = random_company(5, accounts=900, strength=0.3)
    mixed = listed(in_two_currencies(made))
    of = {name: [one.amount for one in mixed if one.currency == name] for name in ("EUR", "JPY")}
    assert len(of["EUR"]) == len(of["JPY"]) == len(mixed) / 2 > 5
    assert all(amounts == sorted(amounts, key=lambda amount: -(amount or 0)) for amounts in of.values())
    amounts = [one.amount or 0 for one in listed(made)]
    assert amounts == sorted(amounts, reverse=True)


def set_aside_of_calls(made: Tables) -> dict[str, int]:
    forecasts = forecasts_of(made)
    assert forecasts.due is not None
    away = replace(forecasts, due=forecasts.due + 40)
    report = audited(made, Extras(forecasts=away)).result.inputs[-1]
    return {one.reason: one.n for one in report.set_aside}


def test_a_call_about_a_window_is_used_whether_or_not_anything_is_due_near_the_day_it_names() -> None:
    assert any("within 31 days" in reason for reason in set_aside_of_calls(YEARLY))
    assert not any("within 31 days" in reason for reason in set_aside_of_calls(MONTHLY))


def test_whether_a_call_on_a_customer_is_used_does_not_hang_on_what_the_customer_buys_later() -> None:
    scores, renewals = MONTHLY
    days = renewals.due.astype("datetime64[D]")
    source = Source("purchases", "purchases.csv", "0" * 64, "CSV", len(days), {}, (), ())
    bought = Purchases(source, renewals.row, renewals.account, days)
    extras = Extras(forecasts=replace(forecasts_of(MONTHLY), due=days[: len(forecasts_of(MONTHLY).made)] + 45))
    report = judge(scores, bought, replace(SETTINGS, horizons=(30,), primary_horizon=30), "test", extras=extras).result.inputs[-1]
    assert {one.reason for one in report.set_aside} <= {"made after the as-of date"}


@pytest.mark.parametrize("written", ["Segment", "SEGMENT", " segment "])
def test_the_segment_is_declared_fixed_however_it_is_written(written: str) -> None:
    scores, renewals = replace(YEARLY[0], segment=None), YEARLY[1]
    names = list(renewals.account.names)
    segment = [f"s{i % 3}" for i in range(len(names))]
    theirs = replace(renewals, segment=codes([segment[i] for i in renewals.account.codes]))
    for table, extras in ((theirs, NOTHING_ELSE), (renewals, Extras(accounts(names, segment=segment)))):
        exact, other = (audited((scores, table), extras, fixed=(name,)).result for name in ("segment", written))
        assert exact.scores == other.scores
        assert exact.design.cautions == other.design.cautions
        assert exact.scores[0].primary.test != audited((scores, table), extras).result.scores[0].primary.test
