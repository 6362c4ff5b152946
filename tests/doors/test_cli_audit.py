"""`unspun audit` as a person or a pipeline meets it: real files, the real command."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tests.doors.cli_files import COMMAND, Ran, run, run_process, write_company

ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("company")


@pytest.fixture(scope="module")
def files(folder: Path) -> tuple[Path, Path]:
    return write_company(folder)


@pytest.fixture(scope="module")
def result(files: tuple[Path, Path]) -> dict:
    """The result of the plain audit."""
    return json.loads(run("audit", *files, "--json", "-").out)


@pytest.fixture(scope="module")
def audited(files: tuple[Path, Path], folder: Path) -> Ran:
    """One audit that writes everything, for the tests that only look."""
    scores, renewals = files
    stranger = folder / "with_stranger.csv"
    stranger.write_text(scores.read_text() + "nobody,2024-01-01,50,small\n")
    written = ("--json", folder / "result.json", "--html", folder / "report.html", "--rejects", folder / "rejects.csv")
    return run_process("audit", stranger, renewals, *written)


def result_of(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_verdict_is_the_first_line_and_an_audit_exits_with_0(audited: Ran, folder: Path) -> None:
    verdict = result_of(folder / "result.json")["scores"][0]["verdict"]
    assert audited.code == 0
    assert audited.err == ""
    assert verdict.startswith("foretells")
    assert audited.out.splitlines()[0].split("   ")[0].endswith(f" {verdict}")


def test_the_three_facts_stand_before_any_table(audited: Ran, folder: Path) -> None:
    facts = result_of(folder / "result.json")["scores"][0]["facts"]
    places = [audited.out.index(fact["label"]) for fact in facts]
    assert len(facts) == 3
    assert places == sorted(places)
    assert places[-1] < audited.out.index("tested  churned")


def test_the_auc_shown_is_the_one_in_the_json(audited: Ran, folder: Path) -> None:
    auc = next(h for h in result_of(folder / "result.json")["scores"][0]["horizons"] if h["horizon_days"] == 90)["test"]["auc"]
    shown = " ".join(line for line in audited.out.splitlines() if line.split()[:1] in (["90"], ["*90"]))
    assert f"{auc['point']:.2f} (" in shown


def test_piped_output_has_no_escape_codes_and_no_line_over_80_columns_but_for_a_path(audited: Ran, folder: Path) -> None:
    assert ESCAPE not in audited.out
    assert max(len(line.replace(str(folder), "")) for line in audited.out.splitlines()) <= 80


def test_names_that_hold_escape_sequences_cannot_steer_the_terminal(files: tuple[Path, Path], tmp_path: Path) -> None:
    hostile = []
    for path in files:
        table = pyarrow.csv.read_csv(path)
        names = pa.array([f"{ESCAPE}[31m\a{name}" for name in table["account_id"].to_pylist()])
        hostile.append(tmp_path / f"{path.stem}.parquet")
        pq.write_table(table.set_column(0, "account_id", names), hostile[-1])
    ran = run("audit", *hostile)
    assert ran.code == 0, ran.err
    assert ESCAPE not in ran.out
    assert "\a" not in ran.out
    assert "\ufffd[31m\ufffd" in ran.out


def test_a_wider_terminal_is_used_and_a_width_is_never_exceeded(files: tuple[Path, Path]) -> None:
    wide = run("audit", *files, COLUMNS="120").out.splitlines()
    assert 80 < max(map(len, wide)) <= 120


def test_without_unicode_the_output_is_ascii(files: tuple[Path, Path]) -> None:
    ran = run("audit", *files, encoding="ascii")
    assert ran.code == 0
    assert ran.out.isascii()
    questions = run("audit", *files).out.count("?")
    without_marks = re.sub(r"^ *[?] ", "", ran.out, flags=re.MULTILINE)  # the diamond of "cannot tell"
    assert without_marks.count("?") == questions, "no letter was lost to a question mark"


def test_what_was_written_is_said_and_is_there(audited: Ran, folder: Path) -> None:
    for name in ("result.json", "report.html", "rejects.csv"):
        assert (folder / name).stat().st_size > 0
        assert str(folder / name) in audited.out
    assert "<html" in (folder / "report.html").read_text(encoding="utf-8")
    assert not list(folder.glob(".*.tmp"))


def test_rows_set_aside_are_in_the_rejects_with_their_reason(audited: Ran, folder: Path) -> None:
    with (folder / "rejects.csv").open(newline="") as file:
        rejected = list(csv.DictReader(file))
    inputs = result_of(folder / "result.json")["inputs"]
    last = len((folder / "with_stranger.csv").read_text().splitlines())
    assert len(rejected) == sum(entry["rows_read"] - entry["rows_used"] for entry in inputs) > 0
    assert str(last) in {row["row"] for row in rejected}
    assert all(row["reason"] for row in rejected)


def test_json_to_standard_output_is_json_and_nothing_else(files: tuple[Path, Path]) -> None:
    ran = run("audit", *files, "--json", "-")
    assert ran.code == 0
    assert ran.err == ""
    assert json.loads(ran.out)["scores"][0]["name"] == "score"


def test_the_same_command_twice_gives_the_same_bytes(files: tuple[Path, Path]) -> None:
    first, second = (how("audit", *files, "--json", "-") for how in (run, run_process))
    assert first.out == second.out != ""


def test_another_seed_gives_other_intervals_and_the_same_verdict(files: tuple[Path, Path], result: dict) -> None:
    other = json.loads(run("audit", *files, "--json", "-", "--seed", "1").out)
    assert other["seed"] == 1
    assert other["scores"] != result["scores"]
    assert other["scores"][0]["verdict"] == result["scores"][0]["verdict"]


def test_scores_can_be_piped_in(files: tuple[Path, Path], result: dict) -> None:
    scores, renewals = files
    piped = run_process("audit", "-", renewals, "--json", "-", stdin=scores.read_text())
    assert piped.code == 0, piped.err
    assert json.loads(piped.out)["scores"] == result["scores"]
    assert json.loads(piped.out)["inputs"][0]["sha256"] == result["inputs"][0]["sha256"]


def test_quiet_prints_one_line_a_score(files: tuple[Path, Path], result: dict) -> None:
    ran = run("audit", *files, "--quiet")
    assert ran.out == f"score: {result['scores'][0]['verdict']}\n"
    assert ran.err == ""


def test_fail_unless_exits_with_3_for_another_verdict_and_names_it(files: tuple[Path, Path]) -> None:
    ran = run("audit", *files, "--quiet", "--fail-unless", "leaks,no evidence")
    assert ran.code == 3
    assert "score: the verdict is 'foretells" in ran.err


@pytest.mark.parametrize("wanted", ["foretells*", "leaks,foretells,foretells, adds nothing,foretells, gain unproven"])
def test_fail_unless_passes_for_a_pattern_or_a_list_that_holds_the_verdict(files: tuple[Path, Path], wanted: str) -> None:
    assert run("audit", *files, "--quiet", "--fail-unless", wanted).code == 0


def test_several_scores_come_with_one_table_first(files: tuple[Path, Path], tmp_path: Path) -> None:
    scores, renewals = files
    lines = [line.split(",") for line in scores.read_text().splitlines()]
    several = tmp_path / "several.csv"
    noise = [str(hash_free(i)) for i in range(len(lines))]
    rows = [[a, d, s, n] for (a, d, s, _), n in zip(lines[1:], noise, strict=False)]
    several.write_text("\n".join(",".join(row) for row in [["account_id", "scored_on", "health", "noise"], *rows]) + "\n")
    ran = run("audit", several, renewals, "--score", "health", "--score", "noise", "--detail", "all")
    first = ran.out.split("─" * 80)[0]
    assert ran.code == 0
    assert "health" in first
    assert "noise" in first
    assert ran.out.count("AUC on units it had never seen") == 2
    quiet = run("audit", several, renewals, "--score", "health", "--score", "noise", "--quiet", "--fail-unless", "foretells*")
    assert [line.split(":")[0] for line in quiet.out.splitlines()] == ["health", "noise"]
    assert quiet.code == 3
    assert [line for line in quiet.faults if "noise" in line]
    assert not [line for line in quiet.faults if "health" in line]


def hash_free(i: int) -> int:
    """A number that looks random and has nothing to do with health."""
    return (i * 7919 + i * i * 104_729) % 1009


def test_a_reader_who_leaves_early_is_no_fault(files: tuple[Path, Path]) -> None:
    scores, renewals = map(str, files)
    audit = subprocess.Popen([*COMMAND, "audit", scores, renewals], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert audit.stdout is not None
    assert audit.stderr is not None
    audit.stdout.close()
    assert audit.stderr.read() == b""
    assert audit.wait(120) == 0
    audit.stderr.close()


def test_the_report_is_not_opened_where_nobody_can_see_it(files: tuple[Path, Path], tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho \"$1\" > '{opened}'\n")
    browser.chmod(0o755)
    asked = ("audit", *files, "--html", tmp_path / "report.html", "--open")
    in_ci = run(*asked, BROWSER=str(browser), CI="true")
    assert in_ci.code == 0
    assert in_ci.faults == [f"--open: there is no browser here; the report is {tmp_path / 'report.html'}."]
    assert not opened.exists()
    at_a_desk = run(*asked, BROWSER=str(browser), CI="")
    assert at_a_desk.code == 0
    assert opened.read_text().strip() == (tmp_path / "report.html").as_uri()
    opened.unlink()
    quiet = run(*asked, "--quiet", BROWSER=str(browser), CI="")
    assert opened.exists()
    assert len(quiet.out.splitlines()) == 1
