"""The part of the reference of book.yml that tells of `contracts`."""

from __future__ import annotations

from unspun.book.mapping.contract_fields import COLUMN_RULES, CONTRACT_FIELDS, FRESHNESS_FIELDS, UNIQUE_FIELDS, VOLUME_FIELDS

CONTRACT_EXAMPLE = """contracts:
  subscriptions:
    columns:
      account_id: {references: accounts.account_id, allowed: 1 %}
      started: {min: 2015-01-01, max: today + 1 year}
      amount:
        - {required: true, min: 0}
        - {max: 1000000, severity: warning, why: nobody pays that much}
      currency: {one_of: [EUR, USD]}
    unique: [account_id, started, product]
  accounts:
    severity: warning
    columns:
      account_id: {matches: 'ACC-[0-9]{6}'}
      billing_contact: {type: email, required: true, allowed: 0.05}
  events:
    columns:
      value: {min: 0}
    freshness:
      - {within: 2 days}
      - {within: 1 week, by: event, severity: warning}
    volume: {per: day, min: 1000, factor: 3, weekdays: [monday, tuesday, wednesday, thursday, friday], last: 30}
"""
INTRODUCTION = """## Contracts

What must hold of the rows, by table of the book. `unspun check` asks it of the book as it stands; nothing is rejected by a contract.
Columns are those of the book, your own ones too. How to go about it: [check a book](../how-to/check.md).
"""


def contract_reference() -> list[str]:
    """The parts of the page, in their order."""
    return [
        INTRODUCTION,
        f"```yaml\n{CONTRACT_EXAMPLE}```\n",
        _fields("### A table's contract", CONTRACT_FIELDS),
        _fields("### Rules on a column", COLUMN_RULES),
        _fields("### unique", UNIQUE_FIELDS),
        _fields("### freshness", FRESHNESS_FIELDS),
        _fields("### volume", VOLUME_FIELDS),
    ]


def _fields(title: str, fields: dict[str, str]) -> str:
    return "\n".join([title, "", "| Word | |", "|---|---|", *(f"| `{name}` | {meaning} |" for name, meaning in fields.items()), ""])
