"""What changed of the same renewals since the last run, and why: the book, the as-of day, or the model.

Where several of these differ, the difference of each probability is split by judging in between, in this order: by the old model as of the
old day, on the new book (data); as of the new day (time); by the new model. The parts add up to the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from unspun.app.evidence.inputs import OpenTrial
from unspun.app.publication import FigureSet, from_document
from unspun.app.risk.basis import RiskBasis, risk_basis_from_json
from unspun.app.risk.figures import PROBABILITY_DIGITS, RISK, day_of
from unspun.app.risk.inputs import RiskInputs, lay_out_risk
from unspun.app.risk.models import ready
from unspun.app.trial.subjects import definitions_of
from unspun.app.workspace import Workspace
from unspun.errors import BadInput
from unspun.ledger.chain import Entry
from unspun.progress import Progress
from unspun.risk.candidates import RiskModel
from unspun.risk.rows import CHURN, OUTCOMES4, UNDECIDED4
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Renewal = tuple[str, date]
"""Account and due date."""
Step = Literal["data", "time", "model"]
STEPS: tuple[Step, ...] = ("data", "time", "model")
Points = Mapping[Renewal, float]


@dataclass(frozen=True, slots=True)
class RenewalChange:
    """The probability of churn of one renewal then and now. `data`, `time` and `model` are the parts of the difference; None where one of
    the two is not told, or they could not be told apart."""

    account: str
    due: date
    then: MaybeEstimate
    now: MaybeEstimate
    data: float | None = None
    time: float | None = None
    model: float | None = None

    @property
    def difference(self) -> float | None:
        """Now less then."""
        return self.now.point - self.then.point if isinstance(self.now, Estimate) and isinstance(self.then, Estimate) else None


@dataclass(frozen=True, slots=True)
class DecidedSince:
    """A renewal that was open in the last run and is decided now: what was said of it, and what came (one of OUTCOMES4, "" not known)."""

    account: str
    due: date
    then: MaybeEstimate
    outcome: str


@dataclass(frozen=True, slots=True)
class RiskChanges:
    """What changed since the run of ledger entry `entry`, published `at`.

    `churn` has the probability of churn of every renewal of that run as it was said then. `renewals` are those of both runs, `decided`
    those of then that are decided now, `added` those that were not open then. `causes` say what differs as a whole; `note` says why
    differences could not be split.
    """

    entry: int
    at: datetime
    as_of: date
    version: int
    model_entry: int | None
    causes: tuple[str, ...]
    churn: Mapping[Renewal, MaybeEstimate]
    renewals: tuple[RenewalChange, ...]
    decided: tuple[DecidedSince, ...]
    added: tuple[Renewal, ...]
    note: str = ""


def changes_since(
    workspace: Workspace, trial: OpenTrial, inputs: RiskInputs, entry: Entry, now: FigureSet, progress: Progress
) -> RiskChanges | None:
    """What changed since the newest other run as of the same or an earlier day; None where there is none."""
    found = _last_other(trial, entry, now)
    if found is None:
        return None
    before, then = found
    two = _Two(workspace, trial, inputs, then, now)
    old, new = _churn(then), _churn(now)
    both = [key for key in new if key in old]
    split, note = _split(two, both, old, new, progress)
    open_now = set(new)
    outcomes = _outcomes(inputs)
    return RiskChanges(
        entry=before.seq,
        at=before.at,
        as_of=then.as_of,
        version=then.book_version,
        model_entry=then.question["model_entry"],
        causes=tuple(two.causes()),
        churn=old,
        renewals=tuple(RenewalChange(*key, old[key], new[key], **split.get(key, {})) for key in both),
        decided=tuple(DecidedSince(*key, said, outcomes.get(key, "")) for key, said in old.items() if key not in open_now),
        added=tuple(key for key in new if key not in old),
        note=note,
    )


def _last_other(trial: OpenTrial, entry: Entry, now: FigureSet) -> tuple[Entry, FigureSet] | None:
    catalog = trial.reader.catalog
    for one in reversed(catalog.entries(kind="publication")):
        body = one.body
        if body.get("what") != RISK or one.seq == entry.seq or date.fromisoformat(str(body["as_of"])) > now.as_of:
            continue
        document = catalog.publication(one.seq).document
        if document is not None:
            return one, from_document(document)
    return None


def _churn(figures: FigureSet) -> dict[Renewal, MaybeEstimate]:
    """What was said of each renewal; of several of one account on one day, of the first."""
    columns = figures.columns
    if columns is None:
        return {}
    column = columns.figures[OUTCOMES4[CHURN]]
    keys = list(zip(columns.account, columns.due, strict=True))
    return {key: column.estimate(at) for at, key in reversed(list(enumerate(keys)))}


def _outcomes(inputs: RiskInputs) -> dict[Renewal, str]:
    """What became of the renewals that are decided."""
    terms, outcome = inputs.terms, inputs.decisions.outcome
    decided = [at for at in range(len(terms.due)) if outcome[at] != UNDECIDED4]
    return {(inputs.accounts[terms.account[at]], day_of(terms.due[at])): OUTCOMES4[outcome[at]] for at in decided}


@dataclass(frozen=True, slots=True)
class _Two:
    """Two runs: then as it was published, now with its rows."""

    workspace: Workspace
    trial: OpenTrial
    inputs: RiskInputs
    then: FigureSet
    now: FigureSet

    @property
    def old(self) -> RiskBasis:
        return risk_basis_from_json(self.then.question["basis"])

    @property
    def new(self) -> RiskBasis:
        return self.inputs.basis

    def steps(self) -> Iterator[Step]:
        """What differs."""
        if self.then.book_digest != self.now.book_digest or self.then.in_place != self.now.in_place or self._outages_differ:
            yield "data"
        if self.then.as_of != self.now.as_of:
            yield "time"
        if self.then.question["model_entry"] != self.now.question["model_entry"]:
            yield "model"

    @property
    def _outages_differ(self) -> bool:
        return self.old.panel.outages != self.new.panel.outages

    def causes(self) -> Iterator[str]:
        """What differs, in words."""
        then, now = self.then, self.now
        if then.book_version != now.book_version:
            yield f"book version {now.book_version}; then {then.book_version}"
        elif "data" in self.steps():
            yield "other tracking outages are recorded" if self._outages_differ else f"other rows of book version {now.book_version}"
        if then.as_of != now.as_of:
            yield f"as of {now.as_of}; then as of {then.as_of}"
        if then.question["model_entry"] != now.question["model_entry"]:
            yield f"{_model_words(now)}; then {_model_words(then)}"

    def stepped(self, step: Step, progress: Progress) -> RiskInputs:
        """The rows of the as-of day after a step, for the old model: of the new book, as of the old day or (after time) the new one."""
        same_metrics = self.then.question["metrics_sha256"] == self.now.question["metrics_sha256"]
        day = self.now.as_of if step == "time" else self.then.as_of
        if same_metrics and day == self.now.as_of:
            return self.inputs
        panel = replace(self.old.panel, outages=self.new.panel.outages, received=self.new.panel.received)
        definition = definitions_of(self.then.definition_text, "").metrics
        return lay_out_risk(self.trial, replace(self.old, panel=panel).on(day), definition, progress, today_only=True)


def _model_words(figures: FigureSet) -> str:
    entry = figures.question["model_entry"]
    return "no model" if entry is None else f"the model of entry {entry}"


def _split(
    two: _Two, keys: Sequence[Renewal], old: Mapping[Renewal, MaybeEstimate], new: Mapping[Renewal, MaybeEstimate], progress: Progress
) -> tuple[dict[Renewal, dict[str, float]], str]:
    """The parts of each difference by step, 0 where a step changed nothing; and why there are none."""
    differ = set(two.steps())
    steps: list[Step] = [step for step in STEPS if step in differ]
    told = [key for key in keys if isinstance(old[key], Estimate) and isinstance(new[key], Estimate)]
    if not told:
        return {}, ""
    first, last = _told_points(old, told), _told_points(new, told)
    try:
        between = _between(two, steps[:-1], progress)
    except BadInput as refusal:
        return {}, f"what each changed could not be told apart: {refusal.faults[0].message}"
    if isinstance(between, NoEstimate):
        return {}, f"what each changed could not be told apart: {between.reason}"
    states = [first, *between, last]
    found: dict[Renewal, dict[str, float]] = {}
    for key in told:
        if all(key in state for state in states):
            parts = {step: states[i + 1][key] - states[i][key] for i, step in enumerate(steps)}
            found[key] = {**dict.fromkeys(STEPS, 0.0), **parts}
    return found, ""


def _told_points(said: Mapping[Renewal, MaybeEstimate], keys: Sequence[Renewal]) -> Points:
    return {key: found.point for key in keys if isinstance(found := said[key], Estimate)}


def _between(two: _Two, steps: Sequence[Step], progress: Progress) -> list[Points] | NoEstimate:
    """The probabilities of churn after each of these steps, by the old model."""
    if not steps:
        return []
    entry = two.then.question["model_entry"]
    publication = None if entry is None else two.trial.reader.catalog.publication(entry)
    if publication is None or publication.document is None:
        return NoEstimate("the model of then is not there any more")
    fitted = ready(two.workspace, publication.entry, from_document(publication.document), two.inputs, progress)
    if isinstance(fitted, NoEstimate):
        return NoEstimate(f"the model of then cannot be made again ({fitted.reason})")
    found = list[Points]()
    for step in steps:
        progress(f"judging what {'the data' if step == 'data' else 'time'} changed", len(found), len(steps))
        found.append(_points(two.stepped(step, progress), fitted.model))
    return found


def _points(inputs: RiskInputs, model: RiskModel) -> Points:
    """The probability of churn of each renewal of the as-of day, rounded as it is published."""
    rows = inputs.of_today
    risk = model.probabilities(rows)[:, CHURN].tolist()
    names = [(inputs.accounts[code], day_of(due)) for code, due in zip(rows.account.tolist(), rows.due.tolist(), strict=True)]
    return {key: round(point, PROBABILITY_DIGITS) for key, point in reversed(list(zip(names, risk, strict=True)))}
