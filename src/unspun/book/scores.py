"""Score histories: which columns are scores, and one series of values for each score."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unspun.book.bands import UNSCORED, Ranks, band_key, known_scale, rank_bands
from unspun.book.columns import SCORE_ROLE, column_named, did_you_mean
from unspun.book.dates import is_date_type
from unspun.book.files import open_table
from unspun.book.numbers import Numbers, is_number_type, read_numbers
from unspun.book.reading import Reading
from unspun.book.tables import Floats, Ints, ReadingOptions, ScoreHistory, ScoreSeries, Times
from unspun.book.text import Complaint, Mask, Words, fold, quoted, squash, words_of
from unspun.errors import Fault

USUAL_NAMES = (
    "score, health, health score, health index, health status, nps, nps score, csat, csat score, ces, ces score, pulse, sentiment, "
    "rating, engagement, engagement score, risk score, churn risk, churn score, score value"
)
SCORE_NAMES = frozenset(squash(name) for name in USUAL_NAMES.split(","))
LONG_NAMES = SCORE_NAMES | {"value", "metricvalue", "measurement"}
SCORE_HINT = 'Name it: --map score="COLUMN".'
LOOKED_AT_ROWS = 10_000  # to tell whether a column could be a score
MOST_STRANGE_CELLS = 0.2  # in a column that is taken for a score without being named one
BOOLEANS = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, slots=True)
class _Score:
    """One score column as read: a value for every row of the file, NaN where blank or unreadable.

    `bands` names the ranks where the values are ranks; in long form there is one entry for each score name.
    """

    column: int
    values: Floats
    blank: Mask
    unread: Mask
    bands: tuple[str, ...] = ()
    bands_by_name: tuple[tuple[str, ...], ...] = ()


def read_scores(source: object, options: ReadingOptions, name: str | None = None) -> ScoreHistory:
    """Read scores from a path ("-" is standard input), an open file, or a pandas, Polars or Arrow table.

    Raises BadInput with all faults of the file; rows that cannot be used are set aside in `source.rejections`.
    """
    reading = Reading(open_table(source, "scores", name, options), options)
    band_column = reading.columns.get("band")
    columns, certain = _score_columns(reading)
    reading.account()
    dated, recorded, names = reading.dates("date"), reading.dates("recorded_at"), _names(reading)
    scores = _read_wide(reading, columns) if names is None else _read_long(reading, columns, names)
    reading.refuse_faults()
    assert dated is not None  # its absence is a fault
    own_band = _own_band(scores, certain) if names is None else _band_of_long(reading, band_column, scores)
    scores = [s for s in scores if s is not own_band and (not certain or s.column in certain)]
    _set_unscored_aside(reading, scores)
    values = [s.values for s in scores] + ([own_band.values] if own_band else [])
    _set_repeated_aside(reading, dated, recorded, names, values, scores[0].column if len(scores) == 1 else None)
    reading.refuse_nothing_left()
    return ScoreHistory(
        source=reading.source(_used(scores, own_band)),
        row=reading.of_kept(reading.raw.row),
        account=reading.codes_in(reading.columns["account"]),
        dated=reading.of_kept(dated),
        series=_wide_series(reading, scores) if names is None else _long_series(scores[0], names, reading.kept),
        recorded=None if recorded is None else reading.of_kept(recorded),
        set_by=reading.codes("set_by"),
        segment=reading.codes("segment"),
        owner=reading.codes("owner"),
        parent=reading.codes("parent"),
        band=None if own_band is None else reading.of_kept(own_band.values),
        band_names=() if own_band is None else own_band.bands,
        file=None if reading.raw.file is None else reading.of_kept(reading.raw.file),
    )


def _used(scores: list[_Score], own_band: _Score | None) -> dict[str, int]:
    used = {"score" if len(scores) == 1 else f"score {i}": score.column for i, score in enumerate(scores, 1)}
    return used if own_band is None else {**used, "band": own_band.column}


def _score_columns(reading: Reading) -> tuple[list[int], frozenset[int]]:
    """The columns to read as scores, and those of them that are scores for certain, and not another score's own band."""
    declared = list(dict.fromkeys(_declared(reading)))
    asked = bool(declared or (reading.options.scores and not _names_asked(reading)))
    band = reading.columns.pop("band", None)
    columns = declared if asked else _scores_by_name(reading)
    if not columns and not asked and band is None:
        columns = declared = _scores_by_content(reading)
        if not columns:
            message = f"no column is recognised as a score; the columns are {quoted(list(reading.raw.names), 30)}."
            reading.faults.append(Fault("no_score_column", message, _header(reading), SCORE_HINT))
    if band is not None and band not in columns and ("score_name" not in reading.columns or not columns):
        columns = [*columns, band]
    _check_titles(reading, [reading.title(column) for column in columns])
    return columns, frozenset(declared)


