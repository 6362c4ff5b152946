"""Checks of identity: one id for several customers, several ids for one, ids spelt differently, accounts merged or split."""

from __future__ import annotations

from unspun.book.checks.account_names import ACCOUNT_NAMES, SHARED_EMAILS
from unspun.book.checks.check import Check
from unspun.book.checks.id_spelling import ID_SPELLING
from unspun.book.checks.moved_accounts import MOVED_ACCOUNTS

CHECKS: tuple[Check, ...] = (ACCOUNT_NAMES, SHARED_EMAILS, ID_SPELLING, MOVED_ACCOUNTS)
