"""A published panel computed again, and the rows behind what is recorded of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
from pyarrow.compute import call_function

from unspun.app.panel.basis import basis_from_json
from unspun.app.panel.files import MISSING
from unspun.app.panel.request import MetricsDefinition, definition_of, nodes_of
from unspun.app.panel.run import KIND, ROWS, PreparedPanel, Progress, compute_again, panel_parts, prepare_panel
from unspun.app.publication import FigureSet
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import PANEL as RESULT
from unspun.engines.panel import PanelDatabase
from unspun.errors import BadInput, Fault
from unspun.metrics.asof import BeforeRenewals
from unspun.metrics.nodes import ZScore
from unspun.warehouse.read import BookReader

PANEL = KIND


def panel_again(reader: BookReader, figures: FigureSet, progress: Progress, database: PanelDatabase) -> dict[str, Mapping[str, Any]]:
    """The figures of a published panel by name, computed again from the open book by a database.

    Where the rows are the same, so is what is said of them: the file of today would name the software of today, and be another.
    """
    found = compute_again(prepared_again(reader, figures, database=database), figures.question["format"], progress)
    then = figures.figure(ROWS)
    return {**found, ROWS: then} if found[ROWS]["value"]["sha256"] == then["value"]["sha256"] else found


def panel_rows(reader: BookReader, figures: FigureSet, name: str, progress: Progress) -> tuple[pa.Table, str]:
    """The units behind a figure of a published panel, and the SQL of the panel.

    Of ROWS all of them, of a metric's values those that have one, of one of its reasons those without a value for it.
    """
    id, _, reason = name.partition("/")
    panel = prepared_again(reader, figures, () if id == ROWS else (id,))
    schema = panel.schema()
    rows = pa.concat_tables([schema.empty_table(), *panel_parts(panel, schema, progress)])
    units = rows.select(["account_id", "as_of", *(("due", "horizon_days") if isinstance(panel.question.as_of, BeforeRenewals) else ())])
    if id == ROWS:
        return units, panel.queries[RESULT]
    why = rows[f"{id}{MISSING}"]
    fits = call_function("is_null", [why]) if not reason else call_function("equal", [why, pa.scalar(reason)])
    shown = units.append_column(id, rows[id]) if not reason else units.append_column("reason", why)
    return shown.filter(fits), panel.queries[RESULT]


def refuse_rough(figures: FigureSet, kind: str, address: str) -> None:
    """Raises BadInput where the rows of a panel cannot be proved on another engine than its own: of z-scores engines agree to nine digits,
    and the proof is to the last one."""
    metrics = definition_of(figures.definition_text).metrics
    rough = [id for id in figures.question["asked"] if any(isinstance(node, ZScore) for node in nodes_of(metrics, (id,)))]
    if kind == figures.engine or not rough:
        return
    message = f"{figures.engine} computed this, and z-scores ({', '.join(rough)}) of another engine may differ in their last digits."
    hint = f"Name the engine: unspun recompute {address} --engine URL; single figures can be computed again on any."
    raise BadInput(Fault("other_engine", message, address, hint))


def prepared_again(
    reader: BookReader, figures: FigureSet, only: tuple[str, ...] = (), database: PanelDatabase | None = None
) -> PreparedPanel:
    """The question of a published panel put to the open book; of some of its metrics only, where they are named."""
    metrics = definition_of(figures.definition_text).metrics
    document = {name: value for name, value in figures.question.items() if name != "format"}
    basis = basis_from_json(document)
    definition = MetricsDefinition(metrics, figures.definition_text, figures.definition_name)
    return prepare_panel(definition, replace(basis, asked=only) if only else basis, reader, database or DuckDBPanel(reader))
