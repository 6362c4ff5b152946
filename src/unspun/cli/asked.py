"""What the commands that publish figures share: the options of the book, the files they write, faults named by their options."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from unspun.cli.outputs import OutputFile

if TYPE_CHECKING:
    from unspun.cli.options import OptionReader

BookVersion = Annotated[str | None, typer.Option(metavar="N", help="The version of the book. [the current one]")]
Memory = Annotated[str | None, typer.Option(metavar="AMOUNT", help="What it may take, such as 2GB. [unspun.toml says]")]
JsonFile = Annotated[
    str | None, typer.Option(metavar="FILE|-", help="Write every number as JSON, a manifest beside it; - for standard output.")
]
NoChanges = Annotated[bool, typer.Option("--no-changes", help="Do not compare with the run before.")]
OF_THE_BOOK = {name: f"--{name}" for name in ("memory", "version", "engine")}
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files asked for (`html` may be a folder of pages); `json_to_stdout` prints the result and nothing else."""

    html: OutputFile | None
    json: OutputFile | None
    csv: OutputFile | None
    json_to_stdout: bool


def read_asked(read: Callable[[OptionReader], Read]) -> Read:
    """What was typed, read. Raises BadInput with the faults of all options."""
    from unspun.cli.options import OptionReader
    from unspun.errors import BadInput

    reader = OptionReader()
    found = read(reader)
    if reader.faults:
        raise BadInput(reader.faults)
    return found


def read_outputs(html: str | None, json: str | None, csv: str | None, pages: str = "") -> Outputs:
    """The files to write. Raises BadInput with all that stands in their way.

    `pages` says what the folder `html` holds ("pages of unspun risk"), by which an earlier one is known; "" where `html` is a file.
    """
    from unspun.cli.outputs import check_outputs
    from unspun.cli.page_folder import refuse_other_folder
    from unspun.cli.plan import STDOUT, named_output

    def read(reader: OptionReader) -> Outputs:
        page, *files = (named_output(option, text, reader) for option, text in (("--html", html), ("--json", json), ("--csv", csv)))
        folder = page if pages else None
        written = files if pages else [page, *files]
        reader.faults.extend(check_outputs([one for one in written if one], (), folder))
        reader.faults.extend(refuse_other_folder(folder, pages) if folder is not None and not reader.faults else [])
        return Outputs(page, files[0], files[1], json_to_stdout=json == STDOUT)

    return read_asked(read)


@contextmanager
def faults_by_option(options: Mapping[str, str]) -> Iterator[None]:
    """Faults of settings are told by the options that the settings were given by; `options` has those of the command beside the book's."""
    from unspun.errors import BadInput

    named = {**OF_THE_BOOK, **options}
    try:
        yield
    except BadInput as refusal:
        raise BadInput([replace(one, where=named.get(one.where, one.where)) for one in refusal.faults]) from refusal


def print_json(text: str) -> None:
    """The document and nothing else, to standard output."""
    from unspun.cli.terminal import reader_may_leave

    with reader_may_leave():
        sys.stdout.buffer.write(text.encode())
