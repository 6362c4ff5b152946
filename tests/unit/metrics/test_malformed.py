"""Malformed and hostile definitions: each is told clearly, fault by fault with its place, or reads correctly as what it says."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest

from tests.unit.metrics.book import TABLES_HELD
from tests.unit.metrics.hostile import HOSTILE_TEXTS
from tests.unit.metrics.malformed import CASES
from unspun.errors import BadInput
from unspun.metrics.conditions import HasText, IsIn
from unspun.metrics.kinds import check_against
from unspun.metrics.nodes import Count, Rows
from unspun.metrics.read_file import MetricsFile, read_metrics
from unspun.metrics.words import file_as_yaml, sentence

PLACE = re.compile(r"metrics\.yml(:[1-9][0-9]*)?")


@cache
def outcome(text: str) -> MetricsFile | BadInput:
    try:
        return read_metrics(text)
    except BadInput as refusal:
        return refusal


def check_told(refusal: BadInput) -> None:
    """Each fault has a code, a message that can be shown, and a place; none is told twice."""
    assert refusal.faults
    for fault in refusal.faults:
        assert re.fullmatch(r"[a-z_]+", fault.code), fault
        assert fault.message.strip() and fault.message[-1] in ".)", fault
        assert PLACE.fullmatch(fault.where), fault
        assert all(sign.isprintable() for sign in fault.message + fault.hint), fault
        assert len(fault.message) < 600 or fault.code == "cycle", fault
    assert max(Counter(refusal.faults).values()) == 1 or len(refusal.faults) > 50, refusal.faults


def test_there_are_more_than_five_hundred_cases_of_both_outcomes() -> None:
    outcomes = Counter(isinstance(outcome(text), BadInput) for text in CASES)
    assert outcomes[True] > 500
    assert outcomes[False] > 200


@pytest.mark.parametrize("text", [pytest.param(text, id=re.sub(r"[^ -~]", "?", what)[:60]) for text, what in CASES.items()])
def test_a_definition_is_told_what_is_wrong_or_reads_as_what_it_says(text: str) -> None:
    read = outcome(text)
    if isinstance(read, BadInput):
        return check_told(read)
    again = read_metrics(file_as_yaml(read.metrics))
    assert again.metrics == read.metrics
    told = check_against(read.metrics, TABLES_HELD, read.places)
    if told:
        check_told(BadInput(told))
    assert all(sentence(metric).isprintable() for metric in read.metrics)


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_hostile_event_name_is_data(text: str) -> None:
    where = "{event: {is: [%s]}}", "{event: {contains: %s}}"
    conditions = IsIn("event", (text,)), HasText("event", "contains", text)
    for form, condition in zip(where, conditions, strict=True):
        escaped = '"' + "".join(f"\\U{ord(sign):08x}" for sign in text) + '"'
        entry = f"{{description: x, count: events, where: {form % escaped}}}"
        series = read_metrics(f"metrics: {{m: {entry}}}").metrics.metric("m").series
        assert series == Count(Rows("events", condition))
