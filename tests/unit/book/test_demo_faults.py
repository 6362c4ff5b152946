"""The faults planted in the demo company's records: what truth_faults says of them, and that they change nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from unspun.book.demo import DemoCompany, Parameters, make_company
from unspun.book.demo.simulation import simulate_activity, simulate_contracts
from unspun.book.demo.tables import activity_tables, contract_tables

AS_OF = date(2026, 10, 31)
SEED, ACCOUNTS = 5, 1_000
COUNTS = {"before_signup": 7, "dates_in_wrong_order": 3, "id_spelling": 4, "shared_emails": 1}  # half of those of 2,000 accounts


@pytest.fixture(scope="module")
def company() -> DemoCompany:
    return make_company(SEED, ACCOUNTS, AS_OF)


@pytest.fixture(scope="module")
def frames(company: DemoCompany) -> dict[str, Any]:
    return {name: table.to_pandas() for name, table in company.tables().items()}


def of(frames: dict[str, Any], check: str) -> Any:
    """The rows that hold a planted fault, with all of their columns."""
    planted = frames["truth_faults"]
    planted = planted[planted.check == check]
    table = frames[planted.table.iloc[0]]
    return table[table[table.columns[0]].isin(planted.row_id)]


def test_only_the_cells_written_down_differ_from_the_simulated_records(company: DemoCompany) -> None:
    p = Parameters()
    contracts = simulate_contracts(SEED, ACCOUNTS, AS_OF, p)
    true = contract_tables(contracts, p) | activity_tables(contracts, simulate_activity(SEED, contracts, p))
    told = {(row["table"], row["row_id"], row["column"]) for row in company.truth_faults.to_pylist()}
    found = set()
    for name, table in true.items():
        recorded = company.tables()[name]
        assert recorded.schema == table.schema and len(recorded) == len(table)
        keys = table[table.column_names[0]].to_pylist()
        for column in table.column_names if not recorded.equals(table) else ():
            pairs = zip(keys, recorded[column].to_pylist(), table[column].to_pylist(), strict=True)
            found |= {(name, key, column) for key, one, other in pairs if one != other}
    assert found == told and len(told) == company.truth_faults.num_rows > 15


def test_as_many_rows_as_the_size_of_the_company_lets_expect_hold_a_fault(frames: dict[str, Any]) -> None:
    assert frames["truth_faults"].groupby("check").row_id.nunique().to_dict() == COUNTS
    assert make_company(SEED, 60, AS_OF).truth_faults.num_rows == 0


def test_the_rows_at_fault_are_the_only_ones_of_their_kind(frames: dict[str, Any]) -> None:
    accounts, tickets, contacts = frames["accounts"], frames["tickets"].merge(frames["accounts"], on="account_id"), frames["contacts"]
    early = tickets[tickets.opened_at.dt.date < tickets.signed_on]
    inverted = tickets[tickets.closed_at < tickets.opened_at]
    orphans = frames["touchpoints"][~frames["touchpoints"].account_id.isin(accounts.account_id)]
    assert set(early.ticket_id) == set(of(frames, "before_signup").ticket_id)
    assert set(inverted.ticket_id) == set(of(frames, "dates_in_wrong_order").ticket_id)
    assert set(orphans.touchpoint_id) == set(of(frames, "id_spelling").touchpoint_id)
    shared = contacts[contacts.email.duplicated(keep=False)]
    assert len(shared) == 2 and shared.account_id.nunique() == 2
    assert set(of(frames, "shared_emails").contact_id) < set(shared.contact_id)


def test_the_truth_says_what_each_cell_should_say(frames: dict[str, Any]) -> None:
    planted = frames["truth_faults"]
    for row in planted[planted.check == "before_signup"].itertuples():
        assert pd.Timestamp(row.recorded) < pd.Timestamp(row.true_value)
    mistyped = planted[planted.check == "id_spelling"]
    assert (mistyped.recorded.str.replace("O", "0") == mistyped.true_value).all()
    assert mistyped.true_value.isin(frames["accounts"].account_id).all()
