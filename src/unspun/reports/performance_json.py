"""Performance as JSON and as CSV: same result, same bytes. The fields of the JSON are declared in `performance_fields`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from unspun.reports.document import encode, json_schema, reference
from unspun.reports.performance_fields import PERFORMANCE, SCHEMA_VERSION
from unspun.reports.row_files import harmless
from unspun.risk.performance.result import GroupMoney, GroupPerformance, PerformanceResult
from unspun.stats.estimate import Estimate

INTRODUCTION = f"""# Performance as JSON

`unspun performance --json performance.json` writes this document, schema version {SCHEMA_VERSION}. It is UTF-8, and its fields come in the
order below. The same version of the book and the same options give the same bytes; what differs from run to run (the ledger's entry) stands
in `performance.json.manifest.json` beside it. Numbers carry 10 significant digits.

A field that has no value is null, and a second field with `_reason` at the end of its name says why and what it would take; there is
never a zero, a NaN or an infinity in place of a missing number. A field that is not declared “or null” is always there. Rates and
differences of rates are parts of 1; money is in the `currency` beside it; dates are ISO 8601.

The same in machine-readable form (JSON Schema 2020-12): `unspun schema performance`.
"""
COLUMNS = (
    "by", "group", "verdict", "renewals", "accounts", "shared", "renewed", "expected", "expected_given", "difference", "chance_95_low",
    "chance_95_high", "chance_99_8_low", "chance_99_8_high", "p", "effect", "effect_low", "effect_high", "odds_ratio", "odds_ratio_low",
    "odds_ratio_high", "rank_low", "rank_high", "renewals_at_due", "renewed_at_due", "expected_at_due", "currency", "arr_due", "arr_kept",
    "arr_expected", "arr_chance_95_low", "arr_chance_95_high",
)  # fmt: skip
DIGITS = 10  # significant ones


def to_document(result: PerformanceResult) -> dict[str, Any]:
    """The result as plain dicts, lists, strings, numbers and None, in declared order."""
    return encode(PERFORMANCE, result)


def to_json(result: PerformanceResult) -> str:
    """The document as text to be written in UTF-8, with two-space indent and a newline at its end."""
    return json.dumps(to_document(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return json_schema(PERFORMANCE, f"urn:unspun:performance:{SCHEMA_VERSION}")


def schema_reference() -> str:
    """The reference page of the document, in Markdown."""
    return "\n".join([INTRODUCTION, *reference(PERFORMANCE)])


def groups_csv(result: PerformanceResult) -> str:
    """A line for each group, and for each further currency of its ARR one more; an empty cell is a missing value."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for comparison in result.comparisons:
        for group in comparison.groups:
            for money in group.money or (None,):
                cells = (harmless(comparison.by), harmless(group.name), *_numbers(group), *_amounts(money))
                writer.writerow(["" if cell is None else _plain(cell) for cell in cells])
    return out.getvalue()


def _numbers(group: GroupPerformance) -> Iterator[object]:
    yield from (group.verdict, group.renewals, group.accounts, group.shared, group.renewed, group.expected, group.expected_given)
    yield group.difference
    yield from (end for one in group.limits for end in (one.low, one.high))
    yield group.p
    for value in (group.effect, group.odds_ratio):
        yield from (value.point, value.low, value.high) if isinstance(value, Estimate) else (None,) * 3
    due = group.at_due
    yield from (group.rank_low, group.rank_high)
    yield from (None,) * 3 if due is None else (due.renewals, due.renewed, due.expected)


def _amounts(money: GroupMoney | None) -> Iterator[object]:
    if money is None:
        yield from (None,) * 6
        return
    yield from (money.currency, money.due, money.kept, money.expected, money.limits[0].low, money.limits[0].high)


def _plain(cell: object) -> object:
    return f"{cell:.{DIGITS}g}" if isinstance(cell, float) else cell
