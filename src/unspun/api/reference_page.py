"""The reference of the API for people (docs/reference/api.md), printed from its description for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
HEAD = """# The JSON API

Generated from its description, `/api/v1/openapi.json` (OpenAPI 3.1); a test keeps this page equal to it.
[How to use it](../how-to/use-the-api.md) is another page.

The version of Unspun is that of the API. Within `/api/v1/` fields and routes are added, and neither renamed nor removed.

Every error has the form `{"error": {"code", "message", "where", "hint", "faults", "request_id"}}`: the first fault, then all of them.

| status | what it says |
|---|---|
| 400 | the body is no JSON |
| 401 | no token, or one that is none, ended, or was revoked |
| 403 | the role does not grant this (`forbidden`), or the token does not (`not_granted`) |
| 403 | the whole is not for who is limited to some accounts (`limited`), or a session would write (`token_needed`) |
| 404 | it is not there, or not among the accounts that you see, which is told in the same way |
| 405 | the address does not take that method |
| 409 | the key was used for another request (`key_used`), or what was written under it was erased (`erased`) |
| 413 | the body is larger than 2,500,000 bytes |
| 422 | something given does not fit: each fault by its place |
| 429 | too many bad tokens from one address |
| 500 | a fault of Unspun's own |
| 503 | the book is being written by another process; try again |

## Routes
"""
OBJECTS = """## Objects

A field that may be null says so. The documents of evidence, forecast, record and performance are described on pages of their own:
[evidence](evidence-json.md), [forecast and record](forecast-json.md), [performance](performance-json.md).
"""


def reference_page(described: Json) -> str:
    """The page, in Markdown."""
    schemas = described["components"]["schemas"]
    documents = {name.partition(".")[0] for name in schemas if "." in name}
    own = {name: one for name, one in schemas.items() if name.partition(".")[0] not in documents}
    return "\n".join([HEAD, *_routes(described["paths"]), OBJECTS, *_objects(own)])


def _routes(paths: Json) -> Iterator[str]:
    for path, methods in paths.items():
        for method, one in methods.items():
            yield from (f"### {method.upper()} {path}", "", _line(one.get("description") or one["summary"]), "")
            yield from _parameters(one.get("parameters", []))
            if body := one.get("requestBody"):
                yield from (f"Body: {_kind(body['content']['application/json']['schema'])}", "")
            yield from _answers(one["responses"])


def _parameters(found: list[Json]) -> Iterator[str]:
    if not found:
        return
    yield from ("| parameter | in | type | meaning |", "|---|---|---|---|")
    for one in found:
        schema = one["schema"]
        needed = ", required" if one.get("required") else ""
        meaning = schema.get("description", one.get("description", ""))
        yield f"| `{one['name']}` | {one['in']}{needed} | {_kind(schema)} | {_line(meaning)} |"
    yield ""


def _answers(responses: Json) -> Iterator[str]:
    for status, one in responses.items():
        if status != "default":
            content = one.get("content", {}).get("application/json")
            yield from (f"Answer {status}: {_kind(content['schema']) if content else 'nothing'}", "")


def _objects(schemas: Json) -> Iterator[str]:
    for name, schema in sorted(schemas.items()):
        yield from (f"### {name}", "", _line(schema.get("description", "")), "")
        yield from ("| field | type | meaning |", "|---|---|---|")
        for field, one in schema.get("properties", {}).items():
            yield f"| `{field}` | {_kind(one)} | {_line(one.get('description', ''))} |"
        yield ""


def _kind(schema: Json) -> str:
    """A type in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return " / ".join(f"“{one}”" for one in schema["enum"])
    if schema.get("type") == "array":
        inner = schema.get("items") or {}
        parts = schema.get("prefixItems")
        return f"({', '.join(_kind(one) for one in parts)})" if parts else f"list of {_kind(inner)}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_kind(schema['additionalProperties'])}"
    return schema.get("format") or schema.get("type") or "any JSON"


def _line(text: str) -> str:
    """Text on one line of a table."""
    return " ".join(text.split()).replace("|", "/")
