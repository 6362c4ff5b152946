"""The read model: what the pages of the console read, one immutable SQLite file for each refresh, with draws of the risk model beside it.

It is derived from the book and the ledger, and can be deleted and made again. `current` names the files in force, the newest first; a
file is complete before it is named there. A process that is killed meanwhile leaves the earlier one in force.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.errors import BadInput, Fault
from unspun.warehouse.catalog_faults import translating, translating_system
from unspun.warehouse.catalog_head import sync_folder

FORM = 4
"""Of the tables below: a file of another form is not read."""
FOLDER, CURRENT, KEPT = ".pages", "current", 3
KEY = re.compile(r"[0-9a-f]{16}")
SORTS = ("weight", "name_key", "due", "arr", "p_churn", "segment", "owner", "product", "country", "last_touch")
"""Columns of lines that a list may be sorted by; an index serves each in both directions, lines without a value last."""
LINE_COLUMNS: Mapping[str, str] = {
    "line": "INTEGER PRIMARY KEY", "account_id": "TEXT NOT NULL", "name": "TEXT NOT NULL", "name_key": "TEXT NOT NULL",
    "segment": "TEXT", "owner": "TEXT", "product": "TEXT", "country": "TEXT", "due": "TEXT", "lead_days": "INTEGER",
    "status": "TEXT NOT NULL", "term": "TEXT", "arr": "REAL", "currency": "TEXT",
    "p_churn": "REAL", "p_low": "REAL", "p_high": "REAL", "p_contraction": "REAL", "p_flat": "REAL", "p_expansion": "REAL",
    "lost": "REAL", "lost_low": "REAL", "lost_high": "REAL", "cannot_tell": "TEXT NOT NULL", "why": "TEXT NOT NULL",
    "base_rate": "REAL", "band": "TEXT NOT NULL", "weight": "REAL", "reason": "TEXT NOT NULL", "reasons": "INTEGER NOT NULL",
    "coverage_with": "INTEGER", "coverage_of": "INTEGER", "last_touch": "TEXT", "family": "INTEGER NOT NULL",
    "figure": "TEXT NOT NULL", "search": "TEXT NOT NULL",
}  # fmt: skip
"""A line is a renewal that is not decided yet, or an account whose term runs on without one. `due` and `last_touch` are ISO days,
probabilities shares of 1; `figure` is what its figures are named after in the risk entry ("" it has none), `family` numbers top parents,
`search` is what is searched, folded."""
SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE accounts (account_id TEXT PRIMARY KEY, name TEXT NOT NULL, segment TEXT, owner TEXT, parent_id TEXT, search TEXT NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE INDEX accounts_parent ON accounts (parent_id);
CREATE TABLE lines ({", ".join(f"{name} {kind}" for name, kind in LINE_COLUMNS.items())}) STRICT;
CREATE TABLE products (account_id TEXT NOT NULL, product TEXT NOT NULL, PRIMARY KEY (account_id, product)) STRICT, WITHOUT ROWID;
CREATE TABLE detail (account_id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE pages (section TEXT NOT NULL, scope TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL,
  toc TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (section, scope, name)) STRICT;
"""
INDEXES = (
    "CREATE INDEX accounts_search ON accounts (search)",
    "CREATE INDEX lines_account ON lines (account_id)",
    "CREATE INDEX lines_lead ON lines (lead_days)",
    "CREATE INDEX lines_search ON lines (search)",
    *(f"CREATE INDEX lines_{name}_up ON lines (({name} IS NULL), {name}, line)" for name in SORTS),
    *(f"CREATE INDEX lines_{name}_down ON lines (({name} IS NULL), {name} DESC, line)" for name in SORTS),
)
Draws = NDArray[np.float32]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a read model holds. `lines` are rows of LINE_COLUMNS, `accounts` and `products` of their tables, `details` pairs of an
    account and its compressed body. `draws` has a row for each line with a stated loss, in their order: P(churn) under draws of the model.
    `pages` are rows of their table: pages that reports laid out (`unspun.app.published`)."""

    meta: Mapping[str, Any]
    accounts: Iterable[Row]
    lines: Iterable[Row]
    products: Iterable[Row]
    details: Iterable[tuple[str, bytes]]
    draws: Draws
    pages: Iterable[Row] = ()


# Written


def write_read_model(warehouse: Path, key: str, contents: Contents) -> None:
    """Write both files of a read model, complete and durable; nothing names them yet. The same contents give the same bytes.

    Raises UnspunError where the disk takes nothing.
    """
    folder = warehouse / FOLDER
    with translating_system(folder):
        folder.mkdir(exist_ok=True)
        fresh, draws = folder / f"{key}.db.new", folder / f"{key}.npy.new"
        fresh.unlink(missing_ok=True)
        with translating(fresh), closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            _fill(connection, contents)
        with draws.open("wb") as file:
            np.save(file, contents.draws, allow_pickle=False)
        for path in (draws, fresh):
            _sync(path)
            path.replace(path.with_suffix(""))
        sync_folder(folder)


def _fill(connection: sqlite3.Connection, contents: Contents) -> None:
    for setting in ("journal_mode = OFF", "synchronous = OFF", "page_size = 8192"):
        connection.execute(f"PRAGMA {setting}").fetchall()
    connection.execute("BEGIN")
    for statement in filter(str.strip, SCHEMA.split(";\n")):
        connection.execute(statement)
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)", sorted((name, json.dumps(one, sort_keys=True)) for name, one in contents.meta.items())
    )
    connection.executemany("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)", contents.accounts)
    connection.executemany(f"INSERT INTO lines VALUES ({', '.join('?' * len(LINE_COLUMNS))})", contents.lines)
    connection.executemany("INSERT INTO products VALUES (?, ?)", contents.products)
    connection.executemany("INSERT INTO detail VALUES (?, ?)", contents.details)
    connection.executemany("INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)", contents.pages)
    for statement in INDEXES:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {FORM}")
    connection.execute("COMMIT")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def install(warehouse: Path, key: str) -> tuple[str, ...]:
    """Put a written read model in force, and delete what is older than the KEPT newest. Gives the keys kept, the newest first.

    Call it as the one writer of the book.
    """
    folder = warehouse / FOLDER
    kept = (key, *(one for one in kept_keys(warehouse) if one != key))[:KEPT]
    with translating_system(folder):
        fresh = folder / f"{CURRENT}.new"
        fresh.write_text("".join(f"{one}\n" for one in kept), encoding="ascii")
        _sync(fresh)
        fresh.replace(folder / CURRENT)
        sync_folder(folder)
        _delete(folder, kept)
    return kept


def _delete(folder: Path, kept: Sequence[str]) -> None:
    for path in folder.iterdir():
        if path.name != CURRENT and path.name.partition(".")[0] not in kept:
            path.unlink(missing_ok=True)


def forget_read_models(warehouse: Path) -> int:
    """Delete every read model, as an erasure does: each holds what is known of all accounts. Gives how many there were.

    Call it as the one writer of the book. Raises UnspunError where a file cannot be deleted.
    """
    folder = warehouse / FOLDER
    with translating_system(folder):
        if not folder.is_dir():
            return 0
        (folder / CURRENT).unlink(missing_ok=True)
        count = len(list(folder.glob("*.db")))
        _delete(folder, ())
        sync_folder(folder)
    return count


def models_naming(warehouse: Path, id: str) -> int:
    """How many of the read models that lie in the folder hold the id: as that of an account, or anywhere in an account's page."""
    folder = warehouse / FOLDER
    return sum(_names(path, id) for path in sorted(folder.glob("*.db"))) if folder.is_dir() else 0


