"""The files of `unspun evidence`: a folder of pages, the result as JSON, the published figures as CSV."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unspun.cli.outputs import OutputFile, write_text
from unspun.errors import BadInput, Fault

if TYPE_CHECKING:
    from unspun.app.evidence import EvidenceRun
    from unspun.progress import Progress
    from unspun.reports.evidence_claims import Since
    from unspun.reports.evidence_html import Proof

MANIFEST = "manifest.json"
WHAT = "pages of unspun evidence"  # by which a folder is known that may be written again


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files asked for; `json_to_stdout` prints the result and nothing else."""

    html: OutputFile | None
    json: OutputFile | None
    csv: OutputFile | None
    json_to_stdout: bool


def write_files(outputs: Outputs, run: EvidenceRun, proof: Proof, since: Since | None, progress: Progress) -> list[str]:
    """Write what was asked for; what was written, in words. Raises BadInput where the system refuses."""
    written: list[str] = []
    if outputs.html is not None:
        from unspun.reports.evidence_html import render_evidence

        pages = len(run.result.subjects) + 1
        files = render_evidence(run.result, proof, since, run.trace)
        write_folder(outputs.html, _counted(files, pages, progress), _facts(run))
        written.append(f"Pages: {outputs.html.path / 'index.html'}")
    if outputs.json is not None:
        from unspun.reports.evidence_json import to_json

        progress("writing the result", 0, 1)
        written += _with_manifest(outputs.json, to_json(run.result), {**_facts(run), "changes": _changes(since)}, "Result")
    if outputs.csv is not None:
        from unspun.reports.figure_files import figures_csv

        written += _with_manifest(outputs.csv, figures_csv(run.entry, run.figures.figures), _facts(run), "Figures")
    return written


def _counted(files: Iterable[tuple[str, bytes]], pages: int, progress: Progress) -> Iterable[tuple[str, bytes]]:
    done = 0
    for name, content in files:
        done += name.endswith(".html")
        progress("writing the pages", done, pages)
        yield name, content


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


def _with_manifest(output: OutputFile, text: str, facts: dict[str, Any], word: str) -> list[str]:
    """Write a file and, beside it, what it is; both in words."""
    content = text.encode()
    digest = {"name": output.path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    beside = OutputFile(output.option, Path(f"{output.path}.manifest.json"))
    write_text(output, text)
    write_text(beside, json.dumps({**facts, "file": digest}, indent=2, ensure_ascii=False) + "\n")
    return [f"{word}: {output.path}, with {beside.path.name} beside it"]


def refuse_other_folder(output: OutputFile) -> list[Fault]:
    """A fault where the folder holds something other than earlier pages, which are replaced."""
    path = output.path
    if not path.is_dir() or not any(path.iterdir()) or _earlier(path) is not None:
        return []
    message = f"the folder {path} holds files that are not earlier pages of evidence."
    return [Fault("other_folder", message, output.option, "Give a new or empty folder, or one that was written before.")]


def _earlier(folder: Path) -> dict[str, str] | None:
    """The files of earlier pages with their SHA-256; None where the folder holds no such pages."""
    try:
        document = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(document, dict) and document.get("what") == WHAT and isinstance(document.get("files"), dict)
    return document["files"] if known else None


def write_folder(output: OutputFile, files: Iterable[tuple[str, bytes]], facts: dict[str, Any]) -> None:
    """Write the files into the folder by way of one beside it, so that a fault on the way leaves what was there as it was.

    Of earlier pages, those that are not written again are removed unless somebody changed them. Raises BadInput where the system refuses.
    """
    target = output.path.resolve()
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        made = _write_all(beside, files, facts)
        if target.is_dir():
            _remove_earlier(target, made)
        for name in made:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (beside / name).replace(target / name)
    except OSError as refusal:
        message = f"{output.path} could not be written: {refusal.strerror or refusal}."
        raise BadInput(Fault("unwritable", message, output.option, "Give another place.")) from refusal
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_all(folder: Path, files: Iterable[tuple[str, bytes]], facts: dict[str, Any]) -> list[str]:
    """Write every file, and last the manifest with the SHA-256 of each; their names."""
    digests: dict[str, str] = {}
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        digests[name] = hashlib.sha256(content).hexdigest()
    manifest = {"what": WHAT, **facts, "files": digests}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return [*digests, MANIFEST]


def _remove_earlier(folder: Path, made: list[str]) -> None:
    """Remove earlier pages that are not written again and are as they were written."""
    for name, digest in (_earlier(folder) or {}).items():
        path = folder / name
        inside = path.resolve().is_relative_to(folder.resolve())
        if name not in made and inside and path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            path.unlink()
