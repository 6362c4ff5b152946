"""scores.yml: read into a set of health scores with all its faults at once, each at its line.

An example, which docs/reference/scores-yml.md explains:

    scores:
      health:
        name: Health
        groups:
          usage:
            weight: 60
            metrics:
              logins_per_seat: {weight: 2, points: {0: 0, 5: 60, 20: 100}}
              active_days_28d: {points: {0: 0, 20: 100}}
          support:
            weight: 40
            metrics:
              tickets_open: {steps: {0: 100, 1: 70, 5: 0}}
        bands: {red: 0, yellow: 40, green: 70}
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from unspun.book.columns import did_you_mean
from unspun.book.mapping.yaml_checks import YamlChecks, listed
from unspun.book.mapping.yaml_nodes import YamlPath, plain_value, read_yaml
from unspun.errors import BadInput, Fault
from unspun.health.definition import (
    USUAL_DIGITS,
    USUAL_HIGH,
    USUAL_LEAST_WEIGHT,
    USUAL_LOW,
    Band,
    Group,
    HealthScore,
    Input,
    Linear,
    Scale,
    ScoreSet,
    Steps,
    Values,
    weight_faults,
)
from unspun.health.fields import FILE_FIELDS, GROUP_FIELDS, INPUT_FIELDS, MISSING_FIELDS, PERCENT, SCALES, SCORE_FIELDS
from unspun.metrics.forms import printable

T = TypeVar("T")
TEXTS = ("name", "description", "owner")


@dataclass(frozen=True, slots=True)
class ScoresFile:
    """The health scores of a file, its text, and where each stands in it: `scores.yml:12` by its id, and by `id/metric` of each input."""

    scores: ScoreSet
    text: str
    places: Mapping[str, str]


def read_scores(text: str, name: str = "scores.yml", metrics: Collection[str] | None = None) -> ScoresFile:
    """The scores that `text` declares; an empty file declares none. Raises BadInput with every fault, at `name:line`.

    `metrics` are the ids of the metrics that there are; None: they are not looked at.
    """
    of_keys: list[Fault] = []
    reader = _Reader(YamlChecks(read_yaml(text, name, plain_keys=True, key_faults=of_keys)), metrics)
    checks = reader.checks
    value = checks.document.value
    given = {} if value is None else checks.entries((), value)
    for word in given:
        if word not in FILE_FIELDS:
            hint = f"{did_you_mean(word, FILE_FIELDS)}A score stands below 'scores'."
            checks.fault("unknown_key", f"{printable(word)} means nothing here.", (word,), hint)
    entries = {} if given.get("scores") is None else checks.entries(("scores",), given["scores"])
    scores = [reader.score(id, one) for id, one in entries.items()]
    found = reader.built((), lambda: ScoreSet(tuple(one for one in scores if one is not None)))
    if of_keys or checks.faults or found is None:
        raise BadInput(sorted([*of_keys, *checks.faults], key=_line))
    return ScoresFile(found, text, _places(checks, found))


def _line(fault: Fault) -> int:
    line = fault.where.rpartition(":")[2]
    return int(line) if line.isdecimal() else 0


def _places(checks: YamlChecks, scores: ScoreSet) -> dict[str, str]:
    places = {}
    for one in scores:
        places[one.id] = checks.document.place(("scores", one.id))
        for group in one.groups:
            within = ("groups", group.name, "metrics") if group.name else ("metrics",)
            places |= {f"{one.id}/{each.metric}": checks.document.place(("scores", one.id, *within, each.metric)) for each in group.inputs}
    return places


class _Reader:
    """Reads the parts of scores; what cannot be becomes a fault, and the reader goes on without it."""

    def __init__(self, checks: YamlChecks, metrics: Collection[str] | None) -> None:
        self.checks = checks
        self.metrics = metrics

    def score(self, id: str, value: object) -> HealthScore | None:
        """One score; None where any of it is at fault."""
        path, before = ("scores", id), len(self.checks.faults)
        if self.metrics is not None and id in self.metrics:
            self.checks.fault("id_of_metric", f"{printable(id)} is a metric already.", path, "Give the score an id of its own.")
        given = self.checks.fields(path, value, SCORE_FIELDS)
        texts = {name: self._text((*path, name), given[name]) for name in TEXTS if name in given}
        groups = self._groups(path, given, isinstance(value, dict))
        low, high = self._range((*path, "range"), given.get("range"))
        bands, least_weight = self._bands((*path, "bands"), given.get("bands")), self._missing((*path, "missing"), given.get("missing"))
        digits = self._digits((*path, "digits"), given.get("digits", USUAL_DIGITS))
        groups = groups or (Group("", (Input("stand_in", Values((("", low),))),)),)  # the rest is checked where no group can be
        made = self.built(
            path, lambda: HealthScore(id, groups, digits=digits, low=low, high=high, bands=bands, least_weight=least_weight, **texts)
        )
        return made if len(self.checks.faults) == before else None

    def built(self, path: YamlPath, make: Callable[[], T]) -> T | None:
        """What `make` makes; None, with its faults kept at the lines of what they name below the path, where it cannot be made."""
        try:
            return make()
        except BadInput as refusal:
            paths = {".".join(map(str, one[len(path) - 1 :])): one for one in self.checks.document.lines if one[: len(path)] == path}
            for fault in refusal.faults:
                self.checks.fault(fault.code, fault.message, _nearest(paths, fault.where, path), fault.hint)
            return None

    def _text(self, path: YamlPath, value: object) -> str:
        if isinstance(value, str):
            return value
        hint = f'Put it in quotes: "{value}".' if isinstance(value, int | float) else "Write one text."
        self.checks.fault("not_text", f"'{path[-1]}' is no text.", path, hint)
        return ""

    def _digits(self, path: YamlPath, value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.checks.fault("bad_digits", f"'digits' is {printable(value)}, which is no whole number.", path, "Write 1.")
        return USUAL_DIGITS

    def _number(self, path: YamlPath, value: object) -> Decimal | None:
        """A number as it is written."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return Decimal(repr(value))
        self.checks.fault("not_a_number", f"{printable(value)} is no number.", path, "Write a plain number.")
        return None

    def _range(self, path: YamlPath, value: object) -> tuple[Decimal, Decimal]:
        if value is None:
            return USUAL_LOW, USUAL_HIGH
        items = self.checks.items(path, value)
        numbers = [self._number((*path, i), one) for i, one in enumerate(items)]
        if len(items) != 2 and isinstance(value, list):
            self.checks.fault("bad_range", f"a range has two numbers, not {len(items)}.", path, "Write `range: [0, 100]`.")
        low, high = numbers if len(numbers) == 2 else (None, None)
        return (USUAL_LOW, USUAL_HIGH) if low is None or high is None else (low, high)

    def _missing(self, path: YamlPath, value: object) -> Decimal:
        given = {} if value is None else self.checks.fields(path, value, MISSING_FIELDS)
        share = given.get("least_weight")
        if share is None:
            return USUAL_LEAST_WEIGHT
        found = PERCENT.fullmatch(share) if isinstance(share, str) else None
        if found is None:
            hint = f"Write {share} %." if isinstance(share, int | float) and not isinstance(share, bool) and share > 1 else "Write 50 %."
            self.checks.fault("bad_share", f"{printable(share)} is no share of the weight.", (*path, "least_weight"), hint)
            return USUAL_LEAST_WEIGHT
        return Decimal(found[1]) / 100

    def _bands(self, path: YamlPath, value: object) -> tuple[Band, ...]:
        bands: list[Band | None] = []
        for name, least in ({} if value is None else self.checks.entries(path, value)).items():
            number = self._number((*path, name), least)
            bands.append(None if number is None else self.built((*path, name), lambda name=name, number=number: Band(name, number)))
        found = [band for band in bands if band is not None]
        return tuple(found) if len(found) == len(bands) else ()

    def _groups(self, path: YamlPath, given: Mapping[str, object], is_mapping: bool) -> tuple[Group, ...]:
        """The groups that can be read."""
        if is_mapping and len({"groups", "metrics"} & given.keys()) != 1:
            told = "both 'groups' and 'metrics'" if "groups" in given else "neither 'groups' nor 'metrics'"
            self.checks.fault("groups_or_metrics", f"it has {told}.", path, "Give one: metrics in groups, or metrics alone.")
        found = []
        if "metrics" in given:
            found.append(self._group(path, "", {"metrics": given["metrics"]}))
        for name, one in (self.checks.entries((*path, "groups"), given["groups"]) if "groups" in given else {}).items():
            at = (*path, "groups", name)
            found.append(self._group(at, name, self.checks.fields(at, one, GROUP_FIELDS)))
            if isinstance(one, dict) and "metrics" not in one:
                self.checks.fault("missing_key", f"the group {printable(name)} has no 'metrics'.", at, "Name them, or take it out.")
        return tuple(group for group in found if group is not None)

    def _group(self, path: YamlPath, name: str, given: Mapping[str, object]) -> Group | None:
        within = (*path, "metrics")
        entries = self.checks.entries(within, given["metrics"]) if "metrics" in given else {}
        if not entries and isinstance(given.get("metrics"), dict):
            self.checks.fault("no_inputs", "'metrics' is empty.", within, "Name one or more.")
        inputs = [self._input((*within, id), id, one) for id, one in entries.items()]
        found = tuple(one for one in inputs if one is not None)
        weight = self._weight(path, given)
        return self.built(path, lambda: Group(name, found, weight)) if found else None

    def _weight(self, path: YamlPath, given: Mapping[str, object]) -> Decimal:
        """A weight that can be; 1 in the place of one that cannot, whose faults are kept."""
        number = self._number((*path, "weight"), given["weight"]) if "weight" in given else Decimal(1)
        faults = [] if number is None else weight_faults(number)
        for fault in faults:
            self.checks.fault(fault.code, fault.message, (*path, "weight"), fault.hint)
        return Decimal(1) if faults or number is None else number

    def _input(self, path: YamlPath, id: str, value: object) -> Input | None:
        if self.metrics is not None and id not in self.metrics:
            hint = f"{did_you_mean(id, self.metrics)}`unspun metrics list` shows those that are declared."
            self.checks.fault("unknown_metric", f"there is no metric {printable(id)}.", path, hint)
        given = self.checks.fields(path, value, INPUT_FIELDS)
        weight = self._weight(path, given)
        scale = self._scale(path, given) if isinstance(value, dict) else None
        return None if scale is None else self.built(path, lambda: Input(id, scale, weight))

    def _scale(self, path: YamlPath, given: Mapping[str, object]) -> Scale | None:
        kinds = [one for one in SCALES if one in given]
        if len(kinds) != 1:
            told = f"both {listed([repr(one) for one in kinds])}" if kinds else f"none of {', '.join(SCALES)}"
            self.checks.fault("one_scale", f"{printable(path[-1])} has {told}.", path, "Give one: how its values become points.")
        if "otherwise" in given and "values" not in given:
            self.checks.fault("no_effect", "'otherwise' stands beside 'values' only.", (*path, "otherwise"), "Take it out.")
        read = [self._values(path, given) if kind == "values" else self._knots((*path, kind), kind, given[kind]) for kind in kinds]
        return read[0] if len(read) == 1 else None

    def _knots(self, path: YamlPath, kind: str, value: object) -> Scale | None:
        numbers: list[tuple[float, Decimal]] = []
        entries = self.checks.entries(path, value)
        for key, one in entries.items():
            at, points = plain_value(key), self._number((*path, key), one)
            if not isinstance(at, int | float) or isinstance(at, bool):
                hint = "Write a number; points of texts are declared with 'values'."
                self.checks.fault("not_a_number", f"the value {printable(key)} is no number.", (*path, key), hint)
            elif points is not None:
                numbers.append((float(at), points))
        if len(numbers) < len(entries) or not isinstance(value, dict):
            return None
        make = Linear if kind == "points" else Steps
        return self.built(path, lambda: make(tuple(numbers)))

    def _values(self, path: YamlPath, given: Mapping[str, object]) -> Scale | None:
        within, value = (*path, "values"), given["values"]
        entries = self.checks.entries(within, value)
        points = [(text, self._number((*within, text), one)) for text, one in entries.items()]
        other = self._number((*path, "otherwise"), given["otherwise"]) if "otherwise" in given else None
        told = tuple((text, number) for text, number in points if number is not None)
        if len(told) < len(points) or not isinstance(value, dict) or ("otherwise" in given and other is None):
            return None
        return self.built(within, lambda: Values(told, other))


def _nearest(paths: Mapping[str, YamlPath], where: str, path: YamlPath) -> YamlPath:
    """The path that a fault names, or the nearest above it that stands in the file."""
    while where and where not in paths:
        where = where.rpartition(".")[0]
    return paths.get(where, path)
