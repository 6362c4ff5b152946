"""An entry of the catalogue: a standard metric as a series of the language, with what it leaves open for the company to choose.

What only the company knows (which events are its key actions, which rating counts as satisfied) stands in the series as the token of a
`Choice`. `filled` puts the company's answers there. What a metric needs of a book follows from its series; nothing states it a second time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal, TypeVar, cast

from unspun.book.entities import Kind, TableName
from unspun.metrics.conditions import AllOf, AnyOf, Compare, Condition, IsIn, Not, Scalar
from unspun.metrics.metric import Direction
from unspun.metrics.nodes import Constant, Funnel, Open, Ratio, Reference, Rows, Series, Share

Theme = Literal[
    "activity", "breadth", "depth", "seat use", "stickiness", "time to value", "support load", "responsiveness", "sentiment", "payment",
    "purchases", "contract", "contact", "account",
]  # fmt: skip
THEMES: dict[Theme, str] = {
    "activity": "whether and how much the product is used",
    "breadth": "how much of the product is used",
    "depth": "how intensely those who use it do",
    "seat use": "use by what was bought",
    "stickiness": "how often people come back",
    "time to value": "how long it took until the product did what it was bought for",
    "support load": "how much help is asked for",
    "responsiveness": "how long the customer waits for it",
    "sentiment": "what customers say when they are asked",
    "payment": "whether bills are paid",
    "purchases": "buying without a contract: recency, frequency, monetary value",
    "contract": "what is bought, since when, and how that changes",
    "contact": "how the team and the customer are in touch",
    "account": "what accounts are compared by",
}
T = TypeVar("T")
Answers = Mapping[str, tuple[Scalar, ...]]
"""What was chosen, by the choice's id: values of its column, or the names of columns."""
WORDS = re.compile(r"[\W_]+")


def plain_words(name: str) -> str:
    """A name as its words in small letters, so that `Log-in`, `log_in` and `log in` are one."""
    return " ".join(WORDS.sub(" ", re.sub("([a-z])([A-Z])", r"\1 \2", name)).casefold().split())


@dataclass(frozen=True, slots=True)
class Choice:
    """What a definition leaves open: values of a column of a table, or (where `column` is "") a column of one of `kinds`. `what` are these.

    `known` are names that say in so many words that they are meant: such a value is taken and said to be. Nothing else is taken: other
    candidates are offered, first those whose name has one of `hints`, last those with one of `unlikely`. Without an answer an `optional`
    choice narrows nothing, unless the rows come from several sources. `one`: one column can be meant, and no more.
    """

    id: str
    what: str
    question: str
    table: TableName
    column: str = ""
    kinds: tuple[Kind, ...] = ()
    known: frozenset[str] = frozenset()
    hints: tuple[str, ...] = ()
    unlikely: tuple[str, ...] = ()
    optional: bool = False
    one: bool = False

    @property
    def token(self) -> str:
        return f"<{self.id}>"

    def is_known(self, name: str) -> bool:
        return plain_words(name) in self.known


@dataclass(frozen=True, slots=True)
class StandardMetric:
    """A standard metric.

    `series` may hold tokens of choices. `each`: the choice of which every answer is a metric of its own, whose id begins with the answer.
    `number_of`: the choice by the number of whose answers the series is divided. `beside`: ids of metrics without which it must not stand.
    `counts_rows`: it counts events, which says nothing where a row is the summary of a day. `caveat` says what it does not tell and how
    it is known to be gamed, `otherwise` which other definitions are about.
    """

    id: str
    theme: Theme
    name: str
    description: str
    series: Series
    reference: str
    caveat: str
    otherwise: str = ""
    unit: str = ""
    direction: Direction = "neutral"
    each: str = ""
    number_of: str = ""
    beside: tuple[str, ...] = ()
    counts_rows: bool = False


def filled(entry: StandardMetric, answers: Answers) -> Series:
    """The series of an entry with answers in the place of tokens. An optional choice without an answer narrows nothing."""
    series = _filled(entry.series, {f"<{id}>": values for id, values in answers.items()})
    number = len(answers.get(entry.number_of, ()))
    return Ratio(series, Constant(number)) if number else series


def _filled(node: T, given: Mapping[str, tuple[Scalar, ...]]) -> T:
    """A node with the answers in it: several values where a condition lists them, one column where a name stands."""
    if isinstance(node, str):
        return cast("T", str(given[node][0]) if given.get(node) else node)
    if isinstance(node, tuple):
        return cast("T", tuple(_filled(one, given) for one in cast("tuple[object, ...]", node)))
    if isinstance(node, Rows | Open | Share):
        return cast("T", replace(cast("Any", _fields(node, given)), where=_condition(node.where, given)))
    if isinstance(node, Funnel):
        return cast("T", replace(node, steps=tuple(_steps(node.steps, given))))
    return _fields(node, given) if is_dataclass(node) and not isinstance(node, type) else node


def _steps(steps: tuple[Condition, ...], given: Mapping[str, tuple[Scalar, ...]]) -> Iterator[Condition]:
    """Each answer is a step, in the order of the answers; steps that wait for one answer each stand for all of them."""
    for step in dict.fromkeys(steps):
        if isinstance(step, IsIn) and str(step.values[0]) in given:
            yield from (IsIn(step.column, (one,)) for one in given[str(step.values[0])])
        else:
            yield from (step,) * steps.count(step)


def _fields(node: T, given: Mapping[str, tuple[Scalar, ...]]) -> T:
    changed = {one.name: _filled(getattr(node, one.name), given) for one in fields(cast("Any", node)) if one.name != "where"}
    return cast("T", replace(cast("Any", node), **changed))


def _condition(condition: Condition | None, given: Mapping[str, tuple[Scalar, ...]]) -> Condition | None:
    """A condition with the answers in it; what compares with no answer falls away."""
    match condition:
        case IsIn(column, values):
            told = [one for value in values for one in (given.get(value, (value,)) if isinstance(value, str) else (value,))]
            return IsIn(_filled(column, given), tuple(told)) if told else None
        case Compare(column) if column in given and not given[column]:
            return None
        case AllOf(parts):
            left = tuple(one for part in parts if (one := _condition(part, given)) is not None)
            return None if not left else left[0] if len(left) == 1 else AllOf(left)
        case AnyOf(parts):
            return AnyOf(tuple(one for part in parts if (one := _condition(part, given)) is not None))
        case Not(inner):
            inside = _condition(inner, given)
            return None if inside is None else Not(inside)
        case None:
            return None
        case _:
            return _fields(condition, given)


def texts(node: object) -> Iterator[str]:
    """All texts within a node: names of tables and columns, values, tokens."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, tuple):
        for one in cast("tuple[object, ...]", node):
            yield from texts(one)
    elif is_dataclass(node) and not isinstance(node, type):
        for one in fields(node):
            yield from texts(getattr(node, one.name))


def references_of(series: Series) -> tuple[str, ...]:
    """The ids of the metrics that a series names, each once."""
    from unspun.metrics.nodes import walk

    return tuple(dict.fromkeys(one.metric for one in walk(series) if isinstance(one, Reference)))
