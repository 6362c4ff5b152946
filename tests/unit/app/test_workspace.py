"""A workspace: made whole or not at all, found from where one stands, its settings and definitions read with clear faults."""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from unspun.app.workspace import Workspace, WorkspaceSettings, open_workspace
from unspun.app.workspace_demo import DemoWorkspace, create_demo_workspace, write_company
from unspun.app.workspace_making import PARTS, create_workspace, template
from unspun.app.workspace_settings import read_settings
from unspun.book.demo import DEMO_SEED, make_company
from unspun.book.mapping.book_file import add_source, mapping_for, read_definition
from unspun.book.mapping.definition import SourceMapping
from unspun.book.retention.rules import RetentionRules
from unspun.errors import BadInput, Fault
from unspun.warehouse.read import end_of_day, open_book

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
SMALL = 30  # accounts


def faults(make: Callable[..., object], *given: object) -> list[Fault]:
    with pytest.raises(BadInput) as caught:
        make(*given)
    return list(caught.value.faults)


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSPUN_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)


def test_a_new_workspace_has_definitions_that_read_and_an_empty_warehouse(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "acme", AT)
    assert workspace == Workspace(tmp_path / "acme", WorkspaceSettings("acme", "1500MB", 90))
    assert workspace.definition().sources == ()
    assert workspace.retention_rules() == RetentionRules()
    with workspace.catalog() as catalog:
        assert catalog.current() is None
    assert sorted(entry.name for entry in workspace.folder.iterdir()) == [".gitignore", *sorted(PARTS)]
    assert "warehouse/" in (workspace.folder / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", ["Ümläut & Söhne", 'a "quoted" \\ name', "x" * 200])
def test_a_workspace_may_have_any_name_of_one_line(tmp_path: Path, name: str) -> None:
    assert create_workspace(tmp_path, AT, name).settings.name == name


def test_a_name_that_no_line_can_hold_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    assert faults(create_workspace, tmp_path / "new", AT, "a\nb")[0].code == "bad_name"
    assert not (tmp_path / "new").exists()


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text("a", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("*.pyc", encoding="utf-8")
    create_workspace(tmp_path, AT)
    assert (tmp_path / "export.csv").read_text(encoding="utf-8") == "a"
    lines = (tmp_path / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "*.pyc"
    assert {"warehouse/", "state.db*", ".secret", ".console/"} <= set(lines)


def test_a_folder_that_is_a_workspace_or_holds_files_of_its_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "book.yml").write_text("mine", encoding="utf-8")
    (tmp_path / "warehouse").mkdir()
    assert [(one.code, Path(one.where).name) for one in faults(create_workspace, tmp_path, AT)] == [
        ("in_the_way", "warehouse"),
        ("in_the_way", "book.yml"),
    ]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["book.yml", "warehouse"]
    create_workspace(tmp_path / "one", AT)
    assert [one.code for one in faults(create_workspace, tmp_path / "one", AT)] == ["workspace_exists"]
    assert [one.code for one in faults(create_workspace, tmp_path / "book.yml", AT)] == ["not_a_folder"]


MOST_STEPS = 60
STEPS = ("os.rename", "os.mkdir", "os.rmdir", "os.remove", "sqlite3.connect")


def test_a_making_that_is_killed_at_any_step_leaves_no_workspace_or_a_whole_one_and_the_next_finishes_it(tmp_path: Path) -> None:
    seen = []
    for step in range(1, MOST_STEPS):
        folder = tmp_path / f"killed-{step}"
        if not _killed_at(step, folder):
            break
        seen.append((folder / "unspun.toml").exists())
        _check_whole(open_workspace(folder) if seen[-1] else create_workspace(folder, AT))
        assert faults(create_workspace, folder, AT)[0].code == "workspace_exists"
        assert sorted(entry.name for entry in folder.iterdir() if entry.name != ".gitignore") == sorted(PARTS)
    assert seen.count(False) >= 10  # killed before it was done, at many steps
    assert seen[-1:] == [True]  # and once after unspun.toml was in place
    assert len(seen) < MOST_STEPS - 1


def _killed_at(step: int, folder: Path) -> bool:
    """Make a workspace in another process that is killed before its nth change to the disk; False where it made fewer."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = step

    def count(event: str, details: tuple[object, ...]) -> None:
        nonlocal left
        left -= event in STEPS or (event == "open" and "w" in str(details[1] or ""))
        if left == 0:
            os._exit(9)

    sys.addaudithook(count)
    try:
        create_workspace(folder, AT)
    finally:
        os._exit(0)


def _check_whole(workspace: Workspace) -> None:
    assert workspace.definition().sources == ()
    assert workspace.retention_rules() == RetentionRules()
    with workspace.catalog() as catalog:
        assert catalog.current() is None


def test_a_workspace_is_found_from_below_by_name_and_by_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = create_workspace(tmp_path / "one", AT), create_workspace(tmp_path / "other", AT)
    deep = one.folder / "files" / "2026"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert open_workspace() == one
    assert open_workspace(Path("../../../other")).settings == other.settings
    monkeypatch.setenv("UNSPUN_WORKSPACE", str(other.folder))
    assert open_workspace() == other
    assert open_workspace(one.folder) == one


def test_where_there_is_no_workspace_the_fault_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_workspace(tmp_path / "one", AT)
    (below,) = faults(open_workspace, tmp_path / "one" / "below")
    (here,) = faults(open_workspace)
    monkeypatch.setenv("UNSPUN_WORKSPACE", str(tmp_path / "gone"))
    (named,) = faults(open_workspace)
    assert {one.code for one in (below, here, named)} == {"no_workspace"}
    assert all("unspun init" in one.hint for one in (below, here, named))
    assert (below.where, here.where, named.where) == ("--workspace", "", "UNSPUN_WORKSPACE")


def test_every_fault_of_the_settings_is_told_at_once_with_its_line() -> None:
    text = '# settings\nname = ""\nkeepdays = 3\n\nmemory = "10MB"\nkeep_days = true\n[more]\nx = 1\n'
    found = faults(read_settings, text, "unspun.toml", "acme")
    assert [(one.code, one.where) for one in found] == [
        ("bad_setting", "unspun.toml:2"), ("unknown_setting", "unspun.toml:3"), ("bad_setting", "unspun.toml:5"),
        ("bad_setting", "unspun.toml:6"), ("unknown_setting", "unspun.toml:7"),
    ]  # fmt: skip
    assert "Did you mean 'keep_days'?" in found[1].hint
    assert [(one.code, one.where) for one in faults(read_settings, 'name = "a"\nmemory = \n', "unspun.toml", "x")] == [
        ("bad_toml", "unspun.toml:2")
    ]


def test_settings_left_out_have_the_values_that_the_template_shows() -> None:
    assert read_settings("", "unspun.toml", "acme") == read_settings(template("unspun.toml").replace("{name}", '"acme"'), "unspun.toml", "")
    written = 'name = "a"\nmemory = "4 GB"\nkeep_days = 0\n'
    assert read_settings(written, "unspun.toml", "x") == WorkspaceSettings("a", "4GB", 0)


def test_a_definition_that_is_gone_or_no_text_is_a_clear_fault(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path, AT)
    workspace.book_file.write_bytes(b"currency: EUR\n# \xff\n")
    assert [(one.code, one.where) for one in faults(workspace.definition)] == [("not_utf8", "book.yml:2")]
    workspace.book_file.unlink()
    assert faults(workspace.definition)[0].code == "missing_definition"
    workspace.retention_file.unlink()
    assert workspace.retention_rules() == RetentionRules()


def test_line_ends_of_a_definition_are_kept(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path, AT)
    workspace.book_file.write_bytes(b"currency: EUR\r\nsources:\r\n")
    added = add_source(workspace.book_text(), SourceMapping(("a.csv",), "accounts", {"account_id": "A"}))
    assert added.count("\n") == added.count("\r\n") == 6


def test_every_commented_example_of_book_yml_is_valid_once_uncommented() -> None:
    text = template("book.yml")
    examples = [line for line in text.splitlines() if re.match(r"#(  |[a-z])", line)]
    book = read_definition(re.sub(r"(?m)^#(?=  |[a-z]|$)", "", text))
    assert book.currency == "USD"
    assert [source.table for source in book.sources] == ["accounts", "subscriptions", "renewals", "events", "purchases"]
    assert sum("- files:" in line for line in examples) == 4
    assert [(one.name, bool(one.url_from)) for one in book.databases] == [("billing", True), ("crm", False)]
    for i, source in enumerate(book.sources[:4]):  # each by itself too
        start = [line for line in text.splitlines() if line.startswith("#  - files:")][i]
        assert mapping_for(book, source.files[0].replace("*", "-2026")) is source, start


def test_a_source_is_added_above_the_example_of_a_new_book() -> None:
    added = add_source(template("book.yml"), SourceMapping(("a.csv",), "accounts", {"account_id": "A"}))
    assert added.index("  - files: a.csv") < added.index("#  - files:")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    write_company(folder, DEMO_SEED, SMALL)
    return folder


def test_every_file_of_the_demo_company_is_mapped_with_every_column(company: Path) -> None:
    book = read_definition(template("demo-book.yml"))
    files = sorted((company / "files").iterdir())
    mapped = {path.name: mapping_for(book, str(path)) for path in files}
    assert len(files) == len(book.sources)
    for path in files:
        source = mapped[path.name]
        assert source is not None, path
        if path.suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                assert set(next(csv.reader(file))) == {*source.columns.values(), *source.ignored}, path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoWorkspace:
    return create_demo_workspace(tmp_path_factory.mktemp("demo") / "demo", AT, accounts=SMALL)


def test_a_demo_workspace_holds_the_whole_company(demo: DemoWorkspace) -> None:
    assert {path.name for path in demo.files} == {source.name for source in demo.loaded.sources}
    assert sum(source.rows_rejected for source in demo.loaded.sources) == 0
    truth = make_company(DEMO_SEED, SMALL)
    rows = {source.name: source.rows_read for source in demo.loaded.sources}
    assert rows["subscriptions.csv"] == truth.subscriptions.num_rows
    assert rows["usage.parquet"] == truth.usage.num_rows
    with open_workspace(demo.workspace.folder).catalog() as catalog:
        version = catalog.current()
        assert version is not None
        events = version.table("events")
        assert events is not None
        assert events.rows == truth.usage.num_rows + truth.survey_invitations.num_rows
    assert (demo.truth / "renewals.csv").is_file()


def test_the_demo_book_says_of_each_account_on_each_day_what_the_company_knew_then(demo: DemoWorkspace) -> None:
    truth = make_company(DEMO_SEED, SMALL)
    changes = {row["valid_from"] for table in (truth.segments, truth.owner_history) for row in table.to_pylist()}
    days = sorted(changes)[:: len(changes) // 6]
    with open_workspace(demo.workspace.folder).catalog() as catalog:
        version = catalog.current()
        assert version is not None
        for day in days:
            with open_book(catalog, version, end_of_day(day, "UTC")) as reader:
                read = reader.query("SELECT account_id, segment, owner, region, created_on FROM accounts").to_pylist()
            segments, owners = holding(truth.segments, "segment", day), holding(truth.owner_history, "owner", day)
            assert {row["account_id"]: row["segment"] for row in read if row["segment"]} == segments
            assert {row["account_id"]: row["owner"] for row in read if row["owner"]} == owners
            said = {row["account_id"]: (row["region"], row["signed_on"]) for row in truth.accounts.to_pylist()}
            assert {row["account_id"]: (row["region"], row["created_on"]) for row in read} == said  # fixed: read for any day


def holding(table: pa.Table, name: str, day: date) -> dict[str, str]:
    """By account, the value that holds on a day."""
    rows = table.to_pylist()
    return {row["account_id"]: row[name] for row in rows if row["valid_from"] <= day < (row["valid_to"] or date.max)}


def test_a_demo_is_not_written_over_files_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    assert [one.code for one in faults(create_demo_workspace, tmp_path, AT)] == ["in_the_way"]
    assert os.listdir(tmp_path) == ["files"]
