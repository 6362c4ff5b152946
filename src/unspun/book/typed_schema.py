"""The Arrow types of the book's kinds, and the columns of rejected rows."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from unspun.book.entities import MONEY_PRECISION, MONEY_SCALE, Kind

ARROW_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.dictionary(pa.int32(), pa.string()),
    "whole": pa.int64(),
    "number": pa.float64(),
    "money": pa.decimal128(MONEY_PRECISION, MONEY_SCALE),
    "day": pa.date32(),
    "instant": pa.timestamp("us", "UTC"),
    "flag": pa.bool_(),
}
REJECTED_COLUMNS: tuple[tuple[str, Kind], ...] = (
    ("table", "text"),
    ("code", "text"),
    ("reason", "text"),
    ("column", "text"),
    ("value", "text"),
    ("cells", "text"),
    ("source_row", "whole"),
)
"""Of a rejected row: the table it was meant for, why it is not in it, the file's column and cell at fault, and `cells`, a JSON object
of the whole row as it stood in the file (header to text, null where empty; a line that could not be taken apart stands under the
empty name). The loader adds `load` and `source_file`."""
PART_COLUMNS: tuple[tuple[str, Kind], ...] = (
    ("happened_at", "instant"),
    ("known_at", "instant"),
    ("happened_zone", "text"),
    ("source_row", "whole"),
)
"""First in every part, before the data columns."""


def arrow_type(kind: Kind) -> pa.DataType:
    """The Arrow type of a kind of the book."""
    return ARROW_TYPES[kind]


def arrow_schema(columns: Iterable[tuple[str, Kind]]) -> pa.Schema:
    """The Arrow schema of columns by name and kind."""
    return pa.schema([pa.field(name, ARROW_TYPES[kind]) for name, kind in columns])
