"""metrics.yml as a JSON Schema, for editors that complete and check while one writes.

It says what can be said of one value: words, forms, bounds. What must hold between metrics, and against the book, the reader says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from unspun.book.entities import TABLES
from unspun.metrics.conditions import LARGEST_NUMBER, LONGEST_TEXT, MOST_VALUES
from unspun.metrics.fields import (
    BY_FIELDS,
    CONDITION_FIELDS,
    COVERS,
    CRITERION_FIELDS,
    DAY,
    DAYS,
    ELAPSED_FIELDS,
    FILE_FIELDS,
    KINDS,
    LOGIC_FIELDS,
    MEASURE_KINDS,
    METRIC_FIELDS,
    OF_A_COLUMN,
    OF_ELAPSED,
    PART_FIELDS,
    PERIOD_WINDOWS,
    ROWS_FIELDS,
    SOURCE_FIELDS,
    TERMS,
    WINDOW,
    WITH_WHERE,
    WITH_WINDOW,
)
from unspun.metrics.forms import LONGEST_COLUMN
from unspun.metrics.measure_nodes import FEWEST_FUNNEL_STEPS, MICROSECONDS, MOST_FUNNEL_STEPS
from unspun.metrics.metric import DIRECTIONS, ID, LONGEST_DESCRIPTION, LONGEST_LABEL, RESERVED
from unspun.metrics.nodes import DATED_TABLES, FEWEST_STEPS, MOST_CASES, MOST_OPERANDS, MOST_STEPS, OPEN_TABLES
from unspun.metrics.read_by import MOST_VALUES as MOST_BY
from unspun.metrics.read_by import SUFFIX
from unspun.metrics.windows import MOST_DAYS

Schema = dict[str, object]
BY_TOLD = "a column that the rows are told apart by: one metric more for each value, `ID_VALUE`"

SERIES: Schema = {"$ref": "#/$defs/series"}
WHERE: Schema = {"$ref": "#/$defs/where"}
COLUMN: Schema = {"type": "string", "pattern": r"\S", "maxLength": LONGEST_COLUMN}
NUMBER: Schema = {"type": "number", "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER}
A_DAY: Schema = {"type": "string", "pattern": f"^{DAY.pattern}$"}
DAY_MAPPING: Schema = {"type": "object", "properties": {"day": A_DAY}, "required": ["day"], "additionalProperties": False}
COUNT_OF_DAYS: Schema = {
    "anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST_DAYS}, {"type": "string", "pattern": f"^{DAYS.pattern}$"}]
}


def json_schema() -> Schema:
    """JSON Schema (2020-12) of metrics.yml."""
    ids: Schema = {"pattern": f"^(?!.*__)(?!.*_$){ID.pattern}$", "not": {"enum": list(RESERVED)}}
    fields: dict[str, Schema] = {
        "sources": _object({name: {"$ref": "#/$defs/source"} for name in DATED_TABLES}, {}) | {"type": ["object", "null"]},
        "metrics": {"type": ["object", "null"], "propertyNames": ids, "additionalProperties": {"$ref": "#/$defs/metric"}},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "metrics.yml of an Unspun workspace",
        "type": ["object", "null"],
        "properties": _told(fields, FILE_FIELDS),
        "additionalProperties": False,
        "$defs": {
            "source": _source(),
            "metric": _one_kind(_metric_texts() | {"by": _by()}, METRIC_FIELDS | {"by": BY_TOLD}, ("description",)),
            "series": {"anyOf": [{"type": "string", "pattern": f"^{ID.pattern}$"}, NUMBER, {"$ref": "#/$defs/inline"}]},
            "inline": _one_kind({}, {}, ()),
            "where": _where(),
            "tests": _tests(),
            "value": {"anyOf": [{"type": "string", "maxLength": LONGEST_TEXT}, NUMBER, {"type": "boolean"}, DAY_MAPPING]},
            "values": {"anyOf": [{"$ref": "#/$defs/value"}, _list({"$ref": "#/$defs/value"}, 1, MOST_VALUES)]},
            "bound": {"anyOf": [NUMBER, A_DAY, DAY_MAPPING]},
            "case": _case(),
            "window": {"anyOf": [{"type": "string", "pattern": f"^{WINDOW.pattern}$"}, {"enum": list(PERIOD_WINDOWS)}]},
        },
    }


def _source() -> Schema:
    days: Schema = {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_DAYS}
    return _object({"covers": {"enum": list(COVERS)}, "silent_days": days}, SOURCE_FIELDS)


def _by() -> Schema:
    values: Schema = {"$ref": "#/$defs/values"}
    named: Schema = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": MOST_BY,
        "propertyNames": {"pattern": f"^{SUFFIX.pattern}$"},
        "additionalProperties": values,
    }
    of_values: Schema = {"anyOf": [{"$ref": "#/$defs/value"}, _list({"$ref": "#/$defs/value"}, 1, MOST_BY), named]}
    return _object({"column": COLUMN, "values": of_values, "other": {"type": "boolean"}}, BY_FIELDS) | {"required": ["column", "values"]}


def _metric_texts() -> dict[str, Schema]:
    label: Schema = {"type": "string", "maxLength": LONGEST_LABEL}
    given: dict[str, Schema] = dict.fromkeys(METRIC_FIELDS, label)
    return given | {"description": {"type": "string", "maxLength": LONGEST_DESCRIPTION}, "direction": {"enum": list(DIRECTIONS)}}


def _one_kind(beside: Mapping[str, Schema], meanings: Mapping[str, str], required: Iterable[str]) -> Schema:
    """A mapping with exactly one kind, with `where` and `window` where the kind takes them, and with what stands beside it."""
    fields = {**beside, **_kinds(), "where": WHERE, "window": {"$ref": "#/$defs/window"}}
    whole = _object(fields, {**KINDS, **ROWS_FIELDS, **meanings})
    taking = {"where": WITH_WHERE, "window": WITH_WINDOW, "by": WITH_WHERE}
    return whole | {
        "required": list(required),
        "oneOf": [{"required": [kind]} for kind in KINDS],
        "dependentSchemas": {name: {"anyOf": [{"required": [kind]} for kind in kinds]} for name, kinds in taking.items()},
    }


def _kinds() -> dict[str, Schema]:
    """What each kind takes."""
    open_pattern = f"^({'|'.join((*OPEN_TABLES, 'contacts'))})(\\..*\\S.*)?$"
    measures = {kind: _place(kind) for kind in MEASURE_KINDS} | _measures_with_options()
    standing: dict[str, Schema] = {
        "open": {"type": "string", "pattern": open_pattern},
        "attribute": COLUMN
        | {"examples": [column.name for column in TABLES["accounts"].columns if column.name not in ("account_id", "dated")]},
        "arr": {"const": True},
        "seats": {"const": True},
        "days_to_end": {"const": TERMS},
        "value": NUMBER,
        "metric": {"type": "string", "pattern": f"^{ID.pattern}$"},
    }
    return {**measures, **standing, **_derived()}


def _measures_with_options() -> dict[str, Schema]:
    """Measures of which more is said than of which rows they are."""
    steps = _list(WHERE, FEWEST_FUNNEL_STEPS, MOST_FUNNEL_STEPS)
    within: Schema = {
        "anyOf": [{"type": "integer", "minimum": 0, "maximum": MOST_DAYS}, {"type": "string", "pattern": f"^{DAYS.pattern}$"}]
    }
    quantile: Schema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    streak: dict[str, Schema] = {"run": {"enum": ["longest", "current"]}, "every": {"enum": ["day", "week"]}, "grace": {"type": "boolean"}}
    funnel: dict[str, Schema] = {"of": _place("funnel"), "steps": steps, "within": within, "as": {"enum": ["steps", "days"]}}
    between: dict[str, Schema] = {"of": _place("time_between"), "as": {"enum": ["average", "median"]}}
    elapsed: dict[str, Schema] = {"of": _place("streak"), "from": COLUMN, "to": COLUMN, "unit": {"enum": [*MICROSECONDS]}}
    of_cells = _object(elapsed, ELAPSED_FIELDS) | {"required": ["of", "from", "to"]}
    of_ranked = _object({**elapsed, "q": quantile}, ELAPSED_FIELDS) | {"required": ["of", "from", "to", "q"]}
    return {
        **{kind: {"anyOf": [_place(kind), of_cells]} for kind in OF_ELAPSED},
        "percentile": {"anyOf": [_part("percentile", {"of": _place("percentile"), "q": quantile}), of_ranked]},
        "streak": {"anyOf": [_place("streak"), _part("streak", {"of": _place("streak"), **streak}, ("of",))]},
        "time_between": {"anyOf": [_place("time_between"), _part("time_between", between, ("of",))]},
        "funnel": _part("funnel", funnel, ("of", "steps")),
    }


def _place(kind: str) -> Schema:
    tables = "|".join(DATED_TABLES)
    if kind not in OF_A_COLUMN:
        return {"enum": list(DATED_TABLES)}
    known = [f"{name}.{column.name}" for name in DATED_TABLES for column in TABLES[name].columns if column.name != "account_id"]
    return {"type": "string", "pattern": f"^({tables})\\..*\\S.*$", "examples": known}


def _derived() -> dict[str, Schema]:
    pair, several = _list(SERIES, 2, 2), _list(SERIES, 2, MOST_OPERANDS)
    steps: Schema = {"type": "integer", "minimum": FEWEST_STEPS, "maximum": MOST_STEPS}
    measures = ("count", "sum", "distinct", "active_days", "user_days")
    shareable: Schema = {"allOf": [{"$ref": "#/$defs/inline"}, {"anyOf": [{"required": [kind]} for kind in measures]}]}
    return {
        "ratio": {"anyOf": [pair, _part("ratio", {"of": SERIES, "by": SERIES})]},
        "add": several,
        "subtract": pair,
        "multiply": several,
        "before": _part("before", {"of": SERIES, "days": COUNT_OF_DAYS}),
        "change": _part("change", {"of": SERIES, "days": COUNT_OF_DAYS, "as": {"enum": ["difference", "ratio"]}}, ("of", "days")),
        "trend": _part("trend", {"of": SERIES, "steps": steps, "every": COUNT_OF_DAYS}),
        "share": _part("share", {"of": shareable, "where": WHERE}),
        "per_seat": SERIES,
        "per_arr": SERIES,
        "z_score": {"anyOf": [SERIES, _part("z_score", {"of": SERIES, "within": COLUMN}, ("of",))]},
        "case": {"$ref": "#/$defs/case"},
    }


def _part(kind: str, fields: dict[str, Schema], required: Iterable[str] | None = None) -> Schema:
    return _object(fields, PART_FIELDS[kind]) | {"required": list(fields if required is None else required)}


def _case() -> Schema:
    """A list of `{when, then}`, the last of which may be `{otherwise}`; a schema cannot say that it is the last."""
    tests: dict[str, Schema] = {name: {"$ref": "#/$defs/values" if name == "is" else "#/$defs/bound"} for name in CRITERION_FIELDS}
    compared = _object(tests, CRITERION_FIELDS) | {"minProperties": 1}
    of: dict[str, Schema] = {"of": SERIES | {"description": "a series"}}
    listed = _object({**of, **tests}, CRITERION_FIELDS) | {"required": ["of"], "minProperties": 2}
    named: Schema = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": f"^{ID.pattern}$"},
        "additionalProperties": {"anyOf": [{"$ref": "#/$defs/values"}, compared]},
    }
    when = _object({"when": {"anyOf": [named, _list(listed, 1)]}, "then": SERIES}, PART_FIELDS["case"]) | {"required": ["when", "then"]}
    last = _object({"otherwise": SERIES}, PART_FIELDS["case"]) | {"required": ["otherwise"]}
    return _list({"anyOf": [when, last]}, 1, MOST_CASES + 1) | {"contains": {"required": ["when"]}}


def _where() -> Schema:
    """`column: value`, with `all`, `any` and `not` between; or a column by its name."""
    several = _list(WHERE, 1)
    named = {"column": COLUMN, **_test_fields()}
    of_columns: Schema = {
        "type": "object",
        "minProperties": 1,
        "properties": _told({"all": several, "any": several, "not": WHERE}, LOGIC_FIELDS),
        "propertyNames": COLUMN,
        "additionalProperties": {"anyOf": [{"$ref": "#/$defs/values"}, {"$ref": "#/$defs/tests"}]},
    }
    explicit = _object(named, {**CONDITION_FIELDS, "column": LOGIC_FIELDS["column"]}) | {"required": ["column"], "minProperties": 2}
    return {"if": {"required": ["column"]}, "then": explicit, "else": of_columns}


def _tests() -> Schema:
    return _object(_test_fields(), CONDITION_FIELDS) | {"minProperties": 1}


def _test_fields() -> dict[str, Schema]:
    values: Schema = {"$ref": "#/$defs/values"}
    bound: Schema = {"$ref": "#/$defs/bound"}
    text: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}
    bounds = {"above": bound, "below": bound, "at_least": bound, "at_most": bound, "between": _list(bound, 2, 2)}
    return {"is": values, "not": values, **bounds, "empty": {"type": "boolean"}, "starts_with": text, "ends_with": text, "contains": text}


def _list(items: Schema, least: int, most: int | None = None) -> Schema:
    given: Schema = {"type": "array", "items": items, "minItems": least}
    return given if most is None else given | {"maxItems": most}


def _object(fields: Mapping[str, Schema], meanings: Mapping[str, str]) -> Schema:
    return {"type": "object", "properties": _told(fields, meanings), "additionalProperties": False}


def _told(fields: Mapping[str, Schema], meanings: Mapping[str, str]) -> dict[str, Schema]:
    return {name: ({"description": meanings[name], **one} if name in meanings else one) for name, one in fields.items()}
