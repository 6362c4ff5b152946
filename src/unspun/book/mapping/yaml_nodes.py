"""YAML read as plain values, with the line of each: what book.yml and retention.yml are read with.

YAML 1.2 by its core schema: numbers, true and false, null and text (a date is text, and so are yes and no). What a file written by
hand has no need of, and a slip or a hostile file uses, is refused: several documents, tags, directives, repeated keys, keys that
are no text, infinities, great depth or size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)
from ruamel.yaml.reader import ReaderError

from unspun.errors import BadInput, Fault

YamlPath = tuple[str | int, ...]

MOST_CHARACTERS = 1_000_000
MOST_VALUES = 20_000
"""Keys and values, those that an alias repeats counted each time."""
DEEPEST = 32
MOST_FAULTS = 100

INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
OTHER_BASES = ((re.compile(r"0o[0-7]{1,20}"), 8), (re.compile(r"0x[0-9a-fA-F]{1,15}"), 16))
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: value for name, value in (("true", True), ("false", False)) for word in (name, name.title(), name.upper())
}
TOLD = (  # what the parser says, and what it means to a reader
    ("'\\t'", "a tab; YAML is indented with spaces only.", "Replace the tabs with spaces."),
    ("mapping values are not allowed", "a ':' where none can stand.", 'Put text with ": " in it in quotes, or check the indentation.'),
    ("sequence entries are not allowed", "a list item ('- ') where none can stand.", "Begin the list on a line of its own."),
    ("that cannot start any token", "a sign that text cannot begin with.", "Put the text in quotes."),
    ("unexpected end of stream", "quotes that are not closed.", "Close the quotes."),
    ("expected ',' or", "a bracket that is not closed, or a comma that is missing.", "Check the brackets and commas."),
    ("expected <block end>", "a line that does not fit the lines above it.", "Check its indentation and its quotes."),
    ("could not find expected ':'", "a line without ': ' among keys.", "Write `key: value`."),
)
NOT_CLOSED = ("unexpected end of stream", "expected ',' or")
"""Told at the line that opens what is not closed."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value stands in the text: from the first to behind the last character, its column from 0, whether in brackets."""

    start: int
    end: int
    column: int
    flow: bool


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A YAML file as dicts, lists, text, int, float, bool and None.

    `lines` gives the line of each key and item, from 1, by its path: keys and list indices from the root. `spans` gives the place
    of each value in the text. What an alias repeats has the line of the alias.
    """

    name: str
    value: object
    lines: dict[YamlPath, int] = field(default_factory=dict)
    spans: dict[YamlPath, Span] = field(default_factory=dict)

    def line(self, path: YamlPath = ()) -> int:
        """The line of the key or item at `path`; of the nearest one above it where it is not in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def place(self, path: YamlPath = ()) -> str:
        """`book.yml:12`: where the key or item at `path` stands, for a fault's `where`."""
        return f"{self.name}:{self.line(path)}"


def read_yaml(text: str, name: str, plain_keys: bool = False, key_faults: list[Fault] | None = None) -> YamlDocument:
    """The document in `text`; the value of an empty one is None. Raises BadInput with `name:line`.

    `plain_keys`: a number, true or false may be a key, and is the text that stands there. `key_faults` takes the faults of single keys
    (repeated ones, those that are no text) from a reader that tells them besides its own.
    """
    if len(text) > MOST_CHARACTERS:
        message = f"the file has {len(text):,} characters; it may have {MOST_CHARACTERS:,}."
        raise BadInput(Fault("yaml_too_big", message, name))
    builder = _Builder(name, plain_keys)
    for event in _events(text.removeprefix("\ufeff"), name):
        builder.take(event)
    if builder.faults and key_faults is None:
        raise BadInput(builder.faults)
    if key_faults is not None:
        key_faults += builder.faults
    return YamlDocument(name, builder.root, builder.lines, builder.spans)


def _events(text: str, name: str) -> Iterator[Event]:
    """The parser's events, its complaints as faults."""
    parser = YAML(typ="safe", pure=True)
    try:
        yield from parser.parse(text)
    except MarkedYAMLError as slip:
        raise BadInput(_told(slip, name)) from None
    except ReaderError as slip:
        line = text.count("\n", 0, slip.position) + 1
        message = f"a character (U+{ord(str(slip.character)[:1] or ' '):04X}) that text cannot hold."
        raise BadInput(Fault("bad_yaml", message, f"{name}:{line}", "Remove it.")) from None
    except (YAMLError, ValueError, OverflowError) as slip:  # an escape such as "\U00110000"
        raise BadInput(Fault("bad_yaml", f"this is no YAML: {slip}.", name)) from None


