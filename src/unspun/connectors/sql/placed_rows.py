"""Tables of the book whose rows lie in a company's own Postgres: their row versions as a query there, and what was found of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from unspun.book.entities import CURRENCY, STATED, Kind
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.sql_words import sql_name, sql_text
from unspun.book.typed_columns import ColumnPlan
from unspun.book.typed_plan import plan_table
from unspun.book.typed_rows import DAY_COLUMNS, TablePlan
from unspun.connectors.sql.placed_cells import (
    IN_QUERY,
    MOST_WORDS,
    PlacedCell,
    Unsayable,
    any_of,
    clean_text,
    constant,
    first_instant,
    nothing,
    placed_cell,
)
from unspun.errors import BadInput, Fault


class Relations(Protocol):
    """A session on the Postgres where they lie."""

    def column_types(self, mapping: SourceMapping) -> dict[str, str]: ...

    def rows_of(self, mapping: SourceMapping) -> str: ...

    def order_of(self, mapping: SourceMapping) -> str: ...

    def is_unique(self, mapping: SourceMapping, columns: Sequence[str]) -> bool: ...

    def asked(self, sql: str) -> list[dict[str, object]]: ...


@dataclass(frozen=True, slots=True)
class PlacedTable:
    """A table that is read where it lies. `columns` are its data columns; `rows` those that can be used, `rows_read` all; `first` and
    `last` when they happened, up to the instant of the survey."""

    mapping: SourceMapping
    columns: Mapping[str, Kind]
    rows: int
    rows_read: int
    first: datetime | None
    last: datetime | None
    sql: str
    ordered_sql: str

    def versions(self, with_places: bool) -> str:
        """The row versions as a query; `with_places`: each with its place among the rows, which takes sorting them."""
        return self.ordered_sql if with_places else self.sql


def place_table(session: Relations, mapping: SourceMapping, definition: BookDefinition, at: datetime) -> PlacedTable:
    """A source as row versions in its own database, surveyed there in one pass; `at` is when they are read.

    Raises BadInput with all that cannot be said of it there.
    """
    return _Placing(session, mapping, definition, at).placed()


class _Placing:
    """The making of one table."""

    def __init__(self, session: Relations, mapping: SourceMapping, definition: BookDefinition, at: datetime) -> None:
        self.session, self.mapping, self.at, self.name = session, mapping, at, mapping.files[0]
        self.types = session.column_types(mapping)
        self.faults: list[Fault] = []
        self.plan: TablePlan
        self.plan, _, faults = plan_table(list(self.types), self.name, mapping, definition)
        if faults:
            raise BadInput(faults)
        self.relation = session.rows_of(mapping)

    def placed(self) -> PlacedTable:
        self._refuse_rules()
        cells = {column.name: self._cell(column) for column in self.plan.columns if column.position is not None}
        if self.faults:
            raise BadInput(self.faults)
        plain = self._rows_sql(cells, "CAST(NULL AS bigint)")
        found = self._surveyed(cells, plain)
        dirty = {column.name for i, column in enumerate(self._texts()) if found[f"dirty{i}"]}
        for column in self._texts():
            if column.name in dirty:
                cells[column.name] = PlacedCell(clean_text(sql_name(column.title), column)[0])
        if dirty:
            found = self._surveyed(cells, self._rows_sql(cells, "CAST(NULL AS bigint)"))
        place = f"ROW_NUMBER() OVER (ORDER BY {self.session.order_of(self.mapping)}) + 1"
        self._refuse_repeated(cells, dirty)
        return PlacedTable(
            mapping=self.mapping,
            columns=dict(self.plan.data_columns),
            rows=int(str(found["rows"])),
            rows_read=int(str(found["rows_read"])),
            first=_moment(found["first"]),
            last=_moment(found["last"]),
            sql=self._rows_sql(cells, "CAST(NULL AS bigint)"),
            ordered_sql=self._rows_sql(cells, place),
        )

    def _refuse_rules(self) -> None:
        """What depends on more than a row by itself."""
        mapping = self.mapping
        if "known_at" in {*mapping.columns, *mapping.values}:
            self._refuse("known_at", "rows say themselves when they were known, and may be versions of each other")
        if mapping.table == "events" and "account_id" not in mapping.columns:
            self._refuse("account_id", "its rows have the account of their subscription")
        if mapping.cursor is not None:
            self._refuse(mapping.cursor.column, "it is read from a cursor on")

    def _refuse(self, column: str, why: str, hint: str = IN_QUERY) -> None:
        message = f"{self.mapping.table}.{column} cannot be read where it is: {why}."
        self.faults.append(Fault("not_in_place", message, self.name, hint))

    def _cell(self, column: ColumnPlan) -> PlacedCell:
        try:
            return placed_cell(column, self.types[column.title], self._distinct)
        except Unsayable as refusal:
            self._refuse(column.name, refusal.why, refusal.hint)
            return PlacedCell("NULL")

    def _distinct(self, cell: str) -> list[str]:
        words = f"SELECT DISTINCT {cell} AS word FROM {self.relation} WHERE {cell} IS NOT NULL LIMIT {MOST_WORDS + 1}"
        return sorted(str(row["word"]) for row in self.session.asked(f"SELECT word FROM ({words}) AS words"))

    def _texts(self) -> list[ColumnPlan]:
        """Columns of texts that are taken as they are, unless the survey finds that some are not."""
        return [
            column for column in self.plan.columns
            if column.kind == "text" and not column.words and column.name not in ("currency", "into", "outcome")
            and not self.types[column.title].startswith("int")
        ]  # fmt: skip

    # Rows

    def _rows_sql(self, cells: Mapping[str, PlacedCell], place: str) -> str:
        """The row versions that can be used."""
        data = self._data(cells)
        happened = self._happened(cells)
        zone = sql_text(self.plan.zone.key)
        lead = [
            f"{happened} AS happened_at", f"{self._known(happened)} AS known_at", f"{zone} AS happened_zone", "0::bigint AS load",
            "-1::bigint AS source_file", f"{place} AS source_row",
        ]  # fmt: skip
        stated = [f"{sql_text(self._stated(data))} AS {sql_name(STATED[0])}"] if self.mapping.entity.state else []
        own = [f"{sql} AS {sql_name(name)}" for name, sql in data.items()]
        absent = [f"{nothing(one.kind)} AS {sql_name(one.name)}" for one in self.mapping.entity.columns if one.name not in data]
        return f"SELECT {', '.join([*lead, *stated, *own, *absent])} FROM {self.relation} WHERE NOT {self._rejected(cells)}"

    def _data(self, cells: Mapping[str, PlacedCell]) -> dict[str, str]:
        kinds = dict(self.plan.data_columns)
        data = {name: cells[name].sql for name in kinds if name in cells}
        data |= {name: constant(value[0], kinds[name]) for name, value in self.plan.constants.items()}
        if self.plan.names_currency:
            usual = "NULL" if self.plan.currency is None else sql_text(self.plan.currency)
            named = data.get(CURRENCY.name)
            data[CURRENCY.name] = f'(CAST({usual} AS text) COLLATE "C")' if named is None else f"COALESCE({named}, {usual})"
        return {name: data[name] for name in kinds}

    def _stated(self, data: Mapping[str, str]) -> str:
        aside = {*self.mapping.row_key, self.mapping.entity.happened}
        return ",".join(sorted(name for name in data if name not in aside))

    def _happened(self, cells: Mapping[str, PlacedCell]) -> str:
        entity, data = self.mapping.entity, self._data(cells)
        sources = DAY_COLUMNS if self.mapping.table == "renewals" else (entity.happened,)
        times = [self._instant(name, data[name]) for name in sources if name in data]
        found = times[0] if len(times) == 1 else f"COALESCE({', '.join(times)})" if times else "NULL::timestamptz"
        return f"COALESCE({found}, {self._receipt})" if entity.state else found

    def _instant(self, name: str, sql: str) -> str:
        return first_instant(f"({sql})", self.plan.zone.key) if self.mapping.kind_of(name) == "day" else sql

    def _known(self, happened: str) -> str:
        """A history is known as it happens; what is to come, since it was received."""
        return f"LEAST(COALESCE({happened}, {self._receipt}), {self._receipt})" if self.mapping.known == "happened" else self._receipt

    @property
    def _receipt(self) -> str:
        return f"TIMESTAMPTZ {sql_text(self.at.astimezone(UTC).isoformat())}"

    def _rejected(self, cells: Mapping[str, PlacedCell]) -> str:
        data, entity = self._data(cells), self.mapping.entity
        needed = [name for name in (*entity.required, *self.mapping.row_key) if name in data]
        empty = [f"{data[name]} IS NULL" for name in dict.fromkeys(needed)]
        given = [name for name in entity.one_of if name in data]
        empty += [" AND ".join(f"{data[name]} IS NULL" for name in given)] if given else []
        if not entity.state:
            empty.append(f"{self._happened(cells)} IS NULL")
        elif entity.happened in data:
            empty.append(f"{data[entity.happened]} IS NULL")
        return any_of([*(one.rejects for one in cells.values()), *empty])

    # What is found of them

    def _surveyed(self, cells: Mapping[str, PlacedCell], rows: str) -> dict[str, object]:
        """One pass: how many rows, which texts are not as they are to be read. Raises BadInput where what must hold for no row does."""
        never = [(name, *one) for name, cell in cells.items() for one in cell.never]
        asked = [f"count(*) FILTER (WHERE {condition}) AS never{i}" for i, (_, condition, _) in enumerate(never)]
        asked += [f"count(*) FILTER (WHERE {clean_text(sql_name(one.title), one)[1]}) AS dirty{i}" for i, one in enumerate(self._texts())]
        own = [self._data(cells)[name] for name in ("account_id", "subscription_id") if name in cells]
        if self.mapping.table == "events" and len(own) == 2:
            asked.append(f"count(*) FILTER (WHERE {own[0]} IS NULL AND {own[1]} IS NOT NULL) AS by_subscription")
        there = f"NOT {self._rejected(cells)}"
        happened = self._happened(cells)
        by_now = f"{there} AND {happened} <= {self._receipt}"
        asked += [
            "count(*) AS rows_read", f"count(*) FILTER (WHERE {there}) AS rows", f"min({happened}) FILTER (WHERE {by_now}) AS first",
            f"max({happened}) FILTER (WHERE {by_now}) AS last",
        ]  # fmt: skip
        found = self.session.asked(f"SELECT {', '.join(asked)} FROM {self.relation}")[0]
        for i, (name, _, what) in enumerate(never):
            if found[f"never{i}"]:
                self._refuse(name, f"it holds {what} ({found[f'never{i}']:,})")
        if found.get("by_subscription"):
            self._refuse("account_id", "some rows have the account of their subscription")
        if self.faults:
            raise BadInput(self.faults)
        return found

    def _refuse_repeated(self, cells: Mapping[str, PlacedCell], dirty: set[str]) -> None:
        """Rows of one key would have to be judged against each other."""
        data, entity = self._data(cells), self.mapping.entity
        key = [*self.mapping.row_key, *([entity.happened] if self.mapping.row_key and entity.state and entity.happened in data else [])]
        plain = all(self.mapping.kind_of(name) in ("text", "whole") and name not in dirty for name in key)
        if not key or (plain and self.session.is_unique(self.mapping, [self.mapping.columns.get(name, "") for name in key])):
            return
        parts = ", ".join(data[name] for name in key)
        rows = f"SELECT 1 FROM {self.relation} WHERE NOT {self._rejected(cells)} GROUP BY {parts} HAVING count(*) > 1"
        repeated = self.session.asked(f"SELECT count(*) AS n FROM ({rows}) AS repeated")[0]["n"]
        if repeated:
            self._refuse(", ".join(key), f"{repeated:,} keys have several rows", "Remove them, or load the table.")
            raise BadInput(self.faults)


def _moment(found: object) -> datetime | None:
    return found if isinstance(found, datetime) else None
