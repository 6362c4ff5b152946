"""Files the commands write: checked before the work starts, and replaced whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from unspun.errors import BadInput, Fault

DEFINITIONS = ("unspun.toml", "book.yml", "retention.yml", "metrics.yml", "scores.yml")
WAREHOUSE = ("catalog.db", "ledger.head")  # by which a warehouse is known


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file asked for, and the option that asked for it."""

    option: str
    path: Path


def check_outputs(outputs: Sequence[OutputFile], inputs: Sequence[str], folder: OutputFile | None = None) -> list[Fault]:
    """What stands in the way of writing `outputs`, and into `folder`; `inputs` are the paths that must not be overwritten.

    Nothing is written into a folder that is an input either: the next run would read it.
    """
    faults = [fault for output in outputs if (fault := _obstacle(output)) is not None]
    faults += [fault for fault in (_no_folder(folder),) if fault is not None] if folder else []
    faults += _within_inputs([*outputs, *([folder] if folder else [])], inputs, folder)
    taken = {os.path.realpath(path): f"the input {path}" for path in inputs if path != "-"}
    for output in outputs:
        real = os.path.realpath(output.path)
        if real in taken and not _is_special(output.path):
            faults.append(Fault("output_twice", f"{output.path} is already {taken[real]}.", output.option, "Give another file."))
        taken.setdefault(real, f"written by {output.option}")
    return faults


@contextmanager
def replacing(output: OutputFile) -> Iterator[Path]:
    """A path to write to; on success it takes the place of `output`, on failure nothing is left behind.

    A device or pipe (`/dev/null`, `>(command)`) is written to as it is. Raises BadInput where the system refuses.
    """
    target = Path(os.path.realpath(output.path))
    if _is_special(output.path):
        with _refusals(output):
            yield output.path
        return
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with _refusals(output):
            yield temporary
            if target.exists():
                temporary.chmod(target.stat().st_mode & 0o777)
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(output: OutputFile, text: str) -> None:
    """Write `text` as UTF-8 with plain newlines, in one step."""
    with replacing(output) as path, open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def write_bytes(output: OutputFile, content: bytes) -> None:
    """Write `content` in one step."""
    with replacing(output) as path:
        path.write_bytes(content)


def _obstacle(output: OutputFile) -> Fault | None:
    path = output.path
    if path.is_dir():
        return Fault("output_is_folder", f"{path} is a folder.", output.option, "Give the name of a file in it.")
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        return Fault("no_folder", f"the folder {folder} does not exist.", output.option, "Make it, or give another place.")
    if _makes_a_workspace(path):
        hint = "Give a file outside the workspace, or another name."
        return Fault("output_is_workspace", f"{path} is a part of the workspace itself.", output.option, hint)
    if path.exists() and not os.access(path, os.W_OK):
        return Fault("unwritable", f"{path} may not be written to.", output.option, "Give another file.")
    return None if _is_special(path) else _probe(output, folder)


def _makes_a_workspace(path: Path) -> bool:
    """Whether it is a definition of a workspace, or lies in a warehouse."""
    real = Path(os.path.realpath(path))
    defines = real.name in DEFINITIONS and (real.parent / DEFINITIONS[0]).exists()
    return defines or any(all((folder / name).exists() for name in WAREHOUSE) for folder in real.parents)


def _no_folder(output: OutputFile) -> Fault | None:
    """What stands in the way of a folder of files, which is made where its parent is there."""
    path = output.path
    if path.exists() and not path.is_dir():
        return Fault("not_a_folder", f"{path} is not a folder.", output.option, "Name a folder; it is made where there is none.")
    parent = Path(os.path.realpath(path)).parent
    if not path.exists() and not parent.is_dir():
        return Fault("no_folder", f"the folder {parent} does not exist.", output.option, "Make it, or give another place.")
    return _probe(output, path if path.is_dir() else parent)


def _within_inputs(outputs: Sequence[OutputFile], inputs: Sequence[str], folder: OutputFile | None) -> list[Fault]:
    """A file among those of a folder that is read as one input."""
    read = {os.path.realpath(path): path for path in inputs if path != "-" and Path(path).is_dir()}
    places = [(output, os.path.realpath(output.path if output is folder else output.path.parent)) for output in outputs]
    hint = "Give another place: the next run would read what is written there."
    return [
        Fault(
            "output_in_input",
            f"{output.path} {'is' if output is folder else 'would lie in'} the input folder {read[place]}.",
            output.option,
            hint,
        )
        for output, place in places
        if place in read
    ]


def _probe(output: OutputFile, folder: Path) -> Fault | None:
    """Permissions do not tell the whole (a full disk, a read-only mount, root): only making a file does."""
    probe = folder / f".unspun.{secrets.token_hex(4)}.tmp"
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as refusal:
        return Fault("unwritable", f"cannot write in {folder}: {refusal.strerror}.", output.option, "Give another place.")
    return None


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def _refusals(output: OutputFile) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as refusal:
        fault = Fault("unwritable", f"{output.path} could not be written: {refusal.strerror}.", output.option)
        raise BadInput(fault) from refusal
