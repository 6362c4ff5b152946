"""Whether two metrics are one: definitions compared by what they mean, whatever their ids and however they are cut into metrics."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import TypeVar, cast

from unspun.metrics.conditions import AllOf, AnyOf, IsIn
from unspun.metrics.metric import Metric
from unspun.metrics.nodes import Reference, Series

T = TypeVar("T")


class Definitions:
    """The definitions of some metrics, each of which has a key; equal keys are one definition.

    References are followed, values of a condition and conditions that are joined have no order. What is written as another node (a share as
    a ratio) is another definition.
    """

    def __init__(self, series: Mapping[str, Series]) -> None:
        self._series = series
        self._keys: dict[str, str] = {}

    def key(self, id: str) -> str:
        """The key of the metric of that id. KeyError where there is none."""
        if id not in self._keys:
            self._keys[id] = self._of(self._series[id])
        return self._keys[id]

    def _of(self, node: object) -> str:
        if isinstance(node, Reference):
            return self.key(node.metric)
        if isinstance(node, IsIn):
            return _hash("IsIn", node.column, *sorted(map(repr, node.values)))
        if isinstance(node, AllOf | AnyOf):
            return _hash(type(node).__name__, *sorted(self._of(one) for one in node.conditions))
        if isinstance(node, tuple):
            return _hash("", *(self._of(one) for one in cast("tuple[object, ...]", node)))
        if is_dataclass(node) and not isinstance(node, type):
            return _hash(type(node).__name__, *(self._of(getattr(node, one.name)) for one in fields(node)))
        return repr(node)


def of_metrics(metrics: Mapping[str, Metric]) -> Definitions:
    return Definitions({id: metric.series for id, metric in metrics.items()})


def renamed(node: T, name: Callable[[str], str]) -> T:
    """A node whose references name other ids."""
    if isinstance(node, Reference):
        return cast("T", Reference(name(node.metric)))
    if isinstance(node, tuple):
        return cast("T", tuple(renamed(one, name) for one in cast("tuple[object, ...]", node)))
    if is_dataclass(node) and not isinstance(node, type):
        return cast("T", type(node)(**{one.name: renamed(getattr(node, one.name), name) for one in fields(node)}))
    return node


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(part.replace("\0", "\\0") for part in parts).encode()).hexdigest()
