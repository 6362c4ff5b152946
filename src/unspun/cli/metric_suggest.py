"""`unspun metrics suggest` on a terminal and as JSON: what can be declared, what waits for a choice, what the rest would need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.text import Text

from unspun.app.metric.suggest import Suggested, SuggestRequest
from unspun.cli.layout import QUIET, Column, heading, paragraph, table
from unspun.cli.number_text import counted
from unspun.errors import BadInput, Fault
from unspun.metrics.standard.asked import Asked, shown
from unspun.metrics.standard.entry import THEMES
from unspun.metrics.standard.suggest import Suggestion, Suggestions
from unspun.metrics.words import as_yaml

MOST_LACKING = 12
WIDE = 110  # cells from which on there is room for what a metric measures beside its name


def read_request(themes: list[str], chosen: list[str]) -> SuggestRequest:
    """The request of the options: themes, with commas between or repeated, and `CHOICE=NAME`. Raises BadInput."""
    faults = [
        Fault("bad_choice", f"'{one}' does not say what is chosen for what.", "--choose", "Write CHOICE=NAME, as in key_actions=export.")
        for one in chosen
        if "=" not in one
    ]
    if faults:
        raise BadInput(faults)
    answers = [one.partition("=") for one in chosen]
    named = [theme.strip() for one in themes for theme in one.split(",") if theme.strip()]
    return SuggestRequest(tuple(named), tuple((id.strip(), name) for id, _, name in answers))


def lines(suggested: Suggested, width: int, written: str = "") -> Iterator[Text]:
    """All that a person reads."""
    found = suggested.suggestions
    yield from heading(_headline(found), width)
    if suggested.book_version is None:
        yield from paragraph(
            "Nothing is loaded yet: `unspun load FILES` first. What can be suggested depends on what the book holds.", width
        )
        return
    yield from _by_theme(found, width)
    for asked in found.open_choices:
        yield from _choice(asked, width)
    yield from _lacking(found.of("missing"), width)
    yield from _declared(found.of("declared"), width)
    yield Text()
    yield from paragraph(written or _what_next(found, suggested.adds), width, QUIET)


def _headline(found: Suggestions) -> str:
    counts = {status: len(found.of(status)) for status in ("possible", "choice", "declared", "missing")}
    return (
        f"Of {counted(len(found.found), 'standard metric')}, {counts['possible']} can be declared, {counts['choice']} wait for a choice, "
        f"{counts['declared']} are declared, {counts['missing']} need what the book does not hold"
    )


def _by_theme(found: Suggestions, width: int) -> Iterator[Text]:
    for theme, told in THEMES.items():
        of_theme = [one for one in found.found if one.entry.theme == theme and one.metrics]
        if not of_theme:
            continue
        yield from heading(f"{theme.capitalize()}: {told}", width)
        waits = any(one.asks for one in of_theme)
        told_as = "description" if width >= WIDE else "name"
        columns = [Column("Metric"), *([Column("Waits for")] if waits else []), Column("What it measures", flexible=True)]
        rows = [
            [metric.id, *([", ".join(one.asks)] if waits else []), getattr(metric, told_as)] for one in of_theme for metric in one.metrics
        ]
        yield from table(columns, rows, width)


def _choice(asked: Asked, width: int) -> Iterator[Text]:
    yield from heading(f"To choose: {asked.choice.id}", width)
    yield from paragraph(asked.told, width)
    rows = [[shown(one.value), one.reason] for one in asked.candidates]
    yield from table([Column("Name"), Column("What is known of it", flexible=True)], rows, width)
    if asked.of > len(asked.candidates):
        yield from paragraph(f"and {asked.of - len(asked.candidates):,} more", width, QUIET)


def _lacking(missing: tuple[Suggestion, ...], width: int) -> Iterator[Text]:
    """What the book lacks, that which most metrics wait for first; a metric that lacks several things stands with the first."""
    by_need: dict[str, list[str]] = defaultdict(list)
    for one in missing:
        by_need[one.lacking[0]].append(one.entry.id)
    if not by_need:
        return
    ordered = sorted(by_need.items(), key=lambda item: -len(item[1]))
    yield from heading("What the others would need", width)
    for need, ids in ordered[:MOST_LACKING]:
        yield from paragraph(f"{need}: {', '.join(ids)}", width, first="· ")
    if len(ordered) > MOST_LACKING:
        yield from paragraph(f"and {len(ordered) - MOST_LACKING} more: --json", width, QUIET)


def _declared(declared: tuple[Suggestion, ...], width: int) -> Iterator[Text]:
    if declared:
        told = [
            one.entry.id if (one.entry.id,) == one.declared_as else f"{one.entry.id} (as {', '.join(one.declared_as)})" for one in declared
        ]
        yield from heading("Declared already", width)
        yield from paragraph(", ".join(told), width)


def _what_next(found: Suggestions, adds: int) -> str:
    first = next(iter(found.open_choices), None)
    waiting = ", those that wait as comments" if first is not None else ""
    told = f"--write adds the {counted(adds, 'metric')} that can be declared to metrics.yml{waiting}. " if adds else ""
    return told + (f"A choice is answered by --choose {first.choice.id}=NAME, once for each name." if first is not None else "")


def written(suggested: Suggested, file: Path) -> str:
    """What --write did."""
    if not suggested.adds:
        return f"No metric was added to {file}: it has all that can be declared."
    return f"{counted(suggested.adds, 'metric')} added to {file}. Then: unspun metrics check, unspun panel."


def record(suggested: Suggested) -> dict[str, Any]:
    """The answer as JSON."""
    found = suggested.suggestions
    return {
        "book_version": suggested.book_version,
        "suggestions": [_suggestion(one) for one in found.found],
        "choices": [_asked(one) for one in found.open_choices],
    }


def _suggestion(one: Suggestion) -> dict[str, Any]:
    entry = one.entry
    return {
        "id": entry.id,
        "theme": entry.theme,
        "status": one.status,
        "name": _general(entry.name),
        "description": _general(entry.description),
        "reference": entry.reference,
        "caveat": entry.caveat,
        "otherwise": entry.otherwise,
        "metrics": [{"id": metric.id, "yaml": as_yaml(metric)} for metric in one.metrics],
        "waits_for": list(one.asks),
        "lacks": list(one.lacking),
        "declared_as": list(one.declared_as),
        "reasons": list(one.reasons),
    }


def _general(text: str) -> str:
    """A text of the catalogue that names an answer, without one."""
    return text.replace("{answer}", "...")


def _asked(asked: Asked) -> dict[str, Any]:
    choice = asked.choice
    return {
        "id": choice.id,
        "question": asked.told,
        "table": choice.table,
        "column": choice.column,
        "candidates": [{"name": one.value, "reason": one.reason} for one in asked.candidates],
        "of": asked.of,
    }
