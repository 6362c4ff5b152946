"""An entry put behind the others of a mapping at the top of a YAML file; every other character stays, comments too."""

from __future__ import annotations

from unspun.book.mapping.yaml_nodes import YamlDocument
from unspun.errors import BadInput, Fault

INDENT = "  "


def with_entry(text: str, document: YamlDocument, key: str, entry: str) -> str:
    """`text`, of which `document` was read, with `entry` (lines from column 0) as the last of the mapping at `key`.

    Where there is no such mapping it is made. Raises BadInput where it stands in brackets, so that no lines can be put into it.
    """
    lead = len(text) - len(text.removeprefix("\ufeff"))
    body = text[lead:]
    value = document.value if isinstance(document.value, dict) else {}
    root, span = document.spans.get(()), document.spans.get((key,))
    if (root is not None and root.flow) or (span is not None and span.flow and value.get(key)):
        message = f"'{key}' stands in brackets: no lines can be put into it."
        raise BadInput(Fault("in_brackets", message, document.name, "Print the entry, and put it where it belongs."))
    if span is None:
        made = _behind(body, len(body), f"{key}:\n{_indented(entry, INDENT)}")
    elif not value.get(key):  # `key:` or `key: {}`
        body = body[: span.start].rstrip(" ") + body[span.end :] if span.end > span.start else body
        is_last = list(value)[-1] == key
        made = _behind(body, len(body) if is_last else _end_of_line(body, span.start - 1), _indented(entry, INDENT))
    else:
        made = _behind(body, span.end, _indented(entry, " " * span.column))
    return text[:lead] + made


def _indented(lines: str, indent: str) -> str:
    return "".join(f"{indent}{line}".rstrip() + "\n" for line in lines.splitlines())


def _behind(text: str, at: int, lines: str) -> str:
    """Lines behind the line that holds a position, ended as those of the file are."""
    line_end = "\r\n" if "\r\n" in text else "\n"
    ends = at if at == 0 or text[at - 1] == "\n" else _end_of_line(text, at)
    before = text[:ends] if not ends or text[ends - 1] == "\n" else text[:ends] + line_end
    return before + lines.replace("\n", line_end) + text[ends:]


def _end_of_line(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1
