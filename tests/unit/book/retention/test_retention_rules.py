"""retention.yml: what it says by default, what it may say, and how its faults are told."""

from __future__ import annotations

from typing import Any

import pytest

from unspun.book.mapping.yaml_nodes import YamlDocument
from unspun.book.retention.rules import RetentionRules, default_text, read_rules
from unspun.book.terms.rules import TermRules
from unspun.errors import BadInput


def document(value: Any) -> YamlDocument:
    """A document with a key a line."""
    lines = {(key,): number + 1 for number, key in enumerate(value)} if isinstance(value, dict) else {}
    return YamlDocument("retention.yml", value, lines)


def written(text: str) -> dict[str, Any]:
    """The keys of the default file, which is plain `key: value` lines and comments."""
    words = {"true": True, "false": False, "null": None}
    pairs = [line.split(": ") for line in text.splitlines() if line and not line.startswith("#")]
    return {key: words[value] if value in words else float(value) if "." in value else int(value) for key, value in pairs}


def test_the_file_that_init_writes_says_every_default() -> None:
    given = written(default_text())
    assert read_rules(document(given)) == RetentionRules() == read_rules(document(None))
    assert set(given) == {"window_months", *TermRules.__dataclass_fields__}


def test_every_rule_can_be_set() -> None:
    given = {
        "window_months": 6, "grace_days": 30, "early_days": 10, "flat_within": 0, "add_ons_count": False, "ends_inclusive": True,
        "cancellation_ends_term": True, "open_term_months": 1, "amount_covers": "term",
    }  # fmt: skip
    assert read_rules(document(given)) == RetentionRules(TermRules(30, 10, 0, False, True, True, 1, "term"), 6)


def test_all_faults_are_told_at_once_each_with_its_line() -> None:
    given = {"grace_dais": 7, "early_days": True, "flat_within": 1, "amount_covers": "weeks", "open_term_months": 0, "window_months": 1.5}
    with pytest.raises(BadInput) as raised:
        read_rules(document(given))
    assert [fault.where for fault in raised.value.faults] == [f"retention.yml:{line}" for line in range(1, 7)]
    assert "Did you mean 'grace_days'?" in raised.value.faults[0].hint
    assert raised.value.faults[1].message == "early_days must be a whole number from 0 to 366; it is true."


def test_a_file_that_is_no_list_of_rules_is_refused() -> None:
    with pytest.raises(BadInput, match=r"retention\.yml:1"):
        read_rules(document(["grace_days"]))
