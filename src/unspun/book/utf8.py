"""Text of one file as UTF-8, given out in blocks: its encoding told from all of its bytes, and never a second copy of it in memory."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from unspun.book.encoding import as_utf8
from unspun.book.raw import READ_FORMATS
from unspun.errors import BadInput, Fault

BLOCK_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 18
MARK = b"\xef\xbb\xbf"
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
LINE_END = re.compile(rb"\r\n|\r|\n")
FEW_CONTROLS, MOST_CONTROLS = 3, 0.01  # so many, or such a share of the bytes, are damage to a file that is text
WESTERN = {"cp1252": "Windows-1252", "latin-1": "Latin-1"}  # one byte a character, so that any block can be decoded by itself


@dataclass(frozen=True, slots=True)
class Text:
    """The bytes of a file, the encoding they are in (None: UTF-8), and what the reader is told of it."""

    content: pa.Buffer
    codec: str | None
    encoding: str

    def blocks(self) -> Iterator[bytes]:
        """The text as UTF-8, a block at a time."""
        for start in range(0, self.content.size, BLOCK_BYTES):
            block = self.content[start : start + BLOCK_BYTES].to_pybytes()
            yield block if self.codec is None else block.decode(self.codec).encode()


def open_text(buffer: pa.Buffer, name: str) -> Text:
    """Tell the encoding. Raises BadInput where the bytes are no text, or no UTF-16 although marked so."""
    buffer, encoding = as_utf8(buffer, name)
    marked = buffer[: len(MARK)].to_pybytes() == MARK
    content = buffer[len(MARK) :] if marked else buffer
    _refuse_controls(content, name)
    if _can_be(content, "utf-8"):
        return Text(content, None, encoding or ("UTF-8 with byte order mark" if marked else "UTF-8"))
    codec = next(codec for codec in WESTERN if _can_be(content, codec))
    return Text(content, codec, f"{WESTERN[codec]} (the bytes are not valid UTF-8)")


def _refuse_controls(content: pa.Buffer, name: str) -> None:
    """Bytes that no text has: many of them are another format, a few are damage whose row can be told."""
    found = CONTROL.search(content[:SAMPLE_BYTES].to_pybytes())
    at = found.start() if found else next(_zeros(content), None)
    if at is None:
        return
    if len(CONTROL.findall(content[:SAMPLE_BYTES].to_pybytes())) > max(FEW_CONTROLS, MOST_CONTROLS * min(content.size, SAMPLE_BYTES)):
        raise BadInput(Fault("not_text", f"this is no text, and not {READ_FORMATS}.", name, "Export the table as CSV."))
    row = 1 + len(LINE_END.findall(content[:at].to_pybytes()))
    byte = content[at : at + 1].to_pybytes()[0]
    hint = "Export the file again, or take the character out with a text editor."
    raise BadInput(Fault("not_text", f"this row holds a control character (byte {byte}) that no text has.", f"{name}:{row}", hint))


def _zeros(content: pa.Buffer) -> Iterator[int]:
    blocks = enumerate(_bytes_in_blocks(content))
    return (i * BLOCK_BYTES + int(np.argmax(block == 0)) for i, block in blocks if (block == 0).any())


def _bytes_in_blocks(content: pa.Buffer) -> Iterator[np.ndarray]:
    whole = np.frombuffer(content, np.uint8)
    return (whole[start : start + BLOCK_BYTES] for start in range(0, len(whole), BLOCK_BYTES))


def _can_be(content: pa.Buffer, codec: str) -> bool:
    """Whether all of it can be decoded. Bytes under 128 are the same in every encoding asked for."""
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        for block in _bytes_in_blocks(content):
            if decoder.getstate()[0] or block.max() >= 128:
                decoder.decode(block.tobytes())
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


class Stream(io.RawIOBase):
    """Text as an open file of UTF-8, without its first `skipped` bytes and with a line end at the end."""

    def __init__(self, text: Text, skipped: int) -> None:
        self._blocks, self._skipped = _ended(text.blocks()), skipped
        self._block, self._at = b"", 0

    def readable(self) -> bool:
        """It can only be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """`size` bytes, fewer only at the end: what is read at once is the block that must hold a whole row."""
        parts, wanted = [], size
        while wanted and (self._at < len(self._block) or self._next()):
            part = self._block[self._at :] if size < 0 else self._block[self._at : self._at + wanted]
            self._at += len(part)
            wanted -= len(part) if size >= 0 else 0
            parts.append(part)
        return b"".join(parts)

    def _next(self) -> bool:
        """Go on to the next block; False at the end."""
        for block in self._blocks:
            self._block, self._at = block, min(self._skipped, len(block))
            self._skipped -= self._at
            if self._at < len(block):
                return True
        return False


def _ended(blocks: Iterator[bytes]) -> Iterator[bytes]:
    last = b""
    for block in blocks:
        if last:
            yield last
        last = block
    if last:
        yield last if last.endswith((b"\n", b"\r")) else last + b"\n"
