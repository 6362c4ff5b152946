"""The rows behind an audit's figures: every unit with what was known of it, so that each figure can be computed again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.audit.baseline import FrozenRisks, fit_baseline, freeze_risks, percentile_in, training_percentile
from unspun.audit.capture import Choices, chance_band, reach_band
from unspun.audit.describe import Described, band_rule
from unspun.audit.frame import Frame, Lookup, rows_known, value_at
from unspun.audit.known import to_days
from unspun.audit.leak import outcome_known, why_impossible
from unspun.audit.mapping import Mapping, fit_mapping
from unspun.audit.result import CurveBand
from unspun.audit.split import Parts
from unspun.audit.terms import UNKNOWN, Terms
from unspun.audit.trial import Trial
from unspun.audit.units import Units
from unspun.audit.vocabulary import Vocabulary
from unspun.book.tables import OUTCOMES, ScoreSeries
from unspun.stats.concordance import dense_ranks
from unspun.stats.estimate import Estimate, NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Selection = Literal["test", "eligible", "candidates", "leads", "leak", "horizons"]
Ends = list[tuple[float, float]]  # of an interval at each capacity
PARTS = ("training", "test", "left out")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a row set. Values are numbers, booleans or days (datetime64[D], NaT where none); -1 in a text is empty."""

    name: str
    meaning: str
    values: NDArray[Any]
    names: tuple[str, ...] | None = None  # of a text column: `values` are indexes into it


@dataclass(frozen=True, slots=True)
class RowSet:
    """The rows of one selection of one score, and which they are, in words."""

    score: str
    selection: Selection
    filters: str
    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return len(self.columns[0].values)


@dataclass(frozen=True, slots=True)
class TracedScore:
    """One score as it was tried: at all horizons, and at the primary one as described."""

    series: ScoreSeries
    lookup: Lookup
    sign: float
    trials: tuple[Trial, ...]
    described: Described


@dataclass(frozen=True, slots=True)
class Trace:
    """What the audit laid out and judged, kept so that the rows behind its figures can be handed out. Scores are in the result's order."""

    scores: tuple[TracedScore, ...]
    vocabulary: Vocabulary


def row_sets(trace: Trace, position: int, selections: tuple[Selection, ...] | None = None) -> Iterator[RowSet]:
    """The row sets of one score, those of its headline figures first; selections that hold no row are left out."""
    traced = trace.scores[position]
    makers = {
        "test": _test_rows,
        "eligible": _eligible_rows,
        "candidates": _candidate_rows,
        "leads": _lead_rows,
        "leak": _leak_rows,
        "horizons": _horizon_rows,
    }
    for selection, make in makers.items():
        made = make(traced, trace.vocabulary) if selections is None or selection in selections else None
        if made is not None and len(made):
            yield made


def capture_bands(trace: Trace) -> Iterator[tuple[CurveBand, ...]]:
    """For each score the bands of its captured-ARR curve, from the same bootstrap draws as the intervals at the team's capacity.

    All scores share the candidates of the primary horizon, and so the two bands that need no score.
    """
    shared: tuple[Ends, Ends] | None = None
    for traced in trace.scores:
        treated = _treated(traced)
        if treated is None:
            yield ()
            continue
        _, then, probability, choices = treated
        candidates = choices.candidates
        shared = shared or (_ends(reach_band(candidates, candidates.amount)), _ends(chance_band(candidates)))
        product = None if probability is None else _ends(reach_band(candidates, probability * candidates.amount))
        ways = (_ends(reach_band(candidates, then)), product or [None] * len(candidates.capacities), *shared)
        yield tuple(CurveBand(*at) for at in zip(candidates.capacities.tolist(), *ways, strict=True))


def _ends(band: tuple[Floats, Floats]) -> Ends:
    return list(zip(*(ends.tolist() for ends in band), strict=True))


def _primary(traced: TracedScore) -> Trial:
    return traced.described.trial


def _test_rows(traced: TracedScore, words: Vocabulary) -> RowSet | None:
    trial = _primary(traced)
    parts, days = trial.frame.parts, trial.frame.units.horizon_days
    if isinstance(parts, NoEstimate):
        return None
    first = np.datetime64(parts.cut, "D")
    filters = f"Test units: eligible {days} days ahead and looked at on {first} or later, scored or not."
    return RowSet(traced.series.name, "test", filters, _unit_columns(traced, trial, np.flatnonzero(parts.test), words))


