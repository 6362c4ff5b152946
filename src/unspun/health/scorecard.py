"""A scorecard of another tool: its rows (group, measure, weight, threshold, points) as a health score, or why they cannot be part of one.

A CSV file has a row for each threshold of a measure; a YAML file nests the same. Nothing is guessed: what a measure is, what a band is
worth and from where on it holds is stated by the file or by whoever imports it, else the measure is set aside with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from unspun.book.columns import did_you_mean
from unspun.book.text import squash
from unspun.errors import BadInput
from unspun.health.definition import USUAL_HIGH, USUAL_LOW, Band, Group, HealthScore, Input, Scale, Steps, Values
from unspun.metrics.forms import printable
from unspun.metrics.metric import MetricSet


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a scorecard, its cells as they are written ("" empty); `place` is `file:row`. One threshold of one measure."""

    place: str
    measure: str = ""
    group: str = ""
    group_weight: str = ""
    weight: str = ""
    start: str = ""
    end: str = ""
    value: str = ""
    points: str = ""
    band: str = ""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The rows of a file; rows that are none, with the reason; bands of the whole score where the file has some; and what to know of it."""

    rows: tuple[Row, ...]
    rejected: tuple[SetAside, ...] = ()
    bands: tuple[tuple[str, Decimal], ...] = ()
    has_weights: bool = True
    has_group_weights: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that is no part of the score, and why."""

    place: str
    measure: str
    reason: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What whoever imports says of a scorecard: which metric a measure is, what a band is worth, and the range of its points."""

    metrics: Mapping[str, str] = field(default_factory=dict[str, str])
    bands: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    low: Decimal = USUAL_LOW
    high: Decimal = USUAL_HIGH


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a scorecard: the score (None: no measure could be used); which metric each measure was taken for, and how that was
    known; the rows used and those set aside, together all rows; and what to know.
    """

    score: HealthScore | None
    taken: tuple[tuple[str, str, str], ...]
    used: tuple[Row, ...]
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]


class _CannotBe(Exception):
    """Why a measure can be no input, and at which row (None: all of its rows)."""

    def __init__(self, reason: str, row: Row | None = None) -> None:
        super().__init__(reason)
        self.reason, self.row = reason, row


@dataclass(frozen=True, slots=True)
class _Measure:
    """A measure that became an input."""

    name: str
    group: str
    how: str
    input: Input
    rows: tuple[Row, ...]


def as_score(card: Scorecard, id: str, meaning: Meaning, metrics: MetricSet) -> Brought:
    """The score of a scorecard. Raises BadInput where what is made of it cannot be a score (each fault with its place)."""
    by_measure: dict[str, list[Row]] = {}
    set_aside = list(card.rejected)
    for row in card.rows:
        if row.measure:
            by_measure.setdefault(row.measure, []).append(row)
        else:
            set_aside.append(SetAside(row.place, "", "names no measure"))
    measures: list[_Measure] = []
    for name, rows in by_measure.items():
        try:
            measures.append(_measure(name, rows, card, meaning, metrics, {one.input.metric: one.name for one in measures}))
        except _CannotBe as refusal:
            set_aside += [SetAside(row.place, name, _reason(refusal, row)) for row in rows]
    groups, lost = _groups(measures, card)
    set_aside += lost
    dropped = {one.measure for one in lost}
    kept = [one for one in measures if one.name not in dropped]
    return Brought(
        score=_score(id, groups, card, meaning) if groups else None,
        taken=tuple((one.name, one.input.metric, one.how) for one in kept),
        used=tuple(sorted((row for one in kept for row in one.rows), key=_at)),
        set_aside=tuple(sorted(set_aside, key=_at)),
        notes=(*card.notes, *_notes(kept, card, meaning)),
    )


def _score(id: str, groups: Sequence[Group], card: Scorecard, meaning: Meaning) -> HealthScore:
    bands = tuple(Band(name, least) for name, least in card.bands)
    return HealthScore(id, tuple(groups), bands=bands, low=meaning.low, high=meaning.high)


def _at(one: Row | SetAside) -> int:
    """By row."""
    return int(one.place.rpartition(":")[2])


def _reason(refusal: _CannotBe, row: Row) -> str:
    """The reason at the row that it is of; the other rows of the measure go with it."""
    if refusal.row is None or refusal.row is row:
        return refusal.reason
    return f"its measure is set aside at {refusal.row.place}: {refusal.reason}"


# One measure


