"""What changed since the last trial, and why: the book, the as-of date, the definitions, or how it was asked.

Where several of these differ, the difference of each figure is split by judging in between, in this order: the old question of the new
book (data), then as of the new date (time), then by the new definitions and settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from unspun.app.evidence.figures import AUC, GAIN, KIND, VERDICT, judge_trial
from unspun.app.evidence.inputs import OpenTrial, TrialBasis, trial_basis_from_json
from unspun.app.publication import FigureSet, from_document
from unspun.app.trial.subjects import definitions_of
from unspun.audit.protocol import AuditSettings
from unspun.errors import BadInput
from unspun.ledger.chain import Entry
from unspun.progress import Progress
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

CauseKind = Literal["data", "time", "definition", "request", "software", "others"]
Status = Literal["changed", "same", "added", "removed"]
Step = Literal["data", "time", "rest"]
STEPS: tuple[Step, ...] = ("data", "time", "rest")
REST: tuple[CauseKind, ...] = ("definition", "request", "software")
"""What the last step takes in."""
STILL = 1e-12
"""A difference up to this is of the last digits of sums."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that differs. `auc` and `gain` are its parts of the differences of these figures; None where they could not be told apart,
    or one of the figures has no estimate."""

    kind: CauseKind
    text: str
    auc: float | None = None
    gain: float | None = None


@dataclass(frozen=True, slots=True)
class SubjectChange:
    """A subject then and now. Of one that was added there is no then, of one that was removed no now."""

    key: str
    label: str
    status: Status
    verdict_then: str | None
    verdict_now: str | None
    auc_then: MaybeEstimate | None
    auc_now: MaybeEstimate | None
    gain_then: MaybeEstimate | None
    gain_now: MaybeEstimate | None
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the trial of ledger entry `entry`, published `at`. `causes` are those that all subjects share; `note` says why
    differences could not be split."""

    entry: int
    at: datetime
    as_of_then: date
    as_of_now: date
    version_then: int
    version_now: int
    causes: tuple[Cause, ...]
    subjects: tuple[SubjectChange, ...]
    note: str = ""

    @property
    def changed(self) -> tuple[SubjectChange, ...]:
        """The subjects that are not what they were."""
        return tuple(one for one in self.subjects if one.status != "same")


def changes_since(trial: OpenTrial, entry: Entry, now: FigureSet, progress: Progress) -> Changes | None:
    """What changed since the newest other trial that had a subject in common; None where there is none."""
    found = _last_other(trial, entry, now)
    if found is None:
        return None
    before, then = found
    two = _Two(then, now, trial_basis_from_json(then.question), trial_basis_from_json(now.question))
    told = [one for key in dict.fromkeys([*keys_of(now), *keys_of(then)]) if (one := _told(key, then, now)) is not None]
    because = {one.key: two.causes(one) for one in told if one.status == "changed"}
    split, note = _split(trial, two, because, progress)
    subjects = tuple(replace(one, causes=split[one.key]) if one.key in split else one for one in told)
    versions = then.book_version, now.book_version
    return Changes(before.seq, before.at, then.as_of, now.as_of, *versions, (*two.shared(), *two.others()), subjects, note)


def keys_of(figures: FigureSet) -> tuple[str, ...]:
    """The subjects of a published trial."""
    return tuple(figures.question["subjects"])


def _last_other(trial: OpenTrial, entry: Entry, now: FigureSet) -> tuple[Entry, FigureSet] | None:
    catalog, keys = trial.reader.catalog, set(keys_of(now))
    for one in reversed(catalog.entries(kind="publication")):
        if one.body.get("what") != KIND or one.seq == entry.seq:
            continue
        document = catalog.publication(one.seq).document
        figures = None if document is None else from_document(document)
        if figures is not None and keys & set(keys_of(figures)):
            return one, figures
    return None


# What differs


