"""What a panel is computed on and how it is written: outages, recorded questions, the same bytes however the engine cuts its batches."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspun.app.checks import RecordedCheck
from unspun.app.metric.value import outages_behind
from unspun.app.panel.basis import PanelBasis, basis_from_json, outages_of
from unspun.app.panel.files import GROUP_ROWS, Counted, Format, HashedFile, HashedRows, in_groups, write_panel
from unspun.app.panel.request import PanelRequest, check_request, needs_arr, tables_read
from unspun.app.panel.run import checked_memory
from unspun.book.checks.finding import Finding, Span
from unspun.book.terms.rules import TermRules
from unspun.errors import BadInput
from unspun.metrics.conditions import IsIn
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import Arr, Count, DaysSinceLast, Open, Ratio, Reference, Rows
from unspun.metrics.windows import Days

STOPPED = Span("stopped", date(2026, 1, 5), date(2026, 1, 9), event="login", where=("region", "EMEA"), kept_share=0.1)
SCHEMA = pa.schema(
    [pa.field("account_id", pa.string()), pa.field("n", pa.int64(), metadata={"told": "x"}), pa.field("n__missing", pa.string())]
)


def finding(span: Span | None, subject: str) -> Finding:
    return Finding("tracking_breaks", "events", "error", 3, 10, "days", "Lost.", (), "Mend.", "SELECT 1", subject, span)


def test_outages_are_the_spans_in_which_tracking_broke_and_that_nobody_accepted() -> None:
    goes_on = replace(STOPPED, last=None, event="")
    used_less = replace(STOPPED, kind="usage_fell")
    found = (
        finding(STOPPED, "a"),
        finding(goes_on, "b"),
        finding(used_less, "c"),
        finding(replace(STOPPED, event="x"), "d"),
        finding(None, "e"),
    )
    checked = RecordedCheck(4, 1, datetime(2026, 2, 1, tzinfo=UTC), found, frozenset({found[3].id}))
    assert outages_of(checked) == {"events": (STOPPED, goes_on)}
    assert outages_of(None) == {}


def test_the_part_of_the_book_that_an_outage_was_in_has_the_name_that_conditions_have_for_it() -> None:
    spans = [replace(STOPPED, where=(column, "ios")) for column in ("events.platform", "accounts.region")]
    found = tuple(finding(span, str(i)) for i, span in enumerate(spans))
    checked = RecordedCheck(4, 1, datetime(2026, 2, 1, tzinfo=UTC), found, frozenset())
    assert [span.where for span in outages_of(checked)["events"]] == [("platform", "ios"), ("accounts.region", "ios")]


def test_a_value_that_an_outage_takes_away_names_those_that_bear_on_it_and_lie_in_its_window() -> None:
    earlier = replace(STOPPED, first=date(2025, 1, 5), last=date(2025, 1, 9))
    found = [("events", STOPPED, "now"), ("events", earlier, "earlier"), ("events", replace(STOPPED, event="export"), "other"),
             ("tickets", STOPPED, "elsewhere"), ("events", replace(STOPPED, measure="minutes"), "column")]  # fmt: skip
    logins = Count(Rows("events", IsIn("event", ("login",)), Days(28)))
    assert outages_behind(logins, date(2026, 1, 31), 0, 1, found) == (("now", STOPPED),)
    assert outages_behind(logins, date(2026, 1, 31), 365, 1, found) == (("earlier", earlier),)
    assert outages_behind(Arr(), date(2026, 1, 31), 0, 1, found) == ()


def test_a_recorded_basis_is_read_back_equal() -> None:
    basis = PanelBasis(
        ("a", "b"), (date(2026, 1, 31),), "January", (90, 30), date(2025, 1, 1), date(2026, 1, 1), date(2026, 2, 1), "Asia/Tokyo", 4,
        TermRules(grace_days=3, ends_inclusive=True), {"events": (STOPPED, replace(STOPPED, last=None, where=()))}, {0: date(2026, 1, 1)},
    )  # fmt: skip
    assert basis_from_json(basis.to_json()) == basis


def cut(table: pa.Table, sizes: list[int]) -> Iterator[pa.Table]:
    """The table in parts of these sizes, the rest at the end."""
    begin = 0
    for size in sizes:
        yield table.slice(begin, size)
        begin += size
    yield table.slice(begin)


def written(parts: Iterator[pa.Table], format: Format) -> tuple[bytes, HashedFile]:
    out = io.BytesIO()
    file = HashedFile(out)
    write_panel(parts, SCHEMA, format, file)
    return out.getvalue(), file


def rows(n: int) -> pa.Table:
    missing = [None if i % 3 else "no_rows" for i in range(n)]
    names = pa.array([f"{'=' if i % 5 == 0 else ''}A{i}" for i in range(n)])
    return pa.table([names, pa.array([None if why else i for i, why in enumerate(missing)]), pa.array(missing)], SCHEMA)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 3_000) | st.integers(0, 60_000), max_size=5), st.sampled_from(["parquet", "csv", "csv.gz"]))
def test_a_panel_has_the_same_bytes_however_its_rows_are_handed_out(sizes: list[int], format: Format) -> None:
    table = rows(3_000) if format != "parquet" else rows(GROUP_ROWS + 500)
    content, file = written(cut(table, sizes), format)
    assert content == written(iter([table]), format)[0]
    assert (file.sha256, file.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    nowhere = HashedFile()
    write_panel(iter([table]), SCHEMA, format, nowhere)
    assert nowhere.sha256 == file.sha256


@settings(max_examples=30)
@given(st.lists(st.integers(0, 40), max_size=6), st.data())
def test_the_hash_of_rows_is_of_their_cells_alone(sizes: list[int], data: st.DataObject) -> None:
    kinds = [pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.date32(), pa.string()]
    cells = [st.text(max_size=3), st.integers(0, 2), st.sampled_from([0.0, 1.5]), st.booleans(), st.dates(), st.sampled_from(["", "\0"])]
    columns = [data.draw(st.lists(st.none() | cell, min_size=9, max_size=9)) for cell in cells]
    table = pa.table([pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)], [f"c{i}" for i in range(6)])
    whole = rows_sha256([table])
    assert rows_sha256(cut(table, sizes)) == whole
    assert rows_sha256([pa.concat_tables([table.slice(0, 0), table.slice(0, 4), table.slice(4)])]) == whole
    column, row = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 8))
    other = [*columns[column][:row], data.draw(st.none() | cells[column]), *columns[column][row + 1 :]]
    changed = table.set_column(column, f"c{column}", pa.array(other, kinds[column]))
    assert (rows_sha256([changed]) == whole) == (other == columns[column])


def rows_sha256(parts: Iterable[pa.Table]) -> str:
    first, *rest = parts
    hashed = HashedRows(first.schema)
    for part in (first, *rest):
        hashed.take(part)
    return hashed.sha256


def test_what_is_written_is_read_back() -> None:
    table = rows(GROUP_ROWS + 500)
    content, _ = written(cut(table, [7, 0, 40_000]), "parquet")
    file = pq.ParquetFile(pa.BufferReader(content))
    assert file.read().equals(table)
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [GROUP_ROWS, 500]
    assert file.schema_arrow.field("n").metadata[b"told"] == b"x"
    assert [part.num_rows for part in in_groups(iter([]), SCHEMA)] == []
    packed = gzip.decompress(written(iter([rows(2)]), "csv.gz")[0]).decode()
    assert packed.replace('"', "").splitlines() == ["account_id,n,n__missing", "'=A0,,no_rows", "A1,1,"]


def test_every_row_is_counted_as_a_value_or_under_its_reason() -> None:
    counted = Counted(("n",))
    for part in cut(rows(1_000), [300, 0, 1]):
        counted.take(part)
    assert (counted.rows, counted.values("n"), counted.missing["n"]) == (1_000, 666, {"no_rows": 334})


def test_the_tables_read_are_found_through_references() -> None:
    metrics = MetricSet((
        Metric("a", Count(Rows("events"))), Metric("b", Ratio(Reference("a"), Arr())), Metric("c", DaysSinceLast(Rows("tickets"))),
        Metric("d", Open("contacts")),
    ))  # fmt: skip
    assert tables_read(metrics, ("b",)) == ("subscriptions", "events")
    assert (needs_arr(metrics, ("b",)), needs_arr(metrics, ("a", "c", "d"))) == (True, False)
    assert tables_read(metrics, ("c", "d")) == ("contacts", "tickets")


@pytest.mark.parametrize("text", ["", "2", "100MB", "2 TB", "-1GB", "0GB"])
def test_an_amount_of_memory_that_will_not_do_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        checked_memory(text)


def test_an_amount_of_memory_is_read() -> None:
    assert [checked_memory(text) for text in ("2GB", "2 gb", "1500MB")] == ["2GB", "2GB", "1500MB"]


def test_a_request_takes_one_way_to_give_dates() -> None:
    check_request(PanelRequest(before_renewals=(30,), first=date(2026, 1, 1)))
    with pytest.raises(BadInput) as caught:
        check_request(PanelRequest(as_of=(date(2026, 1, 1),), before_renewals=(30,)))
    assert [fault.code for fault in caught.value.faults] == ["two_choices"]
    with pytest.raises(BadInput) as caught:
        check_request(PanelRequest(first=date(2026, 1, 1), last=date(2026, 2, 1)))
    assert [fault.where for fault in caught.value.faults] == ["from", "to"]
