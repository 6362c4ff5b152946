"""What the audit took from its inputs: until when outcomes are known, which rows it set aside, and what readers must know."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from unspun.audit.frame import Frame, ScoreIndex
from unspun.audit.known import to_days
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import Caution, Design, DesignReport, InputReport, SetAside
from unspun.audit.terms import UNKNOWN, Terms
from unspun.audit.wording import percent
from unspun.book.tables import OUTCOMES, UNDECIDED, Rejection, Renewals, ScoreHistory, Source
from unspun.errors import BadInput, Fault

Ints = NDArray[np.int64]
EPOCH = date(1970, 1, 1)
NO_OUTCOME_SHARE = 0.05  # of the renewals due, above which the missing outcomes are cautioned of
LATE_RECORDING_DAYS, LATE_RECORDING_SHARE = 7, 0.10


def observe_until(scores: ScoreHistory, renewals: Renewals, settings: AuditSettings, today: date | None) -> tuple[int, str]:
    """The as-of date of the audit as a day number, and where it came from.

    Declared, else the last day on which either file knows anything: a score's date or recording, an outcome known, or
    the due date of a decided renewal that does not say when it was known. Days after `today` do not count.
    """
    if settings.as_of is not None:
        return (settings.as_of - EPOCH).days, "declared"
    decided = renewals.outcome != UNDECIDED
    due = to_days(renewals.due)
    known = due if renewals.outcome_known is None else np.where(np.isnat(renewals.outcome_known), due, to_days(renewals.outcome_known))
    seen = np.concatenate([_given(scores.dated), _given(scores.recorded), known[decided]])
    past = seen if today is None else seen[seen <= (today - EPOCH).days]
    why = "the last day on which either file knows anything"
    return int(past.max(initial=0)), why if len(past) == len(seen) else f"{why}, days to come left aside"


def set_aside_scores(scores: ScoreHistory, index: ScoreIndex) -> Source:
    """The scores' source with the rows no unit can ever use: accounts without a renewal, and dates after the as-of date."""
    stranger = index.account < 0
    late = ~stranger & index.after_as_of
    return _with(
        scores.source,
        Rejection("account_without_renewal", "account has no renewal in use", scores.row[stranger]),
        Rejection("after_as_of", "dated after the as-of date", scores.row[late]),
    )


def set_aside_renewals(renewals: Renewals, terms: Terms) -> Source:
    """The renewals' source with the rows that have no outcome yet: censored, not retained."""
    row = renewals.row[terms.order]
    future = terms.due > terms.as_of
    open_ = ~future & (terms.outcome == UNDECIDED)
    return _with(
        renewals.source,
        Rejection("not_yet_due", "due after the as-of date (censored)", row[future]),
        Rejection("no_outcome", "due by the as-of date, but no outcome known by then", row[open_]),
    )


def refuse_if_empty(terms: Terms, index: ScoreIndex) -> None:
    """Raise BadInput where nothing is left to judge, with every reason."""
    faults = []
    if not terms.decided.any():
        faults.append(
            Fault(
                "no_decided_renewals",
                "no renewal was due and decided by the as-of date",
                "renewals",
                "Check the outcome column and --as-of.",
            )
        )
    if not (index.account >= 0).any():
        example = ", ".join(repr(name) for name in index.history.account.names[:2])
        theirs = ", ".join(repr(name) for name in terms.account_names[:2])
        faults.append(
            Fault(
                "no_shared_accounts",
                f"no account of the scores has a renewal (scores have {example}; renewals have {theirs})",
                "scores",
                'Name the columns that hold the same ids: --map scores.account="..." --map renewals.account="...".',
            )
        )
    if faults:
        raise BadInput(faults)


def report_input(source: Source) -> InputReport:
    """Rows read, used and set aside by reason, which add up."""
    reasons: Counter[str] = Counter()
    for rejection in source.rejections:
        reasons[rejection.reason] += len(rejection.rows)
    set_aside = tuple(SetAside(reason, n) for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0])) if n)
    return InputReport(
        role=source.role,
        name=source.name.replace("\\", "/").rsplit("/", 1)[-1],  # a report is passed on; a machine's folders are not
        sha256=source.sha256,
        format=source.format,
        rows_read=source.rows_read,
        rows_used=source.rows_read - sum(entry.n for entry in set_aside),
        set_aside=set_aside,
        columns=tuple(sorted(source.columns.items())),
        unused_columns=source.unused,
        notes=source.notes,
    )