def _check_titles(reading: Reading, titles: list[str]) -> None:
    where = _header(reading)
    if repeated := sorted({title for title in titles if titles.count(title) > 1}):
        reading.faults.append(Fault("two_columns", f"several score columns are named {quoted(repeated)}.", where, "Rename them."))
    if len(titles) > 1 and "score_name" in reading.columns:
        message = f"beside a column of score names there is one column of values, but {quoted(titles)} could each be it."
        reading.faults.append(Fault("two_columns", message, where, f'Say which: --map score="{titles[0]}".'))


def _declared(reading: Reading) -> list[int]:
    columns: list[int] = []
    for name in () if _names_asked(reading) else reading.options.scores:
        found = column_named(reading.raw, name)
        if len(found) != 1 and "score_name" in reading.columns:
            words = reading.words(reading.columns["score_name"]).words.to_pylist()
            known = quoted(sorted({word for word in words if word}), 30)
            message = f"there is no score and no column '{name}'; the scores are {known}."
            reading.faults.append(Fault("no_such_score", message, _header(reading), did_you_mean(name, [w for w in words if w])))
        elif len(found) != 1:
            what = f"there is no column '{name}'" if not found else f"{len(found)} columns are named '{name}'"
            hint = f"{did_you_mean(name, reading.raw.names)}The columns are {quoted(list(reading.raw.names), 30)}."
            reading.faults.append(Fault("no_such_column", f"{what} (wanted as a score).", _header(reading), hint))
        columns += found[:1]
    if SCORE_ROLE in reading.columns:
        columns.append(reading.columns.pop(SCORE_ROLE))
    return columns


def _header(reading: Reading) -> str:
    return f"{reading.raw.name}:{reading.raw.header_row}"


def _names_asked(reading: Reading) -> frozenset[str]:
    """In a long file, the score names that were asked for; empty where columns were."""
    asked = frozenset(fold(name) for name in reading.options.scores)
    if "score_name" not in reading.columns or not asked:
        return frozenset()
    words = reading.words(reading.columns["score_name"])
    return asked if asked & {fold(word) for word in words.words.to_pylist() if word} else frozenset()


def _free(reading: Reading) -> list[int]:
    return [i for i in range(len(reading.raw.names)) if i not in reading.columns.values()]


def _scores_by_name(reading: Reading) -> list[int]:
    """Columns with a score's usual name, and those named alike that hold numbers or bands."""
    usual = LONG_NAMES if "score_name" in reading.columns else SCORE_NAMES
    columns: list[int] = []
    for column in _free(reading):
        if squash(reading.raw.names[column]) in usual:
            columns.append(column)
        elif _named_like_score(reading, column):
            if _looks_like_score(reading, column):
                columns.append(column)
            else:
                reading.notes.append(f"column '{reading.title(column)}' is not read as a score: many cells are neither numbers nor bands")
    return columns


def _scores_by_content(reading: Reading) -> list[int]:
    """Every column left that holds numbers or bands, identifiers aside."""
    return [i for i in _free(reading) if not squash(reading.raw.names[i]).endswith("id") and _looks_like_score(reading, i)]


def _named_like_score(reading: Reading, column: int) -> bool:
    name = squash(reading.raw.names[column])
    if name.startswith(("previous", "prior")):
        return False  # the same score at an earlier time, such as Gainsight's Previous Score
    return name.endswith("score") or "health" in name or name.startswith(("csat", "nps"))


def _looks_like_score(reading: Reading, column: int) -> bool:
    cells = reading.raw.columns[column]
    if is_number_type(cells.type):
        return not pa.types.is_boolean(cells.type)
    if not (pa.types.is_string(cells.type) or pa.types.is_dictionary(cells.type)):
        return False
    few = cells.slice(0, LOOKED_AT_ROWS)
    numbers = read_numbers(few)
    if numbers.complaint is not None:
        return True  # numbers, if not clear ones
    filled = len(few) - int(numbers.blank.sum())
    words = words_of(few)
    keys = {band_key(word) for word in words.without(words.blank()).used()} - UNSCORED
    return filled > 0 and (int(numbers.unread.sum()) <= MOST_STRANGE_CELLS * filled or known_scale(keys) is not None)


