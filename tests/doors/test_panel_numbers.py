"""Numbers at the limits of what can be added up exactly: a panel says which row it cannot add, and adds all that it can."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.doors.book_files import Book
from tests.doors.metric_book import DAILY, EVEN, copied

AS_OF = ("--as-of", "2026-03-31")


@pytest.fixture
def book(loaded_company: Book, tmp_path: Path) -> Book:
    return copied(loaded_company, tmp_path)


def panel(book: Book, metric: str, path: Path) -> dict[str, object]:
    ran = book.run("panel", "--metrics", metric, *AS_OF, "--out", path)
    assert ran.code == 0, ran.err
    found = pq.read_table(path)
    return dict(zip(found["account_id"].to_pylist(), found[metric].to_pylist(), strict=True))


def test_a_number_that_is_too_large_to_add_up_is_named_with_its_row_and_can_be_left_out(book: Book, tmp_path: Path) -> None:
    before = panel(book, "minutes_28d", tmp_path / "before.parquet")
    head = "id,at,what,who,n"
    late = book.export("usage_late.csv", [head, f"{DAILY},2026-03-30 12:00,sync,U1,5", f"{EVEN},2026-03-30 23:45,sync,U1,1e30"])
    assert book.load(late).code == 0
    ran = book.run("panel", *AS_OF)
    assert ran.code == 2
    assert [fault.split(": ")[0] for fault in ran.faults] == ["usage_late.csv:3:value"]
    assert "1e+30 of events cannot be added up exactly" in ran.faults[0]
    assert "A-2" not in ran.err
    shown = book.run("metrics", "show", "minutes_28d", "--account", DAILY, *AS_OF)
    assert (shown.code, "usage_late.csv:3" in shown.err) == (2, True)
    assert panel(book, "last_minutes", tmp_path / "last.parquet")[EVEN] == 1e30, "what is not added up may be that large"
    file = book.folder / "metrics.yml"
    file.write_text(file.read_text().replace("sum: events.value\n", "sum: events.value\n    where: {value: {below: 1000000}}\n"))
    after = panel(book, "minutes_28d", tmp_path / "after.parquet")
    assert after == {**before, DAILY: float(str(before[DAILY])) + 5}


def test_numbers_up_to_that_limit_are_added_up_without_loss(book: Book, tmp_path: Path) -> None:
    before = panel(book, "minutes_28d", tmp_path / "before.parquet")
    large = ["1e19", "8000000.125", "-1e19", "0.000000001", "-12345"]
    rows = [f"{DAILY},2026-03-30 12:0{n},sync,U1,{cell}" for n, cell in enumerate(large)]
    assert book.load(book.export("usage_large.csv", ["id,at,what,who,n", *rows])).code == 0
    exact = Decimal(str(before[DAILY])) + Decimal("8000000.125000001") - 12345
    assert panel(book, "minutes_28d", tmp_path / "after.parquet")[DAILY] == float(exact)
