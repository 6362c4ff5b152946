"""The formula of a health score on a terminal: in words and numbers."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.health.scores import ExplainedScore
    from unspun.health.definition import HealthScore, Input


def explained_record(explained: ExplainedScore) -> dict[str, Any]:
    """The formula as plain values: weights as fractions of the whole."""
    score = explained.listed.score
    versions = [
        {"entry": one.entry, "at": None if one.at is None else one.at.isoformat(), "sha256": one.sha256} for one in explained.versions
    ]
    shares = {id: str(share) for id, share in zip(score.metrics, score.shares, strict=True)}
    return {"yaml": explained.yaml, "weights": shares, "formula": list(formula_sentences(score)), "versions": versions}


def formula_sentences(score: HealthScore) -> Iterator[str]:
    """How the score is computed, in words."""
    from unspun.cli.score_text import percent_text
    from unspun.health.write_yaml import decimal_text

    low, high = decimal_text(score.low), decimal_text(score.high)
    digits = f"{score.digits} decimal{'s' if score.digits != 1 else ''}" if score.digits else "a whole number"
    yield f"The score is the weighted mean of the points of its metrics, {low} to {high}, rounded once, half to even, to {digits}."
    if any(group.name for group in score.groups):
        whole = sum((Fraction(group.weight) for group in score.groups), Fraction())
        named = [f"{group.name} {percent_text(Fraction(group.weight) / whole)}" for group in score.groups]
        yield f"Of the whole weigh: {', '.join(named)}."
    yield (
        "A metric without a value is left out, never counted as neutral or 0: its weight goes to the others of its group, that of a group "
        "without any value to the other groups."
    )
    yield f"Where metrics with less than {percent_text(Fraction(score.least_weight))} of the weight have a value, there is no score."
    if score.bands:
        yield f"Bands: {', '.join(f'{band.name} from {decimal_text(band.least)}' for band in score.bands)}."


def scale_text(one: Input) -> str:
    """How the values of a metric become points, in words."""
    from unspun.health.definition import Linear, Values, number_text
    from unspun.health.write_yaml import decimal_text

    scale = one.scale
    if isinstance(scale, Values):
        other = "missing" if scale.otherwise is None else decimal_text(scale.otherwise)
        return f"{', '.join(f'{text}: {decimal_text(points)}' for text, points in scale.points)}; any other: {other}"
    if isinstance(scale, Linear):
        return f"straight lines: {', '.join(f'{decimal_text(points)} at {number_text(value)}' for value, points in scale.knots)}"
    first, *rest = scale.knots
    steps = [f"{decimal_text(points)} from {number_text(value)}" for value, points in rest]
    return f"steps: {decimal_text(first[1])} below {number_text(rest[0][0])}, {', '.join(steps)}"


def explained_lines(explained: ExplainedScore, width: int) -> Iterator[Text]:
    """What a score is for, its formula, its track record, its text and its versions."""
    from rich.text import Text

    from unspun.cli.layout import heading, paragraph
    from unspun.cli.score_text import track_record
    from unspun.cli.terminal import clean

    score = explained.listed.score
    yield from heading(f"{score.id}: {score.label}" if score.name else score.id, width)
    yield from paragraph(score.description, width)
    yield from track_record(explained.listed.badge, width)
    yield from heading("The formula", width)
    for sentence in formula_sentences(score):
        yield from paragraph(sentence, width, first="· ")
    yield Text()
    yield from _weights(explained, width)
    yield from heading("As it is declared", width)
    yield from (Text(f"  {clean(line)}") for line in explained.yaml.splitlines())
    yield from _versions(explained, width)


def _weights(explained: ExplainedScore, width: int) -> Iterator[Text]:
    from unspun.cli.layout import Column, paragraph, table
    from unspun.cli.score_text import percent_text

    score = explained.listed.score
    shares = iter(score.shares)
    rows = [[one.metric, group.name, percent_text(next(shares)), scale_text(one)] for group in score.groups for one in group.inputs]
    grouped = any(group.name for group in score.groups)
    columns = [Column("Metric"), Column("Group"), Column("Weighs", right=True), Column("Points by value", flexible=True)]
    widths = [max(len(row[at]) for row in [[column.title for column in columns], *rows]) for at in range(3)]
    if sum(widths) + max(len(row[3]) for row in rows) + 8 <= width:
        kept = [0, 1, 2, 3] if grouped else [0, 2, 3]
        yield from table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], width)
        return
    for metric, group, share, points in rows:
        within = f", in {group}" if group else ""
        yield from paragraph(f"{metric} ({explained.labels[metric]}) weighs {share}{within}. Points by value, {points}.", width, first="· ")


def _versions(explained: ExplainedScore, width: int) -> Iterator[Text]:
    from unspun.cli.book_text import instant
    from unspun.cli.layout import QUIET, heading, paragraph

    yield from heading("In the ledger", width)
    for one in explained.versions:
        same = "as above" if one.sha256 == explained.listed.sha256 else "another formula, or other metrics"
        if one.at is None:
            yield from paragraph("Today's is not recorded yet: `unspun scores compute` records it.", width, QUIET)
        else:
            yield from paragraph(f"entry {one.entry}, {instant(one.at)} UTC: {same}", width, QUIET, first="· ")
