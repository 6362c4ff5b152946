"""A health score as it would be with other weights or points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeVar

from unspun.book.columns import did_you_mean
from unspun.errors import BadInput, Fault
from unspun.health.definition import Group, HealthScore, Input, Scale
from unspun.health.write_yaml import decimal_text, scale_fields
from unspun.metrics.forms import printable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What is changed: weights of groups and metrics by name, points of metrics, metrics taken out, and the least weight (a share).

    A name may be GROUP/METRIC; a group goes before a metric of the same name.
    """

    weights: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    scales: Mapping[str, Scale] = field(default_factory=dict[str, Scale])
    without: tuple[str, ...] = ()
    least_weight: Decimal | None = None


def changed(score: HealthScore, what_if: WhatIf) -> HealthScore:
    """The score with the changes. Raises BadInput with all faults: a name that it does not have, what cannot be, no change at all."""
    faults = list(_unknown(score, what_if))
    if faults:
        raise BadInput(faults)
    groups = [made for group in score.groups if (made := _group(group, what_if, faults)) is not None]
    if not groups and not faults:
        faults.append(Fault("no_inputs", "no metric is left.", "--without", "Leave one or more."))
    if faults:
        raise BadInput(faults)
    least = score.least_weight if what_if.least_weight is None else what_if.least_weight
    made = replace(score, groups=tuple(groups), least_weight=least)
    if made == score:
        raise BadInput(Fault("no_change", "nothing is changed: the score is as it was.", "", "Give another weight, or other points."))
    return made


def describe_changes(score: HealthScore, made: HealthScore) -> tuple[str, ...]:
    """What differs between a score and what was made of it, a line each."""
    return tuple(_differences(score, made))


def _differences(score: HealthScore, made: HealthScore) -> Iterator[str]:
    groups, inputs = {one.name: one for one in made.groups}, {one.metric: one for one in made.inputs}
    for group in score.groups:
        if group.name in groups and groups[group.name].weight != group.weight:
            yield f"{group.name} weighs {decimal_text(groups[group.name].weight)}, not {decimal_text(group.weight)}"
    for one in score.inputs:
        if one.metric not in inputs:
            yield f"{one.metric} is left out"
            continue
        other = inputs[one.metric]
        if other.weight != one.weight:
            yield f"{one.metric} weighs {decimal_text(other.weight)}, not {decimal_text(one.weight)}"
        if other.scale != one.scale:
            told, before = (", ".join(f"{word} {text}" for word, text in scale_fields(each).items()) for each in (other.scale, one.scale))
            yield f"{one.metric} has {told}, not {before}"
    if made.least_weight != score.least_weight:
        yield f"the least weight is {decimal_text(made.least_weight * 100)} %, not {decimal_text(score.least_weight * 100)} %"


def _named(group: Group, one: Input | None = None) -> tuple[str, ...]:
    """The names by which a group or a metric of it can be called."""
    return (group.name,) if one is None else (one.metric, f"{group.name}/{one.metric}")


def _unknown(score: HealthScore, what_if: WhatIf) -> Iterator[Fault]:
    metrics = [name for group in score.groups for one in group.inputs for name in _named(group, one)]
    groups = [group.name for group in score.groups if group.name]
    for option, names, known in (
        ("--weight", what_if.weights, [*groups, *metrics]),
        ("--points", what_if.scales, metrics),
        ("--without", what_if.without, metrics),
    ):
        for name in names:
            if name not in known:
                plain = [one for one in known if "/" not in one]
                hint = f"{did_you_mean(name, plain)}There are {', '.join(plain)}."
                yield Fault("unknown_name", f"{printable(name)} is nothing that {printable(score.id)} is made of.", option, hint)


def _group(group: Group, what_if: WhatIf, faults: list[Fault]) -> Group | None:
    """The group with its changes; None where nothing of it is left."""
    kept = tuple(_input(group, one, what_if, faults) for one in group.inputs if not set(_named(group, one)) & set(what_if.without))
    weight = what_if.weights.get(group.name, group.weight) if group.name else group.weight
    return _tried(lambda: replace(group, inputs=kept, weight=weight), group, faults) if kept else None


def _input(group: Group, one: Input, what_if: WhatIf, faults: list[Fault]) -> Input:
    groups = {group.name} if group.name else set()
    weights = [what_if.weights[name] for name in _named(group, one) if name in what_if.weights and name not in groups]
    scales = [what_if.scales[name] for name in _named(group, one) if name in what_if.scales]
    weight, scale = (weights[-1] if weights else one.weight), (scales[-1] if scales else one.scale)
    return _tried(lambda: replace(one, weight=weight, scale=scale), one, faults)


def _tried(make: Callable[[], T], otherwise: T, faults: list[Fault]) -> T:
    try:
        return make()
    except BadInput as refusal:
        faults += [replace(fault, where=fault.where or "--weight") for fault in refusal.faults]
        return otherwise