def _eligible_rows(traced: TracedScore, words: Vocabulary) -> RowSet:
    trial = _primary(traced)
    filters = f"All units eligible {trial.frame.units.horizon_days} days ahead, test and training, scored or not."
    return RowSet(traced.series.name, "eligible", filters, _unit_columns(traced, trial, np.arange(len(trial.frame.units)), words))


def _horizon_rows(traced: TracedScore, words: Vocabulary) -> RowSet | None:
    """The other horizons, stacked."""
    others = [trial for trial in traced.trials if trial is not _primary(traced) and len(trial.frame.units)]
    if not others:
        return None
    laid = [_unit_columns(traced, trial, np.arange(len(trial.frame.units)), words) for trial in others]
    days = np.repeat([t.frame.units.horizon_days for t in others], [len(t.frame.units) for t in others])
    first = Column("horizon_days", "days ahead", days.astype(np.int64))
    said = ", ".join(str(t.frame.units.horizon_days) for t in others)
    filters = f"All units eligible {said} days ahead, test and training, scored or not: the horizons that do not decide."
    return RowSet(traced.series.name, "horizons", filters, (first, *_stacked(laid)))


def _stacked(laid: list[tuple[Column, ...]]) -> Iterator[Column]:
    """Columns of the same names on top of one another; texts share one list of names."""
    by_name = [{column.name: column for column in columns} for columns in laid]
    kept = [column.name for column in laid[0] if all(column.name in columns for columns in by_name)]
    for name in kept:
        parts = [columns[name] for columns in by_name]
        if parts[0].names is None:
            yield Column(name, parts[0].meaning, np.concatenate([part.values for part in parts]))
            continue
        names = tuple(dict.fromkeys(word for part in parts for word in part.names or ()))
        place = {word: i for i, word in enumerate(names)}
        renumbered = [np.array([place[word] for word in part.names or ()] + [-1], dtype=np.int64)[part.values] for part in parts]
        yield Column(name, parts[0].meaning, np.concatenate(renumbered), names)


def _unit_columns(traced: TracedScore, trial: Trial, rows: Ints, words: Vocabulary) -> tuple[Column, ...]:
    return (
        *_outcome_columns(traced.described.terms, trial.frame, rows, words),
        *_outcome_row(traced.described, trial.frame.units, rows),
        *_score_columns(traced, trial, rows),
        *_model_columns(trial, rows),
    )


def _outcome_columns(terms: Terms, frame: Frame, rows: Ints, words: Vocabulary) -> list[Column]:
    units = frame.units
    known = _days(units.known_on[rows])
    columns = [*_who_and_when(terms, units, rows), *_what_became(terms, units, rows, words)]
    columns.append(Column("outcome_known", "when the outcome was known", known))
    columns += _money_columns(terms, units, rows)
    for name, codes, names in (("segment", frame.segment, frame.segment_names), ("owner", frame.owner, frame.owner_names)):
        if codes is not None:
            columns.append(Column(name, f"{name} as known then", codes[rows], names))
    cluster = units.cluster[rows]
    return [*columns, Column("cluster", "number of the cluster the intervals are summed over", cluster)]


def _who_and_when(terms: Terms, units: Units, rows: Ints) -> list[Column]:
    looked_at = Column("looked_at", "the day the score was read on", _days(units.as_of[rows]))
    end = (
        Column("window_end", "last day of the window", _days(units.due[rows]))
        if units.design == "landmark"
        else Column("due", "when the renewal was due", _days(terms.due[units.terms_row[rows]]))
    )
    return [Column("account", "the account", units.account[rows], terms.account_names), looked_at, end]


def _what_became(terms: Terms, units: Units, rows: Ints, words: Vocabulary) -> list[Column]:
    event = Column("event", f"1 where the unit {words.lost}", units.churned[rows].astype(np.int64))
    if units.design == "landmark":
        return [Column("outcome", "what happened in the window", event.values, ("stayed", words.lost)), event]
    names = (words.kept, words.lost, *OUTCOMES[2:])
    return [Column("outcome", "what became of it", terms.outcome[units.terms_row[rows]].astype(np.int64), names), event]