def _measure(name: str, rows: Sequence[Row], card: Scorecard, meaning: Meaning, metrics: MetricSet, taken: Mapping[str, str]) -> _Measure:
    metric, how = _metric(name, meaning, metrics)
    if metric in taken:
        raise _CannotBe(f"{metric} is {printable(taken[metric])} already")
    group = _same(rows, "group", "groups")
    weight = _number(_same(rows, "weight", "weights"), rows[0], "weight") if card.has_weights else Decimal(1)
    scale = _scale(rows, meaning)
    try:
        return _Measure(name, group, how, Input(metric, scale, weight), tuple(rows))
    except BadInput as refusal:
        raise _CannotBe(_told(refusal)) from None


def _told(refusal: BadInput) -> str:
    return " ".join(f"{fault.message.rstrip('.')}." for fault in refusal.faults).rstrip(".")


def _metric(name: str, meaning: Meaning, metrics: MetricSet) -> tuple[str, str]:
    """The metric that a measure is, and how that is known."""
    ids = [one.id for one in metrics]
    if name in meaning.metrics:
        if meaning.metrics[name] not in ids:
            raise _CannotBe(f"there is no metric {printable(meaning.metrics[name])}. {did_you_mean(meaning.metrics[name], ids)}".strip())
        return meaning.metrics[name], "as you said"
    if name in ids:
        return name, "its id"
    alike = [one.id for one in metrics if squash(name) in (squash(one.id), squash(one.name)) and squash(name)]
    if len(alike) == 1:
        return alike[0], "its name"
    if alike:
        raise _CannotBe(f"several metrics are called so: {', '.join(alike)}. Say which with --map")
    known = {one.name: one.id for one in metrics if one.name} | {id: id for id in ids}
    raise _CannotBe(f"is no metric. {did_you_mean(name, known)}Say which with --map, or leave it out".replace("  ", " "))


def _same(rows: Sequence[Row], field_name: str, what: str) -> str:
    """What all rows of a measure say, blanks aside."""
    given = Counter(cell for row in rows if (cell := getattr(row, field_name)))
    if len(given) > 1:
        row = next(row for row in rows if getattr(row, field_name) not in ("", next(iter(given))))
        raise _CannotBe(f"its rows have several {what}: {', '.join(map(printable, given))}", row)
    return next(iter(given), "")


def _number(text: str, row: Row, what: str) -> Decimal:
    """A number as it is written, a percent sign aside."""
    if not text:
        raise _CannotBe(f"has no {what}", row)
    plain = text.removesuffix("%").strip()
    if not plain.isascii() or any(sign not in "0123456789.+-eE" for sign in plain):
        hint = " (write a decimal point, and no separator of thousands)" if "," in plain else ""
        raise _CannotBe(f"its {what}, {printable(text)}, is no plain number{hint}", row)
    try:
        return Decimal(plain)
    except ArithmeticError:
        raise _CannotBe(f"its {what}, {printable(text)}, is no plain number", row) from None


# Points


def _scale(rows: Sequence[Row], meaning: Meaning) -> Scale:
    points = [_points(row, meaning) for row in rows]
    texts, numbers = [row for row in rows if row.value], [row for row in rows if row.start or row.end]
    if texts and numbers:
        raise _CannotBe("has points of single values and from values on", texts[0] if texts[0] is not rows[0] else numbers[0])
    if texts:
        blank = next((row for row in rows if not row.value), None)
        if blank is not None:
            raise _CannotBe("says points for no value", blank)
        return _built(lambda: Values(tuple((row.value, worth) for row, worth in zip(rows, points, strict=True))))
    return _steps(rows, points)


def _points(row: Row, meaning: Meaning) -> Decimal:
    if row.points:
        return _within(_number(row.points, row, "points"), row, meaning)
    if not row.band:
        raise _CannotBe("has neither points nor a band", row)
    found = next((worth for name, worth in meaning.bands.items() if name.casefold() == row.band.casefold()), None)
    if found is None:
        raise _CannotBe(f"what the band {printable(row.band)} is worth is not said: --band {printable(row.band)[1:-1]}=POINTS", row)
    return _within(found, row, meaning)


def _within(points: Decimal, row: Row, meaning: Meaning) -> Decimal:
    if not meaning.low <= points <= meaning.high:
        raise _CannotBe(f"its points, {points}, lie outside {meaning.low} to {meaning.high}: --range says another range", row)
    return points


