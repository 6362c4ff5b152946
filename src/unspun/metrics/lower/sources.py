"""The rows of a table as measures read them: for each row version the days on which it is seen, and its cells.

A row version is seen from `seen_from` until before `seen_until` (NULL: for good). A cell that is settled later (see `settled.py`) splits
its row version in time: until then there is a copy in which the cell is empty. So whoever reads a source need not know of settling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlglot import exp

from unspun.book.columns import did_you_mean
from unspun.book.entities import CURRENCY, TABLES, Kind
from unspun.errors import BadInput, Fault
from unspun.metrics.asof import BeforeRenewals
from unspun.metrics.lower.local_day import EPOCH, local_day_sql
from unspun.metrics.lower.windows_of import days_before
from unspun.metrics.question import PanelQuestion
from unspun.metrics.settled import settled_by

LATER = ("known_at", "load", "source_file", "source_row")
"""The later of two versions of a row has the greater of these, in this order."""
ORDER = ("happened_at", "load", "source_file", "source_row")
"""The later of two rows has the greater of these."""
RECEIVED = "received_days"
"""The input that gives the day on which each load was received: `load`, `received_day`."""


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of a table: `account_id`, `day` (when it happened), `seen_from`, and where `superseded` `seen_until`, all days INT; a cell
    `c{i}` for each column (of an instant: microseconds since 1970, its local day as `d{i}`; of a day: INT). No account and no day are NULL.
    """

    query: exp.Select
    columns: tuple[str, ...]
    kinds: Mapping[str, Kind]
    superseded: bool

    def cell(self, column: str) -> exp.Column:
        """A cell as it is: what is counted, added up and told apart."""
        return exp.column(f"c{self.columns.index(column)}")

    def value(self, column: str) -> exp.Column:
        """A cell as it is compared, and as the last value is given: instants by their local day."""
        letter = "d" if self.kinds[column] == "instant" else "c"
        return exp.column(f"{letter}{self.columns.index(column)}")


def source(question: PanelQuestion, table: str, columns: Sequence[str], order: bool = False, exact: bool = False) -> Source:
    """The rows of a table with the cells of `columns`; `order`: also with the columns ORDER. Raises BadInput on a column that is not there.

    A row that was known before it happened is seen from the day on which it happens, or, where `exact`, from when it was known. It counts
    in no window before.
    """
    kinds: dict[str, Kind] = {name: column_kind(question, table, name) for name in columns}
    held = question.tables[table]
    settling = tuple(dict.fromkeys(by for name in columns if (by := settled_by(table, name)) is not None))
    versions = _versions(question, table, tuple(columns), settling, order, exact)
    if settling:
        versions = _split(table, tuple(columns), kinds, settling, held.several_versions, order, versions)
    return Source(versions, tuple(columns), kinds, held.several_versions or bool(settling))


def rows_ever(question: PanelQuestion, table: str, columns: Sequence[str], versions: bool = False) -> Source:
    """All rows of a table that name an account, whenever they happened (`day` may be NULL) and were known, with the columns of ORDER and
    `known_at`; each taken as having one version or, where all `versions` are there, until superseded. Columns that nothing settles."""
    kinds: dict[str, Kind] = {name: column_kind(question, table, name) for name in columns}
    cells = [part for i, name in enumerate(columns) for part in _cells(question, table, i, name)]
    picked = [named("account_id"), *cells, *(named(name) for name in dict.fromkeys((*ORDER, "known_at")))]
    if not versions:
        return Source(_single_versions(question, table, picked, ever=True), tuple(columns), kinds, superseded=False)
    rows = row_versions(question, table, picked, ever=True).subquery("row_versions", copy=False)
    return Source(exp.select("*").from_(rows).where("NOT account_id IS NULL", copy=False), tuple(columns), kinds, superseded=True)


def column_kind(question: PanelQuestion, table: str, column: str) -> Kind:
    """The kind of a column of a table. Raises BadInput where there is none."""
    held = question.tables[table].columns
    if column in held:
        return held[column]
    standard = next(entity for entity in TABLES.values() if entity.name == table)
    found = standard.column(column)
    if found is None:
        known = [*held, *(one.name for one in standard.columns)]
        hint = f"{did_you_mean(column, known)}"
        raise BadInput(Fault("unknown_column", f"`{table}` has no column `{column}`.", "", hint))
    return found.kind


def currency_of(question: PanelQuestion, table: str, column: str) -> str | None:
    """The column that says in which currency the amounts of a column are; None: they are no amounts, or the book does not say."""
    held = question.tables[table].columns
    return CURRENCY.name if CURRENCY.name in held and column_kind(question, table, column) == "money" else None


def day_sql(question: PanelQuestion, column: str, kind: Kind) -> exp.Expr:
    """The day of a day or an instant, as an integer: of an instant, the local one."""
    if kind == "day":
        return exp.cast(exp.UnixDate(this=named(column)), "int")
    return instant_day_sql(question, named(column))


