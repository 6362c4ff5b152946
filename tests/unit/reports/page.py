"""A rendered page, taken apart by the standard library's parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

UNSEEN = {"style", "script"}
INLINE = {"a", "b", "code", "span", "tspan"}
VOID = {"meta", "link", "br", "hr", "img", "input"}


@dataclass
class Page(HTMLParser):
    """The page's visible text, its elements in order with their attributes, and what its headings say."""

    html: str
    words: list[str] = field(default_factory=list)
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._part(tag)
        if tag not in VOID:
            self.unclosed.append(tag)
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed and self.unclosed[-1] == tag, f"</{tag}> closes {self.unclosed[-3:]}"
        self.unclosed.pop()
        self._part(tag)

    def handle_data(self, data: str) -> None:
        if not UNSEEN & set(self.unclosed):
            self.words.append(data)
            for level in range(1, 5):
                if f"h{level}" in self.unclosed:
                    self.headings[-1] = (level, self.headings[-1][1] + data)

    def _part(self, tag: str) -> None:
        if tag not in INLINE:
            self.words.append(" ")

    @property
    def text(self) -> str:
        """Visible text with single spaces and without the characters that keep lines from breaking."""
        return " ".join("".join(self.words).replace("\u2060", "").replace("\u00a0", " ").split())

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    def values(self, attribute: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(attribute)) is not None]
