"""book.yml: read into a definition with all its faults at once, and added to without touching what is written there.

An example, which docs/reference/book-yml.md explains:

    time_zone: Europe/Berlin
    currency: EUR
    sources:
      - files: "subscriptions*.csv"
        table: subscriptions
        columns:
          account_id: Company ID
          started: Start
          ended: End
          amount: {column: MRR, covers: month}
          billing: {column: Billed every, kind: whole}
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import PurePosixPath

from unspun.book.entities import Kind, TableName
from unspun.book.mapping.book_fields import BOOK_FIELDS
from unspun.book.mapping.book_schema import definition_schema
from unspun.book.mapping.contract_reader import read_contracts
from unspun.book.mapping.database_reader import check_databases, check_places, read_databases
from unspun.book.mapping.database_writer import with_database
from unspun.book.mapping.definition import BookDefinition, Database, SourceMapping
from unspun.book.mapping.source_reader import read_currency, read_source, read_zone
from unspun.book.mapping.source_writer import mapping_text, with_source
from unspun.book.mapping.yaml_checks import YamlChecks, listed
from unspun.book.mapping.yaml_nodes import read_yaml
from unspun.errors import BadInput, Fault

__all__ = ["add_source", "definition_schema", "mapping_for", "mapping_sha256", "mapping_text", "read_definition"]


def read_definition(text: str, name: str = "book.yml") -> BookDefinition:
    """The definition that `text` gives; an empty file gives one without sources. Raises BadInput with every fault, at `name:line`."""
    document = read_yaml(text, name)
    checks = YamlChecks(document)
    given = {} if document.value is None else checks.fields((), document.value, BOOK_FIELDS)
    zone, currency = read_zone(checks, (), given), read_currency(checks, (), given)
    month = _month(checks, given.get("fiscal_year_starts", 1))
    sources = checks.items(("sources",), given["sources"]) if "sources" in given else []
    mappings = [read_source(checks, ("sources", i), one) for i, one in enumerate(sources)]
    databases = read_databases(checks, given["databases"]) if "databases" in given else ()
    for i, one in enumerate(mappings):
        if one is not None:
            check_databases(checks, i, one.database, bool(one.row_key), one.in_place, [each.name for each in databases])
    check_places(checks, [(i, one) for i, one in enumerate(mappings) if one is not None])
    _check_together(checks, [(i, one) for i, one in enumerate(mappings) if one is not None])
    read = tuple(mapping for mapping in mappings if mapping is not None)
    contracts = read_contracts(checks, given["contracts"], read) if "contracts" in given else ()
    if checks.faults:
        raise BadInput(checks.faults)
    return BookDefinition(read, zone or "UTC", currency, month, text, hashlib.sha256(text.encode()).hexdigest(), contracts, databases)


def _month(checks: YamlChecks, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 12:
        return value
    checks.fault("unknown_month", f"'{value}' is no month.", ("fiscal_year_starts",), "Write 1 for January to 12 for December.")
    return 1


def _check_together(checks: YamlChecks, sources: list[tuple[int, SourceMapping]]) -> None:
    """What must hold between sources: no file in two, one key and one kind for what goes to one table."""
    patterns: dict[str, int] = {}
    keys: dict[TableName, tuple[tuple[str, ...], int]] = {}
    kinds: dict[tuple[TableName, str], tuple[Kind, int]] = {}
    for i, source in sources:
        _check_patterns(checks, i, source, patterns)
        _check_key(checks, i, source, keys)
        for name in (*source.columns, *source.values):
            kind, line = kinds.setdefault((source.table, name), (source.kind_of(name), source.line))
            if kind != source.kind_of(name):
                message = f"'{name}' of {source.table} is {source.kind_of(name)} here and {kind} in the source on line {line}."
                checks.fault("two_kinds", message, ("sources", i, "columns", name), "Give it one kind, or two names.")


def _check_patterns(checks: YamlChecks, i: int, source: SourceMapping, seen: dict[str, int]) -> None:
    for pattern in source.files:
        line = seen.setdefault(_folded(pattern), source.line)
        if line != source.line:
            message = f"'{pattern}' is among the files of the source on line {line} too."
            checks.fault("two_sources", message, ("sources", i, "files"), "A file feeds one table.")


def _check_key(checks: YamlChecks, i: int, source: SourceMapping, seen: dict[TableName, tuple[tuple[str, ...], int]]) -> None:
    key, line = seen.setdefault(source.table, (source.row_key, source.line))
    if key != source.row_key:
        own, other = (listed(one) or "none" for one in (source.row_key, key))
        message = f"the key of {source.table} is {own} here and {other} in the source on line {line}."
        hint = "All sources of a table have one key: map its columns in each, or say `key` in each."
        checks.fault("two_keys", message, ("sources", i, "key" if source.key else "table"), hint)


def add_source(text: str, mapping: SourceMapping) -> str:
    """`text` with the mapping as the last of its sources; all else, comments too, stays as it is.

    Raises BadInput where `text` has faults, or would have with the mapping.
    """
    before = read_definition(text).sources
    added = with_source(text, read_yaml(text, "book.yml"), mapping)
    after = read_definition(added).sources
    if [replace(one, line=0) for one in after[:-1]] != [replace(one, line=0) for one in before] or len(after) == len(before):
        hint = "Write `sources:` as a list with a '- ' for each source."
        raise BadInput(Fault("sources_written_otherwise", "no source can be added to 'sources' as it is written.", "book.yml", hint))
    return added


def add_database(text: str, database: Database) -> str:
    """`text` with the database as one more of its databases. Raises BadInput where `text` has faults, or would have with it."""
    before = read_definition(text).databases
    added = with_database(text, read_yaml(text, "book.yml"), database)
    if len(read_definition(added).databases) != len(before) + 1:
        hint = "Write `databases:` with a line for each below it."
        raise BadInput(Fault("databases_written_otherwise", "no database can be added to 'databases' as it is written.", "book.yml", hint))
    return added


def mapping_for(definition: BookDefinition, file_name: str) -> SourceMapping | None:
    """The source whose patterns fit a file's name or path; None where none does. Raises BadInput where two sources do."""
    fitting = [source for source in definition.sources if any(_fits(file_name, pattern) for pattern in source.files)]
    if len(fitting) > 1:
        lines = listed([str(source.line) for source in fitting])
        message = f"it fits several sources of book.yml, those on the lines {lines}."
        raise BadInput(Fault("two_sources", message, PurePosixPath(file_name).name, "Narrow the patterns of all but one."))
    return fitting[0] if fitting else None


