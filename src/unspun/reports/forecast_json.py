"""A forecast, and the record of forecasters, as JSON: same result, same bytes. The fields are declared beside this module."""

from __future__ import annotations

import json
from typing import Any

from unspun.reports.document import encode, json_schema, records, reference
from unspun.reports.forecast_fields import FORECAST, SCHEMA_VERSION
from unspun.reports.forecast_record_fields import FORECAST_RECORD
from unspun.risk.forecast.result import Forecast, ForecastRecord

INTRODUCTION = f"""# Forecast and record as JSON

`unspun forecast --json forecast.json` writes the first of these documents, `unspun forecast --record --json record.json` the second, both
of schema version {SCHEMA_VERSION}. They are UTF-8, and their fields come in the order below. The same version of the book and the same
options give the same bytes; what differs from run to run (the ledger's entry) stands in the manifest beside the file. Numbers carry 10
significant digits; sums of money that are exact are decimal text.

A field that has no value is null, and a second field with `_reason` at the end of its name says why and what it would take; there is
never a zero, a NaN or an infinity in place of a missing number. A field that is not declared “or null” is always there. Shares and rates
are parts of 1; money is in the `currency` beside it and never added across currencies; dates are ISO 8601.

The same in machine-readable form (JSON Schema 2020-12): `unspun schema forecast` and `unspun schema forecast-record`.

# The forecast
"""
OF_THE_RECORD = """# The record

Of `predicted` and `caution` see the forecast.
"""


def to_document(result: Forecast | ForecastRecord) -> dict[str, Any]:
    """The result as plain dicts, lists, strings, numbers and None, in declared order."""
    return encode(FORECAST if isinstance(result, Forecast) else FORECAST_RECORD, result)


def to_json(result: Forecast | ForecastRecord) -> str:
    """The document as text to be written in UTF-8, with two-space indent and a newline at its end."""
    return json.dumps(to_document(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def forecast_schema() -> dict[str, Any]:
    """The JSON Schema of a forecast."""
    return json_schema(FORECAST, f"urn:unspun:forecast:{SCHEMA_VERSION}")


def record_schema() -> dict[str, Any]:
    """The JSON Schema of the record."""
    return json_schema(FORECAST_RECORD, f"urn:unspun:forecast-record:{SCHEMA_VERSION}")


def schema_reference() -> str:
    """The reference page of both documents, in Markdown; what both hold is listed once."""
    first = list(reference(FORECAST))
    told = {one.name for one in records(FORECAST)}
    second = list(reference(FORECAST_RECORD))
    return "\n".join([INTRODUCTION, *first, OF_THE_RECORD, *_without(second, told)])


def _without(lines: list[str], told: set[str]) -> list[str]:
    """The lines of the records that are not told yet."""
    kept, keeping = [], True
    for line in lines:
        if line.startswith("## "):
            keeping = line[3:] not in told
        if keeping:
            kept.append(line)
    return kept
