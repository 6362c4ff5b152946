"""The part of book.yml's JSON Schema that tells of `contracts`."""

from __future__ import annotations

from unspun.book.entities import TABLES, Table
from unspun.book.mapping.book_fields import KNOWN_AT, NAME, TAKEN
from unspun.book.mapping.contract_definition import PERIODS, SEVERITIES, WEEKDAYS
from unspun.book.mapping.contract_fields import (
    AGE,
    COLUMN_RULES,
    CONTRACT_FIELDS,
    DAY,
    FRESHNESS_FIELDS,
    LONGEST_LENGTH,
    MOST_PERIODS,
    MOST_ROWS,
    RELATIVE_DAY,
    SHARE,
    TARGET,
    UNIQUE_FIELDS,
    VOLUME_FIELDS,
)
from unspun.book.mapping.contract_values import GREATEST_BOUND, TYPES
from unspun.book.mapping.yaml_checks import LONGEST_TEXT

Schema = dict[str, object]

TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "pattern": r"\S"}
TEXTS: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "uniqueItems": True, "minItems": 1}]}
RULE: dict[str, Schema] = {"severity": {"enum": list(SEVERITIES)}, "why": TEXT}
ALLOWED: Schema = {"anyOf": [{"type": "number", "minimum": 0, "exclusiveMaximum": 1}, {"type": "string", "pattern": f"^{SHARE.pattern}$"}]}


def contract_definitions() -> dict[str, Schema]:
    """The parts of a contract by their names among `$defs`: `contract_of_<table>` and what these use."""
    return {
        "rules_of_column": _some(_column_rules()),
        "unique": {"anyOf": [TEXTS, _unique(), {"type": "array", "items": {"anyOf": [TEXTS, _unique()]}, "minItems": 1}]},
        "freshness": _some(_freshness()),
        "volume": _some(_volume()),
        **{f"contract_of_{table.name}": _contract(table) for table in TABLES.values()},
    }


def contracts_schema() -> Schema:
    """The schema of `contracts`."""
    return _object({name: {"$ref": f"#/$defs/contract_of_{name}"} for name in TABLES})


def _contract(table: Table) -> Schema:
    columns: Schema = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": f"^{NAME.pattern}$", "not": {"enum": sorted({*TAKEN, KNOWN_AT})}},
        "properties": {
            column.name: {"description": f"{column.meaning} ({column.kind})", "$ref": "#/$defs/rules_of_column"} for column in table.columns
        },
        "additionalProperties": {"$ref": "#/$defs/rules_of_column"},
    }
    fields: dict[str, Schema] = {"columns": columns, **{name: {"$ref": f"#/$defs/{name}"} for name in ("unique", "freshness", "volume")}}
    return _object(_told({**fields, **RULE}, CONTRACT_FIELDS)) | {"anyOf": [{"required": [name]} for name in fields]}


def _column_rules() -> Schema:
    number: Schema = {"type": "number", "minimum": -GREATEST_BOUND, "maximum": GREATEST_BOUND}
    bound: Schema = {"anyOf": [number, {"type": "string", "pattern": f"^({DAY.pattern}|{RELATIVE_DAY.pattern})$"}]}
    length: Schema = {"type": "integer", "minimum": 0, "maximum": LONGEST_LENGTH}
    value: Schema = {"anyOf": [{"type": "string", "pattern": r"\S"}, {"type": "number"}]}
    fields: dict[str, Schema] = {
        "type": {"enum": list(TYPES)},
        "required": {"type": "boolean"},
        "matches": TEXT | {"format": "regex"},
        "min": bound,
        "max": bound,
        "one_of": {"type": "array", "items": value, "minItems": 1, "uniqueItems": True},
        "min_length": length,
        "max_length": length,
        "references": {"type": "string", "pattern": f"^{TARGET.pattern}$"},
        "allowed": ALLOWED,
        **RULE,
    }
    return _object(_told(fields, COLUMN_RULES))


def _unique() -> Schema:
    return _object(_told({"columns": TEXTS, "allowed": ALLOWED, **RULE}, UNIQUE_FIELDS)) | {"required": ["columns"]}


def _freshness() -> Schema:
    fields: dict[str, Schema] = {
        "within": {"type": "string", "pattern": f"^{AGE.pattern}$"},
        "dated": {"enum": ["happened", "known"]},
        "by": TEXT,
        **RULE,
    }
    return _object(_told(fields, FRESHNESS_FIELDS)) | {"required": ["within"]}


def _volume() -> Schema:
    rows: Schema = {"type": "integer", "minimum": 0, "maximum": MOST_ROWS}
    days: Schema = {"enum": list(WEEKDAYS)}
    fields: dict[str, Schema] = {
        "per": {"enum": list(PERIODS)},
        "min": rows,
        "max": rows,
        "factor": {"type": "number", "exclusiveMinimum": 1, "maximum": 1_000},
        "periods": {"type": "integer", "minimum": 2, "maximum": MOST_PERIODS},
        "weekdays": {"anyOf": [days, {"type": "array", "items": days, "uniqueItems": True, "minItems": 1}]},
        "last": {"type": "integer", "minimum": 1, "maximum": MOST_PERIODS},
        **RULE,
    }
    bounds = [{"required": [name]} for name in ("min", "max", "factor")]
    return _object(_told(fields, VOLUME_FIELDS)) | {"required": ["per"], "anyOf": bounds}


def _object(fields: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": fields, "additionalProperties": False}


def _some(entry: Schema) -> Schema:
    """An entry or a list of them."""
    return {"anyOf": [entry, {"type": "array", "items": entry, "minItems": 1}]}


def _told(fields: dict[str, Schema], meanings: dict[str, str]) -> dict[str, Schema]:
    return {name: {"description": meanings[name], **one} for name, one in fields.items()}
