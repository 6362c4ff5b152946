"""One column of a file as values of a kind of the book: which cells cannot be, what to say of the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unspun.book.currencies import currency_of, is_currency
from unspun.book.date_layouts import PERIOD_DAYS_TAKEN
from unspun.book.dates import FIRST_YEAR, LAST_YEAR, Dates, read_dates
from unspun.book.entities import Kind, TableName
from unspun.book.numbers import COMMA, EITHER_COMMA, EITHER_DOT, POINT, Numbers, read_numbers
from unspun.book.outcomes import BY_NAME, NO, YES, read_outcomes
from unspun.book.reading import ROUNDED_ID
from unspun.book.subscriptions import FAR_YEARS, PERIODS
from unspun.book.tables import OUTCOMES, Codes
from unspun.book.text import Complaint, Mask, Words, as_floats, as_text, call, fold, matches, quoted, replaced, words_of
from unspun.book.typed_money import Exact, money_of_decimals, money_of_floats, money_of_integers, money_of_literals, wholes_of_literals
from unspun.book.typed_times import instants, read_instants

AS_WRITTEN = frozenset({"name", "subject", "question", "verbatim"})  # where n/a, none and a dash may be what was said
ORDERS = {"day/month/year": "%d/%m/%Y", "month/day/year": "%m/%d/%Y"}
OUTCOME = ("renewals", "outcome")
UNCLEAR_NOTE = "the currency is given only as"
LOOKED_AT_WORDS = 1 << 14  # at once
WHOLE_ID = r"(-?\d+)\.0+"
ADDON = frozenset({"addon", "add on"})
LAST_DAYS = frozenset(  # a month, a week or a quarter in these is its last day, as in the audit (LAST_DAY_ROLES)
    {
        ("accounts", "dated"), ("contacts", "dated"), ("scores", "dated"), ("purchases", "purchased"), ("events", "occurred"),
        ("tickets", "opened"), ("responses", "answered"), ("touchpoints", "occurred"), ("forecasts", "made"), ("subscriptions", "ended"),
        ("churns", "churned"),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """A column of the book that is read from the file: `position` and `title` of the file's column (None: a constant)."""

    table: TableName
    name: str
    kind: Kind
    position: int | None
    title: str
    words: dict[str, str] = field(default_factory=dict)
    date_format: str | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    is_key: bool = False
    in_blocks: bool = False  # of a long text: what one block tells of the numbers' decimal mark must hold for all

    @property
    def last_day(self) -> bool:
        return self.name == "known_at" or (self.table, self.name) in LAST_DAYS


@dataclass(frozen=True, slots=True)
class Bad:
    """Cells that cannot be: `unread` ones count towards a column that is no such column at all."""

    mask: Mask
    code: str
    reason: str
    unread: bool = False


@dataclass(slots=True)
class Cells:
    """Values of the kind's Arrow type, null where empty or bad; `counts` are notes with the number of cells that they hold for."""

    values: pa.Array
    filled: int
    bad: list[Bad] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    complaint: Complaint | None = None
    what: str = ""  # what an unreadable cell is not
    hint: str = ""
    currency: Codes | None = None
    zones: Codes | None = None
    comma: bool | None = None  # of numbers in blocks: whether they are read with a decimal comma, None where none tells
    date_format: str | None = None  # of dates in numbers only: the order that this column told

    def take_out(self, mask: Mask, code: str, reason: str, unread: bool = False) -> None:
        """List cells as bad, where there are any, and empty them."""
        if mask.any():
            self.bad.append(Bad(mask, code, reason, unread))
            if call("any", call("is_valid", self.values).filter(pa.array(mask))).as_py():
                self.values = call("if_else", pa.array(mask), pa.scalar(None, self.values.type), self.values)


def read_column(column: pa.ChunkedArray, plan: ColumnPlan) -> Cells:
    """The cells of a column as its kind, words that the mapping explains read as what they stand for."""
    if plan.words:
        column = _explained(column, plan)
    cells = READERS[plan.kind](column, plan)
    if plan.in_blocks and plan.kind in ("number", "money", "whole"):
        cells.comma = _decimal_comma(column)
    return cells


def _decimal_comma(column: pa.ChunkedArray) -> bool | None:
    """Whether numbers as text are read with a decimal comma, as far as their forms tell."""
    if not (pa.types.is_string(column.type) or pa.types.is_dictionary(column.type)):
        return None
    forms = [chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk for chunk in column.chunks]
    for pattern, comma in ((POINT, False), (COMMA, True), (EITHER_COMMA, False), (EITHER_DOT, True)):  # 1,200 alone is twelve hundred
        if any(_has_form(form, pattern) for form in forms):
            return comma
    return None


