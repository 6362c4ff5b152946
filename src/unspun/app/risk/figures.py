"""Renewals judged by a model, and the figures of that as they are published: of each renewal as columns, of all together one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from unspun._version import __version__
from unspun.app.evidence.figures import json_values
from unspun.app.figure_columns import FigureColumns, estimate_column
from unspun.app.publication import FigureSet, value_record
from unspun.app.risk.inputs import RiskInputs
from unspun.app.risk.models import ModelVersion, metrics_sha256, settings_to_json
from unspun.app.risk.published import figures_on
from unspun.audit.terms import UNKNOWN
from unspun.progress import Progress, silent
from unspun.risk.fitted import FittedRisk
from unspun.risk.judge import RenewalNames, RiskSettings, judge
from unspun.risk.result import CANNOT_TELL, CannotTell, DueTotal, RenewalStatus, RiskResult, SimilarAccounts
from unspun.risk.rows import OUTCOMES4
from unspun.stats.estimate import MaybeEstimate, NoEstimate

RISK = "risk"
LOST, SIMILAR = "expected_lost", "similar"
"""Figures of a renewal beside its probabilities: the ARR expected to be lost, and the share of similar ones that churned."""
OPEN, DUE = "renewals", "due"
PROBABILITY_DIGITS, MONEY_DIGITS = 5, 2
STATUSES: tuple[RenewalStatus, ...] = ("open", "overdue", "notice given")
CANNOT_TELL_CODES: tuple[CannotTell, ...] = ("", *CANNOT_TELL)
DAYS_A_MONTH = 365.25 / 12


def judged_renewals(inputs: RiskInputs, fitted: FittedRisk | NoEstimate, progress: Progress = silent) -> RiskResult:
    """Every renewal that is not decided on the as-of day, judged. The same rows and model give the same."""
    return judge(inputs.rows, inputs.today, fitted, names_of(inputs), __version__, progress)


def names_of(inputs: RiskInputs) -> RenewalNames:
    """What open renewals are called."""
    rows, known = inputs.of_today, inputs.known
    account, renewal = rows.account.tolist(), rows.renewal.tolist()
    return RenewalNames(
        as_of=inputs.as_of,
        accounts=inputs.accounts,
        shown=tuple(name or id for name, id in zip(known.names, inputs.accounts, strict=True)),
        segment=tuple(known.segments[code] for code in account),
        owner=tuple(known.owners[code] for code in account),
        term=tuple(_term(inputs, row) for row in renewal),
        currency=tuple(inputs.currency_of(row) for row in renewal),
    )


def _term(inputs: RiskInputs, renewal: int) -> str:
    """The length of a term in words."""
    start, due = int(inputs.terms.start[renewal]), int(inputs.terms.due[renewal])
    if start == UNKNOWN:
        return "length not known"
    months = round((due - start) / DAYS_A_MONTH)
    return f"{due - start} days" if months < 1 else "1 month" if months == 1 else f"{months} months"


# As they are published


def figure_set(
    inputs: RiskInputs, model: ModelVersion, settings: RiskSettings, result: RiskResult, book_check: Mapping[str, Any] | None = None
) -> FigureSet:
    """The figures of judged renewals, with all that is needed to judge them again."""
    features = [one.id for one in inputs.rows.features]
    asked = {"settings": settings_to_json(settings), "model_entry": model.entry, "features": features}
    question = {"basis": inputs.basis.to_json(), "metrics_sha256": metrics_sha256(inputs), **asked}
    return figures_on(
        inputs,
        kind=RISK,
        question=question,
        figures=figures_of_all(result),
        book_check=book_check,
        columns=columns_of(result, features),
    )


def figures_of_all(result: RiskResult) -> tuple[Mapping[str, Any], ...]:
    """The figures of all renewals together: how many there are, and the ARR expected to be lost of those due within so many days."""
    counts = {status: sum(one.status == status for one in result.renewals) for status in STATUSES}
    untold = sum(bool(one.cannot_tell) for one in result.renewals)
    value = {"count": len(result.renewals), **{name.replace(" ", "_"): n for name, n in counts.items()}, "cannot_tell": untold}
    found = [{"name": OPEN, "label": "renewals not decided yet", "unit": "renewals", "value": value}, *map(_due_figure, result.due)]
    return tuple(json_values(found))


def _due_figure(total: DueTotal) -> dict[str, Any]:
    currency = total.currency or "no currency"
    return {
        "name": f"{DUE}/{total.within_days}/{currency}",
        "label": f"ARR expected to be lost of {total.n:,} renewals due within {total.within_days} days",
        "unit": currency,
        "value": value_record(_rounded(total.expected_lost)),
    }


def _rounded(value: MaybeEstimate) -> MaybeEstimate:
    return estimate_column("", "", [value], MONEY_DIGITS).estimate(0)


def columns_of(result: RiskResult, features: Sequence[str]) -> FigureColumns:
    """The figures of each renewal, in the order in which they are told.

    `status` and `cannot_tell` are places in STATUSES and CANNOT_TELL_CODES; `reasons` are the named ones, each the place of its feature
    in `features` of the question with the ten thousandths that it adds to the probability.
    """
    renewals, place = result.renewals, {id: at for at, id in enumerate(features)}
    probabilities = {
        name: estimate_column(f"probability of {name}", "probability", [one.probabilities[name] for one in renewals], PROBABILITY_DIGITS)
        for name in OUTCOMES4
    }
    lost = estimate_column("ARR expected to be lost", "ARR", [one.expected_lost for one in renewals], MONEY_DIGITS)
    similar = estimate_column("share churned of similar renewals", "share", [_churned(one.similar) for one in renewals], PROBABILITY_DIGITS)
    return FigureColumns(
        account=tuple(one.account for one in renewals),
        due=tuple(one.due for one in renewals),
        figures={**probabilities, LOST: lost, SIMILAR: similar},
        beside={
            "status": tuple(STATUSES.index(one.status) for one in renewals),
            "cannot_tell": tuple(CANNOT_TELL_CODES.index(one.cannot_tell) for one in renewals),
            "reasons": tuple(" ".join(f"{place[x.feature]}{x.points * 1e4:+.0f}" for x in one.reasons) for one in renewals),
        },
    )


def _churned(similar: SimilarAccounts | NoEstimate) -> MaybeEstimate:
    return similar if isinstance(similar, NoEstimate) else similar.outcomes["churn"]


def day_of(day: int) -> date:
    """A day since 1970-01-01 as a date."""
    return np.datetime64(int(day), "D").astype(date)


def figures_by_name(figures: FigureSet) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All figures by name."""
    yield from ((one["name"], one) for one in figures.every_figure)
