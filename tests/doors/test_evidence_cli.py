"""`unspun evidence`: what it prints at any width, the files it writes, the addresses it gives, and what it says of wrong options."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.cells import cell_len

from tests.doors.book_files import Book
from tests.doors.cli_files import Ran, run
from tests.doors.evidence_company import METRICS, made_company
from tests.unit.reports import evidence_sample as sample
from unspun.audit.evidence_result import EvidenceResult
from unspun.cli.evidence_files import write_folder
from unspun.cli.evidence_text import MOST_OF_A_VERDICT, Shown, evidence_lines
from unspun.cli.outputs import OutputFile
from unspun.errors import BadInput
from unspun.reports.evidence_html import Proof
from unspun.reports.evidence_json import schema

PROOF = Proof(23, "23:9fe2", 6, "ab" * 32, "duckdb 2.0", "Acme", ("the book was not checked",), (("metric/tier", "its values are texts"),))


@dataclass(frozen=True, slots=True)
class Judged:
    """A company judged once, with every file written."""

    book: Book
    ran: Ran
    folder: Path

    @property
    def subjects(self) -> list[dict[str, Any]]:
        return json.loads((self.folder / "e.json").read_text("utf-8"))["subjects"]

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "e.json.manifest.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    folder = tmp_path_factory.mktemp("evidence")
    book = made_company(folder).book
    files = ("--html", folder / "pages", "--json", folder / "e.json", "--csv", folder / "figures.csv")
    return Judged(book, book.run("evidence", *files), folder)


def plain(text: str) -> str:
    """With hyphens and spaces of one kind."""
    return text.translate({0x2013: "-", 0x2212: "-", 0xA0: " ", 0x2060: ""})


def primary(subject: dict[str, Any]) -> dict[str, Any]:
    """What was found of a subject in the test that decides."""
    audit = subject["audit"]
    return next(one["test"] for one in audit["horizons"] if one["horizon_days"] == audit["primary_horizon_days"])


@cache
def result_of(name: str) -> EvidenceResult:
    return {"few": sample.few, "many": sample.many, "hollow": sample.hollow, "one": sample.one}[name]()


def lines_of(name: str, width: int, whole: bool = False) -> list[str]:
    shown = Shown(result_of(name), PROOF, sample.since() if name == "few" else None, 1.25, (), whole)
    return [str(line) for line in evidence_lines(shown, width)]


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("name", ["few", "many", "hollow", "one"])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    lines = lines_of(name, width)
    assert [line for line in lines if cell_len(line.rstrip()) > width] == []
    assert len(lines) > 10


def test_a_wide_terminal_shows_the_chart_the_group_and_the_shape_and_a_narrow_one_the_figures() -> None:
    wide, narrow = (next(line for line in lines_of("few", width) if line.startswith("  logins 28d")) for width in (120, 80))
    assert re.search(r"0\.71 \(0\.66-0\.76\).*│ +─●.*\+0\.030 \(0\.017-0\.043\)\s+94 %\s+1\s+falling", plain(wide))
    assert "0.71" in narrow and "+0.030" in narrow and "falling" not in narrow


def test_of_two_hundred_the_long_verdicts_are_cut_unless_all_are_asked_for() -> None:
    cut, whole = lines_of("many", 100), lines_of("many", 100, whole=True)
    assert sum(line.startswith("  ") and " reading " in line and "%" in line for line in whole) == 200
    assert any(line.strip() == "and 74 more: --detail all" for line in cut)
    assert not any("--detail all" in line for line in whole)
    assert len(cut) < 8 * (MOST_OF_A_VERDICT + 2) + 60


def test_what_changed_is_told_with_its_causes_and_what_it_was() -> None:
    text = " ".join(plain(" ".join(lines_of("few", 120))).split())
    assert "1 verdict is another, 1 has the same verdict on other figures, 1 differs by less than 0.0005, 1 is new and 1 is gone" in text
    assert "logins 28d: foretells; it was cannot tell; AUC 0.710, was 0.580; gain could not be estimated then" in text
    assert "seats: no evidence, as before; AUC 0.576, was 0.580" in text
    assert "sessions 28d: foretells, as before" not in text
    assert "+0.090 AUC from data: 412 renewals were decided since. +0.040 AUC from its definition" in text
    assert "metric/old <i>: gone; it was no evidence" in text


def test_every_subject_stands_under_its_verdict(judged: Judged) -> None:
    assert judged.ran.code == 0, judged.ran.err
    lines, verdict, under = judged.ran.out.splitlines(), "", dict[str, str]()
    for line in lines:
        if head := re.fullmatch(r"\S (.+), \d+", line):
            verdict = head[1]
        for one in judged.subjects:
            if verdict and re.match(rf"  {re.escape(one['label'])} +\d", line):
                under[one["key"]] = verdict
    assert lines[0].startswith(f"Of {len(judged.subjects)} metrics and scores, ")
    assert under == {one["key"]: one["audit"]["verdict"] for one in judged.subjects}


def test_the_address_that_is_printed_opens_the_figure(judged: Judged) -> None:
    address = re.search(r"unspun why (\S+)", " ".join(judged.ran.out.split()))
    assert address
    opened = judged.book.run("why", address[1], "--json")
    assert opened.code == 0, opened.err
    document = json.loads(opened.out)
    subject = next(one for one in judged.subjects if address[1].endswith(one["figures"]["auc"]))
    test = primary(subject)
    assert document["value"]["value"]["point"] == pytest.approx(test["auc"]["point"], abs=1e-9)
    assert document["n_rows"] >= test["n"]


def test_the_json_fits_its_schema_and_names_figures_that_are_published(judged: Judged) -> None:
    text = (judged.folder / "e.json").read_text("utf-8")
    Draft202012Validator(schema()).validate(json.loads(text))
    assert judged.manifest["file"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    published = {one["figure"].partition("/")[2]: one for one in csv.DictReader((judged.folder / "figures.csv").open(encoding="utf-8"))}
    for one in judged.subjects:
        assert set(one["figures"].values()) <= published.keys()
        assert published[one["figures"]["verdict"]]["value"] == one["audit"]["verdict"]
        auc = primary(one)["auc"]
        assert (published[one["figures"]["auc"]]["value"] == "") == (auc is None)
        if auc:
            assert float(published[one["figures"]["auc"]]["value"]) == pytest.approx(auc["point"], rel=1e-9)


def test_judged_again_the_json_is_the_same_to_the_last_byte(judged: Judged) -> None:
    again = judged.book.run("evidence", "--json", "-")
    assert again.code == 0, again.err
    assert again.out == (judged.folder / "e.json").read_text("utf-8")


def test_the_folder_has_a_page_for_each_and_its_manifest_the_sha256_of_every_file(judged: Judged) -> None:
    pages = judged.folder / "pages"
    manifest = json.loads((pages / "manifest.json").read_text("utf-8"))
    on_disk = {str(path.relative_to(pages)) for path in pages.rglob("*") if path.is_file()}
    assert on_disk == {*manifest["files"], "manifest.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((pages / name).read_bytes()).hexdigest() == digest
    assert sum(name.endswith(".html") for name in on_disk) == len(judged.subjects) + 1


def test_the_rows_beside_a_page_are_the_test_units_of_its_subject(judged: Judged) -> None:
    subject = next(one for one in judged.subjects if one["key"] == "metric/logins_8w")
    with zipfile.ZipFile(judged.folder / "pages/rows/metric-logins-8w.zip") as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("metric-logins-8w.csv"), "utf-8")))
        manifest = json.loads(archive.read("metric-logins-8w.manifest.json"))
    test = primary(subject)
    assert len(rows) == test["n"] == manifest["rows"]
    assert sum(row["score"] != "" for row in rows) == test["n_scored"]


def test_fewer_subjects_are_judged_by_pattern_and_their_pages_take_the_place_of_the_others(judged: Judged, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    shutil.copytree(judged.folder / "pages", pages)
    (pages / "notes.txt").write_text("mine", "utf-8")
    (pages / "health-health.html").write_text("edited by hand", "utf-8")
    ran = judged.book.run("evidence", "metric/logins_*", "--no-changes", "--html", pages)
    assert ran.code == 0, ran.err
    assert "since entry" not in ran.out
    left = {path.name for path in pages.glob("*.html")}
    assert {"index.html", "metric-logins-8w.html", "metric-logins-fall.html"} <= left
    assert "metric-answers-year.html" not in left
    assert (pages / "health-health.html").read_text("utf-8") == "edited by hand"
    assert (pages / "notes.txt").read_text("utf-8") == "mine"


def test_an_edited_definition_is_told_as_the_cause(judged: Judged) -> None:
    text = METRICS.replace("window: 56d", "window: 28d")
    (judged.book.folder / "metrics.yml").write_text(text, encoding="utf-8")
    try:
        ran = judged.book.run("evidence")
    finally:
        (judged.book.folder / "metrics.yml").write_text(METRICS, encoding="utf-8")
    assert ran.code == 0, ran.err
    said = plain(" ".join(ran.out.split()))
    assert re.search(r"Logins: .*AUC 0\.\d+, was 0\.\d+", said)
    assert re.search(r"AUC [+-]0\.\d{3}, gain [+-]?0\.\d{3}: [a-z, ]*definition[a-z, ]* edited", said), said


def test_every_wrong_option_is_told_at_once(judged: Judged, tmp_path: Path) -> None:
    ran = judged.book.run("evidence", "--horizon", "soon", "--as-of", "june", "--version", "0", "--detail", "some")
    assert ran.code == 2
    assert [fault.partition(":")[0] for fault in ran.faults] == ["--horizon", "--detail", "--as-of", "--version"]
    (tmp_path / "letter.txt").write_text("dear", "utf-8")
    other = judged.book.run("evidence", "--html", tmp_path)
    assert other.code == 2
    assert other.faults == [
        f"--html: the folder {tmp_path} holds files that are not earlier pages of evidence. "
        "Give a new or empty folder, or one that was written before."
    ]


def test_a_subject_that_is_not_there_is_refused(judged: Judged) -> None:
    ran = judged.book.run("evidence", "metric/logins_8")
    assert ran.code == 2
    assert "metric/logins_8" in ran.err and "logins_8w" in ran.err


def test_pages_that_cannot_be_finished_leave_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "pages"
    write_folder(OutputFile("--html", target), [("index.html", b"first")], {})

    def broken() -> Iterator[tuple[str, bytes]]:
        yield "index.html", b"second"
        raise OSError(28, "No space left on device")

    with pytest.raises(BadInput, match="No space left on device"):
        write_folder(OutputFile("--html", target), broken(), {})
    assert (target / "index.html").read_bytes() == b"first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pages"]


def test_the_schema_is_printed() -> None:
    ran = run("schema", "evidence")
    assert ran.code == 0
    assert json.loads(ran.out) == schema()
