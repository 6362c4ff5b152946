"""The commands themselves: help, version, schema, the demo, and the page that documents them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from tests.doors.cli_files import run
from unspun._version import __version__
from unspun.cli import app

HEAVY = {"numpy", "scipy", "pyarrow", "rich", "jinja2", "duckdb", "deltalake", "ruamel", "django"}
DOCUMENTED = (
    "audit", "renewals", "demo", "init", "load", "status", "show", "rejected", "undo", "compact", "erase", "retention", "why", "recompute",
    "check", "accept", "worker", "backup", "restore", "panel", "risk", "forecast", "performance", "evidence", "refresh", "serve",
)  # fmt: skip


def options_of(command: str) -> set[str]:
    """The long options of a command, as the parser itself knows them."""
    found = typer.main.get_command(app).commands[command].params  # pyright: ignore[reportAttributeAccessIssue]
    return {name for parameter in found for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("--")} - {"--help"}


def test_the_version_is_the_package_s() -> None:
    assert run("--version").out == f"unspun {__version__}\n"


def test_the_schema_is_that_of_the_results(root: Path) -> None:
    committed = json.loads((root / "src" / "unspun" / "reports" / "result.schema.json").read_text())
    ran = run("schema")
    assert ran.code == 0
    assert json.loads(ran.out) == committed


def test_help_loads_nothing_heavy() -> None:
    program = (
        f"import sys\nfrom unspun.cli import main\nmain(['audit', '--help'])\nprint(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stderr == "[]\n"
    assert "--fail-unless" in ran.stdout


@pytest.mark.parametrize("command", DOCUMENTED)
def test_help_has_examples_that_use_real_options_only(command: str) -> None:
    ran = run(command, "--help")
    examples = [line for line in ran.out.splitlines() if f"unspun {command}" in line and "Usage" not in line]
    used = set(re.findall(r"--[a-z][a-z-]+", " ".join(examples)))
    assert len(examples) >= 2
    assert used
    assert used <= options_of(command)


@pytest.mark.parametrize("command", DOCUMENTED)
def test_every_option_has_its_place_in_the_reference_and_the_reference_has_no_other(command: str, root: Path) -> None:
    page = (root / "docs" / "reference" / "cli.md").read_text()
    section = page.split(f"## unspun {command}\n")[1].split("\n## ")[0]
    documented = set(re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE)) | set(
        re.findall(r"^\| `--[a-z-]+`, `(--[a-z-]+)", section, re.MULTILINE)
    )
    assert documented == options_of(command)


def test_every_command_line_in_the_reference_uses_real_options(root: Path) -> None:
    page = (root / "docs" / "reference" / "cli.md").read_text()
    lines = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines() if "unspun" in line]
    assert lines
    for line in lines:
        command = re.findall(r"unspun (\w+)", line)
        known = options_of(command[0]) if command and command[0] in DOCUMENTED else {"--version", "--help"}
        assert set(re.findall(r"(?<= )--[a-z][a-z-]+", line)) <= known, line


def test_the_demo_writes_a_company_and_audits_its_three_scores(tmp_path: Path) -> None:
    asked = ("demo", "--folder", "demo", "--accounts", "150", "--seed", "5", "--audit-only", "--no-open")
    ran = run(*asked, cwd=tmp_path)
    assert ran.code == 0, ran.err
    demo = tmp_path / "demo"
    result = json.loads((demo / "result.json").read_text())
    assert len(result["scores"]) == 3
    assert all(score["name"] in ran.out for score in result["scores"])
    assert "<html" in (demo / "report.html").read_text()
    assert "demo/report.html" in ran.out
    assert {"accounts.csv", "usage.parquet"} <= {file["name"].split("/")[-1] for file in result["inputs"]}
    assert "region" in result["settings"]["fixed"]
    first = {path.name: path.read_bytes() for path in demo.iterdir() if path.is_file()}
    assert run(*asked, cwd=tmp_path).code == 0
    assert {path.name: path.read_bytes() for path in demo.iterdir() if path.is_file()} == first


def test_the_demo_does_not_overwrite_a_folder_that_is_not_a_demo(tmp_path: Path) -> None:
    (tmp_path / "renewals.csv").write_text("mine")
    ran = run("demo", "--folder", tmp_path, "--no-open")
    assert ran.code == 2
    assert ran.faults[0].startswith("--folder:")
    assert [path.name for path in tmp_path.iterdir()] == ["renewals.csv"]
    assert (tmp_path / "renewals.csv").read_text() == "mine"


def test_the_faults_of_the_demo_s_options_are_listed_together(tmp_path: Path) -> None:
    ran = run("demo", "--seed", "x", "--accounts", "many", cwd=tmp_path)
    assert ran.code == 2
    assert [line.split(":")[0] for line in ran.faults] == ["--seed", "--accounts"]
    assert list(tmp_path.iterdir()) == []
