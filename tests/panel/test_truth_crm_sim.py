"""Panels of the crm_sim company equal plain pandas over its files: months, weeks, days on which clocks change, renewals.

The company is moved by 61 days, so that the leap day of 2024 lies in its data, and lives in New York while its files are in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.panel.crm_metrics import METRICS
from tests.panel.truth import Files, day_numbers, in_order, those
from tests.panel.workspaces import loaded, not_equal, panel, write_metrics

ZONE = "America/New_York"
MOVED = pd.Timedelta(days=61)
BOOK = f"""\
time_zone: {ZONE}
currency: USD
fiscal_year_starts: 2
sources:
  - files: accounts.parquet
    table: accounts
    key: account_id
    columns: {{account_id: account_id, country: country, created_on: first_start_date, segment: channel}}
    fixed: [created_on, segment]
    ignore: [date_of_birth, shard_seed, has_events, n_events_simulated]
  - files: events.parquet
    table: events
    time_zone: UTC
    columns: {{account_id: account_id, occurred: event_time, event: event, user_id: user_id, value: value}}
  - files: subscriptions.parquet
    table: subscriptions
    columns:
      account_id: account_id
      subscription_id: subscription_id
      started: start_date
      ended: end_date
      amount: {{column: mrr, covers: month}}
      product: product
      is_addon: is_addon
      seats: quantity
    ignore: [units, bill_period_months, discount, addon_held, addon_inferred]