def _names(reading: Reading) -> Words | None:
    """The score names of a long file."""
    if "score_name" not in reading.columns:
        return None
    column = reading.columns["score_name"]
    words = reading.words(column)
    words = words.without(words.blank())
    reading.set_aside(words.codes < 0, "no_score_name", "no score name", column, show=True)
    if asked := _names_asked(reading):
        _keep_names(reading, words, column, asked)
    return words


def _keep_names(reading: Reading, words: Words, column: int, asked: frozenset[str]) -> None:
    """Set the rows of other scores aside; a name that is not in the file is a fault."""
    held = [fold(word or "") for word in words.words.to_pylist()]
    for name in sorted(asked - set(held)):
        known = quoted(sorted({word for word in words.words.to_pylist() if word}), 30)
        reading.faults.append(Fault("no_such_score", f"there is no score '{name}' in it; the scores are {known}.", _header(reading)))
    wanted = np.array([name in asked for name in held] + [False])
    reading.set_aside((words.codes >= 0) & ~wanted[words.codes], "score_not_asked_for", "a score that was not asked for", column)


def _read_wide(reading: Reading, columns: list[int]) -> list[_Score]:
    scores: list[_Score] = []
    for column in columns:
        score = _read_score(reading, column, reading.raw.columns[column], None)
        scores += [score] if score is not None else []
    return scores


def _read_long(reading: Reading, columns: list[int], names: Words) -> list[_Score]:
    """One column of values, read name by name: a number for one score may stand beside a band for another."""
    if len(columns) != 1:
        return []  # a fault by now
    n = len(names.codes)
    values, blank, unread = np.full(n, np.nan), np.ones(n, bool), np.zeros(n, bool)
    bands: list[tuple[str, ...]] = []
    for rows in _rows_by_name(names, np.arange(n)):
        score = _read_score(reading, columns[0], reading.raw.columns[columns[0]].take(pa.array(rows)), rows) if len(rows) else None
        bands.append(score.bands if score else ())
        if score is not None:
            values[rows], blank[rows], unread[rows] = score.values, score.blank, score.unread
    return [_Score(columns[0], values, blank, unread, (), tuple(bands))]


def _rows_by_name(names: Words, rows: Ints) -> list[Ints]:
    """Of some rows, those of each name: positions in `rows`."""
    codes = names.codes[rows]
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(names.words) + 1))
    return [order[low:high] for low, high in itertools.pairwise(bounds)]


def _read_score(reading: Reading, column: int, cells: pa.ChunkedArray, rows: Ints | None) -> _Score | None:
    """Numbers where at least half of the filled cells are, else bands; None where a fault stands in the way.

    `rows` are the file's rows that `cells` come from, where they are not all.
    """
    numbers = _numbers(cells)
    notes = [f"column '{reading.title(column)}': {note}" for note in numbers.notes]
    reading.notes += [note for note in notes if note not in reading.notes]
    filled = len(cells) - int(numbers.blank.sum())
    score, complaint = _Score(column, numbers.values, numbers.blank, numbers.unread), numbers.complaint
    if complaint is None and 2 * int(numbers.unread.sum()) > filled:
        score, complaint = _banded(reading, column, words_of(cells))
    if complaint is not None:
        reading.fault(replace(complaint, row=complaint.row if rows is None else int(rows[complaint.row])), column)
        return None
    return None if score.unread.any() and _mostly_unreadable(reading, score, rows) else score


def _mostly_unreadable(reading: Reading, score: _Score, rows: Ints | None) -> bool:
    n = len(reading.raw.row)
    everywhere = np.arange(n) if rows is None else rows
    unread, blank = np.zeros(n, bool), np.ones(n, bool)
    unread[everywhere], blank[everywhere] = score.unread, score.blank
    hint = "Give numbers or bands, and leave a cell without a score empty."
    return reading.refuse_unreadable(unread, blank, score.column, "a number", hint)


