"""Workspaces as a user makes them, and panels asked of them: the real commands on real files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from tests.doors.cli_files import run
from tests.panel.truth import At, Files, Metric, Value, plain, those, told


def loaded(folder: Path, book: str, data: Path) -> Path:
    """A workspace with this book.yml and the files of a folder loaded."""
    assert run("init", folder).code == 0
    (folder / "book.yml").write_text(book, encoding="utf-8")
    ran = run("load", data, "--no-check", "--workspace", folder)
    assert (ran.code, ran.err) == (0, ""), ran.err
    return folder


def write_metrics(folder: Path, metrics: Mapping[str, str], head: str = "") -> None:
    lines = [f"  {id}:\n    description: As plain pandas counts it.\n    {_block(definition)}" for id, definition in metrics.items()]
    (folder / "metrics.yml").write_text("\n".join([head + "metrics:", *lines]) + "\n", encoding="utf-8")


def _block(definition: str) -> str:
    """The definition's words one below the other, beside the description."""
    depth, parts, start = 0, list[str](), 1
    for place, sign in enumerate(definition):
        depth += (sign in "{[") - (sign in "}]")
        if (sign == "," and depth == 1) or place == len(definition) - 1:
            parts.append(definition[start:place].strip())
            start = place + 1
    return "\n    ".join(parts)


def panel(folder: Path, *options: str) -> pd.DataFrame:
    """What `unspun panel` writes, by account_id and the date or renewal."""
    path = folder.parent / "panel.parquet"
    ran = run("panel", *options, "--out", path, "--workspace", folder)
    assert ran.code == 0, ran.err
    found = pq.read_table(path).to_pandas(integer_object_nulls=True)
    path.unlink()
    return found


def not_equal(found: pd.DataFrame, files: Files, metrics: Mapping[str, tuple[str, Metric]], accounts: Sequence[str]) -> list[str]:
    """Where the panel and plain pandas differ, of all rows of these accounts; the test fails too where it has no row of one of them."""
    wrong: list[str] = []
    for account in accounts:
        own, rows = files.of_account(account), those(found, found.account_id == account)
        assert len(rows), account
        for row in rows.to_dict(orient="records"):
            at = At(files, own, account, row["as_of"].toordinal())
            for id, (_, metric) in metrics.items():
                expected, reason = told(metric, at)
                value, missing = _cell(row[id]), _cell(row[f"{id}__missing"])
                if (value, missing) != (expected, reason):
                    wrong.append(f"{id} of {account} on {row['as_of']}: {value!r} ({missing}), by the files {expected!r} ({reason})")
    return wrong


def _cell(cell: object) -> Value:
    value = plain(cell)
    return None if value is None or value is pd.NaT or value != value else value
