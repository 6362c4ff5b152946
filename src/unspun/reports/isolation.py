"""Texts written from right to left kept from turning what stands beside them, and signs that turn writing left out.

A name may be Arabic or Hebrew. A browser sets it apart where it stands in an element of its own (`<bdi>`), or between two signs where
elements are not allowed. A name may also hold a sign, which nobody sees, that has everything behind it written backwards: pages leave it
out; files and the API have the text as it is. Both is done to every expression of every template when it is compiled: templates say nothing
of it. A text without such letters and signs is written as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

from jinja2 import Environment, pass_context
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

Place = Literal["text", "plain", "tag"]
TURNS: Final = re.compile(
    "[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
SIGNS: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))  # they turn writing, or end that
OPEN, CLOSE = "\u2068", "\u2069"
NO_ELEMENTS: Final = ("title", "option", "text")  # where signs do what <bdi> cannot; `text` is that of drawings
AS_WRITTEN: Final = ("script", "style", "textarea")  # what stands here is read by programs, or given back as it is
TAG: Final = re.compile(r"<(?=[a-zA-Z/!]|$)/?([a-zA-Z0-9]*)")
FILTERS: Final[dict[Place, str]] = {"text": "isolated", "plain": "signed_off"}
CATALOGUES: Final = ("gettext", "ngettext", "pgettext", "npgettext")


def turns(value: object) -> str | None:
    """The text of a value that would turn what stands beside it; None where it would not, or is markup already."""
    if isinstance(value, (int, float)) or value is None or hasattr(value, "__html__"):
        return None
    text = value if isinstance(value, str) else str(value)
    return None if text.isascii() or not TURNS.search(text) else text


def unturned(text: str) -> str:
    """The text without the signs that turn writing."""
    return text if text.isascii() else text.translate(SIGNS)


def isolated(value: object) -> object:
    """The value as it stands in a page's text."""
    text = turns(value)
    return value if text is None else Markup("<bdi>{}</bdi>").format(unturned(text))


def signed_off(value: object) -> object:
    """The value as it stands where no element may: between signs that set it apart."""
    text = turns(value)
    return value if text is None else f"{OPEN}{unturned(text)}{CLOSE}"


class Isolation(Extension):
    """Gives each expression of a template the filter of the place where it stands."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters.update(isolated=isolated, signed_off=signed_off)

    def filter_stream(self, stream: TokenStream) -> TokenStream | Iterator[Token]:
        return stream if (stream.name or "").endswith(".txt") else _filtered(stream)


def isolate_arguments(environment: Environment) -> None:
    """Have what is put into translated texts set apart too. Call after the texts' catalogue is installed."""
    for name in CATALOGUES:
        environment.globals[name] = _isolating(environment.globals[name])


def _isolating(translate: Callable[..., Any]) -> Callable[..., Any]:
    @pass_context
    def translated(context: Any, *texts: Any, **given: Any) -> Any:
        return translate(context, *texts, **{name: signed_off(value) for name, value in given.items()})

    return translated


def _filtered(stream: TokenStream) -> Iterator[Token]:
    scanner, title, filter_name, before = Scanner(), False, None, ("", "")
    for token in stream:
        if token.type == "data":
            scanner.read(token.value)
        elif token.type == "name" and before[0] == "name" and before[1] == "block":
            title = token.value == "title"
        elif token.type == "name" and token.value == "endblock":
            title = False
        if token.type == "variable_end" and filter_name:
            yield from (Token(token.lineno, *one) for one in (("rparen", ")"), ("pipe", "|"), ("name", filter_name)))
        yield token
        if token.type == "variable_begin":
            filter_name = FILTERS.get("plain" if title else scanner.place)
            if filter_name:
                yield Token(token.lineno, "lparen", "(")
        before = (token.type, token.value)


class Scanner:
    """Where in a page's markup its template has come to, read piece by piece."""

    def __init__(self) -> None:
        self._tag = ""  # the element whose tag is being read, "/" before its name in its end tag
        self._in_tag = False
        self._quote = ""
        self._inside = ""  # the element that holds no others

    @property
    def place(self) -> Place:
        if self._in_tag or self._inside in AS_WRITTEN:
            return "tag"
        return "plain" if self._inside else "text"

    def read(self, data: str) -> None:
        at = 0
        while at < len(data):
            at = self._through_tag(data, at) if self._in_tag else self._to_tag(data, at)

    def _to_tag(self, data: str, at: int) -> int:
        found = re.compile(rf"<(/{self._inside})", re.IGNORECASE).search(data, at) if self._inside else TAG.search(data, at)
        if found is None:
            return len(data)
        if data.startswith("<!--", found.start()):
            end = data.find("-->", found.start())
            return len(data) if end < 0 else end + 3
        self._in_tag, self._tag, self._quote = True, found[0][1:].lower(), ""
        return found.end()

    def _through_tag(self, data: str, at: int) -> int:
        while at < len(data):
            sign = data[at]
            at += 1
            if self._quote:
                self._quote = "" if sign == self._quote else self._quote
            elif sign in "\"'":
                self._quote = sign
            elif sign == ">":
                self._in_tag = False
                self._inside = self._tag if self._tag in (*NO_ELEMENTS, *AS_WRITTEN) and data[at - 2] != "/" else ""
                return at
        return at
