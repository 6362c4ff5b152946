"""Proposals for exports of products: the samples, and the sources of their column names, are those of tests/unit/book/test_vendors.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.book.test_vendors import RENEWALS, SCORES, Sample
from unspun.book.mapping.book_names import BOOK_NAMES
from unspun.book.mapping.definition import BookDefinition
from unspun.book.mapping.propose import Proposal, propose

EMPTY = BookDefinition(())
OTHERWISE_IN_THE_BOOK = {  # what the audit reads, and the book cannot: it takes a column once, and no `is closed`
    "Totango account with the day of the export": {"score": ("band", "Health")},
    "Salesforce opportunity": {"outcome": ("outcome", "StageName"), "closed": None, "outcome_known_at": None},
    "Salesforce opportunity without its stage": {"closed": None, "outcome_known_at": None},
    "HubSpot deal": {"outcome_known_at": None},
    "HubSpot deal by internal names": {"outcome_known_at": None},
}
TERMS = "Planhat licence"  # a file of terms with their outcomes: it could feed either table


def proposed(folder: Path, sample: Sample) -> Proposal:
    path = folder / "export.csv"
    path.write_bytes(sample.file())
    return propose(str(path), EMPTY)


def wanted(name: str, sample: Sample, role: str) -> dict[str, str]:
    """The book columns that the audit's reading of the sample amounts to."""
    read = {BOOK_NAMES[role][key]: column for key, column in sample.read.items() if key in BOOK_NAMES[role]}  # pyright: ignore[reportArgumentType]
    for key, other in OTHERWISE_IN_THE_BOOK.get(name, {}).items():
        if key in BOOK_NAMES[role]:  # pyright: ignore[reportArgumentType]
            read.pop(BOOK_NAMES[role][key], None)  # pyright: ignore[reportArgumentType]
        read |= {other[0]: other[1]} if other else {}
    return read


@pytest.mark.parametrize("name", SCORES)
def test_scores_of_a_product_are_mapped_as_the_audit_reads_them(tmp_path: Path, name: str) -> None:
    proposal = proposed(tmp_path, SCORES[name])
    assert proposal.mapping is not None
    assert proposal.mapping.table == "scores"
    standard = {book: file for book, file in proposal.mapping.columns.items() if book not in proposal.mapping.kinds}
    assert standard == wanted(name, SCORES[name], "scores")


@pytest.mark.parametrize("name", [name for name in RENEWALS if name != TERMS])
def test_renewals_of_a_product_are_mapped_as_the_audit_reads_them(tmp_path: Path, name: str) -> None:
    proposal = proposed(tmp_path, RENEWALS[name])
    assert proposal.mapping is not None
    assert proposal.mapping.table == "renewals"
    standard = {book: file for book, file in proposal.mapping.columns.items() if book not in proposal.mapping.kinds}
    assert standard == wanted(name, RENEWALS[name], "renewals")


def test_terms_with_an_outcome_feed_subscriptions_and_it_is_said_that_they_could_feed_renewals(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, RENEWALS[TERMS])
    assert proposal.mapping is not None
    assert (proposal.mapping.table, proposal.mapping.columns["started"], proposal.mapping.columns["ended"]) == (
        "subscriptions", "fromDate", "toDate",
    )  # fmt: skip
    assert any("could also feed renewals" in doubt for doubt in proposal.doubts)


def test_a_close_date_taken_as_due_is_a_doubt_and_not_also_the_day_of_the_decision(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, RENEWALS["HubSpot deal"])
    assert any("close date of each deal is taken as its due date" in doubt for doubt in proposal.doubts)
    assert any("when an outcome was known" in doubt for doubt in proposal.doubts)


def test_a_stage_of_the_companys_own_is_named_as_a_word_without_a_meaning(tmp_path: Path) -> None:
    doubts = proposed(tmp_path, RENEWALS["Salesforce opportunity"]).doubts
    assert any("'Our own last step' (1 row)" in doubt and "`words`" in doubt for doubt in doubts)


def test_open_deals_are_not_called_lost_because_they_are_not_won(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, RENEWALS["Salesforce opportunity without its stage"])
    assert proposal.mapping is not None
    assert proposal.mapping.words == {"outcome": {"true": "renewed"}}
    assert any("may be lost or still open" in doubt for doubt in proposal.doubts)


def test_deals_that_are_all_closed_are_lost_where_they_are_not_won(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("AccountId,CloseDate,IsClosed,IsWon\n001A,2025-06-30,true,true\n001B,2025-07-31,true,false\n")
    mapping = propose(str(path), EMPTY).mapping
    assert mapping is not None
    assert mapping.words == {"outcome": {"true": "renewed", "false": "churned"}}


@pytest.mark.parametrize(
    ("lines", "columns"),
    [
        (
            "Id,AccountId,ContractNumber,ContractTerm,StartDate,EndDate\n800A,001A,00000100,12,2024-06-30,2025-06-29\n",
            {"account_id": "AccountId", "subscription_id": "ContractNumber", "started": "StartDate", "ended": "EndDate"},
        ),
        (
            "externalId,companyId,product,fromDate,toDate,mrr\nl1,c1,Core,2024-06-30,2025-06-30,100\n",
            {"account_id": "companyId", "subscription_id": "externalId", "started": "fromDate", "ended": "toDate", "amount": "mrr"},
        ),
    ],
    ids=["Salesforce contract", "Planhat licence"],
)
def test_contracts_and_licences_are_terms(tmp_path: Path, lines: str, columns: dict[str, str]) -> None:
    path = tmp_path / "export.csv"
    path.write_text(lines)
    mapping = propose(str(path), EMPTY).mapping
    assert mapping is not None
    assert mapping.table == "subscriptions"
    assert columns.items() <= mapping.columns.items()