def _told(slip: MarkedYAMLError, name: str) -> Fault:
    said = str(slip.problem or slip.context or "")
    not_closed = any(part in said for part in NOT_CLOSED)
    mark = (slip.context_mark if not_closed else None) or slip.problem_mark or slip.context_mark
    where = f"{name}:{mark.line + 1}" if mark else name
    for part, message, hint in TOLD:
        if part in said:
            return Fault("bad_yaml", f"this is no YAML: {message}", where, hint)
    return Fault("bad_yaml", f"this is no YAML: {said}.", where)


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come. `key` is the key that waits for its value."""

    value: dict[str, object] | list[object]
    path: YamlPath
    event: CollectionStartEvent
    key: str | None = None
    first: int = 0  # the count of values before it
    end: int = 0


class _Builder:
    """Puts the events of a parse together, without recursion."""

    def __init__(self, name: str, plain_keys: bool) -> None:
        self.name = name
        self.plain_keys = plain_keys
        self.root: object = None
        self.lines: dict[YamlPath, int] = {}
        self.spans: dict[YamlPath, Span] = {}
        self.faults: list[Fault] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[object, int]] = {}  # the value and how many values it holds
        self._values = 0
        self._documents = 0

    def take(self, event: Event) -> None:
        if isinstance(event, ScalarEvent):
            self._take_scalar(event)
        elif isinstance(event, CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, CollectionEndEvent):
            self._end(event)
        elif isinstance(event, AliasEvent):
            self._take_alias(event)
        elif isinstance(event, DocumentStartEvent):
            self._begin_document(event)

    def _begin_document(self, event: DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self._refuse("yaml_documents", "a second document ('---'); the file must be one.", event, "Remove the line.")
        if event.version or event.tags:
            self._refuse("yaml_directive", "a directive ('%'); none is read.", event, "Remove it.")

    def _take_scalar(self, event: ScalarEvent) -> None:
        self._check_tag(event)
        self._count(event, 1)
        holder = self._open[-1] if self._open else None
        if holder is not None and isinstance(holder.value, dict) and holder.key is None:
            self._take_key(holder, event)
        else:
            value = self._value(event)
            self._put(value, event, Span(event.start_mark.index, event.end_mark.index, event.start_mark.column, False))
            self._remember(event.anchor, value, 1)

    def _take_key(self, holder: _Open, event: ScalarEvent) -> None:
        key, line = event.value, event.start_mark.line + 1
        value = self._value(event)
        if not isinstance(value, str) and not (self.plain_keys and value is not None):
            hint = f'Put it in quotes: "{key}".' if key else "Write a key before the ':'."
            self._fault("yaml_key", f"the key {key or '(empty)'} is no text.", event, hint)
        path = (*holder.path, key)
        if path in self.lines:
            message = f"'{key}' is given twice (first on line {self.lines[path]})."
            self._fault("yaml_duplicate_key", message, event, "Remove one.")
        self.lines.setdefault(path, line)
        holder.key = key

    def _begin(self, event: CollectionStartEvent) -> None:
        self._check_tag(event)
        self._count(event, 1)
        if len(self._open) >= DEEPEST:
            self._refuse("yaml_too_deep", f"more than {DEEPEST} levels.", event)
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            self._refuse("yaml_key", "a list or mapping as a key.", event, "A key is text.")
        is_mapping = isinstance(event, MappingStartEvent)
        self._open.append(_Open({} if is_mapping else [], self._path(), event, first=self._values))

    def _end(self, event: CollectionEndEvent) -> None:
        ended = self._open.pop()
        start = ended.event.start_mark
        flow = bool(ended.event.flow_style)
        end = event.end_mark.index if flow else max(ended.end, start.index)  # a block's end mark lies behind the comments after it
        self._put(ended.value, ended.event, Span(start.index, end, start.column, flow))
        self._remember(ended.event.anchor, ended.value, self._values - ended.first + 1)

    def _take_alias(self, event: AliasEvent) -> None:
        if event.anchor not in self._anchors:
            self._refuse("yaml_alias", f"*{event.anchor} repeats what is not above it.", event, f"Mark it with &{event.anchor} first.")
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            self._refuse("yaml_key", "an alias as a key.", event, "A key is text.")
        value, size = self._anchors[event.anchor]
        self._count(event, size)
        self._put(value, event, Span(event.start_mark.index, event.end_mark.index, event.start_mark.column, False))

    def _put(self, value: object, event: Event, span: Span) -> None:
        path = self._path()
        self.spans[path] = span
        self.lines.setdefault(path, event.start_mark.line + 1)
        if not self._open:
            self.root = value
            return
        holder = self._open[-1]
        holder.end = max(holder.end, span.end)
        if isinstance(holder.value, list):
            holder.value.append(value)
        else:
            holder.value[str(holder.key)] = value
            holder.key = None

    def _path(self) -> YamlPath:
        if not self._open:
            return ()
        holder = self._open[-1]
        return (*holder.path, len(holder.value) if isinstance(holder.value, list) else str(holder.key))

    def _remember(self, anchor: str | None, value: object, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (value, size)

    def _value(self, event: ScalarEvent) -> object:
        text = event.value
        if any("\ud800" <= char <= "\udfff" for char in text):
            self._refuse("bad_yaml", "half of a character (a surrogate escape).", event, "Write the character itself.")
        return plain_value(text) if event.implicit[0] else text

    def _check_tag(self, event: ScalarEvent | CollectionStartEvent) -> None:
        if event.tag is not None:
            self._refuse("yaml_tag", "a tag ('!'); none is read.", event, "Put text in quotes instead.")

    def _count(self, event: Event, size: int) -> None:
        self._values += size
        if self._values > MOST_VALUES:
            self._refuse("yaml_too_big", f"more than {MOST_VALUES:,} values, with what aliases repeat.", event)

    def _fault(self, code: str, message: str, event: Event, hint: str = "") -> None:
        self.faults.append(Fault(code, message, f"{self.name}:{event.start_mark.line + 1}", hint))
        if len(self.faults) >= MOST_FAULTS:
            raise BadInput(self.faults)

    def _refuse(self, code: str, message: str, event: Event, hint: str = "") -> NoReturn:
        self._fault(code, message, event, hint)
        raise BadInput(self.faults)


def plain_value(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar stands for in YAML's core schema; what would be no finite number of usual size is text."""
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    for pattern, numeral in OTHER_BASES:
        if pattern.fullmatch(text):
            return int(text[2:], numeral)
    if FLOAT.fullmatch(text) and abs(float(text)) < float("inf"):
        return float(text)
    return text
