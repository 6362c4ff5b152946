"""`unspun serve` where it cannot begin: each fault told on one line, and nothing left behind."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.doors.book_files import empty_book


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    book = empty_book(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = book.run("serve", "--port", str(taken.getsockname()[1]))
    assert ran.code == 2
    assert ran.faults[0].startswith("--port: cannot listen at 127.0.0.1:")
    assert not (book.folder / "state.db").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_host_that_others_reach_needs_the_address_by_which_they_do(tmp_path: Path, host: str) -> None:
    book = empty_book(tmp_path)
    ran = book.run("serve", "--host", host)
    assert ran.code == 2
    assert ran.faults[0].startswith("--host: others can reach this host") and "[serve]" in ran.faults[0]


def test_faults_of_the_settings_are_told_at_their_lines(tmp_path: Path) -> None:
    book = empty_book(tmp_path)
    (book.folder / "unspun.toml").write_text("[serve]\nproxies = 9\n", encoding="utf-8")
    ran = book.run("serve")
    assert ran.code == 2
    assert ran.faults == ["unspun.toml:2: proxies is 9; it must be a whole number from 0 to 5."]


def test_outside_of_a_workspace_there_is_nothing_to_serve(tmp_path: Path) -> None:
    from tests.doors.cli_files import run

    ran = run("serve", "--workspace", tmp_path)
    assert ran.code == 2 and "is no workspace" in ran.err