def instant_day_sql(question: PanelQuestion, instant: exp.Expr) -> exp.Expr:
    """The local day of an instant."""
    return local_day_sql(instant, question.time_zone, *question_range(question))


def question_range(question: PanelQuestion) -> tuple[date, date]:
    """The first and the last as-of date of a question; the first day of 1970 where there is none."""
    days = as_of_days(question)
    return (days[0], days[-1]) if days else (date(1970, 1, 1), date(1970, 1, 1))


def as_of_days(question: PanelQuestion) -> tuple[date, ...]:
    """All as-of dates of a question, in order, each once."""
    as_of = question.as_of
    if isinstance(as_of, BeforeRenewals):
        dues = {due for _, due in as_of.dues}  # far fewer than there are accounts
        return tuple(sorted({days_before(due, horizon) for due in dues for horizon in as_of.horizons_days}))
    return tuple(sorted(set(as_of.dates)))


def named(column: str, table: str | None = None) -> exp.Column:
    """A column by its name, which is quoted: it may be any text."""
    return exp.column(exp.to_identifier(column, quoted=True), table=table)


def happened_day(question: PanelQuestion, table: str) -> exp.Expr:
    """The day on which a row of a table happened."""
    entity = next(one for one in TABLES.values() if one.name == table)
    column = entity.column(entity.happened)
    by_day = column is not None and column.kind == "day"
    return day_sql(question, entity.happened, "day") if by_day else day_sql(question, "happened_at", "instant")


def row_versions(question: PanelQuestion, table: str, columns: Sequence[exp.Expr], ever: bool = False, until: bool = True) -> exp.Select:
    """The row versions of a table that are known by the last as-of date (`ever`: all): `day`, `seen_from`, where rows have several
    versions and it is asked (`until`) `seen_until`, and further columns."""
    held = question.tables[table]
    seen_from = day_sql(question, "known_at", "instant")
    rows = exp.select(happened_day(question, table).as_("day"), seen_from.as_("seen_from"), *columns, copy=False)
    rows = rows.from_(exp.Table(this=exp.to_identifier(f"{table}_versions")))
    if not ever:
        rows = rows.where(_before_end(question, "known_at"), copy=False)
    if held.several_versions and until:
        rows = rows.select(_next_version(held.key, seen_from).as_("seen_until"), copy=False)
    return rows


def _before_end(question: PanelQuestion, column: str) -> exp.Expr:
    """Whether an instant lies before the end of the last as-of date, or not long after it: what files are read for."""
    _, last = question_range(question)
    end = last + timedelta(days=2) if last < date.max - timedelta(days=2) else last
    limit = exp.cast(exp.Literal.string(f"{end.isoformat()} 00:00:00+00"), "timestamptz")
    return exp.true() if end == last else exp.LT(this=named(column), expression=limit)


def since(query: exp.Select, first: int) -> exp.Select:
    """Of rows with one version each those that happened on a day since 1970 or later, and some of the days before it."""
    day = date.min + timedelta(days=max(0, first + (EPOCH - date.min).days - 2))
    limit = exp.cast(exp.Literal.string(f"{day.isoformat()} 00:00:00+00"), "timestamptz")
    return query.where(exp.GTE(this=named("happened_at"), expression=limit))


def _versions(
    question: PanelQuestion, table: str, columns: tuple[str, ...], settling: tuple[str, ...], order: bool, exact: bool
) -> exp.Select:
    """The row versions with their cells, and for each column that settles others its day, `s{j}`."""
    cells = [part for i, name in enumerate(columns) for part in _cells(question, table, i, name)]
    settled = [day_sql(question, name, column_kind(question, table, name)).as_(f"s{j}") for j, name in enumerate(settling)]
    ordering = [named(name) for name in (ORDER if order else ("load",) if settling else ())]
    picked = [named("account_id"), *cells, *settled, *ordering]
    if not question.tables[table].several_versions and not exact:
        return _single_versions(question, table, picked)
    there = exp.and_(exp.column("account_id").is_(exp.null()).not_(), exp.column("day").is_(exp.null()).not_())
    rows = row_versions(question, table, picked)
    return exp.select("*").from_(rows.subquery("row_versions", copy=False)).where(there, copy=False)


def _single_versions(question: PanelQuestion, table: str, columns: Sequence[exp.Expr], ever: bool = False) -> exp.Select:
    """The rows of a table in which each has one version: a plain pass. A row known before it happened is seen from its day.

    Those that are read for the as-of dates, or (`ever`) all."""
    day = happened_day(question, table)
    late = exp.GT(this=named("known_at"), expression=named("happened_at"))
    seen_from = (
        exp.Case()
        .when(late, exp.Greatest(this=day_sql(question, "known_at", "instant"), expressions=[day.copy()], ignore_nulls=True))
        .else_(day.copy())
    )
    there = [] if ever else [_before_end(question, "happened_at"), _before_end(question, "known_at")]
    there += [named(name).is_(exp.null()).not_() for name in ("account_id", *(() if ever else ("happened_at",)))]
    rows = exp.select(day.as_("day"), seen_from.as_("seen_from"), *columns, copy=False)
    return rows.from_(exp.Table(this=exp.to_identifier(f"{table}_versions"))).where(*there, copy=False)


