"""Checks of references: rows of accounts, subscriptions and contacts that the book does not hold."""

from __future__ import annotations

from unspun.book.checks.check import Check

CHECKS: tuple[Check, ...] = ()
