"""What the checks found as JSON: the fields are declared once, and the document, its schema and its reference page come from them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, get_args

import pyarrow as pa

from unspun.book.checks.acceptance import Acceptance
from unspun.book.checks.finding import SEVERITIES, Finding, Severity, Span, SpanKind
from unspun.book.checks.report import CheckReport, JudgedFinding, State
from unspun.book.checks.run import CheckOutcome
from unspun.reports import check_claims
from unspun.reports.document import DATE, INTEGER, NUMBER, STRING, Field, ListOf, MapOf, Record, Scalar, encode, json_schema, reference

SCHEMA_VERSION = 1
INTRODUCTION = f"""# What the checks found, as JSON

`unspun check --json` prints this document, schema version {SCHEMA_VERSION}. It is UTF-8, and its fields come in the order below. The same
version of the book, checked at the same instant under the same acceptances, gives the same document. Numbers carry 10 significant digits.

A field that has no value is null, and a second field with `_reason` at the end of its name says why. A field that is not declared “or null”
is always there. Shares are parts of 1; dates and instants are ISO 8601, instants in UTC.

The exit code is 3 where a finding stands (`state` is “open” or “grown”) that is as grave as `--fail-on` says, else 0. The examples hold
rows of the book, and with them ids of accounts; nothing else in the document does.

