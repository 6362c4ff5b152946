"""Every check there is, in the order in which they are shown, and the extracts that several of them share."""

from __future__ import annotations

from unspun.book.checks.check import Check
from unspun.book.checks.contracts import CHECKS as CONTRACTS
from unspun.book.checks.currencies import CHECKS as CURRENCIES
from unspun.book.checks.dates import CHECKS as DATES
from unspun.book.checks.drift import CHECKS as DRIFT
from unspun.book.checks.duplicates import CHECKS as DUPLICATES
from unspun.book.checks.flags import CHECKS as FLAGS
from unspun.book.checks.hierarchy import CHECKS as HIERARCHY
from unspun.book.checks.identities import CHECKS as IDENTITIES
from unspun.book.checks.references import CHECKS as REFERENCES
from unspun.book.checks.terms import CHECKS as TERMS
from unspun.book.checks.units import CHECKS as UNITS
from unspun.book.tracking.check import CHECKS as TRACKING

CHECKS: tuple[Check, ...] = (
    *CONTRACTS, *DRIFT, *REFERENCES, *DATES, *TERMS, *FLAGS, *DUPLICATES, *IDENTITIES, *HIERARCHY, *CURRENCIES, *UNITS, *TRACKING,
)  # fmt: skip
