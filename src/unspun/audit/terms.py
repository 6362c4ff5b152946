"""Renewals put in order: each account's terms, its clusters, and what of its past was known when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from unspun.audit.known import KnownHistory, to_days
from unspun.audit.vocabulary import CHURN, Vocabulary
from unspun.book.extras import Accounts
from unspun.book.tables import CHURNED, UNDECIDED, Codes, Purchases, Renewals, ScoreHistory

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
UNKNOWN = np.iinfo(np.int64).min  # a day that is not known


@dataclass(frozen=True, slots=True)
class Money:
    """Amounts of each term, NaN where not given. `currency` codes index `currencies`; after conversion there is one.

    `stated_in` is the one currency all amounts are in, "" where the file names none, None where they are mixed and
    no dated rates were given, so that they must not be added up.
    """

    before: Floats
    after: Floats
    currency: Ints
    currencies: tuple[str, ...]
    stated_in: str | None
    without_rate: int  # amounts dropped because no rate was given for their currency

    @property
    def given(self) -> bool:
        """Whether any amount before a renewal is known."""
        return bool(np.isfinite(self.before).any())


@dataclass(frozen=True, slots=True)
class Terms:
    """Renewals as arrays over rows sorted by account and due date. Days are since 1970-01-01, UNKNOWN where not known.

    `start` is the term's start, else the account's previous due date. `decided_on` is the earlier of notice and
    outcome known, UNKNOWN where neither is given. `known_on` is when the outcome was known for training: the date given,
    else the due date. Decided rows whose outcome was not yet known at the as-of date count as undecided.
    """

    order: Ints  # position in the Renewals table
    account: Ints
    due: Ints
    start: Ints
    decided_on: Ints
    known_on: Ints
    outcome: NDArray[np.int8]
    money: Money
    cluster: Ints  # by account code
    account_names: tuple[str, ...]
    clustered_by_parent: bool
    first_seen: Ints  # by account code: first date known to be a customer
    as_of: int
    words: Vocabulary = CHURN

    @property
    def decided(self) -> Bools:
        """Rows due by the as-of date with an outcome known by then."""
        return (self.outcome != UNDECIDED) & (self.due <= self.as_of)

    @property
    def seen(self) -> Bools:
        """By account code: whether the account has a row. One that bought only after the as-of date has none."""
        return self.first_seen < np.iinfo(np.int64).max

    @property
    def length_days(self) -> Ints:
        """Length of each term whose start is known, of those alone."""
        known = self.start != UNKNOWN
        return (self.due - self.start)[known]


def order_terms(
    renewals: Renewals, scores: ScoreHistory | None, as_of: int, rates: dict[str, float], reporting_currency: str | None
) -> Terms:
    """Sort, find each term's start, and resolve the clusters from the parents of both files, or of the renewals alone."""
    account = renewals.account.codes.astype(np.int64)
    due = to_days(renewals.due)
    order = np.lexsort((renewals.row, due, account))
    account, due = account[order], due[order]
    known = _days(renewals.outcome_known, order)
    notice = _days(renewals.notice, order)
    outcome = renewals.outcome[order].copy()
    outcome[(known != UNKNOWN) & (known > as_of)] = UNDECIDED
    start = _starts(account, due, outcome, _days(renewals.term_start, order))
    cluster, by_parent = find_clusters(renewals, scores)
    return Terms(
        order=order,
        account=account,
        due=due,
        start=start,
        decided_on=_earlier(known, notice),
        known_on=np.where(known != UNKNOWN, known, due),
        outcome=outcome,
        money=state_money(renewals.amount_before, renewals.amount_after, renewals.currency, order, rates, reporting_currency),
        cluster=cluster,
        account_names=renewals.account.names,
        clustered_by_parent=by_parent,
        first_seen=find_first_seen(account, due, start, len(renewals.account.names)),
        as_of=as_of,
    )


class PastOutcomes:
    """The outcome of an account's latest renewal among those due and known by a day."""

    def __init__(self, terms: Terms) -> None:
        rows = np.flatnonzero(terms.decided)
        due, known = (days[rows].astype("datetime64[D]") for days in (terms.due, terms.known_on))
        self._history = KnownHistory(terms.account[rows], due, known)
        self._outcome = terms.outcome[rows].astype(np.int64)

    def last(self, account: Ints, day: Ints) -> Ints:
        """Index into OUTCOMES, or UNDECIDED where the account had no renewal decided by then."""
        found = self._history.last_known(account, day)
        return np.where(found >= 0, self._outcome[found], UNDECIDED) if len(self._outcome) else np.full(len(account), UNDECIDED)


