"""Text on pages is marked for translation: what a reader reads stands within `_(...)` or `ngettext(...)`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import unspun

TEMPLATES = Path(unspun.__file__).parent / "console" / "templates"
CODE = re.compile(r"\{#.*?#\}|\{%-?\s*raw.*?endraw\s*-?%\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
TAG = re.compile(r"<!--.*?-->|<(pre|code|kbd|svg|script)\b.*?</\1>|<[^>]+>", re.DOTALL)
READ = re.compile(r"""\b(?:aria-label|title|placeholder|alt)="([^"]*)\"""")
WORD = re.compile(r"[^\W\d_]{2,}")
SAME_EVERYWHERE = {"Unspun", "CSV", "ARR", "SQL", "SHA"}
"""Names that no language changes."""


def unmarked(source: str) -> list[str]:
    """Text of a template that a reader reads and that is not marked."""
    plain = CODE.sub("\0", source)
    read = [*TAG.sub("\0", plain).split("\0"), *(part for text in READ.findall(plain) for part in text.split("\0"))]
    return [text.strip() for text in read if set(WORD.findall(text)) - SAME_EVERYWHERE]


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_page_has_no_text_that_is_not_marked_for_translation(path: Path) -> None:
    assert unmarked(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hello there</p>", ["Hello there"]),
        ('<a aria-label="Close it">{{ icon("close") }}</a>', ["Close it"]),
        ('<p>{{ _("Hello") }}, {{ n }} rows</p>', ["rows"]),
        ('<p title="{{ _("Whole") }}">{{ _("Hello") }} <code>unspun</code>; CSV</p>', []),
    ],
)
def test_unmarked_text_is_found(source: str, found: list[str]) -> None:
    assert unmarked(source) == found