def _has_form(words: pa.Array, pattern: str) -> bool:
    """Whether the digits of some word are of a form. In steps, as the first words tell it in nearly every column."""
    for start in range(0, len(words), LOOKED_AT_WORDS):
        found = call("extract_regex", words.slice(start, LOOKED_AT_WORDS), options=pc.ExtractRegexOptions(r"(?P<body>[0-9.,]*[0-9.])"))
        if matches(found.field(0), pattern).any():
            return True
    return False


def _explained(column: pa.ChunkedArray, plan: ColumnPlan) -> pa.ChunkedArray:
    """The column with each word that the mapping explains replaced, or emptied; what is said of outcomes is left to their reading."""
    words = distinct_words(column)
    meaning = {fold(word): said for word, said in plan.words.items()}
    said = [plan.words.get(word, meaning.get(fold(word), word)) for word in words.words.to_pylist()]
    if (plan.table, plan.name) == OUTCOME:
        said = ["" if new == "" else old for old, new in zip(words.words.to_pylist(), said, strict=True)]
    return pa.chunked_array([_worded(words, pa.array(said, pa.string())).values])


def _text(column: pa.ChunkedArray, plan: ColumnPlan) -> Cells:
    words = distinct_words(column)
    if plan.name not in AS_WRITTEN:
        words = words.without(words.blank())
    if (plan.table, plan.name) == OUTCOME:
        return _outcomes(words, plan)
    cells = _worded(words, _currencies(words.words) if plan.name in ("currency", "into") else words.words)
    if plan.name.endswith("_id") and (decimal := matches(words.words, WHOLE_ID)).any():
        cells.values = _worded(words, replaced(words.words, rf"^{WHOLE_ID}$", r"\1")).values
        n = int(words.counts()[decimal].sum())
        cells.counts["whole numbers written with .0, as a missing neighbour makes them, read without it"] = n
    rounded = matches(words.words, ROUNDED_ID) if plan.is_key or plan.name == "account_id" else np.zeros(0, bool)
    if rounded.any():
        n, example = int(words.counts()[rounded].sum()), words.words[int(np.argmax(rounded))].as_py()
        what = "numbers in scientific notation: a spreadsheet rounded them, so that several may have become one"
        cells.counts[f"{what} (such as {example})"] = n
    return cells


def _worded(words: Words, said: pa.Array) -> Cells:
    """Dictionary-encoded text with an entry of `said` for each word."""
    whole = len(words.codes) == 0 or words.codes.min() >= 0
    indices = pa.array(words.codes) if whole else pa.array(words.codes, mask=words.codes < 0)
    return Cells(pa.DictionaryArray.from_arrays(indices, said), len(words.codes) - indices.null_count)


def _currencies(words: pa.Array) -> pa.Array:
    """Signs and small letters as the ISO codes that they stand for."""
    return pa.array([currency_of(word) if is_currency(word) else word for word in words.to_pylist()], pa.string())


def _outcomes(words: Words, plan: ColumnPlan) -> Cells:
    """Outcomes by the book's names; an empty cell is undecided, as in the audit."""
    codes, complaint = read_outcomes(words, plan.title, {word: said for word, said in plan.words.items() if fold(said) in BY_NAME})
    if complaint is not None:
        example = complaint.message.partition("'")[2].partition("'")[0]
        known = "renewed, churned, contracted, expanded or undecided"
        hint = f"Say in book.yml what each means ({known}), under outcome: words: {{'{example}': churned}}."
        complaint = Complaint(complaint.code, complaint.message, hint, complaint.row)
    names = pa.array([*OUTCOMES, "undecided"])
    values = pa.DictionaryArray.from_arrays(pa.array(np.where(codes < 0, len(OUTCOMES), codes).astype(np.int32)), names)
    return Cells(values, int((words.codes >= 0).sum()), complaint=complaint)


def distinct_words(column: pa.ChunkedArray) -> Words:
    """The distinct words of a column; integers and floats are told apart as numbers, and only the different ones written out."""
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)) or len(column) == 0:
        return words_of(column)
    if pa.types.is_floating(kind):
        column = pa.chunked_array([pa.array(as_floats(column), from_pandas=True)])
    encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        return words_of(pa.chunked_array([encoded.cast(pa.string())]))
    indices = encoded.indices.fill_null(-1) if encoded.null_count else encoded.indices
    codes = indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return Words(codes, _written(encoded.dictionary))


