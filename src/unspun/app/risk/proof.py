"""Published risk and its models computed again, and the rows behind their figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from unspun.app.evidence.inputs import OpenTrial
from unspun.app.opening import WholeBook
from unspun.app.publication import FigureSet, from_document
from unspun.app.risk.figures import DUE, OPEN, RISK, SIMILAR, columns_of, day_of, figures_of_all, judged_renewals
from unspun.app.risk.inputs import RiskInputs
from unspun.app.risk.models import CHECK, MODEL, laid_again, model_figures, ready, settings_of
from unspun.app.workspace import Workspace
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import PANEL as RESULT
from unspun.engines.panel import PanelDatabase
from unspun.errors import BadInput, Fault
from unspun.progress import Progress
from unspun.risk.candidates import fit_candidate
from unspun.risk.choose import choose, churned_clusters, find_cut, judged
from unspun.risk.coding import LEAD, TERM_CLASS
from unspun.risk.fitted import FittedRisk
from unspun.risk.judge import fit_risk
from unspun.risk.reasons import LOGARITHM
from unspun.risk.result import RenewalRisk, SimilarAccounts
from unspun.risk.rows import CHURN, OUTCOMES4, TERM_CLASSES, Feature, RiskRows, known_by
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate
from unspun.warehouse.read import BookReader

RISK_KINDS = (RISK, MODEL)
CHECKED = ("check", *CHECK)
"""Figures of a model that rest on the later account-months that it was judged on; all others rest on those that it was fitted on."""
TYPICAL = "typical account"
Table = tuple[pa.Table, str]


def risk_again(
    workspace: Workspace, reader: BookReader, figures: FigureSet, progress: Progress, database: PanelDatabase
) -> dict[str, Mapping[str, Any]]:
    """The figures of a published run, or of a published model, by name, computed again from the open book."""
    trial = OpenTrial(WholeBook(reader.version), reader, database)
    inputs = laid_again(trial, figures, progress)
    if figures.kind == MODEL:
        settings = settings_of(figures)
        fitted = fit_risk(inputs.history, inputs.cutoff, settings, progress)
        return {} if isinstance(fitted, NoEstimate) else _by_name(model_figures(inputs, fitted, settings).every_figure)
    result = judged_renewals(inputs, _model_of(workspace, reader, figures, inputs, progress), progress)
    columns = columns_of(result, figures.question["features"])
    return _by_name([*figures_of_all(result), *columns])


def risk_rows(workspace: Workspace, reader: BookReader, figures: FigureSet, name: str, progress: Progress) -> Table:
    """The rows behind a figure of a published run or model, and the SQL of its metrics.

    Of all renewals together: each with what was said of it. Of one renewal: each feature with its value and what it adds to the risk of
    churn; of the similar ones, those. Of a model: the account-months that it was fitted on, or judged on.
    """
    trial = OpenTrial(WholeBook(reader.version), reader, DuckDBPanel(reader))
    renewal, _, key = name.rpartition("/")
    of_one = figures.kind == RISK and name != OPEN and not name.startswith(f"{DUE}/") and key != SIMILAR
    inputs = laid_again(trial, figures, progress, today_only=of_one)
    query = inputs.queries.get(RESULT, "")
    if figures.kind == MODEL:
        return (_checked(inputs, figures, progress) if name in CHECKED else _fitted_on(inputs)), query
    fitted = _model_of(workspace, reader, figures, None if of_one else inputs, progress)
    if of_one:
        return _contributions(inputs, fitted, renewal), query
    result = judged_renewals(inputs, fitted, progress)
    if key == SIMILAR:
        names = columns_of(result, figures.question["features"]).renewals()
        return _similar(result.renewals[names.index(renewal)]), query
    return _renewals(result.renewals, name), query


def _by_name(figures: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {one["name"]: one for one in figures}


def _model_of(
    workspace: Workspace, reader: BookReader, figures: FigureSet, inputs: RiskInputs | None, progress: Progress
) -> FittedRisk | NoEstimate:
    """The model that judged. Where none could be fitted then, none can be now: why is worked out again."""
    entry = figures.question["model_entry"]
    if entry is None:
        trial = OpenTrial(WholeBook(reader.version), reader, DuckDBPanel(reader))
        whole = inputs or laid_again(trial, figures, progress)
        return fit_risk(whole.history, whole.cutoff, settings_of(figures), progress)
    publication = reader.catalog.publication(entry)
    if publication.document is None:
        raise BadInput(Fault("erased", f"the model of entry {entry} was erased.", str(entry), "What it said cannot be computed again."))
    fitted = ready(workspace, publication.entry, from_document(publication.document), inputs, progress)
    if isinstance(fitted, NoEstimate):
        raise BadInput(Fault("no_model", f"the model of entry {entry} cannot be made again: {fitted.reason}.", str(entry)))
    return fitted


# As tables


def _renewals(renewals: Sequence[RenewalRisk], name: str) -> pa.Table:
    """Renewals with what is said of each: all, or those that a total of days and currency counts."""
    if name != OPEN:
        _, days, currency = name.split("/", 2)
        renewals = [one for one in renewals if one.lead_days <= int(days) and (one.currency or "no currency") == currency]
    return pa.table(
        {
            "account_id": pa.array([one.account for one in renewals], pa.string()),
            "due": pa.array([one.due for one in renewals], pa.date32()),
            "status": pa.array([one.status for one in renewals], pa.string()),
            "arr": pa.array([one.arr for one in renewals], pa.float64()),
            "currency": pa.array([one.currency for one in renewals], pa.string()),
            "churn": _points([one.churn for one in renewals]),
            "churn_low": _points([one.churn for one in renewals], "low"),
            "churn_high": _points([one.churn for one in renewals], "high"),
            "expected_lost": _points([one.expected_lost for one in renewals]),
            "why_not": pa.array([one.why or None for one in renewals], pa.string()),
        }
    )


def _points(values: Sequence[MaybeEstimate], end: str = "point") -> pa.Array:
    return pa.array([getattr(one, end) if isinstance(one, Estimate) else None for one in values], pa.float64())


def _similar(renewal: RenewalRisk) -> pa.Table:
    past = renewal.similar.renewals if isinstance(renewal.similar, SimilarAccounts) else ()
    return pa.table(
        {
            "account_id": pa.array([one.account for one in past], pa.string()),
            "due": pa.array([one.due for one in past], pa.date32()),
            "as_of": pa.array([one.as_of for one in past], pa.date32()),
            "outcome": pa.array([one.outcome for one in past], pa.string()),
        }
    )


def _contributions(inputs: RiskInputs, fitted: FittedRisk | NoEstimate, renewal: str) -> pa.Table:
    """What each feature of one renewal adds to the probability of churn, the largest first: the column adds up to the probability.

    The first row is the typical account's probability.
    """
    rows = inputs.of_today
    row = rows.take(np.array([_place(inputs, rows, renewal)]))
    if isinstance(fitted, NoEstimate):
        parts = [_Part(one.id, None, None, None) for one in rows.features]
    else:
        added, typical = fitted.model.contributions(row), fitted.typical.values
        named = zip(added.terms, added.points[0].tolist(), added.log_odds[0].tolist(), strict=True)
        found = [_Part(term, _word(typical.get(term)), points, log_odds) for term, points, log_odds in named]
        parts = [_Part(TYPICAL, None, float(added.reference[0]), None), *sorted(found, key=lambda one: -abs(one.points or 0.0))]
    known = {**{one.id: one for one in (LEAD, TERM_CLASS)}, **{one.id: one for one in rows.features}}
    told = [_told(row, part.feature) for part in parts]
    return pa.table(
        {
            "name": pa.array([known[one.feature].label if one.feature in known else one.feature for one in parts], pa.string()),
            "value": pa.array([one[0] for one in told], pa.string()),
            "typical": pa.array([one.typical for one in parts], pa.string()),
            "churn_points": pa.array([one.points for one in parts], pa.float64()),
            "churn_log_odds": pa.array([one.log_odds for one in parts], pa.float64()),
            "unit": pa.array([_unit(known.get(one.feature)) for one in parts], pa.string()),
            "missing": pa.array([one[1] for one in told], pa.string()),
            "stale_days": pa.array([one[2] for one in told], pa.int64()),
            "feature": pa.array([one.feature for one in parts], pa.string()),
        }
    )


class _Part(NamedTuple):
    """What a feature adds, beside the typical value."""

    feature: str
    typical: str | None
    points: float | None
    log_odds: float | None


def _place(inputs: RiskInputs, rows: RiskRows, renewal: str) -> int:
    """The row of the as-of day that a name is of: of several of one account and day, the so-many-th in the order of the rows."""
    named, _, number = renewal.partition("#") if renewal.rpartition("@")[2].count("#") else (renewal, "", "")
    account, _, due = named.rpartition("@")
    there = zip(rows.account.tolist(), rows.due.tolist(), strict=True)
    found = [at for at, (code, day) in enumerate(there) if inputs.accounts[code] == account and day_of(day) == date.fromisoformat(due)]
    return found[int(number or 1) - 1]


def _told(row: RiskRows, term: str) -> tuple[str | None, str | None, int]:
    """The value of a feature of the one row as text, why it has none, and how old it is where it stands for a lost one."""
    feature = next((one for one in row.features if one.id == term), None)
    if feature is None:
        term_class = int(row.term_class[0])
        own = {LEAD.id: str(int(row.lead[0])), TERM_CLASS.id: TERM_CLASSES[term_class] if term_class >= 0 else None}
        return own.get(term), None, 0
    value, reasons = float(row.columns[term][0]), row.reasons[term]
    if np.isnan(value):
        return None, reasons.names[reasons.codes[0]] if reasons.codes[0] >= 0 else None, 0
    told = np.exp(value) if feature.unit.startswith(LOGARITHM) else value
    return feature.names[int(value)] if feature.names else _word(told), None, int(row.stale_days[term][0])


def _unit(feature: Feature | None) -> str | None:
    return None if feature is None else feature.unit.removeprefix(LOGARITHM) or None


def _word(value: float | str | None) -> str | None:
    return value if value is None or isinstance(value, str) else f"{value:.6g}"


def _fitted_on(inputs: RiskInputs) -> pa.Table:
    """The account-months that a model was fitted on, with what became of each."""
    return _months(inputs, known_by(inputs.history, inputs.cutoff).rows)


def _checked(inputs: RiskInputs, figures: FigureSet, progress: Progress) -> pa.Table:
    """The later account-months that a model was judged on, with the probability of churn that it stated when fitted on earlier ones."""
    rows, cutoff, settings = inputs.history, inputs.cutoff, settings_of(figures)
    cut = find_cut(rows, cutoff)
    choice = cut if isinstance(cut, NoEstimate) else choose(rows, cut, settings.candidates, settings.seed, progress)
    if isinstance(cut, NoEstimate) or isinstance(choice, NoEstimate):
        return _months(inputs, rows.take(np.zeros(len(rows), bool)))
    later, earlier = rows.take(judged(rows, cutoff) & (rows.as_of >= cut)), known_by(rows, cut)
    scale = choice.recalibration.scale(churned_clusters(earlier))
    model = fit_candidate(choice.name, earlier, seed=settings.seed, scoring=False, scale=scale)
    stated = np.full(len(later), np.nan) if isinstance(model, NoEstimate) else model.probabilities(later)[:, CHURN]
    return _months(inputs, later).append_column("churn_stated", pa.array(stated, from_pandas=True))


def _months(inputs: RiskInputs, rows: RiskRows) -> pa.Table:
    names = pa.array([*OUTCOMES4, None], pa.string())
    return pa.table(
        {
            "account_id": pa.array(inputs.accounts, pa.string()).take(pa.array(rows.account)),
            "as_of": pa.array(rows.as_of.astype("datetime64[D]")),
            "due": pa.array(rows.due.astype("datetime64[D]")),
            "outcome": names.take(pa.array(np.where(rows.outcome < 0, len(OUTCOMES4), rows.outcome).astype(np.int64))),
            "arr": pa.array(rows.arr, from_pandas=True),
        }
    )
