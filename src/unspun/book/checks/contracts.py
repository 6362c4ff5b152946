"""Checks of what book.yml declares: types, keys, references, ranges, freshness, volume."""

from __future__ import annotations

from unspun.book.checks.check import Check

CHECKS: tuple[Check, ...] = ()