@dataclass(frozen=True, slots=True)
class _Two:
    """Two published trials and what each was asked."""

    then: FigureSet
    now: FigureSet
    old: TrialBasis
    new: TrialBasis

    def causes(self, change: SubjectChange) -> tuple[Cause, ...]:
        """What of all that differs can have changed a subject.

        Where its AUC and gain are what they were, only the others that share the false discovery rate can have: if any differ.
        """
        others = tuple(self.others())
        if others and change.auc_then == change.auc_now and change.gain_then == change.gain_now:
            return others
        return (*self.shared(), *self.definition(change.key))

    def shared(self) -> Iterator[Cause]:
        """What differs for every subject."""
        then, now, old, new = self.then, self.now, self.old.panel, self.new.panel
        if then.book_digest != now.book_digest or then.in_place != now.in_place:
            yield Cause("data", _data_text(then, now))
        elif old.outages != new.outages:
            yield Cause("data", "other tracking outages are recorded: their days count as missing")
        if old.known_on != new.known_on:
            yield Cause("time", f"as of {new.known_on}; then as of {old.known_on}")
        if _rules(self.old) != _rules(self.new):
            yield Cause("definition", "the rules of retention.yml, the time zone or the fiscal year are others")
        if names := _asked_otherwise(self.old, self.new):
            yield Cause("request", f"other settings: {', '.join(names)}")
        if then.package_version != now.package_version:
            yield Cause("software", f"Unspun {now.package_version}; then {then.package_version}")

    def definition(self, key: str) -> Iterator[Cause]:
        """Whether the definition of a subject was edited."""
        if _sha256(self.then, key) != _sha256(self.now, key):
            yield Cause("definition", "its definition, or one that it refers to, was edited")

    def others(self) -> Iterator[Cause]:
        """Whether others share the false discovery rate."""
        before, after = keys_of(self.then), keys_of(self.now)
        if set(before) != set(after):
            yield Cause("others", f"{len(after):,} subjects share the false discovery rate; then {len(before):,}")


def _data_text(then: FigureSet, now: FigureSet) -> str:
    if then.book_version != now.book_version:
        return f"book version {now.book_version}; then {then.book_version}"
    return f"other rows of book version {now.book_version}"


def _rules(basis: TrialBasis) -> tuple[object, ...]:
    panel = basis.panel
    return panel.rules, panel.time_zone, panel.fiscal_year_starts


def _asked_otherwise(old: TrialBasis, new: TrialBasis) -> list[str]:
    """The settings that differ, but for the as-of date."""
    names = [one.name for one in fields(AuditSettings) if one.name not in ("as_of", "detail", "replicates")]
    return [name.replace("_", " ") for name in names if getattr(old.settings, name) != getattr(new.settings, name)]


# Then and now


def _told(key: str, then: FigureSet, now: FigureSet) -> SubjectChange | None:
    """A subject then and now; None where it is in one of them only as the other was not asked for everything."""
    old, new = (_of_subject(one, key) for one in (then, now))
    if old is None or new is None:
        asked_all = not (now if new is None else then).question["wanted"]
        if not asked_all:
            return None
    found = (_Figures() if old is None else _figures(old), _Figures() if new is None else _figures(new))
    status: Status = "added" if old is None else "removed" if new is None else "same" if found[0] == found[1] else "changed"
    label = str((new or old or {})[VERDICT]["label"]).rpartition(":")[0]
    (verdict_then, auc_then, gain_then), (verdict_now, auc_now, gain_now) = found
    return SubjectChange(key, label, status, verdict_then, verdict_now, auc_then, auc_now, gain_then, gain_now)


class _Figures(NamedTuple):
    """What may change of a subject."""

    verdict: str | None = None
    auc: MaybeEstimate | None = None
    gain: MaybeEstimate | None = None


def _figures(held: Mapping[str, Mapping[str, Any]]) -> _Figures:
    auc, gain = (estimate_of(held[name]["value"]) for name in (AUC, GAIN))
    return _Figures(str(held[VERDICT]["value"]["verdict"]), auc, gain)


def _of_subject(figures: FigureSet, key: str) -> Mapping[str, Mapping[str, Any]] | None:
    """The figures of a subject by what they are; None where it was not on trial."""
    names = {f"{key}/{name}": name for name in (VERDICT, AUC, GAIN)}
    found = {names[one["name"]]: one for one in figures.figures if one["name"] in names}
    return found or None


def _sha256(figures: FigureSet, key: str) -> str:
    found = _of_subject(figures, key)
    return "" if found is None else str(found[VERDICT]["value"]["definition_sha256"])


def estimate_of(record: Mapping[str, Any]) -> MaybeEstimate:
    """The estimate that `value_record` wrote."""
    if "reason" in record:
        return NoEstimate(record["reason"], record["what_it_would_take"])
    names = ("point", "low", "high", "method", "n", "level")
    return Estimate(**{name: record[name] for name in names}, caveats=tuple(record["caveats"]))


