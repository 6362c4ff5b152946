"""What is kept of the different values of a column, and read in place of the rows: on which days an account had each.

For each account and value there is a mask of days for each stretch of 62 days, side by side; a window holds a value if the masks of the
stretches that it touches meet it. Rows that were known later than they happened are kept apart, by the day from which they are seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from sqlglot import exp

from unspun.book.entities import Kind
from unspun.metrics.asof import Dates
from unspun.metrics.conditions import Condition, columns_of
from unspun.metrics.lower.conditions import condition_sql
from unspun.metrics.lower.day_state import days_worth_keeping, hashed, meaning_of_rows, rows_until
from unspun.metrics.lower.frames import frame_of
from unspun.metrics.lower.local_day import day_number, number
from unspun.metrics.lower.panes import WORD_BITS
from unspun.metrics.lower.plan import Keepable, Leaf, Seen
from unspun.metrics.lower.sources import Source, column_kind, happened_day
from unspun.metrics.lower.terms import when
from unspun.metrics.nodes import Distinct
from unspun.metrics.question import KeptValues, PanelQuestion
from unspun.metrics.settled import settled_by

VALUE_KEYS = ("account_id", "value", "seen")
ON_TIME = -10_000_000
"""In place of the day from which rows are seen: that on which they happened."""
ZERO_DAY = WORD_BITS * 20_000
"""Added to a day, so that stretches are counted from a day before all others, and no number is negative."""
ALL_DAYS = (1 << WORD_BITS) - 1
MOST_STRETCHES = 160
"""So many stretches (27 years) are kept side by side; where rows lie further apart, nothing is."""


def mask_name(question: PanelQuestion, table: str, column: str, condition: Condition | None) -> str:
    """The name of the masks of the values of a column under a condition, to which the number of a stretch is added."""
    kinds: dict[str, Kind] = {name: column_kind(question, table, name) for name in sorted({column, *columns_of(condition)})}
    rows = Source(exp.select("1"), tuple(kinds), kinds, superseded=False)
    texts = [one.sql(dialect="duckdb") for one in (rows.value(column), condition_sql(condition, rows))]
    return f"m{hashed(f'{texts} {kinds}')}"


@dataclass(frozen=True)
class KeptMasks:
    """What may be kept of the values of a column, under each of some conditions."""

    question: PanelQuestion
    table: str
    column: str
    conditions: tuple[Condition | None, ...]

    @property
    def name(self) -> str:
        """What it is, in a word that may be part of the name of a file."""
        return f"values_{hashed(self.column)}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that the rows of what is kept are told apart by."""
        return VALUE_KEYS

    @property
    def columns(self) -> tuple[str, ...]:
        """The masks, each of which has a column for each stretch: `{name}_{stretch}`."""
        return tuple(mask_name(self.question, self.table, self.column, one) for one in self.conditions)

    @property
    def time_zone(self) -> str:
        """The zone in which its days are days."""
        return self.question.time_zone

    @property
    def columns_read(self) -> tuple[str, ...]:
        """The columns of rows that it is made of."""
        return tuple(sorted({self.column, *(name for one in self.conditions for name in columns_of(one))}))

    def meaning(self) -> str:
        """All that it depends on besides the rows and the rules of the time zone."""
        return meaning_of_rows(self.question, self.table)

    def is_kept_of(self, first: date, last: date) -> bool:
        """Whether it is worth to keep it of rows that happened from one day to another."""
        return len(stretches(first, last)) <= MOST_STRETCHES

    def query(self, columns: Sequence[str], first: date, last: date, known: date) -> exp.Select:
        """Some of the masks, by the keys, of the rows of a file, which happened from `first` to `last` and were known by `known`."""
        wanted = [(name, one) for name, one in zip(self.columns, self.conditions, strict=True) if name in columns]
        read = sorted({self.column, *(name for _, one in wanted for name in columns_of(one))})
        rows = rows_until(self.question, self.table, read, known)
        value = rows.value(self.column)
        late = f"CASE WHEN seen_from > day THEN seen_from ELSE {ON_TIME} END AS seen"
        stretch = f"(day + {ZERO_DAY}) DIV {WORD_BITS} AS stretch"
        found = exp.select("account_id", value.as_("value"), late, stretch).group_by("1", "2", "3", "4")
        for name, condition in wanted:
            fits, bit = condition_sql(condition, rows), exp.condition(f"CAST(1 AS BIGINT) << ((day + {ZERO_DAY}) % {WORD_BITS})")
            found = found.select(exp.BitwiseOrAgg(this=bit if condition is None else when(fits, bit)).as_(name), copy=False)
        there = [value.copy().is_(exp.null()).not_(), exp.column("day").is_(exp.null()).not_()]
        found = found.from_(rows.query.subquery("r", copy=False)).where(*there)
        wide = exp.select(*VALUE_KEYS).from_(found.subquery("s", copy=False)).group_by(*VALUE_KEYS)
        for name, _ in wanted:
            for stretch in stretches(first, last):
                mask = exp.BitwiseOrAgg(this=when(exp.condition(f"stretch = {stretch}"), exp.column(name)))
                wide = wide.select(mask.as_(f"{name}_{stretch}"), copy=False)
        return wide

    @property
    def day(self) -> exp.Expr:
        """The day on which a row happened."""
        return happened_day(self.question, self.table)

    def without(self, kept: str, days: str, columns: Sequence[str]) -> exp.Select:
        """What a table has in its columns but for some days of accounts, whose bits are cleared."""
        there = sorted({column.rpartition("_")[2] for column in columns})
        bit = f"CAST(1 AS BIGINT) << ((day + {ZERO_DAY}) % {WORD_BITS})"
        words = exp.select("account_id").from_(days).where("NOT day IS NULL").group_by("account_id")
        for stretch in there:
            inside = exp.condition(f"(day + {ZERO_DAY}) DIV {WORD_BITS} = {stretch}")
            words = words.select(exp.BitwiseOrAgg(this=when(inside, exp.condition(bit))).as_(f"w_{stretch}"), copy=False)
        found = exp.select(*(exp.column(name, table="v") for name in VALUE_KEYS)).from_(f"{kept} AS v")
        for column in columns:
            gone = exp.func("COALESCE", exp.column(f"w_{column.rpartition('_')[2]}", table="t"), number(0))
            left = exp.BitwiseAnd(this=exp.column(column, table="v"), expression=exp.BitwiseNot(this=gone))
            found = found.select(left.as_(column), copy=False)
        return found.join(words.subquery("t", copy=False), on="t.account_id = v.account_id", join_type="left")

    def of_versions(self, columns: Sequence[str], known: date) -> None:
        """Rows with several versions are read as they are: until when a value is seen is not kept by masks."""


