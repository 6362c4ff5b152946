"""What a trial reads of an open book beside its panel: renewals, recorded scores, calls, and what was said of accounts when.

Times are days of the book's zone, as those of a panel are: what was known by the end of a day was known on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from unspun.app.panel.basis import PanelBasis, derived_renewals
from unspun.book.entities import STATED, TABLES
from unspun.book.extras import Accounts, Attribute
from unspun.book.retention.sold import read_codes
from unspun.book.tables import OUTCOMES, UNDECIDED, Codes, Floats, Ints, Renewals, Source, SourceFile, Times
from unspun.book.text import squash
from unspun.engines.embedded import sql_name, sql_text
from unspun.errors import BadInput, Fault
from unspun.warehouse.read import BookReader, end_of_day
from unspun.warehouse.read_sql import LATER, identity, instant_sql

RENEWALS, ACCOUNTS, SCORES, FORECASTS, RESPONSES = "renewals", "accounts", "scores", "forecasts", "responses"
NO_RENEWALS = Fault(
    "no_renewals", "the book holds neither renewals nor subscription terms with an end.", "", "Load one of them: unspun load FILE..."
)


@dataclass(frozen=True, slots=True)
class TrialDay:
    """The day up to the end of which a trial knows anything, in the book's zone."""

    day: date
    zone: str

    @property
    def before(self) -> datetime:
        return end_of_day(self.day, self.zone)

    def known(self, column: str = "known_at") -> str:
        """An SQL condition: known by the end of the day."""
        return f"{column} < {instant_sql(self.before)}"

    def local(self, column: str) -> str:
        """SQL of an instant as the clock of the zone showed it."""
        return f"CAST({column} AT TIME ZONE {sql_text(self.zone)} AS TIMESTAMP)"


def last_known_day(reader: BookReader, zone: str, at: datetime) -> tuple[date, str]:
    """The last day, up to now, on which anything is known of outcomes, and what that is: one was decided, or a term began.

    Rows of usage beyond that tell of none, and terms of the past are not read as if all had lapsed since. Raises BadInput where there are
    no renewals.
    """
    table, where, why = "subscriptions", "", "the last day on which a term began"
    if holds(reader, RENEWALS):
        table, where, why = RENEWALS, " AND outcome <> 'undecided'", "the last day on which a renewal was decided"
    sql = f"SELECT max(happened_at) AS last FROM {table} WHERE happened_at <= $1{where}"
    last = reader.query(sql, [at.astimezone(UTC)])["last"][0].as_py()
    if last is None:
        raise BadInput(NO_RENEWALS)
    return last.astimezone(ZoneInfo(zone)).date(), why


def holds(reader: BookReader, table: str) -> bool:
    """Whether the book has rows of a table."""
    held = reader.version.table(table)
    return held is not None and held.rows > 0


# Renewals


def read_renewals(whole: BookReader, known: BookReader, basis: PanelBasis, day: TrialDay) -> Renewals:
    """The renewals as a company records them, else as they follow from its terms by the rules of retention, as known by the day.

    `known` is the book as it was known then. Raises BadInput where there are none.
    """
    if holds(whole, RENEWALS):
        return _recorded(whole, day)
    derived = derived_renewals(basis, known)
    if derived is None:
        raise BadInput(NO_RENEWALS)
    return _named_by_file(whole, derived[0], *derived[1])


def _recorded(reader: BookReader, day: TrialDay) -> Renewals:
    rows = reader.query(_renewals_sql(reader, day))
    if not rows.num_rows:
        raise BadInput(NO_RENEWALS)
    files, names = files_of(reader, ints(rows, "source_file"))
    outcome = read_codes(rows, "outcome")
    code = np.array([OUTCOMES.index(name) if name in OUTCOMES else UNDECIDED for name in outcome.names] + [UNDECIDED], np.int8)
    currency = read_codes(rows, "currency")
    return Renewals(
        source=Source(RENEWALS, "renewals of the book", reader.version.digest, "book", rows.num_rows, {}, (), (), files=names),
        row=ints(rows, "source_row"),
        account=read_codes(rows, "account_id"),
        due=days(rows, "due"),
        outcome=code[outcome.codes],
        amount_before=_amounts(rows, "amount_before"),
        amount_after=_amounts(rows, "amount_after"),
        currency=currency if currency.names else None,
        term_start=_if_any(days(rows, "term_start")),
        notice=_if_any(days(rows, "notice")),
        outcome_known=_if_any(days(rows, "outcome_known")),
        file=files,
    )


