"""Read models as files: the same contents the same bytes, put in force whole or not at all, a few kept, all forgotten by an erasure."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.app.read_model_lines import contents, line, made
from unspun.errors import BadInput
from unspun.warehouse.read_model import FOLDER, forget_read_models, install, kept_keys, models_naming, open_read_model, write_read_model

KEYS = tuple(f"{n:016x}" for n in range(6))
KILLED = """
import os, signal, sys
from pathlib import Path
from tests.unit.app.read_model_lines import contents, line
from unspun.warehouse import read_model
count, real = 0, Path.replace
def replace(self, target):
    global count
    count += 1
    if count == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, target)
Path.replace = replace
read_model.write_read_model(Path(sys.argv[1]), sys.argv[3], contents([line("A-2")], {}))
read_model.install(Path(sys.argv[1]), sys.argv[3])
"""


def accounts_of(folder: Path, key: str | None = None) -> list[str]:
    return [one for (one,) in open_read_model(folder / "warehouse", key).rows("SELECT account_id FROM lines ORDER BY line")]


def test_the_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    lines = [line(f"A-{n}", p_churn=0.1, lost=10.0, arr=100.0, segment="Large" if n % 2 else None) for n in range(300)]
    for name in ("one", "other"):
        made(tmp_path / name, lines, KEYS[1])
    for kind in ("db", "npy"):
        one, other = (tmp_path / name / "warehouse" / FOLDER / f"{KEYS[1]}.{kind}" for name in ("one", "other"))
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_writer_killed_before_any_of_its_renames_leaves_the_earlier_one_in_force(tmp_path: Path, root: Path, step: int) -> None:
    made(tmp_path, [line("A-1")], KEYS[1])
    warehouse = tmp_path / "warehouse"
    ran = subprocess.run([sys.executable, "-c", KILLED, warehouse, str(step), KEYS[2]], cwd=root, check=False)
    assert ran.returncode == -9
    assert accounts_of(tmp_path) == ["A-1"]
    made(tmp_path, [line("A-2")], KEYS[2])
    assert accounts_of(tmp_path) == ["A-2"]
    assert {path.suffix for path in (warehouse / FOLDER).iterdir()} == {"", ".db", ".npy"}


def test_the_three_newest_are_kept_and_an_earlier_one_can_be_asked_for(tmp_path: Path) -> None:
    for n, key in enumerate(KEYS[:5]):
        made(tmp_path, [line(f"A-{n}")], key)
    assert kept_keys(tmp_path / "warehouse") == (KEYS[4], KEYS[3], KEYS[2])
    assert accounts_of(tmp_path) == ["A-4"]
    assert accounts_of(tmp_path, KEYS[2]) == ["A-2"]
    with pytest.raises(BadInput, match="no longer kept"):
        accounts_of(tmp_path, KEYS[1])
    assert len(list((tmp_path / "warehouse" / FOLDER).glob("*.db"))) == 3


def test_an_older_one_put_in_force_again_is_the_newest(tmp_path: Path) -> None:
    for n, key in enumerate(KEYS[:2]):
        made(tmp_path, [line(f"A-{n}")], key)
    install(tmp_path / "warehouse", KEYS[0])
    assert kept_keys(tmp_path / "warehouse") == (KEYS[0], KEYS[1])


def test_one_written_again_under_its_key_is_read_anew(tmp_path: Path) -> None:
    for name in ("A-1", "A-2"):
        made(tmp_path, [line(name)], KEYS[0])
        assert accounts_of(tmp_path) == [name]


def test_before_the_first_refresh_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="unspun refresh"):
        open_read_model(tmp_path)


def test_who_is_named_in_a_file_is_found_and_forgetting_leaves_none(tmp_path: Path) -> None:
    bodies = {"A-1": {"contacts": [{"contact_id": "C-9"}]}}
    for key in KEYS[:2]:
        made(tmp_path, [line("A-1"), line("A-2", parent="A-7")], key, bodies)
    warehouse = tmp_path / "warehouse"
    assert [models_naming(warehouse, id) for id in ("A-1", "A-7", "C-9", "C", "A")] == [2, 2, 2, 0, 0]
    assert forget_read_models(warehouse) == 2
    assert list((warehouse / FOLDER).iterdir()) == []
    assert kept_keys(warehouse) == ()
    assert forget_read_models(warehouse) == 0


def test_a_file_of_another_form_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = tmp_path / "warehouse"
    warehouse.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("unspun.warehouse.read_model.FORM", 999)
        write_read_model(warehouse, KEYS[0], contents([line("A-1")], {}))
        install(warehouse, KEYS[0])
    with pytest.raises(BadInput, match="form 999"):
        open_read_model(warehouse)


def test_threads_that_answer_in_turn_each_read_the_model_again_and_again(tmp_path: Path) -> None:
    made(tmp_path, [line("A-1")], KEYS[1])
    together = threading.Barrier(2)

    def read_in_turn() -> list[str]:
        seen = list[str]()
        for _ in range(3):
            together.wait(timeout=30)
            seen += accounts_of(tmp_path)
        return seen

    with ThreadPoolExecutor(2) as threads:
        for one in [threads.submit(read_in_turn) for _ in range(2)]:
            assert one.result() == ["A-1"] * 3