def stretches(first: date, last: date) -> range:
    """The stretches from one day to another, and those of the days beside them: days are local ones."""
    return range((day_number(first) - 1 + ZERO_DAY) // WORD_BITS, (day_number(last) + 1 + ZERO_DAY) // WORD_BITS + 1)


# Read in place of rows


def masks_query(kept: KeptValues, columns: Iterable[str], earliest: int) -> exp.Select:
    """Some masks of each account and value together, apart by the day from which they are seen (not before `earliest`)."""
    found = exp.select("a.account AS account", "v.value AS value", f"GREATEST(v.seen, {earliest}) AS seen").group_by("1", "2", "3")
    for column in sorted(columns):
        mask = exp.BitwiseOrAgg(this=exp.column(column, table="v"))
        found = found.select(exp.func("COALESCE", mask, number(0)).as_(column), copy=False)
    return found.from_(f"{kept.name} AS v").join("accounts_of_panel AS a", on="a.account_id = v.account_id")


def word(kept: KeptValues, mask: str, days: Sequence[tuple[int, int]], first: int) -> exp.Expr:
    """A word whose bit `i` says whether a mask has a day of window `first + i` of `days`, first and last day each."""
    bits = [(i, _meets(kept, mask, *days[place])) for i, place in enumerate(range(first, min(first + WORD_BITS, len(days))))]
    total: exp.Expr = number(0)
    for i, meets in bits:
        if meets is not None:
            bit = exp.Case().when(meets, number(1 << i)).else_(number(0))
            total = bit if total == number(0) else exp.Add(this=total, expression=bit)
    return exp.cast(total, "bigint")


def _meets(kept: KeptValues, mask: str, first: int, last: int) -> exp.Expr | None:
    """Whether a mask has a day of a window; None: it lies beyond all stretches."""
    parts = list(_parts(kept, mask, first, last))
    if not parts:
        return None
    total = parts[0]
    for part in parts[1:]:
        total = exp.BitwiseOr(this=total, expression=part)
    return exp.NEQ(this=exp.paren(total, copy=False), expression=number(0))


def _parts(kept: KeptValues, mask: str, first: int, last: int) -> Iterator[exp.Expr]:
    """The days of a window, stretch by stretch; of stretches without any row nothing is kept."""
    for stretch in _stretches_of(kept, mask):
        start = stretch * WORD_BITS - ZERO_DAY
        low, high = max(first - start, 0), min(last - start, WORD_BITS - 1)
        if low <= high:
            days = ((1 << (high - low + 1)) - 1) << low
            column = exp.column(f"{mask}_{stretch}", table="m")
            yield column if days == ALL_DAYS else exp.paren(exp.BitwiseAnd(this=column, expression=number(days)), copy=False)


@lru_cache(maxsize=64)
def _stretches_of(kept: KeptValues, mask: str) -> tuple[int, ...]:
    return tuple(sorted(int(column.rpartition("_")[2]) for column in kept.columns if column.startswith(f"{mask}_")))


def is_masked(kept: KeptValues, masks: Iterable[str]) -> bool:
    """Whether all of some masks are kept."""
    return set(masks) <= {column.partition("_")[0] for column in kept.columns}


def values_worth_keeping(question: PanelQuestion, leaves: Sequence[Leaf], tables: Sequence[str]) -> tuple[KeptMasks, ...]:
    """What would serve the distinct counts of a question on common dates, by table and column, of some of the tables."""
    if not isinstance(question.as_of, Dates):
        return ()
    conditions: dict[tuple[str, str], dict[Condition | None, None]] = {}
    for leaf in leaves:
        measure = leaf.measure
        if isinstance(measure, Distinct) and measure.rows.table in tables and not frame_of(leaf).by_contract:
            conditions.setdefault((measure.rows.table, measure.column), {})[measure.rows.where] = None
    found = [KeptMasks(question, table, column, tuple(asked)) for (table, column), asked in conditions.items()]
    return tuple(one for one in found if not any(settled_by(one.table, name) for name in (one.column, *one.columns_read)))


def worth_keeping(question: PanelQuestion, leaves: Sequence[Leaf], seen: Sequence[Seen]) -> tuple[Keepable, ...]:
    """All that would serve a question."""
    days = days_worth_keeping(question, leaves, seen)
    return *days, *values_worth_keeping(question, leaves, [one.table for one in days])
