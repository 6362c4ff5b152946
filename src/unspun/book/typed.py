"""A company's file as typed rows of a table of the book, in parts: every row of the file comes out, in `rows` or in `rejected`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from unspun.book.entities import Kind
from unspun.book.mapping.contents_sample import Sample
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.reading import limited
from unspun.book.typed_files import PART_ROWS, TextBlocks, TypedFile, open_file
from unspun.book.typed_plan import plan_table
from unspun.book.typed_rows import TablePlan, Tally, TypedPart, rejected_before, type_rows
from unspun.book.typed_schema import REJECTED_COLUMNS, arrow_schema, arrow_type
from unspun.errors import BadInput

__all__ = ["REJECTED_COLUMNS", "TypedPart", "TypedSource", "arrow_schema", "arrow_type", "open_typed"]


class TypedSource:
    """One file, opened under its mapping.

    `name` is the file's name, `label` its path as given, `unlisted` its columns that are neither mapped nor left out on purpose,
    `columns` the data columns that `parts` yields. `notes` and `rows_read` are whole once `parts` is exhausted.
    """

    def __init__(self, path: str, file: TypedFile, plan: TablePlan, unlisted: tuple[str, ...]) -> None:
        self._file, self._plan = file, plan
        self._tally = Tally(file.label)
        self.name, self.label = Path(path).name, path
        self.sha256, self.format = file.sha256, file.format
        self.size_bytes = Path(path).stat().st_size
        self.unlisted = unlisted
        self.rows_read = 0

    @property
    def columns(self) -> tuple[tuple[str, Kind], ...]:
        """Names and kinds of the data columns, in their order."""
        return self._plan.data_columns

    @property
    def notes(self) -> tuple[str, ...]:
        """How the file was read: its encoding, the forms of its dates, amounts that were rounded."""
        return (*self._file.notes, *self._tally.notes)

    @property
    def is_mended(self) -> bool:
        """Whether it is a file of rejected rows that were corrected, which says nothing of how its source is written."""
        return bool(self._plan.mending)

    def sample(self) -> Sample:
        """Some rows of the file with all its columns, mapped or not; before `parts`. Raises BadInput where it cannot be read."""
        return self._file.sample()

    def parts(self) -> Iterator[TypedPart]:
        """The rows of the file, in its order, those that cannot be used with the part that they stand in. Once.

        Raises BadInput, at the latest with the last part, where the file cannot be loaded as a whole: a column that can be read in
        two ways, or of which more than a fifth of the cells cannot be read; no row that can be used.
        """
        tally, table = self._tally, self._plan.mapping.table
        plan = self._plan
        for stretch in self._file.stretches(plan):
            before = rejected_before(stretch.rejections, table, tally)
            part = type_rows(stretch, plan, tally)
            plan = plan.settled(tally.orders)
            self.rows_read += len(before) + len(stretch.row)
            if tally.faults or self._file.at_once:
                tally.refuse_faults()  # the whole file in one: nothing is handed out of a file that cannot be used
                tally.refuse_nothing_left()
            del stretch
            yield from _sliced(part, before)
        tally.refuse_faults()
        tally.refuse_nothing_left()


def _sliced(part: TypedPart, before: pa.Table) -> Iterator[TypedPart]:
    """A part in pieces of at most PART_ROWS rows, the rejected ones with the first."""
    rejected = pa.concat_tables([before, part.rejected]) if len(before) else part.rejected
    for start in range(0, max(len(part.rows), 1), PART_ROWS):
        mends = None if part.mends is None else part.mends.slice(start, PART_ROWS)
        yield TypedPart(part.rows.slice(start, PART_ROWS), rejected if start == 0 else rejected.slice(0, 0), mends)


def open_typed(source: str, mapping: SourceMapping, definition: BookDefinition) -> TypedSource:
    """Open one file, in any format that the audit reads.

    Raises BadInput with all faults together: not there, not readable, mapped columns that are not in it, constants that cannot be.
    """
    file = open_file(source, mapping)
    plan, unlisted, faults = plan_table(file.names, file.header, mapping, definition)
    faults += file.faults(mapping)
    if faults:
        raise BadInput(limited(faults, file.label))
    return TypedSource(source, file, plan.in_blocks() if isinstance(file, TextBlocks) else plan, unlisted)
