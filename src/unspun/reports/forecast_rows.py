"""The rows of a forecast and of its record as CSV: cells safe in a spreadsheet, an empty cell is a missing value."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from unspun.reports.document import SIGNIFICANT_DIGITS
from unspun.reports.forecast_record_claims import figure_name as record_figure
from unspun.reports.forecast_words import figure_name
from unspun.reports.row_files import harmless
from unspun.risk.forecast.result import Forecast, ForecastRecord, GroupForecast, MaybePredicted, Predicted
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Cell = str | int | float | date | Decimal | None
RENEWAL_COLUMNS = (
    "account", "due", "days_to_due", "status", "segment", "owner", "currency", "arr",
    "p_churn", "p_contraction", "p_flat", "p_expansion", "expected_arr", "expected_further_terms",
)  # fmt: skip
GROUP_COLUMNS = (
    "figure", "group", "name", "first_due", "last_due", "renewals", "currency", "quantity", "unit",
    "expected", "median", "low_80", "high_80", "low_95", "high_95", "reason",
)  # fmt: skip
RECORD_COLUMNS = (
    "figure", "forecaster", "kind", "lead_days", "eligible", "n", "n_churned", "quantity", "currency",
    "value", "low_95", "high_95", "reason",
)  # fmt: skip
OUTCOME_COLUMNS = (
    "entry", "as_of", "made_on", "replayed", "quantity", "period", "months_ahead", "currency",
    "expected", "low_80", "high_80", "low_95", "high_95", "came", "within_80", "within_95",
)  # fmt: skip
MISS_COLUMNS = ("account", "due", "owner", "came", "currency", "arr")
COUNTS = ("churned", "contracted", "expanded")
AMOUNTS = ("arr_due_later", "churned", "contraction", "expansion", "renewed")
RATES = ("grr", "nrr")
SCORES = ("brier", "log_loss", "bias", "expected_over_observed", "slope", "auc", "brier_skill")


def renewals_csv(result: Forecast) -> str:
    """A line a renewal of the running terms, by due date."""
    return _written(
        RENEWAL_COLUMNS,
        (
            (
                one.account, one.due, one.lead_days, one.status, one.segment, one.owner, one.currency, one.arr,
                *(one.probabilities or (None,) * 4), one.expected_arr, one.expected_later,
            )
            for one in result.renewals
        ),
    )  # fmt: skip


def groups_csv(result: Forecast, entry: int) -> str:
    """A line for each quantity of each group and currency: the whole, months, quarters, segments and owners. `figure` opens it."""
    groups = (result.total, *result.by_month, *result.by_quarter, *result.by_segment, *result.by_owner)
    return _written(GROUP_COLUMNS, (row for group in groups for row in _group_rows(group, entry)))


def _group_rows(group: GroupForecast, entry: int) -> Iterator[tuple[Cell, ...]]:
    said = (group.kind, group.name, group.first, group.last, group.renewals)
    head = (f"{entry}/{figure_name(group)}", *said)
    for name in COUNTS:
        yield (*head, "", name, "renewals", *_predicted(getattr(group, name)))
    for money in group.money:
        head = (f"{entry}/{figure_name(group, money.currency)}", *said)
        yield (*head, money.currency, "arr_due", "amount", money.arr_due, *("",) * 6)
        for name in AMOUNTS:
            yield (*head, money.currency, f"{name}_arr" if name in COUNTS else name, "amount", *_predicted(getattr(money, name)))
        for name in RATES:
            yield (*head, money.currency, name, "share", *_predicted(getattr(money, name)))


def record_csv(record: ForecastRecord, entry: int) -> str:
    """A line for each score of each forecaster at each lead. `figure` opens it."""
    rows: list[tuple[Cell, ...]] = []
    for one in record.forecasters:
        for lead in one.leads:
            head = (
                f"{entry}/{record_figure(one, lead.lead_days)}",
                one.name,
                one.kind,
                lead.lead_days,
                lead.eligible,
                lead.n,
                lead.n_churned,
            )
            rows += [(*head, name, "", *_estimated(getattr(lead, name))) for name in SCORES]
            rows += [(*head, "arr_bias", currency, *_estimated(value)) for currency, value in lead.arr_bias]
    return _written(RECORD_COLUMNS, rows)


def outcomes_csv(record: ForecastRecord) -> str:
    """A line for each quantity that a past forecast spoke of and that is over: what was said, and what came."""
    return _written(
        OUTCOME_COLUMNS,
        (
            (
                shot.entry, shot.as_of, shot.made_on, _yes(shot.replayed), one.quantity, one.period, one.lead_months, one.currency,
                one.predicted.mean, one.predicted.low_80, one.predicted.high_80, one.predicted.low_95, one.predicted.high_95,
                one.actual, _yes(one.in_80), _yes(one.in_95),
            )
            for shot in record.snapshots
            for one in shot.outcomes
        ),
    )  # fmt: skip


def misses_csv(record: ForecastRecord) -> str:
    """A line a surprise: what came, and the probability of churn that each forecaster had stated."""
    who = [one.name for one in record.forecasters]
    return _written(
        (*MISS_COLUMNS, *(harmless(f"said by {name}") for name in who)),
        (
            (
                one.account, one.due, one.owner, "churned" if one.churned else "stayed", one.currency, one.arr,
                *(one.stated.get(name) for name in who),
            )
            for one in record.misses
        ),
    )  # fmt: skip


def _predicted(value: MaybePredicted) -> tuple[Cell, ...]:
    if isinstance(value, Predicted):
        return (value.mean, value.median, value.low_80, value.high_80, value.low_95, value.high_95, "")
    return (*("",) * 6, value.reason)


def _estimated(value: MaybeEstimate) -> tuple[Cell, ...]:
    return (value.point, value.low, value.high, "") if isinstance(value, Estimate) else ("", "", "", _reason(value))


def _reason(value: NoEstimate) -> str:
    return value.reason


def _yes(held: bool) -> str:
    return "yes" if held else "no"


def _written(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def _cell(cell: Cell) -> str | int:
    """Text that a spreadsheet would run is marked as text; a number keeps as many digits as the JSON."""
    match cell:
        case None:
            return ""
        case float():
            return f"{cell:.{SIGNIFICANT_DIGITS}g}"
        case str():
            return harmless(cell)
        case date():
            return cell.isoformat()
        case Decimal():
            return str(cell)
        case int():
            return cell
