"""`unspun scores fit` and `what-if` on a terminal and as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from rich.text import Text

from unspun.app.evidence.inputs import TrialInputs
from unspun.app.evidence.track_records import TrackRecord
from unspun.app.health.fit import Beside, FitRun
from unspun.app.tries import TestPeriod, Try
from unspun.app.what_if import WhatIfRun
from unspun.cli.layout import CAUTION, QUIET, Column, heading, paragraph, table
from unspun.cli.number_text import auc, counted, full_reason, gain
from unspun.health.definition import HealthScore, Input, Linear, Values, number_text
from unspun.health.write_yaml import decimal_text
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

ON_THE_TEST = "Trying many scores on the same renewals and keeping the best of them is fitting on the test"
COMPARED = [Column("Score"), Column("Verdict", flexible=True), Column("AUC"), Column("Gain over the baseline")]


def refusal_lines(claim: str, reason: NoEstimate, width: int) -> Iterator[Text]:
    """Why there is nothing to show."""
    yield from heading(f"{claim}: {reason.reason}", width)
    yield from paragraph(full_reason(NoEstimate("", reason.what_it_would_take)), width)


def fit_lines(run: FitRun, written_as: str | None, width: int) -> Iterator[Text]:
    """All that a person reads of a fit."""
    inputs = counted(len(run.score.inputs), "metric")
    yield from heading(f"{inputs} in whole points; on later renewals: AUC {auc(run.record.result.test.auc)}", width)
    yield from points_lines(run.score, run.labels, width)
    yield from paragraph(_basis(run), width)
    yield from heading("On the test units, which no point was fitted on", width)
    rows = [_row(run.score, run.record), *(_row(one.score, one.record) for one in run.beside)]
    yield from table(COMPARED, rows, width)
    for one in run.beside:
        yield from paragraph(_apart(f"AUC of the fitted score less that of {one.score.id}", one.difference, one.n, one.n_churned), width)
    if not run.beside:
        yield from paragraph("scores.yml declares no score to set beside it.", width, QUIET)
    yield from _left_out(run.left_out, width)
    yield from _tries(run.counted, run.period, width)
    yield Text()
    yield from paragraph(_what_next(written_as), width, QUIET)


def what_if_lines(run: WhatIfRun, width: int) -> Iterator[Text]:
    """All that a person reads of a what-if."""
    yield from heading(f"{run.declared.id}, if: {'; '.join(run.changes)}", width)
    rows = [[text, *_row(score, record)[1:]] for text, score, record in (("now", run.declared, run.before), ("if", run.tried, run.after))]
    yield from table(
        [Column("Score"), *COMPARED[1:], Column("Scored", right=True)],
        [[*row, n] for row, n in zip(rows, _scored(run), strict=True)],
        width,
    )
    yield from paragraph(_apart("AUC if changed less AUC now", run.difference, run.n, run.n_churned), width)
    yield from paragraph(_told(run.difference), width)
    yield from paragraph(_judged_on(run.inputs, run.period), width, QUIET)
    yield from _tries(run.counted, run.period, width)
    yield Text()
    yield from paragraph("scores.yml is as it was; --yaml prints the changed score.", width, QUIET)


def _scored(run: WhatIfRun) -> list[str]:
    return [f"{one.result.test.n_scored:,} of {one.result.test.n:,}" for one in (run.before, run.after)]


def points_lines(score: HealthScore, labels: Mapping[str, str], width: int) -> Iterator[Text]:
    """The inputs of a score without groups: what each weighs, and its points."""
    total = decimal_text(sum((one.weight for one in score.inputs), Decimal(0)))
    for one in score.inputs:
        told = f"{labels.get(one.metric, one.metric)}, {decimal_text(one.weight)} of {total}: {points_text(one)}"
        yield from paragraph(told, width, first="· ")
    if score.bands:
        told = ", ".join(f"{band.name} from {decimal_text(band.least)}" for band in score.bands)
        yield from paragraph(f"Bands: {told}.", width)


def points_text(one: Input) -> str:
    """`under 2: 0, from 2: 40, from 5: 100`."""
    if isinstance(one.scale, Values):
        return ", ".join(f"{text}: {decimal_text(points)}" for text, points in one.scale.points)
    if isinstance(one.scale, Linear):
        return ", ".join(f"at {number_text(value)}: {decimal_text(points)}" for value, points in one.scale.knots)
    (_, first), *others = one.scale.knots
    below = f"under {number_text(others[0][0])}: {decimal_text(first)}"
    return ", ".join([below, *(f"from {number_text(value)}: {decimal_text(points)}" for value, points in others)])


def _row(score: HealthScore, record: TrackRecord) -> list[str]:
    return [score.id, record.verdict, auc(record.result.test.auc), gain(record.result.test.gain)]


def _basis(run: FitRun) -> str:
    fitted = f"{run.fitted.n:,} units whose outcomes were known before {run.period.first}, of which {run.fitted.n_churned:,} churned"
    size = "the fewest that rank nearly as well as the best number, tried on later training units"
    chosen = (
        f"How many metrics: {size}."
        if run.fitted.tried
        else "How many metrics: those that are significant, as training is too short to try."
    )
    return f"Fitted on {fitted}. {chosen} {_judged_on(run.inputs, run.period)} A metric without a value has neither points nor weight."


def _judged_on(inputs: TrialInputs, period: TestPeriod) -> str:
    return f"Units are looked at {inputs.horizon_days} days ahead; test units from {period.first} to {period.last}."


def _apart(what: str, difference: MaybeEstimate, n: int, n_churned: int) -> str:
    told = gain(difference) if isinstance(difference, Estimate) else full_reason(difference)
    return f"{what}: {told}, on {n:,} test units that have both ({n_churned:,} churned)."


def _told(difference: MaybeEstimate) -> str:
    """What the corrected interval says."""
    if isinstance(difference, NoEstimate):
        return "Whether it ranks better cannot be told."
    if difference.low > 0:
        return "It ranks better by more than the tries counted so far explain. Later renewals will tell whether it lasts."
    if difference.high < 0:
        return "It ranks worse."
    return "The interval holds 0: that it ranks otherwise at all is not shown."


def _left_out(left_out: tuple[tuple[str, str], ...], width: int) -> Iterator[Text]:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for metric, reason in left_out:
        by_reason[reason].append(metric)
    if by_reason:
        yield from heading("Metrics left out", width)
        for reason, metrics in sorted(by_reason.items(), key=lambda item: -len(item[1])):
            yield from paragraph(f"{reason}: {', '.join(metrics)}", width, first="· ")


def _tries(counted_try: Try, period: TestPeriod, width: int) -> Iterator[Text]:
    """How many tries there were, what was done about it, and the warning."""
    number = counted_try.number
    again = " (tried before, and counted once)" if counted_try.again else ""
    told = f"This is try {number} on the test from {period.first} to {period.last}{again}: ledger entry {counted_try.entry.seq}."
    together = "so wide that all tries together, however many there will be, leave out the truth in under 5 % of cases"
    corrected = f"Its interval is as wide as one of {counted_try.one_of} that are compared at once: {together}."
    yield from heading(f"Try {number} on these renewals", width)
    yield from paragraph(f"{told} {corrected}", width)
    alone = "The verdicts and AUCs above are each as of a score tried alone; only renewals still to come are a fair test."
    warning = f"{ON_THE_TEST}. {alone}"
    yield from paragraph(warning, width, CAUTION if number > 1 else "", first="! " if number > 1 else "")


def _what_next(written_as: str | None) -> str:
    if written_as is not None:
        return (
            f"Added to scores.yml as {written_as}; no other score was changed. Then: unspun scores explain {written_as}, unspun evidence."
        )
    return "Nothing was written. --write ID adds it to scores.yml beside the declared ones; --yaml prints it."


# As JSON


def refusal_record(reason: NoEstimate) -> dict[str, Any]:
    """Why there is nothing, as JSON."""
    return {"reason": reason.reason, "what_it_would_take": reason.what_it_would_take}


def fit_record(run: FitRun) -> dict[str, Any]:
    """A fit as JSON."""
    return {
        "yaml": run.yaml,
        "n_train": run.fitted.n,
        "n_train_churned": run.fitted.n_churned,
        "tried_sizes": [asdict(one) for one in run.fitted.tried],
        "left_out": [{"metric": metric, "reason": reason} for metric, reason in run.left_out],
        "track_record": _record(run.record),
        "beside": [_beside(one) for one in run.beside],
        **_trial(run.inputs, run.period, run.counted),
    }


def what_if_record(run: WhatIfRun) -> dict[str, Any]:
    """A what-if as JSON."""
    return {
        "score": run.declared.id,
        "changes": list(run.changes),
        "yaml": run.yaml,
        "now": _record(run.before),
        "if": _record(run.after),
        "n_both": run.n,
        "n_both_churned": run.n_churned,
        "difference": _estimate(run.difference),
        **_trial(run.inputs, run.period, run.counted),
    }


def _trial(inputs: TrialInputs, period: TestPeriod, counted_try: Try) -> dict[str, Any]:
    return {
        "horizon_days": inputs.horizon_days,
        "test": {"first": period.first, "last": period.last},
        "book_version": inputs.book_version,
        "try": {"number": counted_try.number, "one_of": counted_try.one_of, "entry": counted_try.entry.seq, "again": counted_try.again},
        "warning": f"{ON_THE_TEST}.",
    }


def _beside(one: Beside) -> dict[str, Any]:
    both = {"n_both": one.n, "n_both_churned": one.n_churned, "difference": _estimate(one.difference)}
    return {"score": one.score.id, **both, "track_record": _record(one.record)}


def _record(record: TrackRecord) -> dict[str, Any]:
    test = record.result.test
    counts = {"n_test": test.n, "n_scored": test.n_scored, "n_scored_churned": test.n_scored_churned}
    return {"verdict": record.verdict, "why": record.why, **counts, "auc": _estimate(test.auc), "gain": _estimate(test.gain)}


def _estimate(value: MaybeEstimate) -> dict[str, Any]:
    return asdict(value)