# Judged in between

Parts = tuple[float | None, float | None]
"""Of AUC and gain."""
Points = Mapping[str, Parts]
"""AUC and gain by key."""
Split = dict[str, tuple[Cause, ...]]


def _split(trial: OpenTrial, two: _Two, because: Mapping[str, tuple[Cause, ...]], progress: Progress) -> tuple[Split, str]:
    """The causes of each subject, each with its part of the differences; where these cannot be told apart, without, and why."""
    bare = {key: _joined(causes) for key, causes in because.items()}
    moved: set[Step] = {_step(one) for causes in bare.values() for one in causes if one.kind != "others"}
    steps: list[Step] = [one for one in STEPS if one in moved]
    try:
        between = _between(trial, two, tuple(because), steps[:-1], progress)
    except BadInput as refusal:
        return bare, f"what each changed could not be told apart: {refusal.faults[0].message}"
    states = [_published_points(two.then, because), *between, _published_points(two.now, because)]
    parts: dict[str, dict[Step, Parts]] = {
        key: {step: _difference(states[i], states[i + 1], key) for i, step in enumerate(steps)} for key in because
    }
    return {key: _that_moved_it(tuple(_with_part(one, parts[key]) for one in causes)) for key, causes in bare.items()}, ""


def _step(cause: Cause) -> Step:
    return "data" if cause.kind == "data" else "time" if cause.kind == "time" else "rest"


def _joined(causes: Sequence[Cause]) -> tuple[Cause, ...]:
    """What is not split, as one cause: definition, settings and software that changed together."""
    rest = [one for one in causes if one.kind in REST]
    if len(rest) < 2:
        return tuple(causes)
    return (*(one for one in causes if one.kind not in REST), Cause(rest[0].kind, "; ".join(one.text for one in rest)))


def _that_moved_it(causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """Without those that left both figures as they were, if any moved them."""
    moved = [one for one in causes if any(part is not None and abs(part) > STILL for part in (one.auc, one.gain))]
    return tuple(moved or causes)


def _with_part(cause: Cause, parts: Mapping[Step, Parts]) -> Cause:
    auc, gain = (None, None) if cause.kind == "others" else parts[_step(cause)]
    return replace(cause, auc=auc, gain=gain)


def _between(trial: OpenTrial, two: _Two, keys: Sequence[str], steps: Sequence[Step], progress: Progress) -> list[Points]:
    """The figures after each of these steps."""
    found = list[Points]()
    definitions = definitions_of(two.then.definition_text, two.then.question["scores_yml"]) if steps else None
    for step in steps:
        if definitions is not None:
            progress(f"judging what {'the data' if step == 'data' else 'time'} changed", len(found), len(steps))
            result = judge_trial(trial, _stepped(two, keys, step), definitions).result
            found.append({one.name: (_point(one.primary.test.auc), _point(one.primary.test.gain)) for one in result.audit.scores})
    return found


def _stepped(two: _Two, keys: Sequence[str], step: Step) -> TrialBasis:
    """The old question of the new book; after the step of time, as of the new date."""
    old, new = two.old, two.new
    panel = replace(old.panel, outages=new.panel.outages, received=new.panel.received)
    settings = replace(old.settings, replicates=0, detail="none")
    if step == "time":
        panel = replace(panel, dates=new.panel.dates, known_on=new.panel.known_on, first=new.panel.first, last=new.panel.last)
        settings = replace(settings, as_of=new.settings.as_of)
    return TrialBasis(panel, tuple(key for key in old.subjects if key in keys), settings, old.wanted)


def _published_points(figures: FigureSet, keys: Iterable[str]) -> Points:
    found = {key: _of_subject(figures, key) for key in keys}
    told = {key: [estimate_of(one[name]["value"]) for name in (AUC, GAIN)] for key, one in found.items() if one is not None}
    return {key: (_point(auc), _point(gain)) for key, (auc, gain) in told.items()}


def _point(estimate: MaybeEstimate) -> float | None:
    return estimate.point if isinstance(estimate, Estimate) else None


def _difference(before: Points, after: Points, key: str) -> Parts:
    if key not in before or key not in after:
        return None, None
    pairs = zip(before[key], after[key], strict=True)
    auc, gain = (None if one is None or other is None else other - one for one, other in pairs)
    return auc, gain