def _written(numbers: pa.Array) -> pa.StringArray:
    """Numbers as text, a whole float without `.0`."""
    if pa.types.is_integer(numbers.type):
        return numbers.cast(pa.string())
    values = numbers.to_numpy(zero_copy_only=False)
    whole = np.isfinite(values) & (np.abs(values) < 2**53) & (values == np.trunc(values))
    integers = pa.array(np.where(whole, values, 0).astype(np.int64)).cast(pa.string())
    return integers if whole.all() else call("if_else", pa.array(whole), integers, numbers.cast(pa.string()))


def _number(column: pa.ChunkedArray, plan: ColumnPlan) -> Cells:
    if plan.name == "amount_months" and not _is_number(column.type):
        column = _months(column)
    elif plan.name != "probability" and _is_finite(column):
        return Cells(_one(column.cast(pa.float64())), len(column) - column.null_count)
    numbers = read_numbers(column)
    cells = _cells_of(numbers, "a number", "Give numbers such as 12.5, or map another column.")
    values = numbers.values
    if plan.name == "probability":
        if (values[~np.isnan(values)] > 1).any():
            values = values / 100
            cells.notes.append("probabilities are read as percentages, as some are above 1")
        cells.values = pa.array(values, from_pandas=True)
        cells.take_out((values < 0) | (values > 1), "impossible_probability", "probability outside 0-100 %")
    else:
        cells.values = pa.array(values, from_pandas=True)
    return cells


