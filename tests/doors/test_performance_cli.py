"""`unspun performance` on a small company whose owners differ by much: what it counts, prints, writes and proves."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from rich.cells import cell_len

from tests.doors.book_files import Book, rows_of
from tests.doors.cli_files import Ran, run
from unspun.reports.performance_json import schema

FIRST, AS_OF = date(2021, 1, 1), date(2025, 12, 31)
ACCOUNTS = 200
APART_FROM = date(2023, 6, 1)
OWNERS = ("Ada", "Kim", "Lee", "Mia", "Noa")
RISK = {"Ada": 0.02, "Lee": 0.6}
BOOK = """\
currency: EUR
sources:
  - files: "accounts*.csv"
    table: accounts
    columns: {account_id: id, dated: since, segment: tier, owner: csm, region: region}
  - files: "renewals*.csv"
    table: renewals
    columns: {account_id: id, due: due, outcome: outcome, decided: decided, amount_before: before, amount_after: after, term_start: from}
"""


@dataclass(frozen=True)
class Made:
    """The workspace, and what was written down: renewals with who held the account when."""

    book: Book
    renewals: list[tuple[Any, ...]]
    holders: dict[str, list[tuple[date, str]]]


def write_company(folder: Path) -> Made:
    """Accounts with yearly terms until they churn; a fifth of them change hands for good. At first all owners are alike."""
    rng, book = np.random.default_rng(8), Book(folder)
    assert run("init", book.folder).code == 0
    (book.folder / "book.yml").write_text(BOOK, encoding="utf-8")
    (book.folder / "metrics.yml").write_text("metrics: {}\n", encoding="utf-8")
    accounts, renewals = ["id,since,tier,csm,region"], ["id,due,outcome,decided,before,after,from"]
    held: list[tuple[Any, ...]] = []
    holders: dict[str, list[tuple[date, str]]] = {}
    for n in range(ACCOUNTS):
        id, day = f"A-{n:03}", FIRST + timedelta(days=int(rng.integers(0, 360)))
        owner, tier = OWNERS[n % len(OWNERS)], "Large" if rng.random() < 0.3 else "Small"
        holders[id] = [(day, owner)]
        accounts.append(f"{id},{day},{tier},{owner},{'North' if n % 2 else ''}")
        if rng.random() < 0.2:
            moved, heir = day + timedelta(days=int(rng.integers(200, 900))), OWNERS[(n + 1) % len(OWNERS)]
            holders[id].append((moved, heir))
            accounts.append(f"{id},{moved},{tier},{heir},{'North' if n % 2 else ''}")
        while (due := day + timedelta(days=365)) <= AS_OF:
            churned = rng.random() < (RISK.get(owner, 0.14) if due >= APART_FROM else 0.14)
            renewals.append(f"{id},{due},{'churned' if churned else 'renewed'},{due},1000,{0 if churned else 1000},{day}")
            held.append((id, day, due, churned))
            if churned:
                break
            day = due
    paths = [book.export("accounts.csv", accounts), book.export("renewals.csv", renewals)]
    loaded = book.load(*paths)
    assert loaded.code == 0, loaded.err
    return Made(book, held, holders)


@dataclass(frozen=True)
class Told:
    """What one run printed and wrote."""

    made: Made
    ran: Ran
    folder: Path
    document: dict[str, Any]

    @property
    def owners(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.document["comparisons"][0]["groups"]}

    @property
    def entry(self) -> str:
        return str(json.loads((self.folder / "p.json.manifest.json").read_text("utf-8"))["entry"]).partition(":")[0]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    made = write_company(tmp_path_factory.mktemp("owners"))
    folder = tmp_path_factory.mktemp("written")
    files = ("--html", folder / "p.html", "--json", folder / "p.json", "--csv", folder / "p.csv")
    ran = made.book.run("performance", "--by", "owner", "--by", "region", *files)
    assert ran.code == 0, ran.err
    return Told(made, ran, folder, json.loads((folder / "p.json").read_text("utf-8")))


@pytest.fixture(scope="module")
def behind(told: Told) -> list[dict[str, str]]:
    """The rows behind the comparison of owners, as `unspun why` writes them."""
    rows = told.folder / "rows.csv"
    assert told.made.book.run("why", f"{told.entry}/owner/spread", "--rows", rows).code == 0
    return rows_of(rows)


def days_held(made: Made, id: str, start: date, due: date) -> dict[str, float]:
    """Each holder's share of a term, counted day by day."""
    days = [start + timedelta(days=i) for i in range((due - start).days)]
    who = [max((one for one in made.holders[id] if one[0] <= day), default=(day, ""))[1] for day in days]
    return {name: who.count(name) / sum(one != "" for one in who) for name in set(who) - {""}}


