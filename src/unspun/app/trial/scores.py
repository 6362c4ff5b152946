"""Scores and calls that a company recorded, as a trial reads them from an open book: all that was recorded, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from unspun.app.trial.book import FORECASTS, RESPONSES, SCORES, TrialDay, days, floats, holds, ints, times_of
from unspun.audit.calls import MAX_FORECASTERS, NOWHERE, CallIndex
from unspun.audit.terms import Terms
from unspun.audit.units import ActiveMonths, landmark_units, renewal_units
from unspun.book.bands import band_key, rank_bands
from unspun.book.extras import Forecasts
from unspun.book.forecasts import SCALES
from unspun.book.retention.sold import read_codes
from unspun.book.tables import Codes, Floats, Ints, Source, Times
from unspun.book.text import Complaint, words_of
from unspun.engines.embedded import sql_text
from unspun.warehouse.read import BookReader

UNNAMED = "unnamed"
"""What a score or a survey goes by that the book gives no name."""
EVERYBODY = "everybody"
NO_CALL = "no_call"


@dataclass(frozen=True, slots=True)
class RecordedScore:
    """A score as it was recorded. `recorded` is NaT where a value was known when dated; `bands` name ranks, 0 the worst."""

    name: str
    account: Codes
    dated: Times
    recorded: Times
    values: Floats
    bands: tuple[str, ...]
    set_by: Codes
    place: tuple[Ints, Ints]


def score_names(reader: BookReader, day: TrialDay) -> tuple[str, ...]:
    """The scores of the book that have a value known by the day."""
    return _names(reader, SCORES, "score", f"(value IS NOT NULL OR band IS NOT NULL) AND {day.known()}")


def survey_names(reader: BookReader, day: TrialDay) -> tuple[str, ...]:
    """The surveys of the book that somebody answered with a number by the day."""
    return _names(reader, RESPONSES, "survey", f"answer IS NOT NULL AND {day.known()}")


def forecaster_names(reader: BookReader, day: TrialDay) -> tuple[str, ...]:
    """Who forecast renewals by the day: each where they are few, else all together."""
    found = _names(reader, FORECASTS, "made_by", f"(probability IS NOT NULL OR call IS NOT NULL) AND {day.known()}")
    return found if len(found) <= MAX_FORECASTERS else (EVERYBODY,)


def _names(reader: BookReader, table: str, column: str, where: str) -> tuple[str, ...]:
    if not holds(reader, table):
        return ()
    sql = f"SELECT DISTINCT COALESCE({column}, {sql_text(UNNAMED)}) AS name FROM {table}_versions WHERE account_id IS NOT NULL AND {where}"
    return tuple(sorted(reader.query(sql)["name"].to_pylist()))


def read_score(reader: BookReader, name: str, day: TrialDay) -> RecordedScore | Complaint:
    """All that was recorded of a score by the day, rewritten values too; a complaint where the order of its bands is not known."""
    recorded = f"CASE WHEN known_at IS DISTINCT FROM happened_at THEN {day.local('known_at')} END"
    rows = reader.query(
        f"SELECT account_id, {day.local('happened_at')} AS dated, {recorded} AS recorded, value, band, set_by, source_file, source_row "
        f"FROM scores_versions WHERE COALESCE(score, {sql_text(UNNAMED)}) = {sql_text(name)} AND account_id IS NOT NULL "
        f"AND (value IS NOT NULL OR band IS NOT NULL) AND {day.known()} ORDER BY source_file, source_row, known_at"
    )
    values, bands = floats(rows["value"]), ()
    if np.isnan(values).all():
        words = words_of(rows["band"])
        ranked = rank_bands(words, name)
        if isinstance(ranked, Complaint):
            return ranked
        values, bands = words.spread(ranked.ranks, np.nan), ranked.names
    place = (ints(rows, "source_file"), ints(rows, "source_row"))
    account, set_by = read_codes(rows, "account_id"), read_codes(rows, "set_by")
    return RecordedScore(name, account, times_of(rows, "dated"), times_of(rows, "recorded"), values, bands, set_by, place)


# Calls


@dataclass(frozen=True, slots=True)
class Called:
    """The last call known on each unit of a trial: a row an account and day, NaN where nobody had called by then."""

    account: Ints
    day: Ints
    values: Floats
    bands: tuple[str, ...]


def read_forecasts(reader: BookReader, name: str, day: TrialDay) -> Forecasts | Complaint:
    """Somebody's calls on renewals as they were known by the day: probabilities of renewal, else words from worst to best."""
    whose = "" if name == EVERYBODY else f"AND COALESCE(made_by, {sql_text(UNNAMED)}) = {sql_text(name)} "
    rows = reader.query(
        f"SELECT account_id, due, {day.local('made')} AS made, {day.local('known_at')} AS recorded, probability, call, made_by, source_row "
        f"FROM forecasts_versions WHERE account_id IS NOT NULL AND made IS NOT NULL AND (probability IS NOT NULL OR call IS NOT NULL) "
        f"{whose}AND {day.known()} ORDER BY source_file, source_row, known_at"
    )
    values, names = floats(rows["probability"]), ()
    is_probability = not np.isnan(values).all()
    if is_probability:
        values = values / 100 if np.nanmax(values) > 1 else values
    else:
        ranked = _ranked_calls(rows["call"])
        if isinstance(ranked, Complaint):
            return ranked
        values, names = ranked
    due = days(rows, "due")
    kept = np.isfinite(values) & (np.isfinite(values) if np.isnat(due).all() else ~np.isnat(due))
    account, by = read_codes(rows, "account_id"), read_codes(rows, "made_by")
    return Forecasts(
        source=Source(FORECASTS, "forecasts of the book", reader.version.digest, "book", int(kept.sum()), {}, (), ()),
        row=ints(rows, "source_row")[kept],
        account=Codes(account.codes[kept], account.names),
        made=times_of(rows, "made")[kept],
        value=values[kept],
        probability=is_probability,
        calls=names,
        due=None if np.isnat(due).all() else due[kept],
        recorded=times_of(rows, "recorded")[kept],
        by=Codes(by.codes[kept], by.names),
    )


