"""docs/reference/standard-metrics.md, written from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from unspun.metrics.metric import Metric
from unspun.metrics.nodes import Ratio, Reference
from unspun.metrics.standard.catalogue import CATALOGUE, choices_of, of_theme
from unspun.metrics.standard.choices import CHOICES
from unspun.metrics.standard.entry import THEMES, Choice, StandardMetric, references_of
from unspun.metrics.standard.needs import needs_of
from unspun.metrics.write_yaml import as_yaml

HEAD = """# Standard metrics

Generated from the catalogue; a test keeps this page equal to it.

The field's standard metrics of an account, as `unspun metrics suggest` proposes them of [what a book holds](../how-to/metrics.md). Each is
written in the [metric language](metric-language.md), so that what it counts is what stands here. `<active>` and the like are
[choices](#choices): what only the company knows. A reference says who defines it so or nearly so; "common practice" says that we know of no
one definition that the field shares, and where it is met. None of them is said to foretell anything: that is for a backtest to show.

Where a choice is not needed (`<used>` is asked only of daily summaries), its condition falls away. Windows are whole weeks (28 days), so
that each holds the same weekends; where others use 30 days or a month, it is said.

"""


def standard_metrics_page() -> str:
    """The whole page."""
    return "".join(_page())


def _page() -> Iterator[str]:
    yield HEAD
    for theme, told in THEMES.items():
        ids = ", ".join(f"[{entry.id}](#{entry.id})" for entry in of_theme(theme))
        yield f"- [{theme.capitalize()}](#{theme.replace(' ', '-')}), {told}: {ids}\n"
    for theme, told in THEMES.items():
        yield f"\n## {theme.capitalize()}\n\n{told.capitalize()}.\n"
        for entry in of_theme(theme):
            yield from _entry(entry)
    yield "\n## Choices\n\n"
    yield "A choice is answered by `--choose ID=NAME`, or in the file. Names that say it in so many words are taken, and it is said so.\n"
    for choice in CHOICES.values():
        yield from _choice(choice)


def _entry(entry: StandardMetric) -> Iterator[str]:
    yield f"\n### {entry.id}\n\n**{entry.name.replace('{answer}', '...')}.** {entry.description.replace('{answer}', '...')}\n"
    yield f"\n```yaml\n{_formula(entry)}```\n\n"
    for label, told in _facts(entry):
        yield f"- {label}: {told}\n"


def _formula(entry: StandardMetric) -> str:
    """What metrics.yml says of it, but for its texts."""
    series = Ratio(entry.series, Reference(f"number_of_{entry.number_of}")) if entry.number_of else entry.series
    lines = as_yaml(Metric("metric", series)).splitlines()[2:]
    return "".join(f"{line.removeprefix('  ')}\n" for line in lines)


def _facts(entry: StandardMetric) -> Iterator[tuple[str, str]]:
    if entry.unit or entry.direction != "neutral":
        healthier = "" if entry.direction == "neutral" else f"{entry.direction} is the healthier"
        yield "Unit", "; ".join(part for part in (entry.unit, healthier) if part)
    needs = [" or ".join(f"`{one}`" for one in need.of) for need in needs_of(entry.series) if "<" not in need.of[0]]
    needs += [f"[{id}](#{id})" for id in references_of(entry.series)]
    yield "Needs", ", ".join(needs)
    if choices := choices_of(entry):
        yield "Choices", ", ".join(f"[{id}](#choice-{id})" for id in choices)
    if entry.each:
        yield "One metric", f"for each answer to {entry.each}"
    if entry.beside:
        yield "Only beside", ", ".join(f"[{id}](#{id})" for id in entry.beside)
    yield "Reference", entry.reference
    yield "Beware", entry.caveat
    if entry.otherwise:
        yield "Otherwise", entry.otherwise


def _choice(choice: Choice) -> Iterator[str]:
    yield f"\n### Choice: {choice.id}\n\n{choice.question}\n\n"
    if choice.column:
        yield f"- Values of `{choice.table}.{choice.column}`\n"
    else:
        yield f"- A column of `{choice.table}` ({' or '.join(choice.kinds)})\n"
    if choice.known:
        yield f"- Taken without asking: {', '.join(sorted(choice.known))}\n"
    named = [entry.id for entry in CATALOGUE.values() if choice.id in choices_of(entry)]
    yield f"- Metrics: {', '.join(f'[{id}](#{id})' for id in named)}\n"