def _is_finite(column: pa.ChunkedArray) -> bool:
    """Whether a column of floats holds numbers and empty cells only: a sum with anything else in it is not finite."""
    return pa.types.is_floating(column.type) and bool(np.isfinite(call("sum", column).as_py() or 0.0))


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _months(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Words such as annual as the months that they stand for."""
    words = distinct_words(column)
    said = [str(PERIODS[fold(word)]) if fold(word) in PERIODS else word for word in words.words.to_pylist()]
    return pa.chunked_array([_worded(words, pa.array(said, pa.string())).values.cast(pa.string())])


def _cells_of(numbers: Numbers, what: str, hint: str) -> Cells:
    """Cells still without values, and the unreadable ones among them."""
    n = len(numbers.blank)
    cells = Cells(pa.nulls(n), n - int(numbers.blank.sum()), notes=list(numbers.notes), complaint=numbers.complaint, what=what, hint=hint)
    cells.take_out(numbers.unread, "unreadable_number", "unreadable number", unread=True)
    return cells


def _whole(column: pa.ChunkedArray, plan: ColumnPlan) -> Cells:
    hint = "Give whole numbers, or declare the column as number."
    numbers = read_numbers(column)
    cells = _cells_of(numbers, "a whole number", hint)
    if pa.types.is_integer(column.type):
        over = call("greater", column, pa.scalar(2**63 - 1, pa.uint64())) if pa.types.is_uint64(column.type) else None
        broken = np.zeros(len(column), bool) if over is None else over.fill_null(False).to_numpy()
        kept = column if over is None else call("if_else", over, pa.scalar(None, column.type), column)
        cells.values = _one(kept.cast(pa.int64()))
    elif numbers.literals is not None:
        cells.values, broken = wholes_of_literals(_one(numbers.literals))
    else:
        values = numbers.values
        with np.errstate(invalid="ignore"):
            broken = ~np.isnan(values) & ~((values == np.trunc(values)) & (np.abs(values) < 2**63))
        empty = np.isnan(values) | broken
        cells.values = pa.array(np.where(empty, 0, values).astype(np.int64), mask=empty)
    cells.take_out(broken & ~numbers.unread, "not_whole", "not a whole number (of 64 bits)", unread=True)
    return cells


def _money(column: pa.ChunkedArray, plan: ColumnPlan) -> Cells:
    numbers = read_numbers(column, "amount")
    cells = _cells_of(numbers, "an amount", "Give amounts such as 1200.50 or EUR 1,200.50.")
    cells.notes = [note for note in cells.notes if UNCLEAR_NOTE not in note]  # the mapping may tell which it is
    cells.bad = [Bad(bad.mask, "unreadable_amount", "unreadable amount", True) for bad in cells.bad]
    exact = _exact(column, numbers)
    cells.values, cells.currency = exact.values, numbers.currency
    if exact.shortened:
        cells.counts["amounts with more than four decimals, rounded to four (half to even)"] = exact.shortened
    cells.take_out(exact.too_large, "amount_out_of_range", "amount of 100,000,000,000,000 or more")
    if plan.table == "subscriptions" and plan.name == "amount":
        below = call("less", cells.values, pa.scalar(Decimal(0), cells.values.type)).fill_null(False).to_numpy(zero_copy_only=False)
        cells.take_out(below, "negative_amount", "negative amount: a credit note is no term")
    return cells


def _exact(column: pa.ChunkedArray, numbers: Numbers) -> Exact:
    kind = column.type
    if numbers.literals is not None:
        return money_of_literals(_one(numbers.literals))
    if pa.types.is_integer(kind):
        return money_of_integers(_one(column))
    if pa.types.is_decimal(kind):
        return _exact_decimals(_one(column))
    return money_of_floats(numbers.values)


def _exact_decimals(column: pa.Array) -> Exact:
    if column.type.bit_width <= 128:
        return money_of_decimals(column.cast(pa.decimal128(column.type.precision, column.type.scale)))
    return money_of_literals(column.cast(pa.string()))


def _one(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The chunks of a column as one."""
    if isinstance(column, pa.Array):
        return column
    return (
        column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    )


def _day(column: pa.ChunkedArray, plan: ColumnPlan) -> Cells:
    dates = read_dates(column, plan.zone, plan.date_format, plan.last_day)
    cells = _dated(dates, plan, dates.times, column)
    cells.values = pa.array(dates.times.astype("datetime64[D]"), pa.date32())
    return cells


def _instant(column: pa.ChunkedArray, plan: ColumnPlan) -> Cells:
    read = read_instants(column, plan.zone, plan.date_format, plan.last_day, plan.title)
    cells = _dated(read.read, plan, read.utc, column)
    cells.values, cells.zones = instants(read.utc), read.zones
    if read.skipped is not None:
        cells.take_out(read.skipped, "no_such_time", f"no clock of {plan.zone.key} showed that time: it was put forward over it")
    if read.repeated:
        cells.counts[f"times that the clocks of {plan.zone.key} showed twice, taken as the first"] = read.repeated
    return cells


def _dated(dates: Dates, plan: ColumnPlan, times: NDArray[np.datetime64], column: pa.ChunkedArray) -> Cells:
    """Cells still without values: those of dates that are none, or outside the years that are read."""
    n = len(dates.blank)
    cells = Cells(pa.nulls(n), n - int(dates.blank.sum()), complaint=dates.complaint, what="a date that can be read")
    cells.hint = dates.hint or "Say in book.yml how the dates are written, such as date_format: '%d/%m/%y'."
    cells.date_format = next((order for form in dates.formats for name, order in ORDERS.items() if form.startswith(name)), None)
    if dates.formats:
        said = "; ".join(dates.formats)
        why = ", as nobody knows it earlier" if plan.name != "ended" and PERIOD_DAYS_TAKEN[True] in said else ""
        cells.notes.append(f"dates: {said}{why}")
    cells.take_out(dates.unread, "unreadable_date", "unreadable date", unread=True)
    outside = dates.out_of_range
    if outside.any() and (plan.table, plan.name) == ("subscriptions", "ended"):
        rows = np.flatnonzero(outside)
        texts = as_text(column.take(pa.array(rows))).to_pylist()
        outside = outside.copy()
        outside[rows] = [not any(year in text for year in FAR_YEARS) for text in texts]  # 9999: the term is open
    cells.take_out(outside, "impossible_date", f"date outside {FIRST_YEAR}-{LAST_YEAR}")
    return cells


def _flag(column: pa.ChunkedArray, plan: ColumnPlan) -> Cells:
    if pa.types.is_boolean(column.type):
        return Cells(_one(column), len(column) - column.null_count)
    words = distinct_words(column)
    words = words.without(words.blank())
    yes = YES | ADDON if plan.name == "is_addon" else YES
    said = [fold(word) for word in words.words.to_pylist()]
    meaning = np.array([1 if word in yes else 0 if word in NO else 2 for word in said], np.int8)
    found = words.spread(meaning, 3)
    cells = Cells(pa.array(found == 1, mask=found >= 2), int((found < 3).sum()), what="yes or no")
    cells.hint = f"Say in book.yml what the words mean, under {plan.name}: words: {{{_unknown(words, meaning)}: yes}}."
    cells.take_out(found == 2, "unreadable_flag", "neither yes nor no", unread=True)
    return cells


def _unknown(words: Words, meaning: NDArray[np.int8]) -> str:
    return quoted([words.words[int(i)].as_py() for i in np.flatnonzero(meaning == 2)[:1]]) or "'...'"


READERS: dict[Kind, Callable[[pa.ChunkedArray, ColumnPlan], Cells]] = {
    "text": _text, "whole": _whole, "number": _number, "money": _money, "day": _day, "instant": _instant, "flag": _flag,
}  # fmt: skip
