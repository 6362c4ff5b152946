"""Why a metric has no value for an account on a date: missing is not zero, and every reason has a name."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "before_birth": "the account was no customer yet",
    "after_churn": "the account had left",
    "no_contract": "no term of the account ran on that day",
    "no_source": "the book held no rows of this table by then",
    "source_silent": "the table had no rows of anybody for so long that it seems not to be filled",
    "before_source": "the window begins before the first row of this table, when the account was a customer already",
    "not_seen": "the account had not appeared in this table by then",
    "outage": "the window holds days of a recorded tracking outage",
    "several_currencies": "the amounts are in several currencies, or some of them in none that is stated",
    "no_rows": "no row fits, so there is nothing to average, compare or date",
    "too_few_rows": "fewer than two days have a row that fits, so that nothing lies between them",
    "not_yet": "no row fits yet: it has not happened",
    "not_reached": "the last step was not reached",
    "not_stated": "nothing was stated of it by then",
    "zero_denominator": "the denominator is zero",
    "few_peers": "fewer than five peers have a value, or all have the same",
    "no_case": "no case holds, and there is no `otherwise`",
}
"""Code and meaning. Where several hold for one measure, the first in this order is given; a derived value that lacks an operand has the
reason of its first missing operand, in the order in which the definition names them."""

REASON_CODES: tuple[str, ...] = tuple(REASONS)
FEWEST_PEERS = 5
SILENT_DAYS = 7
"""After so many days without a row of any account a source that is declared dense (events) counts as silent."""
