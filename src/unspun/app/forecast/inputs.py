"""What a forecast starts from on a day: the terms that run then, what was known of each, and what past renewals teach of amounts.

The day is the as-of day of the inputs or, for a replay, an earlier first day of a month: then only what was known by it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa

from unspun.app.risk.inputs import DAYS_A_YEAR, LAST_OUTCOME, LOG_ARR, TENURE, RiskInputs, customer_since
from unspun.app.risk.rows import OF_OUTCOME, OVERDUE_DAYS, term_classes
from unspun.audit.terms import UNKNOWN, Terms
from unspun.book.tables import CHURNED, OUTCOMES, UNDECIDED, Codes
from unspun.risk.candidates import RiskModel
from unspun.risk.forecast.amounts import RatioTables, learn_ratios
from unspun.risk.forecast.make import OpenBook
from unspun.risk.forecast.result import RenewalStatus
from unspun.risk.forecast.simulate import COEFFICIENT_DRAWS, NO_FACT, OpenTerms, log_odds3
from unspun.risk.rows import CHURN, FLAT, Bools, Floats, Ints, RiskRows

DAYS_A_MONTH = 30.4375


@dataclass(frozen=True, slots=True)
class OpenRows:
    """The running terms of a day, and for each its row in `now`: what was known of it on the day.

    `later` are the same rows as they would be on the first day of the next term; where the outcome of the running one is known already,
    that is all that is asked of its row. `without_term` counts customers without a running term in the book. Where no term was ever
    looked at, there are no rows, nor a model that could read them.
    """

    book: OpenBook
    now: RiskRows
    later: RiskRows
    without_term: int

    def after(self, outcome: int) -> RiskRows:
        """The rows of the next terms where the running ones end with an outcome (an index into OUTCOMES4)."""
        last = next((one for one in self.later.features if one.id == LAST_OUTCOME), None)
        if last is None:
            return self.later
        code = last.names.index(next(OUTCOMES[book] for book, one in OF_OUTCOME.items() if one == outcome))
        return replace(self.later, columns={**self.later.columns, LAST_OUTCOME: np.full(len(self.later), float(code))})


def open_rows(inputs: RiskInputs, day: int) -> OpenRows:
    """The terms that run at the end of a day, by due date, then account."""
    terms, decisions = inputs.terms, inputs.decisions
    running, settled = _running(inputs, day), _settled(inputs, day)
    renewal = np.flatnonzero(running)
    renewal = renewal[np.lexsort((terms.account[renewal], terms.due[renewal]))]
    fact = np.where(settled[renewal], _facts(inputs, day)[renewal], NO_FACT)
    rows = rows_on(inputs, renewal, day)
    length_days = terms.due[renewal] - decisions.start[renewal]
    later = _at_next_term(rows, length_days[: len(rows)])
    account = terms.account[renewal]
    owner, owners = owners_on(inputs, account, day)
    currency, currencies = _currencies(inputs, renewal)
    held = OpenTerms(
        due=terms.due[renewal],
        length_months=np.maximum(np.round(length_days / DAYS_A_MONTH).astype(np.int64), 1),
        arr=terms.money.before[renewal],
        arr_after=np.where((fact != NO_FACT) & _known(terms, day)[renewal], terms.money.after[renewal], np.nan),
        fact=fact,
        currency=currency,
        segment=inputs.known.segment_history.on(account, np.full(len(account), day)),
        owner=owner,
        family=terms.cluster[account],
    )
    book = OpenBook(
        as_of=_date(day),
        terms=held,
        accounts=tuple(terms.account_names[code] for code in account.tolist()),
        status=tuple(_status(one, due, day) for one, due in zip(fact.tolist(), held.due.tolist(), strict=True)),
        segments=inputs.known.segment_history.names,
        owners=owners,
        currencies=currencies,
    )
    return OpenRows(book, rows, later, _without_term(inputs, account, day))


class ModelChances:
    """Draws of a model's probabilities for the running terms; each call starts from the same seed, so from the same coefficients."""

    def __init__(self, model: RiskModel, rows: OpenRows, seed: int) -> None:
        self.model, self.rows, self.seed = model, rows, seed

    def __call__(self, terms: Ints, after: int | None) -> Floats:
        rows = (self.rows.now if after is None else self.rows.after(after)).take(terms)
        draws = self.model.draws(rows, COEFFICIENT_DRAWS, np.random.default_rng([self.seed, 3]))
        return centred(draws, self.model.probabilities(rows))

    def gain(self, terms: Ints, number: Ints, multiple: Floats) -> Floats:
        """By the fitted model and as it is after a flat renewal: draws of every later term would take longer than all the rest."""
        of_terms = self.rows.after(FLAT).take(terms)
        variants = _rolled(of_terms, np.append(number, 1), np.append(multiple, 1.0))
        odds = np.stack(log_odds3(self.model.probabilities(variants)), axis=1).reshape(len(terms), -1, 3)
        return odds[:, :-1] - odds[:, -1:]


