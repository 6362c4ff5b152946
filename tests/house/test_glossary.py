"""One word for one thing: the glossary defines each noun once, and has every word of the product's closed sets."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from unspun.audit.result import VERDICTS, Design
from unspun.book.tables import OUTCOMES

ENTRY = re.compile(r"^\*\*([^*]+)\*\*: (.+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def entries(root: Path) -> list[tuple[str, str]]:
    return [(match[1], match[2]) for match in ENTRY.finditer((root / "GLOSSARY.md").read_text())]


def test_each_noun_is_defined_once(entries: list[tuple[str, str]]) -> None:
    counts = Counter(noun.casefold() for noun, _ in entries)
    assert counts, "no entry was found"
    assert [noun for noun, n in counts.items() if n > 1] == []


def test_the_nouns_are_in_alphabetical_order(entries: list[tuple[str, str]]) -> None:
    nouns = [noun.casefold() for noun, _ in entries]
    assert nouns == sorted(nouns)


def test_every_line_of_the_list_is_an_entry(root: Path, entries: list[tuple[str, str]]) -> None:
    text = (root / "GLOSSARY.md").read_text()
    assert len(re.findall(r"^\*\*", text, re.MULTILINE)) == len(entries)


def test_a_definition_takes_one_or_two_sentences(entries: list[tuple[str, str]]) -> None:
    sentences = {noun: len(re.findall(r"[.?](?=\s+[A-Z(]|$)", definition)) for noun, definition in entries}
    assert {noun: n for noun, n in sentences.items() if n not in (1, 2)} == {}


def test_every_verdict_outcome_and_design_is_defined(entries: list[tuple[str, str]]) -> None:
    defined = {noun for noun, _ in entries}
    closed_sets = {*VERDICTS, *OUTCOMES, "undecided", *(f"{design} design" for design in get_args(Design))}
    assert closed_sets - defined == set()
