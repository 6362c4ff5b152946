"""A health score (metrics with weights, in groups, each turned into points by a published scale), and the set of them that a file has."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import cast

from unspun.book.columns import did_you_mean
from unspun.errors import BadInput, Fault
from unspun.metrics.forms import printable
from unspun.metrics.metric import ID, RESERVED, hidden_sign

POINT_DIGITS, WEIGHT_DIGITS, MOST_DIGITS = 6, 6, 4
"""Points and weights have at most so many decimals; a published score at most MOST_DIGITS."""
LARGEST_POINTS, LARGEST_WEIGHT, LARGEST_VALUE = 10**6, 10**6, 10**15
MOST_SCORES, MOST_INPUTS, MOST_KNOTS, MOST_LISTED, MOST_BANDS = 50, 200, 100, 200, 20
LONGEST_NAME, LONGEST_LABEL, LONGEST_DESCRIPTION = 80, 500, 5_000
USUAL_DIGITS, USUAL_LOW, USUAL_HIGH, USUAL_LEAST_WEIGHT = 1, Decimal(0), Decimal(100), Decimal("0.5")
Path = tuple[str | int, ...]
"""Where in a score something stands: the keys of scores.yml below the score's id."""
Knots = tuple[tuple[float, Decimal], ...]
"""Values, ascending, and the points of each."""


@dataclass(frozen=True, slots=True)
class Linear:
    """`points`: the points of some values; straight lines between them, and flat below the first and above the last."""

    knots: Knots

    def __post_init__(self) -> None:
        _refuse(_knot_faults(self.knots))


@dataclass(frozen=True, slots=True)
class Steps:
    """`steps`: the points from each value on, up to the next; below the first value they are those of the first."""

    knots: Knots

    def __post_init__(self) -> None:
        _refuse(_knot_faults(self.knots))


@dataclass(frozen=True, slots=True)
class Values:
    """`values`: the points of each text ("true" and "false" of a metric that is one or the other), compared sign by sign.

    `otherwise` are the points of every other text; None: such an input is missing.
    """

    points: tuple[tuple[str, Decimal], ...]
    otherwise: Decimal | None = None

    def __post_init__(self) -> None:
        faults = [fault for _, points in self.points for fault in _point_faults(points)]
        faults += [] if self.otherwise is None else _point_faults(self.otherwise)
        if not 1 <= len(self.points) <= MOST_LISTED:
            faults.append(Fault("bad_values", f"there are {len(self.points):,} values; 1 to {MOST_LISTED} can be."))
        twice = [text for text, n in Counter(text for text, _ in self.points).items() if n > 1]
        _refuse([*faults, *(Fault("given_twice", f"{printable(text)} is given twice.", "", "Remove one.") for text in twice)])


Scale = Linear | Steps | Values


@dataclass(frozen=True, slots=True)
class Input:
    """A metric of a score, by its id: how its values become points, and what it weighs beside the others of its group."""

    metric: str
    scale: Scale
    weight: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        faults = weight_faults(self.weight)
        if not isinstance(self.metric, str) or not ID.fullmatch(self.metric):
            faults.append(Fault("bad_id", f"{printable(self.metric)} can be no id of a metric.", "", "Give the id that metrics.yml has."))
        _refuse(faults)


@dataclass(frozen=True, slots=True)
class Group:
    """Inputs that weigh `weight` together, beside the other groups. A score without groups has one, whose name is ""."""

    name: str
    inputs: tuple[Input, ...]
    weight: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        faults = weight_faults(self.weight)
        if not self.inputs:
            faults.append(Fault("no_inputs", "it has no metric.", "", "Name one or more, or take it out."))
        _refuse([*faults, *name_faults(self.name, "group", may_be_empty=True)])

    @property
    def total(self) -> Fraction:
        """The sum of the weights of its inputs."""
        return sum((Fraction(one.weight) for one in self.inputs), Fraction())


@dataclass(frozen=True, slots=True)
class Band:
    """A band of a score: from `least` on, up to the next band's."""

    name: str
    least: Decimal

    def __post_init__(self) -> None:
        _refuse([*name_faults(self.name, "band"), *_point_faults(self.least)])


