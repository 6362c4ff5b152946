"""The end of a load: its files put in place, the Delta logs committed, and one book version published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from unspun.book.entities import Kind
from unspun.book.mapping.definition import BookDefinition
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_head import sync_folder
from unspun.warehouse.catalog_lines import LoadFile
from unspun.warehouse.catalog_profiles import StoredProfile, write_profiles
from unspun.warehouse.classify import Receipt
from unspun.warehouse.delta import TABLES_FOLDER, align, write_data_file
from unspun.warehouse.load_rejected import MENDED_STORED, MENDED_TABLE, REJECTED_STORED, REJECTED_TABLE
from unspun.warehouse.versions import BookVersion, DataFile, TableVersion

DEFINITION_NAME = "book.yml"
REJECTED_BATCH_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class Commit:
    """A load ready to be published.

    `tables` are those it feeds, with the columns they will have and the files they have now; `added` the data files it adds, still
    in staging; `several` the tables that get a further version of some row; `files` what became of its source files; `profiles` what
    their columns held.
    """

    load: int
    receipt: Receipt
    definition: BookDefinition
    tables: Mapping[str, TableVersion]
    added: Mapping[str, Sequence[DataFile]]
    several: frozenset[str]
    files: Sequence[LoadFile]
    profiles: Sequence[StoredProfile] = ()


def publish_load(
    catalog: Catalog, commit: Commit, rejected: Sequence[tuple[int, Path | pa.Table]], mended: Sequence[pa.Table]
) -> BookVersion:
    """Put the files in place, commit each table to its Delta log, then publish the version with its ledger entry in one transaction.

    `rejected` are rejected rows (a staged file or a table of REJECTED_COLUMNS) by source file; `mended` rows of the table `mended`.
    """
    folder, current = catalog.folder, catalog.current()
    tables = {table.name: table for table in current.tables} if current is not None else {}
    tables = {name: replace(table, fixed=commit.tables[name].fixed) if name in commit.tables else table for name, table in tables.items()}
    for name, files in commit.added.items():
        if files:
            placed = [_place(folder, file, f"{_stem(commit.load)}-{number}") for number, file in enumerate(files, 1)]
            table = commit.tables[name]
            several = table.several_versions or name in commit.several
            tables[name] = replace(table, files=(*table.files, *placed), several_versions=several)
    if rejected:
        _add_plain(folder, tables, REJECTED_TABLE, REJECTED_STORED, _rejected_batches(commit.load, rejected), commit.load)
    if mended:
        _add_plain(folder, tables, MENDED_TABLE, MENDED_STORED, iter(mended), commit.load)
    committed = [_committed(folder, table, current, commit.load) for table in tables.values()]
    at = commit.receipt.received_at
    with catalog.transaction():
        if commit.definition.text:
            catalog.record_definition(DEFINITION_NAME, commit.definition.text, at)
        write_profiles(catalog.connection, commit.load, commit.profiles)
        return catalog.publish("load", committed, at, [("load", _body(commit))], load=commit.load, load_files=commit.files)


def _stem(load: int) -> str:
    return f"load-{load:06d}"


def _place(folder: Path, file: DataFile, stem: str) -> DataFile:
    """Move a staged data file into its table's folder, durably."""
    path = folder / TABLES_FOLDER / file.table / f"{stem}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    (folder / file.path).replace(path)
    sync_folder(path.parent)
    return replace(file, path=path.relative_to(folder).as_posix())


def _add_plain(
    folder: Path, tables: dict[str, TableVersion], name: str, columns: Sequence[tuple[str, Kind]], rows: Iterator[pa.Table], load: int
) -> None:
    """Add rows to a table that has no versions of rows: the rejected and the mended ones."""
    file = write_data_file(folder, name, rows, columns, f"{_stem(load)}-1")
    table = tables.get(name) or TableVersion(name, 0, (), tuple(columns), False, ())
    tables[name] = replace(table, files=(*table.files, file))


def _rejected_batches(load: int, rejected: Sequence[tuple[int, Path | pa.Table]]) -> Iterator[pa.Table]:
    for source_file, rows in rejected:
        for batch in _batches(rows) if isinstance(rows, Path) else (rows,):
            for name, value in (("load", load), ("source_file", source_file)):
                batch = batch.append_column(name, pa.repeat(pa.scalar(value, pa.int64()), batch.num_rows))
            yield batch


def _batches(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(REJECTED_BATCH_ROWS):
            yield pa.Table.from_batches([batch])


def _committed(folder: Path, table: TableVersion, current: BookVersion | None, load: int) -> TableVersion:
    """The table with the Delta version that holds exactly its files; a table that the load leaves as it is keeps its own."""
    former = current.table(table.name) if current is not None else None
    if former is not None and former.files == table.files and former.columns == table.columns:
        return table
    return replace(table, delta_version=align(folder, table.name, table.columns, table.files, {"unspun": f"load {load}"}))


def _body(commit: Commit) -> dict[str, object]:
    """What the ledger says of the load: hashes, tables and counts; no names of files, nobody's data."""
    receipt = commit.receipt
    dated_back = receipt.counts_from.isoformat() if receipt.counts_from != receipt.received_at else None
    sources = [{"sha256": file.sha256, "mapping_sha256": file.mapping_sha256, "table": file.table, **file.counts} for file in commit.files]
    return {"definition_sha256": commit.definition.sha256, "counts_as_received": dated_back, "sources": sources}