def in_order(codes: Codes) -> Codes:
    """The same column with its names sorted, so that no figure depends on the order of a file's rows."""
    order = sorted(range(len(codes.names)), key=codes.names.__getitem__)
    place = np.empty(len(order) + 1, dtype=np.int32)
    place[order], place[-1] = np.arange(len(order)), -1
    return Codes(place[codes.codes], tuple(codes.names[i] for i in order))


def align(codes: Codes, names: tuple[str, ...]) -> Ints:
    """Row codes of `codes` as indexes into `names`; -1 where empty or not among them."""
    position = {name: i for i, name in enumerate(names)}
    lookup = np.fromiter((position.get(name, -1) for name in codes.names), dtype=np.int64, count=len(codes.names))
    return np.append(lookup, -1)[codes.codes]  # code -1 takes the last


def _days(times: NDArray[np.datetime64] | None, order: Ints) -> Ints:
    """NaT is the smallest integer in NumPy, which is UNKNOWN."""
    return np.full(len(order), UNKNOWN) if times is None else to_days(times)[order]


def state_money(
    before: Floats | None,
    after: Floats | None,
    currency: Codes | None,
    order: Ints,
    rates: dict[str, float],
    reporting_currency: str | None,
) -> Money:
    """Amounts in the order of terms, converted where rates are given."""
    nothing = np.full(len(order), np.nan)
    before = nothing if before is None else before[order]
    after = nothing if after is None else after[order]
    if currency is None:
        return Money(before, after, np.zeros(len(order), dtype=np.int64), ("",), "", 0)
    code, names = currency.codes[order].astype(np.int64), currency.names
    used = sorted({names[c] for c in np.unique(code[code >= 0]).tolist()})
    if rates and reporting_currency:
        factor = np.array([{reporting_currency: 1.0, **rates}.get(name, np.nan) for name in names] + [np.nan])[code]
        dropped = int((np.isfinite(before) & np.isnan(factor)).sum())
        return Money(
            before * factor, after * factor, np.zeros(len(order), dtype=np.int64), (reporting_currency,), reporting_currency, dropped
        )
    one = used[0] if len(used) == 1 and (code >= 0).all() else None
    return Money(before, after, code, names, one if used else "", 0)


def _earlier(first: Ints, second: Ints) -> Ints:
    either = np.where(first == UNKNOWN, second, first)
    return np.where((first != UNKNOWN) & (second != UNKNOWN), np.minimum(first, second), either)


def _starts(account: Ints, due: Ints, outcome: NDArray[np.int8], given: Ints) -> Ints:
    """Term starts: as given, else the previous due date of the account, unless it had churned then."""
    previous = np.full(len(due), UNKNOWN)
    follows = (account[1:] == account[:-1]) & (outcome[:-1] != CHURNED) & (due[1:] > due[:-1])
    previous[1:][follows] = due[:-1][follows]
    return np.where(given != UNKNOWN, given, previous)


def find_first_seen(account: Ints, due: Ints, start: Ints, accounts: int) -> Ints:
    """First day each account is known to be a customer, by account code; the largest integer where there is none."""
    first = np.full(accounts, np.iinfo(np.int64).max)
    np.minimum.at(first, account, np.where(start != UNKNOWN, start, due))
    return first


def find_clusters(renewals: Renewals | Purchases, scores: ScoreHistory | None, accounts: Accounts | None = None) -> tuple[Ints, bool]:
    """Cluster per account code: everything joined by parent links of either file, which in a tree is its top parent.

    Where neither has a link, those of the accounts file count, if there is one. Joined components also settle what a tree
    cannot: an account that changed parent, and a cycle.
    """
    names = {name: i for i, name in enumerate(renewals.account.names)}
    pairs = _parent_pairs(renewals.account, renewals.parent)
    if scores is not None:
        pairs |= _parent_pairs(scores.account, scores.parent)
    if not pairs and accounts is not None:
        pairs = _parent_pairs(accounts.account, accounts.parent)
    edges = [(names.setdefault(child, len(names)), names.setdefault(parent, len(names))) for child, parent in sorted(pairs)]
    if not edges:
        return np.arange(len(names)), False
    child, parent = np.array(edges).T
    graph = sparse.coo_array((np.ones(len(edges)), (child, parent)), shape=(len(names), len(names)))
    component = csgraph.connected_components(graph, directed=False)[1]
    return np.unique(component[: len(renewals.account.names)], return_inverse=True)[1].astype(np.int64), True


def _parent_pairs(account: Codes, parent: Codes | None) -> set[tuple[str, str]]:
    if parent is None:
        return set()
    given = (account.codes >= 0) & (parent.codes >= 0)
    pairs = np.unique(np.stack([account.codes[given], parent.codes[given]], axis=1), axis=0)
    return {(account.names[a], parent.names[p]) for a, p in pairs.tolist()}
