"""What the audit took from its inputs: until when outcomes are known, which rows it set aside, and what readers must know."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from unspun.audit.frame import Frame, ScoreIndex
from unspun.audit.known import to_days
from unspun.audit.protocol import DEFAULT_HORIZONS, REPURCHASE_HORIZONS, AuditSettings
from unspun.audit.repurchase import SPEND_DAYS
from unspun.audit.result import Caution, Design, DesignReport, InputFile, InputReport, SetAside
from unspun.audit.terms import UNKNOWN, Terms
from unspun.audit.vocabulary import REPURCHASE, Vocabulary
from unspun.audit.wording import percent
from unspun.book.tables import OUTCOMES, UNDECIDED, Purchases, Rejection, Renewals, ScoreHistory, Source
from unspun.errors import BadInput, Fault

Ints = NDArray[np.int64]
EPOCH = date(1970, 1, 1)
NO_OUTCOME_SHARE = 0.05  # of the renewals due, above which the missing outcomes are cautioned of
NO_DECIDED_RENEWALS = Fault(
    "no_decided_renewals", "no renewal was due and decided by the as-of date", "renewals", "Check the outcome column and --as-of."
)
NO_PURCHASES = Fault("no_purchases", "no purchase was made by the as-of date", "purchases", "Check the date column and --as-of.")
LATE_RECORDING_DAYS, LATE_RECORDING_SHARE = 7, 0.10
STEP_ROWS = 1 << 18


def default_horizons(renewals: Renewals | Purchases) -> tuple[int, ...]:
    """The horizons where none are asked for, in days."""
    return REPURCHASE_HORIZONS if isinstance(renewals, Purchases) else DEFAULT_HORIZONS


def observe_until(
    scores: ScoreHistory | None, renewals: Renewals | Purchases, settings: AuditSettings, today: date | None
) -> tuple[int, str]:
    """The as-of date of the audit as a day number, and where it came from.

    Declared, else the last day on which either file knows anything: a score's date or recording, an outcome known, or
    the due date of a decided renewal that does not say when it was known. Purchases are known until the last one of the
    file, whatever the scores say: a day without any is a day not recorded yet. Days after `today` do not count.
    Without scores, the renewals alone say.
    """
    if settings.as_of is not None:
        return (settings.as_of - EPOCH).days, "declared"
    if isinstance(renewals, Purchases):
        return _last_day(to_days(renewals.date), today, "the last day with a purchase on file")
    decided = renewals.outcome != UNDECIDED
    due = to_days(renewals.due)
    known = due if renewals.outcome_known is None else np.where(np.isnat(renewals.outcome_known), due, to_days(renewals.outcome_known))
    if scores is None:
        return _last_day(known[decided], today, "the last day on which the renewals know anything")
    seen = np.concatenate([_given(scores.dated), _given(scores.recorded), known[decided]])
    return _last_day(seen, today, "the last day on which either file knows anything")


def _last_day(seen: Ints, today: date | None, why: str) -> tuple[int, str]:
    past = seen if today is None else seen[seen <= (today - EPOCH).days]
    return int(past.max(initial=0)), why if len(past) == len(seen) else f"{why}, days to come left aside"


def set_aside_scores(scores: ScoreHistory, index: ScoreIndex, words: Vocabulary) -> Source:
    """The scores' source with the rows no unit can ever use: accounts without an outcome, and dates after the as-of date."""
    stranger = index.account < 0
    late = ~stranger & index.after_as_of
    return _with(
        scores.source,
        _rejected(scores, stranger, f"account_without_{words.event}", f"account has no {words.event} in use"),
        _rejected(scores, late, "after_as_of", "dated after the as-of date"),
    )


