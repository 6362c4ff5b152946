"""Every standard metric, as `unspun metrics suggest` writes it into metrics.yml, has in the panel what plain pandas counts in the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.doors.cli_files import run
from tests.panel import standard_desk, standard_use
from tests.panel.standard_desk import DESK, make_company
from tests.panel.standard_use import PURCHASES, USE
from tests.panel.test_truth_crm_sim import BOOK as CRM_BOOK
from tests.panel.test_truth_crm_sim import files_of, moved
from tests.panel.test_truth_online_retail import BOOK as RETAIL_BOOK
from tests.panel.test_truth_online_retail import ZONE as RETAIL_ZONE
from tests.panel.truth import Files, Metric, day_numbers, in_order
from tests.panel.workspaces import loaded, not_equal, panel
from unspun.metrics.read_file import read_metrics
from unspun.metrics.standard.catalogue import CATALOGUE


def declared(folder: Path, chosen: Mapping[str, Sequence[str]]) -> set[str]:
    """The ids that `suggest --write` puts into metrics.yml, once the choices are answered."""
    answers = [word for id, names in chosen.items() for name in names for word in ("--choose", f"{id}={name}")]
    ran = run("metrics", "suggest", *answers, "--write", "--workspace", folder)
    assert (ran.code, ran.err) == (0, "")
    assert run("metrics", "check", "--workspace", folder).code == 0
    return {one.id for one in read_metrics((folder / "metrics.yml").read_text(encoding="utf-8")).metrics}


def differences(folder: Path, files: Files, metrics: Mapping[str, Metric], accounts: Sequence[str], *options: str) -> list[str]:
    return not_equal(panel(folder, *options), files, {id: ("", metric) for id, metric in metrics.items()}, accounts)


def test_each_entry_of_the_catalogue_is_compared_with_plain_pandas_somewhere() -> None:
    each = {"usage_sum_28d": "value_sum_28d", "action_28d": "quote_28d"}
    compared = {*USE, *PURCHASES, *DESK}
    assert {id for id in CATALOGUE if each.get(id, id) not in compared} == set()


def test_metrics_of_use_and_contract_are_what_pandas_counts(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "crm_sim"
    (tmp_path / "data").mkdir()
    with_events = sorted(pq.read_table(source / "events.parquet", columns=["account_id"])["account_id"].unique().to_pylist())
    kept, frames = [*with_events[3::80], 97, 194], dict[str, pd.DataFrame]()
    for name in ("events", "accounts", "subscriptions"):
        frames[name] = moved(pq.read_table(source / f"{name}.parquet", filters=[("account_id", "in", kept)]))
        written = frames[name].copy()
        for column in written.columns.intersection(["date_of_birth", "first_start_date", "start_date", "end_date"]):
            written[column] = written[column].dt.date
        written.to_parquet(tmp_path / "data" / f"{name}.parquet")
    folder = loaded(tmp_path / "w", CRM_BOOK, tmp_path / "data")
    assert set(USE) <= declared(folder, standard_use.CHOSEN)
    accounts = tuple(str(one) for one in kept)
    options = ("--every", "quarter", "--from", "2022-10-01", "--to", "2024-04-30")
    assert differences(folder, files_of(frames), USE, accounts, *options, "--metrics", ",".join(USE)) == []


def test_metrics_of_purchases_are_what_pandas_counts(shared_data: Path, tmp_path: Path) -> None:
    lines = pq.read_table(shared_data / "online_retail" / "onlineretail.parquet").to_pandas()
    customers = sorted(lines.CustomerID.dropna().unique())[5::301]
    lines = lines[lines.CustomerID.isin(customers)].reset_index(drop=True)
    lines = lines.assign(amount=(lines.Quantity * lines.UnitPrice).round(2))
    (tmp_path / "data").mkdir()
    lines.to_parquet(tmp_path / "data" / "invoices.parquet")
    utc = lines.InvoiceDate.dt.tz_localize("Europe/London").dt.tz_convert("UTC").dt.tz_localize(None)
    rows = lines.assign(account=lines.CustomerID.astype(int).astype(str), at=utc, day=day_numbers(utc, RETAIL_ZONE))
    book = RETAIL_BOOK.replace("      quantity: Quantity\n", "      quantity: Quantity\n      amount: amount\n")
    folder = loaded(tmp_path / "w", book, tmp_path / "data")
    assert declared(folder, {}) == set(PURCHASES)
    files = Files({"purchases": in_order(rows)}, {}, dense=frozenset())
    accounts = tuple(sorted(rows.account.unique()))
    assert differences(folder, files, PURCHASES, accounts, "--every", "month", "--from", "2010-12-01", "--to", "2012-01-31") == []


def test_metrics_of_support_surveys_and_contact_are_what_pandas_counts(tmp_path: Path) -> None:
    files = make_company(tmp_path)
    folder = loaded(tmp_path / "w", standard_desk.BOOK, tmp_path / "data")
    assert set(DESK) <= declared(folder, standard_desk.CHOSEN)
    accounts = tuple(sorted(files.born))[::6]
    options = ("--every", "quarter", "--from", "2024-06-01", "--to", "2026-06-30", "--metrics", ",".join(DESK))
    assert differences(folder, files, DESK, accounts, *options) == []


@pytest.mark.parametrize("id", CATALOGUE)
def test_an_entry_says_where_it_comes_from_and_what_it_does_not_tell(id: str) -> None:
    entry = CATALOGUE[id]
    assert (
        entry.reference.startswith("common practice: ") or any(sign.isdigit() for sign in entry.reference) or "https://" in entry.reference
    )
    assert entry.caveat.endswith(".")
    assert entry.description.endswith(".")
