"""Compressed files: gzip and zip inflated in blocks, and refused where what comes out is out of all proportion."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from typing import IO, Protocol, cast

import pyarrow as pa

from unspun.book.text import quoted
from unspun.errors import BadInput, Fault

BLOCK_BYTES = 1 << 24
MOST_INFLATED_BYTES = 8 << 30
MOST_RATIO = 64  # beyond both, it is taken for a bomb
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError)  # what zipfile raises


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def inflate_gzip(buffer: pa.Buffer, name: str) -> pa.Buffer:
    """The content of a gzip file. Raises BadInput: damaged, or out of proportion."""
    try:
        with gzip.open(cast(IO[bytes], pa.BufferReader(buffer))) as stream:
            return _inflate(stream, buffer.size, name)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(Fault("damaged_gzip", "the gzip file is damaged or cut off.", name, "Export it again.")) from error


def open_zip(buffer: pa.Buffer, name: str) -> zipfile.ZipFile:
    """A zip archive, its inflated size checked before any of it is inflated."""
    try:
        archive = zipfile.ZipFile(pa.BufferReader(buffer))
    except DAMAGED as error:
        raise BadInput(Fault("damaged_zip", "the zip archive or workbook is damaged or cut off.", name, "Export it again.")) from error
    refuse_bomb(sum(entry.file_size for entry in archive.infolist()), buffer.size, name)
    return archive


def only_file(archive: zipfile.ZipFile, size: int, name: str) -> tuple[pa.Buffer, str]:
    """The content and the name of the one file of an archive. Raises BadInput where there is none, or several."""
    entries = [entry for entry in archive.infolist() if entry.filename and not entry.is_dir() and not is_hidden(entry.filename)]
    if len(entries) != 1:
        if not entries:
            raise BadInput(Fault("not_a_table", "the zip archive holds no file.", name, "Check the export."))
        message = (
            f"the zip archive holds {len(entries):,} files ({quoted([entry.filename for entry in entries])}), and one table is wanted."
        )
        hint = "Unpack it and give the table, or the folder where all of it is one table."
        raise BadInput(Fault("several_files", message, name, hint))
    entry = entries[0]
    if entry.flag_bits & 1:
        raise BadInput(Fault("protected_file", "the zip archive is protected by a password.", name, "Save it without one."))
    try:
        with archive.open(entry) as stream:
            return _inflate(stream, size, name), entry.filename
    except DAMAGED as error:
        raise BadInput(Fault("damaged_zip", "the zip archive is damaged.", name, "Export it again.")) from error


def is_hidden(path: str) -> bool:
    """What systems leave beside files: .DS_Store, __MACOSX/, Thumbs.db, and the lock files of office programs."""
    parts = path.replace("\\", "/").split("/")
    return any(part.startswith((".", "~$", "__MACOSX")) for part in parts) or parts[-1] in ("Thumbs.db", "desktop.ini")


def refuse_bomb(inflated: int, size: int, name: str) -> None:
    """Raise BadInput where a file inflates beyond both bounds."""
    if inflated > MOST_INFLATED_BYTES and inflated > MOST_RATIO * size:
        message = f"the file of {size:,} bytes inflates to more than {MOST_INFLATED_BYTES >> 30} GB, over {MOST_RATIO} times its size."
        raise BadInput(Fault("out_of_proportion", message, name, "If it is meant, decompress it first and give the table itself."))


def _inflate(stream: _Readable, size: int, name: str) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    while block := stream.read(BLOCK_BYTES):
        sink.write(block)
        refuse_bomb(sink.tell(), size, name)
    return sink.getvalue()
