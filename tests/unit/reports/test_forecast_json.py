"""A forecast and the record as JSON and CSV: the schemas, what is missing and why, nothing lost or made up on the way."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.unit.reports import forecast_record_sample as records
from tests.unit.reports import forecast_sample as sample
from unspun.reports.forecast_json import forecast_schema, record_schema, schema_reference, to_document, to_json
from unspun.reports.forecast_rows import groups_csv, misses_csv, outcomes_csv, record_csv, renewals_csv
from unspun.risk.forecast.result import FAN_QUANTILES, Forecast, ForecastRecord, Predicted

FORECASTS: dict[str, Callable[[], Forecast]] = {
    "two currencies": lambda: sample.forecast(("USD", "EUR"), n=40),
    "refused": lambda: sample.forecast(n=40, refused=True),
    "nothing due": sample.nothing_due,
}
RECORDS: dict[str, Callable[[], ForecastRecord]] = {
    "five forecasters": records.record,
    "calls in words": lambda: records.record(words=True),
    "few": lambda: records.record(few=True),
    "nothing said": records.nothing_said,
}


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", FORECASTS)
def test_every_forecast_fits_its_schema_and_gives_the_same_bytes_again(name: str) -> None:
    text = to_json(FORECASTS[name]())
    Draft202012Validator(forecast_schema()).validate(json.loads(text))
    assert text == to_json(FORECASTS[name]())


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_fits_its_schema_and_gives_the_same_bytes_again(name: str) -> None:
    text = to_json(RECORDS[name]())
    Draft202012Validator(record_schema()).validate(json.loads(text))
    assert text == to_json(RECORDS[name]())


def test_a_document_with_a_field_too_many_or_too_few_does_not_fit() -> None:
    document = to_document(sample.forecast(n=10))
    fits = Draft202012Validator(forecast_schema()).is_valid
    assert fits(document)
    assert not fits({**document, "entry": 7})
    assert not fits({name: value for name, value in document.items() if name != "fans"})
    assert not fits(to_document(records.record()))


@pytest.mark.parametrize("schema", [forecast_schema, record_schema])
def test_the_schemas_are_schemas_and_describe_every_field(schema: Callable[[], dict[str, Any]]) -> None:
    Draft202012Validator.check_schema(schema())
    held = [schema(), *schema()["$defs"].values()]
    assert [name for record in held for name, field in record["properties"].items() if not field.get("description")] == []


def test_the_reference_page_on_file_is_that_in_force_and_tells_each_record_once(root: Path) -> None:
    page = schema_reference()
    assert (root / "docs/reference/forecast-json.md").read_text("utf-8") == page
    heads = [line for line in page.splitlines() if line.startswith("## ")]
    told = {*forecast_schema()["$defs"], *record_schema()["$defs"], "forecast", "forecast_record"}
    assert len(heads) == len(set(heads)) and {head[3:] for head in heads} == told


def test_sums_that_are_exact_keep_their_cents_and_the_parts_add_up_to_the_whole() -> None:
    document = to_document(sample.forecast(("USD", "EUR")))
    whole = {one["currency"]: Decimal(one["arr_due"]) for one in document["total"]["money"]}
    for currency, due in whole.items():
        for kind in ("by_month", "by_quarter", "by_segment", "by_owner"):
            parts = [Decimal(one["arr_due"]) for group in document[kind] for one in group["money"] if one["currency"] == currency]
            assert sum(parts) == due
        assert sum(Decimal(one["arr"]) for one in document["renewals"] if one["currency"] == currency) == due


def test_what_is_not_forecast_is_null_with_why_and_what_it_would_take() -> None:
    document = to_document(sample.forecast(refused=True))
    assert document["refused"] == sample.REFUSED.reason and document["fans"] == []
    money = document["total"]["money"][0]
    for name in ("churned", "contraction", "expansion", "renewed", "grr", "nrr"):
        assert money[name] is None
        assert money[f"{name}_reason"] == f"{sample.REFUSED.reason}. It would take: {sample.REFUSED.what_it_would_take}."
    assert document["renewals"][5]["p_churn"] is None and document["renewals"][5]["arr"] is not None


def test_each_renewal_keeps_its_own_probabilities() -> None:
    result = sample.forecast()
    for held, one in zip(to_document(result)["renewals"], result.renewals, strict=True):
        assert one.probabilities is not None and held["account"] == one.account
        assert [held[f"p_{name}"] for name in ("churn", "contraction", "flat", "expansion")] == pytest.approx(one.probabilities, rel=1e-9)


def test_a_fan_s_point_has_a_field_for_each_quantile() -> None:
    result = sample.forecast()
    last = to_document(result)["fans"][0]["points"][-1]
    held = [last[f"q{1000 * share:04.0f}"] for share in FAN_QUANTILES]
    assert held == sorted(held) == [pytest.approx(value, rel=1e-9) for value in result.fans[0].points[-1].quantiles]


def test_a_row_for_every_renewal_with_cells_that_a_spreadsheet_does_not_run() -> None:
    result = sample.forecast()
    rows = rows_of(renewals_csv(result))
    assert [row["due"] for row in rows] == [one.due.isoformat() for one in result.renewals]
    assert rows[0]["account"] == """'=HYPERLINK("http://x")""" and rows[0]["p_churn"] == "1"
    assert {row["segment"] for row in rows} == {"Enterprise", "Mid-market", "'=Small & <b>very</b> small customers", ""}
    for row, one in zip(rows, result.renewals, strict=True):
        assert one.probabilities is not None
        assert [float(row[name]) for name in ("p_churn", "p_contraction", "p_flat", "p_expansion")] == pytest.approx(one.probabilities)
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())


