"""YAML as plain values: the core schema, the line of everything, and what is refused."""

from __future__ import annotations

import io
import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from unspun.book.mapping.yaml_nodes import DEEPEST, MOST_CHARACTERS, MOST_VALUES, read_yaml
from unspun.errors import BadInput, Fault

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
NUMBERS = st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False, width=32)
WORDS = st.text("abcdXYZ :#-'\"", min_size=1, max_size=12).map(lambda text: f"w{text}w")
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def value(text: str) -> object:
    return read_yaml(text, "a.yml").value


def faults(text: str) -> list[Fault]:
    with pytest.raises(BadInput) as caught:
        read_yaml(text, "a.yml")
    return list(caught.value.faults)


def only_fault(text: str) -> tuple[str, str]:
    (fault,) = faults(text)
    return fault.code, fault.where


@given(JSON)
def test_json_is_yaml_and_reads_as_json_does(given_value: object) -> None:
    text = json.dumps(given_value, ensure_ascii=True)
    if "\\ud" not in text:  # characters beyond the first plane, which JSON writes as two halves
        assert value(text) == given_value


@given(st.recursive(WORDS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=20))
def test_what_another_library_writes_reads_as_it_was(given_value: object) -> None:
    stream = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.width, writer.default_flow_style = 10_000, False
    writer.dump(given_value, stream)
    assert value(stream.getvalue().removesuffix("...\n")) == given_value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("y", "y"), ("true", True), ("False", False), ("null", None), ("~", None),
        ("2026-01-31", "2026-01-31"), ("12:30", "12:30"), ("007", 7), ("0o17", 15), ("0x1F", 31), ("1e3", 1000.0), (".5", 0.5),
        ("+5", 5), ("1_000", "1_000"), ("1,5", "1,5"), (".inf", ".inf"), (".nan", ".nan"), ("1e999", "1e999"), ("9" * 40, float("9" * 40)),
        ("'5'", "5"), ('"true"', "true"), ("5 GB", "5 GB"), ("=", "="),
    ],
)  # fmt: skip
def test_a_scalar_is_what_the_core_schema_says(text: str, expected: object) -> None:
    read = value(f"a: {text}")
    assert read == {"a": expected}
    assert isinstance(read, dict)
    assert type(read["a"]) is type(expected)


def test_dates_and_yes_and_no_stay_text_so_that_a_column_can_be_called_so() -> None:
    assert value("ended: no\nstarted: 2026-01-01") == {"ended": "no", "started": "2026-01-01"}


def test_every_key_and_item_has_its_line() -> None:
    text = "# one\na: 1\n\nb:\n  - x\n  # more\n  - c: 2\n    d:\n      {e: 3,\n       f: 4}\n"
    document = read_yaml(text, "book.yml")
    lines = {(): 2, ("a",): 2, ("b",): 4, ("b", 0): 5, ("b", 1): 7, ("b", 1, "c"): 7, ("b", 1, "d"): 8, ("b", 1, "d", "e"): 9}
    assert document.lines == {**lines, ("b", 1, "d", "f"): 10}
    assert document.place(("b", 1, "d", "f")) == "book.yml:10"


def test_what_is_not_in_the_file_has_the_line_of_what_it_would_be_in() -> None:
    document = read_yaml("a:\n  b: 1\nc:\n  - d: 1\n", "book.yml")
    assert document.place(("a", "missing")) == "book.yml:1"
    assert document.place(("c", 0, "e", "f")) == "book.yml:4"
    assert read_yaml("", "book.yml").place(("a",)) == "book.yml:1"


@given(st.lists(st.tuples(st.sampled_from(["", "# remark", "   "]), st.booleans()), min_size=1, max_size=20))
def test_lines_are_those_an_editor_shows(gaps: list[tuple[str, bool]]) -> None:
    written: list[str] = []
    expected = {}
    for i, (gap, with_gap) in enumerate(gaps):
        written += [gap] * with_gap
        expected[(f"key{i}",)] = len(written) + 1
        written.append(f"key{i}: {i}")
    for line_end in ("\n", "\r\n"):
        read = read_yaml(line_end.join(written), "a.yml").lines
        assert {path: line for path, line in read.items() if path} == expected


@given(JSON)
def test_spans_cut_each_value_out_of_the_text(given_value: object) -> None:
    text = json.dumps({"first": 1, "second": given_value}, ensure_ascii=False)
    document = read_yaml(text, "a.yml")
    span = document.spans[("second",)]
    assert value(text[span.start : span.end]) == given_value


@pytest.mark.parametrize("text", ["", "\n\n", "# only a remark\n", "---\n", "\ufeff"])
def test_an_empty_file_has_no_value(text: str) -> None:
    assert value(text) is None


def test_a_byte_order_mark_and_windows_line_ends_do_not_count() -> None:
    assert value("\ufeffa: 1\r\nb: x\r\n") == {"a": 1, "b": "x"}


