"""Checks of identities: one id for several customers, several ids for one, accounts merged or split."""

from __future__ import annotations

from unspun.book.checks.check import Check

CHECKS: tuple[Check, ...] = ()
