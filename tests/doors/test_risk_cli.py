"""`unspun risk`: what it prints at any width, the files it writes, the addresses it gives, and what it says of wrong options."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.cells import cell_len

from tests.doors.book_files import Book
from tests.doors.cli_files import Ran, run
from tests.doors.risk_company import AS_OF, made_book
from tests.unit.reports import risk_sample as sample
from unspun.cli.risk_text import Shown, risk_lines
from unspun.reports.evidence_html import Proof
from unspun.reports.risk_json import schema
from unspun.risk.result import RiskResult
from unspun.risk.rows import OUTCOMES4

PROOF = Proof(23, "23:9fe2", 6, "ab" * 32, "duckdb 2.0", "Acme", ("the book was not checked",))
MEANINGS = {"open_tickets": "Tickets that nobody has closed."}


@dataclass(frozen=True, slots=True)
class Judged:
    """A company judged once, with every file written."""

    book: Book
    ran: Ran
    folder: Path

    @property
    def document(self) -> dict[str, Any]:
        return json.loads((self.folder / "r.json").read_text("utf-8"))

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "r.json.manifest.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    folder = tmp_path_factory.mktemp("risk")
    book = made_book(folder)
    files = ("--html", folder / "pages", "--json", folder / "r.json", "--csv", folder / "r.csv")
    return Judged(book, book.run("risk", "--as-of", AS_OF.isoformat(), *files), folder)


def plain(text: str) -> str:
    """With hyphens and spaces of one kind."""
    return text.translate({0x2013: "-", 0x2212: "-", 0xA0: " ", 0x2060: ""})


@cache
def result_of(name: str) -> RiskResult:
    made = {"few": sample.few, "many": lambda: sample.many(80), "hollow": sample.hollow, "uncalibrated": sample.uncalibrated}
    return {**made, "empty": sample.empty}[name]()


def lines_of(name: str, width: int, capacity: int = 20, account: str | None = None, earlier: bool = True) -> list[str]:
    result = result_of(name)
    before = sample.earlier(result) if earlier else None
    shown = Shown(result, PROOF, before, "the model of entry 9 is in force", MEANINGS, 1.25, (), capacity, account)
    return [str(line) for line in risk_lines(shown, width)]


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("name", ["few", "many", "hollow", "uncalibrated", "empty"])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    lines = lines_of(name, width) + [line for one in result_of(name).renewals[:4] for line in lines_of(name, width, account=one.account)]
    assert [line for line in lines if cell_len(line.rstrip()) > width] == []
    assert len(lines) > 4


def test_a_renewal_is_one_line_on_a_wide_terminal_and_two_on_a_narrow_one() -> None:
    wide = next(plain(line) for line in lines_of("few", 120) if line.startswith("  Solent"))
    assert re.match(
        r"  Solent <b>Diagnosti…\s+63 d\s+\$200k\s+0\.35 \(0\.23-0\.49\)\s+│ ──●───\s+new\s+Open tickets 4\.09 \(\+11\); Champion", wide
    )
    narrow = [plain(line) for line in lines_of("few", 80)]
    at = next(at for at, line in enumerate(narrow) if line.startswith("  Solent"))
    assert "0.35 (0.23-0.49)" in narrow[at] and "●" in narrow[at]
    assert narrow[at + 1].strip() == "Open tickets 4.09 (+11); Champion left (+10)"


def test_the_list_has_as_many_renewals_as_the_team_can_treat_and_says_of_how_many() -> None:
    shown = [line for line in lines_of("many", 120, capacity=7) if re.search(r"\d d\s+\$.*[●○]", line)]
    assert len(shown) == 7
    text = " ".join(" ".join(lines_of("many", 120, capacity=7)).split())
    assert "7 of 78, by ARR expected to be lost." in text
    assert "change" not in " ".join(lines_of("many", 120, earlier=False))


def test_what_cannot_be_told_and_what_is_a_fact_stand_apart_with_their_names() -> None:
    text = " ".join(plain(" ".join(lines_of("few", 120))).split())
    assert "The risk of 2 renewals cannot be told" in text and "The largest: Ibex Energy (due in 210 days, $353k)" in text
    assert "Notice was given of 1 renewal: a fact, and no forecast Harrow Insurance (due in 188 days, $389k)" in text
    assert "no model: 9 renewals churned before 1 Nov 2026, and 30 are needed." in " ".join(
        plain(" ".join(lines_of("hollow", 120))).split()
    )


def test_the_story_of_an_account_has_steps_that_add_up_outcomes_coverage_and_what_a_metric_is() -> None:
    lines = [plain(line) for line in lines_of("few", 120, account="A00002")]
    steps = [re.search(r"([+-]?\d+\.\d)(?:  \([^)]*\))?\s+(\d+\.\d) %$", line.rstrip()) for line in lines]
    found = [(float(one[1]), float(one[2])) for one in steps if one]
    assert len(found) == 4
    assert found[-1][1] == pytest.approx(8.4 + sum(moved for moved, _ in found), abs=0.3)
    text = " ".join(" ".join(lines).split())
    assert "This renewal" in text and "churns 35 % (23-49)" in text and "Of 50 past renewals most like it, 9 churned, 18 % (10-31)" in text
    assert "6 of 8 metrics have a value, 1 of them from before an outage" in text and "Tickets that nobody has closed." in text
    assert "No renewal of A9 is open as of 1 Nov 2026." in plain(" ".join(lines_of("few", 120, account="A9")))


def test_the_command_prints_the_headline_and_an_address_that_opens_the_figure(judged: Judged) -> None:
    assert judged.ran.code == 0, judged.ran.err
    said = plain(" ".join(judged.ran.out.split()))
    assert re.match(r"Of \d+ renewals, €[\d.]+k of ARR, due within 90 days, ", said)
    address = re.search(r"To open a figure: unspun why (\S+)", said)
    assert address
    opened = judged.book.run("why", address[1], "--json")
    assert opened.code == 0, opened.err
    first = judged.document["renewals"][0]
    assert address[1].endswith(f"{first['account']}@{first['due']}/churn")
    assert json.loads(opened.out)["value"]["value"]["point"] == pytest.approx(first["churn"]["point"], abs=1e-5)


def test_every_open_renewal_is_there_and_probabilities_follow_the_usage(judged: Judged) -> None:
    document = judged.document
    open_now = {(row["account_id"], row["due"]) for row in judged.book.rows("renewals") if row["outcome"] == "undecided"}
    assert {(one["account"], one["due"]) for one in document["renewals"]} == open_now
    told = [one for one in document["renewals"] if one["churn"]]
    assert len(told) > 40, document["model"]["check"]["why"]
    for one in told:
        assert sum(one[name]["point"] for name in OUTCOMES4) == pytest.approx(1.0, abs=1e-6)
        assert one["typical"] + sum(r["points"] for r in one["reasons"]) + one["others"] == pytest.approx(one["churn"]["point"], abs=1e-6)
    assert any(reason["feature"] == "logins_2m" for one in told for reason in one["reasons"])


def test_the_json_fits_its_schema_and_its_manifest_has_the_entry(judged: Judged) -> None:
    text = (judged.folder / "r.json").read_text("utf-8")
    Draft202012Validator(schema()).validate(json.loads(text))
    assert judged.manifest["file"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert re.match(r"\d+:[0-9a-f]+", judged.manifest["entry"]) and judged.manifest["model_entry"] == int(
        judged.document["model"]["version"]
    )
    assert [row["account"] for row in csv.DictReader((judged.folder / "r.csv").open(encoding="utf-8"))] == [
        one["account"] for one in judged.document["renewals"]
    ]


def test_the_folder_has_its_pages_and_its_manifest_the_sha256_of_every_file(judged: Judged) -> None:
    pages = judged.folder / "pages"
    manifest = json.loads((pages / "manifest.json").read_text("utf-8"))
    on_disk = {str(path.relative_to(pages)) for path in pages.rglob("*") if path.is_file()}
    assert on_disk == {*manifest["files"], "manifest.json"} and {"index.html", "model.html", "renewals.csv"} < on_disk
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((pages / name).read_bytes()).hexdigest() == digest
    assert sum(name.endswith(".html") for name in on_disk) == len(judged.document["renewals"]) + 2 > 60


def test_judged_again_by_the_same_model_one_account_is_the_same_and_alone(judged: Judged) -> None:
    one = judged.document["renewals"][3]
    again = judged.book.run("risk", "--as-of", AS_OF.isoformat(), "--account", one["account"], "--json", "-", "--no-changes")
    assert again.code == 0, again.err
    document = json.loads(again.out)
    assert document["renewals"] == [one]
    assert {**document, "renewals": []} == {**judged.document, "renewals": []}


def test_every_wrong_option_is_told_at_once(judged: Judged, tmp_path: Path) -> None:
    ran = judged.book.run("risk", "--capacity", "0", "--as-of", "june", "--version", "x")
    assert ran.code == 2
    assert [fault.partition(":")[0] for fault in ran.faults] == ["--capacity", "--version", "--as-of"]
    (tmp_path / "letter.txt").write_text("dear", "utf-8")
    other = judged.book.run("risk", "--html", tmp_path)
    assert other.faults == [
        f"--html: the folder {tmp_path} holds files that are not earlier pages of risk. "
        "Give a new or empty folder, or one that was written before."
    ]


def test_an_account_or_a_metric_that_is_not_there_is_refused(judged: Judged) -> None:
    account = judged.book.run("risk", "--account", "A-0003", "--no-changes")
    assert account.code == 2 and account.faults[0].startswith("--account: no renewal of an account 'A-0003' is known.")
    metric = judged.book.run("risk", "--metric", "logouts", "--no-changes")
    assert metric.code == 2 and "logouts" in metric.err


def test_the_schema_is_printed() -> None:
    ran = run("schema", "risk")
    assert ran.code == 0
    assert json.loads(ran.out) == schema()
