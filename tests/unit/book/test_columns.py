"""Columns: found by their usual names, by the caller's word otherwise, and asked about where two would do."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from unspun.book.column_reference import column_reference
from unspun.book.columns import ROLES, find_columns
from unspun.book.files import open_table
from unspun.book.inputs import read_inputs
from unspun.book.renewals import read_renewals
from unspun.book.roles import REQUIRED
from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions, Role
from unspun.errors import BadInput, Fault

NOTHING = ReadingOptions()


def scores(header: str, options: ReadingOptions = NOTHING) -> dict[str, str]:
    return read_scores(f"{header}\nA1,2026-01-01,55\n".encode(), options).source.columns


def faults(header: str, options: ReadingOptions = NOTHING) -> tuple[Fault, ...]:
    with pytest.raises(BadInput) as caught:
        scores(header, options)
    return caught.value.faults


ACCOUNTS = ["account", "account_id", "AccountID", "accountid", "Customer ID", "customerID", "company id", "Org-Id", "Account_Id__c"]
DATES = ["date", "scored_on", "Score Date", "as_of", "SnapshotDate", "month", "week", "timestamp"]
SCORES = ["score", "Health Score", "health", "NPS", "csat", "engagement_score", "Customer Health Index"]
DUES = ["due", "due_on", "Due Date", "renewal_date", "Renewal Due", "contract_end", "EndDate", "subscription end", "expires_on"]
OUTCOMES = ["outcome", "Status", "result", "renewal_status", "StageName", "stage"]


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("dated", DATES)
@pytest.mark.parametrize("score", SCORES)
def test_columns_are_found_by_their_usual_names(account: str, dated: str, score: str) -> None:
    assert scores(f"{account},{dated},{score}") == {"account": account, "date": dated, "score": score}


@pytest.mark.parametrize("due", DUES)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_renewal_columns_are_found_by_their_usual_names(due: str, outcome: str) -> None:
    header = f"account,{due},{outcome},ARR Before,new_arr,Currency,contract start,notice_date,Closed Date,Segment,CSM,Parent Account"
    row = "A1,2026-01-01,renewed,10,12,USD,2025-01-01,,2025-12-01,SMB,Ann,P1"
    assert read_renewals(f"{header}\n{row}\n".encode(), NOTHING).source.columns == {
        "account": "account", "due": due, "outcome": outcome, "amount_before": "ARR Before", "amount_after": "new_arr",
        "currency": "Currency", "term_start": "contract start", "notice": "notice_date", "outcome_known_at": "Closed Date",
        "segment": "Segment", "owner": "CSM", "parent": "Parent Account",
    }  # fmt: skip


def test_an_id_goes_before_a_name() -> None:
    history = read_scores(b"account_name,account_id,date,score\nAcme,A1,2026-01-01,5\n", NOTHING)
    assert history.account.names == ("A1",)
    assert history.source.unused == ("account_name",)


def test_two_columns_that_fit_one_role_are_asked_about() -> None:
    with pytest.raises(BadInput, match=r"'customer_id', 'company_id' fit the role account equally well") as caught:
        read_scores(b"customer_id,company_id,date,score\nA,B,2026-01-01,5\n", NOTHING)
    assert len(caught.value.faults) == 1
    assert '--map scores.account="customer_id"' in caught.value.faults[0].hint
    named = ReadingOptions(columns={"account": "company_id"})
    assert read_scores(b"customer_id,company_id,date,score\nA,B,2026-01-01,5\n", named).account.names == ("B",)


def test_no_name_stands_for_two_roles_of_one_file() -> None:
    for roles in ROLES.values():
        for (one, tiers), (other, others) in itertools.combinations(roles.items(), 2):
            assert not set(itertools.chain(*tiers)) & set(itertools.chain(*others)), (one, other)


def test_a_column_the_caller_names_may_differ_in_case_and_for_one_file() -> None:
    options = ReadingOptions(columns={"account": "KEY", "scores.date": "when", "renewals.due": "when"})
    history, renewals = read_inputs(b"key,when,score\nA,2026-01-01,5\n", b"Key,when,outcome\nA,2026-03-01,won\n", options)
    assert history.source.columns["date"] == renewals.source.columns["due"] == "when"
    assert history.account.names == renewals.account.names == ("A",)


def test_a_named_column_that_is_not_there_gets_the_nearest_one() -> None:
    (fault,) = faults("account,date,score", ReadingOptions(columns={"account": "acount"}))
    assert fault.code == "no_such_column" and "Did you mean 'account'?" in fault.hint


def test_a_role_that_is_none_is_told_once_for_both_files() -> None:
    with pytest.raises(BadInput) as caught:
        read_inputs(b"account,date,score\nA,2026-01-01,5\n", b"x,y\n1,2\n", ReadingOptions(columns={"acount": "x"}))
    assert [fault.code for fault in caught.value.faults].count("unknown_role") == 1
    assert "Did you mean 'account'?" in caught.value.faults[0].hint


def test_every_missing_column_is_told_with_the_option_to_give() -> None:
    found = faults("key,when,level")
    assert [fault.code for fault in found] == ["no_account_column", "no_date_column"]
    assert "'key', 'when', 'level'" in found[0].hint and '--map scores.account="COLUMN"' in found[0].hint


def test_undated_scores_are_refused_with_the_reason() -> None:
    (fault,) = faults("account,other,score")
    assert "Undated scores cannot be audited: nobody can tell what was known when" in fault.message


@pytest.mark.parametrize("role", ROLES)
def test_every_name_of_every_role_is_found_where_it_stands_alone(role: Role) -> None:
    for name, tiers in ROLES[role].items():
        for column in itertools.chain(*tiers):
            raw = open_table(f"{column},remark\nx,y\n".encode(), role)
            assert find_columns(raw, NOTHING).columns == {name: 0}, column


@pytest.mark.parametrize("role", ROLES)
def test_a_missing_column_of_every_file_is_told_with_its_own_option(role: Role) -> None:
    raw = open_table(b"remark,other\nx,y\n", role)
    found = find_columns(raw, NOTHING).faults
    assert [fault.code for fault in found] == [f"no_{name}_column" for name in REQUIRED[role]]
    assert all(f'--map {role}.{name}="COLUMN"' in fault.hint for fault, name in zip(found, REQUIRED[role], strict=True))


def test_the_page_of_column_names_is_printed_from_the_tables() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "columns.md"
    assert page.read_text() == column_reference()
