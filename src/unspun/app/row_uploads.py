"""The operation "put rows": rows sent to a table of the book, loaded as a file of them is, at once and all or nothing.

The rows of a table go by the file name `api-TABLE.jsonl`. The first time its mapping is proposed from the names of the fields, as for any
new file, and written to book.yml; later rows are read by what stands there. Rows that the book holds already are counted as unchanged, so
that sending some twice does nothing.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, get_args

from unspun.app.access import Actor
from unspun.app.jobs.work import CONSOLE_FOLDER
from unspun.app.keeping import Patience
from unspun.app.loads import LoadRequest, accept_proposals, load, plan_load
from unspun.app.portfolio.keyed_notes import asked_hash, check_key, key_used
from unspun.app.workspace import Workspace
from unspun.book.entities import TableName
from unspun.book.mapping.book_file import mapping_for
from unspun.errors import BadInput, Fault
from unspun.warehouse.load import LoadResult

Cell = str | int | float | bool | None
MOST_ROWS: Final = 10_000
TABLES: Final[tuple[str, ...]] = get_args(TableName)
KIND: Final = "rows"
BUSY_SECONDS: Final = 20.0
"""How long to wait while another process writes the book."""


@dataclass(frozen=True, slots=True)
class RejectedRows:
    """Rows that were not taken for one reason."""

    code: str
    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class PutRows:
    """What became of rows: rows = new + changed + unchanged + rejected. `load` and `version` None: nothing was new. `ignored` are fields
    that the mapping does not name."""

    table: str
    load: int | None
    version: int | None
    rows: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    reasons: tuple[RejectedRows, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]


def put_rows(
    workspace: Workspace, actor: Actor, table: str, rows: Sequence[Mapping[str, Cell]], key: str, at: datetime
) -> tuple[PutRows, bool]:
    """Load rows, and whether that was just now (False: the same was sent under this key before, and this is what was answered then).

    Raises Forbidden; BadInput with all faults: no such table, no rows or too many, fields that do not fit, a key that was used for
    others; UnspunError (`busy`) where another process writes the book for too long.
    """
    from unspun.state.tokens import OtherRequest, answered, keep_answer

    actor.require("data.load")
    check_key(key, "Idempotency-Key")
    if faults := _faults(table, rows):
        raise BadInput(faults)
    asked = asked_hash({"table": table, "rows": [dict(one) for one in rows]})
    try:
        before = answered(actor.id, KIND, key, asked)
        if before is not None:
            return _read(before), False
        done = asdict(_load(workspace, table, rows, at))
        return _read(keep_answer(actor.id, KIND, key, asked, at, done)), True
    except OtherRequest:
        raise key_used("Idempotency-Key") from None


def _faults(table: str, rows: Sequence[Mapping[str, Cell]]) -> list[Fault]:
    faults: list[Fault] = []
    if table not in TABLES:
        faults.append(Fault("no_table", f"the book has no table '{table[:40]}'.", "table", f"There are {', '.join(TABLES)}."))
    if not 1 <= len(rows) <= MOST_ROWS:
        faults.append(Fault("rows", f"a request brings 1 to {MOST_ROWS:,} rows, and this one {len(rows):,}.", "rows", "Send several."))
    return faults


def _load(workspace: Workspace, table: str, rows: Sequence[Mapping[str, Cell]], at: datetime) -> PutRows:
    """The rows lie in a file only as long as the load takes."""
    place = workspace.folder / CONSOLE_FOLDER
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rows-", dir=place) as folder:
        file = Path(folder) / f"api-{table}.jsonl"
        known = mapping_for(workspace.definition(), file.name)
        mapped = () if known is None else known.columns.values()  # a column that is left out is empty
        names = list(dict.fromkeys((*(name for row in rows for name in row), *mapped)))
        whole = ({name: row.get(name) for name in names} for row in rows)
        file.write_text("".join(f"{json.dumps(row, allow_nan=False)}\n" for row in whole), encoding="utf-8")
        request = LoadRequest((str(file),), table=None, accept=True)
        try:
            plan = plan_load(workspace, replace(request, table=table))  # pyright: ignore[reportArgumentType]
            if plan.proposed:
                plan = accept_proposals(workspace, plan)
            done = load(workspace, plan, request, at, patience=Patience(BUSY_SECONDS))
        except BadInput as refusal:
            raise BadInput([_named(one, file) for one in refusal.faults]) from None
    return _told(table, done)


def _named(fault: Fault, file: Path) -> Fault:
    """A fault by the name of the file: where it lay for a moment tells nobody anything."""
    hint = fault.hint.replace("with --as", "in the address")
    return Fault(fault.code, fault.message.replace(str(file), file.name), fault.where.replace(str(file), file.name), hint)


def _told(table: str, done: LoadResult) -> PutRows:
    (one,) = done.sources
    reasons = tuple(RejectedRows(code, reason, rows) for code, reason, rows in one.rejected)
    version = None if done.version is None else done.version.version
    counts = (one.rows_read, one.new, one.changed, one.unchanged, one.rows_rejected)
    return PutRows(table, done.load, version, *counts, reasons, one.unlisted_columns, (*one.notes, *done.notes))


def _read(held: Any) -> PutRows:
    reasons = tuple(RejectedRows(**one) for one in held["reasons"])
    return PutRows(**{**held, "reasons": reasons, "ignored": tuple(held["ignored"]), "notes": tuple(held["notes"])})
