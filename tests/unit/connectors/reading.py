"""Relations read as a load reads them, without a book."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from unspun.book.mapping.definition import Cursor, SourceMapping
from unspun.connectors.sql.address import read_address
from unspun.connectors.sql.extract import Extract, extract, open_database
from unspun.connectors.sql.session import CursorKind


def source(relation: str = "", query: str = "", cursor: Cursor | None = None) -> SourceMapping:
    columns = {"account_id": "account_id"}
    return SourceMapping(("db:rows",), "accounts", columns, database="db", relation=relation, query=query, cursor=cursor)


def read(
    url: str, mapping: SourceMapping, folder: Path, last: tuple[CursorKind, str] | None = None, statement_seconds: int = 0
) -> tuple[Extract, list[dict[str, Any]]]:
    """What is read, and its rows as they stand in the file."""
    address = read_address(url, "the URL", folder, may_hold_password=True)
    path = folder / "rows.parquet"
    with open_database(address, "db", statement_seconds) as session:
        found = extract(session, mapping, last, path, "db:rows", lambda _done, _of: None)
    return found, pq.read_table(path).to_pylist()
