"""Checks of duplicates: keys that stand for several rows, equal rows within a file and across files."""

from __future__ import annotations

from unspun.book.checks.check import Check
from unspun.book.checks.equal_rows import EQUAL_ROWS
from unspun.book.checks.repeated_ids import REPEATED_IDS, UNSETTLED_KEYS

CHECKS: tuple[Check, ...] = (REPEATED_IDS, EQUAL_ROWS, UNSETTLED_KEYS)
