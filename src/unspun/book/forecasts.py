"""People's own calls on renewals: a probability, or a word such as commit or at risk, and the day on which it was said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.book.bands import UNSCORED, Ranks, band_key, rank_bands, speaks_of_risk
from unspun.book.extras import Forecasts
from unspun.book.files import open_table
from unspun.book.numbers import read_numbers
from unspun.book.reading import Reading
from unspun.book.tables import Floats, ReadingOptions
from unspun.book.text import Complaint, Words, codes_of, quoted, words_of
from unspun.errors import Fault

# Each scale runs from worst to best; words of one step mean the same. The first is Salesforce's ForecastCategory.
SCALES: tuple[tuple[str, ...], ...] = (
    (
        "omitted, omit, lost, closed lost",
        "pipeline, open pipeline",
        "best case, bestcase, upside",
        "most likely, mostlikely, probable",
        "commit, committed, forecast",
        "closed, closed won, won",
    ),
    (
        "will churn, churn, churning, churned, lost, will not renew, not renewing, no renewal, non renewal, will cancel, cancelling, "
        "canceling, will lapse, no",
        "likely churn, likely to churn, likely churner, churn likely, probable churn, expected churn, high risk, unlikely to renew, "
        "unlikely, forecast churn",
        "at risk, risk, some risk, medium risk, uncertain, unsure, toss up, maybe, 50 50, possible churn",
        "likely renew, likely to renew, renewal likely, probable renewal, likely, low risk, leaning renew",
        "will renew, renew, renewing, renewal, renewed, on track, secure, secured, safe, confirmed, committed, commit, no risk, yes",
    ),
)
MOST_STEPS = 10  # numbers up to this may be the steps of a scale


@dataclass(frozen=True, slots=True)
class _Calls:
    """One value a row of the file, rising with health; NaN where blank or not to be read."""

    column: int
    values: Floats
    probability: bool
    names: tuple[str, ...] = ()


def read_forecasts(source: object, options: ReadingOptions, name: str | None = None) -> Forecasts:
    """Read forecasts from a path ("-" is standard input), an open file, or a pandas, Polars or Arrow table.

    A column of probabilities goes before one of words. Probabilities are of renewal, unless their column's name speaks of churn or
    risk; where any is above 1, all are percentages. Words follow the declared order (`options.calls`, worst first) or a known
    scale. Raises BadInput with all faults of the file; rows that cannot be used are set aside in `source.rejections`.
    """
    reading = Reading(open_table(source, "forecasts", name, options), options)
    reading.account()
    made, recorded, due = reading.dates("made_at"), reading.dates("recorded_at"), reading.dates("due")
    calls = _calls(reading)
    reading.refuse_faults()
    assert made is not None and calls is not None  # their absence is a fault
    reading.set_aside(np.isnan(calls.values), "no_call", "no call", calls.column)
    if due is not None:
        due = due.astype("datetime64[D]")
        reading.set_aside(np.isnat(due), "no_date", "no due date", reading.columns["due"])
    _set_repeated_aside(reading, calls, [array for array in (due, made, recorded) if array is not None])
    reading.refuse_nothing_left()
    kept = reading.kept
    return Forecasts(
        source=reading.source({}),
        row=reading.raw.row[kept],
        account=codes_of(reading.words(reading.columns["account"]), kept),
        made=made[kept],
        value=calls.values[kept],
        probability=calls.probability,
        calls=calls.names,
        due=None if due is None else due[kept],
        recorded=None if recorded is None else recorded[kept],
        by=reading.codes("by"),
        file=reading.raw.files_of(kept),
    )


def _set_repeated_aside(reading: Reading, calls: _Calls, times: list[np.ndarray]) -> None:
    keys = [reading.words(reading.columns["account"]).codes, *times]
    if "by" in reading.columns:
        keys.append(reading.words(reading.columns["by"]).codes)
    reading.set_duplicates_aside(keys, [calls.values], "renewal, day and forecaster", calls.column)


def _calls(reading: Reading) -> _Calls | None:
    """The column of calls; None where there is none that can be read, which is a fault by then."""
    column = reading.columns.get("probability", reading.columns.get("call"))
    if column is None:
        message = f"no column holds the calls; the columns are {quoted(list(reading.raw.names), 30)}."
        hint = 'Name it: --map forecasts.probability="COLUMN" or --map forecasts.call="COLUMN".'
        reading.faults.append(Fault("no_call_column", message, f"{reading.raw.name}:{reading.raw.header_row}", hint))
        return None
    unused = {"probability", "call"} - {"probability" if "probability" in reading.columns else "call"}
    for role in unused & reading.columns.keys():
        del reading.columns[role]
    numbers = read_numbers(reading.raw.columns[column])
    filled = len(numbers.blank) - int(numbers.blank.sum())
    if numbers.complaint is not None:
        reading.fault(numbers.complaint, column)
        return None
    if "probability" not in reading.columns and 2 * int(numbers.unread.sum()) > filled:
        return _words(reading, column)
    if "probability" not in reading.columns and 1 < np.nanmax(numbers.values, initial=0) <= MOST_STEPS:
        message = f"numbers up to {np.nanmax(numbers.values):g} could be the steps of a scale or percentages."
        hint = 'If they are percentages, say --map forecasts.probability="COLUMN"; else write the steps as words.'
        reading.faults.append(Fault("unknown_calls", message, reading.place(int(np.nanargmax(numbers.values)), column), hint))
        return None
    return _probabilities(reading, column, numbers.values, numbers.unread, numbers.blank)


def _probabilities(reading: Reading, column: int, values: Floats, unread: np.ndarray, blank: np.ndarray) -> _Calls | None:
    """Probabilities of renewal, between 0 and 1."""
    outside = (values < 0) | (values > 100)
    hint = "Give numbers from 0 to 1, or percentages from 0 to 100."
    if reading.refuse_unreadable(unread | outside, blank, column, "a probability", hint):
        return None
    reading.set_aside(unread, "unreadable_call", "unreadable call", column, show=True)
    reading.set_aside(outside, "impossible_probability", "probability outside 0-100 %", column, show=True)
    percent = bool((values[~outside & ~np.isnan(values)] > 1).any())
    share = np.where(outside, np.nan, values / 100 if percent else values)
    risk = speaks_of_risk(reading.title(column))
    said = f"probabilities of {'churn' if risk else 'renewal'}{', in percent' if percent else ''}"
    reading.notes.append(f"column '{reading.title(column)}' is read as {said}")
    return _Calls(column, 1 - share if risk else share, probability=True)


def _words(reading: Reading, column: int) -> _Calls | None:
    words = words_of(reading.raw.columns[column])
    words = words.without(words.blank())
    ranked = _known(words, reading.options.calls) or rank_bands(words, reading.title(column))
    if isinstance(ranked, Complaint):
        order = ",".join(words.used()[:6])
        hint = f"Give their order from worst to best, such as --calls '{order}' (put in the right order)."
        message = ranked.message.replace("neither a number nor a band whose order is known", "no call whose order is known")
        reading.fault(Complaint("unknown_calls", message, hint, ranked.row), column)
        return None
    return _Calls(column, words.spread(ranked.ranks, np.nan), probability=False, names=ranked.names)


def _known(words: Words, declared: tuple[str, ...]) -> Ranks | None:
    """Ranks by the declared order, else by the first scale that has every word; None where neither has."""
    held: dict[int, str] = {i: band_key(words.words[i].as_py()) for i in np.flatnonzero(words.counts() > 0).tolist()}
    held = {i: key for i, key in held.items() if key not in UNSCORED}
    for scale in ((declared,) if declared else ()) + SCALES:
        steps = {band_key(word): step for step, names in enumerate(scale) for word in ([names] if scale is declared else names.split(", "))}
        if held and set(held.values()) <= steps.keys():
            return _ranked(words, {i: steps[key] for i, key in held.items()})
    return None


def _ranked(words: Words, step: dict[int, int]) -> Ranks:
    """Only the steps that occur count; a step that several words share has the first of them in the alphabet for a name."""
    present = sorted(set(step.values()))
    ranks = np.full(len(words.words), np.nan)
    for i, own in step.items():
        ranks[i] = present.index(own)
    names = tuple(min(words.words[i].as_py() for i, own in step.items() if own == each) for each in present)
    return Ranks(ranks, names)
