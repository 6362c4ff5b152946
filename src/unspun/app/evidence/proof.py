"""A published trial judged again, and the units behind its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from unspun.app.evidence.figures import GROUPS, KIND, UNITS, Judged, figures_of, judge_trial
from unspun.app.evidence.inputs import OpenTrial, TrialBasis, trial_basis_from_json
from unspun.app.opening import WholeBook
from unspun.app.publication import FigureSet
from unspun.app.trial.subjects import Definitions, definitions_of
from unspun.audit.evidence_rows import Column, row_sets
from unspun.audit.frame import place_in
from unspun.book.tables import Ints
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import PANEL as RESULT
from unspun.engines.panel import PanelDatabase
from unspun.progress import Progress
from unspun.warehouse.read import BookReader

EVIDENCE = KIND


def evidence_again(reader: BookReader, figures: FigureSet, progress: Progress, database: PanelDatabase) -> dict[str, Mapping[str, Any]]:
    """The figures of a published trial by name, judged again from the open book."""
    judged = judge_trial(_trial(reader, database), trial_basis_from_json(figures.question), _definitions(figures), progress)
    return {one["name"]: one for one in figures_of(judged)}


def evidence_rows(reader: BookReader, figures: FigureSet, name: str, progress: Progress) -> tuple[pa.Table, str]:
    """The units behind a figure of a published trial, with what the subject was known to be and what became of them; and the SQL of its
    panel ("" of what was recorded). Of the trial as a whole, the units as its first subject saw them."""
    basis = trial_basis_from_json(figures.question)
    key = basis.subjects[0] if name in (UNITS, GROUPS) else name.rpartition("/")[0]
    judged = judge_trial(_trial(reader, DuckDBPanel(reader)), _of_one(basis, key), _definitions(figures), progress)
    rows = next(row_sets(judged.trace, 0, ("eligible",)))
    columns = {column.name: _values(column) for column in rows.columns}
    why = _reasons(judged)
    return pa.table(columns if why is None else {**columns, "missing": why}), judged.laid.panel.queries.get(RESULT, "")


def _reasons(judged: Judged) -> pa.Array | None:
    """Why a unit has no value; None of what says no more than that it was not recorded."""
    missing, traced = judged.laid.subjects[0].missing, judged.trace.scores[0]
    if missing is None:
        return None
    place = place_in(traced.series, traced.described.trial.row)
    codes = np.where(place >= 0, missing.codes[np.maximum(place, 0)], -1)
    return _texts(codes, missing.names)


def _of_one(basis: TrialBasis, key: str) -> TrialBasis:
    """The same trial of one subject, without what only describes."""
    return replace(basis, subjects=(key,), settings=replace(basis.settings, detail="none", replicates=0))


def _trial(reader: BookReader, database: PanelDatabase) -> OpenTrial:
    return OpenTrial(WholeBook(reader.version), reader, database)


def _definitions(figures: FigureSet) -> Definitions:
    return definitions_of(figures.definition_text, figures.question["scores_yml"])


def _values(column: Column) -> pa.Array:
    """A column of rows as Arrow has it: codes as their texts, days as days, NaN as empty."""
    values = column.values
    if column.names is not None:
        return _texts(values, column.names)
    if np.issubdtype(values.dtype, np.datetime64):
        return pa.array(values.astype("datetime64[D]"))
    return pa.array(values, from_pandas=np.issubdtype(values.dtype, np.floating))


def _texts(codes: Ints, names: tuple[str, ...]) -> pa.Array:
    words = pa.array([*names, None], pa.string())
    return words.take(pa.array(np.where(codes < 0, len(names), codes)))
