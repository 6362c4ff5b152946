"""The lines of the portfolio, made from judged renewals: what each is, its risk beside the base rate, and its place in the order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.app.figure_columns import FigureColumns
from unspun.app.forecast.inputs import open_rows
from unspun.app.portfolio.conditions import RiskBand, fold
from unspun.app.risk.inputs import RiskInputs
from unspun.reports.risk_claims import leading_reasons, short_reason
from unspun.risk.candidates import fit_candidate
from unspun.risk.fitted import FittedRisk
from unspun.risk.result import RenewalRisk, RiskResult
from unspun.risk.rows import CHURN, OUTCOMES4, RiskRows, known_by
from unspun.risk.totals import drawn_churn
from unspun.stats.estimate import Estimate, NoEstimate
from unspun.warehouse.read_model import LINE_COLUMNS, Row

Floats = NDArray[np.float64]
Key = tuple[str, date, float | None, str]


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account as the book states it on the as-of day; None where it does not."""

    account_id: str
    name: str | None = None
    segment: str | None = None
    owner: str | None = None
    parent_id: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the book says of accounts beside their renewals, by account id, as known on the as-of day.

    `last_touch` is the day of the last contact in the book's zone. `running` are those with a subscription that runs, with their ARR and
    its currency (None where amounts are missing or of several).
    """

    known: Mapping[str, KnownAccount]
    products: Mapping[str, tuple[str, ...]]
    last_touch: Mapping[str, str]
    running: Mapping[str, tuple[float | None, str | None]]


def lines_of(inputs: RiskInputs, result: RiskResult, facts: AccountFacts) -> Iterator[Row]:
    """The rows of the table `lines`: renewals in the order in which risk tells them, then running terms without an open renewal."""
    columns = FigureColumns(tuple(one.account for one in result.renewals), tuple(one.due for one in result.renewals), {})
    base = base_rates(inputs)
    family = _families(inputs)
    place, line = _places(inputs.of_today, inputs, result.renewals), 0
    for one, figure in zip(result.renewals, columns.renewals(), strict=True):
        rate = None if base is None else float(base[place[line]])
        yield _row(line, one.account, _of_renewal(one, rate, figure), facts, family)
        line += 1
    told = {one.account for one in result.renewals}
    for account, values in _others(inputs, facts, told):
        yield _row(line, account, values, facts, family)
        line += 1


def base_rates(inputs: RiskInputs) -> Floats | None:
    """P(churn) of each row of the as-of day by the base rate alone; None where it cannot be told."""
    model = fit_candidate("base rate", known_by(inputs.history, inputs.cutoff), seed=0, scoring=False)
    return None if isinstance(model, NoEstimate) else model.probabilities(inputs.of_today)[:, CHURN]


def draws_of(inputs: RiskInputs, result: RiskResult, fitted: FittedRisk | NoEstimate) -> NDArray[np.float32]:
    """P(churn) of the lines with a stated loss, in their order, under draws of the model, shape (lines, draws)."""
    if isinstance(fitted, NoEstimate):
        return np.zeros((0, 0), np.float32)
    rows, place = inputs.of_today, _places(inputs.of_today, inputs, result.renewals)
    _, drawn = drawn_churn(result.renewals, rows.take(np.array(place, np.int64)), fitted.model, fitted.seed)
    return drawn.astype(np.float32)


def _places(rows: RiskRows, inputs: RiskInputs, renewals: Sequence[RenewalRisk]) -> list[int]:
    """The row of each renewal, in their order."""
    found: dict[tuple[str, int, float | None], list[int]] = defaultdict(list)
    arr = [None if np.isnan(one) else one for one in rows.arr.tolist()]
    for at, key in enumerate(zip(rows.account.tolist(), rows.due.tolist(), arr, strict=True)):
        found[inputs.accounts[key[0]], key[1], key[2]].append(at)
    return [found[one.account, (one.due - date(1970, 1, 1)).days, one.arr].pop(0) for one in renewals]


def _families(inputs: RiskInputs) -> dict[str, int]:
    return dict(zip(inputs.accounts, inputs.terms.cluster.tolist(), strict=True))


# A line


def _row(line: int, account: str, values: Mapping[str, Any], facts: AccountFacts, family: Mapping[str, int]) -> Row:
    who = facts.known.get(account) or KnownAccount(account)
    name = who.name or account
    products = facts.products.get(account, ())
    held: dict[str, Any] = {
        "line": line,
        "account_id": account,
        "name": name,
        "name_key": fold(name),
        "segment": who.segment,
        "owner": who.owner,
        "product": ", ".join(products) or None,
        "country": who.country,
        "last_touch": facts.last_touch.get(account),
        "family": family.get(account, len(family) + line),
        "search": searched(who, products),
        **values,
    }
    return tuple(held.get(one) for one in LINE_COLUMNS)


def searched(who: KnownAccount, products: Sequence[str]) -> str:
    """What is searched of an account, folded: its name, id, segment, owner and products."""
    return "\n".join(map(fold, filter(None, (who.name or who.account_id, who.account_id, who.segment, who.owner, *products))))


def _of_renewal(one: RenewalRisk, base: float | None, figure: str) -> dict[str, Any]:
    churn, lost, arr = one.churn, one.expected_lost, one.arr
    told = churn.point if isinstance(churn, Estimate) else base
    found: dict[str, Any] = {
        "due": one.due.isoformat(),
        "lead_days": one.lead_days,
        "status": one.status,
        "term": one.term,
        "arr": arr,
        "currency": one.currency,
        "cannot_tell": one.cannot_tell,
        "why": one.why,
        "base_rate": base,
        "band": band_of(one, base),
        "weight": None if arr is None or told is None else arr * told,
        "reason": "; ".join(map(short_reason, leading_reasons(one))) or one.why,
        "reasons": len(one.reasons),
        "coverage_with": one.coverage.with_value,
        "coverage_of": one.coverage.of,
        "figure": figure,
    }
    if isinstance(churn, Estimate):
        found |= {"p_churn": churn.point, "p_low": churn.low, "p_high": churn.high}
    if isinstance(lost, Estimate):
        found |= {"lost": lost.point, "lost_low": lost.low, "lost_high": lost.high}
    others = {name: one.probabilities[name] for name in OUTCOMES4[1:]}
    return found | {f"p_{name}": value.point for name, value in others.items() if isinstance(value, Estimate)}


def band_of(one: RenewalRisk, base: float | None) -> RiskBand:
    """Where the interval of the probability of churn lies beside the base rate."""
    if one.status == "notice given":
        return "notice given"
    if not isinstance(one.churn, Estimate) or base is None:
        return "cannot tell"
    return "above" if one.churn.low > base else "below" if one.churn.high < base else "holds"


# Terms without an open renewal


def _others(inputs: RiskInputs, facts: AccountFacts, told: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Accounts whose renewal is decided already, and those that have a running subscription and no renewal, by id."""
    rows = open_rows(inputs, inputs.terms.as_of)
    held, found = rows.book, dict[str, dict[str, Any]]()
    for at, (account, status) in enumerate(zip(held.accounts, held.status, strict=True)):
        if status == "decided" and account not in told and account not in found:
            due, currency = int(held.terms.due[at]), held.currencies[int(held.terms.currency[at])] or None
            found[account] = _bare("decided", _number(float(held.terms.arr_after[at])), currency, "the renewal is decided already")
            found[account] |= {"due": date.fromordinal(date(1970, 1, 1).toordinal() + due).isoformat()}
            found[account] |= {"lead_days": due - inputs.terms.as_of}
    for account, (arr, currency) in facts.running.items():
        if account not in told and account not in found:
            found[account] = _bare("no renewal", arr, currency, "a subscription runs, and no renewal of it is known")
    yield from sorted(found.items())


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value


def _bare(status: str, arr: float | None, currency: str | None, why: str) -> dict[str, Any]:
    band: RiskBand = "no renewal"
    nothing = {"cannot_tell": "", "reason": "", "reasons": 0, "figure": ""}
    return {"status": status, "arr": arr, "currency": currency, "why": why, "band": band, **nothing}
