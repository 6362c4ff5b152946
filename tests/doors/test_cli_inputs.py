"""What an audit takes on the command line: workbooks, folders, pipes, optional files; what was given in the wrong place is told."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from rich.cells import cell_len

from tests.doors.cli_files import Ran, run, write_company


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_company(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="module")
def verdict(files: tuple[Path, Path]) -> str:
    """What the two plain files say."""
    return quiet(*files).out


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Purchases of 300 customers, each with a rate of its own, and a score that knows it roughly."""
    rng, folder = np.random.default_rng(5), tmp_path_factory.mktemp("shop")
    scores, orders = ["customer_id,date,score"], ["customer_id,order_date,amount"]
    for i, rate in enumerate(rng.gamma(2.0, 0.25, 300)):
        for month in range(24):
            day = date(2023 + month // 12, month % 12 + 1, 1)
            scores.append(f"C{i:03d},{day},{50 + 40 * np.tanh(rate - 0.5) + rng.normal(0, 10):.2f}")
            if rng.random() < 1 - np.exp(-rate):
                orders.append(f"C{i:03d},{day + timedelta(days=int(rng.integers(1, 28)))},{rng.integers(1, 50)}")
    paths = folder / "rfm.csv", folder / "orders.csv"
    for path, lines in zip(paths, (scores, orders), strict=True):
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return paths


def quiet(*arguments: str | Path, stdin: str = "") -> Ran:
    return run("audit", *arguments, "--quiet", stdin=stdin)


def cut(scores: Path, folder: Path) -> tuple[Path, Path]:
    """The scores in two files, the second half first by name."""
    head, *rows = scores.read_text().splitlines()
    folder.mkdir()
    paths = folder / "b.csv", folder / "a.csv"
    for path, part in zip(paths, (rows[:3000], rows[3000:]), strict=True):
        path.write_text("\n".join([head, *part]) + "\n")
    return paths


def test_scores_and_renewals_may_be_two_sheets_of_one_workbook(files: tuple[Path, Path], verdict: str, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for path in files:
        sheet = book.create_sheet(path.stem)
        for line in path.read_text().splitlines():
            sheet.append([float(cell) if re.fullmatch(r"[\d.]+", cell) else cell for cell in line.split(",")])
    book.save(tmp_path / "book.xlsx")
    assert quiet(tmp_path / "book.xlsx", tmp_path / "book.xlsx").out == verdict


def test_a_folder_a_pattern_and_a_list_of_files_are_the_same_scores(files: tuple[Path, Path], verdict: str, tmp_path: Path) -> None:
    parts = cut(files[0], tmp_path / "parts")
    assert quiet(tmp_path / "parts", files[1]).out == verdict
    assert quiet(str(tmp_path / "parts" / "*.csv"), files[1]).out == verdict
    assert quiet(*parts, files[1]).out == verdict


def test_either_file_may_be_piped_in(files: tuple[Path, Path], verdict: str) -> None:
    assert quiet("-", files[1], stdin=files[0].read_text()).out == verdict
    assert quiet(files[0], "-", stdin=files[1].read_text()).out == verdict


def test_files_given_the_wrong_way_round_are_told_in_one_line(files: tuple[Path, Path]) -> None:
    scores, renewals = files
    ran = quiet(renewals, scores)
    assert ran.code == 2
    assert ran.faults == [
        f"{renewals}: this looks like renewals, and what is given as renewals like scores. Give the scores first, and the renewals last."
    ]


def test_a_file_in_another_s_place_is_told_before_its_columns_are(files: tuple[Path, Path], tmp_path: Path) -> None:
    scores, renewals = files
    terms = tmp_path / "terms.csv"
    terms.write_text("account,start,end,arr\nA0001,2024-01-01,2025-01-01,100\n")
    first = {
        "terms as renewals": quiet(scores, terms),
        "renewals as terms": quiet(scores, "--subscriptions", renewals),
        "renewals beside terms": quiet(scores, renewals, "--subscriptions", terms),
        "scores as renewals": quiet(scores, scores),
        "scores as forecasts": quiet(*files, "--forecasts", scores),
    }
    assert all(ran.code == 2 for ran in first.values())
    said = {name: ran.faults[0].split(": ", 1)[1] for name, ran in first.items()}
    assert said["terms as renewals"].startswith("this looks like subscriptions, and is read as renewals. Give it with --subscriptions,")
    assert said["renewals as terms"].startswith("this looks like renewals, and is read as subscriptions.")
    assert said["renewals beside terms"].endswith("Leave it out: outcomes come from the subscriptions.")
    assert said["scores as renewals"] == "this looks like scores, and is read as renewals. Give renewals in its place."
    assert said["scores as forecasts"] == "this looks like scores, and is read as forecasts. Give forecasts in its place."


def test_a_file_that_merely_lacks_a_column_is_taken_for_nothing_else(files: tuple[Path, Path], tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    scores.write_text("account_id,when,score\nA0001,2024-01-01,5\n")
    ran = quiet(scores, files[1])
    assert ran.code == 2
    assert "looks like" not in ran.err
    assert "no column dates the scores" in ran.err


def test_a_file_given_twice_among_the_scores_is_a_fault(files: tuple[Path, Path]) -> None:
    ran = quiet(files[0], files[0], files[1])
    assert (ran.code, ran.faults) == (2, [f"{files[0]}: the file is given twice among the scores. Give each file once."])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--grace-days", "7"], "--grace-days"),
        (["--no-add-ons"], "--no-add-ons"),
        (["--amount-covers", "month"], "--amount-covers"),
        (["--active-days", "365"], "--active-days"),
        (["--calls", "cold,warm"], "--calls"),
    ],
)
def test_an_option_that_would_have_no_effect_is_a_fault(files: tuple[Path, Path], options: list[str], named: str) -> None:
    ran = quiet(*files, *options)
    assert ran.code == 2
    assert [line.split(":")[0] for line in ran.faults] == [named]
    assert "has no effect without" in ran.faults[0]


def test_all_that_is_wrong_with_a_command_is_told_in_one_run(files: tuple[Path, Path], tmp_path: Path) -> None:
    scores, renewals = files
    wrong = {
        "--html": tmp_path,
        "--pdf": tmp_path / "none" / "x.pdf",
        "--rows": renewals,
        "--json": scores,
        "--horizons": "soon",
        "--reviews": "2024-13-01",
        "--grace-days": "3",
    }
    options = [part for pair in wrong.items() for part in pair]
    ran = quiet(scores, renewals, *options, "--events", tmp_path / "none.csv", "--forecasts", renewals)
    assert ran.code == 2
    assert set(wrong) | {str(tmp_path / "none.csv"), str(renewals)} <= {
        re.split(r":(?:1:)? ", line)[0].removesuffix(":1") for line in ran.faults
    }
    assert not any("term_rules" in line for line in ran.faults)
    assert list(tmp_path.iterdir()) == []


def test_outcomes_come_from_one_source(files: tuple[Path, Path], shop: tuple[Path, Path]) -> None:
    ran = quiet(files[0], "--purchases", shop[1], "--subscriptions", files[1])
    assert ran.code == 2
    assert ran.faults[0].startswith("--purchases: outcomes can come from one source")


def test_purchases_go_with_neither_forecasts_nor_the_renewal_design(shop: tuple[Path, Path], files: tuple[Path, Path]) -> None:
    scores, orders = shop
    forecasts = quiet(scores, "--purchases", orders, "--forecasts", files[1])
    assert "--forecasts: forecasts are calls on renewals" in forecasts.err
    design = quiet(scores, "--purchases", orders, "--design", "renewal")
    assert (design.code, design.faults) == (2, ["--design: is 'renewal', but purchases have no due dates. Say landmark, or nothing."])


@pytest.mark.parametrize("columns", ["80", "120"])
def test_an_audit_of_purchases_speaks_of_neither_churn_nor_renewals_and_keeps_its_width(shop: tuple[Path, Path], columns: str) -> None:
    ran = run("audit", shop[0], "--purchases", shop[1], "--detail", "all", COLUMNS=columns)
    assert ran.code == 0, ran.err
    assert "lapsed" in ran.out
    assert not re.search(r"churn|renew|\bARR\b|contract", ran.out, re.IGNORECASE)
    assert max(map(cell_len, ran.out.splitlines())) <= int(columns)


def test_the_optional_files_stand_beside_the_score_and_in_the_account_of_rows(files: tuple[Path, Path], tmp_path: Path) -> None:
    scores, renewals = files
    names = sorted({line.split(",")[0] for line in scores.read_text().splitlines()[1:]})
    rows = [line.split(",") for line in renewals.read_text().splitlines()[1:]]
    rng = np.random.default_rng(1)
    accounts = [f"{name},{'north' if i % 3 else 'south'}" for i, name in enumerate(names)]
    events = [f"{name},{date(2022, 1, 1) + timedelta(days=int(day))}" for name in names for day in rng.integers(0, 1400, 60)]
    calls = [
        f"{a},{date.fromisoformat(due) - timedelta(days=200)},{due},{'at risk' if o == 'churned' else 'commit'}" for a, due, o, *_ in rows
    ]
    tables = {
        "accounts": ("account,region", accounts),
        "events": ("account,time", events),
        "forecasts": ("account,made_at,due,call", calls),
    }
    for name, (head, lines) in tables.items():
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *lines]) + "\n")
    given = [part for name in tables for part in (f"--{name}", tmp_path / f"{name}.csv")]
    ran = run("audit", *files, *given, "--fixed", "region")
    assert ran.code == 0, ran.err
    for ranked in ("ARR alone", "usage trend", "usage level", "CSM forecast"):
        assert re.search(rf"^  {ranked} +\d", ran.out, re.MULTILINE), ranked
    assert "region: no dates, but declared fixed" in ran.out
    for name, (_, lines) in tables.items():
        assert f"{name}.csv: {len(lines):,} rows read" in " ".join(ran.out.split())


