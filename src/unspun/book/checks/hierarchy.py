"""Checks of the hierarchy of accounts: cycles, parents that are not there."""

from __future__ import annotations

from unspun.book.checks.check import Check

CHECKS: tuple[Check, ...] = ()
