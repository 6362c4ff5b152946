"""The form of a backup: a tar file whose last member, MANIFEST.json, states the hash of every other.

It is plain tar, so that any system can look into it; data files are compressed already. A file that was cut off has no manifest.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from unspun.errors import BadInput, Fault, UnspunError

MANIFEST, FORM = "MANIFEST.json", 1
BLOCK = 1 << 20
MODE = 0o600  # it holds the whole book, and hashes of passwords
NOT_ONE = "Give the file that `unspun backup` wrote, whole."


@dataclass(frozen=True, slots=True)
class Member:
    """What the manifest states of one file."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of. `anchor` is the newest ledger entry in it, `members` its files by their path in the workspace."""

    made_at: str
    unspun: str
    workspace: str
    anchor: str
    book_version: int | None
    has_state: bool
    has_secrets: bool
    members: Mapping[str, Member]

    @property
    def size_bytes(self) -> int:
        return sum(one.size_bytes for one in self.members.values())


# Written


class ArchiveWriter:
    """Adds files to a new archive; `written` is told of each block's bytes."""

    def __init__(self, tar: tarfile.TarFile, written: Callable[[int], None]) -> None:
        self._tar, self._written = tar, written
        self.members: dict[str, Member] = {}

    def add(self, name: str, path: Path) -> None:
        """A file under its path in the workspace, with the size that it has now. Raises OSError where it cannot be read whole."""
        with path.open("rb") as file:
            header = tarfile.TarInfo(name)
            header.size, header.mode = os.fstat(file.fileno()).st_size, MODE
            read = _Hashed(file, self._written)
            self._tar.addfile(header, read)  # pyright: ignore[reportArgumentType]
        self.members[name] = Member(read.hash.hexdigest(), header.size)

    def end(self, manifest: Manifest) -> None:
        """Write the manifest, which makes the archive whole."""
        body = json.dumps({"form": FORM, **asdict(manifest)}, indent=1).encode()
        header = tarfile.TarInfo(MANIFEST)
        header.size, header.mode = len(body), MODE
        self._tar.addfile(header, io.BytesIO(body))


class _Hashed:
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes], told: Callable[[int], None]) -> None:
        self._file, self._told = file, told
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.hash.update(block)
        self._told(len(block))
        return block


@contextmanager
def new_archive(path: Path, written: Callable[[int], None]) -> Iterator[ArchiveWriter]:
    """An archive that appears under its name when it is whole and on the disk; until then, and where it fails, there is none."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE), "wb") as file:
            with tarfile.TarFile(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                yield ArchiveWriter(tar, written)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


# Read


def unpack(path: Path, folder: Path, read: Callable[[int], None]) -> Manifest:
    """Write every file of the archive into the folder, and compare each with the manifest.

    Raises BadInput where it is no whole backup of a form that this Unspun knows, UnspunError where a file in it is not as it was written.
    """
    found: dict[str, Member] = {}
    body: bytes | None = None
    try:
        with tarfile.open(path, "r:") as tar:
            for header in tar:
                source = tar.extractfile(header) if header.isreg() else None
                if source is None or body is not None:
                    raise BadInput(Fault("not_a_backup", f"{header.name!r} has no place in a backup.", str(path), NOT_ONE))
                if header.name == MANIFEST:
                    body = source.read()
                else:
                    found[header.name] = _unpack(source, _inside(folder, header.name, path), read)
    except (tarfile.TarError, EOFError) as fault:
        raise BadInput(Fault("not_a_backup", f"this is no backup, or not a whole one ({fault}).", str(path), NOT_ONE)) from fault
    if body is None:
        raise BadInput(Fault("cut_off", "the backup is cut off: its manifest, which comes last, is missing.", str(path), NOT_ONE))
    return _checked(_manifest(body, path), found, path)


def _inside(folder: Path, name: str, archive: Path) -> Path:
    """Where a member is written. Raises BadInput for a name that leads out of the folder."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in parts[0]:
        raise BadInput(Fault("not_a_backup", f"{name!r} leads out of the folder.", str(archive), NOT_ONE))
    return folder.joinpath(*parts)


def _unpack(source: IO[bytes], target: Path, read: Callable[[int], None]) -> Member:
    target.parent.mkdir(parents=True, exist_ok=True)
    hashed, size = _Hashed(source, read), 0
    with open(target, "xb") as file:
        while block := hashed.read(BLOCK):
            size += file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return Member(hashed.hash.hexdigest(), size)


def _manifest(body: bytes, path: Path) -> Manifest:
    try:
        stated: dict[str, Any] = json.loads(body)
        form = stated.pop("form")
        if form != FORM:
            message = f"the backup has form {form}; this Unspun reads form {FORM}."
            raise BadInput(Fault("newer_backup", message, str(path), "Use the Unspun that wrote it, or a newer one."))
        members = {name: Member(**one) for name, one in stated.pop("members").items()}
        return Manifest(**stated, members=members)
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise BadInput(Fault("not_a_backup", f"its manifest is damaged ({fault}).", str(path), NOT_ONE)) from fault


def _checked(manifest: Manifest, found: Mapping[str, Member], path: Path) -> Manifest:
    hint = "Take another backup: this one was damaged after it was written."
    faults = [
        Fault(
            "damaged_backup", "the file is not as it was written." if name in found else "the file is missing.", f"{path.name}:{name}", hint
        )
        for name, member in manifest.members.items()
        if found.get(name) != member
    ]
    faults += [
        Fault("damaged_backup", "the manifest does not name this file.", f"{path.name}:{name}", hint)
        for name in sorted(set(found) - set(manifest.members))
    ]
    if faults:
        raise UnspunError(faults)
    return manifest
