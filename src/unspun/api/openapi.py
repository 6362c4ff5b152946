"""The description of the API for programs (OpenAPI 3.1): what ninja makes of the routes, with the one shape of errors, the token, and the
schemas of the documents, which are those of `unspun schema`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ninja import NinjaAPI

from unspun.api.models import ErrorAnswer
from unspun.reports import evidence_json, forecast_json, performance_json

Json = dict[str, Any]
PREFIX: Final = "api/v1/"
DOCUMENTS: Final[Mapping[str, Callable[[], Json]]] = {
    "evidence": evidence_json.schema,
    "forecast": forecast_json.forecast_schema,
    "record": forecast_json.record_schema,
    "performance": performance_json.schema,
}
"""By name in /documents."""
ERROR: Final = {"description": "Not done; why.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}}


def described(api: NinjaAPI) -> Json:
    """The whole description."""
    made = dict(api.get_openapi_schema(path_prefix=PREFIX))
    components = made["components"]
    components["schemas"] = {**components.get("schemas", {}), **_error(), **_documents()}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "description": "A token from your own page."}}
    made["security"] = [{"token": []}]
    for name in DOCUMENTS:
        answer = made["paths"][f"/{PREFIX}documents/{name}"]["get"]["responses"][200]
        answer["content"] = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    for methods in made["paths"].values():
        for operation in methods.values():
            operation["operationId"] = operation["operationId"].rpartition("routes_")[2]
            operation["responses"]["default"] = ERROR
    return dict(sorted(made.items()))


def _error() -> Json:
    schema = ErrorAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "ErrorAnswer": schema}


def _documents() -> Json:
    found: Json = {}
    for name, schema in DOCUMENTS.items():
        whole = schema()
        inner = whole.pop("$defs")
        plain = {key: value for key, value in whole.items() if key not in ("$id", "$schema")}
        found |= {name: _moved(plain, name)} | {_place(name, key): _moved(value, name) for key, value in inner.items()}
    return found


def _place(document: str, record: str) -> str:
    return f"{document}.{re.sub('[^A-Za-z0-9._-]', '-', record)}"


def _moved(schema: Any, document: str) -> Any:
    """A schema whose references lead to where its parts stand in the description."""
    if isinstance(schema, list):
        return [_moved(one, document) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: f"#/components/schemas/{_place(document, value.removeprefix('#/$defs/'))}" if key == "$ref" else _moved(value, document)
        for key, value in schema.items()
    }