@dataclass(frozen=True, slots=True)
class HealthScore:
    """A declared health score. Higher is healthier, from `low` to `high`; published with `digits` decimals.

    Where metrics with less than `least_weight` (a share, 0 to 1) of the weight have a value, there is no score. Raises BadInput with all
    faults; the place of each is the score's id and the keys below it.
    """

    id: str
    groups: tuple[Group, ...]
    name: str = ""
    description: str = ""
    owner: str = ""
    digits: int = USUAL_DIGITS
    low: Decimal = USUAL_LOW
    high: Decimal = USUAL_HIGH
    bands: tuple[Band, ...] = ()
    least_weight: Decimal = USUAL_LEAST_WEIGHT

    def __post_init__(self) -> None:
        told = ((".".join((str(self.id)[:LONGEST_NAME], *map(str, path))), fault) for path, fault in score_faults(self))
        _refuse([replace(fault, where=where) for where, fault in told])

    @property
    def label(self) -> str:
        return self.name or self.id

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Its inputs in the order in which they are declared: the order of everything that is said of them."""
        return tuple(one for group in self.groups for one in group.inputs)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The ids of its metrics, in the order of its inputs."""
        return tuple(one.metric for one in self.inputs)

    @property
    def shares(self) -> tuple[Fraction, ...]:
        """What each input weighs of the whole where all have a value; they add up to 1."""
        return tuple(weights(self, [True] * len(self.inputs)))


@dataclass(frozen=True, slots=True)
class ScoreSet:
    """The scores of a file. Raises BadInput where an id is given twice."""

    scores: tuple[HealthScore, ...] = ()

    def __post_init__(self) -> None:
        twice = [id for id, n in Counter(one.id for one in self.scores).items() if n > 1]
        faults = [Fault("repeated_id", f"'{id}' is declared twice.", id, "Give each score its own id.") for id in twice]
        if len(self.scores) > MOST_SCORES:
            faults.append(Fault("too_many_scores", f"there are {len(self.scores):,} scores; {MOST_SCORES} can be."))
        _refuse(faults)

    def __iter__(self) -> Iterator[HealthScore]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def score(self, id: str) -> HealthScore:
        """The score of that id. Raises BadInput where there is none."""
        found = next((one for one in self.scores if one.id == id), None)
        if found is None:
            hint = f"{did_you_mean(id, [one.id for one in self.scores])}See them with `unspun scores list`."
            raise BadInput(Fault("unknown_score", f"there is no health score {printable(id)}.", "", hint))
        return found


def weights(score: HealthScore, present: Sequence[bool]) -> Iterator[Fraction]:
    """What each input weighs of the score where only those of `present` have a value; 0 of the others. They add up to 1, or to 0.

    The weight of a missing input goes to the others of its group, that of a group without any value to the other groups.
    """
    there = iter(present)
    held = [(group, [next(there) for _ in group.inputs]) for group in score.groups]
    whole = sum((Fraction(group.weight) for group, has in held if any(has)), Fraction())
    for group, has in held:
        own = sum((Fraction(one.weight) for one, is_there in zip(group.inputs, has, strict=True) if is_there), Fraction())
        for one, is_there in zip(group.inputs, has, strict=True):
            yield Fraction(group.weight) / whole * Fraction(one.weight) / own if is_there else Fraction()


# What cannot be


def score_faults(score: HealthScore) -> list[tuple[Path, Fault]]:
    """What is wrong with a score as a whole, each with the keys below its id where it stands."""
    faults: list[tuple[Path, Fault]] = [((), fault) for fault in id_faults(score.id)]
    for name, longest in (("name", LONGEST_LABEL), ("description", LONGEST_DESCRIPTION), ("owner", LONGEST_LABEL)):
        faults += [((name,), fault) for fault in _text_faults(name, getattr(score, name), longest)]
    if isinstance(score.digits, bool) or not isinstance(score.digits, int) or not 0 <= score.digits <= MOST_DIGITS:
        message = f"'digits' is {printable(score.digits)}; a score has 0 to {MOST_DIGITS} decimals."
        faults.append((("digits",), Fault("bad_digits", message, "", "Write 1.")))
    if not Decimal(0) <= score.least_weight <= Decimal(1):
        message = f"'least_weight' is {score.least_weight * 100} %; it is a share of the weight, 0 % to 100 %."
        faults.append((("missing", "least_weight"), Fault("bad_share", message, "", "Write 50 %.")))
    ranged = _range_faults(score)
    return [*faults, *_structure_faults(score), *([(("range",), one) for one in ranged] or [*_outside(score), *_band_faults(score)])]


