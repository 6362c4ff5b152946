"""Records of a JSON document, declared once: from the same declaration come the document, its schema and its reference page.

A field that has no value is null, and then a second field, named with `_reason` at the end, says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from unspun.stats.estimate import Estimate, NoEstimate

Json = dict[str, Any]
SIGNIFICANT_DIGITS = 10  # beyond this, two machines may differ in the last bits
NOT_FINITE = "the computation gave no finite value"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `words` closes the set of a string."""

    type: Literal["integer", "number", "string", "boolean", "date"]
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListOf:
    of: Scalar | Record


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object whose names are the data's own."""

    of: Scalar


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, kind and meaning; how it is read from its owner; and why it is null, where it may be."""

    name: str
    kind: Scalar | Record | ListOf | MapOf
    meaning: str
    read: Callable[[Any], Any] | None = None
    why_null: Callable[[Any], str] | None = None

    def value(self, owner: object) -> Any:
        return getattr(owner, self.name) if self.read is None else self.read(owner)


@dataclass(frozen=True, slots=True)
class Record:
    name: str
    meaning: str
    fields: tuple[Field, ...]


INTEGER, NUMBER, STRING, BOOLEAN, DATE = (Scalar(t) for t in ("integer", "number", "string", "boolean", "date"))


def encode(record: Record, owner: object) -> Json:
    """`owner` as the record's JSON object, its fields in declared order."""
    out: Json = {}
    for field in record.fields:
        value = field.value(owner)
        why = _why_null(field, owner, value)
        out[field.name] = None if why else _encode(field.kind, value)
        if why:
            out[f"{field.name}_reason"] = why
    return out


def _why_null(field: Field, owner: object, value: object) -> str:
    if isinstance(value, NoEstimate):
        takes = f"It would take: {value.what_it_would_take}" if value.what_it_would_take else ""
        return " ".join(_sentence(part) for part in (value.reason, takes) if part) or NOT_FINITE
    if value is None:
        return field.why_null(owner) if field.why_null else NOT_FINITE
    return "" if _finite(value) else NOT_FINITE


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _finite(value: object) -> bool:
    if isinstance(value, Estimate):
        return all(map(math.isfinite, (value.point, value.low, value.high)))
    return not isinstance(value, float) or math.isfinite(value)


def _encode(kind: Scalar | Record | ListOf | MapOf, value: Any) -> Any:
    match kind:
        case Record():
            return encode(kind, value)
        case ListOf():
            return [_encode(kind.of, item) for item in value]
        case MapOf():
            return {name: _encode(kind.of, item) for name, item in value}
        case Scalar():
            return _SCALARS[kind.type](value)


def _number(value: float) -> float:
    return float(f"{float(value):.{SIGNIFICANT_DIGITS}g}") + 0.0  # adding 0.0 turns -0.0 into 0.0


def _date(value: date) -> str:
    return value.isoformat()


_SCALARS: dict[str, Callable[[Any], Any]] = {"integer": int, "number": _number, "string": str, "boolean": bool, "date": _date}


def json_schema(top: Record, identifier: str) -> Json:
    """The JSON Schema (draft 2020-12) of documents made by `encode(top, ...)`."""
    defined = {record.name: _object_schema(record) for record in records(top) if record is not top}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": identifier, "title": top.name}
    return {**head, **_object_schema(top), "$defs": defined}


def records(top: Record) -> list[Record]:
    """`top` and every record in it, each once, in the order they are first met."""
    found: dict[str, Record] = {}

    def visit(record: Record) -> None:
        if record.name not in found:
            found[record.name] = record
            for field in record.fields:
                inner = field.kind.of if isinstance(field.kind, ListOf) else field.kind
                if isinstance(inner, Record):
                    visit(inner)

    visit(top)
    return list(found.values())


def may_be_null(field: Field) -> bool:
    """Whether a document may hold null there: where declared, and for every number, which may turn out not finite."""
    return field.why_null is not None or field.kind == NUMBER


def _object_schema(record: Record) -> Json:
    properties: Json = {}
    rules: list[Json] = []
    for field in record.fields:
        schema = _kind_schema(field.kind)
        nullable = may_be_null(field)
        properties[field.name] = {"description": field.meaning, **({"anyOf": [schema, {"type": "null"}]} if nullable else schema)}
        if nullable:
            reason = f"{field.name}_reason"
            properties[reason] = {"description": f"Why `{field.name}` is null; only there when it is.", "type": "string", "minLength": 1}
            is_null = {"properties": {field.name: {"type": "null"}}}
            rules.append({"if": is_null, "then": {"required": [reason]}, "else": {"not": {"required": [reason]}}})
    required = [field.name for field in record.fields]
    schema = {
        "description": record.meaning,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    return {**schema, "allOf": rules} if rules else schema


def _kind_schema(kind: Scalar | Record | ListOf | MapOf) -> Json:
    match kind:
        case Record():
            return {"$ref": f"#/$defs/{kind.name}"}
        case ListOf():
            return {"type": "array", "items": _kind_schema(kind.of)}
        case MapOf():
            return {"type": "object", "additionalProperties": _kind_schema(kind.of)}
        case Scalar("date"):
            return {"type": "string", "format": "date"}
        case Scalar():
            return {"type": kind.type, **({"enum": list(kind.words)} if kind.words else {})}


def reference(top: Record) -> Iterator[str]:
    """The lines of a Markdown reference: one table for each record."""
    for record in records(top):
        yield from (f"## {record.name}", "", record.meaning, "", "| field | type | meaning |", "|---|---|---|")
        for field in record.fields:
            null = " or null" if may_be_null(field) else ""
            yield f"| `{field.name}` | {_kind_word(field.kind)}{null} | {field.meaning.replace('|', '/')} |"
        yield ""


def _kind_word(kind: Scalar | Record | ListOf | MapOf) -> str:
    match kind:
        case Record():
            return f"[{kind.name}](#{kind.name})"
        case ListOf():
            return f"list of {_kind_word(kind.of)}"
        case MapOf():
            return f"object of {_kind_word(kind.of)}"
        case Scalar():
            return " / ".join(f"“{word}”" for word in kind.words) or kind.type