REFUSED = [
    ("bad_yaml", 2, "a: 1\n\tb: 2\n"),
    ("bad_yaml", 1, "a: [1, 2\nb: 3\n"),
    ("bad_yaml", 1, "a: b: c\n"),
    ("bad_yaml", 1, "a: 'x\n\nb: 1\n"),
    ("bad_yaml", 2, "- a\nb: 1\n"),
    ("bad_yaml", 2, "a: 1\n b: 2\n"),
    ("bad_yaml", 1, "a: @x\n"),
    ("bad_yaml", 1, 'a: "\\ud800"\n'),
    ("bad_yaml", 2, "a: 1\nb: \x00\n"),
    ("yaml_alias", 1, "a: *q\n"),
    ("yaml_alias", 1, "a: &a [*a]\n"),
    ("yaml_documents", 2, "a: 1\n---\nb: 2\n"),
    ("yaml_documents", 3, "a: 1\n...\nb: 2\n"),
    ("yaml_directive", 2, "%YAML 1.1\n---\na: 1\n"),
    ("yaml_tag", 1, "a: !!python/object:os.system x\n"),
    ("yaml_tag", 2, "b: 1\na: !x {c: 1}\n"),
    ("yaml_tag", 1, "a: ! 5\n"),
    ("yaml_duplicate_key", 3, "a: 1\nb: 2\na: 3\n"),
    ("yaml_key", 1, "2026: 1\n"),
    ("yaml_key", 1, "true: 1\n"),
    ("yaml_key", 1, ": 1\n"),
    ("yaml_key", 1, "? [a]\n: 1\n"),
    ("yaml_key", 2, "b: &k x\n*k : 1\n"),
]


@pytest.mark.parametrize(("code", "line", "text"), REFUSED)
def test_what_a_hand_written_file_does_not_need_is_refused_with_its_line(code: str, line: int, text: str) -> None:
    assert only_fault(text) == (code, f"a.yml:{line}")


def test_every_repeated_key_is_told_at_once() -> None:
    found = faults("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert [(fault.where, "first on line" in fault.message) for fault in found] == [("a.yml:4", True), ("a.yml:5", True)]


def test_the_same_key_may_stand_in_two_places() -> None:
    assert value("a: {x: 1}\nb: {x: 2}\n") == {"a": {"x": 1}, "b": {"x": 2}}


def test_an_alias_repeats_a_value_and_has_its_own_line() -> None:
    document = read_yaml("a: &ids\n  - x\n  - y\nb: *ids\n", "a.yml")
    assert document.value == {"a": ["x", "y"], "b": ["x", "y"]}
    assert document.line(("b", 1)) == 4


def test_a_billion_laughs_are_refused_at_once() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    begun = time.perf_counter()
    assert only_fault(bomb)[0] == "yaml_too_big"
    assert time.perf_counter() - begun < 2


def test_size_and_depth_are_bounded() -> None:
    assert only_fault("a" * (MOST_CHARACTERS + 1))[0] == "yaml_too_big"
    assert only_fault("[" + "1," * MOST_VALUES + "]")[0] == "yaml_too_big"
    assert only_fault("[" * 100_000)[0] == "yaml_too_deep"
    assert only_fault("- " * 1_000 + "a")[0] == "yaml_too_deep"
    assert value("[" * DEEPEST + "]" * DEEPEST) is not None


YAMLISH = st.text(st.sampled_from("ab:- \n[]{},&*!|>'\"#%@`?\t\r0.~\\x\u2028\ufeff\u00e9"), max_size=40)


@given(YAMLISH | st.text(max_size=60))
def test_any_text_is_read_or_refused_and_never_ends_in_a_traceback(text: str) -> None:
    try:
        document = read_yaml(text, "a.yml")
    except BadInput as refusal:
        assert all(fault.where.startswith("a.yml") and fault.message for fault in refusal.faults)
    else:
        assert all(1 <= line <= len(text.splitlines()) + 1 for line in document.lines.values())
        json.dumps(document.value, allow_nan=False)


@given(YAMLISH)
def test_what_is_read_is_what_another_reader_reads(text: str) -> None:
    try:
        read = value(text)
    except BadInput:
        return
    try:
        other = YAML(typ="safe", pure=True).load(text.removeprefix("\ufeff"))
    except (YAMLError, ValueError, AttributeError):  # a key '<<' or '=' has a meaning there
        return
    if _plain(read) and _plain(other):
        assert read == other


def _plain(value: object) -> bool:
    """Whether both schemas read it alike: no numbers (0.0., -.0, dates) and no infinities."""
    if isinstance(value, dict):
        return all(_plain(one) and not str(key).startswith("<<") for key, one in value.items())
    if isinstance(value, list):
        return all(map(_plain, value))
    return (
        value is None
        or (isinstance(value, str) and not any(char in "0.=" for char in value))
        or (isinstance(value, float) and math.isnan(value))
    )
