"""The container of office files until 2007 (MS-CFB): what it holds, and whether its chains of sectors end.

The reader of XLS follows a chain wherever it leads, for ever where it leads back into itself: a damaged file has to be told before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
HEADER_BYTES = 512
ENTRY_BYTES = 128  # of the directory
IN_HEADER = 109  # sectors of the table that the header itself names
REGULAR = 0xFFFFFFFA  # sector numbers from here on are marks
END_OF_CHAIN, FREE = 0xFFFFFFFE, 0xFFFFFFFF
STREAM, ROOT = 2, 5  # kinds of entries
MINI_BYTES = 64  # of a mini sector
Links = NDArray[np.uint32]  # the sector after each


@dataclass(frozen=True, slots=True)
class _Container:
    content: bytes
    sector_bytes: int

    def words(self, sector: int) -> Links:
        start = HEADER_BYTES if self.sector_bytes == HEADER_BYTES else self.sector_bytes
        start += sector * self.sector_bytes
        return np.frombuffer(self.content[start : start + self.sector_bytes].ljust(self.sector_bytes, b"\0"), "<u4")

    def holds(self, sector: int) -> bool:
        return (sector + 1) * self.sector_bytes < len(self.content) + self.sector_bytes - HEADER_BYTES


def entry_names(buffer: pa.Buffer) -> frozenset[str] | None:
    """The names of all streams and storages in a container; None where it is damaged: a chain does not end, or leaves the file."""
    content = buffer.to_pybytes()
    header = np.frombuffer(content[:HEADER_BYTES].ljust(HEADER_BYTES, b"\0"), "<u4")
    shift = int.from_bytes(content[30:32], "little")
    if len(content) <= HEADER_BYTES or shift not in (9, 12):
        return None
    box = _Container(content, 1 << shift)
    sectors = _table_sectors(box, header)
    if sectors is None:
        return None
    table = np.concatenate([box.words(sector) for sector in sectors]) if sectors else np.zeros(0, np.uint32)
    directory, mini = (_chain(int(start), table, box) for start in (header[12], header[15]))
    if not directory or mini is None:
        return None
    entries = b"".join(box.words(sector).tobytes() for sector in directory)
    mini_table = np.concatenate([box.words(sector) for sector in mini]) if mini else np.zeros(0, np.uint32)
    return _names(entries, table, mini_table, box)


def _table_sectors(box: _Container, header: Links) -> list[int] | None:
    """The sectors of the table of links, first those that the header names, then those of the chain behind it."""
    named = header[19 : 19 + IN_HEADER].tolist()
    seen: set[int] = set()
    following = int(header[17])
    while following < REGULAR:
        if following in seen or not box.holds(following):
            return None
        seen.add(following)
        *more, following = box.words(following).tolist()
        named += more
    found = [sector for sector in named if sector < REGULAR]
    return found if all(box.holds(sector) for sector in found) and len(set(found)) == len(found) else None


def _chain(start: int, links: Links, box: _Container | None) -> list[int] | None:
    """The sectors from `start` to the end of the chain; None where it has no end, or leaves the file."""
    chain: list[int] = []
    seen: set[int] = set()
    at = start
    while at not in (END_OF_CHAIN, FREE):
        if at >= len(links) or at in seen or (box is not None and not box.holds(at)):
            return None
        seen.add(at)
        chain.append(at)
        at = int(links[at])
        if at == FREE:
            return None
    return chain


def _names(entries: bytes, table: Links, mini_table: Links, box: _Container) -> frozenset[str] | None:
    names = set()
    for start in range(0, len(entries), ENTRY_BYTES):
        entry = entries[start : start + ENTRY_BYTES]
        kind, size, first = entry[66], int.from_bytes(entry[120:124], "little"), int.from_bytes(entry[116:120], "little")
        if kind == 0:
            continue
        names.add(entry[: max(0, min(64, int.from_bytes(entry[64:66], "little")) - 2)].decode("utf-16-le", "replace"))
        is_mini = kind == STREAM and size < 4096
        if kind in (STREAM, ROOT) and size and _chain(first, mini_table if is_mini else table, None if is_mini else box) is None:
            return None
    return frozenset(names)
