"""Renewal risk as CSV: every renewal in a line, and the past renewals that one is compared with; cells safe in a spreadsheet."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from unspun.reports.risk_claims import Earlier, address, renewal_key
from unspun.reports.row_files import harmless, pack
from unspun.risk.result import Reason, RenewalRisk, RiskResult
from unspun.risk.rows import OUTCOMES4
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

MOST_REASONS = 3
COLUMNS = (
    "figure", "account", "name", "segment", "owner", "term", "due", "lead_days", "status", "arr", "currency",
    *(f"p_{name}{end}" for name in OUTCOMES4 for end in ("", "_low", "_high")),
    "expected_lost", "expected_lost_low", "expected_lost_high", "typical_p_churn", "p_churn_before",
    *(f"reason_{n}{part}" for n in range(1, MOST_REASONS + 1) for part in ("", "_points")),
    "metrics_with_value", "metrics", "cannot_tell", "why",
)  # fmt: skip
PAST_COLUMNS = ("account", "due", "as_of", "outcome")


@dataclass(frozen=True, slots=True)
class SimilarZip:
    """The past renewals behind a comparison: where they lie in the folder, their count, the SHA-256 of the CSV and the zip's bytes."""

    name: str
    rows: int
    sha256: str
    zipped: bytes

    @property
    def size(self) -> int:
        return len(self.zipped)


def renewals_csv(result: RiskResult, entry: int, earlier: Earlier | None = None) -> str:
    """A line a renewal, in the order of the result: its address, what it is, its probabilities and reasons. Empty: not told."""
    return _csv(COLUMNS, (_cells(one, entry, earlier) for one in result.renewals))


def _cells(one: RenewalRisk, entry: int, earlier: Earlier | None) -> list[object]:
    then = earlier.said(one) if earlier is not None else None
    return [
        address(entry, one),
        *(one.account, one.name, one.segment, one.owner, one.term, one.due.isoformat(), one.lead_days, one.status, one.arr, one.currency),
        *(cell for name in OUTCOMES4 for cell in _ends(one.probabilities[name])),
        *_ends(one.expected_lost),
        one.typical,
        then.point if isinstance(then, Estimate) else None,
        *_reasons(one.reasons[:MOST_REASONS]),
        *(one.coverage.with_value, one.coverage.of, one.cannot_tell, one.why),
    ]


def _ends(value: MaybeEstimate) -> tuple[float | None, float | None, float | None]:
    return (value.point, value.low, value.high) if isinstance(value, Estimate) else (None, None, None)


def _reasons(some: Sequence[Reason]) -> list[object]:
    told = [cell for reason in some for cell in (reason.sentence, reason.points)]
    return [*told, *[None] * (2 * MOST_REASONS - len(told))]


def similar_zip(one: RenewalRisk, page: str, result: RiskResult) -> SimilarZip | None:
    """The past renewals most like one, with a manifest; None where there are none. `page` is the file of its page."""
    found = one.similar
    if isinstance(found, NoEstimate):
        return None
    past = ((each.account, each.due.isoformat(), each.as_of.isoformat(), each.outcome) for each in found.renewals)
    text, stem = _csv(PAST_COLUMNS, past).encode(), page.removesuffix(".html")
    digest = hashlib.sha256(text).hexdigest()
    manifest = {
        "what": "past renewals that a renewal is compared with",
        "renewal": renewal_key(one),
        "told": found.told,
        "as_of": result.as_of.isoformat(),
        "package_version": result.package_version,
        "rows": len(found.renewals),
        "csv": {"name": f"{stem}.csv", "sha256": digest, "bytes": len(text)},
    }
    zipped = pack(stem, text, json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n")
    return SimilarZip(f"rows/{stem}.zip", len(found.renewals), digest, zipped)


def _csv(columns: Sequence[str], rows: Iterator[Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def _cell(cell: object) -> object:
    """Text that a spreadsheet would run is marked as text; numbers carry ten digits, and an empty cell is what is not told."""
    if isinstance(cell, str):
        return harmless(cell)
    return "" if cell is None else f"{cell:.10g}" if isinstance(cell, float) else cell