def _renewals_sql(reader: BookReader, day: TrialDay) -> str:
    """Each renewal in its newest version known by the day; one that came later is there without an outcome."""
    table, known = reader.version.table(RENEWALS), day.known()
    several = table is not None and table.several_versions
    order = ", ".join([f"({known}) DESC", *(f"{name} DESC" for name in LATER)])
    one = (
        "" if table is None or not several else f" QUALIFY row_number() OVER (PARTITION BY {_listed(identity(table))} ORDER BY {order}) = 1"
    )
    later = f"CASE WHEN known_at IS DISTINCT FROM happened_at THEN CAST({day.local('known_at')} AS DATE) END"
    told = f"CASE WHEN outcome <> 'undecided' THEN COALESCE(CAST({day.local('decided')} AS DATE), {later}) END"
    return (
        f"SELECT account_id, due, CASE WHEN {known} THEN outcome END AS outcome, {told} AS outcome_known, amount_before, "
        f"CASE WHEN {known} THEN amount_after END AS amount_after, currency, term_start, notice, source_file, source_row "
        f"FROM (SELECT * FROM renewals_versions WHERE account_id IS NOT NULL AND due IS NOT NULL{one}) ORDER BY source_file, source_row"
    )


def _named_by_file(reader: BookReader, renewals: Renewals, file_numbers: Ints, rows: Ints) -> Renewals:
    """Renewals derived from terms, by the rows of the files that these came from."""
    files, names = files_of(reader, file_numbers)
    rejections = tuple(replace(one, rows=rows[one.rows], file=files[one.rows]) for one in renewals.source.rejections)
    source = replace(
        renewals.source,
        name="subscription terms of the book",
        sha256=reader.version.digest,
        format="book",
        files=names,
        rejections=rejections,
    )
    return replace(renewals, source=source, row=rows[renewals.row], file=files[renewals.row])


def rates_into(known: BookReader, into: str, currencies: Sequence[str], day: TrialDay) -> tuple[dict[str, float], date | None]:
    """What one unit of each currency is worth by the latest rate of the book up to the day, and the day of the oldest of these rates."""
    if not holds(known, "rates"):
        return {}, None
    wanted = ", ".join(sql_text(name) for name in currencies if name != into) or "NULL"
    rows = known.query(
        f'SELECT currency, arg_max(rate, day) AS rate, max(day) AS day FROM rates WHERE "into" = {sql_text(into)} '
        f"AND day <= DATE '{day.day.isoformat()}' AND currency IN ({wanted}) AND rate > 0 GROUP BY currency ORDER BY currency"
    ).to_pylist()
    return {row["currency"]: float(row["rate"]) for row in rows}, min((row["day"] for row in rows), default=None)


# What was said of accounts


@dataclass(frozen=True, slots=True)
class Statements:
    """What was stated of accounts, a row a statement: account, when it holds from and since when it was known, and codes by column."""

    account: Codes
    dated: Times
    recorded: Times
    place: tuple[Ints, Ints]
    columns: dict[str, Codes]

    def __len__(self) -> int:
        return len(self.dated)


STATED_OF_ACCOUNTS = ("segment", "owner", "parent_id")


def read_statements(reader: BookReader, day: TrialDay) -> Statements:
    """Segment, owner and parent of accounts, each row with those columns that it states.

    Statements known later than the day count for the parent only: who belongs together widens intervals, and tells of no outcome.
    """
    named = ", ".join(
        f"CASE WHEN contains(concat(',', {STATED[0]}, ','), {sql_text(f',{name},')})"
        f"{'' if name == 'parent_id' else f' AND {day.known()}'} THEN {name} END AS {name}"
        for name in STATED_OF_ACCOUNTS
    )
    any_of = " OR ".join(f"{name} IS NOT NULL" for name in STATED_OF_ACCOUNTS)
    times = f"{day.local('happened_at')} AS dated, {day.local('known_at')} AS recorded"
    rows = reader.query(
        f"SELECT * FROM (SELECT account_id, {times}, source_file, source_row, {named} FROM accounts_versions "
        f"WHERE account_id IS NOT NULL) WHERE {any_of} ORDER BY source_file, source_row, recorded"
    )
    place = (ints(rows, "source_file"), ints(rows, "source_row"))
    columns = {name: read_codes(rows, name) for name in STATED_OF_ACCOUNTS}
    return Statements(read_codes(rows, "account_id"), times_of(rows, "dated"), times_of(rows, "recorded"), place, columns)