def test_every_renewal_due_is_judged_or_left_out_with_its_reason(told: Told) -> None:
    document = told.document
    assert document["due"] == len(told.made.renewals) == document["renewals"] + sum(document["left_out"].values())
    assert document["left_out"]["its term began before the first earlier model, which takes 30 customers that churned"] > 0
    assert all(str(n) in told.ran.out for n in (document["due"], *document["left_out"].values()) if 0 < n < 1_000)
    Draft202012Validator(schema()).validate(document)


def test_renewals_are_shared_by_days_held_as_counted_from_the_files(told: Told, behind: list[dict[str, str]]) -> None:
    true: dict[str, list[float]] = {name: [0.0, 0.0] for name in OWNERS}
    terms = {(id, due.isoformat()): (start, due, churned) for id, start, due, churned in told.made.renewals}
    for id, due_on in {(row["account_id"], row["due"]) for row in behind}:
        start, due, churned = terms[id, due_on]
        for name, share in days_held(told.made, id, start, due).items():
            true[name][0] += share
            true[name][1] += share * (not churned)
    assert {name: (one["renewals"], one["renewed"]) for name, one in told.owners.items()} == {
        name: (pytest.approx(renewals, abs=1e-6), pytest.approx(renewed, abs=1e-6)) for name, (renewals, renewed) in true.items()
    }


def test_what_was_expected_was_made_on_the_first_day_looked_at_by_a_model_that_knew_only_what_came_before(
    behind: list[dict[str, str]],
) -> None:
    for row in behind:
        looked, start = date.fromisoformat(row["looked_on"]), date.fromisoformat(row["term_start"])
        assert start <= looked < start + timedelta(days=32)
        assert date.fromisoformat(row["model_knew_until_before"]) <= looked
        assert 0 < float(row["share"]) <= 1


def test_the_owner_who_loses_most_is_told_and_those_who_are_alike_are_not(told: Told) -> None:
    owners = told.owners
    assert owners["Lee"]["verdict"] == "renews less" and owners["Lee"]["effect"]["high"] < 0
    assert owners["Ada"]["effect"]["point"] > 0
    assert {owners[name]["verdict"] for name in ("Kim", "Mia", "Noa")} == {"cannot tell"}


def test_what_was_published_comes_out_the_same_again(told: Told) -> None:
    again = told.made.book.run("recompute", told.entry)
    assert again.code == 0, again.err
    assert "the same to the last byte" in again.out


def test_the_same_question_gives_the_same_bytes_and_the_same_entry(told: Told) -> None:
    ran = told.made.book.run("performance", "--by", "owner", "--by", "region", "--json", "-")
    assert ran.out == (told.folder / "p.json").read_text("utf-8")
    assert told.made.book.run("ledger", "verify").code == 0


def test_it_fits_the_terminal_and_says_that_it_is_no_ranking(told: Told) -> None:
    lines = [line for line in told.ran.out.splitlines() if str(told.folder) not in line]  # a path is never broken
    assert max(cell_len(line) for line in lines) <= 100
    assert "ranking: the intervals of" in told.ran.out
    assert any(line.lstrip().startswith("Lee ") for line in lines)


def test_a_column_groups_and_accounts_without_a_value_are_counted_and_left_out(told: Told) -> None:
    (owner, region) = told.document["comparisons"]
    assert [one["name"] for one in region["groups"]] == ["North"]
    assert [one["code"] for one in region["cautions"]] == ["as_known_on_the_as_of_day"] and owner["cautions"] == []
    assert region["without_group"] > 0 and region["renewals"] + region["without_group"] == told.document["renewals"]
    assert region["spread"] is None and "only one group" in region["spread_reason"]


def test_the_files_carry_their_manifests(told: Told) -> None:
    for name in ("p.json", "p.csv"):
        manifest = json.loads((told.folder / f"{name}.manifest.json").read_text("utf-8"))
        assert manifest["file"]["sha256"] == hashlib.sha256((told.folder / name).read_bytes()).hexdigest()
        assert manifest["question"]["by"] == ["owner", "region"]
    with (told.folder / "p.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(OWNERS) + 1
    assert "<svg" in (told.folder / "p.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--by", "regio"), "accounts have no column 'regio'. Did you mean 'region'? Accounts can be grouped by owner, segment, cohort"),
        (("--since", "2026-01-01"), "2026-01-01 lies after the as-of day"),
        (("--as-of", "soon"), "--as-of"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(told: Told, options: tuple[str, str], said: str) -> None:
    ran = told.made.book.run("performance", *options)
    assert ran.code == 2 and said in ran.err, ran.err
