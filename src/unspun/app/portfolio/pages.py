"""What the page of an account shows, as it is kept in the read model: renewals with their reasons, metrics by month, and its sections."""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np

from unspun.app.figure_columns import FigureColumns
from unspun.app.portfolio.gather import MONTHS, gathered
from unspun.app.publication import value_record
from unspun.app.risk.inputs import RiskInputs
from unspun.app.trial.book import TrialDay
from unspun.audit.terms import UNKNOWN
from unspun.book.tables import OUTCOMES, UNDECIDED
from unspun.metrics.missing import REASON_CODES
from unspun.progress import Progress
from unspun.risk.result import RenewalRisk, RiskResult, SimilarAccounts
from unspun.risk.rows import OUTAGE, OUTCOMES4, RiskRows
from unspun.stats.estimate import NoEstimate
from unspun.warehouse.read import BookReader

REASON_OF_OUTAGE = REASON_CODES.index(OUTAGE)
UNDECIDED_WORD = "undecided"
DIGITS = 6


def details(
    reader: BookReader, day: TrialDay, inputs: RiskInputs, result: RiskResult, accounts: Sequence[str], progress: Progress
) -> Iterator[tuple[str, bytes]]:
    """The compressed body of each account's page. `accounts` are in ascending order."""
    renewals, trends, terms = _renewals(result), _Trends(inputs), _terms(inputs)
    codes = {name: code for code, name in enumerate(inputs.accounts)}
    for account, parts in gathered(reader, day, accounts, progress):
        own: dict[str, Any] = {"renewals": renewals.get(account, []), "trends": trends.of(account), "terms": terms.get(account, [])}
        own |= _said(inputs, codes.get(account))
        written = {**{name: _json(value) for name, value in own.items()}, **parts}
        body = "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in sorted(written.items())) + "}"
        yield account, zlib.compress(body.encode(), 6)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def read_body(body: bytes) -> dict[str, Any]:
    """The body of a page as plain values."""
    return json.loads(zlib.decompress(body))


def _said(inputs: RiskInputs, code: int | None) -> dict[str, Any]:
    """Since when an account is a customer, and what the book says of it in words."""
    if code is None:
        return {}
    known, since = inputs.known, int(inputs.terms.first_seen[code])
    stated = int(known.since[code])
    words = {"segment": known.segments[code], "owner": known.owners[code]} | {name: one[code] for name, one in known.attributes.items()}
    return {"since": _day(since if stated == UNKNOWN else min(since, stated)), "attributes": words}


# Renewals


def _renewals(result: RiskResult) -> dict[str, list[dict[str, Any]]]:
    """The renewals of each account as plain values, the earliest due first."""
    found = defaultdict[str, list[dict[str, Any]]](list)
    names = FigureColumns(tuple(one.account for one in result.renewals), tuple(one.due for one in result.renewals), {}).renewals()
    for one, figure in zip(result.renewals, names, strict=True):
        found[one.account].append(_renewal(one, figure))
    return {account: sorted(some, key=lambda one: one["due"]) for account, some in found.items()}


def _renewal(one: RenewalRisk, figure: str) -> dict[str, Any]:
    return {
        "figure": figure,
        "due": one.due.isoformat(),
        "lead_days": one.lead_days,
        "arr": one.arr,
        "currency": one.currency,
        "term": one.term,
        "status": one.status,
        "probabilities": {name: value_record(one.probabilities[name]) for name in OUTCOMES4},
        "expected_lost": value_record(one.expected_lost),
        "typical": one.typical,
        "others": one.others,
        "reasons": [asdict(reason) for reason in one.reasons],
        "similar": _similar(one.similar),
        "coverage": asdict(one.coverage),
        "cannot_tell": one.cannot_tell,
        "why": one.why,
    }


def _similar(found: SimilarAccounts | NoEstimate) -> dict[str, Any]:
    if isinstance(found, NoEstimate):
        return dict(value_record(found))
    return {
        "n": found.n,
        "n_accounts": found.n_accounts,
        "told": found.told,
        "outcomes": {name: value_record(value) for name, value in found.outcomes.items()},
        "renewals": [[one.account, one.due.isoformat(), one.as_of.isoformat(), one.outcome] for one in found.renewals],
    }


