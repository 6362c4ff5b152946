"""The quality gate on data that nobody made for it: loaded as they are (`unspun load FOLDER --yes`), with nothing declared.

What is found is compared with counts made here from the files themselves, and with those that their publishers or others have stated.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.doors.cli_files import run


@dataclass(frozen=True)
class Checked:
    """A book made of a folder of files, and what a check of it said."""

    folder: Path
    answer: dict[str, Any]

    def counts(self, *severities: str) -> dict[str, tuple[int, int]]:
        """How many of how many, by the id of each finding."""
        return {one["id"]: (one["count"], one["of"]) for one in self.answer["findings"] if one["severity"] in severities}

    def finding(self, wanted: str) -> dict[str, Any]:
        (found,) = (one for one in self.answer["findings"] if one["id"] == wanted)
        return found

    def rows(self, finding: str) -> list[dict[str, str]]:
        path = self.folder / "rows.csv"
        ran = run("check", finding, "--rows", path, "--fail-on", "never", cwd=self.folder)
        assert (ran.code, ran.err) == (0, "")
        found = read_csv(path)
        path.unlink()
        return found


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def checked(folder: Path, data: Path) -> Checked:
    """What a user does: make a workspace, load the folder, check. Nothing is written into book.yml."""
    for arguments in (("init", folder), ("load", data, "--yes", "--no-check", "--workspace", folder)):
        ran = run(*arguments)
        assert (ran.code, ran.err) == (0, "")
    ran = run("check", "--json", cwd=folder)
    assert ran.err == ""
    answer = json.loads(ran.out)
    assert ran.code == (3 if any(one["severity"] == "error" for one in answer["findings"]) else 0)
    return Checked(folder, answer)


# RavenStack: tables that contradict each other


@pytest.fixture(scope="module")
def ravenstack(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    return checked(tmp_path_factory.mktemp("ravenstack") / "w", shared_data / "ravenstack")


@pytest.fixture(scope="module")
def raven_files(shared_data: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of its files, by the name of the table."""
    start = "ravenstack_"
    return {path.stem.removeprefix(start): read_csv(path) for path in (shared_data / "ravenstack").glob(f"{start}*.csv")}


def test_every_contradiction_of_ravenstack_is_found_without_being_told_and_nothing_else(ravenstack: Checked) -> None:
    assert ravenstack.counts("error") == {
        "usage_outside_subscription/events": (19_432, 25_000),  # 77.7 %
        "before_signup/tickets": (1_077, 2_000),  # 53.9 %
        "churn_flag_against_churns/accounts": (500 - 188, 500),  # 37.6 % agree
        "churn_flag_against_terms/accounts/flagged_but_run": (110, 500),
    }
    assert ravenstack.counts("warning") == {
        "before_signup/events": (13_198, 25_000),
        "overlapping_terms/subscriptions": (3_391, 5_000),
        "repeated_ids/events/event_id": (42, 25_000),
    }
    assert ravenstack.counts("note") == {
        "term_amounts/subscriptions/zero": (778, 5_000),
        "terms_without_days/subscriptions/ended_as_started": (13, 5_000),
        "term_gaps/subscriptions": (8, 4_500),
    }


def test_the_sentences_state_the_published_figures(ravenstack: Checked) -> None:
    said = {one["id"]: one["message"] for one in ravenstack.answer["findings"]}
    assert "19,432 of 25,000 events (77.7 %)" in said["usage_outside_subscription/events"]
    assert "19,142 before it starts, 290 after" in said["usage_outside_subscription/events"]
    assert "1,077 of 2,000 tickets (53.9 %)" in said["before_signup/tickets"]
    assert "for 188 of 500 accounts (37.6 %): 35 are flagged and have no churn, 277 " in said["churn_flag_against_churns/accounts"]
    assert said["repeated_ids/events/event_id"].startswith("21 values of event_id stand for several different rows each")


def test_usage_outside_its_subscription_is_the_usage_counted_row_by_row(
    ravenstack: Checked, raven_files: dict[str, list[dict[str, str]]]
) -> None:
    terms = {row["subscription_id"]: (row["start_date"], row["end_date"] or "9999") for row in raven_files["subscriptions"]}
    days = [(number, row["usage_date"], *terms[row["subscription_id"]]) for number, row in enumerate(raven_files["feature_usage"], 2)]
    outside = {str(number) for number, day, started, ended in days if not started <= day <= ended}
    assert {row["source_row"] for row in ravenstack.rows("usage_outside_subscription/events")} == outside
    assert sum(day < started for _, day, started, _ in days) == 19_142


