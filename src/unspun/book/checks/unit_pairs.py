"""Values that follow one another, for the check of units: which are compared, and their ratios as SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

from unspun.book.checks.event_counts import EVENT_MONTHS, followed_columns
from unspun.book.checks.reach import REACHED
from unspun.book.checks.shape import BookShape
from unspun.book.entities import TABLES
from unspun.book.sql_words import local_day, sql_name

FACTORS = (12.0, 100.0, 1000.0, 1 / 12, 1 / 100, 1 / 1000)
BAND = log(1.5)  # around a factor: what prices and growth may add between two values; the bands do not meet
EXACTLY = 0.005
SIZE_BAND = 2.0  # where seats changed more than that, an amount may well have changed as much
LEAST_ROWS = 3  # of events whose mean is a value
MONTH_DAYS = 30.4375


@dataclass(frozen=True, slots=True)
class Series:
    """One column whose values are compared. `points_sql`: entity, day, source_file, value, size (and `before` where a row has both).

    `back` is how many values back is compared with: 2 for monthly means, as the month of the change is a mixture; 0 where a row has both.
    `things` is what a value is of, in words; `priced`, whether exact ratios mean something. `counted_sql` gives the same points to be
    counted: with the columns of the entity (`by`) as they are, which are sorted in half the time.
    """

    table: str
    column: str
    points_sql: str
    things: str
    affects: tuple[str, ...]
    by: str
    counted_sql: str
    back: int = 1
    priced: bool = True

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


def series_of(shape: BookShape) -> tuple[Series, ...]:
    """Every amount and quantity of the book that can be followed."""
    return (*_subscriptions(shape), *_renewals(shape), *_purchases(shape), *_events(shape))


def _subscriptions(shape: BookShape) -> Iterator[Series]:
    if not shape.has("subscriptions", "amount"):
        return
    entity = _filled(shape, "subscriptions", "account_id", "product", "is_addon", "currency")
    seats = "sum(seats)" if shape.has("subscriptions", "seats") else "NULL"
    term = f"CASE WHEN ended > started THEN CAST(amount AS DOUBLE) * {MONTH_DAYS} / (ended - started) END"
    months = f"CASE WHEN amount_months > 0 THEN amount / amount_months WHEN amount_months = 0 THEN {term} ELSE amount END"
    points = (
        f"started AS day, source_file, min(source_row) AS source_row, "
        f"CAST(sum({months}) AS DOUBLE) AS value, {seats} AS size FROM subscriptions WHERE amount > 0 GROUP BY ALL"
    )
    told, counted = f"SELECT {_struct(entity)} AS entity, {points}", f"SELECT {entity}, {points}"
    yield Series("subscriptions", "amount", told, "terms", ("retention: ARR, GRR, NRR", "renewals"), entity, counted)


def _renewals(shape: BookShape) -> Iterator[Series]:
    if shape.has("renewals", "amount_before", "amount_after"):
        points = (
            "SELECT struct_pack(account_id := account_id) AS entity, due AS day, source_file, source_row, CAST(amount_after AS DOUBLE) AS "
            "value, NULL AS size, "
            "CAST(amount_before AS DOUBLE) AS before FROM renewals WHERE amount_after > 0 AND amount_before > 0"
        )
        yield Series("renewals", "amount_after", points, "renewals", ("retention: GRR, NRR", "renewals"), "entity", points, back=0)


def _purchases(shape: BookShape) -> Iterator[Series]:
    columns = [name for name in shape.kinds("purchases", "money") if name == "amount" or not _standard("purchases", name)]
    entity = _filled(shape, "purchases", "product", "currency") if shape.has("purchases", "product") else "account_id"
    for column in columns:
        per = " / quantity" if column == "amount" and shape.has("purchases", "quantity") else ""
        more = " AND quantity > 0" if per else ""
        value = f"median(CAST({sql_name(column)}{per} AS DOUBLE))"
        points = _monthly(shape, "purchases", "purchased", entity, value, f"{sql_name(column)} > 0{more}")
        yield Series("purchases", column, points, "months of a product", REACHED["purchases"], "entity", points, back=2)


def _events(shape: BookShape) -> Iterator[Series]:
    entity = _filled(shape, "events", "account_id", "event")
    for i, column in enumerate(followed_columns(shape)):
        points = _monthly(shape, "events", "occurred", entity, f"avg({sql_name(column)})", f"{sql_name(column)} > 0", LEAST_ROWS)
        counted = (
            f"SELECT {entity}, {_FIRST_OF_MONTH} AS day, source_file, NULL::BIGINT AS source_row, value, NULL AS size "
            f"FROM (SELECT {entity}, month, source_file, sum(s{i}) / sum(n{i}) AS value FROM {EVENT_MONTHS} "
            f"WHERE n{i} > 0 GROUP BY ALL HAVING sum(n{i}) >= {LEAST_ROWS})"
        )
        yield Series("events", column, points, "months of an account", REACHED["events"], entity, counted, back=2, priced=False)


def _monthly(shape: BookShape, table: str, happened: str, entity: str, value: str, where: str, least: int = 1) -> str:
    """A value for each entity, month and file; months are told by whole numbers first, as rows may be millions."""
    day = local_day(happened, shape.definition.time_zone)
    return (
        f"SELECT {_struct(entity)} AS entity, {_FIRST_OF_MONTH} AS day, source_file, source_row, value, NULL AS size FROM ("
        f"SELECT {entity}, {_month_sql(day)} AS month, source_file, min(source_row) AS source_row, {value} AS value FROM {table} "
        f"WHERE {where} GROUP BY ALL HAVING count(*) >= {least})"
    )


_FIRST_OF_MONTH = "make_date(month // 12, month % 12 + 1, 1)"


def _month_sql(day: str) -> str:
    """Months since the year 0."""
    return f"CAST(year({day}) * 12 + month({day}) - 1 AS INTEGER)"


def _filled(shape: BookShape, table: str, *columns: str) -> str:
    return ", ".join(sql_name(column) for column in columns if shape.has(table, column))


def _struct(names: str) -> str:
    """Columns as one value, which keeps their names."""
    return f"struct_pack({', '.join(f'{name} := {name}' for name in names.split(', '))})"


def _standard(table: str, name: str) -> bool:
    return any(entity.name == table and entity.column(name) is not None for entity in TABLES.values())


def _pairs_sql(series: Series, points: str, by: str = "entity") -> str:
    """Each value with the one before it: ratio, the factor it is near (NULL: none), and whether it stands on it."""
    if series.back:
        same = f"(PARTITION BY {by} ORDER BY day, source_file, source_row)"
        names = ("value", "before"), ("size", "size_before"), ("source_file", "file_before")
        lags = ", ".join(f"lag({name}, {series.back}) OVER {same} AS {alias}" for name, alias in names)
        paired = f"SELECT *, {lags} FROM ({points})"
    else:
        paired = f"SELECT *, size AS size_before, source_file AS file_before FROM ({points})"
    near = " ".join(f"WHEN abs(ln(ratio) - {log(factor)!r}) < {BAND!r} THEN {factor!r}::DOUBLE" for factor in FACTORS)
    sized = f"(size IS NULL OR size_before IS NULL OR (size <= {SIZE_BAND} * size_before AND size_before <= {SIZE_BAND} * size))"
    return (
        f"SELECT *, CASE {near} END AS factor FROM (SELECT {by}, day, source_file, source_row, before, value, value / before AS ratio, "
        f"source_file <> file_before AS crosses, year(day) * 12 + month(day) - 1 AS month FROM ({paired}) "
        f"WHERE before > 0 AND value > 0 AND {sized})"
    )


def groups_sql(series: Series) -> str:
    """The pairs of a series, counted by month, file and factor."""
    return (
        f"SELECT month, source_file, crosses, factor, count(*) AS pairs, count(*) FILTER (abs(ratio / factor - 1) < {EXACTLY}) AS exact "
        f"FROM ({_pairs_sql(series, series.counted_sql, series.by)}) GROUP BY month, source_file, crosses, factor ORDER BY ALL"
    )


def jumping_rows_sql(series: Series, factor: float, file: int | None, months: Sequence[int] | None, exact: bool) -> str:
    """The pairs near a factor, of a file or of months: where the value stands, and the value before it."""
    tests = [f"factor = {factor!r}::DOUBLE"]
    if file is not None:
        tests.append(f"crosses AND source_file = {file}")
    if months is not None:
        tests.append(f"month BETWEEN {months[0]} AND {months[-1]}")
    if exact:
        tests.append(f"abs(ratio / factor - 1) < {EXACTLY}")
    return (
        f"SELECT unnest(entity), day, before, value, ratio, source_file, source_row FROM ({_pairs_sql(series, series.points_sql)}) WHERE "
        f"{' AND '.join(tests)} "
        "ORDER BY day, entity, source_file, source_row"
    )
