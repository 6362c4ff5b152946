"""Which standard metrics a book can bear: those that can be declared, those that wait for a choice, and what the others lack."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from unspun.metrics.conditions import Scalar
from unspun.metrics.forms import printable
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import Distinct, Series, walk
from unspun.metrics.standard.answered import answers_in
from unspun.metrics.standard.asked import EVENT, EVENTS, Asked, ask, counted_events, shown
from unspun.metrics.standard.catalogue import CATALOGUE, choices_of
from unspun.metrics.standard.contents import Contents, CountedValue, plural, share
from unspun.metrics.standard.definitions import Definitions, of_metrics, renamed
from unspun.metrics.standard.entry import StandardMetric, filled, references_of
from unspun.metrics.standard.needs import needs_of

Status = Literal["possible", "choice", "missing", "declared"]
LONGEST_ID, LONGEST_NAME = 50, 100
MOST_EACH = 5
"""How many metrics an entry offers of candidates, where every answer is one of its own; of answers given, all."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A standard metric in a book.

    `possible`: `metrics` can be declared. `choice`: they hold the candidates of the choices `asks`, which are to be looked at. `missing`:
    the book lacks what `lacking` tells. `declared`: metrics.yml has it, under the ids `declared_as`. `reasons` say what in the book
    stands behind it.
    """

    entry: StandardMetric
    status: Status
    metrics: tuple[Metric, ...] = ()
    asks: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    declared_as: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The whole catalogue in a book, in its order, and how each choice stands."""

    found: tuple[Suggestion, ...]
    asked: Mapping[str, Asked]

    def of(self, status: Status) -> tuple[Suggestion, ...]:
        return tuple(one for one in self.found if one.status == status)

    @property
    def open_choices(self) -> tuple[Asked, ...]:
        """The choices that some suggestion waits for, each once."""
        ids = dict.fromkeys(id for one in self.of("choice") for id in one.asks)
        return tuple(self.asked[id] for id in ids)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that can be declared now."""
        return tuple(metric for one in self.of("possible") for metric in one.metrics)


def suggest(contents: Contents, existing: MetricSet, chosen: Mapping[str, tuple[Scalar, ...]], themes: Iterable[str] = ()) -> Suggestions:
    """What of the catalogue a book can bear beside the metrics that exist. `chosen` answers choices by their ids, and so do the standard
    metrics that exist; `themes` are those wanted (() all): what a metric of them names comes with it."""
    held = {id: values for id, values in answers_in(existing).items() if id not in chosen}
    asked = ask(contents, {**held, **chosen}, held)
    fit = _Fit(contents, asked)
    found = {id: fit.suggestion(id) for id in CATALOGUE}
    wanted = _wanted(found, set(themes))
    return Suggestions(tuple(_named(found, existing, wanted)), asked)


def _wanted(found: Mapping[str, Suggestion], themes: set[str]) -> set[str]:
    ids = [id for id, one in found.items() if not themes or one.entry.theme in themes]
    wanted: set[str] = set()
    while ids:
        id = ids.pop()
        if id not in wanted:
            wanted.add(id)
            ids += _parts(found[id].entry) if found[id].status != "missing" else ()
    return wanted


def _parts(entry: StandardMetric) -> tuple[str, ...]:
    """The entries that one names or must not stand without."""
    return tuple(dict.fromkeys((*references_of(entry.series), *entry.beside)))


class _Fit:
    """Puts the catalogue beside what a book holds; ids are still those of the catalogue."""

    def __init__(self, contents: Contents, asked: Mapping[str, Asked]) -> None:
        self.contents, self.asked = contents, asked
        self._found: dict[str, Suggestion] = {}

    def suggestion(self, id: str) -> Suggestion:
        if id not in self._found:
            self._found[id] = self._fitted(CATALOGUE[id])
        return self._found[id]

    def _fitted(self, entry: StandardMetric) -> Suggestion:
        parts = [self.suggestion(id) for id in _parts(entry)]
        own = choices_of(entry)
        lacking = [self.asked[id].told for id in own if self.asked[id].state == "lacking"]
        lacking += [told for part in parts for told in part.lacking]
        made = [] if lacking else list(self._made(entry, own))
        lacking += [told for _, series in made for told in self._lacking(entry, series)]
        if lacking:
            return Suggestion(entry, "missing", lacking=tuple(dict.fromkeys(lacking)))
        asks = [id for part in parts for id in part.asks] + [id for id in own if self.asked[id].is_open]
        metrics = tuple(_metric(entry, answer, series) for answer, series in made)
        reasons = tuple(dict.fromkeys(self._reasons(own, made)))
        return Suggestion(entry, "choice" if asks else "possible", metrics, tuple(dict.fromkeys(asks)), reasons=reasons)

    def _made(self, entry: StandardMetric, own: tuple[str, ...]) -> Iterator[tuple[Scalar, Series]]:
        """The series that an entry gives, each with the answer that it is of; candidates stand for answers that are not given."""
        answers = {id: self._answers(id) for id in own}
        if not entry.each:
            first = next((values[0] for values in answers.values() if values), "")
            yield first, filled(entry, answers)
            return
        most = MOST_EACH if self.asked[entry.each].is_open else None
        for answer in answers[entry.each][:most]:
            yield answer, filled(entry, answers | {entry.each: (answer,)})

    def _answers(self, id: str) -> tuple[Scalar, ...]:
        one = self.asked[id]
        return tuple(each.value for each in one.candidates) if one.is_open else one.answers

    def _lacking(self, entry: StandardMetric, series: Series) -> Iterator[str]:
        for need in needs_of(series):
            if told := need.lacking(self.contents):
                yield told
        of_names = [node for node in walk(series) if isinstance(node, Distinct) and (node.rows.table, node.column) == (EVENTS, EVENT)]
        if of_names and not entry.number_of and len(self._events(entry)) == 1:
            yield "events of more than one name"
        if entry.counts_rows and (told := self._summed_up(entry)):
            yield told

    def _events(self, entry: StandardMetric) -> list[CountedValue]:
        """The names of events that an entry itself counts."""
        own = [id for id in choices_of(entry) if self.asked[id].choice.column == EVENT]
        return [one for id in own for one in counted_events(self.contents, self._answers(id))]

    def _summed_up(self, entry: StandardMetric) -> str:
        """Why rows say nothing where all that are counted are summaries of days."""
        counted = self._events(entry)
        if not counted or not all(one.is_summary for one in counted):
            return ""
        return f"events by themselves: a row ({shown(counted[0].value)}) sums up a day (its numbers can be added: usage_sum_28d)"

    def _reasons(self, own: tuple[str, ...], made: list[tuple[Scalar, Series]]) -> Iterator[str]:
        for id in own:
            if self.asked[id].told and not self.asked[id].is_open:
                yield self.asked[id].told
        for need in (need for _, series in made[:1] for need in needs_of(series)):
            yield from self._cells(need.of)

    def _cells(self, of: tuple[str, ...]) -> Iterator[str]:
        """How many cells are filled, where not all; which amounts are in several currencies; what is said of accounts without a date."""
        for table, column in (one.split(".", 1) for one in of if "." in one):
            rows, cells = self.contents.rows.get(table, 0), self.contents.cells(table, column)
            if cells < rows and cells:
                yield f"{table}.{column} is filled in {share(cells, rows)} of {plural(rows, 'row')}."
            currencies = self.contents.counted(table, "currency").distinct
            if self.contents.kind(table, column) == "money" and currencies > 1:
                yield f"Amounts of {table} are in {currencies} currencies: no value for an account with several of them."
            held = self.contents.tables.get(table)
            if table == "accounts" and held is not None and "dated" not in held.columns and column not in held.fixed:
                yield f"accounts.{column} has no dates: it says nothing of the days before it was loaded."


def _metric(entry: StandardMetric, answer: Scalar, series: Series) -> Metric:
    told = printable(answer)[1:-1][:LONGEST_NAME] if isinstance(answer, str) else str(answer)
    name, description = (text.replace("{answer}", told) for text in (entry.name, entry.description))
    id = _id(str(answer), entry.id) if entry.each else entry.id
    return Metric(id, series, name, description, entry.unit, entry.direction, entry.reference)


def _id(answer: str, of: str) -> str:
    """An id that begins with an answer, from its first letter on that an id may have: `page_view_28d` of `action_28d`."""
    start, _, end = of.partition("_")
    words = re.sub("[^a-z0-9]+", "_", answer.casefold()).lstrip("_0123456789")[:LONGEST_ID].rstrip("_")
    return f"{words or start}_{end}"


# Ids beside those of metrics.yml


def _named(found: Mapping[str, Suggestion], existing: MetricSet, wanted: set[str]) -> Iterator[Suggestion]:
    """The suggestions that are wanted, under ids that are free. What metrics.yml or an earlier suggestion declares is not made again."""
    same = _same(existing)
    whole = {id: one.metrics[0].series for id, one in found.items() if one.metrics and not one.entry.each}
    taken, names = {one.id for one in existing}, dict[str, str]()
    for id, one in found.items():
        keys = [Definitions(whole | {id: metric.series}).key(id) for metric in one.metrics]
        theirs = [same.get(key, "") for key in keys]
        fresh = [other or (_free(metric.id, taken) if id in wanted else id) for metric, other in zip(one.metrics, theirs, strict=True)]
        if fresh and not one.entry.each:
            names[id] = fresh[0]
        if id in wanted:
            same |= {key: name for key, name in zip(keys, fresh, strict=True) if one.status == "possible"}
            yield _under(one, theirs, fresh, names)


def _under(one: Suggestion, theirs: list[str], fresh: list[str], names: Mapping[str, str]) -> Suggestion:
    """A suggestion without the metrics that are declared, the others under their ids and with references to what stands beside them."""
    as_others = tuple(other for other in theirs if other)
    if one.metrics and all(theirs):
        return replace(one, status="declared", metrics=(), declared_as=as_others, asks=())
    left = [(metric, id) for metric, other, id in zip(one.metrics, theirs, fresh, strict=True) if not other]
    told = tuple(replace(metric, id=id, series=renamed(metric.series, lambda name: names.get(name, name))) for metric, id in left)
    return replace(one, metrics=told, declared_as=as_others)


def _same(existing: MetricSet) -> dict[str, str]:
    """The ids of metrics.yml by the keys of their definitions, the first of equal ones."""
    keys = of_metrics({one.id: one for one in existing})
    return {keys.key(one.id): one.id for one in reversed(tuple(existing))}


def _free(id: str, taken: set[str]) -> str:
    """The id, or where it is taken the same with the first number behind it that is free; it is taken from then on."""
    free, n = id, 1
    while free in taken:
        n += 1
        free = f"{id}_{n}"
    taken.add(free)
    return free
