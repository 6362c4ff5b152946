"""Health scores of the rows of a panel: its columns as the formula takes them, and the scores as a table whose rows add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from unspun.app.panel.files import MISSING
from unspun.book.tables import Codes, Ints
from unspun.health.definition import MOST_DIGITS, POINT_DIGITS, HealthScore
from unspun.health.formula import Bools, Column, Scored, compute
from unspun.health.write_yaml import as_yaml

BAND, WEIGHT = "__band", "__weight"
"""After a score's id: the columns of its band and of the share of the weight that is there."""
CONTRIBUTION, POINTS = "__contribution", "__points"
"""After the ids of a score and of a metric of it: what it contributes, and its points."""
WIDTH = 7 + MOST_DIGITS + POINT_DIGITS
"""Digits of the decimal columns."""


def score_rows(score: HealthScore, rows: pa.Table) -> Scored:
    """The score of each row of a panel that has its metrics."""
    columns = {id: column_of(rows[id]) for id in score.metrics}
    return compute(score, columns, {id: codes_of(rows[f"{id}{MISSING}"]) for id in score.metrics})


def column_of(column: pa.ChunkedArray) -> Column:
    """The values of a metric: texts as codes, numbers (1 and 0 of flags) with NaN where there is none."""
    if pa.types.is_string(column.type):
        return codes_of(column)
    whole = column.cast(pa.uint8()) if pa.types.is_boolean(column.type) else column
    return whole.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)  # null becomes NaN


def codes_of(column: pa.ChunkedArray) -> Codes:
    """A text column in dictionary form."""
    coded = pa.chunked_array([column.combine_chunks()], pa.string()).dictionary_encode().combine_chunks()
    coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
    return Codes(coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32), tuple(coded.dictionary.to_pylist()))


def health_schema(panel: pa.Schema, scores: Sequence[HealthScore], whole: dict[str, str]) -> pa.Schema:
    """The columns of a file of scores: whose and when, each score with what it is made of, then the metrics as the panel has them."""
    metrics = {name for score in scores for id in score.metrics for name in (id, f"{id}{MISSING}")}
    units = [panel.field(name) for name in panel.names if name not in metrics]
    values = [panel.field(name) for name in panel.names if name in metrics]
    made = [field for score in scores for field in _score_fields(score)]
    return pa.schema([*units, *made, *values], metadata={**(panel.metadata or {}), **{name.encode(): text for name, text in whole.items()}})


def _score_fields(score: HealthScore) -> Iterator[pa.Field]:
    kept = {"unspun.score": as_yaml(score)}
    decimals = pa.decimal128(WIDTH, score.digits)
    yield pa.field(score.id, decimals, metadata=kept)
    yield pa.field(f"{score.id}{BAND}", pa.string())
    yield pa.field(f"{score.id}{MISSING}", pa.string())
    yield pa.field(f"{score.id}{WEIGHT}", pa.float64())
    for id in score.metrics:
        yield pa.field(f"{score.id}__{id}{CONTRIBUTION}", decimals)
        yield pa.field(f"{score.id}__{id}{POINTS}", pa.decimal128(WIDTH, POINT_DIGITS))


def health_table(rows: pa.Table, scores: Sequence[HealthScore], schema: pa.Schema) -> pa.Table:
    """The rows of a panel with their scores, in the columns of `schema`."""
    made: dict[str, pa.Array | pa.ChunkedArray] = {name: rows[name] for name in rows.column_names}
    for score in scores:
        made |= dict(_columns(score_rows(score, rows)))
    return pa.table([made[name] for name in schema.names], schema=schema)


def _columns(scored: Scored) -> Iterator[tuple[str, pa.Array]]:
    score, has = scored.score, scored.has_value
    yield score.id, _decimals(scored.values, has, score.digits)
    yield f"{score.id}{BAND}", texts_of(Codes(scored.band.astype(np.int32), tuple(one.name for one in score.bands)))
    yield f"{score.id}{MISSING}", texts_of(scored.reason)
    yield f"{score.id}{WEIGHT}", pa.array(scored.weight_present)
    for at, id in enumerate(score.metrics):
        present = scored.present[at]
        yield f"{score.id}__{id}{CONTRIBUTION}", _decimals(scored.contributions[at], present & has, score.digits)
        yield f"{score.id}__{id}{POINTS}", _decimals(scored.points[at], present, POINT_DIGITS)


def texts_of(codes: Codes) -> pa.Array:
    """A text column of its dictionary form."""
    indices = pa.array(codes.codes, mask=codes.codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(codes.names, pa.string())).cast(pa.string())


def _decimals(units: Ints, has: Bools, digits: int) -> pa.Array:
    """Units of 10^-digits as decimals, null where there is none."""
    words = np.zeros((len(units), 2), np.int64)  # a decimal of 128 bits: the lower half, then the sign
    words[:, 0], words[:, 1] = units, np.where(units < 0, -1, 0)
    filled = None if has.all() else pa.py_buffer(np.packbits(has, bitorder="little"))
    return pa.Array.from_buffers(pa.decimal128(WIDTH, digits), len(units), [filled, pa.py_buffer(words)])