def test_what_came_before_signup_is_what_the_files_date_before_it(
    ravenstack: Checked, raven_files: dict[str, list[dict[str, str]]]
) -> None:
    signup = {row["account_id"]: row["signup_date"] for row in raven_files["accounts"]}
    account = {row["subscription_id"]: row["account_id"] for row in raven_files["subscriptions"]}
    early = [row for row in raven_files["support_tickets"] if row["submitted_at"][:10] < signup[row["account_id"]]]
    used_early = [row for row in raven_files["feature_usage"] if row["usage_date"] < signup[account[row["subscription_id"]]]]
    assert (len(early), len(used_early)) == (1_077, 13_198)
    facts = ravenstack.finding("before_signup/events")["facts"]["counts"]
    assert facts["accounts"] == len({account[row["subscription_id"]] for row in used_early})


def test_the_ids_that_stand_for_several_rows_are_those_of_the_file(
    ravenstack: Checked, raven_files: dict[str, list[dict[str, str]]]
) -> None:
    counts = Counter(row["usage_id"] for row in raven_files["feature_usage"])
    twice = {usage_id for usage_id, rows in counts.items() if rows > 1}
    assert len(twice) == 21
    assert Counter(row["event_id"] for row in ravenstack.rows("repeated_ids/events/event_id")) == dict.fromkeys(twice, 2)


def test_the_flag_of_churn_is_held_against_the_churns_and_the_terms(
    ravenstack: Checked, raven_files: dict[str, list[dict[str, str]]]
) -> None:
    flagged = {row["account_id"] for row in raven_files["accounts"] if row["churn_flag"] == "True"}
    left = {row["account_id"] for row in raven_files["churn_events"]}
    assert {row["account_id"] for row in ravenstack.rows("churn_flag_against_churns/accounts")} == flagged ^ left
    runs = {row["account_id"] for row in raven_files["subscriptions"] if not row["end_date"]}
    found = ravenstack.rows("churn_flag_against_terms/accounts/flagged_but_run")
    assert {row["account_id"] for row in found} == flagged & runs


def test_terms_inside_others_are_those_found_by_comparing_every_two_of_an_account_and_plan(
    ravenstack: Checked, raven_files: dict[str, list[dict[str, str]]]
) -> None:
    terms: defaultdict[tuple[str, str], list[tuple[str, str, int, str]]] = defaultdict(list)
    for number, row in enumerate(raven_files["subscriptions"], 2):
        if row["end_date"] != row["start_date"]:
            span = (row["start_date"], row["end_date"] or "9999", number, row["arr_amount"])
            terms[row["account_id"], row["plan_tier"]].append(span)
    pairs = [(one, other) for spans in terms.values() for one in spans for other in spans if one[2] != other[2]]
    inside = {one[2] for one, other in pairs if other[0] <= one[0] and one[1] <= other[1] and one[:2] != other[:2]}
    same_days = [(one, other) for one, other in pairs if one[:2] == other[:2]]
    inside |= {one[2] for one, other in same_days if other[2] < one[2] and other[3] == one[3]}
    lines_of_an_order = {one[2] for one, other in same_days if other[3] != one[3]}
    found = {int(row["source_row"]) for row in ravenstack.rows("overlapping_terms/subscriptions")}
    assert len(found) == 3_391
    assert found <= inside and inside - found <= lines_of_an_order


# ChurnSim's company: add-ons that nobody chose, events written twice, gaps of days


