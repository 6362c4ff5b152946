"""Published performance measured again, and the renewals behind its figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from unspun.app.evidence.inputs import OpenTrial
from unspun.app.opening import WholeBook
from unspun.app.performance.figures import KIND, RENEWALS, SPREAD, figures_of
from unspun.app.performance.run import Measured, measure
from unspun.app.publication import FigureSet
from unspun.app.risk.models import laid_again
from unspun.app.workspace import Workspace
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import PANEL as RESULT
from unspun.engines.panel import PanelDatabase
from unspun.progress import Progress
from unspun.risk.performance.judge import Compared
from unspun.warehouse.read import BookReader

PERFORMANCE = KIND


def performance_again(
    workspace: Workspace, reader: BookReader, figures: FigureSet, progress: Progress, database: PanelDatabase
) -> dict[str, Mapping[str, Any]]:
    """The figures of a published comparison by name, measured again from the open book."""
    trial = OpenTrial(WholeBook(reader.version), reader, database)
    measured = _measured(trial, figures, tuple(figures.question["by"]), progress)
    return {one["name"]: one for one in figures_of(measured.result)}


def performance_rows(workspace: Workspace, reader: BookReader, figures: FigureSet, name: str, progress: Progress) -> tuple[pa.Table, str]:
    """The renewals behind a figure, each with what was expected when its term began, and how it was shared; and the SQL of the metrics.

    Of a group, its own. Of all together, or of what lies between groups, every renewal with each of its groups.
    """
    every = tuple(figures.question["by"])
    by = next((one for one in every if name.startswith(f"{one}/")), every[0])
    measured = _measured(OpenTrial(WholeBook(reader.version), reader, DuckDBPanel(reader)), figures, (by,), progress)
    compared, query = measured.compared[by], measured.inputs.queries.get(RESULT, "")
    rows = _rows(measured, compared)
    if name == RENEWALS or name == f"{by}/{SPREAD}":
        return rows, query
    group = _group_of(name.removeprefix(f"{by}/"), compared)
    return rows.filter(pa.array([one == group for one in rows["group"].to_pylist()], pa.bool_())), query


def _measured(trial: OpenTrial, figures: FigureSet, by: tuple[str, ...], progress: Progress) -> Measured:
    question = figures.question
    since = None if question["since"] is None else date.fromisoformat(question["since"])
    return measure(laid_again(trial, figures, progress), by, since, progress)


def _group_of(rest: str, compared: Compared) -> str:
    """The group that a name begins with; the longest, as a group's name may hold a slash."""
    return max((one for one in compared.attributed.names if rest.startswith(f"{one}/")), key=len)


def _rows(measured: Measured, compared: Compared) -> pa.Table:
    """A row for each renewal and group of it, by group, then due date."""
    inputs, members, judged = measured.inputs, compared.attributed.members, compared.renewals
    order = np.lexsort((judged.renewal[members.unit], judged.due[members.unit], members.group))
    unit, group = members.unit[order], members.group[order]
    held = judged.take(unit)
    accounts, names = pa.array(inputs.accounts, pa.string()), pa.array(compared.attributed.names, pa.string())
    currencies = pa.array([inputs.currency_of(row) for row in held.renewal.tolist()], pa.string())
    return pa.table(
        {
            "account_id": accounts.take(pa.array(held.account)),
            "group": names.take(pa.array(group)),
            "share": pa.array(members.share[order]),
            "term_start": _days(held.start),
            "due": _days(held.due),
            "churned": pa.array(held.churned),
            "expected_churn": pa.array(compared.expected[unit]),
            "expected_churn_given": pa.array(held.given),
            "looked_on": _days(held.looked_on),
            "model_knew_until_before": _days(held.model_day),
            "arr": pa.array(held.arr, from_pandas=True),
            "currency": currencies,
        }
    )


def _days(days: np.ndarray[Any, np.dtype[np.int64]]) -> pa.Array:
    return pa.array(days.astype("datetime64[D]"))