def id_faults(id: object) -> list[Fault]:
    """What is wrong with the id of a score: it is made as that of a metric is."""
    if isinstance(id, str) and ID.fullmatch(id) and "__" not in id and not id.endswith("_") and id not in RESERVED:
        return []
    hint = "An id has a to z, digits and single underscores, begins with a letter, and is at most 60 long; `name` may be any text."
    return [Fault("bad_id", f"{printable(id)} can be no id of a score.", "", hint)]


def name_faults(name: object, what: str, may_be_empty: bool = False) -> list[Fault]:
    """What is wrong with the name of a group or a band."""
    if not isinstance(name, str) or len(name) > LONGEST_NAME or not (name.strip() or (may_be_empty and not name)):
        return [Fault("bad_name", f"{printable(name)} can be no name of a {what}.", "", f"Write text of 1 to {LONGEST_NAME} characters.")]
    return _hidden(name, f"the name of a {what}")


def _text_faults(name: str, text: object, longest: int) -> list[Fault]:
    if not isinstance(text, str) or len(text) > longest:
        return [Fault("bad_text", f"'{name}' must be text of up to {longest:,} characters.", "", "Shorten it, or put it in quotes.")]
    return _hidden(text, f"'{name}'", "\n\t" if name == "description" else "")


def _hidden(text: str, what: str, allowed: str = "") -> list[Fault]:
    sign = hidden_sign(text, allowed)
    if not sign:
        return []
    hint = "Take it out: it would change how the text around it is shown."
    return [Fault("bad_text", f"{what} holds the invisible character U+{ord(sign):04X}.", "", hint)]


def _structure_faults(score: HealthScore) -> list[tuple[Path, Fault]]:
    """Groups and inputs given twice, none at all, or too many."""
    faults: list[tuple[Path, Fault]] = []
    count = sum(len(group.inputs) for group in score.groups)
    if not 1 <= count <= MOST_INPUTS:
        faults.append(((), Fault("bad_inputs", f"it has {count:,} metrics; 1 to {MOST_INPUTS} can be.", "", "")))
    groups = Counter(group.name for group in score.groups)
    faults += [(("groups", name), Fault("given_twice", f"there are {n} groups {printable(name)}.")) for name, n in groups.items() if n > 1]
    seen: dict[str, str] = {}
    for group in score.groups:
        for one in group.inputs:
            if one.metric in seen:
                before = f" (first in {printable(seen[one.metric])})" if seen[one.metric] != group.name else ""
                fault = Fault(
                    "given_twice", f"{printable(one.metric)} counts twice{before}.", "", "Remove one, and raise the other's weight."
                )
                faults.append((path_of(group, one), fault))
            seen.setdefault(one.metric, group.name)
    return faults


def path_of(group: Group, one: Input) -> Path:
    """Where an input stands below its score's id."""
    return ("groups", group.name, "metrics", one.metric) if group.name else ("metrics", one.metric)


def _range_faults(score: HealthScore) -> list[Fault]:
    faults = [*_point_faults(score.low), *_point_faults(score.high)]
    if not faults and score.low >= score.high:
        faults.append(Fault("bad_range", f"the range begins at {score.low} and ends at {score.high}.", "", "Write `range: [0, 100]`."))
    return faults


def _outside(score: HealthScore) -> Iterator[tuple[Path, Fault]]:
    """Points that lie outside the score's range."""
    words = {Linear: "points", Steps: "steps", Values: "values"}
    for group in score.groups:
        for one in group.inputs:
            for key, points in listed_points(one.scale):
                if not score.low <= points <= score.high:
                    word = () if key == "otherwise" and isinstance(one.scale, Values) else (words[type(one.scale)],)
                    message = f"{points} points lie outside {score.low} to {score.high}, the range of the score."
                    hint = "Change them, or declare another `range`."
                    yield (*path_of(group, one), *word, key), Fault("points_out_of_range", message, "", hint)


