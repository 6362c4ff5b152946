"""What may be made of what, references followed: no cycle, nothing endless, and what has no value on an earlier day.

References are followed by what is known of each metric, computed once: a chain of metrics that each use the one before twice is not
written out before it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from unspun.errors import Fault
from unspun.metrics.nodes import (
    MEASURES,
    Arr,
    Attribute,
    Before,
    Change,
    Constant,
    DaysToEnd,
    Open,
    Reference,
    Seats,
    Series,
    Trend,
    ZScore,
    operands,
    walk,
)
from unspun.metrics.windows import SinceContractStart

T = TypeVar("T")
DEEPEST_THROUGH = 96
"""How deep a metric may nest once each reference is replaced by what it stands for."""
MOST_READINGS = 2_000
"""How many values of the book one metric may be made of: each measure counts once for each day that it is taken on."""
Definitions = Mapping[str, Series]
NOT_EARLIER = {
    "arr": "the revenue (`arr`), which is known for the as-of date only",
    "earlier": "a value that is of an earlier day already (`before`, `change` or `trend`)",
    "z_score": "a z-score, whose peers are those of the as-of date",
    "contract": "a window since contract start",
}


def references(series: Series) -> tuple[str, ...]:
    """The metrics that a series names, each once."""
    return tuple(dict.fromkeys(part.metric for part in walk(series) if isinstance(part, Reference)))


def cycles(definitions: Definitions) -> list[tuple[str, ...]]:
    """Chains of metrics of which each is made of the next, the last of the first again; from each knot one. References to nothing aside."""
    graph = {id: {name for name in references(one) if name in definitions} for id, one in definitions.items()}
    found: list[tuple[str, ...]] = []
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as knot:
            chain = tuple(reversed(knot.args[1]))  # graphlib tells it from what is used to what uses it
            found.append(_from_first(chain[:-1], list(definitions)))
            graph = {id: set() if id in chain else used - set(chain) for id, used in graph.items()}
        else:
            return found


def _from_first(chain: tuple[str, ...], order: list[str]) -> tuple[str, ...]:
    """The chain from the one that is declared first, and back to it."""
    start = min(range(len(chain)), key=lambda i: order.index(chain[i]))
    return (*chain[start:], *chain[:start], chain[start])


def too_large(definitions: Definitions) -> list[Fault]:
    """Metrics that nest too deep, or read too much, with references followed: the first of each chain. Without cycles only."""
    depths, readings = _told(definitions, _depth), _told(definitions, _readings)
    faults: list[Fault] = []
    over = {id for id in definitions if depths[id] > DEEPEST_THROUGH or readings[id] > MOST_READINGS}
    for id in (one for one in definitions if one in over and not over & {*references(definitions[one])}):
        if depths[id] > DEEPEST_THROUGH:
            message = f"'{id}' nests more than {DEEPEST_THROUGH} deep through the metrics that it is made of."
            faults.append(Fault("too_deep", message, id, "Make it of fewer."))
        else:
            message = f"'{id}' is made of more than {MOST_READINGS:,} values of the book, through the metrics that it names."
            faults.append(Fault("too_large", message, id, "Name each metric fewer times, or take fewer earlier days."))
    return faults


def _depth(series: Series, known: Mapping[str, int]) -> int:
    if isinstance(series, Reference):
        return 1 + known.get(series.metric, 0)
    return 1 + max((_depth(part, known) for part in operands(series)), default=0)


def _readings(series: Series, known: Mapping[str, int]) -> int:
    match series:
        case Reference(metric):
            return known.get(metric, 1)
        case Change(of=of):
            return 2 * _readings(of, known)
        case Trend(of=of, steps=steps):
            return steps * _readings(of, known)
        case _:
            return max(1, sum(_readings(part, known) for part in operands(series)))


def misplaced(definitions: Definitions) -> list[Fault]:
    """What is taken of an earlier day, or compared among peers, and cannot be. Without cycles only."""
    traits = _told(definitions, traits_of)
    return [fault for id, series in definitions.items() for part in walk(series) for fault in _misplaced(id, part, traits)]


def _misplaced(id: str, series: Series, traits: Mapping[str, frozenset[str]]) -> Iterable[Fault]:
    if not isinstance(series, Before | Change | Trend | ZScore):
        return
    word, held = type(series).__name__.lower(), traits_of(series.of, traits)
    through = f" (through {_through(series.of)})" if references(series.of) else ""
    if "read" not in held:
        word = word.replace("zscore", "z_score")
        yield Fault(
            "of_a_number", f"'{word}' in '{id}' is of a number only, which never changes.", id, "Take it of what is read from the book."
        )
    elif isinstance(series, ZScore):
        if "z_score" in held:
            yield Fault("nested_z_score", f"'{id}' compares a z-score{through} among peers once more.", id, "Take it of the value itself.")
    else:
        for trait in (name for name in NOT_EARLIER if name in held):
            message = f"'{word}' in '{id}' is of {NOT_EARLIER[trait]}{through}."
            yield Fault("no_earlier_value", message, id, "Take it of a part that has a value on earlier days.")


def _through(series: Series) -> str:
    return ", ".join(f"'{name}'" for name in references(series))


def traits_of(series: Series, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What of NOT_EARLIER a series holds, and `read` where anything in it is read from the book."""
    match series:
        case Reference(metric):
            return known.get(metric, frozenset({"read"}))
        case Constant():
            return frozenset()
        case Arr():
            return frozenset({"read", "arr"})
        case Attribute() | Seats() | DaysToEnd() | Open():
            return frozenset({"read"})
        case _ if isinstance(series, MEASURES):
            return frozenset({"read", "contract"} if isinstance(series.rows.window, SinceContractStart) else {"read"})
        case _:
            own = {"earlier"} if isinstance(series, Before | Change | Trend) else {"z_score"} if isinstance(series, ZScore) else set()
            return frozenset(own).union(*(traits_of(part, known) for part in operands(series)))


def _told(definitions: Definitions, tell: Callable[[Series, Mapping[str, T]], T]) -> dict[str, T]:
    """What `tell` says of each metric, given what it says of those that it names."""
    told: dict[str, T] = {}
    graph = {id: {name for name in references(one) if name in definitions} for id, one in definitions.items()}
    for id in TopologicalSorter(graph).static_order():
        told[id] = tell(definitions[id], told)
    return told