def _numbers(cells: pa.ChunkedArray) -> Numbers:
    """Numbers, where words such as "unscored" are blanks, and a column of true and false is one of 1 and 0."""
    if is_date_type(cells.type):
        return Numbers(np.full(len(cells), np.nan), np.zeros(len(cells), bool), np.ones(len(cells), bool))
    numbers = read_numbers(cells)
    if numbers.complaint is not None or not numbers.unread.any() or is_number_type(cells.type):
        return numbers
    words = words_of(cells)
    strange = {int(code): fold(words.words[int(code)].as_py()) for code in np.unique(words.codes[numbers.unread])}
    if np.array_equal(numbers.unread, ~numbers.blank) and set(strange.values()) <= BOOLEANS.keys():
        values = np.array([BOOLEANS.get(strange.get(code, ""), np.nan) for code in range(len(words.words))])
        return Numbers(words.spread(values, np.nan), numbers.blank, np.zeros(len(cells), bool))
    unscored = np.isin(words.codes, [code for code, key in strange.items() if key in UNSCORED])
    return replace(numbers, blank=numbers.blank | unscored, unread=numbers.unread & ~unscored)


def _banded(reading: Reading, column: int, words: Words) -> tuple[_Score, Complaint | None]:
    words = words.without(words.blank())
    ranked = rank_bands(words, reading.title(column), reading.options.bands)
    ranks = ranked if isinstance(ranked, Ranks) else Ranks(np.full(len(words.words), np.nan), ())
    values = words.spread(ranks.ranks, np.nan)
    score = _Score(column, values, np.isnan(values), np.zeros(len(values), bool), ranks.names)
    return score, ranked if isinstance(ranked, Complaint) else None


def _own_band(scores: list[_Score], certain: frozenset[int]) -> _Score | None:
    """The one column of bands beside the one column of numbers, unless it is a score for certain."""
    numeric, banded = [s for s in scores if not s.bands], [s for s in scores if s.bands]
    return banded[0] if len(numeric) == len(banded) == 1 and banded[0].column not in certain else None


def _band_of_long(reading: Reading, column: int | None, scores: list[_Score]) -> _Score | None:
    """The band beside the number of each row of a long file; where its words have no known order it is left unused."""
    if column is None or column in [score.column for score in scores] or any(any(score.bands_by_name) for score in scores):
        return None
    band, complaint = _banded(reading, column, words_of(reading.raw.columns[column]))
    if complaint is None:
        return band
    reading.notes.append(f"column '{reading.title(column)}' is not read as the scores' bands: {complaint.message}")
    return None


def _set_unscored_aside(reading: Reading, scores: list[_Score]) -> None:
    """A row is set aside where no score of it can be used; beside a usable one, an unreadable cell is only blank."""
    if len(scores) == 1:
        column = scores[0].column
        reading.set_aside(scores[0].unread, "unreadable_score", "unreadable score", column, show=True)
        reading.set_aside(scores[0].blank, "no_score", "no score value", column)
        return
    usable = np.zeros(len(reading.raw.row), bool)
    for score in scores:
        usable |= ~(score.blank | score.unread)
        if n := int(score.unread.sum()):
            first = reading.place(int(np.argmax(score.unread)), score.column)
            reading.notes.append(f"unreadable cells of score '{reading.title(score.column)}' taken as blank: {n:,} (first: {first})")
    reading.set_aside(~usable, "no_score", "no score value")


def _set_repeated_aside(
    reading: Reading,
    dated: Times,
    recorded: Times | None,
    names: Words | None,
    values: list[Floats],
    column: int | None,
) -> None:
    keys: list[NDArray[Any]] = [reading.words(reading.columns["account"]).codes, dated]
    same = "account and date"
    if recorded is not None:
        keys.append(recorded)
        same = "account, date and time of recording"
    if names is not None:
        keys.append(names.codes)
    reading.set_duplicates_aside(keys, values, same, column)


def _wide_series(reading: Reading, scores: list[_Score]) -> tuple[ScoreSeries, ...]:
    return tuple(ScoreSeries(reading.title(s.column), reading.of_kept(s.values), None, s.bands) for s in scores)


def _long_series(score: _Score, names: Words, kept: Ints) -> tuple[ScoreSeries, ...]:
    values = score.values[kept]
    return tuple(
        ScoreSeries(names.words[code].as_py(), values[rows], rows.astype(np.int64), score.bands_by_name[code])
        for code, rows in enumerate(_rows_by_name(names, kept))
        if len(rows)
    )
