"""Checks of currencies: mixes within an account, codes that are none, amounts without one."""

from __future__ import annotations

from unspun.book.checks.check import Check

CHECKS: tuple[Check, ...] = ()
