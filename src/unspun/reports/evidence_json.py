"""The evidence as JSON: same result, same bytes. The fields are declared in `evidence_fields`."""

from __future__ import annotations

import json
from typing import Any

from unspun.audit.evidence_result import EvidenceResult
from unspun.reports.document import encode, json_schema, reference
from unspun.reports.evidence_fields import EVIDENCE, SCHEMA_VERSION

INTRODUCTION = f"""# Evidence as JSON

`unspun evidence --json evidence.json` writes this document, schema version {SCHEMA_VERSION}. It is UTF-8, and its fields come in the order
below. The same version of the book, judged by the same definitions and options, gives the same bytes; what differs from run to run (the
ledger's entry, what changed since the run before) stands in `evidence.json.manifest.json` beside it. Numbers carry 10 significant digits.

A field that has no value is null, and a second field with `_reason` at the end of its name says why and what it would take; there is
never a zero, a NaN or an infinity in place of a missing number. A field that is not declared “or null” is always there. Shares and rates
are parts of 1; values of a subject are in its own unit; money is in the `currency` beside it; dates are ISO 8601.

The `audit` of a subject is what [the audit of a score](result-schema.md) says of a score, and has the same fields.

The same in machine-readable form (JSON Schema 2020-12): `unspun schema evidence`.
"""


def to_document(result: EvidenceResult) -> dict[str, Any]:
    """The result as plain dicts, lists, strings, numbers and None, in declared order."""
    return encode(EVIDENCE, result)


def to_json(result: EvidenceResult) -> str:
    """The document as text to be written in UTF-8, with two-space indent and a newline at its end."""
    return json.dumps(to_document(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return json_schema(EVIDENCE, f"urn:unspun:evidence:{SCHEMA_VERSION}")


def schema_reference() -> str:
    """The reference page of the document, in Markdown."""
    return "\n".join([INTRODUCTION, *reference(EVIDENCE)])