def _money_columns(terms: Terms, units: Units, rows: Ints) -> list[Column]:
    if not terms.money.given:
        return []
    currency = terms.money.currency[units.terms_row[rows]]
    columns = [Column("amount", "what the account was worth before", units.amount[rows])]
    return [*columns, Column("currency", "of the amount", currency, terms.money.currencies)] if any(terms.money.currencies) else columns


def _outcome_row(it: Described, units: Units, rows: Ints) -> list[Column]:
    """Where the unit stands in the file of the outcomes."""
    events, at = it.terms.words.events, it.terms.order[units.terms_row[rows]]
    row = Column(f"{events}_row", f"row of the {events} file, its header counted as row 1", it.renewals.row[at])
    if it.renewals.file is None:
        return [row]
    names = tuple(one.name for one in it.renewals.source.files)
    return [Column(f"{events}_file", "the file of that row", it.renewals.file[at].astype(np.int64), names), row]


def _score_columns(traced: TracedScore, trial: Trial, rows: Ints) -> list[Column]:
    history = traced.described.history
    at = trial.row[rows]
    columns = [
        Column("score", "the score as known then", trial.value[rows]),
        Column(
            "score_dated", "its date", np.where(at >= 0, history.dated[np.maximum(at, 0)].astype("datetime64[D]"), np.datetime64("NaT"))
        ),
    ]
    rule = band_rule(traced.described)
    if not isinstance(rule, NoEstimate):
        band = rule.assign(trial.value, trial.row)[rows]
        codes = np.where(np.isfinite(band), band, -1).astype(np.int64)
        columns.append(Column("band", f"its band: {rule.source}", codes, rule.names))
    if history.file is not None:
        names = tuple(one.name for one in history.source.files)
        columns.append(Column("scores_file", "the file of the next row", np.where(at >= 0, history.file[np.maximum(at, 0)], -1), names))
    return [*columns, Column("scores_row", "row of the scores file", np.where(at >= 0, history.row[np.maximum(at, 0)], -1))]


def _model_columns(trial: Trial, rows: Ints) -> list[Column]:
    parts = trial.frame.parts
    if isinstance(parts, NoEstimate):
        return []
    code = np.where(parts.test, 1, np.where(parts.train, 0, 2))
    columns = [Column("part", "training, test, or left out as its outcome was not known when the test began", code[rows], PARTS)]
    mapped = _mapped(trial, parts)
    if mapped is not None:
        columns.append(Column("risk_by_score", "risk that the score's mapping, fitted in training, reads into it", mapped[rows]))
    frozen = frozen_risks(trial)
    if frozen is not None:
        columns.append(Column("risk_by_baseline", "risk by the frozen baseline", special.expit(frozen.baseline[rows])))
        columns.append(Column("risk_by_both", "risk by the frozen baseline with the score", special.expit(frozen.both[rows])))
    return columns


def frozen_risks(trial: Trial) -> FrozenRisks | None:
    """B and B + S as the test froze them, fitted again on the same units; None where the audit gave no gain."""
    frame, parts = trial.frame, trial.frame.parts
    if isinstance(parts, NoEstimate) or frame.baseline is None or not isinstance(trial.result.test.gain, Estimate):
        return None
    fit_on, churned = parts.train & trial.scored, frame.units.churned
    percentile = training_percentile(dense_ranks(trial.risk), parts.train)
    return freeze_risks(frame.baseline, fit_baseline(frame.baseline, churned, fit_on), percentile, churned, fit_on)


def _mapping(trial: Trial, parts: Parts) -> tuple[Mapping, Floats]:
    percentile = training_percentile(dense_ranks(trial.risk), parts.train)
    return fit_mapping(percentile, trial.frame.units.churned, parts.train & trial.scored, trial.frame.units.words), percentile


def _mapped(trial: Trial, parts: Parts) -> Floats | None:
    mapping, percentile = _mapping(trial, parts)
    return None if isinstance(mapping, NoEstimate) else mapping(percentile)


