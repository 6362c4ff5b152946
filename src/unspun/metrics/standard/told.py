"""Suggestions put into a metrics.yml: what can be declared stands in it, what waits for a choice stands in comments, with the reasons."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import replace

from unspun.book.mapping.yaml_nodes import read_yaml
from unspun.errors import BadInput, Fault
from unspun.metrics.read_file import read_metrics
from unspun.metrics.standard.asked import Asked, shown
from unspun.metrics.standard.entry import THEMES
from unspun.metrics.standard.suggest import Suggestion, Suggestions
from unspun.metrics.starter import HEAD, SOURCES
from unspun.metrics.write_yaml import as_yaml

WIDE, INDENT = 118, "  "


def with_suggestions(text: str, suggestions: Suggestions, name: str = "metrics.yml") -> str:
    """A metrics.yml with the suggestions behind its metrics; every other character stays. "" makes a new one.

    Raises BadInput where its metrics stand in brackets, so that no lines can be put behind them.
    """
    if not text.strip():
        return f"{HEAD}{SOURCES}\nmetrics:\n{metrics_text(suggestions)}"
    suggestions = _without(suggestions, text)
    if not any(one.metrics for one in suggestions.found):
        return text
    lead = len(text) - len(text.removeprefix("\ufeff"))
    made = text[:lead] + _put(text[lead:], suggestions, name)
    _check_same(text, made, name)
    return made


def _without(suggestions: Suggestions, text: str) -> Suggestions:
    """The suggestions but for those that an earlier run has put there as comments: they wait for their choice where they stand."""
    there = {line.strip() for line in text.splitlines()}
    left = [one for one in suggestions.found if one.status != "choice" or not all(f"#{metric.id}:" in there for metric in one.metrics)]
    return replace(suggestions, found=tuple(left))


def _put(text: str, suggestions: Suggestions, name: str) -> str:
    document = read_yaml(text, name)
    value = document.value if isinstance(document.value, dict) else {}
    root, span = document.spans.get(()), document.spans.get(("metrics",))
    if (root is not None and root.flow) or (span is not None and span.flow and value.get("metrics")):
        hint = "Print the metrics with --yaml and put them where they belong."
        raise BadInput(Fault("in_brackets", "the metrics stand in brackets: no lines can be put behind them.", name, hint))
    if span is None:
        return _behind(text, len(text), "metrics:\n" + metrics_text(suggestions))
    if not value.get("metrics"):  # `metrics:` or `metrics: {}`
        text = text[: span.start] + text[span.end :] if span.end > span.start else text
        is_last = list(value)[-1] == "metrics"
        return _behind(text, len(text) if is_last else _end_of_line(text, span.start), metrics_text(suggestions))
    return _behind(text, span.end, metrics_text(suggestions, " " * span.column))


def _behind(text: str, at: int, lines: str) -> str:
    """Lines behind the line that holds a position, ended as those of the file are."""
    line_end = "\r\n" if "\r\n" in text else "\n"
    ends = at if at == 0 or text[at - 1] == "\n" else _end_of_line(text, at)
    before = text[:ends] if not ends or text[ends - 1] == "\n" else text[:ends] + line_end
    return before + lines.replace("\n", line_end) + text[ends:]


def _end_of_line(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _check_same(text: str, made: str, name: str) -> None:
    """Raises BadInput where the file would not declare what it declared before: no line may come to mean something else."""
    before, after = read_metrics(text, name).metrics, read_metrics(made, name).metrics
    kept = {one.id: one for one in after}
    if any(kept.get(one.id) != one for one in before) or after.sources != before.sources:
        hint = "Print the metrics with --yaml and put them where they belong."
        raise BadInput(Fault("unclear_place", "the metrics cannot be put behind the others by themselves.", name, hint))


def metrics_text(suggestions: Suggestions, indent: str = INDENT) -> str:
    """The entries below `metrics:`, each line indented: themes, reasons, metrics and choices. "" there are none."""
    lines: list[str] = []
    for theme, told in THEMES.items():
        of_theme = [one for one in suggestions.found if one.entry.theme == theme and one.status in ("possible", "choice")]
        if of_theme:
            lines += ["", f"# {theme.capitalize()}: {told}.", ""]
            lines += [line for one in of_theme for line in _suggested(one)]
    for asked in suggestions.open_choices:
        lines += ["", *_asked(asked)]
    return "".join(f"{indent}{line}".rstrip() + "\n" for line in lines)


def _suggested(one: Suggestion) -> Iterator[str]:
    if one.status == "choice":
        yield from _comment(f"Waits for: {', '.join(one.asks)} (see below).")
    yield from _comment(f"Beware: {one.entry.caveat}")
    for reason in one.reasons:
        yield from _comment(f"In this book: {reason}")
    mark = "#" if one.status == "choice" else ""
    for metric in one.metrics:
        yield from (f"{mark}{line}" for line in as_yaml(metric).splitlines())
    yield ""


def _asked(asked: Asked) -> Iterator[str]:
    """A question with its candidates, and how to answer it."""
    yield from _comment(f"{asked.choice.id}: {asked.told}")
    for one in asked.candidates:
        yield from _comment(f"- {shown(one.value)}: {one.reason}")
    if asked.of > len(asked.candidates):
        yield f"# and {asked.of - len(asked.candidates):,} more"
    yield from _comment(f"Answer it with --choose {asked.choice.id}=NAME (once for each), or take # off above and leave what is meant.")


def _comment(text: str) -> list[str]:
    """A text as lines of a comment. Whatever it quotes has been made printable."""
    return textwrap.wrap(text, WIDE, initial_indent="# ", subsequent_indent="#   ", break_long_words=True, break_on_hyphens=False)
