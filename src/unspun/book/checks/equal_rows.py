"""Equal rows in tables without a key: within a file, and across files as when one export is loaded under two names.

Two equal rows are not always a fault. What is known of time decides: where rows only say the day or the minute, the same thing may well
have happened twice. Nothing is ever merged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.event_counts import EVENT_FILE_DAYS
from unspun.book.checks.extracts import AskedBook, FileFacts
from unspun.book.checks.finding import Finding, Severity
from unspun.book.checks.repeating_rows import repeating_facts, repeating_rows
from unspun.book.checks.repeats_sql import (
    affected,
    data_columns,
    entity_of,
    keyless_tables,
    no_keyless_table,
    repeating_rows_sql,
    unused_name,
)
from unspun.book.checks.shape import BookShape, TableShape
from unspun.book.checks.shares import counted
from unspun.book.sql_words import local_day, sql_name

WARNED_SHARE, WRONG_SHARE = 0.01, 0.1  # a hundredth of the rows too many is lost in no trend; a tenth is
DOUBLED_SHARE, EVEN_SHARE, DOUBLED_ROWS = 0.8, 0.95, 50  # of a day whose rows all stand twice: chance makes threes as well as twos
SAME_FILE_SHARE, OVERLAP_SHARE, OVERLAP_ROWS = 0.9, 0.01, 10  # of the smaller of two files
COARSE_OVERLAP_SHARE = 0.5  # where rows say the day only, some may agree that are two things
NARROWED_ROWS, NARROWED_GROUPS, REMAINDER = 1_000_000, 500, 1_000_003
ROW_IDS = {"events": "event_id", "responses": "response_id", "touchpoints": "touchpoint_id"}


@dataclass(frozen=True, slots=True)
class Repeats:
    """The equal rows of a table: `within` and `across` files, copies beyond the first.

    `coarse` is the part of groups whose time is a day or a whole minute, `even` of those that stand an even number of times; `doubled` are
    days on which nearly all rows do. `overlap` is the largest share of a file's rows that stand in another file, of `files`.
    """

    rows: int
    within: int
    across: int
    coarse: float
    even: float
    doubled: int
    overlap: float
    overlap_rows: int
    files: tuple[int, int]
    remainders: tuple[int, ...]


def _ask(shape: BookShape) -> dict[str, str]:
    asked: dict[str, str] = {}
    for table in keyless_tables(shape):
        asked[f"{table.name}.groups"] = _groups_sql(shape, table)
        asked[f"{table.name}.files"] = _files_sql(table)
        asked[f"{table.name}.days"] = _days_sql(shape, table)
    return asked


def _prepare(book: AskedBook) -> None:
    for table in keyless_tables(book.shape):
        repeating_rows(book, table, _repeating(table))


def _facts(book: AskedBook) -> tuple[FileFacts, ...]:
    return tuple(repeating_facts(book, table, _repeating(table)) for table in keyless_tables(book.shape) if table.name == "events")


def _repeating(table: TableShape) -> str:
    """The table of the rows that repeat another in every column, and of some that only seem to."""
    return f"{table.name}_repeating"


def _files_sql(table: TableShape) -> str:
    if table.name == "events":
        return f"SELECT source_file, sum(rows)::BIGINT AS rows FROM {EVENT_FILE_DAYS} GROUP BY ALL"
    return f"SELECT source_file, count(*) AS rows FROM {sql_name(table.name)} GROUP BY ALL"


def _groups_sql(shape: BookShape, table: TableShape) -> str:
    """The groups of equal rows, counted by day, files, how fine their time is, and how often they stand."""
    columns = ", ".join(map(sql_name, data_columns(table)))
    return (
        f"SELECT day, coarse, files, n, count(*) AS groups, list(DISTINCT remainder) AS remainders FROM (SELECT "
        f"{_day(shape, table)} AS day, {_coarse(shape, table)} AS coarse, {_remainder(table)} AS remainder, _n AS n, "
        f"list_sort(list_distinct(_files)) AS files FROM (SELECT {columns}, count(*) AS _n, list(source_file) AS _files "
        f"FROM {sql_name(_repeating(table))} GROUP BY {columns} HAVING count(*) > 1)"
        f") GROUP BY ALL ORDER BY day, coarse, files, n"
    )


def _days_sql(shape: BookShape, table: TableShape) -> str:
    if table.name == "events":
        return f"SELECT day, sum(rows) AS rows FROM {EVENT_FILE_DAYS} GROUP BY day"
    return f"SELECT {_day(shape, table)} AS day, count(*) AS rows FROM {sql_name(table.name)} GROUP BY ALL"


def _is_day(table: TableShape) -> bool:
    column = entity_of(table.name).column(entity_of(table.name).happened)
    return column is None or column.kind == "day"


def _day(shape: BookShape, table: TableShape) -> str:
    happened = sql_name(entity_of(table.name).happened)
    return happened if _is_day(table) else local_day(happened, shape.definition.time_zone)


def _coarse(shape: BookShape, table: TableShape) -> str:
    """Whether the time of a row is a day or a minute, not a second."""
    return "true" if _is_day(table) else f"epoch_us({sql_name(entity_of(table.name).happened)}) % 60000000 = 0"


def _remainder(table: TableShape) -> str:
    """A number that equal rows share and few others do, which says nothing about anybody."""
    return "0" if _is_day(table) else f"epoch_us({sql_name(entity_of(table.name).happened)}) % {REMAINDER}"


def _judge(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for table in keyless_tables(shape):
        groups = answers[f"{table.name}.groups"].to_pylist()
        if groups:
            files = {row["source_file"]: row["rows"] for row in answers[f"{table.name}.files"].to_pylist()}
            days = {row["day"]: int(row["rows"]) for row in answers[f"{table.name}.days"].to_pylist()}
            found = _repeats(groups, files, days)
            if found.within:
                yield _within(shape, table, found)
            if found.across:
                yield _across(shape, table, found)


def _repeats(groups: list[dict[str, Any]], files: Mapping[int, int], days: Mapping[date, int]) -> Repeats:
    number = sum(row["groups"] for row in groups)
    overlaps = _overlaps(groups)
    pair = max(overlaps, key=lambda pair: (overlaps[pair] / min(files[one] for one in pair), pair), default=(0, 0))
    remainders = {one for row in groups for one in row["remainders"]}
    return Repeats(
        rows=sum(files.values()),
        within=sum((row["n"] - len(row["files"])) * row["groups"] for row in groups),
        across=sum((len(row["files"]) - 1) * row["groups"] for row in groups),
        coarse=sum(row["groups"] for row in groups if row["coarse"]) / number,
        even=sum(row["groups"] for row in groups if row["n"] % 2 == 0) / number,
        doubled=_doubled_days((row for row in groups if row["n"] > len(row["files"])), days),
        overlap=overlaps[pair] / min(files[one] for one in pair) if overlaps else 0.0,
        overlap_rows=overlaps.get(pair, 0),
        files=pair,
        remainders=tuple(sorted(remainders)) if number <= NARROWED_GROUPS else (),
    )


def _overlaps(groups: Iterable[Mapping[str, Any]]) -> dict[tuple[int, int], int]:
    """By pair of files, how many different rows stand in both."""
    overlaps: dict[tuple[int, int], int] = {}
    for row in groups:
        for at, one in enumerate(row["files"]):
            for other in row["files"][at + 1 :]:
                overlaps[one, other] = overlaps.get((one, other), 0) + row["groups"]
    return overlaps


def _doubled_days(groups: Iterable[Mapping[str, Any]], days: Mapping[date, int]) -> int:
    """The days on which nearly all rows, and enough of them, stand an even number of times."""
    rows: dict[date, list[int]] = {}
    for row in groups:
        counted = rows.setdefault(row["day"], [0, 0])
        counted[0] += row["n"] * row["groups"]
        counted[1] += row["n"] * row["groups"] if row["n"] % 2 == 0 else 0
    return sum(n >= DOUBLED_ROWS and n >= DOUBLED_SHARE * days.get(day, n) and even >= EVEN_SHARE * n for day, (n, even) in rows.items())


# What is said of them


def _within(shape: BookShape, table: TableShape, found: Repeats) -> Finding:
    return Finding(
        check="equal_rows",
        table=table.name,
        subject="within_file",
        severity=_severity_within(table, found),
        count=found.within,
        of=found.rows,
        unit="rows",
        message=f"{counted(found.within, found.rows, f'rows of {table.name}')} repeat another row of the same file in every column. "
        + _why_within(table, found),
        affects=affected(table.name),
        mend="See the rows. If the source writes a row twice, export it without repeats and load it in place of the file (unspun undo). If "
        "they are two things that happened, map a column that tells them apart (an id), or accept the finding.",
        rows_sql=_rows_sql(shape, table, found, "_copy_in_file > 1", "own"),
        facts={"coarse_share": found.coarse, "doubled_days": found.doubled, "even_share": found.even},
        rows_from=_repeating(table),
    )


def _severity_within(table: TableShape, found: Repeats) -> Severity:
    """Rows that an id tells apart, or a second, repeat by a fault; of a day or minute only where whole days stand twice."""
    share = found.within / found.rows
    if found.doubled:
        return "error" if share >= WRONG_SHARE else "warning"
    if found.coarse >= 0.5 and not _row_id(table):
        return "note"
    return "error" if share >= WRONG_SHARE else "warning" if share >= WARNED_SHARE else "note"


def _row_id(table: TableShape) -> bool:
    return ROW_IDS.get(table.name, "") in table.columns


def _why_within(table: TableShape, found: Repeats) -> str:
    if found.doubled:
        return f"On {found.doubled:,} days nearly every row stands twice: these were written twice."
    if _row_id(table):
        return "They have the same id, so they are one thing written twice."
    if found.coarse >= 0.5:
        return "Their times are days or whole minutes, so they may be several things that happened."
    return "Their times are exact to the second, so few of them are two things that happened."


def _across(shape: BookShape, table: TableShape, found: Repeats) -> Finding:
    one, other = found.files
    return Finding(
        check="equal_rows",
        table=table.name,
        subject="across_files",
        severity=_severity_across(table, found),
        count=found.across,
        of=found.rows,
        unit="rows",
        message=f"{counted(found.across, found.rows, f'rows of {table.name}')} stand in another file as well, alike in every column. "
        "Source files "
        f"{one} and {other} have {found.overlap_rows:,} rows in common, {100 * found.overlap:.1f} % of the smaller one"
        + ("." if found.overlap < SAME_FILE_SHARE else ": the same export loaded twice."),
        affects=affected(table.name),
        mend="Take back the load that brought the rows a second time (unspun undo), or export periods that do not overlap; a key in "
        "book.yml "
        "lets a row come in once.",
        rows_sql=_rows_sql(shape, table, found, "_copy_in_file = 1 AND _copy > 1", "first"),
        facts={"source_file": one, "other_source_file": other, "overlap_share": found.overlap, "coarse_share": found.coarse},
        rows_from=_repeating(table),
    )


def _severity_across(table: TableShape, found: Repeats) -> Severity:
    if found.overlap_rows < OVERLAP_ROWS:
        return "note"
    if found.overlap >= SAME_FILE_SHARE:
        return "error"
    coarse = found.coarse >= 0.5 and not _row_id(table)
    return "warning" if found.overlap >= (COARSE_OVERLAP_SHARE if coarse else OVERLAP_SHARE) else "note"


def _rows_sql(shape: BookShape, table: TableShape, found: Repeats, which: str, first: str) -> str:
    """The copies, each with the row that it repeats. In a large table with few of them only rows of those remainders are looked at."""
    columns = ", ".join(map(sql_name, data_columns(table)))
    narrow = found.rows >= NARROWED_ROWS and found.remainders and found.coarse < 0.5
    where = f"{_remainder(table)} IN ({', '.join(map(str, found.remainders))})" if narrow else "true"
    return (
        f"SELECT {columns}, source_file, source_row, _{first}_file AS {unused_name(table, 'repeats_file')}, "
        f"_{first}_row AS {unused_name(table, 'repeats_row')} FROM (SELECT {columns}, source_file, source_row, "
        "row_number() OVER every AS _copy, row_number() OVER own AS _copy_in_file, first(source_file) OVER every AS _first_file, "
        "first(source_row) OVER every AS _first_row, source_file AS _own_file, first(source_row) OVER own AS _own_row "
        f"FROM ({repeating_rows_sql(table.name, data_columns(table), where)}) WINDOW every AS (PARTITION BY {columns} "
        f"ORDER BY source_file, source_row), own AS (PARTITION BY {columns}, source_file ORDER BY source_row)) WHERE {which} "
        f"ORDER BY {_day(shape, table)}, {columns}, source_file, source_row"
    )


EQUAL_ROWS = Check(
    "equal_rows",
    "equal rows, within a file and across files",
    ("events", "purchases", "responses", "touchpoints"),
    no_keyless_table,
    _ask,
    _judge,
    (EVENT_FILE_DAYS,),
    prepare=_prepare,
    facts=_facts,
)
