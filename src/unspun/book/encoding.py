"""Text of two bytes a character (UTF-16, with or without a mark) brought to UTF-8 in blocks, before any format is looked for."""

from __future__ import annotations

import codecs

import pyarrow as pa

from unspun.errors import BadInput, Fault

BLOCK_BYTES = 1 << 24
SAMPLE_BYTES = 4096
MARKS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
MOSTLY, HARDLY = 0.4, 0.05  # of the bytes at odd or even places that are zero, in text of Latin letters and digits


def as_utf8(buffer: pa.Buffer, name: str) -> tuple[pa.Buffer, str | None]:
    """The text as UTF-8 and the encoding it was in; the buffer itself and None where it is not UTF-16.

    Raises BadInput: UTF-32, or marked as UTF-16 and not.
    """
    head = buffer[:SAMPLE_BYTES].to_pybytes()
    marked = next((encoding for mark, encoding in MARKS if head.startswith(mark)), None)
    encoding = marked or _by_zeros(head)
    if encoding is None:
        return buffer, None
    if encoding == "utf-32":
        raise BadInput(Fault("not_text", "the text is in UTF-32.", name, "Save it as UTF-8."))
    try:
        return _transcoded(buffer, encoding), f"UTF-16{'' if marked else f', {encoding[-2:].upper()}, without byte order mark'}"
    except UnicodeError as error:
        if marked is None:  # zeros at every second place, and yet no text: let it be refused as what it is
            return buffer, None
        message = "the file is marked as UTF-16, but not all of it is: it is cut off, or another format."
        raise BadInput(Fault("not_text", message, name, "Export it again, best as UTF-8.")) from error


def _by_zeros(head: bytes) -> str | None:
    """UTF-16 without a mark has a zero byte at every second place wherever its letters are Latin, and at the others hardly any."""
    if len(head) < 4:
        return None
    even, odd = (head[start::2].count(0) / max(1, len(head[start::2])) for start in (0, 1))
    if even > MOSTLY and odd > MOSTLY:
        return "utf-32"
    if odd > MOSTLY and even < HARDLY:
        return "utf-16-le"
    return "utf-16-be" if even > MOSTLY and odd < HARDLY else None


def _transcoded(buffer: pa.Buffer, encoding: str) -> pa.Buffer:
    decoder = codecs.getincrementaldecoder(encoding)()
    sink = pa.BufferOutputStream()
    for start in range(0, buffer.size, BLOCK_BYTES):
        block = decoder.decode(buffer[start : start + BLOCK_BYTES].to_pybytes(), start + BLOCK_BYTES >= buffer.size)
        sink.write((block.removeprefix("\ufeff") if start == 0 else block).encode())
    return sink.getvalue()