def _cells(question: PanelQuestion, table: str, i: int, name: str) -> list[exp.Expr]:
    kind = column_kind(question, table, name)
    if kind == "instant":
        return [exp.UnixMicros(this=named(name)).as_(f"c{i}"), day_sql(question, name, kind).as_(f"d{i}")]
    return [(day_sql(question, name, kind) if kind == "day" else named(name)).as_(f"c{i}")]


def _next_version(key: Sequence[str], seen_from: exp.Expr) -> exp.Expr:
    by = [named(name) for name in key or ("source_file", "source_row")]
    order = exp.Order(expressions=[exp.Ordered(this=named(name), nulls_first=False) for name in LATER])
    return exp.Window(this=exp.func("LEAD", seen_from.copy()), partition_by=by, order=order)


def _split(
    table: str,
    columns: tuple[str, ...],
    kinds: Mapping[str, Kind],
    settling: tuple[str, ...],
    versioned: bool,
    order: bool,
    rows: exp.Select,
) -> exp.Select:
    """Each row version once more from each day on which cells of it become readable."""
    readable = exp.select("row_versions.*", *(_readable_from(j).as_(f"r{j}") for j in range(len(settling))))
    readable = readable.from_(rows.subquery("row_versions", copy=False))
    on = exp.column("load", table="row_versions").eq(exp.column("load", table=RECEIVED))
    readable = readable.join(exp.to_table(RECEIVED), on=on, join_type="left")
    parts = [_from(start, table, columns, kinds, settling, versioned, order) for start in range(-1, len(settling))]
    union = parts[0]
    for part in parts[1:]:
        union = exp.union(union, part, distinct=False, copy=False)
    return exp.select("*").from_(union.subquery("parts", copy=False)).with_("readable", as_=readable, copy=False)


def _readable_from(j: int) -> exp.Expr:
    """See `settled.readable_from`: from when cells that column `j` settles may be read; NULL: never."""
    written_later = exp.GT(this=exp.column("seen_from"), expression=exp.column("day"))
    least = exp.Least(this=exp.column(f"s{j}"), expressions=[exp.column("received_day")], ignore_nulls=True)
    return exp.Case().when(written_later, exp.column("seen_from")).else_(least)


def _from(
    start: int, table: str, columns: tuple[str, ...], kinds: Mapping[str, Kind], settling: tuple[str, ...], versioned: bool, order: bool
) -> exp.Select:
    """The row versions from one of their days on (-1: from when they are seen), until the next of these days."""
    begins = exp.column("seen_from" if start < 0 else f"r{start}")
    later = [exp.Case().when(exp.GT(this=exp.column(f"r{j}"), expression=begins.copy()), exp.column(f"r{j}")) for j in range(len(settling))]
    ends = [*([exp.column("seen_until")] if versioned else []), *later]
    until = exp.Least(this=ends[0], expressions=ends[1:], ignore_nulls=True) if len(ends) > 1 else ends[0]
    cells = [part for i, name in enumerate(columns) for part in _settled_cells(table, i, name, kinds[name], settling, begins)]
    picked = [exp.column("account_id"), exp.column("day"), begins.copy().as_("seen_from"), until.as_("seen_until"), *cells]
    query = exp.select(*picked, *(exp.column(name) for name in (ORDER if order else ()))).from_("readable")
    return query if start < 0 else query.where(_splits(start, versioned))


def _splits(start: int, versioned: bool) -> exp.Expr:
    """Whether a day splits a row version, and no earlier one of its days is the same."""
    day = exp.column(f"r{start}")
    parts: list[exp.Expr] = [exp.GT(this=day.copy(), expression=exp.column("seen_from"))]
    if versioned:
        until = exp.column("seen_until")
        parts.append(exp.or_(until.is_(exp.null()), exp.LT(this=day.copy(), expression=until.copy())))
    for earlier in range(start):
        same = exp.EQ(this=day.copy(), expression=exp.column(f"r{earlier}"))
        parts.append(exp.func("COALESCE", same, exp.false()).not_())
    return exp.and_(*parts)


def _settled_cells(table: str, i: int, name: str, kind: Kind, settling: tuple[str, ...], begins: exp.Expr) -> list[exp.Expr]:
    names = [f"c{i}", f"d{i}"] if kind == "instant" else [f"c{i}"]
    by = settled_by(table, name)
    if by is None:
        return [exp.column(cell) for cell in names]
    readable = exp.LTE(this=exp.column(f"r{settling.index(by)}"), expression=begins)
    return [exp.Case().when(readable.copy(), exp.column(cell)).as_(cell) for cell in names]
