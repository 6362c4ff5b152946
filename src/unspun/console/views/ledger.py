"""The ledger: what was recorded, when, in an order that cannot be changed unseen."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from unspun.app.published.ledger import ledger_page, verified_chain
from unspun.console.access import allow
from unspun.console.asking import actor_of_request
from unspun.ledger.chain import Entry
from unspun.reports import words

TOLD_FIRST = ("what", "name", "as_of", "book_version", "version", "load", "figures", "finding", "who", "why")
UNTOLD = ("digest", "sha256", "hash", "text", "document")
"""Parts of names of what is long and says nothing to a reader in short; the whole entry has them."""
MOST_TOLD = 5
LONGEST = 60


@allow("ledger.see")
def ledger(request: HttpRequest) -> HttpResponse:
    """Entries, the newest first; `verify` checks the chain, `entry` begins at one."""
    actor, asked = actor_of_request(request), request.GET
    kind = asked.get("kind") or None
    before = _number(asked.get("before")) or (at + 1 if (at := _number(asked.get("entry"))) else None)
    page = ledger_page(settings.WORKSPACE, actor, kind, before)
    checked = verified_chain(settings.WORKSPACE, actor) if "verify" in asked else None
    held = {"page": page, "kind": kind, "checked": checked, "first": before is None, "at": at if (at := _number(asked.get("entry"))) else 0}
    return render(request, "ledger.html", {**held, "told": told, "whole": whole, "words": words})


def told(entry: Entry) -> str:
    """What an entry says, the telling parts first, in short."""
    body = entry.body
    names = [*(name for name in TOLD_FIRST if name in body), *(name for name in body if name not in TOLD_FIRST)]
    parts = [f"{name.replace('_', ' ')} {_short(body[name])}" for name in names if _is_told(name, body[name])]
    return ", ".join(parts[:MOST_TOLD])


def _is_told(name: str, value: object) -> bool:
    return isinstance(value, str | int | float) and not any(part in name for part in UNTOLD)


def whole(entry: Entry) -> str:
    """All that an entry says, as JSON."""
    return json.dumps(dict(entry.body), indent=1, ensure_ascii=False, default=str)


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 16 else None
