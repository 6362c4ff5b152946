"""`by`: one metric for each value of a column."""

from __future__ import annotations

from tests.spec.harness import Spec

DAYS = """
    touchpoints
    account_id | occurred   | channel
    a          | 2024-01-03 | mail
    a          | 2024-01-04 | mail
    a          | 2024-01-04 | call
    a          | 2024-01-05 | call
    a          | 2024-01-08 | mail
    a          | 2024-01-09 | mail
    b          | 2024-01-09 | call
"""
BY_CHANNEL = """
touches:
  description: Touchpoints.
  count: touchpoints
  by: {column: channel, values: [mail], other: true}
"""
BY = (
    Spec(
        teaches="`touches` stays over all rows; `touches_mail` counts the mails, and `touches_other` all other rows.",
        tables=DAYS + "    b          | 2024-01-09 |\n",
        metric="add: [{multiply: [100, touches]}, {multiply: [10, touches_mail]}, touches_other]",
        beside=BY_CHANNEL,
        expected="""
            account_id | 2024-01-03 | 2024-01-09
            a          | 110        | 642
            b          | 0          | 202
        """,
    ),
    Spec(
        teaches="Several values may be one: `{remote: [mail, call]}`.",
        tables=DAYS,
        metric="metric: days_remote",
        beside="days:\n  description: Days.\n  active_days: touchpoints\n  by: {column: channel, values: {remote: [mail, call]}}",
        expected="account_id | 2024-01-09\na | 5\nb | 1",
        extra=True,
    ),
)