def _steps(rows: Sequence[Row], points: Sequence[Decimal]) -> Scale:
    """Points from a value on. One row may have no start: it holds below all others."""
    open_below = [row for row in rows if not row.start]
    if len(rows) < 2:
        raise _CannotBe("has one threshold; two or more make points differ", rows[0])
    if len(open_below) > 1:
        raise _CannotBe("does not say from which value on its points hold", open_below[1])
    starts = [None if not row.start else _number(row.start, row, "threshold") for row in rows]
    for row in rows:
        if row.end:
            _number(row.end, row, "end")
    ordered = sorted(zip(starts, points, rows, strict=True), key=lambda one: (one[0] is not None, one[0] or Decimal(0)))
    for (start, _, row), (following, _, after) in pairwise(ordered):
        if following is None or start == following:
            raise _CannotBe(f"the threshold {after.start} stands twice", after)
        if row.end and _number(row.end, row, "end") > following:
            raise _CannotBe(f"it ends at {row.end}, and the next begins at {after.start}", row)
    first = ordered[1][0] or Decimal(0)
    lowest = Decimal(0) if first > 0 else first - 1  # any value below the next: points below the first are those of the first
    return _built(lambda: Steps(tuple((float(lowest if start is None else start), worth) for start, worth, _ in ordered)))


def _built(make: Callable[[], Scale]) -> Scale:
    try:
        return make()
    except BadInput as refusal:
        raise _CannotBe(_told(refusal)) from None


# Groups


def _groups(measures: Sequence[_Measure], card: Scorecard) -> tuple[list[Group], list[SetAside]]:
    """The groups that the measures make; those whose weight or name cannot be are set aside."""
    by_group: dict[str, list[_Measure]] = {}
    for one in measures:
        by_group.setdefault(one.group, []).append(one)
    groups: list[Group] = []
    lost: list[SetAside] = []
    for name, members in by_group.items():
        rows = [row for one in members for row in one.rows]
        try:
            inputs = tuple(one.input for one in members)
            groups.append(_group(name, inputs, rows, card, alone=len(by_group) == 1))
        except _CannotBe as refusal:
            lost += [SetAside(row.place, row.measure, f"its group {printable(name)}: {_reason(refusal, row)}") for row in rows]
    return groups, lost


def _group(name: str, inputs: tuple[Input, ...], rows: Sequence[Row], card: Scorecard, *, alone: bool) -> Group:
    if not name and not alone:
        raise _CannotBe("is not named, and others are")
    if not name:
        weight = Decimal(1)
    elif card.has_group_weights:
        weight = _number(_same(rows, "group_weight", "weights"), rows[0], "weight")
    else:
        weight = sum((one.weight for one in inputs), Decimal(0))
    try:
        return Group(name, inputs, weight)
    except BadInput as refusal:
        raise _CannotBe(_told(refusal)) from None


def _notes(kept: Sequence[_Measure], card: Scorecard, meaning: Meaning) -> Iterator[str]:
    if kept and not card.has_weights:
        yield "the file has no weights: every measure weighs the same"
    if kept and not card.has_group_weights and any(one.group for one in kept):
        yield "the file has no weights of groups: each weighs what its measures weigh together"
    total = sum((one.input.weight for one in kept), Decimal(0))
    if card.has_weights and not card.has_group_weights and total not in (1, 100):
        yield f"the weights of the measures used add up to {total}; they count by their shares"
    most = max((points for one in kept for points in _all_points(one.input.scale)), default=None)
    if most is not None and most <= 10 and (meaning.low, meaning.high) == (USUAL_LOW, USUAL_HIGH):
        yield f"no points are above {most} of {USUAL_HIGH}: where the file's points end at {most}, say --range 0,{most}"
    for one in kept:
        yield from _gaps(one)


def _all_points(scale: Scale) -> Iterator[Decimal]:
    return (points for _, points in (scale.points if isinstance(scale, Values) else scale.knots))


def _gaps(one: _Measure) -> Iterator[str]:
    """Ends that leave room to the next start: the points hold up to it."""
    stated = (
        sorted((Decimal(row.start.removesuffix("%").strip()), row) for row in one.rows if row.start)
        if isinstance(one.input.scale, Steps)
        else []
    )
    starts = [start for start, _ in stated]
    ends = [Decimal(row.end.removesuffix("%").strip()) for row in one.rows if row.end and not row.value]
    if any(end not in starts for end in ends if starts and end < starts[-1]):
        yield f"{one.name}: between the end of a threshold and the next start the points are those of the lower one"
