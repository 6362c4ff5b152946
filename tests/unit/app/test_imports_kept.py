"""Files of an import as they are kept: under safe names, within the bound, for their owner alone, and for a day."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from unspun.app.access import EVERYTHING, Actor, Forbidden
from unspun.app.imports import kept
from unspun.app.imports.kept import Upload
from unspun.app.imports.running import look_at
from unspun.app.workspace import Workspace
from unspun.app.workspace_making import create_workspace
from unspun.book.mapping.correct import ChosenMapping
from unspun.errors import BadInput

NOW = datetime.now(UTC)
ANN, BOB = (Actor(number, name, "", "analyst", EVERYTHING, "session") for number, name in ((1, "Ann"), (2, "Bob")))
ROWS = b"Client,Since,Label,Extra\nC-1,2024-01-01,One,a\nC-2,2024-01-02,Two,b\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return create_workspace(tmp_path / "acme", NOW)


def small(workspace: Workspace) -> Workspace:
    """The same, where a request may bring a megabyte."""
    return replace(workspace, settings=replace(workspace.settings, serve=replace(workspace.settings.serve, upload="1MB")))


def codes(refusal: pytest.ExceptionInfo[BadInput]) -> list[str]:
    return [fault.code for fault in refusal.value.faults]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("accounts.csv", "accounts.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\exports\\accounts.csv", "accounts.csv"),
        (".hidden", "hidden"),
        ("a\u202ecsv.exe\x00", "acsv.exe"),
        ("..", ""),
        ("x" * 300 + ".csv", "x" * 116 + ".csv"),
    ],
)
def test_a_name_keeps_its_last_part_without_what_nobody_sees(given: str, name: str) -> None:
    assert kept.safe_name(given) == name


def test_an_import_is_its_owners_alone(workspace: Workspace) -> None:
    made = kept.begin(workspace, ANN, [Upload("crm.csv", [ROWS])], NOW)
    assert kept.find(workspace, ANN, made.id) == made
    with pytest.raises(BadInput) as refusal:
        kept.find(workspace, BOB, made.id)
    assert codes(refusal) == [kept.NO_IMPORT] and kept.listed(workspace, BOB, NOW) == ()
    assert oct(os.stat(made.path(workspace, "crm.csv")).st_mode)[-3:] == "600"
    with pytest.raises(Forbidden):
        kept.find(workspace, replace(ANN, role="manager"), made.id)


@pytest.mark.parametrize("wanted", ["../../warehouse", "x", "0" * 16])
def test_an_import_that_is_none_is_not_found(workspace: Workspace, wanted: str) -> None:
    with pytest.raises(BadInput) as refusal:
        kept.find(workspace, ANN, wanted)
    assert codes(refusal) == [kept.NO_IMPORT]


def test_files_over_the_bound_leave_nothing_behind(workspace: Workspace) -> None:
    parts = (b"x" * 400_000 for _ in range(4))
    with pytest.raises(BadInput) as refusal:
        kept.begin(small(workspace), ANN, [Upload("a.csv", [ROWS]), Upload("big.csv", parts)], NOW)
    assert codes(refusal) == ["too_big"] and refusal.value.faults[0].where == "big.csv"
    assert kept.listed(workspace, ANN, NOW) == () and not list((workspace.folder / kept.FOLDER).rglob("*.csv"))


def test_all_that_is_wrong_with_the_names_is_said_at_once(workspace: Workspace) -> None:
    with pytest.raises(BadInput) as refusal:
        kept.begin(workspace, ANN, [Upload("a.csv", [ROWS]), Upload("/x/a.csv", [ROWS]), Upload("..", [ROWS])], NOW)
    assert sorted(codes(refusal)) == ["file_twice", "no_name"]


def test_what_nobody_touched_for_a_day_is_removed(workspace: Workspace) -> None:
    made = kept.begin(workspace, ANN, [Upload("crm.csv", [ROWS])], NOW)
    assert kept.listed(workspace, ANN, NOW + timedelta(hours=23)) == (made,)
    assert kept.listed(workspace, ANN, NOW + timedelta(hours=25)) == ()
    assert not made.folder(workspace).exists()


def test_a_corrected_mapping_is_the_one_that_is_loaded(workspace: Workspace) -> None:
    made = kept.begin(workspace, ANN, [Upload("crm.csv", [ROWS])], NOW)
    columns = {"Client": "account_id", "Since": "dated", "Label": "name", "Extra": ""}
    chosen = kept.choose(workspace, made, "crm.csv", ChosenMapping("accounts", columns))
    (found,) = look_at(workspace, chosen)
    assert found.faults == () and found.mapping is not None
    assert found.mapping.columns == {"account_id": "Client", "dated": "Since", "name": "Label"} and found.mapping.ignored == ("Extra",)
    assert chosen.revision == made.revision + 1


def test_every_fault_of_a_choice_is_said_with_the_file(workspace: Workspace) -> None:
    made = kept.begin(workspace, ANN, [Upload("crm.csv", [ROWS])], NOW)
    columns = {"Client": "name", "Since": "dated", "Label": "name", "Extra": ""}
    (found,) = look_at(workspace, kept.choose(workspace, made, "crm.csv", ChosenMapping("accounts", columns)))
    assert [(fault.code, fault.where) for fault in found.faults] == [("column_twice", "crm.csv"), ("no_required", "crm.csv")]
