"""The reference page of the metric language, made of the specs. `python -m tests.spec.page` writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from inspect import getdoc
from itertools import groupby
from pathlib import Path
from textwrap import dedent

from tests.spec.chapter import Chapter, Section
from tests.spec.chapters import CHAPTERS
from tests.spec.harness import Spec
from tests.spec.specs_missing import CHAPTER as MISSING
from tests.spec.text_tables import cells_of
from unspun.book.checks.finding import Span
from unspun.metrics.missing import REASONS

PAGE = Path("docs/reference/metric-language.md")
HEAD = """
# The metric language

What each word of `metrics.yml` means, by example. Every example is run by the tests, on the plain-Python reference and on DuckDB, and gives
what stands here; this page is written from them.

How to read an example: the metric as it stands in `metrics.yml` (its id and description are left out), the rows that the book holds, and
the value of the metric for each account as of each date. *A word in italics* is the reason why there is no value.

- A date means the end of that day in the book's time zone, which is UTC where an example does not name another.
- A row is known from when it happened, unless the column `known_at` says otherwise.
- Accounts that an example says nothing of have been in the book since 2000, and nothing more is known of them.
"""


def page_text() -> str:
    """The page, with a line end."""
    parts = [HEAD.strip(), "\n".join(_contents()), *(part for chapter in CHAPTERS for part in _chapter(chapter))]
    return "\n\n".join(parts) + "\n"


def _contents() -> Iterator[str]:
    for chapter in CHAPTERS:
        sections = ", ".join(f"[{section.title}](#{_anchor(section.title)})" for section in chapter.sections)
        yield f"- [{chapter.title}](#{_anchor(chapter.title)}): {sections}"


def _anchor(title: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _chapter(chapter: Chapter) -> Iterator[str]:
    yield f"## {chapter.title}"
    yield chapter.words
    if chapter is MISSING:
        yield "\n".join(
            [*_row(["reason", "what it says"], head=True), *(line for code, text in REASONS.items() for line in _row([f"`{code}`", text]))]
        )
    for section in chapter.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield f"### {section.title}"
    said = [_prose(getdoc(node) or "") for node in section.says]
    if len(said) > 1:
        yield "\n".join(f"- `{word}`: {text}" for word, text in zip(section.title.split(", "), said, strict=True))
    else:
        yield from said
    if section.words:
        yield section.words
    shown = [spec for spec in section.specs if not spec.extra]
    for _, alike in groupby(shown, key=lambda spec: spec.tables):
        yield from _examples(list(alike))


def _examples(specs: Sequence[Spec]) -> Iterator[str]:
    """Specs on the same rows: the rows once, then each metric with what it gives."""
    tables = [_table(table.name, (table.columns, *table.cells)) for table in specs[0].text_tables()]
    if len(specs) == 1:
        yield specs[0].teaches
    if tables:
        yield "```text\n" + "\n\n".join(tables) + "\n```"
    if len(specs) > 1 and len({spec.metric.partition("\nwhere: ")[0] for spec in specs}) == 1 and all(map(_is_single, specs)):
        yield from _conditions(specs)
        return
    for spec in specs:
        if len(specs) > 1:
            yield spec.teaches
        yield from _example(spec)


def _conditions(specs: Sequence[Spec]) -> Iterator[str]:
    """Metrics that differ in their condition, with one value each, in one table."""
    head, (account, _) = map(cells_of, _lines(specs[0]))
    yield f"```yaml\n{specs[0].metric.partition(chr(10))[0]}\n```"
    yield "\n".join(
        [
            *_row(["with `where:`", f"{account}, {head[1]}", "what it says"], head=True),
            *(line for spec in specs for line in _row([f"`{spec.metric.partition('where: ')[2]}`", _single(spec), spec.teaches])),
        ]
    )


def _lines(spec: Spec) -> list[str]:
    return dedent(spec.expected).strip().splitlines()


def _is_single(spec: Spec) -> bool:
    """Whether a spec expects one value."""
    return len(_lines(spec)) == 2 and len(cells_of(_lines(spec)[0])) == 2


def _single(spec: Spec) -> str:
    return _value(cells_of(_lines(spec)[1])[1])


def _example(spec: Spec) -> Iterator[str]:
    yield f"```yaml\n{_yaml(spec)}\n```"
    settings = list(_settings(spec))
    if settings:
        yield " ".join(settings)
    head, *lines = map(cells_of, _lines(spec))
    if _is_single(spec):
        yield f"As of {head[1]} account {lines[0][0]} has {_single(spec)}."
        return
    names = ["account", *head[1:]] if head[1] != "due" else ["account", "due", *(f"{days} days before" for days in head[2:])]
    yield "\n".join([*_row(names, head=True), *(line for cells in lines for line in _row([_value(cell) for cell in cells]))])


def _yaml(spec: Spec) -> str:
    """The metric, and what else the file says."""
    if not spec.beside and not spec.sources:
        return spec.metric.strip()
    metrics = "\n".join([f"metric:\n{_indented(spec.metric)}", spec.beside]).strip()
    sources = f"sources:\n{_indented(spec.sources)}\n" if spec.sources else ""
    return f"{sources}metrics:\n{_indented(metrics)}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())


def _settings(spec: Spec) -> Iterator[str]:
    if spec.time_zone != "UTC":
        yield f"The book's time zone is {spec.time_zone}."
    if spec.fiscal_year_starts != 1:
        yield f"The fiscal year begins in month {spec.fiscal_year_starts}."
    if spec.fixed:
        yield f"Fixed: {', '.join(f'`{column}`' for column in spec.fixed)}."
    for table, spans in spec.outages.items():
        yield from (f"Outage of `{table}`: {_span(span)}." for span in spans)
    for load, day in spec.received.items():
        yield f"Load {load} was received on {day}."


def _span(span: Span) -> str:
    what = f"`{span.event}`, " if span.event else ""
    return f"{what}{span.first} to {span.last}" if span.last else f"{what}from {span.first} on"


def _table(name: str, rows: Sequence[Sequence[str]]) -> str:
    """A table with its columns aligned."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([name, *lines])


def _row(cells: list[str], head: bool = False) -> list[str]:
    line = f"| {' | '.join(cells)} |"
    return [line, "|---" * len(cells) + "|"] if head else [line]


def _value(cell: str) -> str:
    return f"*{cell.strip('()')}*" if cell.startswith("(") else cell


def _prose(text: str) -> str:
    """A docstring as paragraphs."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


if __name__ == "__main__":
    PAGE.write_text(page_text())
