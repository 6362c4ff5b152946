"""Checks of duplicates: keys that stand for several rows, equal rows within a file and across files."""

from __future__ import annotations

from unspun.book.checks.check import Check

CHECKS: tuple[Check, ...] = ()
