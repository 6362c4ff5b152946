"""A database added to the text of book.yml, all else left as it is."""

from __future__ import annotations

from unspun.book.mapping.definition import Database
from unspun.book.mapping.source_writer import written_scalar
from unspun.book.mapping.yaml_nodes import YamlDocument
from unspun.errors import BadInput, Fault

KEY = "databases"


def with_database(text: str, document: YamlDocument, database: Database) -> str:
    """`text`, of which `document` was read, with the database as the last of its databases. Raises BadInput where they are in brackets."""
    root, span = document.spans.get(()), document.spans.get((KEY,))
    line_end = "\r\n" if "\r\n" in text else "\n"
    given = {"url_from": database.url_from, "url": database.url}
    line = f"{database.name}: {{{', '.join(f'{key}: {written_scalar(value)}' for key, value in given.items() if value)}}}"
    if (root is not None and root.flow) or (span is not None and span.flow):
        hint = f"Write a line below `{KEY}:` yourself: {line}"
        raise BadInput(Fault("databases_written_otherwise", f"no database can be added to '{KEY}' as it is written.", "book.yml", hint))
    margin = "" if root is None else " " * root.column
    gap = "" if not text or text.endswith("\n") else line_end
    if span is None:
        return f"{text}{gap}{line_end}{margin}{KEY}:{line_end}{margin}  {line}{line_end}"
    lines = text.splitlines(keepends=True)
    at = document.line((KEY,))
    lines[at - 1 : at] = [lines[at - 1] + ("" if lines[at - 1].endswith("\n") else line_end), f"{' ' * span.column}{line}{line_end}"]
    return "".join(lines)