def test_without_a_forecast_the_rows_have_empty_probabilities_and_the_figures_their_reason() -> None:
    result = sample.forecast(refused=True)
    assert {row["p_churn"] for row in rows_of(renewals_csv(result))} == {""}
    told = [row for row in rows_of(groups_csv(result, 23)) if row["quantity"] == "grr"]
    assert {(row["expected"], row["reason"]) for row in told} == {("", sample.REFUSED.reason)}


def test_the_figures_hold_every_number_of_every_group() -> None:
    result = sample.forecast(("USD", "EUR"))
    rows = {(row["group"], row["name"], row["currency"], row["quantity"]): row for row in rows_of(groups_csv(result, 23))}
    for group in (result.total, *result.by_month, *result.by_quarter):
        for money in group.money:
            said = rows[group.kind, group.name, money.currency, "grr"]
            assert isinstance(money.grr, Predicted)
            assert (float(said["expected"]), float(said["low_95"])) == pytest.approx((money.grr.mean, money.grr.low_95))
            assert rows[group.kind, group.name, money.currency, "arr_due"]["expected"] == str(money.arr_due)
    assert (
        rows["month", "2026-03", "EUR", "nrr"]["figure"] == "23/month/2026-03/EUR"
        and rows["all", "", "", "churned"]["figure"] == "23/total"
    )


def test_the_record_s_rows_say_who_at_which_lead_and_why_not() -> None:
    rows = rows_of(record_csv(records.record(words=True), 23))
    of_owners = [row for row in rows if row["forecaster"] == records.CSM and row["lead_days"] == "90"]
    assert {row["quantity"] for row in of_owners if row["value"]} == {"auc"}
    assert {row["reason"] for row in of_owners if row["quantity"] == "brier"} == {records.WORDS.reason}


def test_what_was_said_and_what_came_stand_in_one_row() -> None:
    record = records.record()
    rows = rows_of(outcomes_csv(record))
    said = [one for shot in record.snapshots for one in shot.outcomes]
    assert len(rows) == len(said) > 20
    for row, one in zip(rows, said, strict=True):
        inside = one.predicted.low_95 <= one.actual <= one.predicted.high_95
        assert (row["within_95"], float(row["came"])) == ("yes" if inside else "no", one.actual)


def test_a_surprise_tells_what_each_forecaster_had_said_and_is_empty_where_it_had_said_nothing() -> None:
    record = records.record()
    rows = rows_of(misses_csv(record))
    for row, miss in zip(rows, record.misses, strict=True):
        assert [name for name in ("model", records.CSM) if row[f"said by {name}"]] == [
            n for n in ("model", records.CSM) if n in miss.stated
        ]
