"""Checks of subscription terms: overlaps, gaps, add-ons without a base term."""

from __future__ import annotations

from unspun.book.checks.check import Check

CHECKS: tuple[Check, ...] = ()