def fixed_attributes(known: BookReader, declared: Sequence[str]) -> Accounts | None:
    """The columns of accounts that hold for all dates: those `declared` for this trial, and the segment where the book calls it fixed.

    None where there are none. Raises BadInput for a declared one that accounts do not have.
    """
    table = known.version.table(ACCOUNTS)
    there = {squash(name): name for name in _attribute_names(known)}
    unknown = [name for name in declared if squash(name) not in there]
    if unknown:
        raise BadInput(
            Fault(
                "bad_option",
                f"names {', '.join(unknown)}, which is no column of accounts.",
                "fixed",
                f"There are {', '.join(there.values())}.",
            )
        )
    names = list(dict.fromkeys(there[squash(name)] for name in declared))
    if table is not None and "segment" in table.fixed and "segment" not in names:
        names.append("segment")
    if not names:
        return None
    rows = known.query(f"SELECT account_id, source_row, {_listed(names)} FROM accounts WHERE account_id IS NOT NULL ORDER BY account_id")
    own = tuple(_attribute(rows, name) for name in names if name != "segment")
    segment = read_codes(rows, "segment") if "segment" in names else None
    source = Source(ACCOUNTS, "accounts of the book", known.version.digest, "book", rows.num_rows, {}, (), ())
    return Accounts(source, ints(rows, "source_row"), read_codes(rows, "account_id"), own, segment)


def _attribute_names(reader: BookReader) -> list[str]:
    """The columns of accounts but for who it is and since when."""
    held = reader.version.table(ACCOUNTS)
    aside = {"account_id", "dated", "parent_id", "name"}
    beside = {name for name, _ in TABLES["accounts"].row_columns}
    return [] if held is None else [name for name, _ in held.columns if name not in aside | beside]


def _attribute(rows: pa.Table, name: str) -> Attribute:
    """Words as they are; numbers, flags and days (since 1970) as numbers."""
    kind = rows.schema.field(name).type
    if pa.types.is_string(kind):
        return Attribute(name, read_codes(rows, name), None)
    column = rows[name].cast(pa.date32()) if pa.types.is_timestamp(kind) else rows[name]
    return Attribute(name, None, floats(column.cast(pa.int32()) if pa.types.is_date(column.type) else column))


# Columns as arrays


def files_of(reader: BookReader, numbers: Ints) -> tuple[Any, tuple[SourceFile, ...]]:
    """Codes of the files that rows came from, and the files."""
    found, codes = np.unique(numbers, return_inverse=True)
    known = {file.number: file for file in reader.catalog.source_files()}
    counts = np.bincount(codes, minlength=len(found)).tolist()
    files = (known.get(number) for number in found.tolist())
    names = tuple(
        SourceFile("rows read in place", "", "database", n) if one is None else SourceFile(one.name, one.sha256, one.format, n)
        for one, n in zip(files, counts, strict=True)
    )
    return codes.astype(np.int32), names


def days(rows: pa.Table, name: str) -> Times:
    """A column of days; NaT where empty."""
    return rows[name].cast(pa.date32()).combine_chunks().to_numpy(zero_copy_only=False).astype("datetime64[D]")


def times_of(rows: pa.Table, name: str) -> Times:
    """A column of times without a zone; NaT where empty."""
    return rows[name].cast(pa.timestamp("us")).combine_chunks().to_numpy(zero_copy_only=False).astype("datetime64[us]")


def ints(rows: pa.Table, name: str) -> Ints:
    """A column of whole numbers; 0 where empty."""
    return rows[name].cast(pa.int64()).fill_null(0).combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64)


def floats(column: pa.ChunkedArray) -> Floats:
    """Numbers and flags as floats; NaN where empty."""
    plain = column.cast(pa.uint8()) if pa.types.is_boolean(column.type) else column
    return plain.cast(pa.float64(), safe=False).combine_chunks().to_numpy(zero_copy_only=False).astype(np.float64)


def _amounts(rows: pa.Table, name: str) -> Floats | None:
    found = floats(rows[name])
    return None if np.isnan(found).all() else found


def _if_any(found: Times) -> Times | None:
    return None if np.isnat(found).all() else found


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(sql_name, names))