def _treated(traced: TracedScore) -> tuple[Units, Floats, Floats | None, Choices] | None:
    """The candidates, the score's risk order and mapped risk on the first day of their month."""
    trial = _primary(traced)
    frame, parts = trial.frame, trial.frame.parts
    if frame.treated is None or isinstance(frame.choices, NoEstimate) or isinstance(parts, NoEstimate):
        return None
    row = rows_known(traced.lookup, frame.treated.account, frame.treated.as_of)
    then = traced.sign * value_at(traced.series, row)
    mapping, _ = _mapping(trial, parts)
    if isinstance(mapping, NoEstimate):
        return frame.treated, then, None, frame.choices
    reference = np.sort(trial.risk[parts.train & np.isfinite(trial.risk)])
    return frame.treated, then, mapping(percentile_in(reference, then)), frame.choices


def _candidate_rows(traced: TracedScore, words: Vocabulary) -> RowSet | None:
    treated = _treated(traced)
    if treated is None:
        return None
    units, then, probability, choices = treated
    terms, rows = traced.described.terms, np.arange(len(units))
    filters = (
        "Candidates of each whole month of the test: undecided on its first day and due in the month that lies "
        f"{units.horizon_days} days ahead."
        if units.design == "renewal"
        else "Candidates of each month of the test: its test units."
    )
    columns = [*_who_and_when(terms, units, rows), *_what_became(terms, units, rows, words), *_money_columns(terms, units, rows)]
    columns.append(Column("lost_amount", f"the amount where the unit {words.lost}, else 0", choices.candidates.loss))
    columns.append(Column("cluster", "number of the cluster the bootstrap draws", units.cluster))
    columns.extend(_outcome_row(traced.described, units, rows))
    columns.append(Column("score", "the score as known on the month's first day", traced.sign * then))
    if probability is not None:
        columns.append(Column("risk_by_score", "risk that its mapping reads into it", probability))
    return RowSet(traced.series.name, "candidates", filters, tuple(columns))


def _lead_rows(traced: TracedScore, words: Vocabulary) -> RowSet | None:
    it = traced.described
    rule = band_rule(it)
    if not it.leads or isinstance(rule, NoEstimate):
        return None
    laid = []
    for units, row in zip(it.leads, it.lead_rows, strict=True):
        value = value_at(it.series, row)
        rows = np.flatnonzero(np.isfinite(value))
        alarm = (rule.assign(value, row)[rows] == 0).astype(np.int64)
        columns = [*_who_and_when(it.terms, units, rows), *_what_became(it.terms, units, rows, words)]
        laid.append(
            (
                Column("days_before", "days before the due date", np.full(len(rows), units.horizon_days)),
                *columns,
                Column("score", "the score as known then", value[rows]),
                Column("alarm", f"1 where it was {rule.names[0]}", alarm),
                Column("cluster", "number of the cluster", units.cluster[rows]),
                *_outcome_row(it, units, rows),
            )
        )
    filters = "The renewals still open at each lead that had a score then, test and training."
    return RowSet(traced.series.name, "leads", filters, tuple(_stacked(laid)))


def _leak_rows(traced: TracedScore, words: Vocabulary) -> RowSet | None:
    it, trial = traced.described, _primary(traced)
    if why_impossible(it.history, it.renewals, traced.lookup):
        return None
    units = trial.frame.units
    row = rows_known(traced.lookup, units.account, units.as_of, as_dated=True)
    rows = np.flatnonzero(row >= 0)
    recorded = to_days(it.history.recorded)[row[rows]] if it.history.recorded is not None else np.full(len(rows), UNKNOWN)
    known = outcome_known(units, it.terms)[rows]
    columns = (
        *_who_and_when(it.terms, units, rows),
        *_what_became(it.terms, units, rows, words),
        Column("score_as_dated", "the score dated by then, whenever it was recorded", value_at(traced.series, row)[rows]),
        Column("score_as_known", "the score recorded by then", trial.value[rows]),
        Column("recorded", "when the score as dated was recorded", _days(recorded)),
        Column("outcome_known", "when the outcome was known", _days(known)),
        Column("edited", "1 where it was recorded after the outcome was known", (recorded > known).astype(np.int64)),
        Column("cluster", "number of the cluster", units.cluster[rows]),
        *_outcome_row(it, units, rows),
    )
    return RowSet(traced.series.name, "leak", f"Units eligible {units.horizon_days} days ahead that had a score dated by then.", columns)


def _days(days: Ints) -> NDArray[np.datetime64]:
    """UNKNOWN is NaT."""
    return days.astype(np.int64).astype("datetime64[D]")
