"""Lines of text on a terminal: safe to print, of a known width, with or without colour, in Unicode or ASCII."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

NARROWEST, WIDEST = 80, 120
NO_BREAK_SPACE, WORD_JOINER = "\u00a0", "\u2060"

# One character for one character, so that columns stay where they are.
_UNICODE = "\u2013\u2014\u2212\u00d7\u00b7\u2026\u2265\u2264\u2018\u2019\u201c\u201d\u20ac\u00a3─━│┼┤┝●○◐⊖□▼⊗◇▲"
_ASCII = str.maketrans(_UNICODE, "---x|~><''\"\"EL-=|+||*o%=ov!?^")


def clean(text: str) -> str:
    """`text` with every character that could move the cursor or change a colour shown as U+FFFD.

    Names come from other people's files; a terminal would obey an escape sequence among them.
    """
    if text.isprintable():
        return text
    text = text.replace(WORD_JOINER, "")  # needless here: lines break at spaces only
    return "".join(letter if letter.isprintable() or letter == NO_BREAK_SPACE else "\ufffd" for letter in text)


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, broken at spaces only (never at a no-break space); a longer word is cut."""
    from rich.cells import cell_len, chop_cells

    lines: list[str] = []
    line = ""
    for word in clean(text).replace(" %", f"{NO_BREAK_SPACE}%").split(" "):
        if line and cell_len(line) + 1 + cell_len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
        if cell_len(line) > width:
            *full, line = chop_cells(line, width)
            lines.extend(full)
    return [*lines, line]


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` cells, its end replaced by an ellipsis where it does not fit."""
    from rich.cells import cell_len, chop_cells

    text = clean(text)
    return text if cell_len(text) <= width else f"{chop_cells(text, width - 1)[0]}…"


def pad(text: str, width: int, right: bool = False) -> str:
    """`text` made `width` cells wide, cut if it must be."""
    from rich.cells import cell_len

    text = shorten(text, width)
    blank = " " * (width - cell_len(text))
    return blank + text if right else text + blank


def open_console(stream: TextIO | None = None) -> Console:
    """A console on `stream` (standard output by default), between NARROWEST and WIDEST cells wide."""
    from rich.console import Console

    console = Console(file=cast("TextIO", _Portable(stream or sys.stdout)), highlight=False, markup=False, emoji=False)
    console.width = min(max(console.width, NARROWEST), WIDEST)
    return console


def print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Print each line as it is: the one who made it has seen to its width.

    The console only styles; it would end the program where the reader has left (see `reader_may_leave`).
    """
    with console.capture() as styled:
        for line in lines:
            line.rstrip()
            console.print(line, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)
    console.file.write(styled.get())


def print_plain(lines: Iterable[str]) -> None:
    """Lines to standard error, safe to print and without colour; quiet where nobody reads them."""
    stream = _Portable(sys.stderr)
    with suppress(BrokenPipeError):
        stream.write("".join(f"{clean(line)}\n" for line in lines))
        stream.flush()


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Write to standard output within this; a reader who closes the pipe early (`| head`) ends the writing and nothing else."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Portable:
    """Passes text on to `stream`, in characters that its encoding has."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = (getattr(stream, "encoding", None) or "ascii").lower()
        self._unicode = self.encoding.startswith("utf")

    def write(self, text: str) -> int:
        text = text.replace(NO_BREAK_SPACE, " ")
        if not self._unicode:
            text = text.translate(_ASCII).encode(self.encoding, "replace").decode(self.encoding)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()
