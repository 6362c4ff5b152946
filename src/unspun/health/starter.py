"""The scores.yml of a workspace before anything is declared: how the file works, and an example to uncomment."""

from __future__ import annotations

HEAD = """# The health scores: what they are made of, and nothing else. A score is published with its formula.
#
# A score is the weighted mean of the points of its metrics. Each metric of metrics.yml is turned into points: `points` (straight lines
# between the values given), `steps` (the points from a value on) or `values` (of texts). Higher is healthier.
# A metric without a value is left out and shown as missing, never counted as neutral or 0: its weight goes to the others of its group.
# Every word that can stand here: docs/reference/scores-yml.md
# What a score is, in words and numbers: unspun scores explain health. Why an account has it: unspun scores show health --account A
# A score is unvalidated until it was put on trial: unspun evidence health
"""
EXAMPLE = """
# A worked example: take the # off the lines that you need, once metrics are declared.
scores:
#  health:
#    name: Health
#    description: Whether the account uses what it pays for, without trouble.
#    groups:
#      usage:
#        weight: 60
#        metrics:
#          logins_per_seat: {weight: 2, points: {0: 0, 5: 60, 20: 100}}
#          logins_change: {weight: 1, points: {-1: 0, 0: 70, 0.5: 100}}
#      support:
#        weight: 40
#        metrics:
#          open_tickets: {steps: {0: 100, 1: 70, 5: 0}}
#    bands: {red: 0, yellow: 40, green: 70}
#    missing: {least_weight: 50 %}
"""


def starter_text() -> str:
    """The scores.yml of a new workspace: a worked example, all of it comments."""
    return HEAD + EXAMPLE
