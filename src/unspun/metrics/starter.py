"""The metrics.yml of a workspace before anything is declared: how the file works, and an example to uncomment."""

from __future__ import annotations

HEAD = """# The metrics: what is measured of each account, as of any date.
#
# Each metric has an id, a description, and one kind of measure with its table, conditions and window. None of them reads a row that
# was not known on the as-of date. Every word that can stand here: docs/reference/metrics-yml.md
# What the book can bear: unspun metrics suggest. What a metric means: unspun metrics explain ID. The rows behind a value:
# unspun metrics show ID --account A
"""
SOURCES = """
# What may be said of accounts and days without rows. This is what holds where it is left out.
#sources:
#  events: {covers: seen accounts, silent_days: 7}    # an account that never sent an event is not connected: no value, and not 0
"""
EXAMPLE = """
# A worked example: take the # off the lines that you need, once tables are loaded.
metrics:
#  logins_28d:
#    name: Logins
#    description: How often anybody of the account logged in.
#    unit: logins
#    direction: higher
#    count: events
#    where: {event: login}
#    window: 28d
#  logins_per_seat:
#    description: Logins of the last 28 days by the seats that are paid for.
#    direction: higher
#    per_seat: logins_28d
#  logins_change:
#    description: Logins of the last 28 days, by those of the 28 days before.
#    change: {of: logins_28d, days: 28d, as: ratio}
#  open_tickets:
#    description: Tickets that are not closed.
#    direction: lower
#    open: tickets
"""


def starter_text() -> str:
    """The metrics.yml of a new workspace: a worked example, all of it comments."""
    return HEAD + SOURCES + EXAMPLE
