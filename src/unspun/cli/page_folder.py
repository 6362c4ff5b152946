"""A folder of pages that a command writes, and may write again; and a file with, beside it, what it is."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from unspun.cli.outputs import OutputFile, write_text
from unspun.errors import BadInput, Fault
from unspun.progress import Progress

MANIFEST = "manifest.json"


def write_with_manifest(output: OutputFile, text: str, facts: Mapping[str, Any], word: str) -> list[str]:
    """Write a file and, beside it, what it is; both in words."""
    content = text.encode()
    digest = {"name": output.path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    beside = OutputFile(output.option, Path(f"{output.path}.manifest.json"))
    write_text(output, text)
    write_text(beside, json.dumps({**facts, "file": digest}, indent=2, ensure_ascii=False) + "\n")
    return [f"{word}: {output.path}, with {beside.path.name} beside it"]


def count_pages(files: Iterable[tuple[str, bytes]], pages: int, progress: Progress) -> Iterator[tuple[str, bytes]]:
    """The files, each page told to whoever watches."""
    done = 0
    for name, content in files:
        done += name.endswith(".html")
        progress("writing the pages", done, pages)
        yield name, content


def refuse_other_folder(output: OutputFile, what: str) -> list[Fault]:
    """A fault where the folder holds something other than earlier pages, which are replaced. `what` is as of `write_folder`."""
    path = output.path
    if not path.is_dir() or not any(path.iterdir()) or _earlier(path, what) is not None:
        return []
    message = f"the folder {path} holds files that are not earlier {what.replace('unspun ', '')}."
    return [Fault("other_folder", message, output.option, "Give a new or empty folder, or one that was written before.")]


def _earlier(folder: Path, what: str) -> dict[str, str] | None:
    """The files of earlier pages with their SHA-256; None where the folder holds no such pages."""
    try:
        document = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(document, dict) and document.get("what") == what and isinstance(document.get("files"), dict)
    return document["files"] if known else None


def write_folder(output: OutputFile, files: Iterable[tuple[str, bytes]], facts: Mapping[str, Any], what: str) -> None:
    """Write the files into the folder by way of one beside it, so that a fault on the way leaves what was there as it was.

    `what` ("pages of unspun evidence") is how a folder is known that may be written again: of its earlier pages, those that are not written
    again are removed unless somebody changed them. Raises BadInput where the system refuses.
    """
    target = output.path.resolve()
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        made = _write_all(beside, files, {"what": what, **facts})
        if target.is_dir():
            _remove_earlier(target, made, what)
        for name in made:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (beside / name).replace(target / name)
    except OSError as refusal:
        message = f"{output.path} could not be written: {refusal.strerror or refusal}."
        raise BadInput(Fault("unwritable", message, output.option, "Give another place.")) from refusal
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_all(folder: Path, files: Iterable[tuple[str, bytes]], facts: Mapping[str, Any]) -> list[str]:
    """Write every file, and last the manifest with the SHA-256 of each; their names."""
    digests: dict[str, str] = {}
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        digests[name] = hashlib.sha256(content).hexdigest()
    (folder / MANIFEST).write_text(json.dumps({**facts, "files": digests}, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return [*digests, MANIFEST]


def _remove_earlier(folder: Path, made: list[str], what: str) -> None:
    """Remove earlier pages that are not written again and are as they were written."""
    for name, digest in (_earlier(folder, what) or {}).items():
        path = folder / name
        inside = path.resolve().is_relative_to(folder.resolve())
        if name not in made and inside and path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            path.unlink()