def test_the_rows_go_to_a_new_folder_or_beside_what_is_there(files: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    ran = run("audit", *files, "--rows", tmp_path, "--json", "-")
    assert ran.code == 0
    result = json.loads(ran.out)
    assert quiet(*files, "--rows", tmp_path / "made").code == 0
    made = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert made
    assert sorted(path.name for path in tmp_path.glob("*.zip")) == made
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with zipfile.ZipFile(tmp_path / "01-score-test.zip") as archive:
        rows, manifest = archive.read("01-score-test.csv"), json.loads(archive.read("01-score-test.manifest.json"))
    assert rows.count(b"\n") == 1 + manifest["rows"] > 1
    assert manifest["csv"]["sha256"] == hashlib.sha256(rows).hexdigest()
    assert [file["sha256"] for file in manifest["inputs"]] == [file["sha256"] for file in result["inputs"]]


def test_nothing_is_written_into_a_folder_that_is_an_input(files: tuple[Path, Path], tmp_path: Path) -> None:
    cut(files[0], tmp_path / "parts")
    folder = tmp_path / "parts"
    ran = quiet(folder, files[1], "--rows", folder, "--json", folder / "result.json")
    assert ran.code == 2
    assert [line.split(":")[0] for line in ran.faults] == ["--json", "--rows"]
    assert len(list(folder.iterdir())) == 2


def test_a_folder_that_cannot_be_written_to_is_told_before_the_audit(files: tuple[Path, Path], tmp_path: Path) -> None:
    ran = quiet(*files, "--rows", tmp_path / "none" / "deep", "--horizons", "x")
    assert [line.split(":")[0] for line in ran.faults] == ["--horizons", "--rows"]
