"""Read models made of lines that a test writes down, without a book."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unspun.app.portfolio.conditions import fold
from unspun.app.workspace import Workspace
from unspun.app.workspace_settings import read_settings
from unspun.warehouse.read_model import LINE_COLUMNS, Contents, install, write_read_model

META: Mapping[str, Any] = {
    "as_of": "2026-10-31",
    "time_zone": "UTC",
    "book_version": 1,
    "book_digest": "ab" * 32,
    "entries": {"risk": 9},
    "published": {},
    "metrics": {},
    "outages": [],
    "forecasters": [],
}
USUAL: Mapping[str, Any] = {
    "status": "open",
    "cannot_tell": "",
    "why": "",
    "band": "holds",
    "reason": "",
    "reasons": 0,
    "figure": "",
    "currency": "EUR",
}


def line(account: str, **values: Any) -> dict[str, Any]:
    """A line by its fields; what is not given is as usual, or not there."""
    name = values.get("name", account)
    said = (name, account, values.get("segment"), values.get("owner"))
    search = "\n".join(fold(one) for one in said if one)
    return {"account_id": account, "name": name, "name_key": fold(name), "search": search, **USUAL, **values}


def made(
    folder: Path, lines: Sequence[Mapping[str, Any]], key: str = "0" * 16, bodies: Mapping[str, Any] | None = None, **meta: Any
) -> Workspace:
    """A workspace whose read model in force holds these lines, in their order; `bodies` are pages by account."""
    warehouse = folder / "warehouse"
    warehouse.mkdir(parents=True, exist_ok=True)
    write_read_model(warehouse, key, contents(lines, bodies or {}, **meta))
    install(warehouse, key)
    return Workspace(folder, read_settings("", "unspun.toml", "Test"))


def contents(lines: Sequence[Mapping[str, Any]], bodies: Mapping[str, Any], **meta: Any) -> Contents:
    """What such a read model holds. Draws are the stated probability, and twice it."""
    numbered = [{"line": at, "family": at, **one} for at, one in enumerate(lines)]
    stated = ("account_id", "name", "segment", "owner", "parent", "search")
    accounts = {one["account_id"]: tuple(one.get(name) for name in stated) for one in numbered}
    told = [one["p_churn"] for one in numbered if one.get("lost") is not None]
    body = {"renewals": [], "trends": {"days": [], "metrics": {}}, "terms": []}
    return Contents(
        meta={**META, **meta},
        accounts=sorted(accounts.values()),
        lines=[tuple(one.get(name) for name in LINE_COLUMNS) for one in numbered],
        products=sorted({(one["account_id"], product) for one in numbered for product in one.get("products", ())}),
        details=[(id, zlib.compress(json.dumps({**body, **bodies.get(id, {})}).encode())) for id in sorted(accounts)],
        draws=np.array([[p, 2 * p] for p in told], np.float32).reshape(len(told), 2),
    )
