"""Checks of dates: days to come, tickets and usage before signup, usage outside any subscription."""

from __future__ import annotations

from unspun.book.checks.check import Check

CHECKS: tuple[Check, ...] = ()
