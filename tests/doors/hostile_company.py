"""The company whose texts are all hostile: markup, scripts, template marks, formulas, signs that turn writing, great length."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from tests.doors.portfolio_company import AS_OF, AT, Company, made_company
from unspun.app.refresh import RefreshRequest, refresh
from unspun.app.workspace import open_workspace

TURN = "\u202e"  # what stands behind it is written from right to left, until a sign or an element ends it
TAIL = "elif~"  # the end of every text that turns: what stands behind it in its element would be turned
BREAK_OUT = """"></title></textarea></script><img src=x onerror=alert(1)><script>alert(2)</script><b id=made>{{7777*7}}${7777*7}"""
MADE = "#made, img[src=x], script:not([src]):not([type='application/json']), [onerror]"  # what those texts make where they are let
WORKED_OUT = "54439"  # 7777 * 7
LONG = "W" * 10_000
VARIANTS = (
    f'=HYPERLINK("http://evil.example","{BREAK_OUT}")',
    f"{TURN}evil, {TAIL}",
    f"{BREAK_OUT}' onmouseover='alert(3)",
    f"+cmd|' /C calc'!A0 {TURN}{TAIL}",
    f"@SUM(1) שלום \u2067{TAIL}",
    f"-2+3 \u009b31m\u200b\ufeff{BREAK_OUT}",
    LONG,
)
SHORT = VARIANTS[:-1]
TEXTS = {  # of each file the columns that hold words of the company's own
    "accounts": ("name", "tier", "csm", "country"),
    "usage": ("what",),
    "terms": ("line", "product"),
    "tickets": ("ticket", "subject", "priority"),
    "calls": ("call", "channel", "csm"),
    "answers": ("response", "survey", "said"),
    "people": ("person", "name", "mail", "role"),
}
HOSTILE_IDS = {  # accounts with a renewal to come, and so with a page
    "A-006": """A-006/b c?d=e&f#g%2f"><img src=x onerror=alert(4)>""",
    "A-009": f"A-009 {TURN}{TAIL}",
    "A-012": "=1+1+A-012",
    "A-016": "A-016" + "x" * 900,
}
METRICS = """\
metrics:
  logins_2m:
    name: '=1+1 <script>alert(5)</script><b id=made>{{7777*7}}'
    description: '"><img src=x onerror=alert(6)><b id=made>{{7777*7}} </script></textarea>'
    unit: '<b id=made>logins'
    owner: '"><script>alert(7)</script>'
    reference: 'javascript:alert(8)//"><b id=made>'
    direction: higher
    sum: events.value
    window: 61d
"""


def hostile_company(folder: Path) -> Company:
    """The company, refreshed with evidence and performance."""
    book = made_company(folder, hostile_rows, METRICS)
    return Company(book, refresh(open_workspace(book.folder), AT, request=RefreshRequest(as_of=AS_OF, evidence=True)))


def hostile_rows(rows: dict[str, list[str]]) -> dict[str, list[str]]:
    """The lines of each file, with every text a hostile one and some accounts under hostile ids."""
    return {name: list(_hostile(csv.DictReader(lines), TEXTS.get(name, ()))) for name, lines in rows.items()}


def _hostile(records: csv.DictReader[str], texts: Iterable[str]) -> Iterable[str]:
    names = list(records.fieldnames or ())
    yield _line(names)
    for place, record in enumerate(records):
        for column in ("id", "parent"):
            if column in record:
                record[column] = HOSTILE_IDS.get(record[column], record[column])
        for offset, column in enumerate(texts):
            record[column] = _text(record[column], column, place + offset)
        yield _line(record[name] or "" for name in names)


def _text(was: str, column: str, place: int) -> str:
    """Words by which rows are told apart or grouped stay apart; a text of 10,000 signs stands where a text may be so long."""
    if not was:
        return was
    if column in ("name", "said", "subject"):
        return VARIANTS[place % len(VARIANTS)] + ("" if column == "name" else was)
    chosen = SHORT[sum(map(ord, was)) % len(SHORT)]
    return f"{was} {chosen}" if chosen.endswith(TAIL) else f"{chosen} {was}"


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(list(cells))
    return out.getvalue()
