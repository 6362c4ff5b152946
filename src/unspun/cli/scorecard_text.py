"""`unspun scores import` on a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.text import Text

from unspun.app.health.scorecard import ImportRun
from unspun.cli.book_text import capital
from unspun.cli.layout import QUIET, heading, paragraph
from unspun.cli.number_text import counted
from unspun.cli.score_fit_text import points_text
from unspun.health.write_yaml import decimal_text

MOST_SET_ASIDE = 40


def import_lines(run: ImportRun, written_as: str | None, file: Path, width: int) -> Iterator[Text]:
    """All that a person reads."""
    found = run.brought
    yield from heading(_headline(run), width)
    yield from _measures(run, width)
    for note in found.notes:
        yield from paragraph(f"{note[:1].upper()}{note[1:]}.", width, first="· ")
    if found.set_aside:
        yield from heading(f"{counted(len(found.set_aside), 'row')} set aside", width)
        for one in found.set_aside[:MOST_SET_ASIDE]:
            named = f"{one.measure}: " if one.measure else ""
            yield from paragraph(f"{one.place}: {named}{one.reason}.", width, first="· ")
        if len(found.set_aside) > MOST_SET_ASIDE:
            yield from paragraph(f"and {len(found.set_aside) - MOST_SET_ASIDE:,} more: --json", width, QUIET)
    yield Text()
    yield from paragraph(_what_next(run, written_as, file), width, QUIET)


def _measures(run: ImportRun, width: int) -> Iterator[Text]:
    """What each measure was taken for, its weight and its points, by group."""
    taken = {metric: (measure, how) for measure, metric, how in run.brought.taken}
    for group in () if run.score is None else run.score.groups:
        if group.name:
            yield from paragraph(f"{group.name}, weight {decimal_text(group.weight)}", width)
        for one in group.inputs:
            measure, how = taken[one.metric]
            told = f"{measure}: {one.metric} ({how}), weight {decimal_text(one.weight)}. {capital(points_text(one))}."
            yield from paragraph(told, width, indent=4, first="  · ")


def _headline(run: ImportRun) -> str:
    found = run.brought
    rows = len(found.used) + len(found.set_aside)
    told = f"{counted(rows, 'row')} read, {len(found.used):,} used, {len(found.set_aside):,} set aside"
    return f"{run.file}: {told}" if run.score is not None else f"{run.file}: no measure can be used ({told})"


def _what_next(run: ImportRun, written_as: str | None, file: Path) -> str:
    if run.score is None:
        return "Say what measures are with --map, and what bands are worth with --band."
    if not run.may_be_written:
        return "Nothing was written: mend or map what is set aside, or say --leave-out for a score without it, which is another score."
    if written_as is not None:
        return (
            f"Added to {file} as {written_as}; no other score was changed. Then: unspun scores check, unspun scores explain {written_as}."
        )
    return "Nothing was written. --write ID adds it to scores.yml; --yaml prints it."


def import_record(run: ImportRun) -> dict[str, Any]:
    """The answer as JSON."""
    found = run.brought
    return {
        "yaml": run.yaml or None,
        "complete": run.may_be_written,
        "rows": len(found.used) + len(found.set_aside),
        "used": [{"place": row.place, "measure": row.measure} for row in found.used],
        "set_aside": [{"place": one.place, "measure": one.measure, "reason": one.reason} for one in found.set_aside],
        "measures": [{"measure": measure, "metric": metric, "known_by": how} for measure, metric, how in found.taken],
        "notes": list(found.notes),
    }
