"""Panels of a real wholesaler's invoices equal plain pandas: London's clock in the files, Auckland's in the book, both with summer time.

Most invoices are written in London by day, so that midnight in Auckland falls among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.panel.truth import At, Files, Metric, day_numbers, exact_sum, in_order, last_of, ratio, some
from tests.panel.workspaces import loaded, not_equal, panel, write_metrics

ZONE = "Pacific/Auckland"
BOOK = f"""\
time_zone: {ZONE}
currency: GBP
sources:
  - files: invoices.parquet
    table: purchases
    time_zone: Europe/London
    columns:
      account_id: CustomerID
      purchased: InvoiceDate
      purchase_id: InvoiceNo
      product: StockCode
      quantity: Quantity
      price: {{column: UnitPrice, kind: number}}
      country: {{column: Country, kind: text}}
    ignore: [Description]
"""


@dataclass(frozen=True)
class Company:
    folder: Path
    files: Files
    accounts: tuple[str, ...]


@pytest.fixture(scope="module")
def company(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("retail")
    lines = pq.read_table(shared_data / "online_retail" / "onlineretail.parquet").to_pandas()
    customers = sorted(lines.CustomerID.dropna().unique())[5::43]
    lines = lines[lines.CustomerID.isin(customers)].reset_index(drop=True)
    (folder / "data").mkdir()
    lines.to_parquet(folder / "data" / "invoices.parquet")
    utc = lines.InvoiceDate.dt.tz_localize("Europe/London").dt.tz_convert("UTC").dt.tz_localize(None)
    rows = lines.assign(account=lines.CustomerID.astype(int).astype(str), at=utc, day=day_numbers(utc, ZONE))
    assert (rows.day != day_numbers(utc, "Europe/London")).sum() > len(rows) / 4
    accounts = tuple(sorted(rows.account.unique())[::9])
    return Company(loaded(folder / "w", BOOK, folder / "data"), Files({"purchases": in_order(rows)}, {}, dense=frozenset()), accounts)


def lines(at: At, window: tuple[int, int]) -> pd.DataFrame:
    return at.rows("purchases", window)


def returned(at: At, window: tuple[int, int]) -> pd.DataFrame:
    return at.rows("purchases", window, lambda rows: rows.InvoiceNo.str.startswith("C"))


def few_dear_and_not_german(rows: pd.DataFrame) -> pd.Series:
    return rows.Quantity.between(1, 3) & (rows.UnitPrice > 4.95) & (rows.Country != "Germany")


def day_of(number: float) -> date:
    return date.fromordinal(int(number))


METRICS: dict[str, tuple[str, Metric]] = {
    "lines_30d": ("{count: purchases, window: 30d}", lambda at: len(lines(at, at.days(30)))),
    "lines_ever": ("{count: purchases}", lambda at: len(lines(at, at.lifetime()))),
    "last_quarter": ("{count: purchases, window: last quarter}", lambda at: len(lines(at, at.period(3, 1)))),
    "invoices_6mo": ("{distinct: purchases.purchase_id, window: 6mo}", lambda at: lines(at, at.months(6)).InvoiceNo.nunique()),
    "products": ("{distinct: purchases.product}", lambda at: lines(at, at.lifetime()).StockCode.nunique()),
    "buying_days": ("{active_days: purchases, window: 150d}", lambda at: lines(at, at.days(150)).day.nunique()),
    "pieces": ("{sum: purchases.quantity, window: year}", lambda at: exact_sum(lines(at, at.period(12)).Quantity)),
    "prices": ("{sum: purchases.price}", lambda at: exact_sum(lines(at, at.lifetime()).UnitPrice)),
    "price": (
        "{average: purchases.price, window: 130d}",
        lambda at: exact_sum(lines(at, at.days(130)).UnitPrice) / len(some(lines(at, at.days(130)))),
    ),
    "dearest": ("{max: purchases.price, window: 60d}", lambda at: some(lines(at, at.days(60))).UnitPrice.max()),
    "first_day": ("{min: purchases.purchased}", lambda at: day_of(some(lines(at, at.lifetime())).day.min())),
    "since_last": ("{days_since_last: purchases}", lambda at: at.day - some(lines(at, at.lifetime())).day.max()),
    "since_first": ("{days_since_first: purchases, window: 3mo}", lambda at: at.day - some(lines(at, at.months(3))).day.min()),
    "last_invoice": ("{last: purchases.purchase_id}", lambda at: last_of(lines(at, at.lifetime()), "InvoiceNo")),
    "last_country": ("{last: purchases.country, window: 2mo}", lambda at: last_of(lines(at, at.months(2)), "Country")),
    "returns": (
        "{ratio: [{count: purchases, where: {purchase_id: {starts_with: C}}, window: 90d}, {count: purchases, window: 90d}]}",
        lambda at: ratio(len(returned(at, at.days(90))), len(lines(at, at.days(90)))),
    ),
    "small_dear": (
        "{count: purchases, where: {quantity: {between: [1, 3]}, price: {above: 4.95}, country: {not: Germany}}, window: 250d}",
        lambda at: len(at.rows("purchases", at.days(250), few_dear_and_not_german)),
    ),
    "change": (
        "{change: {of: {count: purchases, window: month}, days: 31}}",
        lambda at: len(lines(at, at.period(1))) - len(lines(at.earlier(31), at.earlier(31).period(1))),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        ("--every", "month", "--from", "2010-11-01", "--to", "2012-02-29"),
        ("--every", "day", "--from", "2011-03-25", "--to", "2011-04-05"),  # London's clock changes on 27 March, Auckland's on 3 April
        ("--every", "week", "--from", "2011-09-15", "--to", "2011-11-15"),  # Auckland's on 25 September, London's on 30 October
    ],
    ids=["months", "days of spring", "weeks of autumn"],
)
def test_every_metric_is_what_plain_pandas_counts(company: Company, options: tuple[str, ...]) -> None:
    write_metrics(company.folder, {id: definition for id, (definition, _) in METRICS.items()})
    found = panel(company.folder, *options)
    assert not_equal(found, company.files, METRICS, company.accounts) == []
