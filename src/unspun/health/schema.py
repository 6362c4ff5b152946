"""scores.yml as a JSON Schema, for editors that complete and check while one writes.

It says what can be said of one value: words, forms, bounds. The order of values and bands, what must hold between groups, and which
metrics there are, the reader says.
"""

from __future__ import annotations

from collections.abc import Mapping

from unspun.health.definition import (
    LARGEST_POINTS,
    LARGEST_WEIGHT,
    LONGEST_DESCRIPTION,
    LONGEST_LABEL,
    LONGEST_NAME,
    MOST_BANDS,
    MOST_DIGITS,
    MOST_INPUTS,
    MOST_KNOTS,
    MOST_LISTED,
)
from unspun.health.fields import FILE_FIELDS, GROUP_FIELDS, INPUT_FIELDS, MISSING_FIELDS, PERCENT, SCALES, SCORE_FIELDS
from unspun.metrics.metric import ID, RESERVED

Schema = dict[str, object]
NUMERAL = r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"
"""A key that is a number: YAML's keys are texts in a schema."""
POINTS: Schema = {"type": "number", "minimum": -LARGEST_POINTS, "maximum": LARGEST_POINTS}
WEIGHT: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST_WEIGHT}


def json_schema() -> Schema:
    """JSON Schema (2020-12) of scores.yml."""
    ids: Schema = {"pattern": f"^(?!.*__)(?!.*_$){ID.pattern}$", "not": {"enum": list(RESERVED)}}
    scores: Schema = {"type": ["object", "null"], "propertyNames": ids, "additionalProperties": {"$ref": "#/$defs/score"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "scores.yml of an Unspun workspace",
        "type": ["object", "null"],
        "properties": _told({"scores": scores}, FILE_FIELDS),
        "additionalProperties": False,
        "$defs": {"score": _score(), "group": _group(), "metrics": _metrics(), "input": _input()},
    }


def _score() -> Schema:
    label: Schema = {"type": "string", "maxLength": LONGEST_LABEL}
    named: Schema = {"pattern": r"\S", "maxLength": LONGEST_NAME}
    fields: dict[str, Schema] = {
        "name": label,
        "description": {"type": "string", "maxLength": LONGEST_DESCRIPTION},
        "owner": label,
        "digits": {"type": "integer", "minimum": 0, "maximum": MOST_DIGITS},
        "range": {"type": "array", "items": POINTS, "minItems": 2, "maxItems": 2},
        "groups": {"type": "object", "minProperties": 1, "propertyNames": named, "additionalProperties": {"$ref": "#/$defs/group"}},
        "metrics": {"$ref": "#/$defs/metrics"},
        "bands": _keyed(POINTS, named, 0, MOST_BANDS),
        "missing": _object({"least_weight": {"type": "string", "pattern": f"^{PERCENT.pattern}$"}}, MISSING_FIELDS),
    }
    return _object(fields, SCORE_FIELDS) | {"oneOf": [{"required": ["groups"]}, {"required": ["metrics"]}]}


def _group() -> Schema:
    return _object({"weight": WEIGHT, "metrics": {"$ref": "#/$defs/metrics"}}, GROUP_FIELDS) | {"required": ["metrics"]}


def _metrics() -> Schema:
    return _keyed({"$ref": "#/$defs/input"}, {"pattern": f"^{ID.pattern}$"}, 1, MOST_INPUTS)


def _input() -> Schema:
    numbers = _keyed(POINTS, {"pattern": NUMERAL}, 2, MOST_KNOTS)
    fields = {"weight": WEIGHT, "points": numbers, "steps": numbers, "values": _keyed(POINTS, {}, 1, MOST_LISTED), "otherwise": POINTS}
    one_scale = {"oneOf": [{"required": [kind]} for kind in SCALES], "dependentRequired": {"otherwise": ["values"]}}
    return _object(fields, INPUT_FIELDS) | one_scale


def _keyed(of: Schema, keys: Schema, least: int, most: int) -> Schema:
    sizes: Schema = {"minProperties": least, "maxProperties": most}
    return {"type": "object", **sizes, **({"propertyNames": keys} if keys else {}), "additionalProperties": of}


def _object(fields: Mapping[str, Schema], meanings: Mapping[str, str]) -> Schema:
    return {"type": "object", "properties": _told(fields, meanings), "additionalProperties": False}


def _told(fields: Mapping[str, Schema], meanings: Mapping[str, str]) -> dict[str, Schema]:
    return {name: {"description": meanings[name], **one} for name, one in fields.items()}