def report_design(
    design: Design,
    why: str,
    as_of_why: str,
    primary: tuple[int, str],
    terms: Terms,
    scores: ScoreHistory,
    renewals: Renewals,
    settings: AuditSettings,
    frame: Frame,
) -> DesignReport:
    """The design in figures, with the cautions that hold for every score. `frame` is the primary horizon's."""
    decided = terms.decided
    counts = Counter(terms.outcome[decided].tolist())
    accounts = np.unique(terms.account[decided])
    return DesignReport(
        name=design,
        why=why,
        as_of=day(terms.as_of),
        as_of_why=as_of_why,
        primary_horizon_days=primary[0],
        primary_why=primary[1],
        n_renewals=int(decided.sum()),
        n_accounts=len(accounts),
        n_clusters=len(np.unique(terms.cluster[accounts])),
        clustered_by="parent account" if terms.clustered_by_parent else "account",
        outcomes=tuple((name, counts.get(code, 0)) for code, name in enumerate(OUTCOMES)),
        first_due=day(int(terms.due[decided].min())),
        last_due=day(int(terms.due[decided].max())),
        currency=terms.money.stated_in or None,
        capacity=settings.capacity,
        cautions=tuple(_cautions(design, terms, scores, renewals, settings, frame)),
    )


def day(days: int) -> date:
    """A day number as a date."""
    return EPOCH + timedelta(days=days)


def _given(times: NDArray[np.datetime64] | None) -> Ints:
    return np.empty(0, dtype=np.int64) if times is None else to_days(times[~np.isnat(times)])


def _with(source: Source, *found: Rejection) -> Source:
    return replace(source, rejections=(*source.rejections, *(rejection for rejection in found if len(rejection.rows))))


def _cautions(
    design: Design, terms: Terms, scores: ScoreHistory, renewals: Renewals, settings: AuditSettings, frame: Frame
) -> list[Caution]:
    found: list[Caution] = []
    if design == "renewal" and renewals.notice is None and renewals.outcome_known is None:
        found.append(
            Caution(
                "lead_overstated",
                "Neither notice dates nor the days on which outcomes were known are given, so that lead time may be overstated.",
            )
        )
    unknown = int((terms.decided & (terms.start == UNKNOWN)).sum())
    if unknown:
        how = "counted as begun by then" if design == "renewal" else "taken as one typical term long"
        found.append(
            Caution(
                "term_start_unknown", f"For {unknown:,} renewals neither the term's start nor an earlier due date is known; they are {how}."
            )
        )
    due = terms.due <= terms.as_of
    missing = int((due & (terms.outcome == UNDECIDED)).sum())
    if missing > NO_OUTCOME_SHARE * max(int(due.sum()), 1):
        found.append(
            Caution(
                "outcomes_missing",
                f"{missing:,} of {int(due.sum()):,} renewals due have no outcome; if they are not like the others, every figure is off.",
                loud=True,
            )
        )
    found += _money_cautions(terms, settings)
    found += _segment_cautions(scores, renewals, settings)
    return found + _recording_cautions(scores)


def _money_cautions(terms: Terms, settings: AuditSettings) -> list[Caution]:
    money = terms.money
    found = []
    if money.stated_in is None:
        found.append(
            Caution(
                "currencies_mixed", f"Amounts are in {', '.join(money.currencies)} and no dated rates are given: they are never added up."
            )
        )
    if money.without_rate:
        found.append(
            Caution("currency_without_rate", f"{money.without_rate:,} amounts are in a currency without a rate; they count as not given.")
        )
    if settings.currency_rates and settings.rates_dated:
        rates = ", ".join(f"{name} {rate:g}" for name, rate in sorted(settings.currency_rates.items()))
        found.append(
            Caution(
                "currency_converted",
                f"Amounts are converted to {settings.reporting_currency} at rates dated {settings.rates_dated}: {rates}.",
            )
        )
    absent = int((terms.decided & ~np.isfinite(money.before)).sum())
    if absent and money.given:
        found.append(
            Caution(
                "amounts_missing",
                f"{absent:,} renewals have no amount before the renewal; they count for nothing in money and are marked in the baseline.",
            )
        )
    return found


def _segment_cautions(scores: ScoreHistory, renewals: Renewals, settings: AuditSettings) -> list[Caution]:
    if renewals.segment is None or scores.segment is not None:
        return []
    if "segment" in settings.fixed:
        return [
            Caution(
                "segment_declared_fixed",
                "The segment has no date; the baseline uses it because it was declared fixed. If it changed after the fact, it leaks.",
            )
        ]
    return [
        Caution(
            "segment_undated",
            "The renewals' segment has no date, so the baseline leaves it out; declare it fixed (--fixed segment) if it never changes.",
        )
    ]


def _recording_cautions(scores: ScoreHistory) -> list[Caution]:
    if scores.recorded is None:
        return [Caution("recording_unknown", "The scores do not say when each was recorded; each is taken as known on its date.")]
    given = ~np.isnat(scores.recorded)
    late = given & (to_days(scores.recorded) - to_days(scores.dated) > LATE_RECORDING_DAYS)
    share = float(late.mean()) if len(late) else 0.0
    if share <= LATE_RECORDING_SHARE:
        return []
    text = f"{percent(share)} of the score rows were recorded more than {LATE_RECORDING_DAYS} days after their date"
    return [Caution("back_dated", f"{text}; none is used before it was recorded.")]
