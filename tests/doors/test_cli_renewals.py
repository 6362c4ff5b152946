"""`unspun renewals`, and the audit on subscription terms: one derivation, the same figures by either way."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.doors.cli_files import Ran, run, write_company


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Scores, and the terms that lie behind the company's renewals: each of a year, the last one not renewed where it churned."""
    folder = tmp_path_factory.mktemp("terms")
    scores, renewals = write_company(folder)
    terms = ["account,start_date,end_date,arr,is_addon"]
    with renewals.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            due = date.fromisoformat(row["due_on"])
            terms.append(f"{row['account_id']},{due.replace(year=due.year - 1)},{due},{row['arr_before']},no")
            if row["outcome"] == "renewed" and due.year == 2025:
                terms.append(f"{row['account_id']},{due},{due.replace(year=2026)},{row['arr_after']},no")
    terms.append("A0000,2022-01-01,2022-12-31,600,yes")
    path = folder / "terms.csv"
    path.write_text("\n".join(terms) + "\n", encoding="utf-8")
    return scores, path


def derive(company: tuple[Path, Path], out: Path, *options: str | Path) -> Ran:
    return run("renewals", company[1], "--out", out, *options)


def without_rows(value: Any) -> Any:
    """A result without the row numbers: those of the terms are not those of the renewals."""
    if isinstance(value, dict):
        return {name: without_rows(part) for name, part in value.items() if name != "row"}
    return [without_rows(part) for part in value] if isinstance(value, list) else value


def figures(path: Path) -> dict:
    """A result without what names its files."""
    result = json.loads(path.read_text())
    return {name: without_rows(result[name]) for name in ("design", "scores")}


def test_derived_renewals_are_written_for_the_audit_and_every_row_is_accounted_for(company: tuple[Path, Path], tmp_path: Path) -> None:
    ran = derive(company, tmp_path / "renewals.csv", "--rejects", tmp_path / "aside.csv", "--no-add-ons")
    assert ran.code == 0, ran.err
    with (tmp_path / "renewals.csv").open() as file:
        rows = list(csv.DictReader(file))
    aside = (tmp_path / "aside.csv").read_text().splitlines()[1:]
    terms = len(company[1].read_text().splitlines()) - 1
    assert (len(rows), len(aside)) == (terms - 1, 1)
    assert f"{terms} rows read = {terms - 1} used + 1 set aside" in ran.out
    assert {row["outcome"] for row in rows} == {"renewed", "churned", "undecided"}


def test_an_audit_of_the_terms_and_of_the_renewals_made_of_them_has_the_same_figures(company: tuple[Path, Path], tmp_path: Path) -> None:
    day = ("--as-of", "2026-03-01")
    assert derive(company, tmp_path / "renewals.csv", *day).code == 0
    by_file = run("audit", company[0], tmp_path / "renewals.csv", *day, "--json", tmp_path / "file.json")
    by_terms = run("audit", company[0], "--subscriptions", company[1], *day, "--json", tmp_path / "terms.json")
    assert (by_file.code, by_terms.code) == (0, 0), by_terms.err
    assert figures(tmp_path / "file.json") == figures(tmp_path / "terms.json")


def test_the_day_known_last_decides_which_renewals_are_undecided(company: tuple[Path, Path], tmp_path: Path) -> None:
    ran = derive(company, tmp_path / "renewals.csv", "--as-of", "2024-06-30")
    assert "as of 30 Jun 2024" in ran.out
    with (tmp_path / "renewals.csv").open() as file:
        decided = [row for row in csv.DictReader(file) if row["outcome"] != "undecided"]
    assert decided
    assert max(row["due"] for row in decided) <= "2024-06-30"


def test_longer_grace_days_call_a_late_term_a_renewal(tmp_path: Path) -> None:
    terms = tmp_path / "terms.csv"
    terms.write_text("account,start,end,arr\nA,2024-01-01,2025-01-01,100\nA,2025-01-21,2026-01-01,100\nB,2024-01-01,2025-01-01,100\n")
    outcomes = {}
    for days in ("7", "30"):
        assert run("renewals", terms, "--out", tmp_path / "r.csv", "--grace-days", days, "--as-of", "2025-06-01").code == 0
        with (tmp_path / "r.csv").open() as file:
            outcomes[days] = {(row["account"], row["due"]): row["outcome"] for row in csv.DictReader(file)}
    assert outcomes["7"]["A", "2025-01-01"] == "churned"
    assert outcomes["30"]["A", "2025-01-01"] == "renewed"
    assert outcomes["7"]["B", "2025-01-01"] == outcomes["30"]["B", "2025-01-01"] == "churned"


def test_the_faults_of_the_options_the_outputs_and_the_files_are_told_together(company: tuple[Path, Path], tmp_path: Path) -> None:
    ran = run(
        "renewals", tmp_path / "none.csv", company[1], "--out", tmp_path / "no" / "r.csv", "--grace-days", "-1", "--rejects", company[1]
    )
    assert ran.code == 2
    assert [line.split(":")[0] for line in ran.faults] == ["--grace-days", "--out", "--rejects", str(tmp_path / "none.csv")]


@pytest.mark.parametrize("out", ["-", ""])
def test_renewals_go_to_a_file(company: tuple[Path, Path], out: str) -> None:
    ran = run("renewals", company[1], "--out", out)
    assert ran.code == 2
    assert ran.faults[0].startswith("--out:")


def test_terms_given_twice_are_a_fault_and_renewals_in_their_place_are_told(company: tuple[Path, Path], tmp_path: Path) -> None:
    twice = run("renewals", company[1], company[1], "--out", tmp_path / "r.csv")
    assert twice.faults == [f"{company[1]}: the file is given twice among the subscriptions. Give each file once."]
    assert derive(company, tmp_path / "renewals.csv").code == 0
    renewals = tmp_path / "due.csv"
    renewals.write_text("account_id,due_on,outcome\nA,2025-01-01,renewed\n")
    wrong = run("renewals", renewals, "--out", tmp_path / "r.csv")
    assert wrong.code == 2
    assert wrong.faults[0].startswith(f"{renewals}: this looks like renewals, and is read as subscriptions.")
    assert not (tmp_path / "r.csv").exists()
