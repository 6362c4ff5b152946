"""Wide score tables, one column a month: told by their headers and turned into one row a reading."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from unspun.book.dates import read_dates
from unspun.book.months import MONTH_WORDS
from unspun.book.raw import RawTable, joined, rows_as_text
from unspun.book.roles import SCORES
from unspun.book.tables import ReadingOptions, Rejection
from unspun.book.text import quoted, squash
from unspun.errors import BadInput, Fault

LEFT_OUT = "-"  # mapped to this, a role has no column
FEWEST = 2  # columns that are months, for a table to be a wide one
NAMES = "|".join(sorted(MONTH_WORDS, key=len, reverse=True))
YEAR, SHORT = r"(?P<year>(?:19|20)\d\d)", r"'?(?P<short>\d\d)"
PERIODS = (
    rf"{YEAR}[-/._ ]?(?P<month>0[1-9]|1[0-2])",
    rf"{YEAR}[-/.](?P<month>[1-9])",
    rf"(?P<month>0?[1-9]|1[0-2])[-/.]{YEAR}",
    rf"(?P<name>{NAMES})\.?[-/_, ]*(?:{YEAR}|{SHORT})",
    rf"{YEAR}[-/_ ]?(?P<name>{NAMES})",
    rf"{YEAR}[-/_ ]?Q(?P<quarter>[1-4])",
    rf"Q(?P<quarter>[1-4])[-/_ ]?(?:{YEAR}|{SHORT})",
)
DAYS = (
    r"(?:19|20)\d\d-\d\d-\d\d|(?:19|20)\d\d[/.]\d{1,2}[/.]\d{1,2}|\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d\d",
    rf"\d{{1,2}}[ -](?:{NAMES})[ -](?:19|20)\d\d|(?:{NAMES})\.? \d{{1,2}},? (?:19|20)\d\d",
)
GAP = r"[\s_:|()\[\]\u2013-]"
FORMS = [
    (re.compile(form, re.IGNORECASE), is_day)
    for is_day, texts in ((True, DAYS), (False, PERIODS))
    for text in texts
    for form in (rf"(?:(?P<stem>.*[^\d\s_:-]){GAP}+)?(?P<label>{text}){GAP}*", rf"(?P<label>{text}){GAP}+(?P<stem>[^\d\W].*)")
]
AMBIGUOUS = re.compile(r"\d{1,2}[/.-]\d{1,2}")
MIDNIGHT = re.compile(r"[ T]00:00(?::00(?:\.0+)?)?$")


@dataclass(frozen=True, slots=True)
class Period:
    """What the header of a column says: of which score (its stem) and when; `day` is the last day of the period."""

    column: int
    stem: str
    label: str
    day: date
    is_day: bool  # a day by itself, not a month or a quarter


def periods_in(names: Sequence[str]) -> list[Period]:
    """The columns whose header is a month, a quarter or a day. A month is dated its last day: earlier, nobody knew it.

    Days of which each is the first of another month are months too: so spreadsheets keep a header such as Jan-25.
    """
    found = [period for column, name in enumerate(names) if (period := _period(column, MIDNIGHT.sub("", name.strip()))) is not None]
    days = [period for period in found if period.is_day]
    months = {(period.stem, period.day.year, period.day.month) for period in days}
    if days and all(period.day.day == 1 for period in days) and len(months) == len(days):
        return [replace(period, day=_last_day(period.day), is_day=False) if period.is_day else period for period in found]
    return found


def melt_months(raw: RawTable, options: ReadingOptions) -> RawTable:
    """A scores table without a date column and with two or more columns that are months, as one row a cell; others unchanged.

    Every cell counts as a row read, under the row number of its row. Raises BadInput where the headers could be two things.
    """
    if raw.role != "scores" or _has_date(raw, options):
        return raw
    _refuse_ambiguous(raw, options)
    periods = periods_in(_spelled_out(raw, options))
    many = {stem for stem, n in Counter(squash(period.stem) for period in periods).items() if n >= FEWEST}
    periods = [period for period in periods if squash(period.stem) in many]
    if not periods or not len(raw.row):
        return raw
    return _melted(raw, periods)


def _melted(raw: RawTable, periods: list[Period]) -> RawTable:
    labels = sorted({(period.day, squash(period.label)) for period in periods})
    stems = list({squash(period.stem): period.stem for period in periods}.items())
    taken = {period.column for period in periods}
    rest = [i for i in range(len(raw.names)) if i not in taken]
    n, times = len(raw.row), len(labels)
    cells = {(squash(period.stem), period.day, squash(period.label)): raw.columns[period.column] for period in periods}
    blank = pa.chunked_array([pa.nulls(n)])
    values = [joined([cells.get((stem, *label), blank) for label in labels]) for stem, _ in stems]
    days = np.repeat(np.array([day for day, _ in labels], "datetime64[D]"), n)
    repeated = [pa.chunked_array(raw.columns[i].chunks * times, raw.columns[i].type) for i in rest]
    titles = _titles([stem for _, stem in stems], [raw.names[i] for i in rest])
    names = {(period.day, squash(period.label)): raw.names[period.column] for period in reversed(periods)}
    return replace(
        raw,
        names=(*(raw.names[i] for i in rest), "date", *titles),
        columns=(*repeated, pa.chunked_array([pa.array(days)]), *values),
        row=np.tile(raw.row, times),
        file=None if raw.file is None else np.tile(raw.file, times),
        rows_read=raw.rows_read + n * (times - 1),
        notes=(*raw.notes, _note(periods, times)),
        header=np.repeat(np.arange(times, dtype=np.int32), n),
        headers=tuple(names[label] for label in labels),
        melted=tuple(titles),
    )


def _titles(stems: list[str], others: list[str]) -> list[str]:
    """Each score is called what stands beside the month in its headers, else "score"."""
    used = {squash(name) for name in others}
    return [stem or ("score" if "score" not in used else "score by month") for stem in stems]


def _note(periods: list[Period], times: int) -> str:
    first, last = min(periods, key=lambda period: period.day), max(periods, key=lambda period: period.day)
    kinds = {period.is_day for period in periods}
    when = {
        frozenset({False}): "each dated the last day of its period, as nobody knows it earlier",
        frozenset({True}): "each dated the day that it names",
    }.get(frozenset(kinds), "each dated the day that it names, or the last day of its period")
    return f"a column a {'day' if kinds == {True} else 'month'}: {times:,} from {first.label} to {last.label}, {when}; every cell is a row"


def _has_date(raw: RawTable, options: ReadingOptions) -> bool:
    mapped = options.columns.get("scores.date", options.columns.get("date"))
    if mapped is not None:
        return mapped != LEFT_OUT
    named = {name for tier in SCORES["date"] for name in tier}
    return any(squash(name) in named for name in raw.names)


def _period(column: int, name: str) -> Period | None:
    for form, is_day in FORMS:
        if (found := form.fullmatch(without_accents(name))) is not None:
            day = _iso(found["label"]) if is_day else _last_of(found)
            if day is not None:
                stem, label = (name[slice(*found.span(group))] if found[group] else "" for group in ("stem", "label"))
                return Period(column, stem.strip(" _:|()[]-\u2013"), label, day, is_day)
    return None


def _iso(label: str) -> date | None:
    try:
        return date.fromisoformat(label)
    except ValueError:
        return None


def _last_of(found: re.Match[str]) -> date:
    parts = found.groupdict()
    year = int(parts["year"]) if parts.get("year") else 2000 + int(parts["short"])
    if parts.get("quarter"):
        month = 3 * int(parts["quarter"])
    else:
        month = MONTH_WORDS[parts["name"].casefold()] if parts.get("name") else int(parts["month"])
    return _last_day(date(year, month, 1))


def without_accents(name: str) -> str:
    """The name, as long as it was, with each letter bare of its marks."""
    return "".join(unicodedata.normalize("NFD", char)[0] for char in name)


def _last_day(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _spelled_out(raw: RawTable, options: ReadingOptions) -> list[str]:
    """The headers, days written another way than YYYY-MM-DD brought to it: together they tell day first from month first."""
    names = [MIDNIGHT.sub("", name.strip()) for name in raw.names]
    days = {i: found["label"] for i, name in enumerate(names) if (found := _other_day(name)) is not None}
    if not days:
        return names
    dates = read_dates(pa.chunked_array([pa.array(list(days.values()))]), ZoneInfo("UTC"), options.date_format)
    if dates.complaint is not None:
        where = f"{raw.name}:{raw.header_row}:{raw.names[list(days)[dates.complaint.row]]}"
        raise BadInput(Fault(dates.complaint.code, f"in the header, {dates.complaint.message}", where, dates.complaint.hint))
    for (i, label), moment in zip(days.items(), dates.times, strict=True):
        if not np.isnat(moment):
            names[i] = without_accents(names[i]).replace(label, str(moment.astype("datetime64[D]")))
    return names


def _other_day(name: str) -> re.Match[str] | None:
    bare = without_accents(name)
    found = next((found for form, is_day in FORMS if is_day and (found := form.fullmatch(bare)) is not None), None)
    return None if found is None or _iso(found["label"]) is not None else found


def _refuse_ambiguous(raw: RawTable, options: ReadingOptions) -> None:
    short = [name for name in raw.names if AMBIGUOUS.fullmatch(name.strip())]
    if len(short) >= FEWEST:
        message = f"the headers {quoted(short)} could be months of a year or days of a month."
        where = f"{raw.name}:{raw.header_row}:{short[0]}"
        raise BadInput(Fault("ambiguous_months", message, where, "Write months as 2025-01 and days as 2025-01-31."))


def set_aside_rows(raw: RawTable, mask: np.ndarray, code: str, reason: str) -> RawTable:
    """The table without some of its rows, which are listed with the reason."""
    if not mask.any():
        return raw
    rows = np.flatnonzero(mask)
    kept = pa.array(~mask)
    rejection = Rejection(code, reason, raw.row[rows], file=raw.files_of(rows), cells=rows_as_text(raw.names, raw.columns, rows))
    return replace(
        raw,
        columns=tuple(column.filter(kept) for column in raw.columns),
        row=raw.row[~mask],
        file=None if raw.file is None else raw.file[~mask],
        rejections=(*raw.rejections, rejection),
    )
