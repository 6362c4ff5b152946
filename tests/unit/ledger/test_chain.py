"""The hash chain, against hashes recomputed here, and against every small thing that can be done to stored entries."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspun.errors import BadInput
from unspun.ledger.chain import (
    Anchor,
    StoredEntry,
    canonical,
    check_chain,
    entry_hash,
    make_entry,
    parse_anchor,
    read_entry,
    stored_entry,
    written_anchor,
)

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
FIELDS = tuple(field.name for field in fields(StoredEntry))
HEX = "0123456789abcdef"


def ledger(length: int, word: str = "a") -> list[StoredEntry]:
    entry = make_entry(None, "opened", {"format": 1}, START)
    rows = [stored_entry(entry)]
    for step in range(1, length):
        kind = ("load", "definition", "publication")[step % 3]
        entry = make_entry(
            entry, kind, {"step": step, "word": word, "share": 0.1 * step, "names": ["x", None]}, START + timedelta(hours=step)
        )
        rows.append(stored_entry(entry))
    return rows


def anchor(row: StoredEntry, where: str = "ledger.head") -> Anchor:
    assert isinstance(row.seq, int) and isinstance(row.hash, str)
    return Anchor(row.seq, row.hash, where)


def sealed(row: StoredEntry) -> StoredEntry:
    """The row with the hash that fits its content, as a careful forger would write it."""
    assert isinstance(row.seq, int)
    return replace(row, hash=entry_hash(str(row.previous), row.seq, str(row.at), str(row.kind), str(row.body)))


def rewritten_from(rows: list[StoredEntry], seq: int) -> list[StoredEntry]:
    """The ledger with entry `seq` changed and every entry from there on hashed anew: consistent in itself."""
    forged = list(rows[: seq - 1])
    for row in rows[seq - 1 :]:
        body = row.body if row.seq != seq else '{"step":"forged"}'
        forged.append(sealed(replace(row, body=body, previous=forged[-1].hash if forged else "0" * 64)))
    return forged


def found(rows: list[StoredEntry], *anchors: Anchor) -> list[tuple[int, str]]:
    return [(each.seq, each.kind) for each in check_chain(rows, anchors)]


def test_the_hash_of_an_entry_is_the_sha256_of_five_lines() -> None:
    body = {"b": [1, 2.5, None, True], "a": "Grüße\n", "c": {"y": 1, "x": 2}}
    first = make_entry(None, "opened", {}, START)
    second = make_entry(first, "load", body, datetime(2026, 3, 1, 12, 0, 0, 5, timezone(timedelta(hours=2))))
    nothing = hashlib.sha256(f"{'0' * 64}\n1\n2026-03-01T09:30:00.000000Z\nopened\n{{}}".encode()).hexdigest()
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    after = hashlib.sha256(f"{nothing}\n2\n2026-03-01T10:00:00.000005Z\nload\n{text}".encode()).hexdigest()
    assert (first.seq, first.previous, first.hash) == (1, "0" * 64, nothing)
    assert (second.seq, second.previous, second.hash) == (2, nothing, after)


def test_an_entry_read_back_from_its_stored_texts_is_the_entry_that_was_made() -> None:
    first = make_entry(None, "opened", {}, START)
    entry = make_entry(first, "load", {"counts": (1, 2), "name": "\ud800 é \x00"}, START)
    assert read_entry(stored_entry(entry)) == entry
    assert entry.body == {"counts": [1, 2], "name": "\ud800 é \x00"}


def test_equal_bodies_are_equal_bytes_and_no_number_is_not_a_number() -> None:
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1}) == '{"a":2,"b":1}'
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})


def test_an_entry_needs_a_kind_that_fits_its_place_and_an_instant_with_a_zone() -> None:
    first = make_entry(None, "opened", {}, START)
    with pytest.raises(ValueError, match="load"):
        make_entry(None, "load", {}, START)
    with pytest.raises(ValueError, match="opened"):
        make_entry(first, "opened", {}, START)
    with pytest.raises(ValueError, match="line"):
        make_entry(first, "two\nlines", {}, START)
    with pytest.raises(ValueError, match="zone"):
        make_entry(first, "load", {}, datetime(2026, 3, 1))


def test_a_ledger_as_it_was_written_has_nothing_wrong_with_it() -> None:
    rows = ledger(8)
    assert found(rows) == []
    assert found(rows, anchor(rows[3]), anchor(rows[-1])) == []
    assert found(rows[:1]) == []


@settings(max_examples=300)
@given(st.data())
def test_any_edit_of_one_character_is_found_and_names_its_entry(data: st.DataObject) -> None:
    rows = ledger(7)
    at = data.draw(st.integers(0, 6))
    name = data.draw(st.sampled_from([field for field in FIELDS if field != "seq"]))
    text = str(getattr(rows[at], name))
    where = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda each: each != text[where]))
    edited = text[:where] + data.draw(st.sampled_from([letter, "", letter + text[where]])) + text[where + 1 :]
    if edited == text:
        return
    rows[at] = replace(rows[at], **{name: edited})
    assert (at + 1, "edited") in found(rows)
    assert {seq for seq, _ in found(rows)} == {at + 1}


@settings(max_examples=100)
@given(st.integers(0, 6), st.one_of(st.integers(-5, 40), st.integers(), st.none(), st.text(), st.binary()))
def test_an_entry_that_was_given_another_number_is_found_under_the_number_it_was_written_with(at: int, seq: object) -> None:
    rows = ledger(7)
    if seq == rows[at].seq:
        return
    rows[at] = replace(rows[at], seq=seq)
    assert (at + 1, "reordered") in found(rows)


@settings(max_examples=100)
@given(st.lists(st.integers(1, 8), min_size=1, max_size=7, unique=True), st.booleans())
def test_removed_entries_are_named_even_where_the_others_were_renumbered(gone: list[int], renumbered: bool) -> None:
    rows = [row for row in ledger(9) if row.seq not in gone]
    if renumbered:
        rows = [replace(row, seq=at + 1) for at, row in enumerate(rows)]
    breaks = check_chain(rows, [anchor(ledger(9)[8])])
    assert {each.kind for each in breaks} <= {"removed", "truncated", "reordered"}
    missing = re.findall(r"entr(?:y|ies) (\d+)(?: to (\d+))? (?:is|are) missing", " ".join(each.message for each in breaks))
    assert sorted(seq for first, last in missing for seq in range(int(first), int(last or first) + 1)) == sorted(gone)


@settings(max_examples=100)
@given(st.lists(st.integers(0, 7), min_size=2, max_size=2, unique=True), st.booleans())
def test_two_entries_that_changed_places_are_both_named(pair: list[int], renumbered: bool) -> None:
    rows, (one, other) = ledger(8), pair
    rows[one], rows[other] = rows[other], rows[one]
    if renumbered:
        rows = [replace(row, seq=at + 1) for at, row in enumerate(rows)]
    assert found(rows) == [(seq + 1, "reordered") for seq in sorted(pair)]


@settings(max_examples=50)
@given(st.integers(1, 8), st.integers(1, 9))
def test_entries_cut_off_from_the_end_are_found_by_an_anchor_to_one_of_them(kept: int, known: int) -> None:
    rows = ledger(9)
    expected = [(kept + 1, "truncated")] if known > kept else []
    assert found(rows[:kept], anchor(rows[known - 1])) == expected
    assert found(rows[:kept]) == []


@settings(max_examples=80)
@given(st.integers(1, 9), st.integers(1, 9))
def test_a_tail_rewritten_with_fitting_hashes_is_found_by_an_anchor_within_it(forged_from: int, known: int) -> None:
    rows = ledger(9)
    forged = rewritten_from(rows, forged_from)
    assert found(forged) == []
    expected = [(known, "edited")] if known >= forged_from else []
    assert found(forged, anchor(rows[known - 1])) == expected


def test_between_two_anchors_the_message_says_how_far_back_a_rewrite_can_reach() -> None:
    rows = ledger(9)
    breaks = check_chain(rewritten_from(rows, 6), [anchor(rows[3], "book version 1"), anchor(rows[6], "book version 2"), anchor(rows[8])])
    assert [(each.seq, each.kind) for each in breaks] == [(7, "edited")]
    assert "after entry 4, the last one that is confirmed," in breaks[0].message
    assert "book version 2 records (and 1 more records differ)" in breaks[0].message


def test_one_entry_replaced_with_a_fitting_hash_is_found_by_the_entry_after_it() -> None:
    rows = ledger(6)
    rows[2] = sealed(replace(rows[2], body='{"step":99}'))
    assert found(rows) == [(3, "edited")]
    assert "entry 4 was written after one with the hash" in check_chain(rows, [])[0].message


def test_an_entry_replaced_together_with_its_link_is_the_one_named_and_not_the_one_before_it() -> None:
    rows = ledger(6)
    rows[3] = sealed(replace(rows[3], previous="f" * 64))
    assert found(rows) == [(4, "edited")]


@pytest.mark.parametrize(
    "forged", [{"at": "yesterday"}, {"at": "2026-13-45T00:00:00.000000Z"}, {"body": "{"}, {"body": "[" * 9000}, {"body": "[]"}]
)
def test_a_hash_that_fits_makes_no_entry_of_what_was_never_one(forged: dict[str, str]) -> None:
    rows = ledger(6)
    rows[2] = sealed(replace(rows[2], **forged))
    assert found(rows) == [(3, "edited")]
    with pytest.raises(BadInput, match="entry 3 is damaged"):
        read_entry(rows[2])
    rows = [*ledger(5), sealed(replace(ledger(6)[5], at="yesterday"))]
    assert found(rows) == [(6, "edited")]


def test_where_records_contradict_each_other_the_entry_is_named_and_either_may_have_been_changed() -> None:
    rows = ledger(6)
    breaks = check_chain(rows, [Anchor(3, "f" * 64, "book version 1"), anchor(rows[5])])
    assert [(each.seq, each.kind) for each in breaks] == [(3, "edited")]
    assert "rewritten together with those, or the record in book version 1 was" in breaks[0].message
    forged = rewritten_from(rows, 3)
    breaks = check_chain(forged, [anchor(rows[4], "the report of March"), anchor(forged[5])])
    assert [(each.seq, each.kind) for each in breaks] == [(5, "edited")] and "the report of March" in breaks[0].message


def test_a_copy_of_an_entry_and_one_that_was_put_in_are_no_part_of_the_chain() -> None:
    rows = ledger(6)
    assert found([*rows, replace(rows[2], seq=7)]) == [(3, "foreign")]
    assert found([*rows[:3], replace(rows[3], body="{}"), *rows[3:]]) == [(4, "foreign")]


def test_a_ledger_of_another_warehouse_and_an_empty_one_are_found() -> None:
    rows, other = ledger(5), ledger(5, word="b")
    assert found(other, anchor(rows[4])) == [(5, "edited")]
    assert found([*rows[:3], *other[3:]]) == [(3, "edited")]
    assert found([]) == [(1, "truncated")]
    assert found([sealed(replace(rows[0], kind="load"))]) == [(1, "foreign")]


GARBAGE = st.one_of(
    st.none(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=5), st.text(HEX, min_size=64, max_size=64)
)


@settings(max_examples=150)
@given(
    st.lists(st.builds(StoredEntry, *[GARBAGE] * 6), max_size=6),
    st.lists(st.builds(Anchor, st.integers(1, 9), st.text(), st.text()), max_size=3),
)
def test_whatever_lies_in_storage_is_a_finding_and_never_an_error(rows: list[StoredEntry], anchors: list[Anchor]) -> None:
    assert check_chain(rows, anchors)
    assert check_chain([*ledger(3), *rows], anchors) or not (rows or anchors)


@settings(max_examples=60)
@given(st.integers(0, 6), st.sampled_from(FIELDS[1:]), GARBAGE)
def test_a_value_of_a_wrong_type_is_an_edit_of_its_entry(at: int, name: str, value: object) -> None:
    rows = ledger(7)
    rows[at] = replace(rows[at], **{name: value})
    assert found(rows) == [(at + 1, "edited")]
    with pytest.raises(BadInput, match="ledger verify"):
        read_entry(rows[at])


def test_a_long_ledger_is_checked_in_time_that_grows_with_its_length_even_when_all_of_it_was_moved() -> None:
    rows = ledger(4000)
    assert len(found(list(reversed(rows)))) == 4000
    assert found(rows[1000:]) == [(1, "removed")]
    assert found([replace(row, seq=at + 1) for at, row in enumerate(rows[1000:])]) == [(1, "removed"), (1001, "reordered")]


def test_an_anchor_reads_as_it_is_printed() -> None:
    entry = make_entry(None, "opened", {}, START)
    assert parse_anchor(f" {written_anchor(entry)}\n", "report") == Anchor(1, entry.hash, "report")
    for text in ("", "1", f"0:{entry.hash}", f"1:{entry.hash[:-1]}", f"1:{entry.hash.upper()}", f"{entry.hash}:1"):
        with pytest.raises(BadInput, match="not the number and hash"):
            parse_anchor(text, "report")
