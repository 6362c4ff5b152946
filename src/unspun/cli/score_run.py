"""Health scores computed from the command line: written to a file, and told on a terminal."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from rich.text import Text

    from unspun.app.badges import Badge
    from unspun.app.health.run import HealthRun
    from unspun.app.panel.request import PanelRequest
    from unspun.app.workspace import Workspace
    from unspun.cli.outputs import OutputFile


def computed(
    place: Workspace, ids: tuple[str, ...], panel: PanelRequest, output: OutputFile | None, at: datetime
) -> tuple[HealthRun, Mapping[str, Badge], list[str]]:
    """Compute scores, and write them where they are to be written: the run, the badge of each score, and the files in words."""
    from unspun.app.health.run import HealthRequest, compute_health
    from unspun.app.health.scores import badges_of
    from unspun.app.panel.files import format_of
    from unspun.cli.outputs import OutputFile, replacing, write_text
    from unspun.cli.progress import show_progress

    request = HealthRequest(ids, panel)
    with show_progress() as report:
        if output is None:
            run = compute_health(place, request, at, progress=report)
            return run, badges_of(place, run), []
        with replacing(output) as path, open(path, "wb") as file:
            run = compute_health(place, request, at, file, format_of(output.path), progress=report)
    badges = badges_of(place, run)
    beside = OutputFile("--out", Path(f"{output.path}.manifest.json"))
    write_text(beside, json_text.dumps(document(run, badges, output), indent=2, ensure_ascii=False) + "\n")
    return run, badges, [f"Wrote {output.path}", f"Its manifest (question, definitions, book, SQL, hash): {beside.path}"]


def document(run: HealthRun, badges: Mapping[str, Badge], output: OutputFile | None) -> dict[str, Any]:
    """The run as JSON."""
    from unspun.app.health.run import manifest
    from unspun.app.health.scores import badge_record

    return manifest(run, "" if output is None else output.path.name, {id: badge_record(one) for id, one in badges.items()})


def run_lines(run: HealthRun, badges: Mapping[str, Badge], written: list[str], width: int) -> Iterator[Text]:
    """How many scores there are, of which bands, and why the others have none."""
    from unspun.app.opening import in_place_remarks
    from unspun.book.checks.remarks import check_headline, check_remarks
    from unspun.cli.layout import Column, heading, paragraph, table
    from unspun.cli.number_text import counted
    from unspun.cli.panel import unchecked
    from unspun.metrics.asof import BeforeRenewals
    from unspun.reports.words import count

    as_of = run.question.as_of
    several = not isinstance(as_of, BeforeRenewals) and len(as_of.dates) > 1
    told = as_of.told if several or isinstance(as_of, BeforeRenewals) else f"as of {as_of.told}"
    yield from heading(f"{counted(run.rows, 'row')} of {counted(len(run.scores), 'health score')}: {told}", width)
    rows = []
    for score in run.scores:
        counts = run.counted[score.id]
        bands = ", ".join(f"{band.name} {counts.bands.get(band.name, 0):,}" for band in score.bands)
        missing = ", ".join(f"{reason} {n:,}" for reason, n in sorted(counts.missing.items(), key=lambda one: (-one[1], one[0])))
        rows.append([score.id, badges[score.id].text, f"{counts.values:,}", bands, missing])
    columns = [Column("Score"), Column("Track record"), Column("Scores", right=True), Column("Bands"), Column("No score", flexible=True)]
    yield from table(columns, rows, width)
    figures = run.figures
    unknown = unchecked(figures, run.question)
    for note in unknown or check_remarks(figures.book_check, figures.book_version):
        yield from paragraph(note, width, first="! " if unknown or check_headline(figures.book_check) else "· ")
    for note in in_place_remarks(figures.in_place):
        yield from paragraph(note, width, first="· ")
    yield from paragraph(
        f"{count(run.rows)} rows in {run.seconds:,.1f} s. Book version {run.figures.book_version}, entry {run.entry} of the ledger: "
        f"unspun recompute {run.entry}",
        width,
    )
    for line in written or ["Nothing was written: give --out FILE."]:
        yield from paragraph(line, width)