def listed_points(scale: Scale) -> Iterator[tuple[str, Decimal]]:
    """The points that a scale gives, each with the key that it has in scores.yml."""
    if isinstance(scale, Values):
        yield from scale.points
        if scale.otherwise is not None:
            yield "otherwise", scale.otherwise
    else:
        yield from ((number_text(value), points) for value, points in scale.knots)


def _band_faults(score: HealthScore) -> Iterator[tuple[Path, Fault]]:
    if len(score.bands) > MOST_BANDS:
        yield ("bands",), Fault("too_many_bands", f"there are {len(score.bands)} bands; {MOST_BANDS} can be.")
    for name, n in Counter(band.name for band in score.bands).items():
        if n > 1:
            yield ("bands", name), Fault("given_twice", f"there are {n} bands {printable(name)}.", "", "Give each its own name.")
    if score.bands and score.bands[0].least != score.low:
        first = score.bands[0]
        message = f"the first band, {printable(first.name)}, begins at {first.least}; scores begin at {score.low}."
        yield ("bands", first.name), Fault("bad_band", message, "", f"Write `{first.name}: {score.low}`: every score has its band.")
    for before, band in pairwise(score.bands):
        if band.least <= before.least:
            message = f"{printable(band.name)} begins at {band.least}, which is not above {printable(before.name)} at {before.least}."
            yield ("bands", band.name), Fault("bands_out_of_order", message, "", "Write them from the lowest to the highest.")
        elif band.least > score.high:
            message = f"{printable(band.name)} begins at {band.least}; scores end at {score.high}."
            yield ("bands", band.name), Fault("bad_band", message, "", "No score would be in it.")


def _knot_faults(knots: Knots) -> list[Fault]:
    if not 2 <= len(knots) <= MOST_KNOTS:
        hint = "One value says nothing: give two or more." if len(knots) < 2 else ""
        return [Fault("bad_points", f"points are given for {len(knots)} values; 2 to {MOST_KNOTS} can be.", "", hint)]
    faults = [fault for value, points in knots for fault in (*value_faults(value), *_point_faults(points))]
    if faults:
        return faults
    hint = "Write the values from the lowest to the highest, each once."
    return [
        Fault("values_out_of_order", f"{number_text(value)} stands {_stands(value, before)}.", "", hint)
        for (before, _), (value, _) in pairwise(knots)
        if value <= before
    ]


def _stands(value: float, before: float) -> str:
    return "twice" if value == before else f"after {number_text(before)}"


def value_faults(value: object) -> list[Fault]:
    """What is wrong with a value that has points."""
    if isinstance(value, float) and math.isfinite(value) and abs(value) <= LARGEST_VALUE:
        return []
    return [Fault("bad_value", f"{printable(value)} is no number up to {LARGEST_VALUE:.0e}.", "", "Write a plain number.")]


def _point_faults(points: object) -> list[Fault]:
    return _decimal_faults("points", points, LARGEST_POINTS, POINT_DIGITS)


def weight_faults(weight: object) -> list[Fault]:
    """What is wrong with a weight."""
    faults = _decimal_faults("weight", weight, LARGEST_WEIGHT, WEIGHT_DIGITS)
    if not faults and cast("Decimal", weight) <= 0:
        hint = "Take it out: it would count for nothing." if weight == 0 else "What is better when it is lower has falling points."
        faults.append(Fault("bad_weight", f"a weight of {weight} cannot be; weights are above 0.", "", hint))
    return faults


def _decimal_faults(what: str, number: object, largest: int, digits: int) -> list[Fault]:
    if not isinstance(number, Decimal) or not number.is_finite():
        return [Fault("not_a_number", f"{printable(number)} is no number.", "", "Write a plain number.")]
    if abs(number) > largest:
        return [Fault(f"bad_{what}", f"{what} may be up to {largest:,}, not {number:,}.", "", "Write a smaller number.")]
    if number != round(number, digits):
        return [Fault(f"bad_{what}", f"{what} may have {digits} decimals; {number} has more.", "", "Round it.")]
    return []


def number_text(value: float) -> str:
    """A value as scores.yml writes it: the shortest text that is read as the same number."""
    return str(int(value)) if value == int(value) else repr(value)


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise BadInput(faults)