def _rolled(rows: RiskRows, number: Ints, multiple: Floats) -> RiskRows:
    """Rows at the start of a next term, as they are at that of the `number`-th and at a multiple of the ARR; variants of a row together."""
    rolled = rows.take(np.repeat(np.arange(len(rows)), len(number)))
    columns = dict(rolled.columns)
    if TENURE in columns:
        columns[TENURE] = columns[TENURE] + (np.tile(number, len(rows)) - 1) * rolled.lead / DAYS_A_YEAR
    if LOG_ARR in columns:
        columns[LOG_ARR] = columns[LOG_ARR] + np.log(np.tile(multiple, len(rows)))
    return replace(rolled, columns=columns)


def centred(draws: Floats, stated: Floats) -> Floats:
    """Draws (count, n, 4) whose means are the stated probabilities (n, 4).

    Drawn coefficients scatter on the log odds, so that the mean of small probabilities comes out too high: by a tenth where data are few.
    What is stated adds up to what was seen in training; the draws say how far it may be off.
    """
    scaled = draws * (stated / np.maximum(draws.mean(axis=0), 1e-12))
    scaled[:, :, FLAT] = 0.0
    total = scaled.sum(axis=2, keepdims=True)
    scaled /= np.maximum(total, 1.0)
    scaled[:, :, FLAT] = 1 - scaled.sum(axis=2)
    return scaled


def stated_probabilities(model: RiskModel, rows: OpenRows) -> Floats:
    """The model's probabilities of the running terms, shape (n, 4); of those whose outcome is known they are not used."""
    return model.probabilities(rows.now)


def past_ratios(inputs: RiskInputs, day: int, seed: int) -> RatioTables:
    """ARR after over ARR before of the renewals decided by the end of a day."""
    terms = inputs.terms
    rows = np.flatnonzero(terms.decided & _known(terms, day) & (terms.due <= day) & (terms.outcome != CHURNED))
    before, after = terms.money.before[rows], terms.money.after[rows]
    ratio = np.where(before > 0, after / np.where(before > 0, before, 1.0), np.nan)
    outcome = np.array([OF_OUTCOME[code] for code in range(4)])[terms.outcome[rows]]
    history = inputs.known.segment_history
    segment = history.on(terms.account[rows], terms.due[rows])
    return learn_ratios(outcome, ratio, segment, len(history.names), np.random.default_rng([seed, 4]))


def past_renewals(inputs: RiskInputs, day: int) -> pa.Table:
    """The renewals decided by the end of a day, with their amounts: what shared shocks and ratios are learnt from."""
    terms = inputs.terms
    rows = np.flatnonzero(terms.decided & _known(terms, day) & (terms.due <= day))
    return pa.table(
        {
            "account_id": pa.array(terms.account_names, pa.string()).take(pa.array(terms.account[rows])),
            "due": pa.array(terms.due[rows].astype("datetime64[D]")),
            "outcome": pa.array(OUTCOMES, pa.string()).take(pa.array(terms.outcome[rows].astype(np.int64))),
            "arr_before": pa.array(terms.money.before[rows], from_pandas=True),
            "arr_after": pa.array(terms.money.after[rows], from_pandas=True),
        }
    )


def owners_on(inputs: RiskInputs, account: Ints, day: Ints | int) -> tuple[Ints, tuple[str, ...]]:
    """Codes of the owner of each account on a day (or on days of their own), and the names; "" where none is known."""
    spells = inputs.known.owner_spells
    names = (*spells.names, "")
    if not len(spells):
        return np.full(len(account), len(names) - 1), names
    span = np.int64(2**32)
    at = np.searchsorted(spells.account * span + spells.first, account * span + day, side="right") - 1
    found = (at >= 0) & (spells.account[np.maximum(at, 0)] == account) & (day < spells.until[np.maximum(at, 0)])
    return np.where(found, spells.owner[np.maximum(at, 0)], len(names) - 1), names


# What was known


def _known(terms: Terms, day: int) -> Bools:
    """Renewals whose outcome was known by the end of a day."""
    return (terms.outcome != UNDECIDED) & (np.where(terms.known_on == UNKNOWN, terms.due, terms.known_on) <= day)


def _settled(inputs: RiskInputs, day: int) -> Bools:
    """Renewals of which an outcome or a notice was known by the end of a day."""
    settled_on = inputs.decisions.settled_on
    return (settled_on != UNKNOWN) & (settled_on <= day)


def _facts(inputs: RiskInputs, day: int) -> Ints:
    """The outcome known by a day, else that of a notice."""
    codes = np.array([OF_OUTCOME[code] for code in range(4)] + [CHURN])
    return np.where(_known(inputs.terms, day), codes[inputs.terms.outcome], CHURN)


