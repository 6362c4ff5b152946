"""What the evidence says in words: claims that a reader can check against its tables, and no stronger than its intervals."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unspun.audit.evidence_result import SUBJECT_KINDS, EvidenceResult, RedundantGroup, ShapeBin, SubjectEvidence
from unspun.audit.result import VERDICTS, AuditResult, Needed, ScoreResult, Verdict
from unspun.health.formula import INPUT_REASONS
from unspun.health.formula import REASONS as SCORE_REASONS
from unspun.metrics.missing import REASONS as METRIC_REASONS
from unspun.reports import words
from unspun.reports.words import NBSP
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

_COUNTED: dict[Verdict, tuple[str, str]] = {
    "foretells": ("foretells {loss} and adds to the baseline", "foretell {loss} and add to the baseline"),
    "reversed": ("points the wrong way", "point the wrong way"),
    "leaks": ("leaks", "leak"),
    "cannot tell": ("cannot be judged yet", "cannot be judged yet"),
}
WHY_NO_VALUE = {**METRIC_REASONS, **SCORE_REASONS, **INPUT_REASONS}
A_SCORE = re.compile(r"\b(?<!Brier )(S|s)core(s?)\b")
HAVING = re.compile(r"\b((?:[Hh]ad|[Hh]ave|[Hh]as|[Ww]ith|[Ww]ithout) a|[Nn]o) score\b(?! at all)")  # a unit has a value of a metric
WORTH_A_WORD: tuple[Verdict, ...] = ("reversed", "leaks", "cannot tell")  # in the headline, beside what foretells
LEAST_TOLD = 0.0005  # a difference of AUC or gain under this is counted and not listed
COMPARED = {"AUC": words.Style(3, reference=0.5), "gain": words.GAIN}  # then and now, a digit more than alone
MOST_NAMED = 3  # of those that say the same
Status = Literal["changed", "same", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Row:
    """A subject with what the audit found of it. `position` counts from 0 in the result."""

    position: int
    one: SubjectEvidence
    score: ScoreResult

    @property
    def key(self) -> str:
        return self.one.subject.key

    @property
    def label(self) -> str:
        return self.one.subject.label or self.key

    @property
    def noun(self) -> str:
        return self.one.subject.kind

    @property
    def auc(self) -> MaybeEstimate:
        return self.score.primary.test.auc

    @property
    def gain(self) -> MaybeEstimate:
        return self.score.primary.test.gain

    @property
    def covered(self) -> float | None:
        """The share of the units that have a value."""
        coverage = self.one.coverage
        return coverage.with_value / coverage.n if coverage.n else None

    @property
    def shape(self) -> str:
        """The word for how churn runs along it; a threshold says which way it steps."""
        found = self.one.shape
        if isinstance(found, NoEstimate):
            return "not told"
        return found.kind if found.kind != "threshold" else f"threshold, {'rising' if found.rises else 'falling'}"

    def worded(self, text: str) -> str:
        """A sentence that the audit says of a score, said of what this is."""
        return worded(text, self.noun)


@dataclass(frozen=True, slots=True)
class Side:
    """What a run said of a subject: None where it said nothing of it."""

    verdict: str
    auc: MaybeEstimate | None
    gain: MaybeEstimate | None


@dataclass(frozen=True, slots=True)
class Change:
    """A subject then and now, and what the difference comes from, in words."""

    key: str
    status: Status
    then: Side | None
    now: Side | None
    because: tuple[str, ...]

    @property
    def new_verdict(self) -> bool:
        """Whether the verdict was another."""
        return self.then is not None and self.now is not None and self.then.verdict != self.now.verdict

    @property
    def slight(self) -> bool:
        """Whether the verdict is as it was and neither figure moved by LEAST_TOLD."""
        if self.status != "changed" or self.new_verdict or self.then is None or self.now is None:
            return False
        return not (is_moved(self.then.auc, self.now.auc) or is_moved(self.then.gain, self.now.gain))


def is_moved(then: MaybeEstimate | None, now: MaybeEstimate | None) -> bool:
    """Whether a figure or an end of its interval moved by LEAST_TOLD, or only one of the two runs has it."""
    if not isinstance(then, Estimate) or not isinstance(now, Estimate):
        return isinstance(then, Estimate) is not isinstance(now, Estimate)
    return any(abs(one - other) >= LEAST_TOLD for one, other in ((then.point, now.point), (then.low, now.low), (then.high, now.high)))


@dataclass(frozen=True, slots=True)
class Since:
    """All that changed since an earlier run: its entry in the ledger, and what differs between the two as a whole."""

    entry: int
    told: str
    changes: tuple[Change, ...]

    @property
    def shown(self) -> list[Change]:
        """Those with something to tell: verdicts first."""
        order = {"changed": 0, "added": 1, "removed": 2}
        told = [one for one in self.changes if one.status != "same" and not one.slight]
        return sorted(told, key=lambda one: (not one.new_verdict, order[one.status], one.key))

    @property
    def slight(self) -> int:
        """How many differ by less than LEAST_TOLD."""
        return sum(one.slight for one in self.changes)


def worded(text: str, noun: str) -> str:
    """A text that speaks of a score, said of another kind of subject: `The metric`, `no survey at all`. The Brier score keeps its name."""
    if noun == "score":
        return text
    text = HAVING.sub(r"\1 value", text)
    return A_SCORE.sub(lambda found: f"{noun.capitalize() if found[1] == 'S' else noun}{found[2]}", text)


def rows_of(result: EvidenceResult) -> list[Row]:
    """Every subject in the result's order."""
    return [Row(i, one, score) for i, (one, score) in enumerate(zip(result.subjects, result.audit.scores, strict=True))]


