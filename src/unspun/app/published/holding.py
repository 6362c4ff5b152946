"""What the book holds, as pages show it: tables and freshness as of the last refresh, loads and findings as they stand now."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from unspun.app.access import Actor
from unspun.app.checks import RecordedCheck, recorded_check
from unspun.app.published.pages import ALL, COMPRESSION
from unspun.app.status import LoadStatus, TableStatus, loads_of, status
from unspun.app.workspace import Workspace
from unspun.errors import BadInput
from unspun.warehouse.read_model import ReadModel, Row, open_read_model

DATA, STATUS, JSON = "data", "status.json", "application/json"
INSTANTS: Final = ("first_happened", "last_happened", "first_known", "last_known")


@dataclass(frozen=True, slots=True)
class Held:
    """Tables as a refresh counted them. `version` is the book's then."""

    tables: tuple[TableStatus, ...]
    rejected: int
    version: int


@dataclass(frozen=True, slots=True)
class BookHolding:
    """`held` None: nothing was refreshed yet. `version` is that of the book now, None: nothing is loaded. `checked` None: never checked."""

    held: Held | None
    version: int | None
    loads: tuple[LoadStatus, ...]
    checked: RecordedCheck | None

    @property
    def is_behind(self) -> bool:
        """Whether the book changed since its tables were counted."""
        return self.held is not None and self.held.version != self.version


def data_pages(workspace: Workspace) -> Iterator[Row]:
    """What a refresh keeps of the book's state: counting a large book's rows takes seconds."""
    found = status(workspace)
    tables = [{name: _plain(getattr(one, name)) for name in ("name", "rows", "versions", *INSTANTS)} for one in found.tables]
    version = 0 if found.version is None else found.version.version
    text = json.dumps({"tables": tables, "rejected": found.rejected, "version": version})
    yield DATA, ALL, STATUS, JSON, "", "", zlib.compress(text.encode(), COMPRESSION)


def book_holding(workspace: Workspace, actor: Actor) -> BookHolding:
    """What the book holds. Raises Forbidden; UnspunError where the catalogue is damaged."""
    actor.require("data.see")
    with workspace.catalog() as catalog:
        version, loads, checked = catalog.current(), loads_of(catalog), recorded_check(catalog)
    return BookHolding(_held(workspace), None if version is None else version.version, loads, checked)


def _held(workspace: Workspace) -> Held | None:
    try:
        model: ReadModel = open_read_model(workspace.warehouse)
    except BadInput:
        return None
    rows = model.rows("SELECT body FROM pages WHERE section = ? AND name = ?", (DATA, STATUS))
    if not rows:
        return None
    found = json.loads(zlib.decompress(rows[0][0]))
    return Held(tuple(_table(one) for one in found["tables"]), found["rejected"], found["version"])


def _table(record: dict[str, Any]) -> TableStatus:
    instants = {name: None if record[name] is None else datetime.fromisoformat(record[name]) for name in INSTANTS}
    return TableStatus(record["name"], record["rows"], record["versions"], **instants)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
