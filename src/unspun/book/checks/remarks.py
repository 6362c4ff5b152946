"""What a page of figures says of the quality gate: what was found in the tables that it was computed from, and whether anybody looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unspun.book.checks.finding import Finding

NOT_CHECKED = "the book was not checked for faults: unspun check"


def check_record(entry: int, version: int, findings: Sequence[Finding], accepted: frozenset[str]) -> dict[str, Any]:
    """What figures keep of the check that they refer to, as plain JSON: ledger entry, book version, the findings that reach them."""
    found = [
        {"id": one.id, "severity": one.severity, "message": one.message, "accepted": one.id in accepted} for one in findings
    ]  # fmt: skip
    return {"entry": entry, "book_version": version, "findings": found}


def check_remarks(record: Mapping[str, Any] | None, book_version: int) -> tuple[str, ...]:
    """One sentence a finding that reaches the figures, errors first; and one where the book, or this version of it, was not checked."""
    if record is None:
        return (NOT_CHECKED,)
    found = sorted(record["findings"], key=lambda one: (one["accepted"], one["severity"] != "error"))
    said = [f"{_standing(one)}: {one['message'].rstrip('.')} ({one['id']})" for one in found]
    if record["book_version"] != book_version:
        said.append(
            f"the last check was of book version {record['book_version']}, these figures are of version {book_version}: unspun check"
        )
    return tuple(said)


def check_headline(record: Mapping[str, Any] | None) -> str:
    """Errors and warnings that reach the figures and that nobody accepted, in a few words; "" where there are none."""
    standing = [one for one in (record["findings"] if record else []) if not one["accepted"]]
    errors = sum(one["severity"] == "error" for one in standing)
    parts = [f"{n} {what}{'' if n == 1 else 's'}" for n, what in ((errors, "error"), (len(standing) - errors, "warning")) if n]
    return f"{' and '.join(parts)} of the check of the book reach these figures" if parts else ""


def _standing(one: Mapping[str, Any]) -> str:
    return f"accepted {one['severity']}" if one["accepted"] else one["severity"]