def ranked_rows(result: EvidenceResult) -> list[Row]:
    """By verdict in the order of VERDICTS, then gain, then AUC; what has none stands last."""

    def key(row: Row) -> tuple[int, float, float, int]:
        gain, auc = (-value.point if isinstance(value, Estimate) else float("inf") for value in (row.gain, row.auc))
        return VERDICTS.index(row.score.verdict), gain, auc, row.position

    return sorted(rows_of(result), key=key)


def address(entry: int, key: str, figure: str) -> str:
    """Where a figure is found: the ledger's entry, the subject, the figure."""
    return f"{entry}/{key}/{figure}"


def what_was_tried(rows: Sequence[Row]) -> str:
    """`14 metrics, 2 scores and 1 survey`."""
    counts = Counter(row.noun for row in rows)
    return words.listed([counted(counts[noun], noun) for noun in SUBJECT_KINDS if counts[noun]])


def counted(n: int, one: str, many: str = "") -> str:
    return f"{words.count(n)}{NBSP}{one if n == 1 else many or one + 's'}"


def headline(result: EvidenceResult) -> str:
    """Of 17 metrics and scores, three foretell churn and add to the baseline; one leaks, and 13 cannot be judged yet."""
    rows = rows_of(result)
    if len(rows) == 1:
        return rows[0].worded(rows[0].score.sentence).rstrip(".")
    loss, found = result.audit.design.vocabulary.loss, Counter(row.score.verdict for row in rows)
    whole = what_was_tried(rows) if len({row.noun for row in rows}) == 1 else f"{words.count(len(rows))} metrics and scores"
    if found["cannot tell"] == len(rows):
        return f"None of {whole} can be judged yet"
    first = found["foretells"]
    told = f"Of {whole}, {words.in_words(first) if first else 'none'} {_COUNTED['foretells'][first > 1].format(loss=loss)}"
    rest = [f"{words.in_words(found[verdict])} {_COUNTED[verdict][found[verdict] > 1]}" for verdict in WORTH_A_WORD if found[verdict]]
    return f"{told}; {words.listed(rest)}" if rest else told


def tally(rows: Sequence[Row]) -> list[tuple[Verdict, int]]:
    """How many have each verdict, in the order of VERDICTS."""
    counts = Counter(row.score.verdict for row in rows)
    return [(verdict, counts[verdict]) for verdict in VERDICTS if counts[verdict]]


def judged_on(audit: AuditResult) -> str:
    """On how many units, from when, the verdicts rest."""
    primary, units = audit.scores[0].primary, words.units_of(audit.design)
    if isinstance(primary.split, NoEstimate) or not primary.test.n:
        reason = primary.split.reason if isinstance(primary.split, NoEstimate) else "no unit is left to test on"
        return f"No test on later {units.many} could be held: {reason}."
    churned = words.count(primary.test.n_churned)
    return (
        f"Judged {primary.horizon_days} days {units.lead} on {units.count(primary.test.n)} looked at from "
        f"{words.day(primary.split.first_test_as_of)} on, of which {churned} {audit.design.vocabulary.lost}; "
        f"trained on {units.count(primary.split.n_train)} before."
    )


def families(result: EvidenceResult) -> str:
    """How many were tested together."""
    audit = result.audit
    shared = "1 was" if audit.n_tested == 1 else f"{words.count(audit.n_tested)} were"
    return (
        f"{shared} tested together at a false discovery rate of {words.percent(audit.fdr_q, 1)}: “foretells” also has to stand among them."
    )


