"""Checks of what is said against what is recorded: flags that contradict events, renewals that contradict terms."""

from __future__ import annotations

from unspun.book.checks.check import Check

CHECKS: tuple[Check, ...] = ()