def _ranked_calls(column: pa.ChunkedArray) -> tuple[Floats, tuple[str, ...]] | Complaint:
    """Words of calls as ranks, 0 the worst, by the first scale that has them all."""
    words = words_of(column)
    keys = {word: band_key(word) for word in words.words.to_pylist()}
    for scale in SCALES:
        steps = {band_key(word): step for step, names in enumerate(scale) for word in names.split(", ")}
        if set(keys.values()) <= steps.keys():
            present = sorted({steps[key] for key in keys.values()})
            ranks = np.array([present.index(steps[keys[word]]) for word in words.words.to_pylist()], np.float64)
            names = tuple(min(word for word, key in keys.items() if steps[key] == step) for step in present)
            return words.spread(ranks, np.nan), names
    listed = ", ".join(sorted(keys)[:6])
    return Complaint("unknown_calls", f"the order of the calls {listed} is not known", "Give probabilities, or words of one scale.", 0)


def calls_on_units(forecasts: Forecasts, terms: Terms, months: ActiveMonths | None, horizons: tuple[int, ...], primary: int) -> Called:
    """The last call known on each unit. In the landmark design, on the windows of the primary horizon.

    Where an account is looked at for two renewals on one day, it is the call on the one at the primary horizon that counts.
    """
    index = CallIndex(forecasts, terms)
    everybody = np.ones(len(forecasts.made), bool)
    asked = (primary,) if months is not None else tuple(sorted(horizons, key=lambda days: days == primary))
    units = [renewal_units(terms, days) if months is None else landmark_units(terms, months, days) for days in asked]
    rows = [index.latest(one, everybody) for one in units]
    account, day = (np.concatenate([getattr(one, name) for one in units]) for name in ("account", "as_of"))
    row = np.concatenate(rows)
    values = np.where(row == NOWHERE, np.nan, forecasts.value[np.maximum(row, 0)]) if len(forecasts.value) else np.full(len(row), np.nan)
    return Called(account, day, values, forecasts.calls)
