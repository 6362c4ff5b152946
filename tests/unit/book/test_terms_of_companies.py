"""Whole companies: renewals derived from their subscriptions against the renewals files that others wrote, row for row."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from unspun.book.demo.company import DEMO_AS_OF, make_company
from unspun.book.renewals import read_renewals
from unspun.book.subscriptions import read_subscriptions
from unspun.book.tables import OUTCOMES, ReadingOptions, Renewals
from unspun.book.terms.derive import derive_renewals
from unspun.book.terms.rules import TermRules

NOTHING = ReadingOptions()
CRM_AS_OF = date(2024, 1, 1)  # the last day on which a term of the file starts
BASE_ONLY = TermRules(add_ons_count=False)
ByDue = dict[tuple[str, str], tuple[str, float, float]]  # (account, due): (outcome, ARR before, ARR after)


def by_due(renewals: Renewals) -> ByDue:
    assert renewals.amount_before is not None and renewals.amount_after is not None
    accounts = [renewals.account.names[code] for code in renewals.account.codes]
    words = [(*OUTCOMES, "undecided")[code] for code in renewals.outcome]
    keys = zip(accounts, renewals.due.astype(str).tolist(), strict=True)
    found = zip(words, renewals.amount_before.tolist(), renewals.amount_after.tolist(), strict=True)
    return dict(zip(keys, found, strict=True))


def decided(renewals: ByDue) -> ByDue:
    return {key: row for key, row in renewals.items() if row[0] != "undecided"}


@pytest.fixture(scope="module")
def crm(shared_data: Path) -> pa.Table:
    return pq.read_table(shared_data / "crm_sim" / "subscriptions.parquet")


@pytest.fixture(scope="module")
def on_file(shared_data: Path) -> ByDue:
    """The renewals file of crm_sim, read without the product."""
    with (shared_data / "crm_sim" / "renewals.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {(r["account_id"], r["due_on"]): (r["outcome"], float(r["arr_before"]), float(r["arr_after"])) for r in rows}


def derive_crm(crm: object, rules: TermRules) -> ByDue:
    return by_due(derive_renewals(read_subscriptions(crm, NOTHING), rules, CRM_AS_OF))


def test_from_base_terms_alone_every_renewal_of_crm_sim_agrees_in_outcome_and_arr(crm: pa.Table, on_file: ByDue) -> None:
    derived = derive_crm(crm, BASE_ONLY)
    assert decided(derived) == on_file and len(on_file) == 31_902
    counted = Counter(outcome for outcome, _, _ in derived.values())
    assert counted == {"renewed": 28_567, "expanded": 1_788, "churned": 942, "contracted": 605, "undecided": 2_874}
    left_out = [due for (_, due), row in derived.items() if row[0] == "undecided"]
    assert sum(due > "2024-01-01" for due in left_out) == 2_857 and min(left_out) > "2023-12-25"  # the others: within 7 days of grace


def test_with_add_ons_the_outcomes_of_crm_sim_agree_and_each_arr_differs_by_the_add_ons_that_ran(crm: pa.Table, on_file: ByDue) -> None:
    derived = decided(derive_crm(crm, TermRules()))
    assert {key: row[0] for key, row in derived.items()} == {key: row[0] for key, row in on_file.items()}
    add_ons: defaultdict[tuple[str, str], float] = defaultdict(float)
    for row in crm.select(["account_id", "end_date", "mrr", "is_addon"]).to_pylist():
        add_ons[str(row["account_id"]), str(row["end_date"])] += row["mrr"] * 12 * row["is_addon"]
    assert all(derived[key][1] - before == add_ons[key] > 0 for key, (_, before, _) in on_file.items())
    differs = Counter(outcome for key, (outcome, _, after) in on_file.items() if derived[key][2] != after)
    assert differs == {"renewed": 28_567, "expanded": 1_788, "contracted": 605}  # a churned account has 0 after, add-ons or not


def test_the_late_renewals_of_crm_sim_churn_where_no_day_of_grace_is_given(crm: pa.Table, on_file: ByDue) -> None:
    strict = decided(derive_crm(crm, TermRules(add_ons_count=False, grace_days=0)))
    changed = [(row[0], strict[key][0]) for key, row in on_file.items() if strict[key][0] != row[0]]
    assert len(changed) == 7 and {now for _, now in changed} == {"churned"}
    more = {key: row for key, row in strict.items() if key not in on_file}
    assert {row[0] for row in more.values()} == {"churned"} and min(due for _, due in more) > "2023-12-25"


def test_where_the_terms_of_crm_sim_lie_in_two_files_the_renewals_are_the_same(crm: pa.Table, tmp_path: Path) -> None:
    some = crm.slice(0, 6_000)
    pa_csv.write_csv(some.slice(0, 2_345), tmp_path / "one.csv")
    pa_csv.write_csv(some.slice(2_345), tmp_path / "two.csv")
    halves = [str(tmp_path / "one.csv"), str(tmp_path / "two.csv")]
    whole, split = ({key: str(row) for key, row in derive_crm(source, BASE_ONLY).items()} for source in (some, halves))
    assert whole == split and len(whole) > 1_000


def test_the_demo_companys_renewals_agree_save_for_one_that_its_renewals_file_still_has_open() -> None:
    company = make_company()
    derived = by_due(derive_renewals(read_subscriptions(company.subscriptions, NOTHING), TermRules(), DEMO_AS_OF))
    theirs = by_due(read_renewals(company.renewals, NOTHING))
    assert derived.keys() == theirs.keys() and len(theirs) == 5_133
    assert all(derived[key][1] == before for key, (_, before, _) in theirs.items())
    assert all(derived[key] == row for key, row in decided(theirs).items())
    differs = [(due, row[0], derived[account, due][0]) for (account, due), row in theirs.items() if row[0] != derived[account, due][0]]
    assert differs == [("2026-10-25", "undecided", "renewed")]