def set_aside_outcomes(renewals: Renewals | Purchases, terms: Terms) -> Source:
    """The source with the rows that lie after the as-of date, or have no outcome yet: censored, not retained."""
    if isinstance(renewals, Purchases):
        late = to_days(renewals.date) > terms.as_of
        return _with(renewals.source, _rejected(renewals, late, "after_as_of", "dated after the as-of date"))
    future = terms.due > terms.as_of
    open_ = ~future & (terms.outcome == UNDECIDED)
    return _with(
        renewals.source,
        _rejected(renewals, terms.order[future], "not_yet_due", "due after the as-of date (censored)"),
        _rejected(renewals, terms.order[open_], "no_outcome", "due by the as-of date, but no outcome known by then"),
    )


def refuse_if_empty(terms: Terms, index: ScoreIndex) -> None:
    """Raise BadInput where nothing is left to judge, with every reason."""
    faults, words = [], terms.words
    if not terms.decided.any():
        faults.append(NO_PURCHASES if words is REPURCHASE else NO_DECIDED_RENEWALS)
    if not (index.account >= 0).any():
        example = ", ".join(repr(name) for name in index.history.account.names[:2])
        theirs = ", ".join(repr(name) for name in terms.account_names[:2])
        faults.append(
            Fault(
                "no_shared_accounts",
                f"no account of the scores has a {words.event} (scores have {example}; {words.events} have {theirs})",
                "scores",
                f'Name the columns that hold the same ids: --map scores.account="..." --map {words.events}.account="...".',
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
        name=_without_folder(source.name),
        sha256=source.sha256,
        format=source.format,
        rows_read=source.rows_read,
        rows_used=source.rows_read - sum(entry.n for entry in set_aside),
        set_aside=set_aside,
        columns=tuple(sorted(source.columns.items())),
        unused_columns=source.unused,
        notes=source.notes,
        files=tuple(InputFile(_without_folder(file.name), file.sha256, file.format, file.rows_read) for file in source.files),
    )


def _without_folder(path: str) -> str:
    """A report is passed on; a machine's folders are not."""
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def report_design(
    design: Design,
    why: str,
    as_of_why: str,
    primary: tuple[int, str],
    terms: Terms,
    scores: ScoreHistory,
    renewals: Renewals | Purchases,
    settings: AuditSettings,
    frame: Frame,
) -> DesignReport:
    """The design in figures, with the cautions that hold for every score. `frame` is the primary horizon's."""
    decided = terms.decided
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
        outcomes=_outcomes(terms, frame),
        first_due=day(int(terms.due[decided].min())),
        last_due=day(int(terms.due[decided].max())),
        currency=terms.money.stated_in or None,
        capacity=settings.capacity,
        cautions=tuple(_cautions(design, terms, scores, renewals, settings, frame)),
        vocabulary=terms.words,
    )


def day(days: int) -> date:
    """A day number as a date."""
    return EPOCH + timedelta(days=days)


def _given(times: NDArray[np.datetime64] | None) -> Ints:
    return np.empty(0, dtype=np.int64) if times is None else to_days(times[~np.isnat(times)])


def _rejected(table: ScoreHistory | Renewals | Purchases, rows: NDArray[np.bool_] | Ints, code: str, reason: str) -> Rejection:
    """Some rows of a table, by a mask or by their places, under the numbers that they have in their file."""
    return Rejection(code, reason, table.row[rows], file=None if table.file is None else table.file[rows])


def _with(source: Source, *found: Rejection) -> Source:
    return replace(source, rejections=(*source.rejections, *(rejection for rejection in found if len(rejection.rows))))


def _outcomes(terms: Terms, frame: Frame) -> tuple[tuple[str, int], ...]:
    """Renewals by outcome; of purchases, the eligible customer-months of the frame."""
    if terms.words is REPURCHASE:
        lost = int(frame.units.churned.sum())
        return ((terms.words.kept, len(frame.units) - lost), (terms.words.lost, lost))
    counts = Counter(terms.outcome[terms.decided].tolist())
    return tuple((name, counts.get(code, 0)) for code, name in enumerate(OUTCOMES))


