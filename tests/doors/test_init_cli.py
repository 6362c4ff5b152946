"""`unspun init` as a person runs it: what it makes, what it says, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

from tests.doors.cli_files import run
from unspun.book.mapping.book_file import read_definition

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "workspace.md"


def test_a_workspace_is_made_and_the_next_commands_are_told(tmp_path: Path) -> None:
    ran = run("init", "my company", "--name", "Acme Ltd", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert "cd 'my company'" in ran.out
    assert "unspun load FILE..." in ran.out
    assert 'name = "Acme Ltd"' in (tmp_path / "my company" / "unspun.toml").read_text(encoding="utf-8")
    made = {path.name for path in (tmp_path / "my company").iterdir() if not path.name.startswith(".")}
    assert len(made) >= 5 and all(name in ran.out for name in made), "each is told with what it holds"
    assert run("status", cwd=tmp_path / "my company").code == 0


def test_in_the_folder_itself_there_is_nowhere_to_go(tmp_path: Path) -> None:
    ran = run("init", cwd=tmp_path)
    assert ran.code == 0
    assert "cd " not in ran.out


def test_a_second_workspace_in_the_same_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    run("init", cwd=tmp_path)
    before = (tmp_path / "unspun.toml").read_bytes()
    for options in ((), ("--demo",)):
        ran = run("init", *options, cwd=tmp_path)
        assert ran.code == 2
        assert ran.err.strip() == f"{tmp_path}: this is a workspace already. Use it, or give another folder."
    assert (tmp_path / "unspun.toml").read_bytes() == before


def test_a_bad_name_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    ran = run("init", "new", "--name", " ", cwd=tmp_path)
    assert (ran.code, ran.err.startswith("--name: ")) == (2, True)
    assert not (tmp_path / "new").exists()


def test_the_mapping_that_the_page_shows_is_valid() -> None:
    (book,) = re.findall(r"```yaml\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    assert read_definition(book).sources[0].amount_months == 1