# Metrics by month


class _Trends:
    """The metrics of each account on the first days of the last months and on the as-of day, from the rows that risk was judged by."""

    def __init__(self, inputs: RiskInputs) -> None:
        rows = inputs.rows
        since = np.datetime64(inputs.as_of, "M") - MONTHS
        kept = np.flatnonzero(rows.as_of >= since.astype("datetime64[D]").astype(np.int64))
        order = kept[np.lexsort((rows.as_of[kept], rows.account[kept]))]
        account, day = rows.account[order], rows.as_of[order]
        first = np.append(True, (account[1:] != account[:-1]) | (day[1:] != day[:-1]))[: len(order)]
        self._rows, self._order, self._accounts = rows, order[first], inputs.accounts
        self._metrics = [one.id for one in rows.features if not one.given]
        self._codes = {name: code for code, name in enumerate(inputs.accounts)}
        self._account = rows.account[self._order]

    def of(self, account: str) -> dict[str, Any]:
        """Days, and by metric the values; where there is none, None and by place the reason."""
        code = self._codes.get(account, -1)
        first, end = np.searchsorted(self._account, [code, code + 1])
        at = self._order[first:end]
        days = [str(one) for one in self._rows.as_of[at].astype("datetime64[D]")]
        return {"days": days, "metrics": {id: _trend(self._rows, id, at) for id in self._metrics}}


def _trend(rows: RiskRows, id: str, at: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, Any]:
    """A value that was carried over an outage was not measured on that day: it is missing, and told beside."""
    values, carried = [float(f"{one:.{DIGITS}g}") for one in rows.columns[id][at].tolist()], rows.stale_days[id][at]
    codes = np.where(carried > 0, REASON_OF_OUTAGE, rows.reasons[id].codes[at]).tolist()
    shown = [None if np.isnan(one) or age > 0 else one for one, age in zip(values, carried.tolist(), strict=True)]
    missing = {str(place): REASON_CODES[codes[place]] for place, one in enumerate(shown) if one is None and codes[place] >= 0}
    held = {str(place): [values[place], age] for place, age in enumerate(carried.tolist()) if age > 0}
    return {"values": shown, "missing": missing} | ({"carried": held} if held else {})


# Terms


def _terms(inputs: RiskInputs) -> dict[str, list[dict[str, Any]]]:
    """The terms of each account that have begun, the latest first: when each began and was due, what came of it, ARR before and after."""
    terms, found = inputs.terms, defaultdict[str, list[dict[str, Any]]](list)
    columns = (terms.account, inputs.decisions.start, terms.due, terms.outcome, terms.known_on, inputs.decisions.notice)
    amounts = (terms.money.before, terms.money.after)
    for account, start, due, outcome, known, notice, before, after in zip(*(one.tolist() for one in (*columns, *amounts)), strict=True):
        if start > terms.as_of:
            continue
        decided = outcome != UNDECIDED
        found[inputs.accounts[account]].append(
            {
                "start": _day(start),
                "due": _day(due),
                "outcome": OUTCOMES[outcome] if decided else UNDECIDED_WORD,
                "decided": _day(min(known, terms.as_of)) if decided else None,
                "notice": _day(notice),
                "before": None if np.isnan(before) else before,
                "after": None if np.isnan(after) or not decided else after,
            }
        )
    return {account: some[::-1] for account, some in found.items()}


def _day(day: int) -> str | None:
    return None if day == UNKNOWN else date.fromordinal(date(1970, 1, 1).toordinal() + day).isoformat()


def features_of(inputs: RiskInputs) -> Mapping[str, Any]:
    """Name, unit and healthier direction of each metric that pages show."""
    return {one.id: {"label": one.label, "unit": one.unit, "direction": one.direction} for one in inputs.rows.features if not one.given}
