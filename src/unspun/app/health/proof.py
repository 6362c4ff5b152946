"""Published health scores computed again, and the rows behind what is recorded of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
from pyarrow.compute import call_function

from unspun.app.health.rows import BAND
from unspun.app.health.run import BAND_FIGURE, KIND, NONE_FIGURE, ROWS, PreparedHealth, make_scores, records_of, scored_parts
from unspun.app.panel.files import MISSING
from unspun.app.panel.proof import prepared_again, refuse_rough
from unspun.app.panel.run import KIND as PANEL
from unspun.app.publication import FigureSet
from unspun.engines.panel import PANEL as RESULT
from unspun.engines.panel import PanelDatabase
from unspun.health.read_file import read_scores
from unspun.metrics.asof import BeforeRenewals
from unspun.progress import Progress
from unspun.warehouse.read import BookReader

HEALTH = KIND


def health_again(reader: BookReader, figures: FigureSet, progress: Progress, database: PanelDatabase) -> dict[str, Mapping[str, Any]]:
    """The figures of published scores by name, computed again from the open book.

    Where the rows are the same, so is what is said of them: the file of today would name the software of today, and be another.
    """
    prepared = _prepared(reader, figures, database)
    made = make_scores(prepared, figures.question["format"], None, lambda _rows: None, progress)
    found = {one["name"]: one for one in records_of(prepared, made)}
    then = figures.figure(ROWS)
    return {**found, ROWS: then} if found[ROWS]["value"]["sha256"] == then["value"]["sha256"] else found


def health_rows(reader: BookReader, figures: FigureSet, name: str, progress: Progress) -> tuple[pa.Table, str]:
    """The rows behind a figure of published scores, and the SQL of their metrics: whose and when, and the score with what it is made of.

    Of ROWS all of them; of a score those that have one, of a band those in it, of a reason those without a score for it.
    """
    prepared = _prepared(reader, figures)
    schema = prepared.schema()
    rows = pa.concat_tables([schema.empty_table(), *scored_parts(prepared, schema, progress)])
    units = ["account_id", "as_of", *(("due", "horizon_days") if isinstance(prepared.panel.question.as_of, BeforeRenewals) else ())]
    query = prepared.panel.queries[RESULT]
    id, _, rest = name.partition("/")
    if id == ROWS:
        return rows, query
    score = next(one for one in prepared.scores if one.id == id)
    kind, _, value = rest.partition("/")
    if kind == NONE_FIGURE:
        return _where(rows, f"{id}{MISSING}", value).select([*units, f"{id}{MISSING}"]), query
    own = [name for name in rows.column_names if name == id or name.startswith(f"{id}__")]
    kept = _where(rows, f"{id}{BAND}", value) if kind == BAND_FIGURE else rows.filter(call_function("is_valid", [rows[score.id]]))
    return kept.select([*units, *own]), query


def _where(rows: pa.Table, column: str, value: str) -> pa.Table:
    return rows.filter(call_function("equal", [rows[column], pa.scalar(value)]))


def refuse_other_engine(figures: FigureSet, kind: str, address: str) -> None:
    """Raises BadInput where the rows cannot be proved on another engine than their own."""
    refuse_rough(_of_panel(figures), kind, address)


def _prepared(reader: BookReader, figures: FigureSet, database: PanelDatabase | None = None) -> PreparedHealth:
    """The published question put to the open book."""
    scores = read_scores(figures.definition_text).scores
    panel = prepared_again(reader, _of_panel(figures), database=database)
    return PreparedHealth(tuple(scores.score(id) for id in figures.question["scores"]), figures.definition_text, panel)


def _of_panel(figures: FigureSet) -> FigureSet:
    """The panel that published scores were made of, as if it had been published."""
    metrics, format = figures.question["metrics"], figures.question["format"]
    question = {**figures.question["panel"], "format": format}
    return replace(figures, kind=PANEL, question=question, definition_name=metrics["name"], definition_text=metrics["text"])