def _running(inputs: RiskInputs, day: int) -> Bools:
    """Terms begun by a day that are due later, or overdue: undecided, not for too long, and with no later term begun."""
    terms, decisions = inputs.terms, inputs.decisions
    begun = decisions.start <= day
    latest = np.full(len(terms.account_names), UNKNOWN)
    np.maximum.at(latest, terms.account, np.where(begun, decisions.start, UNKNOWN))
    followed = latest[terms.account] >= terms.due
    overdue = (terms.due <= day) & ~_settled(inputs, day) & (terms.due + OVERDUE_DAYS >= day) & ~followed
    return begun & ((terms.due > day) | overdue)


def rows_on(inputs: RiskInputs, renewal: Ints, day: int) -> RiskRows:
    """A row for each of some renewals whose terms run on a day, dated to the day, in their order.

    An open renewal has its own of that day. One that was decided before has its latest from before that; where it has none, as it was
    decided before the first of a month in its term, the account's latest from an earlier term; and an account that was never looked at is
    one of which no metric is known. What the book itself gives is as of the day.
    """
    terms, rows = inputs.terms, inputs.rows
    if not len(rows):
        return rows
    account = terms.account[renewal]
    own = _latest(rows.renewal, rows.as_of, renewal, day)
    at = np.where(own >= 0, own, _latest(rows.account, rows.as_of, account, day))
    taken = rows.take(np.maximum(at, 0))
    given = _given_on(inputs, renewal, day)
    columns = {key: given[key] if key in given else np.where(at >= 0, column, np.nan) for key, column in taken.columns.items()}
    return replace(
        taken,
        columns=columns,
        reasons={key: Codes(np.where(at >= 0, codes.codes, -1).astype(np.int32), codes.names) for key, codes in taken.reasons.items()},
        renewal=renewal,
        account=account,
        cluster=terms.cluster[account],
        as_of=np.full(len(renewal), day),
        due=terms.due[renewal],
        term_class=term_classes(terms)[renewal],
        arr=terms.money.before[renewal],
    )


def _latest(keys: Ints, as_of: Ints, wanted: Ints, day: int) -> Ints:
    """The place of the latest row by the day of each key wanted, -1 where there is none."""
    known = np.flatnonzero(as_of <= day)
    order = known[np.lexsort((as_of[known], keys[known]))]
    at = np.searchsorted(keys[order], wanted, side="right") - 1
    found = np.where(at >= 0, order[np.maximum(at, 0)] if len(order) else -1, -1)
    return np.where((found >= 0) & (keys[found] == wanted), found, -1)


def _given_on(inputs: RiskInputs, renewal: Ints, day: int) -> dict[str, Floats]:
    """What changes with the day or the term alone."""
    terms = inputs.terms
    arr, since = terms.money.before[renewal], customer_since(terms, inputs.known)[terms.account[renewal]]
    return {LOG_ARR: np.log(np.where(arr > 0, arr, np.nan)), TENURE: (day - since) / DAYS_A_YEAR}


def _at_next_term(rows: RiskRows, length_days: Ints) -> RiskRows:
    """The rows as on the first day of the next term: as long, the customer older by then, and all else as it is known today."""
    waited = rows.due - rows.as_of
    columns = dict(rows.columns)
    if TENURE in columns:
        columns[TENURE] = columns[TENURE] + np.maximum(waited, 0) / DAYS_A_YEAR
    return replace(rows, due=rows.as_of + length_days, columns=columns)


def _currencies(inputs: RiskInputs, renewal: Ints) -> tuple[Ints, tuple[str, ...]]:
    """Codes into the names of currencies: that of the book stands for one that is not stated."""
    names = [name or inputs.basis.currency or "" for name in inputs.terms.money.currencies]
    names.append(inputs.basis.currency or "")
    distinct = tuple(dict.fromkeys(names))
    codes = np.array([distinct.index(name) for name in names])[inputs.terms.money.currency[renewal]]
    used = np.unique(codes).tolist()
    return np.searchsorted(np.array(used), codes), tuple(distinct[code] for code in used)


def _without_term(inputs: RiskInputs, running: Ints, day: int) -> int:
    """Customers whose last renewal was no churn, and of whose next term the book says nothing."""
    terms = inputs.terms
    due = np.flatnonzero(terms.due <= day)
    last = due[np.append(terms.account[due][1:] != terms.account[due][:-1], True)] if len(due) else due
    stayed = terms.account[last[_known(terms, day)[last] & (terms.outcome[last] != CHURNED)]]
    return int((~np.isin(stayed, running)).sum())


def _status(fact: int, due: int, day: int) -> RenewalStatus:
    if fact != NO_FACT:
        return "notice given" if fact == CHURN else "decided"
    return "overdue" if due <= day else "open"


def _date(day: int) -> date:
    return np.datetime64(day, "D").item()
