"""The audit's result as JSON: same result, same bytes. The fields are declared in `result_fields`."""

from __future__ import annotations

import json
from typing import Any

from unspun.audit.result import AuditResult
from unspun.reports.document import encode, json_schema, reference
from unspun.reports.result_fields import RESULT, SCHEMA_VERSION

INTRODUCTION = f"""# The result of an audit, as JSON

`unspun audit ... --json result.json` writes this document, schema version {SCHEMA_VERSION}. It is UTF-8, its fields come in
the order below, and the same inputs with the same seed give the same bytes. Numbers carry 10 significant digits.

A field that has no value is null, and a second field with `_reason` at the end of its name says why and what it would
take; there is never a zero, a NaN or an infinity in place of a missing number. A field that is not declared “or null”
is always there. Shares and rates are parts of 1; money is in the `currency` beside it; dates are ISO 8601.

The same in machine-readable form (JSON Schema 2020-12): `src/unspun/reports/result.schema.json`.
"""


def to_document(result: AuditResult) -> dict[str, Any]:
    """The result as plain dicts, lists, strings, numbers and None, in declared order."""
    return encode(RESULT, result)


def to_json(result: AuditResult) -> str:
    """The document as text to be written in UTF-8, with two-space indent and a newline at its end."""
    return json.dumps(to_document(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return json_schema(RESULT, f"urn:unspun:audit-result:{SCHEMA_VERSION}")


def schema_reference() -> str:
    """The reference page of the document, in Markdown."""
    return "\n".join([INTRODUCTION, *reference(RESULT)])
