"""Renewal risk as JSON: same result, same bytes. The fields are declared in `risk_fields`."""

from __future__ import annotations

import json
from typing import Any

from unspun.reports.document import encode, json_schema, reference
from unspun.reports.risk_fields import RISK, SCHEMA_VERSION
from unspun.risk.result import RiskResult

INTRODUCTION = f"""# Renewal risk as JSON

`unspun risk --json risk.json` writes this document, schema version {SCHEMA_VERSION}. It is UTF-8, its fields come in the order below,
and each renewal stands on a line of its own. The same version of the book, judged by the same model and options, gives the same bytes; what
differs from run to run (the ledger's entry, what the run before said) stands in `risk.json.manifest.json` beside it. Numbers carry 10
significant digits.

A field that has no value is null, and a second field with `_reason` at the end of its name says why and what it would take; there is
never a zero, a NaN or an infinity in place of a missing number. A field that is not declared “or null” is always there. Probabilities,
points and shares are parts of 1; values of a metric are in its own unit; money is in the `currency` beside it; dates are ISO 8601.

The same in machine-readable form (JSON Schema 2020-12): `unspun schema risk`.
"""
_PLACE = "\u0000renewals"  # where the renewals go; no text of the document holds a NUL


def to_document(result: RiskResult) -> dict[str, Any]:
    """The result as plain dicts, lists, strings, numbers and None, in declared order."""
    return encode(RISK, result)


def to_json(result: RiskResult) -> str:
    """The document as text to be written in UTF-8: two-space indent, each renewal on one line, a newline at its end."""
    document = to_document(result)
    renewals = document["renewals"]
    whole = json.dumps({**document, "renewals": [_PLACE] if renewals else []}, indent=2, ensure_ascii=False, allow_nan=False)
    lines = ",\n    ".join(json.dumps(one, ensure_ascii=False, allow_nan=False) for one in renewals)
    before, _, after = whole.rpartition(json.dumps(_PLACE))
    return f"{before}{lines}{after}\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return json_schema(RISK, f"urn:unspun:risk:{SCHEMA_VERSION}")


def schema_reference() -> str:
    """The reference page of the document, in Markdown."""
    return "\n".join([INTRODUCTION, *reference(RISK)])
