"""A forecast as it is published, and as a later record reads it back: groups one by one, renewals as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

from unspun.app.evidence.figures import json_values
from unspun.app.figure_columns import FigureColumns, columns_from_json
from unspun.app.publication import FigureSet, value_record
from unspun.app.risk.inputs import RiskInputs
from unspun.app.risk.models import metrics_sha256
from unspun.app.risk.published import figures_on
from unspun.risk.forecast.record_periods import PastForecast, SaidOfPeriod
from unspun.risk.forecast.result import (
    AmountRatios,
    ArrFan,
    Forecast,
    GroupForecast,
    MaybePredicted,
    MoneyForecast,
    PeriodQuantity,
    Predicted,
    RenewalForecast,
)
from unspun.risk.rows import OUTCOMES4
from unspun.stats.estimate import Estimate, NoEstimate

FORECAST = "forecast"
TOTAL, FAN, SHOCK, RATIO = "total", "fan", "shock", "ratio"
NO_CURRENCY, NOT_STATED = "no currency", "(not stated)"
LATE_DAYS = 31  # a forecast entered in the ledger later than this after its as-of day is a replay
PERIOD_MONEY: tuple[PeriodQuantity, ...] = ("grr", "nrr")


def forecast_figures(inputs: RiskInputs, result: Forecast, book_check: Mapping[str, Any] | None = None) -> FigureSet:
    """The figures of a forecast, with all that is needed to make it again."""
    return figures_on(
        inputs,
        kind=FORECAST,
        question={
            "basis": inputs.basis.to_json(),
            "metrics_sha256": metrics_sha256(inputs),
            "model_entry": result.model_version,
            "months": result.months,
            "paths": result.paths,
            "seed": result.seed,
            "replayed": result.replayed,
            "as_of": result.as_of.isoformat(),
        },
        figures=tuple(json_values(list(_figures(result)))),
        book_check=book_check,
        columns=columns_from_json(json_values([_columns(result.renewals).to_json()])[0]),
        as_of=result.as_of,
    )


def every_group(result: Forecast) -> Iterator[GroupForecast]:
    """All groups, the total first."""
    yield result.total
    for groups in (result.by_month, result.by_quarter, result.by_segment, result.by_owner):
        yield from groups


def group_name(group: GroupForecast) -> str:
    """What the figures of a group are named after: "total", "month/2026-11", "owner/NAME"."""
    return TOTAL if group.kind == "all" else f"{group.kind}/{group.name or NOT_STATED}"


def _figures(result: Forecast) -> Iterator[dict[str, Any]]:
    for group in every_group(result):
        name = group_name(group)
        yield {"name": name, "label": f"{_label(group)}: renewals", "unit": "renewals", "value": _fields(group, ("kind", "name", "money"))}
        for one in group.money:
            label = f"{_label(group)}: what becomes of the ARR due"
            value = _fields(one, ("currency",))
            yield {"name": f"{name}/{one.currency or NO_CURRENCY}", "label": label, "unit": one.currency, "value": value}
    for fan in result.fans:
        yield {
            "name": f"{FAN}/{fan.currency or NO_CURRENCY}",
            "label": "ARR of today's customers",
            "unit": fan.currency,
            "value": _fan(fan),
        }
    for shock in result.shocks:
        value = {**value_record(shock.deviation), "groups": shock.groups}
        yield {"name": f"{SHOCK}/{shock.name}", "label": f"shared deviation: {shock.name}", "unit": "log odds", "value": value}
    for ratio in result.ratios:
        yield {
            "name": f"{RATIO}/{ratio.outcome}",
            "label": f"ARR after over before: {ratio.outcome}",
            "unit": "ratio",
            "value": _fields(ratio),
        }


def _label(group: GroupForecast) -> str:
    return "all renewals due" if group.kind == "all" else f"{group.kind} {group.name or NOT_STATED}"


def _fields(value: GroupForecast | MoneyForecast | AmountRatios, without: tuple[str, ...] = ()) -> dict[str, Any]:
    return {one.name: _plain(getattr(value, one.name)) for one in fields(value) if one.name not in without}


def _plain(value: object) -> Any:
    if isinstance(value, Estimate | NoEstimate):
        return value_record(value)
    if isinstance(value, Predicted):
        return {one.name: getattr(value, one.name) for one in fields(value)}
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _fan(fan: ArrFan) -> dict[str, Any]:
    points = [{"day": one.day.isoformat(), "mean": one.mean, "quantiles": list(one.quantiles)} for one in fan.points]
    return {"opening": str(fan.opening), "points": points, "grr": _plain(fan.grr), "nrr": _plain(fan.nrr)}


def _columns(renewals: tuple[RenewalForecast, ...]) -> FigureColumns:
    told = ("status", "lead_days", "segment", "owner", "currency", "expected_arr", "expected_later")
    beside: dict[str, tuple[Any, ...]] = {name: tuple(getattr(one, name) for one in renewals) for name in told}
    beside["arr"] = tuple(None if one.arr is None else str(one.arr) for one in renewals)
    for place, name in enumerate(OUTCOMES4):
        beside[name] = tuple(None if one.probabilities is None else round(one.probabilities[place], 6) for one in renewals)
    return FigureColumns(tuple(one.account for one in renewals), tuple(one.due for one in renewals), {}, beside)


# Read back


def past_forecast(entry: int, made_on: date, figures: FigureSet) -> PastForecast:
    """A published forecast as the record needs it. One made later than a month after its as-of day counts as replayed."""
    columns = figures.columns
    assert columns is not None  # forecasts always have them
    running: dict[str, date] = {}
    for account, due in zip(columns.account, columns.due, strict=True):
        running[account] = min(due, running.get(account, due))
    fans = {one["unit"]: one["value"] for one in figures.figures if one["name"].startswith(f"{FAN}/")}
    return PastForecast(
        entry=entry,
        as_of=figures.as_of,
        made_on=made_on,
        replayed=(made_on - figures.as_of).days > LATE_DAYS,
        model_version=figures.question["model_entry"],
        running=running,
        opening={currency: float(fan["opening"]) for currency, fan in fans.items()},
        periods=tuple(_periods(figures, fans)),
    )


def _periods(figures: FigureSet, fans: Mapping[str, Any]) -> Iterator[SaidOfPeriod]:
    by_name = {one["name"]: one for one in figures.figures}
    for name, one in by_name.items():
        parts = name.split("/")
        if parts[0] != "quarter" or len(parts) != 2:
            continue
        said: dict[tuple[PeriodQuantity, str], MaybePredicted] = {("churned", ""): _predicted(one["value"]["churned"])}
        for money in (other for key, other in by_name.items() if key.startswith(f"{name}/")):
            said |= {(quantity, money["unit"]): _predicted(money["value"][quantity]) for quantity in PERIOD_MONEY}
        last = one["value"]["last"]
        for currency, fan in fans.items():
            point = next((one for one in fan["points"] if one["day"] == last), None)
            said |= {} if point is None else {("arr", currency): _of_fan(point)}
        known = {key: value for key, value in said.items() if isinstance(value, Predicted)}
        yield SaidOfPeriod(parts[1], date.fromisoformat(one["value"]["first"]), date.fromisoformat(last), known)


def _predicted(value: Mapping[str, Any]) -> MaybePredicted:
    return NoEstimate(value["reason"], value["what_it_would_take"]) if "reason" in value else Predicted(**value)


def _of_fan(point: Mapping[str, Any]) -> Predicted:
    low_95, low_80, _, median, _, high_80, high_95 = point["quantiles"]
    return Predicted(point["mean"], median, low_80, high_80, low_95, high_95)
