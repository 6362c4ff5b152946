"""The demo company's records: keys, references, dates and money hold together, and the same seed gives the same bytes."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from unspun.book.demo import DemoCompany, Parameters, make_company, write_demo
from unspun.book.demo.simulation import simulate_contracts
from unspun.errors import BadInput

Frame = Any  # pandas' own annotations do not tell a frame from a series
AS_OF = date(2026, 10, 31)

KEYS = {
    "accounts": ["account_id"],
    "segments": ["account_id", "valid_from"],
    "owners": ["owner"],
    "owner_history": ["account_id", "valid_from"],
    "contacts": ["contact_id"],
    "subscriptions": ["subscription_id"],
    "renewals": ["renewal_id"],
    "usage": ["account_id", "day"],
    "tickets": ["ticket_id"],
    "touchpoints": ["touchpoint_id"],
    "survey_invitations": ["eligibility_id"],
    "survey_responses": ["eligibility_id"],
    "health_scores": ["account_id", "scored_on", "score_name", "recorded_at"],
    "truth_accounts": ["account_id"],
    "truth_owners": ["owner"],
    "truth_renewals": ["renewal_id"],
    "truth_outages": ["first_day"],
    "truth_faults": ["row_id", "column"],
}
RECORDED = {
    "accounts": ["signed_on"],
    "segments": ["valid_from"],
    "owners": ["joined_on", "left_on"],
    "owner_history": ["valid_from", "valid_to"],
    "contacts": ["added_on", "left_on"],
    "subscriptions": ["start_date"],
    "renewals": ["term_start", "notice_date", "outcome_known_at"],
    "usage": ["day"],
    "tickets": ["opened_at", "closed_at"],
    "touchpoints": ["happened_at", "logged_at"],
    "survey_invitations": ["eligible_on", "invited_on"],
    "survey_responses": ["responded_on"],
    "health_scores": ["scored_on", "recorded_at"],
}


@pytest.fixture(scope="module")
def company() -> DemoCompany:
    return make_company(seed=3, accounts=400, as_of=AS_OF)


@pytest.fixture(scope="module")
def tables(company: DemoCompany) -> dict[str, Frame]:
    return {name: table.to_pandas() for name, table in company.tables().items()}


def digests(paths: dict[str, Path]) -> dict[str, str]:
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    first, again, other = (
        digests(write_demo(tmp_path / folder, seed, 60, AS_OF)) for folder, seed in (("first", 7), ("again", 7), ("other", 8))
    )
    assert first == again
    same = {name for name in first if first[name] == other[name]}
    assert same == {"truth_outages", "truth_faults"}  # planned, not drawn; and a company so small has no faults


def test_a_generator_serves_as_a_seed() -> None:
    first, again = (make_company(np.random.default_rng(5), 30, AS_OF) for _ in range(2))
    assert first.renewals.equals(again.renewals)
    assert first.health_scores.equals(again.health_scores)


def test_files_say_what_the_tables_say(tmp_path: Path, company: DemoCompany) -> None:
    paths = write_demo(tmp_path, 3, 400, AS_OF)
    assert set(paths) == set(company.tables())
    for name, table in company.tables().items():
        read = pd.read_parquet(paths[name]) if paths[name].suffix == ".parquet" else pd.read_csv(paths[name])
        assert list(read.columns) == table.column_names
        assert len(read) == table.num_rows
    renewals = pd.read_csv(paths["renewals"])
    assert renewals.arr_before.tolist() == company.renewals["arr_before"].to_pylist()
    assert {path.parent.name for name, path in paths.items() if name.startswith("truth_")} == {"truth"}


def test_the_company_has_the_promised_size_in_files_under_40_mb(tmp_path: Path) -> None:
    paths = write_demo(tmp_path)
    renewals, accounts = pd.read_csv(paths["renewals"]), pd.read_csv(paths["accounts"])
    assert len(accounts) == 2_000
    assert 2_800 <= (renewals.outcome != "open").sum() <= 3_600
    assert 300 <= (renewals.outcome == "churned").sum() <= 420
    assert sum(path.stat().st_size for path in paths.values()) < 40e6


@pytest.mark.parametrize("name", sorted(KEYS))
def test_keys_are_unique_and_never_empty(tables: dict[str, Frame], name: str) -> None:
    keys = tables[name][KEYS[name]]
    assert len(keys) > 0
    assert not keys.isna().any().any()
    assert not keys.duplicated().any()


def test_every_reference_but_the_planted_ones_is_to_a_row_that_exists(tables: dict[str, Frame]) -> None:
    mistyped = set(tables["truth_faults"].recorded)
    targets = {
        "account_id": ("accounts", "account_id"),
        "parent_id": ("accounts", "account_id"),
        "top_parent_id": ("accounts", "account_id"),
        "owner": ("owners", "owner"),
        "contact_id": ("contacts", "contact_id"),
        "renewal_id": ("renewals", "renewal_id"),
        "eligibility_id": ("survey_invitations", "eligibility_id"),
    }
    checked = 0
    for name, table in tables.items():
        for column in targets.keys() & set(table.columns):
            there, key = targets[column]
            assert set(table[column].dropna()) - mistyped <= set(tables[there][key]), (name, column)
            checked += 1
    assert checked > 25


def test_account_names_are_unique(tables: dict[str, Frame]) -> None:
    assert tables["accounts"].name.is_unique
    many = simulate_contracts(1, 20_000, AS_OF, Parameters()).accounts.names
    assert len(set(many)) == 20_000


def test_the_hierarchy_has_no_cycle_and_is_at_most_three_deep(tables: dict[str, Frame]) -> None:
    accounts = tables["accounts"]
    parent = dict(zip(accounts.account_id, accounts.parent_id, strict=True))
    tops, depths = {}, []
    for account in parent:
        above, depth = account, 0
        while isinstance(parent[above], str):
            above, depth = parent[above], depth + 1
            assert depth <= 2, account
        tops[account] = above
        depths.append(depth)
    assert tops == dict(zip(tables["truth_accounts"].account_id, tables["truth_accounts"].top_parent_id, strict=True))
    assert np.mean(np.array(depths) > 0) == pytest.approx(0.12, abs=0.005)
    assert depths.count(2) > 0


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_nothing_on_record_is_later_than_the_as_of_day(tables: dict[str, Frame], name: str) -> None:
    for column in RECORDED[name]:
        latest = pd.to_datetime(tables[name][column], utc=True).max()
        assert latest < pd.Timestamp(AS_OF, tz="UTC") + pd.Timedelta(days=1), column


def test_another_as_of_day_moves_the_records_with_it() -> None:
    moved = make_company(seed=3, accounts=60, as_of=date(2025, 3, 31))
    days = moved.usage["day"].to_pylist()
    assert (min(days), max(days)) == (date(2022, 4, 1), date(2025, 3, 31))


def test_terms_follow_each_other_until_the_account_churns(tables: dict[str, Frame]) -> None:
    renewals = tables["renewals"].sort_values(["account_id", "due_date"])
    follows = renewals.account_id.eq(renewals.account_id.shift())
    assert (renewals.term_start[follows] == renewals.due_date.shift()[follows]).all()
    assert (renewals.arr_before[follows] == renewals.arr_after.shift()[follows]).mean() > 0.99  # but where still open
    assert not (renewals.outcome.shift()[follows] == "churned").any()


def test_renewals_are_decided_when_due_and_recorded_and_open_otherwise(tables: dict[str, Frame]) -> None:
    renewals = tables["renewals"]
    undecided = renewals.outcome == "open"
    assert undecided[pd.to_datetime(renewals.due_date) > pd.Timestamp(AS_OF)].all()
    assert renewals.arr_after.isna().equals(undecided)
    assert renewals.outcome_known_at.isna().equals(undecided)
    assert (renewals.outcome[renewals.notice_date.notna()].isin(["churned", "open"])).all()


def test_outcomes_and_amounts_agree(tables: dict[str, Frame]) -> None:
    decided = tables["renewals"][tables["renewals"].outcome != "open"]
    change = np.sign(decided.arr_after - decided.arr_before)
    assert (decided.arr_before > 0).all()
    assert ((decided.arr_after == 0) == (decided.outcome == "churned")).all()
    by_outcome = {name: set(change[decided.outcome == name]) for name in ("renewed", "churned", "contracted", "expanded")}
    assert by_outcome == {"renewed": {0}, "churned": {-1}, "contracted": {-1}, "expanded": {1}}


def test_each_account_has_one_owner_at_a_time_who_works_there(tables: dict[str, Frame]) -> None:
    history = tables["owner_history"].merge(tables["owners"], on="owner")
    assert (history.valid_from >= history.joined_on).all()
    left = history.left_on.notna()
    assert (history.valid_to[left] <= history.left_on[left]).all()
    spells = tables["owner_history"].sort_values(["account_id", "valid_from"])
    follows = spells.account_id.eq(spells.account_id.shift())
    assert (spells.valid_from[follows] == spells.valid_to.shift()[follows]).all()
    assert follows.sum() > 100  # owners do change


def test_faulty_arguments_are_named_together() -> None:
    with pytest.raises(BadInput) as caught:
        make_company(seed=-1, accounts=3, as_of=AS_OF)
    assert [fault.where for fault in caught.value.faults] == ["seed", "accounts"]