def agreement_claim(result: EvidenceResult) -> str:
    """How many say what another one says already."""
    if isinstance(result.redundancy, NoEstimate):
        return "Which of them say the same thing cannot be told"
    groups = result.redundancy.groups
    spare = sum(len(group.keys) - 1 for group in groups)
    if not groups:
        return "No two of them order customers nearly alike"
    in_groups = sum(len(group.keys) for group in groups)
    spared = f"{words.count(in_groups)} %s: {words.count(spare)} of these could go unread"
    if len(groups) == 1:
        return f"One group of {spared % 'says the same thing'}"
    return f"{words.in_words(len(groups)).capitalize()} groups of {spared % 'say the same things'}"


def group_says(group: RedundantGroup, label: str) -> str:
    """What a group is, and which of it may stand for all."""
    others = len(group.keys) - 1
    rest = "the other" if others == 1 else f"the other {words.count(others)}"
    lowest = words.number(group.lowest_rho, 2)
    return f"{label} can stand for {rest}: {group.why.rstrip('.')}. Lowest rank correlation inside: {lowest}."


def coverage_claim(row: Row, audit: AuditResult) -> str:
    """Whether a value is there, and whether it lacks more where accounts were lost. Counts, which have no interval."""
    coverage, v = row.one.coverage, audit.design.vocabulary
    if not coverage.n:
        return "No unit could be looked at"
    if coverage.with_value == coverage.n:
        return "It has a value every time it is asked"
    share = words.percent(coverage.with_value / coverage.n, 0 if 0.1 < coverage.with_value / coverage.n < 0.9 else 1)
    if not coverage.with_value:
        return "It never had a value"
    without = coverage.n - coverage.with_value
    lost_with = words.percent(coverage.churned_with_value / coverage.with_value, 1)
    lost_without = words.percent(coverage.churned_without_value / without, 1)
    return f"It has a value for {share}; of these {lost_with} {v.lost}, of those without one {lost_without}"


def why_no_value(reason: str) -> str:
    """A code of metrics or health scores in words; other reasons are words already."""
    return WHY_NO_VALUE.get(reason, reason)


def changed_claim(since: Since) -> str:
    """How many verdicts are others than in the earlier run."""
    verdicts = sum(one.new_verdict for one in since.changes)
    moved = sum(one.status == "changed" and not one.slight for one in since.changes) - verdicts
    came = Counter(one.status for one in since.changes)
    parts = [f"{counted(verdicts, 'verdict is', 'verdicts are')} another" if verdicts else "no verdict is another"]
    parts += [f"{counted(moved, 'has', 'have')} the same verdict on other figures"] if moved else []
    parts += [f"{counted(since.slight, 'differs', 'differ')} by less than {LEAST_TOLD}"] if since.slight else []
    parts += [f"{counted(came['added'], 'is', 'are')} new"] if came["added"] else []
    parts += [f"{counted(came['removed'], 'is', 'are')} gone"] if came["removed"] else []
    said = words.listed(parts)
    return f"{said[:1].upper()}{said[1:]}, since entry {since.entry}"


def needed_rows(rows: Sequence[Row]) -> list[tuple[Row, Needed]]:
    """Those that cannot be told apart yet and what each would take, the nearest to an answer first."""
    found = [(row, row.score.needed) for row in rows if row.score.needed is not None]
    return sorted(found, key=lambda one: (one[1].more_churned, one[0].position))


def needed_claim(rows: Sequence[Row], audit: AuditResult) -> str:
    """What the first and the last of them would take."""
    found, v = [needed.more_churned for _, needed in needed_rows(rows)], audit.design.vocabulary
    low, high = found[0], found[-1]
    more = f"{v.events} that {v.lost}"
    if low == high:
        return f"{'It would' if len(found) == 1 else 'Each would'} take about {words.count(low)} more {more} to tell"
    return f"For {words.count(len(found))} it would take more {more}: from about {words.count(low)} to {words.count(high)}"


def same_claim(row: Row, nearest: Sequence[tuple[Row, float]]) -> str:
    """Whether another one says the same; the likest first in `nearest`."""
    if not nearest:
        return "With no other could it be compared"
    mates = [other.label for other, _ in nearest if row.one.group is not None and other.one.group == row.one.group]
    if not mates:
        return f"No other says the same; {words.shorten(nearest[0][0].label, 40)} comes nearest"
    named = [words.shorten(name, 40) for name in mates[:MOST_NAMED]]
    more = len(mates) - len(named)
    return f"It says the same as {words.listed([*named, f'{words.count(more)} more'] if more else named)}"


def values_of(one: ShapeBin) -> str:
    """The values of a group: from the lowest to the highest."""
    low, high = (words.number(value, 0 if float(value).is_integer() else 4) for value in (one.low, one.high))
    return low if low == high else f"{low} to {high}"
