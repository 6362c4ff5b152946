"""The files of `unspun evidence`: a folder of pages, the result as JSON, the published figures as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from unspun.cli import page_folder
from unspun.cli.asked import Outputs
from unspun.cli.outputs import OutputFile
from unspun.cli.page_folder import count_pages, write_with_manifest

if TYPE_CHECKING:
    from unspun.app.evidence.run import EvidenceRun
    from unspun.progress import Progress
    from unspun.reports.evidence_claims import Since
    from unspun.reports.evidence_html import Proof

WHAT = "pages of unspun evidence"  # by which a folder is known that may be written again


def write_files(outputs: Outputs, run: EvidenceRun, proof: Proof, since: Since | None, progress: Progress) -> list[str]:
    """Write what was asked for; what was written, in words. Raises BadInput where the system refuses."""
    written: list[str] = []
    if outputs.html is not None:
        from unspun.reports.evidence_html import render_evidence

        pages = len(run.result.subjects) + 1
        files = render_evidence(run.result, proof, since, run.trace)
        write_folder(outputs.html, count_pages(files, pages, progress), _facts(run))
        written.append(f"Pages: {outputs.html.path / 'index.html'}")
    if outputs.json is not None:
        from unspun.reports.evidence_json import to_json

        progress("writing the result", 0, 1)
        written += write_with_manifest(outputs.json, to_json(run.result), {**_facts(run), "changes": _changes(since)}, "Result")
    if outputs.csv is not None:
        from unspun.reports.figure_files import figures_csv

        written += write_with_manifest(outputs.csv, figures_csv(run.entry, run.figures.figures), _facts(run), "Figures")
    return written


def _facts(run: EvidenceRun) -> dict[str, Any]:
    """What a manifest says of a run: what differs from one run to the next, and what was asked of which book."""
    figures = run.figures
    return {
        "entry": run.anchor,
        "question": dict(figures.question),
        "as_of": figures.as_of.isoformat(),
        "definition": {"name": figures.definition_name, "sha256": figures.definition_sha256},
        "definitions": dict(run.sha256),
        "book": {"version": figures.book_version, "digest": figures.book_digest},
        "in_place": [dict(one) for one in figures.in_place],
        "engine": f"{figures.engine} {figures.engine_version}",
        "package_version": figures.package_version,
        "set_aside": [{"key": key, "why": why} for key, why in run.set_aside],
        "book_check": figures.book_check,
    }


def _changes(since: Since | None) -> dict[str, Any] | None:
    """What changed since the run before; None where there was none."""
    if since is None:
        return None
    told = [
        {
            "key": one.key,
            "status": one.status,
            "verdict_then": None if one.then is None else one.then.verdict,
            "verdict_now": None if one.now is None else one.now.verdict,
            "because": list(one.because),
        }
        for one in since.changes
    ]
    return {"since_entry": since.entry, "told": since.told, "subjects": told}


def write_folder(output: OutputFile, files: Iterable[tuple[str, bytes]], facts: Mapping[str, Any]) -> None:
    """Write the pages whole, in the place of earlier ones. Raises BadInput where the system refuses."""
    page_folder.write_folder(output, files, facts, WHAT)