@pytest.fixture(scope="module")
def crm_files(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its files, with the events of one account in so many; of each account all of them."""
    every = int(os.environ.get("UNSPUN_CRM_EVERY", "10"))
    made = tmp_path_factory.mktemp("crm") / "files"
    shutil.copytree(shared_data / "crm_sim", made)
    path = made / "events.parquet"
    accounts = sorted(pd.read_parquet(path, columns=["account_id"])["account_id"].unique().tolist())
    pq.write_table(pq.read_table(path, filters=[("account_id", "in", accounts[::every])]), path)
    return made


@pytest.fixture(scope="module")
def crm(crm_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    return checked(tmp_path_factory.mktemp("crm") / "w", crm_files)


@pytest.fixture(scope="module")
def crm_terms(shared_data: Path) -> pd.DataFrame:
    return pd.read_parquet(shared_data / "crm_sim" / "subscriptions.parquet")


def test_of_more_than_a_million_events_and_their_company_only_what_is_at_fault_is_told(crm: Checked, crm_files: Path) -> None:
    """UNSPUN_CRM_EVERY=1 takes all twelve million, of which 107 stand twice."""
    events = pd.read_parquet(crm_files / "events.parquet")
    months = pq.ParquetFile(crm_files / "account_months.parquet").metadata.num_rows
    twice = int(events.duplicated().sum())
    assert twice > 0 and len(events) > 1_000_000
    assert crm.counts("error") == {"term_flags_against_terms/subscriptions/addon_held_false": (53_728, 69_552)}
    assert crm.counts("warning") == {"phantom_addons/subscriptions/with_every_base_term": (69_552, 69_552)}
    assert crm.counts("note") == {"equal_rows/events/within_file": (twice, len(events) + months), "term_gaps/subscriptions": (7, 30_960)}


def test_phantom_add_ons_are_counted_with_the_money_that_they_add(crm: Checked, crm_terms: pd.DataFrame) -> None:
    addons = crm_terms[crm_terms.is_addon]
    not_held = addons.query("addon_held == False and mrr > 0")
    last = pd.Timestamp(str(crm_terms["start_date"].max()))
    runs = (pd.to_datetime(not_held["start_date"]) <= last) & (pd.to_datetime(not_held["end_date"]) > last)
    said = crm.finding("term_flags_against_terms/subscriptions/addon_held_false")["message"]
    assert (len(addons), len(not_held)) == (69_552, 53_728)
    assert f"ARR of {12 * not_held.loc[runs, 'mrr'].sum():,.0f} (on {last.date()})" in said
    product = addons.groupby("product").size()
    assert set(product.tolist()) == {len(crm_terms) - len(addons)}  # as many as there are base terms
    everywhere = crm.finding("phantom_addons/subscriptions/with_every_base_term")["message"]
    assert f"{', '.join(sorted(product.index))}." in everywhere


def test_gaps_between_terms_are_those_of_the_file(crm: Checked, crm_terms: pd.DataFrame) -> None:
    base = crm_terms[~crm_terms.is_addon].assign(started=lambda t: pd.to_datetime(t.start_date), ended=lambda t: pd.to_datetime(t.end_date))
    base = base.sort_values(["account_id", "started", "ended"])
    before = base.groupby("account_id").ended.transform(lambda ends: ends.cummax().shift())
    days = (base.started - before).dt.days
    gaps = days[days > 0]
    assert (len(gaps), int(days.notna().sum()), int(gaps.min()), int(gaps.max())) == (7, 30_960, 1, 3)
    told = crm.finding("term_gaps/subscriptions")
    assert {row["subscription_id"] for row in crm.rows("term_gaps/subscriptions")} == set(base.loc[gaps.index].subscription_id.astype(str))
    assert f"in {base.loc[gaps.index].account_id.nunique()} accounts: all of them within the 7 grace days" in told["message"]


# Data with little to contradict


def test_rows_of_online_retail_that_stand_twice_are_described_and_no_more(shared_data: Path, tmp_path: Path) -> None:
    found = checked(tmp_path / "w", shared_data / "online_retail")
    lines = pd.read_parquet(shared_data / "online_retail" / "onlineretail.parquet")
    lines = lines[lines.CustomerID.notna() & (lines.CustomerID.astype(str) != "")]
    assert found.counts("error", "warning") == {}
    assert found.counts("note") == {"equal_rows/purchases/within_file": (int(lines.duplicated().sum()), len(lines))}


def test_in_one_table_of_telco_nothing_is_found_and_what_could_not_be_looked_for_is_told(shared_data: Path, tmp_path: Path) -> None:
    found = checked(tmp_path / "w", shared_data / "telco")
    assert found.answer["findings"] == []
    assert any("holds no subscriptions" in one["reason"] for one in found.answer["not_run"])
