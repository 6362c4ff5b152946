"""`unspun check` on the demo company finds the faults and outages that are planted in it, row by row and day by day, and none else."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

import unspun.app
from tests.doors.cli_files import run
from unspun.book.demo import write_demo

MAPPING = Path(unspun.app.__file__).parent / "workspace_files" / "demo-book.yml"
ACCOUNTS, SEED = 700, 11
"""Checks that see a planted fault from another side: an account with O for 0 is not there, and is there in another spelling."""


@dataclass(frozen=True)
class Checked:
    """A workspace that holds a demo company, the files it was loaded from, and what a check of it said."""

    folder: Path
    files: dict[str, Path]
    answer: dict[str, Any]

    @property
    def findings(self) -> list[dict[str, Any]]:
        return self.answer["findings"]

    def rows_of(self, finding: str) -> list[dict[str, str]]:
        """All rows behind a finding, as `--rows` writes them."""
        path = self.folder / "rows.csv"
        path.unlink(missing_ok=True)
        ran = run("check", finding, "--rows", path, "--fail-on", "never", cwd=self.folder)
        assert (ran.code, ran.err) == (0, "")
        return read_csv(path)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def checked(folder: Path, accounts: int, without: Sequence[str] = ()) -> Checked:
    assert run("init", folder).code == 0
    copyfile(MAPPING, folder / "book.yml")
    files = write_demo(folder / "files", SEED, accounts)
    loaded = [path for name, path in files.items() if not name.startswith("truth_") and name not in ("owners", *without)]
    ran = run("load", *loaded, cwd=folder)
    assert (ran.code, ran.err) == (0, "")
    return Checked(folder, files, json.loads(run("check", "--json", "--fail-on", "never", cwd=folder).out))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    return checked(tmp_path_factory.mktemp("demo") / "w", ACCOUNTS)


def test_every_kind_of_planted_fault_is_found_and_no_other(demo: Checked) -> None:
    planted = {row["check"] for row in read_csv(demo.files["truth_faults"])}
    assert planted == {"before_signup", "dates_in_wrong_order", "id_spelling", "shared_emails"}
    found = {finding["check"] for finding in demo.findings}
    assert found == planted | {"tracking_breaks"}


def test_the_rows_found_are_the_rows_planted(demo: Checked) -> None:
    truth = read_csv(demo.files["truth_faults"])
    for finding in (one for one in demo.findings if one["check"] != "tracking_breaks"):
        check = finding["check"]
        planted = {row["row_id"]: row["recorded"] for row in truth if row["check"] == check}
        file = read_csv(demo.files[finding["table"]])
        found = {next(iter(file[int(row["source_row"]) - 2].values())) for row in demo.rows_of(finding["id"])}
        if check == "shared_emails":  # whose address it is stands beside
            planted |= {row["contact_id"]: row["email"] for row in file if row["email"] in planted.values()}
        assert found == planted.keys(), finding["id"]
        assert finding["count"] == len(planted)


def test_the_outages_are_found_to_the_day_with_what_they_took_and_where(demo: Checked) -> None:
    truth = read_csv(demo.files["truth_outages"])
    spans = [finding["span"] for finding in demo.findings if finding["check"] == "tracking_breaks"]
    found = {(span["first"], span["last"], span["where"].get("accounts.region", ""), span["measure"] or "all") for span in spans}
    assert found == {(row["first_day"], row["last_day"], row["region"], row["measure"]) for row in truth}
    kept = {span["first"]: span["kept_share"] for span in spans}
    assert all(kept[row["first_day"]] == pytest.approx(1 - float(row["lost_share"]), abs=0.05) for row in truth)


def test_a_company_in_which_nothing_is_planted_has_no_finding(tmp_path: Path) -> None:
    clean = checked(tmp_path / "w", 120, without=("usage",))
    assert read_csv(clean.files["truth_faults"]) == []
    assert clean.findings == []
    assert len(clean.answer["found_nothing"]) > 10