def _fits(file_name: str, pattern: str) -> bool:
    """A pattern with a `/` fits the end of the path, any other the file's name. Only `*` and `?` stand for what is not written."""
    parts, wanted = _folded(file_name).split("/"), _folded(pattern).split("/")
    tail = parts[-len(wanted) :]
    return len(tail) == len(wanted) and all(_form(one).fullmatch(part) for part, one in zip(tail, wanted, strict=True))


@lru_cache(maxsize=1_000)
def _form(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in re.sub(r"\*+", "*", pattern)), re.DOTALL)


def _folded(path: str) -> str:
    return path.replace("\\", "/").removeprefix("./").casefold()


def mapping_sha256(mapping: SourceMapping, definition: BookDefinition) -> str:
    """SHA-256 of all that decides how the rows of a file come out, the book's zone and currency too.

    The patterns, the columns ignored, the order of what is written and its comments are not among that.
    """
    names = (*mapping.columns, *mapping.values)
    decides = {
        "table": mapping.table,
        "columns": mapping.columns,
        "values": mapping.values,
        "kinds": {name: mapping.kind_of(name) for name in names},
        "key": mapping.row_key,
        "known": mapping.known,
        "fixed": sorted(mapping.fixed),
        "words": mapping.words,
        "date_format": mapping.date_format,
        "time_zone": mapping.time_zone or definition.time_zone,
        "currency": mapping.currency or definition.currency,
        "amount_months": None if mapping.amount_months is None else float(mapping.amount_months),
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
