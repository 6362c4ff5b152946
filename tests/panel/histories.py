"""Random histories of a book: loads of rows new and late, corrections, rows that came before, undone loads, erasures and compactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.panel.random_books import ACCOUNTS, ANCHORS, ARROW, OWN, QUICK_ZONES, Maker, corrected, dates_of, kinds_of, made_row
from tests.panel.sides import ARR
from unspun.app.panel.basis import held_tables
from unspun.app.panel.run import lowered
from unspun.book.entities import TABLES, Kind, TableName
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import run_panel
from unspun.metrics.asof import AsOf, BeforeRenewals, Dates
from unspun.metrics.metric import MetricSet
from unspun.metrics.question import PanelQuestion
from unspun.warehouse.catalog import Catalog, create_warehouse, open_catalog
from unspun.warehouse.compact import compact
from unspun.warehouse.erase import Subject, erase
from unspun.warehouse.file_facts import FACTS_FOLDER
from unspun.warehouse.load import PlannedFile, load_files
from unspun.warehouse.panel_state import StateUse, kept_tables
from unspun.warehouse.read import BookReader, open_book
from unspun.warehouse.undo import undo

BEGUN = datetime(2035, 1, 1, tzinfo=UTC)
LOADED: tuple[TableName, ...] = ("events", "purchases", "accounts")
KEYS: dict[TableName, tuple[str, ...]] = {"events": ("event_id",), "purchases": ("purchase_id",), "accounts": ("account_id",)}


def silent(_what: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


@dataclass(slots=True)
class History:
    """A book and what has happened to it. Rows have keys, so that they can be corrected."""

    catalog: Catalog
    folder: Path
    maker: Maker
    loads: int = 0
    rows: dict[TableName, list[dict[str, Any]]] = field(default_factory=dict[TableName, "list[dict[str, Any]]"])

    @property
    def random(self) -> Random:
        return self.maker.random

    @property
    def at(self) -> datetime:
        """A day for each load, after all rows of the past."""
        return BEGUN + timedelta(days=self.loads)

    def load(self, table: TableName, rows: list[dict[str, Any]]) -> None:
        """Load a file of these rows."""
        self.loads += 1
        columns: dict[str, Kind] = {
            "known_at": "instant",
            **{name: kind for name, kind in kinds_of(table).items() if name != "subscription_id"},
        }
        schema = pa.schema([(name, ARROW[kind]) for name, kind in columns.items()])
        path = self.folder / f"{table}{self.loads}.parquet"
        pq.write_table(pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in rows], schema), path)
        own = dict(OWN.get(table, {}))
        source = SourceMapping((path.name,), table, {name: name for name in columns}, own, key=KEYS[table], time_zone="UTC", currency="EUR")
        definition = BookDefinition((source,), self.maker.zone, "EUR", text="version: 1\n", sha256="0" * 64)
        with self.catalog.writing():
            found = load_files(self.catalog, [PlannedFile(str(path), source)], definition, self.at).sources[0]
        assert {code for code, _, _ in found.rejected} <= {"two_values", "conflict"}, found

    def new_rows(self, table: TableName, number: int) -> list[dict[str, Any]]:
        """New rows: some known when they happened, some later."""
        made = [self._named(made_row(self.maker, TABLES[table], KEYS[table], self.maker.rows_made)) for _ in range(number)]
        self.rows.setdefault(table, []).extend(made)
        return made

    def _named(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row with an account: one that names none is rejected, and one that names its subscription only is no matter of these."""
        return {**row, "account_id": row["account_id"] or self.random.choice(ACCOUNTS)}

    def load_new(self) -> None:
        table = self.random.choice(LOADED[:2] if self.loads else LOADED[:1])
        self.load(table, self.new_rows(table, self.random.choice((1, 10, 40))))

    def load_known_later(self) -> None:
        """Rows that were known long after they happened."""
        rows = self.new_rows("events", 12)
        self.load("events", [{**row, "known_at": row["happened_at"] + timedelta(days=self.random.choice((1, 30, 200)))} for row in rows])

    def load_corrections(self) -> None:
        for table in LOADED[:2]:
            known = self.rows.get(table, [])
            chosen = self.random.sample(known, min(len(known), 5))
            rows = [self._named(corrected(self.maker, TABLES[table], KEYS[table], row)) for row in chosen]
            if rows:
                self.load(table, rows + self.new_rows(table, 5))

    def load_again(self) -> None:
        """Rows that were loaded before, beside new ones."""
        known = self.rows.get("events", [])
        self.load("events", self.random.sample(known, min(len(known), 8)) + self.new_rows("events", 3))

    def load_accounts(self) -> None:
        self.load("accounts", self.new_rows("accounts", 6))

    def undo(self) -> None:
        if self.loads:
            undo(self.catalog, self.at)

    def erase(self) -> None:
        rows = self.rows.get("events", [])
        if rows:
            kind = self.random.choice(("account", "user"))
            named = [row[f"{kind}_id"] for row in rows if row[f"{kind}_id"]]
            if named:
                erase(self.catalog, Subject(kind, self.random.choice(named)), self.at)

    def compact(self) -> None:
        compact(self.catalog, self.at, keep_days=self.random.choice((0, 30)))

    def damage(self) -> None:
        """Some of what is kept is cut, written over, or gone."""
        for path in kept_files(self):
            done = self.random.randrange(4)
            if done == 0:
                path.write_bytes(path.read_bytes()[: self.random.randrange(200)])
            elif done == 1:
                path.write_bytes(b"PAR1 and nothing that Parquet knows PAR1")
            elif done == 2:
                path.unlink()

    def steps(self, number: int) -> list[str]:
        """What is to happen, step by step: rows are corrected, a load is undone later, and whatever else there is."""
        others = ["undo", *self.random.choices(list(self._could()), k=number - 2)]
        self.random.shuffle(others)
        return ["corrections", *others]

    def step(self, what: str) -> None:
        """Something happens."""
        self._could()[what]()

    def _could(self) -> dict[str, Callable[[], None]]:
        return {
            "new rows": self.load_new,
            "rows known later": self.load_known_later,
            "rows loaded twice": self.load_again,
            "accounts": self.load_accounts,
            "undo": self.undo,
            "erasure": self.erase,
            "compaction": self.compact,
            "damage": self.damage,
            "corrections": self.load_corrections,
        }

    # Asked of it

    def question(self, metrics: MetricSet, as_of: AsOf | None = None) -> PanelQuestion:
        version = self.catalog.current()
        assert version is not None
        dates = as_of or Dates(dates_of(self.maker))
        received = {load: (BEGUN + timedelta(days=load)).date() for load in range(self.loads + 1)}
        return PanelQuestion(
            metrics, tuple(one.id for one in metrics), dates, held_tables(version), self.maker.zone, self.random.choice((1, 4)),
            received=received,
        )  # fmt: skip

    def renewals(self) -> BeforeRenewals:
        dues = {(f"{self.random.choice('aA')}", self.maker.day()) for _ in range(4)}
        return BeforeRenewals(tuple(sorted(dues)), (90, 30, 0))

    def of_rows(self, question: PanelQuestion) -> pa.Table:
        """The panel of the rows."""
        with self._reader() as reader:
            return _panel(reader, question)

    def of_kept(self, question: PanelQuestion) -> tuple[pa.Table, StateUse]:
        """The panel of what is kept, and how much of that was there."""
        with self._reader() as reader:
            kept, use = kept_tables(reader, lowered(question, DuckDBPanel(reader)).keepable, silent)
            return _panel(reader, replace(question, kept=kept)), use

    def versions(self, table: TableName) -> list[dict[str, Any]]:
        """All row versions of a table."""
        with self._reader() as reader:
            return reader.query(f"SELECT * FROM {table}_versions").to_pylist()

    @contextmanager
    def _reader(self) -> Iterator[BookReader]:
        with open_catalog(self.catalog.folder) as catalog:
            version = catalog.current()
            assert version is not None
            with open_book(catalog, version) as reader:
                reader.register("arr_as_of", ARR.empty_table())
                yield reader


def _panel(reader: BookReader, question: PanelQuestion) -> pa.Table:
    database = DuckDBPanel(reader)
    return pa.Table.from_batches(run_panel(database, lowered(question, database), silent))


def kept_files(told: History) -> list[Path]:
    """The files that are kept of data files."""
    return sorted((told.catalog.folder / FACTS_FOLDER).rglob("*.parquet"))


@contextmanager
def history(folder: Path, seed: int) -> Iterator[History]:
    """A new book, its zone and days by the seed."""
    random = Random(seed)
    maker = Maker(random, random.choice([day for day in ANCHORS if date(2000, 1, 1) < day < BEGUN.date()]), random.choice(QUICK_ZONES))
    with create_warehouse(folder / "warehouse", BEGUN - timedelta(days=1)) as catalog:
        yield History(catalog, folder, maker)
