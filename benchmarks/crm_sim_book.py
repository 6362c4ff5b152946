"""How ChurnSim's company is loaded: its book.yml, and its monthly counts and values as metrics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

FILES = ("accounts", "subscriptions", "account_months")
_BOOK = """\
time_zone: UTC
currency: USD
sources:
  - files: accounts.parquet
    table: accounts
    columns: {{account_id: account_id, dated: first_start_date, created_on: first_start_date, country: country}}
    ignore: [channel, date_of_birth, shard_seed, has_events, n_events_simulated]
  - files: subscriptions.parquet
    table: subscriptions
    columns: {{subscription_id: subscription_id, account_id: account_id, started: start_date, ended: end_date,
               amount: {{column: mrr, covers: month}}, product: product, is_addon: is_addon}}
    ignore: [quantity, units, bill_period_months, discount, addon_held, addon_inferred]
  - files: account_months.parquet
    table: events
    columns:
      account_id: account_id
      occurred: month_end
      event: {{value: month}}
      {own}
    ignore: [month_no, month_start]
"""
_METRIC = "  {id}:\n    description: The sum of {id} over the last month that is over.\n    sum: events.{id}\n    window: 31d\n"


def counts_and_values(folder: Path) -> list[str]:
    """The columns of its months that count something or add something up."""
    return [name for name in pq.read_schema(folder / "account_months.parquet").names if name.startswith(("n_", "value_"))]


def definitions(columns: Sequence[str], others: Sequence[str] = ()) -> tuple[str, str]:
    """book.yml, which reads these columns and `others` of the months, and metrics.yml: the sum of each of `columns`."""
    own = "\n      ".join(f"{name}: {{column: {name}, kind: number}}" for name in (*columns, *others))
    declared = "".join(_METRIC.format(id=name) for name in columns)
    return _BOOK.format(own=own), f"sources:\n  events: {{silent_days: 62}}\nmetrics:\n{declared}"
