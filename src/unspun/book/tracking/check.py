"""The check of tracking: what it asks of the events, and the findings."""

from __future__ import annotations

from unspun.book.checks.check import Check

CHECKS: tuple[Check, ...] = ()
