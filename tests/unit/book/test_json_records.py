"""JSON: lines and documents read like the same records in CSV, and lines that cannot be read are set aside by number."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.book import json_records
from unspun.book.files import open_table
from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions
from unspun.errors import BadInput

NOTHING = ReadingOptions()
RECORDS = st.lists(
    st.fixed_dictionaries(
        {"account": st.sampled_from(["A", "B\u00e9", "C\n,", "1", "null"]), "date": st.sampled_from(["2026-01-01", "2026-01-02"])},
        optional={"score": st.one_of(st.none(), st.integers(-99, 99), st.floats(-1e3, 1e3)), "owner": st.sampled_from(["Ann", ""])},
    ),
    min_size=1,
    max_size=12,
)


def as_csv(records: list[dict[str, Any]]) -> bytes:
    file = io.StringIO()
    names = ["account", "date", "score", "owner"]
    writer = csv.DictWriter(file, names)
    writer.writeheader()
    writer.writerows([{name: "" if record.get(name) is None else record[name] for name in names} for record in records])
    return file.getvalue().encode()


def outcome(source: bytes, shift: int) -> object:
    try:
        history = read_scores(source, NOTHING)
    except BadInput as error:
        return sorted(fault.code for fault in error.faults if fault.code != "no_score_column") and "refused"
    names = [history.account.names[code] for code in history.account.codes]
    rejected = {r.code: (r.rows + shift).tolist() for r in history.source.rejections}
    return names, history.dated.tolist(), history.series[0].values.tolist(), (history.row + shift).tolist(), rejected


@given(RECORDS, st.integers(1, 4))
def test_records_read_like_the_rows_of_a_csv(records: list[dict[str, Any]], chunk: int) -> None:
    records = [{"account": "Z", "date": "2026-01-01", "score": 1, "owner": "Ann"}, *records]
    expected = outcome(as_csv(records), 0)
    whole, json_records.CHUNK_ROWS = json_records.CHUNK_ROWS, chunk
    try:
        assert outcome("\n".join(map(json.dumps, records)).encode(), 1) == expected
        assert outcome(json.dumps(records, indent=2).encode(), 1) == expected
        assert outcome(json.dumps({"size": 3, "page": {"next": [1]}, "results": records}).encode(), 1) == expected
    finally:
        json_records.CHUNK_ROWS = whole


def test_objects_within_records_are_flattened_one_level_and_what_lies_deeper_is_noted() -> None:
    record = {
        "attributes": {"type": "Account", "more": {"x": 1}},
        "account": "A",
        "date": "2026-01-01",
        "health": {"score": 7},
        "tags": ["a"],
    }
    raw = open_table(json.dumps({"records": [record]}).encode(), "scores")
    assert dict(zip(raw.names, (column[0].as_py() for column in raw.columns), strict=True)) == {
        "attributes.type": "Account", "account": "A", "date": "2026-01-01", "health.score": 7,
    }  # fmt: skip
    assert raw.notes == ("field 'attributes.more' holds nested values and is not read", "field 'tags' holds nested values and is not read")


def test_fields_of_mixed_kinds_become_text() -> None:
    lines = [{"account": 17, "date": "2026-01-01", "score": 1}, {"account": "B", "date": "2026-01-01", "score": 2.5}]
    history = read_scores("\n".join(map(json.dumps, lines)).encode(), NOTHING)
    assert history.account.names == ("17", "B") and history.series[0].values.tolist() == [1.0, 2.5]


def test_unreadable_and_blank_lines_are_set_aside_with_their_numbers() -> None:
    good = [json.dumps({"account": f"A{i}", "date": "2026-01-01", "score": i}) for i in range(20)]
    lines = [*good[:2], '{"account": "torn', "", "[1, 2]", *good[2:]]
    history = read_scores("\r\n".join(lines).encode(), NOTHING)
    assert {r.code: r.rows.tolist() for r in history.source.rejections} == {"unreadable_line": [3, 5], "blank_line": [4]}
    assert history.source.rejections[0].values == ('{"account": "torn', "[1, 2]") and history.row.tolist() == [1, 2, *range(6, 24)]
    with pytest.raises(BadInput, match="2 of 4 lines are no JSON object"):
        read_scores("\n".join([good[0], good[1], "{", "}"]).encode(), NOTHING)


REFUSED = {
    "a list that is not closed": ('[{"account": 1},', "the JSON is damaged"),
    "an entry without a comma": ('[{"account": 1} {"account": 2}]', "the JSON is damaged"),
    "an entry that is no object": ('[{"account": 1}, 5]', "an entry of the list is no object"),
    "an object without a list": ('{"error": "not found"}', "no column is recognised as the account"),
    "an object over several lines without a list": ('{\n"error":\n"not found"\n}', "holds no list of records"),
    "two lists": ('{"a": [{"b": 1}], "c": [{"d": 2}]}', "several lists of records"),
    "an empty list": ("[]", "there is no record in it"),
    "a document nested without end": ("[{" + '"a":[' * 100_000, "nested too deeply|damaged"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_holds_no_records_is_refused_in_a_clear_sentence(case: str) -> None:
    content, message = REFUSED[case]
    with pytest.raises(BadInput, match=message):
        read_scores(content.encode(), NOTHING)


@given(st.text('{}[]":,ab1 \n', max_size=60))
def test_nothing_that_looks_like_json_ends_in_anything_but_a_table_or_a_fault(text: str) -> None:
    for start in ('{"account": 1}\n', '[{"account": 1},', '{"records": [', "{"):
        try:
            read_scores((start + text).encode(), NOTHING)
        except BadInput as error:
            assert error.faults