The same in machine-readable form (JSON Schema 2020-12): `unspun schema check`.
"""


def to_document(report: CheckReport) -> dict[str, Any]:
    """The report as plain dicts, lists, strings, numbers and None, in declared order."""
    return encode(REPORT, report)


def to_json(report: CheckReport) -> str:
    """The document as text to be written in UTF-8, with two-space indent and a newline at its end."""
    return json.dumps(to_document(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return json_schema(REPORT, f"urn:unspun:check-report:{SCHEMA_VERSION}")


def schema_reference() -> str:
    """The reference page of the document, in Markdown."""
    return "\n".join([INTRODUCTION, *reference(REPORT)])


def _of_kind(finding: Finding, *kinds: type) -> Iterable[tuple[str, Any]]:
    """The facts whose value is of one of these types and finite; a truth value is told as a word."""
    facts = {name: ("yes" if value else "no") if isinstance(value, bool) else value for name, value in finding.facts.items()}
    known = [(name, value) for name, value in facts.items() if isinstance(value, kinds)]
    return [(name, value) for name, value in known if not isinstance(value, float) or math.isfinite(value)]


def _cells(examples: pa.Table) -> list[list[tuple[str, str]]]:
    """Row by row the columns that hold something, as text."""
    return [[(name, _text(value)) for name, value in row.items() if value is not None] for row in examples.to_pylist()]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _where(span: Span) -> list[tuple[str, str]]:
    return [span.where] if span.where else []


def _standing(severity: Severity | None) -> Any:
    def count(report: CheckReport) -> int:
        return len(report.standing(severity))

    return count


def _judged(name: str) -> Any:
    def read(one: JudgedFinding) -> Any:
        return getattr(one.finding, name)

    return read


def _why_no_acceptance(_one: JudgedFinding) -> str:
    return "nobody accepted it"


def _why_no_span(_one: JudgedFinding) -> str:
    return "it is not about a span of days"


def _why_no_last(_span: Span) -> str:
    return "it goes on"


def _why_no_until(_one: Acceptance) -> str:
    return "it holds without end"


def _code(outcome: CheckOutcome) -> str:
    return outcome.check.code


def _title(outcome: CheckOutcome) -> str:
    return outcome.check.title


def _tables(outcome: CheckOutcome) -> tuple[str, ...]:
    return outcome.check.tables


FACTS = Record(
    "facts",
    "Further figures of a finding by their names, by what they are. A fact that has no value is left out.",
    (
        Field("counts", MapOf(INTEGER), "Whole numbers.", lambda one: _of_kind(one, int)),
        Field("measures", MapOf(NUMBER), "Other numbers.", lambda one: _of_kind(one, float)),
        Field("texts", MapOf(STRING), "Texts.", lambda one: _of_kind(one, str)),
    ),
)
EXAMPLE = Record(
    "example",
    "One row behind a finding.",
    (Field("cells", MapOf(STRING), "Its columns that hold something, as text.", lambda cells: cells),),
)
SPAN = Record(
    "span",
    "Days over which the rows of a table do not say what they usually say.",
    (
        Field("kind", Scalar("string", get_args(SpanKind)), "What happened: tracking stopped, fell or rose, or customers use less."),
        Field("first", DATE, "The first day."),
        Field("last", DATE, "The last day, included.", why_null=_why_no_last),
        Field("event", STRING, "The event's name; empty: all events."),
        Field("measure", STRING, "The column that is counted; empty: rows."),
        Field("where", MapOf(STRING), "The column and the value of the part that it is limited to; empty: the whole book.", _where),
        Field("kept_share", NUMBER, "What was counted over what was expected."),
    ),
)
ACCEPTANCE = Record(
    "acceptance",
    "Who took a finding as it is, and why.",
    (
        Field("who", STRING, "The person."),
        Field("why", STRING, "The reason, in the person's words."),
        Field("at", STRING, "When it was recorded.", lambda one: _instant(one.at)),
        Field("count", INTEGER, "How many were at fault then."),
        Field("of", INTEGER, "Of how many."),
        Field("until", DATE, "The last day on which it holds.", why_null=_why_no_until),
        Field("entry", INTEGER, "Its entry in the ledger."),
    ),
)
FINDING = Record(
    "finding",
    "One fault of a table, as a whole.",
    (
        Field("id", STRING, "Its address, the same from one run to the next.", _judged("id")),
        Field("check", STRING, "The check that found it.", _judged("check")),
        Field("table", STRING, "The table that it is about.", _judged("table")),
        Field("subject", STRING, "Which one of several of a check it is; empty where there is one.", _judged("subject")),
        Field("severity", Scalar("string", SEVERITIES), "error: figures are wrong; warning: they may mislead.", _judged("severity")),
        Field("state", Scalar("string", get_args(State)), "open, accepted, or grown: more is at fault than was accepted."),
        Field("message", STRING, "The finding in one sentence.", _judged("message")),
        Field("count", INTEGER, "How many are at fault.", _judged("count")),
        Field("of", INTEGER, "Of how many.", _judged("of")),
        Field("unit", STRING, "What is counted: rows, accounts, terms, days, loads.", _judged("unit")),
        Field("share", NUMBER, "`count` over `of`.", _judged("share")),
        Field("affects", ListOf(STRING), "The figures that it reaches.", _judged("affects")),
        Field("mend", STRING, "What to do about it.", _judged("mend")),
        Field("accept", STRING, "The command that accepts it.", lambda one: check_claims.accept_command(one.finding)),
        Field("span", SPAN, "The days that it is about.", _judged("span"), _why_no_span),
        Field("facts", FACTS, "Further figures.", lambda one: one.finding),
        Field("acceptance", ACCEPTANCE, "The last acceptance of it.", why_null=_why_no_acceptance),
        Field("rows_sql", STRING, "The query that selects the rows at fault from the views of the book.", _judged("rows_sql")),
        Field("examples", ListOf(EXAMPLE), "At most 5 rows, the first in the query's order.", lambda one: _cells(one.examples)),
    ),
)
FOUND_NOTHING = Record(
    "found_nothing",
    "A check that was run and found nothing.",
    (
        Field("check", STRING, "Its name.", _code),
        Field("title", STRING, "What it looked for.", _title),
        Field("tables", ListOf(STRING), "The tables it looked at.", _tables),
    ),
)
NOT_RUN = Record(
    "not_run",
    "A check that could not be run.",
    (
        Field("check", STRING, "Its name.", _code),
        Field("title", STRING, "What it would look for.", _title),
        Field("reason", STRING, "Why it could not be run.", lambda outcome: outcome.hindrance),
    ),
)
REPORT = Record(
    "check_report",
    "What the checks found in one version of the book.",
    (
        Field("schema_version", INTEGER, "Version of this schema.", lambda _report: SCHEMA_VERSION),
        Field("workspace", STRING, "The workspace's name.", lambda report: report.workspace_name),
        Field("book_version", INTEGER, "The version of the book."),
        Field("book_digest", STRING, "The SHA-256 of that version.", lambda report: report.digest),
        Field("as_of", DATE, "The day after which nothing was known."),
        Field("checked_at", STRING, "When it was checked.", lambda report: _instant(report.at)),
        Field("time_zone", STRING, "The zone in which days are counted."),
        Field(
            "entry",
            STRING,
            "Number and hash of the ledger's entry, with a colon between.",
            lambda report: report.anchor or None,
            lambda report: report.unrecorded,
        ),
        Field("verdict", STRING, "What stands between the book and its figures, in a sentence.", check_claims.verdict),
        Field("errors", INTEGER, "Errors that stand.", _standing("error")),
        Field("warnings", INTEGER, "Warnings that stand.", _standing("warning")),
        Field("notes", INTEGER, "Notes that stand.", _standing("note")),
        Field("accepted", INTEGER, "Findings that people accepted.", lambda report: len(report.accepted())),
        Field(
            "findings",
            ListOf(FINDING),
            "Those that stand, gravest and largest share first, then the accepted ones.",
            lambda report: (*report.standing(), *report.accepted()),
        ),
        Field("found_nothing", ListOf(FOUND_NOTHING), "The checks that found nothing.", lambda report: report.clean()),
        Field("not_run", ListOf(NOT_RUN), "The checks that could not be run.", lambda report: report.hindered()),
        Field("rows_by_table", MapOf(INTEGER), "Row versions of each table that holds any.", lambda report: report.rows_by_table.items()),
    ),
)
