"""What the command line says when it cannot do what it was asked: everything at once, nothing half done, no traceback."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import unspun.app.audits
from tests.doors.cli_files import run, write_company
from unspun.cli import main


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_company(tmp_path_factory.mktemp("company"))


@pytest.fixture
def bad_files(tmp_path: Path) -> tuple[Path, Path]:
    """Scores without a date, and renewals with a date that could be two days and an outcome nobody knows."""
    scores, renewals = tmp_path / "scores.csv", tmp_path / "renewals.csv"
    scores.write_text("account,score\na,1\n")
    renewals.write_text("account,due_date,outcome\na,03/04/2026,gone\n")
    return scores, renewals


def test_the_faults_of_both_files_and_of_all_options_are_listed_together_each_on_its_line(bad_files: tuple[Path, Path]) -> None:
    options = ["--capacity", "-3", "--as-of", "tomorrow", "--map", "account", "--map", "frob=x", "--design", "weird", "--horizons", "30,x"]
    options += ["--fixed", "region", "--rate", "EUR=1.1", "--fail-unless", "maybe", "--json", "nowhere/result.json", "--tz", "Mars/Base"]
    ran = run("audit", *bad_files, *options)
    scores, renewals = bad_files
    assert ran.code == 2
    assert ran.out == ""
    starts = [
        "--capacity:",
        "--as-of:",
        "--map:",
        "--map frob",
        "--design:",
        "--horizons:",
        "--fixed:",
        "--rate:",
        "--fail-unless:",
        "--json:",
    ]
    starts += ["--time-zone:", str(scores), f"{renewals}:2:due_date:", f"{renewals}:2:outcome:"]
    for start in starts:
        assert [line for line in ran.faults if line.startswith(start)], (start, ran.err)
    assert len(ran.faults) == len(set(ran.faults))


def test_faults_of_both_files_alone_are_listed_together(bad_files: tuple[Path, Path]) -> None:
    ran = run("audit", *bad_files)
    assert ran.code == 2
    assert [any(line.startswith(str(path)) for line in ran.faults) for path in bad_files] == [True, True]


def test_a_missing_file_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    ran = run("audit", files[0], tmp_path / "nowhere.csv")
    assert ran.code == 2
    assert ran.out == ""
    assert ran.faults == [f"{tmp_path / 'nowhere.csv'}: there is no such file. Check the path."]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--thresholds", "70,40"], "--thresholds: '70,40' does not rise."),
        (["--seed", "1.5"], "--seed: '1.5' is not a whole number."),
        (["--rate", "EUR=0", "--currency", "USD", "--rates-dated", "2026-01-01"], "--rate: '0' is no rate of exchange."),
        (["--direction", "frob=lower"], "--direction: names 'frob', which is not among the scores audited: 'score'."),
        (["--horizons", "30,30"], "--horizons: '30,30' gives the same number twice."),
        (["--primary-horizon", "0"], "--primary-horizon: '0' is out of range."),
        (["--horizons", "99999"], "--horizons: are (99999,)."),
        (["--bands", "red,,green"], "--bands: 'red,,green' has an empty place in its list."),
        (["--detail", "much"], "--detail: 'much' is not known. Choose auto, all or none."),
        (["--open"], "--open: there is no report to open."),
        (["--html", "-"], "--html: '-' is not the name of a file."),
        (["--outcome", "lost=gone"], "--outcome"),
        (["--score", "frob"], "there is no column 'frob'"),
    ],
)
def test_a_faulty_option_is_named_with_what_to_do(files: tuple[Path, Path], options: list[str], said: str) -> None:
    ran = run("audit", *files, *options)
    assert ran.code == 2
    assert ran.out == ""
    assert [line for line in ran.faults if said in line], ran.err


def test_standard_input_cannot_be_two_files() -> None:
    ran = run("audit", "-", "-", stdin="")
    assert ran.code == 2
    assert ran.faults[0].startswith("-: standard input cannot be two files.")


@pytest.mark.parametrize("arguments", [["audit", "a.csv"], ["audit", "a.csv", "b.csv", "--frob"], ["frob"]])
def test_misuse_of_the_command_is_one_line_that_leads_to_the_help(arguments: list[str]) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert len(ran.faults) == 1
    assert "--help" in ran.err


def test_an_output_that_cannot_be_written_is_told_before_the_audit_and_nothing_is_written(files: tuple[Path, Path], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    ran = run("audit", *files, "--html", page, "--json", tmp_path, "--rejects", tmp_path / "missing" / "rejects.csv")
    assert ran.code == 2
    assert ran.out == ""
    assert [line.split(":")[0] for line in ran.faults] == ["--json", "--rejects"]
    assert list(tmp_path.iterdir()) == []


def test_an_input_is_never_overwritten_and_no_file_is_written_twice(files: tuple[Path, Path], tmp_path: Path) -> None:
    scores, renewals = files
    before = scores.read_bytes()
    ran = run("audit", scores, renewals, "--json", scores, "--html", tmp_path / "a", "--rejects", tmp_path / "a")
    assert ran.code == 2
    assert [line.split(":")[0] for line in ran.faults] == ["--json", "--rejects"]
    assert scores.read_bytes() == before


def test_a_refused_audit_leaves_the_earlier_result_as_it_was(bad_files: tuple[Path, Path], tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    result.write_text("earlier")
    assert run("audit", *bad_files, "--json", result).code == 2
    assert result.read_text() == "earlier"


def test_a_written_file_replaces_a_link_s_target_and_keeps_its_mode(files: tuple[Path, Path], tmp_path: Path) -> None:
    target, link = tmp_path / "result.json", tmp_path / "latest.json"
    target.write_text("earlier")
    target.chmod(0o640)
    link.symlink_to(target)
    assert run("audit", *files, "--json", link, "--quiet").code == 0
    assert link.is_symlink()
    assert target.read_text().startswith("{")
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_written_to_and_not_replaced(files: tuple[Path, Path], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        text = pool.submit(pipe.read_text)
        assert run("audit", *files, "--json", pipe, "--quiet").code == 0
        assert json.loads(text.result(timeout=30))["scores"]
    assert pipe.is_fifo()


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make the operation behind the command raise."""

    def break_with(fault: BaseException) -> None:
        def audit_scores(*_: object, **__: object) -> None:
            raise fault

        monkeypatch.setattr(unspun.app.audits, "audit_scores", audit_scores)

    return break_with


def test_an_unforeseen_fault_is_one_line_to_report_and_exits_with_70(
    files: tuple[Path, Path],
    broken: Callable[[BaseException], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken(KeyError("x\ny"))
    monkeypatch.delenv("UNSPUN_TRACEBACK", raising=False)
    assert main(["audit", *map(str, files)]) == 70
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert "KeyError" in told.err
    assert "report" in told.err
    monkeypatch.setenv("UNSPUN_TRACEBACK", "1")
    assert main(["audit", *map(str, files)]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupted_audit_exits_with_130_and_says_nothing(
    files: tuple[Path, Path], broken: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    broken(KeyboardInterrupt())
    assert main(["audit", *map(str, files)]) == 130
    assert capsys.readouterr() == ("", "")