def _cautions(
    design: Design, terms: Terms, scores: ScoreHistory, renewals: Renewals | Purchases, settings: AuditSettings, frame: Frame
) -> list[Caution]:
    if isinstance(renewals, Purchases):
        found = [*_purchase_cautions(terms, renewals, settings), *_money_cautions(terms, settings)]
    else:
        found = [*_renewal_cautions(design, terms, renewals), *_money_cautions(terms, settings)]
    return [*found, *_segment_cautions(scores, renewals, settings), *_recording_cautions(scores)]


def _purchase_cautions(terms: Terms, purchases: Purchases, settings: AuditSettings) -> list[Caution]:
    first = int(terms.due.min())
    short = max(settings.active_days, SPEND_DAYS)
    text = (
        f"Customers are seen only from the file's first day, {day(first)}: until {day(first + short)}, who counts as active, yearly "
        f"spend and time since the first purchase rest on less than {short:,} days of history."
    )
    found = [Caution("history_cut_off", text)]
    returns = sum(len(rejection.rows) for rejection in purchases.source.rejections if rejection.code == "return")
    if returns:
        text = f"{returns:,} returns are set aside: the purchase that a return undoes still counts, and spend is before returns."
        found.append(Caution("returns_set_aside", text))
    return found


def _renewal_cautions(design: Design, terms: Terms, renewals: Renewals) -> list[Caution]:
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
    return found


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
    before = "" if terms.words is REPURCHASE else " before the renewal"
    absent = int((terms.decided & ~np.isfinite(money.before)).sum())
    if absent and money.given:
        found.append(
            Caution(
                "amounts_missing",
                f"{absent:,} {terms.words.events} have no amount{before}; they count for nothing in money and are marked in the baseline.",
            )
        )
    return found


def _segment_cautions(scores: ScoreHistory, renewals: Renewals | Purchases, settings: AuditSettings) -> list[Caution]:
    if renewals.segment is None or scores.segment is not None:
        return []
    if settings.segment_fixed:
        return [
            Caution(
                "segment_declared_fixed",
                "The segment has no date; the baseline uses it because it was declared fixed. If it changed after the fact, it leaks.",
            )
        ]
    return [
        Caution(
            "segment_undated",
            f"The {renewals.source.role}' segment has no date, so the baseline leaves it out; "
            "declare it fixed (--fixed segment) if it never changes.",
        )
    ]


def _recorded_late(dated: NDArray[np.datetime64], recorded: NDArray[np.datetime64]) -> float:
    """Share of the rows recorded more than LATE_RECORDING_DAYS after their date; in steps, which bounds memory."""
    late = 0
    for start in range(0, len(dated), STEP_ROWS):
        given = ~np.isnat(recorded[start : start + STEP_ROWS])
        days = to_days(recorded[start : start + STEP_ROWS][given]) - to_days(dated[start : start + STEP_ROWS][given])
        late += int((days > LATE_RECORDING_DAYS).sum())
    return late / len(dated) if len(dated) else 0.0


def _scored_by_somebody(scores: ScoreHistory) -> Ints | slice:
    """Rows of the history that hold scores: the days on which a metric was computed are nothing that somebody recorded."""
    rows = [one.rows for one in scores.series if not one.exact]
    if len(rows) == len(scores.series) or any(own is None for own in rows):
        return slice(None)
    return np.unique(np.concatenate([own for own in rows if own is not None]))


def _recording_cautions(scores: ScoreHistory) -> list[Caution]:
    if scores.series and all(one.exact for one in scores.series):
        return []
    if scores.recorded is None:
        return [Caution("recording_unknown", "The scores do not say when each was recorded; each is taken as known on its date.")]
    own = _scored_by_somebody(scores)
    share = _recorded_late(scores.dated[own], scores.recorded[own])
    if share <= LATE_RECORDING_SHARE:
        return []
    text = f"{percent(share)} of the score rows were recorded more than {LATE_RECORDING_DAYS} days after their date"
    return [Caution("back_dated", f"{text}; none is used before it was recorded.")]