"""


@dataclass(frozen=True)
class Company:
    folder: Path
    files: Files
    accounts: tuple[str, ...]
    """Those that are compared: with events that go on, with events that end, and without."""
    terms: pd.DataFrame


def moved(rows: pa.Table) -> pd.DataFrame:
    """The rows as pandas holds them, 61 days later."""
    frame = rows.to_pandas(date_as_object=False)
    for name in frame.columns:
        if pd.api.types.is_datetime64_any_dtype(frame[name]):
            frame[name] = frame[name] + MOVED
    return frame


@pytest.fixture(scope="module")
def company(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Company:
    source, folder = shared_data / "crm_sim", tmp_path_factory.mktemp("crm")
    (folder / "data").mkdir()
    with_events = sorted(pq.read_table(source / "events.parquet", columns=["account_id"])["account_id"].unique().to_pylist())
    used = with_events[3::55]
    all_accounts = sorted({*used, *range(0, 3_816, 97)})
    frames: dict[str, pd.DataFrame] = {}
    for name, accounts in (("events", used), ("accounts", all_accounts), ("subscriptions", all_accounts)):
        frames[name] = moved(pq.read_table(source / f"{name}.parquet", filters=[("account_id", "in", accounts)]))
        written = frames[name].copy()
        for column in written.columns.intersection(["date_of_birth", "first_start_date", "start_date", "end_date"]):
            written[column] = written[column].dt.date
        written.to_parquet(folder / "data" / f"{name}.parquet")
    without = sorted(set(all_accounts) - set(used))[::15]
    compared = tuple(str(one) for one in (*used[:3], *without[:1], *used[3:6], *without[1:], *used[6:9]))
    return Company(loaded(folder / "w", BOOK, folder / "data"), files_of(frames), compared, frames["subscriptions"])


def files_of(frames: dict[str, pd.DataFrame]) -> Files:
    events, terms, accounts = (frames[name] for name in ("events", "subscriptions", "accounts"))
    events = events.assign(account=events.account_id.astype(str), at=events.event_time, day=day_numbers(events.event_time, ZONE))
    events = events.assign(user_id=events.user_id.astype(str), event=events.event.astype(str))
    terms = terms.assign(account=terms.account_id.astype(str), at=terms.start_date, day=ordinals(terms.start_date))
    terms = terms.assign(ended=ordinals(terms.end_date), amount=terms.mrr, seats=terms.quantity, is_addon=terms.is_addon.astype(bool))
    born = dict(zip(accounts.account_id.astype(str), ordinals(accounts.first_start_date), strict=True))
    return Files({"events": in_order(events), "subscriptions": in_order(terms)}, born, fiscal_year_starts=2)


def ordinals(days: pd.Series) -> pd.Series:
    return (days - pd.Timestamp(1970, 1, 1)).dt.days + date(1970, 1, 1).toordinal()


DEFINED = {id: definition for id, (definition, _) in METRICS.items()}


def as_of(*days: str) -> tuple[str, ...]:
    return tuple(word for day in days for word in ("--as-of", day))


LEAP_DAY = ("2024-02-28", "2024-02-29", "2024-03-01", "2024-03-31")
CLOCKS_CHANGE = ("2022-11-05", "2022-11-06", "2022-11-07", "2023-03-12", "2024-03-09", "2024-03-10", "2024-03-11")


@pytest.mark.parametrize(
    ("options", "dates", "accounts"),
    [
        (("--every", "month", "--from", "2022-02-01", "--to", "2024-05-31"), 28, 7),
        (("--every", "week", "--from", "2023-02-20", "--to", "2023-04-16"), 8, 5),
        (as_of(*LEAP_DAY, *CLOCKS_CHANGE), 11, 5),
    ],
    ids=["months", "weeks", "leap day and clocks"],
)
def test_every_metric_is_what_plain_pandas_counts(company: Company, options: tuple[str, ...], dates: int, accounts: int) -> None:
    write_metrics(company.folder, DEFINED)
    found = panel(company.folder, *options)
    assert found.as_of.nunique() == dates
    assert not_equal(found, company.files, METRICS, company.accounts[:accounts]) == []


def test_days_before_each_renewal_are_as_good_as_any_other_days(company: Company) -> None:
    write_metrics(company.folder, DEFINED)
    found = panel(company.folder, "--before-renewals", "90,7")
    found = those(found, found.due.map(lambda due: date(2023, 12, 15) <= due <= date(2024, 1, 31)))
    assert (found.due.map(date.toordinal) - found.as_of.map(date.toordinal) == found.horizon_days).all()
    own_terms = company.terms[company.terms.account_id.astype(str).isin(company.accounts) & ~company.terms.is_addon.astype(bool)]
    ends = {(str(account), end.date()) for account, end in zip(own_terms.account_id, own_terms.end_date, strict=True)}
    dues = {(account, due) for account, due in zip(found.account_id, found.due, strict=True) if account in company.accounts}
    assert dues and dues <= ends
    with_units = [account for account in company.accounts if account in set(found.account_id)]
    assert not_equal(found, company.files, METRICS, with_units) == []


def test_z_scores_are_those_of_the_accounts_that_have_a_value_on_the_day(company: Company) -> None:
    metrics = {
        "searches": "{count: events, where: {event: search}, window: 90d}",
        "z": "{z_score: searches}",
        "terms": "{count: subscriptions}",
        "within": "{z_score: {of: terms, within: segment}}",
        "segment": "{attribute: segment}",
    }
    write_metrics(company.folder, metrics)
    found = panel(company.folder, "--as-of", "2023-06-30", "--as-of", "2024-02-29")
    for _, on_day in found.groupby("as_of"):
        _check_z_scores(on_day, "searches", "z", [""] * len(on_day))
        _check_z_scores(on_day, "terms", "within", list(on_day.segment))


def _check_z_scores(on_day: pd.DataFrame, of: str, z: str, groups: list[object]) -> None:
    valued = pd.DataFrame(
        {"value": pd.to_numeric(on_day[of]), "z": pd.to_numeric(on_day[z]), "group": groups, "why": on_day[f"{z}__missing"]}
    )
    for _, peers in valued[valued.value.notna()].groupby("group"):
        if len(peers) < 5 or peers.value.nunique() == 1:
            assert set(peers.why) == {"few_peers"}
            continue
        expected = (peers.value - peers.value.mean()) / peers.value.std(ddof=1)
        assert peers.z.tolist() == pytest.approx(expected.tolist(), rel=1e-9, abs=1e-9)
