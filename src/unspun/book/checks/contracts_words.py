"""What findings of contracts have in common: what they reach, how they are mended, and that a share may be allowed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from fractions import Fraction
from zoneinfo import ZoneInfo

from unspun.book.checks.finding import Finding
from unspun.book.checks.reach import REACHED
from unspun.book.checks.shape import BookShape
from unspun.book.entities import Kind
from unspun.book.mapping.contract_definition import FreshnessRule, Rule, VolumeRule
from unspun.book.sql_words import sql_name

CODE = "contract"


def broken(
    table: str,
    rule: Rule,
    counts: tuple[int, int, str],
    message: str,
    mend: str,
    rows_sql: str,
    facts: dict[str, str | int | float | None] | None = None,
) -> Finding:
    """The finding that a rule does not hold: of `counts` (at fault, of, unit)."""
    count, of, unit = counts
    allowed = _allowed(rule)
    may = f" Up to {float(allowed * 100):.6g} % may." if allowed else ""
    why = f" Why it is asked: {rule.why.rstrip('.')}." if rule.why else ""
    return Finding(
        check=CODE,
        table=table,
        severity=rule.severity,
        count=count,
        of=of,
        unit=unit,
        message=f"{message}{may}{why}",
        affects=REACHED.get(table, ()),
        mend=f"{mend} Or change the rule: {place(rule)}.",
        rows_sql=rows_sql,
        subject=rule.subject,
        facts={"rule": rule.subject, **({"allowed_share": float(allowed)} if allowed else {}), **(facts or {})},
    )


def place(rule: Rule) -> str:
    """Where the rule stands."""
    return f"line {rule.line} of book.yml"


def breaks(count: int, of: int, rule: Rule) -> bool:
    """Whether so many of so many are more than the rule allows; the share is as it is written, to the last digit."""
    return count > 0 and count > _allowed(rule) * of


def _allowed(rule: Rule) -> Fraction:
    return Fraction(0) if isinstance(rule, FreshnessRule | VolumeRule) else Fraction(str(rule.allowed))


def first_open_day(shape: BookShape) -> date:
    """The first day that was not over at the check."""
    return shape.at.astimezone(ZoneInfo(shape.definition.time_zone)).date()


def start_of_day(shape: BookShape, day: date) -> datetime:
    """The instant at which a day begins in the book's zone; where a clock skips midnight, the moment of the skip."""
    return datetime.combine(day, time(), ZoneInfo(shape.definition.time_zone)).astimezone(UTC)


def sql_instant(instant: datetime) -> str:
    """An instant as an SQL literal, to the microsecond."""
    return f"TIMESTAMPTZ '{instant.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S.%f')}+00'"


def kind_held(shape: BookShape, table: str, column: str) -> Kind:
    """The kind of a column that the book holds. KeyError where it holds none of that name."""
    return shape.tables[table].columns[column]


def given_sql(column: str, kind: Kind) -> str:
    """The condition that a cell is not empty: no text of blanks either."""
    name = sql_name(column)
    return f"({name} IS NOT NULL AND trim({name}) <> '')" if kind == "text" else f"({name} IS NOT NULL)"


def row_columns(shape: BookShape, table: str, *shown: str) -> str:
    """The columns that a row at fault is shown with: its file and row, its account, its key, and those that explain the fault."""
    held = shape.tables[table]
    beside = [name for name in ("account_id", *held.key) if held.has(name)]
    return ", ".join(sql_name(name) for name in dict.fromkeys(("source_file", "source_row", *beside, *shown)))


def origins(shape: BookShape, table: str, *columns: str) -> str:
    """Where the columns come from, in words: "`Start Date` of subs*.csv"."""
    said: list[str] = []
    for source in shape.definition.sources:
        if source.table == table:
            headers = [f"`{source.columns[name]}`" for name in columns if name in source.columns]
            said.append(f"{' and '.join(headers)} of {', '.join(source.files)}" if headers else ", ".join(source.files))
    return "; ".join(dict.fromkeys(said)) or f"the files of {table}"
