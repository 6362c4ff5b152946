"""Checks of amounts and quantities that jump by a unit: cents for dollars, monthly for yearly."""

from __future__ import annotations

from unspun.book.checks.check import Check

CHECKS: tuple[Check, ...] = ()
