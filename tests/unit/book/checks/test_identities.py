"""Identity: ids given to another customer, customers under several ids, ids spelt differently, accounts merged and split."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.unit.book.checks.loaded_checks import Export, Found, checked
from unspun.book.checks.identities import CHECKS

Row = dict[str, Any]
FIRST = date(2025, 1, 1)


def of(folder: Path, *exports: Export) -> dict[str, Found]:
    return checked(folder, CHECKS, *exports)


def customers(number: int = 120) -> list[Row]:
    """Customers with names and places of their own, as they were described on one day."""
    return [
        {"account_id": f"A-{n:05d}", "dated": "2025-01-01", "name": f"Firm{n} Works", "parent_id": ""}
        | {"industry": f"I{n % 7}", "country": f"C{n % 9}"}
        for n in range(1, number + 1)
    ]


def accounts(*more: Row, number: int = 120) -> Export:
    return Export("accounts.csv", "accounts", [*customers(number), *more])


def usage(seed: int, accounts: int = 40, days: int = 200) -> list[Row]:
    """Users of accounts, each under one, some of whom come and go; accounts that come and go with all of theirs."""
    random = Random(seed)
    rows: list[Row] = []
    for account in range(1, accounts + 1):
        begins, ends = (random.randrange(100), random.randrange(101, 201)) if random.random() < 0.4 else (0, days)
        for user in range(random.randint(1, 12)):
            first, last = (begins, ends) if random.random() < 0.7 else sorted((random.randint(begins, ends), random.randint(begins, ends)))
            for day in range(first, last, 10):
                rows.append(
                    {"account_id": f"A-{account:05d}", "occurred": FIRST + timedelta(day), "event": "open", "user_id": f"u{account}.{user}"}
                )
    return rows


def moved(rows: list[Row], old: str, new: str, on: date, users: set[object] | None = None) -> list[Row]:
    """The rows of an account (or of some of its users) from a day on, under another account."""
    return [
        row | {"account_id": new}
        if row["account_id"] == old and row["occurred"] >= on and (users is None or row["user_id"] in users)
        else row
        for row in rows
    ]


def users_of(rows: list[Row], account: str) -> list[object]:
    return sorted({row["user_id"] for row in rows if row["account_id"] == account}, key=str)


# Names


def test_a_clean_company_gives_nothing(tmp_path: Path) -> None:
    contacts = [{"contact_id": f"K-{n}", "account_id": f"A-{n % 120 + 1:05d}", "email": f"p{n}@x.example"} for n in range(300)]
    found = of(tmp_path, accounts(), Export("usage.csv", "events", usage(0)), Export("contacts.csv", "contacts", contacts))
    assert not found


def test_a_new_name_is_described_and_a_new_customer_under_an_old_id_is_warned_of(tmp_path: Path) -> None:
    new = {"dated": "2025-06-01", "parent_id": ""}
    found = of(
        tmp_path,
        accounts(
            new | {"account_id": "A-00001", "name": "Zephyr", "industry": "I1", "country": "C1"},  # another name, nothing else
            new | {"account_id": "A-00002", "name": "Firm2 Group", "industry": "other", "country": "other"},  # moved, a word in common
            new | {"account_id": "A-00003", "name": "Quartz", "industry": "other", "country": "other"},
            new | {"account_id": "A-00004", "name": "FIRM4, Works Inc.", "industry": "I4", "country": "C4"},  # written otherwise
        ),
    )
    assert {name: (one.finding.severity, [row["account_id"] for row in one.rows]) for name, one in found.items()} == {
        "account_names/accounts/renamed": ("note", ["A-00001", "A-00002"]),
        "account_names/accounts/reused": ("warning", ["A-00003"]),
    }


def test_accounts_of_one_name_and_place_may_be_one_customer_unless_they_are_a_family(tmp_path: Path) -> None:
    same = {"dated": "2025-01-01", "industry": "", "country": "C1", "parent_id": ""}
    found = of(
        tmp_path,
        accounts(
            same | {"account_id": "B-1", "name": "Müller & Söhne GmbH"},
            same | {"account_id": "B-2", "name": "MULLER  SOHNE"},
            same | {"account_id": "B-3", "name": "Muller Sohne Ltd.", "country": "C2"},
            same | {"account_id": "B-4", "name": "Acme"},
            same | {"account_id": "B-5", "name": "Acme", "parent_id": "B-4"},
        ),
    )
    (one,) = found.values()
    assert one.finding.id == "account_names/accounts/same_name"
    assert (one.finding.severity, [row["account_id"] for row in one.rows]) == ("note", ["B-1", "B-2"])


def test_accounts_of_one_name_and_domain_are_warned_of(tmp_path: Path) -> None:
    rows = [{"account_id": f"A-{n}", "name": f"Firm{n}", "domain": f"firm{n}.example"} for n in range(50)]
    rows += [{"account_id": "B-1", "name": "Firm7 Inc", "domain": "FIRM7.example"}]
    (one,) = of(tmp_path, Export("accounts.csv", "accounts", rows, {"domain": "text"})).values()
    assert (one.finding.severity, one.finding.count) == ("warning", 2)


@pytest.mark.parametrize(("shared", "severity"), [(1, "note"), (20, "warning")])
def test_one_email_at_two_accounts_is_graver_the_more_there_are(tmp_path: Path, shared: int, severity: str) -> None:
    contacts = [{"contact_id": f"K-{n}", "account_id": f"A-{n % 60 + 1:05d}", "email": f"p{n}@x.example"} for n in range(200)]
    contacts += [{"contact_id": f"L-{n}", "account_id": f"A-{n % 60 + 61:05d}", "email": f" P{n}@X.example"} for n in range(shared)]
    (one,) = of(tmp_path, accounts(), Export("contacts.csv", "contacts", contacts)).values()
    assert one.finding.id == "shared_emails/contacts"
    assert (one.finding.severity, one.finding.count, len(one.rows)) == (severity, 2 * shared, 2 * shared)


# Spelling


@pytest.mark.parametrize("written", ["a-00007", "A-7", "A-OOOO7", "A_00007", "A -00007", "A-007"])
def test_an_id_written_otherwise_is_found_with_the_one_that_is_meant(tmp_path: Path, written: str) -> None:
    rows = [{"account_id": f"A-{n:05d}", "occurred": "2025-03-01", "event": "open"} for n in range(1, 101)]
    lost = [{"account_id": written, "occurred": "2025-03-02", "event": "open"} for _ in range(3)]
    found = of(tmp_path, accounts(), Export("events.csv", "events", [*rows, *lost]))
    one = found["id_spelling/events/account_id"]
    assert (one.finding.severity, one.finding.count, one.finding.of) == ("warning", 3, 103)
    assert {(row["account_id"], row["meant"]) for row in one.rows} == {(written, "A-00007")}


@pytest.mark.parametrize("other", ["A-00700", "B-00007", "A-99999", "A-07000", "A-0000"])
def test_an_id_that_is_another_is_not_taken_for_a_spelling(tmp_path: Path, other: str) -> None:
    rows = [{"account_id": other, "occurred": "2025-03-01", "event": "open"}]
    assert not of(tmp_path, accounts(), Export("events.csv", "events", rows))


def test_ids_of_one_length_whose_zeros_stand_elsewhere_are_two_ids(tmp_path: Path) -> None:
    rows = [{"account_id": "1-02", "occurred": "2025-03-01", "event": "open"}]
    assert not of(tmp_path, Export("accounts.csv", "accounts", [{"account_id": "01-2"}]), Export("events.csv", "events", rows))


def test_contacts_named_in_tickets_are_looked_for_too(tmp_path: Path) -> None:
    contacts = [{"contact_id": f"k{n}", "account_id": "A-00001", "email": f"p{n}@x.example"} for n in range(9)]
    tickets = [{"ticket_id": f"T-{n}", "account_id": "A-00001", "opened": "2025-03-01", "contact_id": f"K{n}"} for n in range(9)]
    found = of(tmp_path, accounts(), Export("contacts.csv", "contacts", contacts), Export("tickets.csv", "tickets", tickets))
    (one,) = found.values()
    assert (one.finding.id, one.finding.severity, one.finding.count) == ("id_spelling/tickets/contact_id", "error", 9)


def test_two_accounts_whose_ids_differ_by_case_alone_are_found(tmp_path: Path) -> None:
    twin = {"account_id": "a-00001", "dated": "2025-01-01", "name": "Other", "industry": "", "country": "C3", "parent_id": ""}
    (one,) = of(tmp_path, accounts(twin)).values()
    assert [row["account_id"] for row in one.rows] == ["A-00001", "a-00001"]


def test_random_ids_of_one_length_are_never_taken_for_spellings_of_each_other(tmp_path: Path) -> None:
    random = Random(11)
    made = [f"{random.randrange(16**6):06x}" for _ in range(6000)]
    known, orphans = made[:3000], made[3000:]
    rows = [{"account_id": one, "occurred": "2025-03-01", "event": "open"} for one in orphans]
    found = of(
        tmp_path, Export("accounts.csv", "accounts", [{"account_id": one} for one in dict.fromkeys(known)]), Export("e.csv", "events", rows)
    )
    assert not found


# Merged and split


@pytest.mark.parametrize("seed", range(8))
def test_users_who_come_and_go_with_their_accounts_are_no_merger(tmp_path: Path, seed: int) -> None:
    assert not of(tmp_path, Export("usage.csv", "events", usage(seed)))


def test_ids_of_users_that_are_unique_within_an_account_only_say_nothing_of_mergers(tmp_path: Path) -> None:
    rows = [row | {"user_id": str(row["user_id"]).split(".")[1]} for row in usage(1)]
    assert not of(tmp_path, Export("usage.csv", "events", rows))


def large_accounts(rows: list[Row], least: int = 6) -> list[str]:
    """Accounts with so many users who are there all the time."""
    alive = {str(row["account_id"]) for row in rows if row["occurred"] == FIRST + timedelta(190)}
    return [account for account in sorted(alive) if len(users_of(rows, account)) >= least]


@pytest.mark.parametrize("seed", range(4))
def test_two_accounts_merged_into_one_are_found(tmp_path: Path, seed: int) -> None:
    rows = usage(seed)
    one, other = large_accounts(rows)[:2]
    merged = moved(moved(rows, one, "M-1", date(2025, 4, 1)), other, "M-1", date(2025, 4, 11))
    found = of(tmp_path, Export("usage.csv", "events", merged))
    assert list(found) == ["moved_accounts/events/merged"]
    shown = found["moved_accounts/events/merged"]
    assert {row["left_id"] for row in shown.rows} == {one, other}
    assert {row["joined_id"] for row in shown.rows} == {"M-1"}
    assert shown.finding.count == 2


def test_an_account_taken_into_another_is_a_merger_and_one_with_a_new_id_is_not(tmp_path: Path) -> None:
    rows = usage(5)
    one, other = large_accounts(rows)[:2]
    taken = of(tmp_path / "taken", Export("usage.csv", "events", moved(rows, one, other, date(2025, 4, 1))))
    assert [(name, found.finding.count) for name, found in taken.items()] == [("moved_accounts/events/merged", 1)]
    new = of(tmp_path / "new", Export("usage.csv", "events", moved(rows, one, "N-1", date(2025, 4, 1))))
    assert [(name, found.finding.count) for name, found in new.items()] == [("moved_accounts/events/renumbered", 1)]


@pytest.mark.parametrize("stays", [True, False])
def test_an_account_split_in_two_is_found_whether_its_id_goes_on_or_not(tmp_path: Path, stays: bool) -> None:
    rows = usage(6)
    whole = max(large_accounts(rows), key=lambda account: len(users_of(rows, account)))
    users = users_of(rows, whole)
    half = set(users[: len(users) // 2])
    split = moved(rows, whole, "N-1", date(2025, 4, 1), half)
    split = split if stays else moved(split, whole, "N-2", date(2025, 4, 1))
    (one,) = of(tmp_path, Export("usage.csv", "events", split)).values()
    assert (one.finding.id, one.finding.count) == ("moved_accounts/events/split", 1)
    assert {row["left_id"] for row in one.rows} == {whole}


def test_contacts_who_all_go_to_another_account_tell_a_merger_and_one_who_changes_jobs_does_not(tmp_path: Path) -> None:
    contacts = [
        {"contact_id": f"K-{n}", "dated": "2025-01-01", "account_id": f"A-{n % 20 + 1:05d}", "email": f"p{n}@x.example"} for n in range(100)
    ]
    pair = [{"contact_id": f"P-{n}", "dated": "2025-01-01", "account_id": "A-00099", "email": f"q{n}@x.example"} for n in range(2)]
    alone = [{**row, "dated": "2025-06-01", "account_id": "A-00002"} for row in (contacts[30], *pair)]  # all two of A-00099
    assert not of(tmp_path / "job", Export("contacts.csv", "contacts", [*contacts, *pair, *alone]))
    together = [{**row, "dated": "2025-06-01", "account_id": "A-00002"} for row in contacts if row["account_id"] == "A-00001"]
    (one,) = of(tmp_path / "all", Export("contacts.csv", "contacts", [*contacts, *together])).values()
    assert (one.finding.id, one.finding.count, len(one.rows)) == ("moved_accounts/contacts/merged", 1, 5)
