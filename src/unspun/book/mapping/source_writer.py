"""A mapping written as a source of book.yml, and put at the end of the sources that are there already."""

from __future__ import annotations

import json
import re

from unspun.book.mapping.book_fields import COVERS, KNOWN_AT, nearly_standard
from unspun.book.mapping.definition import SourceMapping
from unspun.book.mapping.yaml_nodes import Span, YamlDocument, plain_value

WIDEST = 100
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
OTHER_YAML = frozenset({"y", "n", "yes", "no", "on", "off"})  # true and false to readers of YAML 1.1
UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def mapping_text(mapping: SourceMapping) -> str:
    """The mapping as an item of `sources`, as `add_source` writes it: from column 0, its first line `- files: ...`."""
    return "- " + "\n  ".join(_block(_fields(mapping))) + "\n"


def with_source(text: str, document: YamlDocument, mapping: SourceMapping) -> str:
    """`text`, of which `document` was read, with the mapping behind the last source; every other character stays."""
    lead = len(text) - len(text.removeprefix("\ufeff"))
    line_end = "\r\n" if "\r\n" in text else "\n"
    body = text[lead:]
    value = document.value if isinstance(document.value, dict) else None
    sources = None if value is None else value.get("sources")
    root, span = document.spans.get(()), document.spans.get(("sources",))
    if root is not None and root.flow and value is not None:
        body = _in_brackets(body, root, span, bool(sources), bool(value), mapping)
    elif span is None:
        margin = 0 if root is None else root.column
        body = _on_new_line(body, len(body), line_end, " " * margin + "sources:\n" + _indented(mapping, margin + 2))
    elif not sources:  # `sources:` or `sources: []`: the list begins on the line below the key
        body = body[: span.start].rstrip(" ") + body[span.end :] if span.end > span.start else body
        margin = 0 if root is None else root.column
        body = _on_new_line(body, _end_of_line(body, document.line(("sources",))), line_end, _indented(mapping, margin + 2))
    elif span.flow:
        body = _in_brackets(body, span, span, True, True, mapping)
    else:
        body = _on_new_line(body, span.end, line_end, _indented(mapping, span.column))
    return text[:lead] + body


def _end_of_line(text: str, line: int) -> int:
    """The position at which a line ends, counted from 1."""
    at = -1
    for _ in range(line):
        found = text.find("\n", at + 1)
        at = len(text) if found < 0 else found
    return at


def _indented(mapping: SourceMapping, column: int) -> str:
    return "".join(f"{' ' * column}{line}\n" for line in mapping_text(mapping).splitlines())


def _on_new_line(text: str, at: int, line_end: str, lines: str) -> str:
    """`lines` on new lines after the line in which position `at` is."""
    ends = at if at == 0 or text[at - 1] == "\n" else text.find("\n", at) + 1
    if at > 0 and ends == 0:
        text += line_end
        ends = len(text)
    return text[:ends] + lines.replace("\n", line_end) + text[ends:]


def _in_brackets(text: str, root: Span, span: Span | None, some: bool, keys: bool, mapping: SourceMapping) -> str:
    """A source written in brackets, where the list or the whole file is."""
    source = _flow(_fields(mapping))
    if span is None:
        return f"{text[: root.end - 1]}{', ' if keys else ''}sources: [{source}]{text[root.end - 1 :]}"
    if not some:
        return f"{text[: span.start]}{' ' if span.end == span.start else ''}[{source}]{text[span.end :]}"
    last = text[: span.end - 1].rstrip()
    comma = " " if last.endswith(",") else ", "
    return f"{text[: span.end - 1]}{comma}{source}{text[span.end - 1 :]}"


def _fields(mapping: SourceMapping) -> dict[str, object]:
    """The source as the values of its YAML, what is left to its default left out."""
    given: dict[str, object] = _origin(mapping) if mapping.database else {"files": _one_or_more(mapping.files)}
    given["table"] = mapping.table
    if mapping.key:
        given["key"] = _one_or_more(mapping.key)
    if mapping.known != "happened":
        given["known"] = mapping.known
    for name in ("time_zone", "currency", "date_format"):
        if (value := getattr(mapping, name)) is not None:
            given[name] = value
    given["columns"] = {name: _column(mapping, name) for name in (*mapping.columns, *mapping.values)}
    if mapping.fixed:
        given["fixed"] = list(mapping.fixed)
    if mapping.ignored:
        given["ignore"] = list(mapping.ignored)
    return given


def _origin(mapping: SourceMapping) -> dict[str, object]:
    """Where the rows of a database's source are."""
    given: dict[str, object] = {"database": mapping.database}
    given |= {name: value for name in ("relation", "query") if (value := getattr(mapping, name))}
    if mapping.in_place:
        given["in_place"] = True
    cursor = mapping.cursor
    if cursor is not None and cursor.overlap is None:
        given["cursor"] = cursor.column
    elif cursor is not None:
        overlap = cursor.overlap or 0.0
        given["cursor"] = {"column": cursor.column, "overlap": f"{overlap:.0f} seconds" if cursor.in_seconds else int(overlap)}
    return given


def _one_or_more(texts: tuple[str, ...]) -> object:
    return texts[0] if len(texts) == 1 else list(texts)


def _column(mapping: SourceMapping, name: str) -> object:
    """A column as `name: column`, or with what else is said of it."""
    entry: dict[str, object] = {"column": mapping.columns[name]} if name in mapping.columns else {"value": mapping.values[name]}
    if _needs_kind(mapping, name):
        entry["kind"] = mapping.kind_of(name)
    if words := mapping.words.get(name):
        entry["words"] = words
    if name == "amount" and mapping.amount_months is not None:
        entry["covers"] = next((word for word, months in COVERS.items() if months == mapping.amount_months), mapping.amount_months)
    return entry["column"] if list(entry) == ["column"] else entry


def _needs_kind(mapping: SourceMapping, name: str) -> bool:
    """Whether a column's kind must be said: that of an own one which declares it, or whose name could be a slip for a standard one's."""
    if mapping.entity.column(name) is not None or name == KNOWN_AT:
        return False
    given = (*mapping.columns, *mapping.values)
    return name in mapping.kinds or nearly_standard(mapping.entity, name, given) is not None


def _block(value: dict[str, object]) -> list[str]:
    """The lines of a mapping: short values in brackets, long ones and columns on lines of their own."""
    lines: list[str] = []
    for key, one in value.items():
        line = f"{_scalar(key)}: {_flow(one)}"
        if key != "columns" and len(line) <= WIDEST:
            lines.append(line)
        elif isinstance(one, dict):
            lines += [f"{_scalar(key)}:", *(f"  {inner}" for inner in _block(one))]
        elif isinstance(one, list):
            lines += [f"{_scalar(key)}:", *(f"  - {_flow(item)}" for item in one)]
        else:
            lines.append(line)
    return lines


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    """Text as it stands where no reader of YAML could take it for anything else, else in quotes."""
    if not isinstance(value, str):
        return "true" if value is True else f"{value:g}" if isinstance(value, float) and value == float(f"{value:g}") else repr(value)
    if PLAIN.fullmatch(value) and isinstance(plain_value(value), str) and value.casefold() not in OTHER_YAML:
        return value
    return UNPRINTABLE.sub(_escaped, json.dumps(value, ensure_ascii=False))


written_scalar = _scalar


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
