"""Random subscription histories: the rules in arrays agree with the same rules walked day by day, and rows may come in any order."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.book import terms_by_day as slow
from unspun.book.subscriptions import read_subscriptions
from unspun.book.tables import OUTCOMES, ReadingOptions, Renewals
from unspun.book.terms.derive import derive_renewals
from unspun.book.terms.rules import TermRules
from unspun.errors import BadInput

DAY_0 = date(2020, 1, 1)
ZERO = (DAY_0 - date(1970, 1, 1)).days
LENGTHS = (0, 1, 7, 28, 30, 30, 31, 90, 90, 180, 365)


@st.composite
def histories(draw: st.DrawFn) -> list[slow.Line]:
    """A few accounts whose terms often touch: a start is free, or lies about the end of an earlier term."""
    lines: list[slow.Line] = []
    for _ in range(draw(st.integers(1, 9))):
        account = draw(st.sampled_from("AB"))
        ends = [line.end for line in lines if line.account == account and line.end is not None]
        near = [
            min(400, max(0, end + draw(st.sampled_from((0, 0, 0, 1, 3, 4, 7, 8, 30, -1, -10, -11, -60, -90, -91))))) for end in ends[-2:]
        ]
        told = [line.cancelled for line in lines if line.account == account and line.cancelled is not None]
        near += [min(400, max(0, day + draw(st.sampled_from((-8, -7, -3, 0, 3, 7))))) for day in told[-1:]]
        start = draw(st.sampled_from(near)) if near and draw(st.booleans()) else draw(st.integers(0, 300))
        end = None if draw(st.integers(0, 9)) == 0 else start + draw(st.sampled_from(LENGTHS))
        later = [other for other in ends if other > start]
        if later and draw(st.integers(0, 4)) == 0:
            end = draw(st.sampled_from(later))  # co-termed
        late = 200 if end is None else max(0, end - start)
        cancelled = start + draw(st.integers(-3, late + 3)) if draw(st.integers(0, 3)) == 0 else None
        lines.append(
            slow.Line(
                account, draw(st.sampled_from("PPQ")), draw(st.integers(0, 4)) == 0, start, end,
                draw(st.sampled_from((0.0, 100.0, 100.0, 100.05, 250.5, float("nan")))),
                None if cancelled is None else max(0, cancelled), draw(st.sampled_from(("EUR",) * 9 + ("USD",))),
            )
        )  # fmt: skip
    return list(dict.fromkeys(lines))


def table(lines: list[slow.Line]) -> pa.Table:
    def day(n: int | None) -> date | None:
        return None if n is None else DAY_0 + timedelta(days=n)

    return pa.table(
        {
            "subscription_id": pa.array([str(i) for i in range(len(lines))]),
            "account": [line.account for line in lines],
            "product": [line.product for line in lines],
            "is_addon": [line.is_addon for line in lines],
            "start": pa.array([day(line.start) for line in lines], pa.date32()),
            "end": pa.array([day(line.end) for line in lines], pa.date32()),
            "arr": pa.array([None if np.isnan(line.arr) else line.arr for line in lines], pa.float64()),
            "cancelled_on": pa.array([day(line.cancelled) for line in lines], pa.date32()),
            "currency": [line.currency for line in lines],
        }
    )


def fast(rows: pa.Table, rules: TermRules, as_of: int) -> Renewals | None:
    try:
        return derive_renewals(read_subscriptions(rows, ReadingOptions()), rules, DAY_0 + timedelta(days=as_of))
    except BadInput as nothing:
        assert {fault.code for fault in nothing.faults} == {"no_renewals_due"}
        return None


def by_due(renewals: Renewals | None) -> dict[tuple[str, int], tuple[str, float, float]]:
    if renewals is None:
        return {}
    assert renewals.amount_before is not None and renewals.amount_after is not None
    accounts = [renewals.account.names[code] for code in renewals.account.codes]
    words = [(*OUTCOMES, "undecided")[code] for code in renewals.outcome]
    days = (renewals.due.astype(np.int64) - ZERO).tolist()
    amounts = zip(renewals.amount_before.tolist(), renewals.amount_after.tolist(), strict=True)
    return {(a, d): (w, x, y) for a, d, w, (x, y) in zip(accounts, days, words, amounts, strict=True)}


RULES = st.builds(
    slow.Rules, grace=st.sampled_from((0, 3, 7, 30)), early=st.sampled_from((0, 10, 90)), flat=st.just(0.001), cut=st.booleans()
)


def as_given(rules: slow.Rules) -> TermRules:
    return TermRules(rules.grace, rules.early, rules.flat, ends_inclusive=False, cancellation_ends_term=rules.cut)


@settings(max_examples=250)
@given(histories(), RULES, st.integers(50, 900))
def test_every_renewal_is_the_one_that_walking_the_days_finds(lines: list[slow.Line], rules: slow.Rules, as_of: int) -> None:
    np.testing.assert_equal(by_due(fast(table(lines), as_given(rules), as_of)), slow.derive(lines, rules, as_of))


@settings(max_examples=40)
@given(histories(), RULES, st.integers(50, 900), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(lines: list[slow.Line], rules: slow.Rules, as_of: int, random) -> None:
    shuffled = random.sample(lines, len(lines))
    one, other = (fast(table(rows), as_given(rules), as_of) for rows in (lines, shuffled))
    np.testing.assert_equal(by_due(one), by_due(other))
    if one is not None and other is not None:
        assert one.source.notes == other.source.notes
        for name in ("term_start", "notice", "outcome_known"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@settings(max_examples=50)
@given(histories(), RULES, st.integers(50, 900))
def test_every_row_is_used_or_set_aside_once(lines: list[slow.Line], rules: slow.Rules, as_of: int) -> None:
    renewals = fast(table(lines), as_given(rules), as_of)
    if renewals is not None:
        aside = [row for rejection in renewals.source.rejections for row in rejection.rows.tolist()]
        assert len(aside) == len(set(aside)) and not set(aside) & set(renewals.row.tolist())
        assert renewals.source.rows_read == len(lines)


@settings(max_examples=80)
@given(histories(), RULES, st.integers(50, 900))
def test_an_account_churned_if_no_base_term_ran_or_began_from_the_due_date_to_the_end_of_the_grace_days(
    lines: list[slow.Line], rules: slow.Rules, as_of: int
) -> None:
    whole = [slow.Line(**{**line.__dict__, "cancelled": None}) for line in lines]
    for (account, due), (outcome, _, _) in by_due(fast(table(whole), as_given(rules), as_of)).items():
        base = [line for line in whole if line.account == account and not line.is_addon and line.start <= as_of and line.end != line.start]
        assert any(line.end == due for line in base)
        runs = any(line.start <= due + rules.grace and (line.end is None or line.end > due) for line in base)
        if outcome != "undecided":
            assert (outcome == "churned") == (not runs)
