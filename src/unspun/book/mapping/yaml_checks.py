"""Checks of a YAML document's values that keep every fault, each with its line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import cast

from unspun.book.columns import did_you_mean
from unspun.book.mapping.yaml_nodes import YamlDocument, YamlPath
from unspun.errors import Fault

LONGEST_TEXT = 500


class YamlChecks:
    """Reads values of a document as what they should be. What is not becomes a fault, and the reader goes on without it."""

    def __init__(self, document: YamlDocument) -> None:
        self.document = document
        self._faults: list[tuple[int, Fault]] = []

    @property
    def faults(self) -> list[Fault]:
        """The faults so far, in the order of their lines."""
        return [fault for _, fault in sorted(self._faults, key=lambda one: one[0])]

    def fault(self, code: str, message: str, path: YamlPath, hint: str = "") -> None:
        self._faults.append((self.document.line(path), Fault(code, message, self.document.place(path), hint)))

    def fields(self, path: YamlPath, value: object, known: Collection[str]) -> dict[str, object]:
        """The fields of a mapping that are known and have a value; unknown ones and those without a value are faults."""
        given = self.entries(path, value)
        for name in given:
            if name not in known:
                hint = f"{did_you_mean(name, known)}Here stand {listed(known)}."
                self.fault("unknown_key", f"'{name}' means nothing here.", (*path, name), hint)
        return {name: one for name, one in given.items() if name in known and self._has_value((*path, name), one)}

    def _has_value(self, path: YamlPath, value: object) -> bool:
        if value is None and path != ("sources",):  # a file whose sources are all comments yet
            self.fault("no_value", f"'{path[-1]}' has no value.", path, "Write one after the ':', or remove the line.")
        return value is not None

    def entries(self, path: YamlPath, value: object) -> dict[str, object]:
        """A mapping whose keys may be any."""
        if isinstance(value, dict):
            return cast("dict[str, object]", value)
        self.fault("not_a_mapping", f"{_what(path)} is {_told(value)}; it must be `key: value` lines.", path)
        return {}

    def items(self, path: YamlPath, value: object) -> list[object]:
        if isinstance(value, list):
            return cast("list[object]", value)
        self.fault("not_a_list", f"{_what(path)} is {_told(value)}; it must be a list.", path, "Begin each item with '- '.")
        return []

    def text(self, path: YamlPath, value: object) -> str | None:
        """Text that is not empty; anything else is a fault."""
        if isinstance(value, str) and value.strip() and len(value) <= LONGEST_TEXT:
            return value
        hint = f'Put it in quotes: "{value}".' if isinstance(value, int | float) else ""
        what = "too long" if isinstance(value, str) and value.strip() else _told(value)
        self.fault("not_text", f"{_what(path)} is {what}; it must be text of up to {LONGEST_TEXT} characters.", path, hint)
        return None

    def texts(self, path: YamlPath, value: object) -> tuple[str, ...]:
        """One text or a list of texts, none of them twice."""
        if not isinstance(value, list):
            one = self.text(path, value)
            return () if one is None else (one,)
        found: list[str] = []
        for i, each in enumerate(cast("list[object]", value)):
            one = self.text((*path, i), each)
            if one is not None and one in found:
                self.fault("given_twice", f"'{one}' stands twice in {_what(path)}.", (*path, i), "Remove one.")
            elif one is not None:
                found.append(one)
        return tuple(found)

    def choice(self, path: YamlPath, value: object, choices: Sequence[str]) -> str | None:
        """One of some words."""
        word = self.text(path, value)
        if word is None or word in choices:
            return word
        hint = f"{did_you_mean(word, choices)}It is one of {listed(choices)}."
        self.fault(f"unknown_{path[-1]}", f"'{word}' is no {str(path[-1]).replace('_', ' ')}.", path, hint)
        return None


def listed(names: Collection[str]) -> str:
    """`a`, `b` and `c` in a sentence."""
    parts = list(names)
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1] if parts else "") if part)


def _what(path: YamlPath) -> str:
    """What a reader calls the value at a path."""
    if not path:
        return "the file"
    return f"item {path[-1] + 1} of {path[-2] if len(path) > 1 else 'the list'}" if isinstance(path[-1], int) else f"'{path[-1]}'"


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "empty" if value is None or not str(value).strip() else "text"
