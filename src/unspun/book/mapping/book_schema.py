"""book.yml as a JSON Schema, for editors that complete and check while one writes.

It says what can be said of one value: names, kinds, words. What must hold between the parts of a book, read_definition says.
"""

from __future__ import annotations

from unspun.book.entities import TABLES, Column, Table
from unspun.book.mapping.book_fields import (
    BOOK_FIELDS,
    COLUMN_FIELDS,
    COVERS,
    CURSOR_FIELDS,
    DATABASE_FIELDS,
    KINDS,
    KNOWN_AT,
    KNOWN_AT_MEANING,
    KNOWN_RULES,
    NAME,
    SOURCE_FIELDS,
    SQL_WORDS,
    TAKEN,
)
from unspun.book.mapping.contract_schema import contract_definitions, contracts_schema
from unspun.book.mapping.yaml_checks import LONGEST_TEXT

Schema = dict[str, object]

TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "pattern": r"\S"}
TEXTS: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "uniqueItems": True}]}
CONSTANT: Schema = {"anyOf": [TEXT, {"type": ["number", "boolean"]}]}
CURRENCY: Schema = {"type": "string", "pattern": "^[A-Z]{3}$"}


def definition_schema() -> Schema:
    """JSON Schema (2020-12) of book.yml."""
    fields: dict[str, Schema] = {
        "time_zone": TEXT,
        "currency": CURRENCY,
        "fiscal_year_starts": {"type": "integer", "minimum": 1, "maximum": 12},
        "sources": {"type": ["array", "null"], "items": {"$ref": "#/$defs/source"}},
        "contracts": contracts_schema(),
        "databases": {"type": "object", "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,62}$"}, "additionalProperties": _database()},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "book.yml of an Unspun workspace",
        "type": ["object", "null"],
        "properties": _told(fields, BOOK_FIELDS),
        "additionalProperties": False,
        "$defs": {"source": _source(), "column": _column(("column", "value", "kind", "words"))}
        | {"amount": _column(tuple(COLUMN_FIELDS))}
        | {f"columns_of_{table.name}": _columns(table) for table in TABLES.values()}
        | contract_definitions(),
    }


def _database() -> Schema:
    fields: dict[str, Schema] = {
        "url_from": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
        "url": {"type": "string", "pattern": r"^(postgresql|postgres|sqlite)://\S+$", "not": {"pattern": "://[^/?#]*:[^/?#]*@"}},
        "statement_seconds": {"type": "integer", "minimum": 0, "maximum": 86400},
    }
    return {
        "type": "object",
        "properties": _told(fields, DATABASE_FIELDS),
        "additionalProperties": False,
        "oneOf": [{"required": ["url_from"]}, {"required": ["url"]}],
    }


def _cursor() -> Schema:
    overlap: Schema = {"anyOf": [{"type": "string", "pattern": "^[0-9]+ (second|minute|hour|day)s?$"}, {"type": "integer", "minimum": 0}]}
    fields: dict[str, Schema] = {"column": TEXT, "overlap": overlap}
    whole: Schema = {"type": "object", "properties": _told(fields, CURSOR_FIELDS), "additionalProperties": False, "required": ["column"]}
    return {"anyOf": [TEXT, whole]}


def _origins() -> Schema:
    """A source is of files, or of a relation or a query of a database."""
    of_database = [{"required": [name]} for name in ("database", "relation", "query", "cursor", "in_place")]
    one = {"oneOf": [{"required": ["relation"]}, {"required": ["query"]}]}
    return {
        "oneOf": [
            {"required": ["files"], "not": {"anyOf": of_database}},
            {"required": ["database"], "not": {"required": ["files"]}, **one},
        ]
    }


def _source() -> Schema:
    fields: dict[str, Schema] = {
        "files": {"anyOf": [TEXT, {"type": "array", "items": TEXT, "uniqueItems": True, "minItems": 1}]},
        "table": {"enum": list(TABLES)},
        "key": TEXTS,
        "columns": {"type": "object", "minProperties": 1},
        "known": {"enum": list(KNOWN_RULES)},
        "fixed": TEXTS,
        "ignore": TEXTS,
        "date_format": {"type": "string", "pattern": "%"},
        "time_zone": TEXT,
        "currency": CURRENCY,
        "database": TEXT,
        "relation": TEXT,
        "query": {"type": "string", "pattern": r"^\s*([sS][eE][lL][eE][cC][tT]|[wW][iI][tT][hH])\b"},
        "cursor": _cursor(),
        "in_place": {"type": "boolean"},
    }
    return {
        "type": "object",
        "properties": _told(fields, SOURCE_FIELDS),
        "required": ["table", "columns"],
        "additionalProperties": False,
        **_origins(),
        "allOf": [
            {
                "if": {"properties": {"table": {"const": name}}, "required": ["table"]},
                "then": {"properties": {"columns": {"$ref": f"#/$defs/columns_of_{name}"}}},
            }
            for name in TABLES
        ],
    }


def _columns(table: Table) -> Schema:
    """The columns of a source of one table: the standard ones told, those of the company's own by the form of their names."""
    known: Schema = {"description": KNOWN_AT_MEANING, "$ref": "#/$defs/column"}
    one_of: Schema = {"anyOf": [{"required": [name]} for name in table.one_of]} if table.one_of else {}
    return {
        "type": "object",
        "properties": {column.name: _standard(table, column) for column in table.columns} | {KNOWN_AT: known},
        "propertyNames": {"anyOf": [{"enum": [column.name for column in table.columns]}, _own_name()]},
        "additionalProperties": {"$ref": "#/$defs/column"},
        "required": list(table.required),
        "minProperties": 1,
        **one_of,
    }


def _standard(table: Table, column: Column) -> Schema:
    form = "amount" if (table.name, column.name) == ("subscriptions", "amount") else "column"
    return {"description": f"{column.meaning} ({column.kind})", "$ref": f"#/$defs/{form}"}


def _own_name() -> Schema:
    return {"pattern": f"^{NAME.pattern}$", "not": {"enum": sorted(SQL_WORDS | TAKEN)}}


def _column(names: tuple[str, ...]) -> Schema:
    fields: dict[str, Schema] = {
        "column": TEXT,
        "value": CONSTANT,
        "kind": {"enum": list(KINDS)},
        "words": {"type": "object", "additionalProperties": {"anyOf": [{"const": ""}, CONSTANT]}},
        "covers": {"anyOf": [{"enum": list(COVERS)}, {"type": "number", "exclusiveMinimum": 0, "maximum": 1200}]},
    }
    whole: Schema = {
        "type": "object",
        "properties": _told({name: fields[name] for name in names}, COLUMN_FIELDS),
        "additionalProperties": False,
        "oneOf": [{"required": ["column"]}, {"required": ["value"]}],
    }
    return {"anyOf": [TEXT, whole]}


def _told(fields: dict[str, Schema], meanings: dict[str, str]) -> dict[str, Schema]:
    return {name: {"description": meanings[name], **one} for name, one in fields.items()}