def _names(path: Path, id: str) -> bool:
    said = json.dumps(id, ensure_ascii=False).encode("utf-8", "replace")
    with translating(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        if connection.execute("SELECT 1 FROM accounts WHERE account_id = ? OR parent_id = ? LIMIT 1", (id, id)).fetchone():
            return True
        return any(said in zlib.decompress(body) for (body,) in connection.execute("SELECT body FROM detail"))


# Read


def kept_keys(warehouse: Path) -> tuple[str, ...]:
    """The keys of the read models in force and of the earlier ones that are kept, the newest first; () there is none."""
    folder = warehouse / FOLDER
    with translating_system(folder):
        try:
            named = (folder / CURRENT).read_text(encoding="ascii", errors="replace").split()
        except FileNotFoundError:
            return ()
        return tuple(one for one in named if KEY.fullmatch(one) and all((folder / f"{one}.{kind}").exists() for kind in ("db", "npy")))


class _Local(threading.local):
    """The connections of a thread, by path and when the file was made. Without slots: those would be shared by all threads."""

    def __init__(self) -> None:
        self.open: dict[tuple[Path, int], sqlite3.Connection] = {}


_LOCAL = _Local()
_MODELS: dict[tuple[Path, str, int], ReadModel] = {}
_LOCK = threading.Lock()


class ReadModel:
    """A read model, open: SQL over its tables, in a connection of each thread's own, and its draws."""

    def __init__(self, folder: Path, key: str, made: int) -> None:
        self.folder, self.key, self.made = folder, key, made

    @property
    def path(self) -> Path:
        return self.folder / f"{self.key}.db"

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """The rows of a query. Raises UnspunError where the file is damaged or gone."""
        with translating(self.path):
            return self._connection().execute(sql, parameters).fetchall()

    def _connection(self) -> sqlite3.Connection:
        held = _LOCAL.open.get((self.path, self.made))
        if held is None:
            for stale in [one for one in _LOCAL.open if one[0] == self.path or not one[0].exists()]:
                _LOCAL.open.pop(stale).close()
            uri = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
            held = _LOCAL.open[self.path, self.made] = sqlite3.connect(uri, uri=True, isolation_level=None)
            held.execute("PRAGMA trusted_schema = OFF")
            held.execute("PRAGMA cache_size = -16384")
        return held

    @cached_property
    def meta(self) -> dict[str, Any]:
        """What the model is of: as-of day, book version, ledger entries, header figures."""
        return {key: json.loads(value) for key, value in self.rows("SELECT key, value FROM meta")}

    @cached_property
    def draws(self) -> Draws:
        """P(churn) under draws of the risk model, a row a line with a stated loss."""
        with translating_system(self.path):
            return np.load(self.folder / f"{self.key}.npy", mmap_mode="r", allow_pickle=False)


def open_read_model(warehouse: Path, key: str | None = None) -> ReadModel:
    """The read model in force, or an earlier one by its key.

    Raises BadInput: `no_read_model` where none was made yet (or an erasure took them away), `read_model_gone` where that one is no longer
    kept.
    """
    kept = kept_keys(warehouse)
    if not kept:
        hint = "Make it: unspun refresh."
        raise BadInput(
            Fault("no_read_model", "nothing is ready to be shown: no refresh was made since the book was begun or erased.", "", hint)
        )
    if key is not None and key not in kept:
        raise BadInput(Fault("read_model_gone", "what this page was made of is no longer kept.", "", "Open the page anew."))
    return _opened(warehouse / FOLDER, key or kept[0])


def _opened(folder: Path, key: str) -> ReadModel:
    """One for each file that there is in this process; a file that was made again is another one."""
    with translating_system(folder):
        identity = folder.absolute(), key, (folder / f"{key}.db").stat().st_mtime_ns
    with _LOCK:
        if identity not in _MODELS:
            for stale in [one for one in _MODELS if one[0] == identity[0] and not (folder / f"{one[1]}.db").exists()]:
                del _MODELS[stale]
            _MODELS[identity] = _checked(ReadModel(*identity))
        return _MODELS[identity]


def _checked(model: ReadModel) -> ReadModel:
    form = None
    with suppress(IndexError):
        form = model.rows("PRAGMA user_version")[0][0]
    if form != FORM:
        raise BadInput(
            Fault("other_form", f"the read model has form {form}; this Unspun reads form {FORM}.", "", "Make it anew: unspun refresh.")
        )
    return model
