"""A metric (a series with its name, unit, direction, reference and owner), and the set of them that a file declares."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from unspun.book.columns import did_you_mean
from unspun.errors import BadInput, Fault
from unspun.metrics.forms import DEEPEST, MOST_USES, form_faults, levels, printable, uses
from unspun.metrics.missing import SILENT_DAYS
from unspun.metrics.nesting import cycles, misplaced, references, too_large
from unspun.metrics.nodes import DATED_TABLES, Reference, Series
from unspun.metrics.windows import MOST_DAYS

Direction = Literal["higher", "lower", "neutral"]
"""Which is the healthier; neutral: it is not said."""
DIRECTIONS: tuple[Direction, ...] = ("higher", "lower", "neutral")
ID = re.compile(r"[a-z][a-z0-9_]{0,59}")
MOST_METRICS = 2_000
LONGEST_LABEL = 500
LONGEST_DESCRIPTION = 5_000
RESERVED = ("account_id", "as_of", "due", "horizon_days")
"""Columns that every panel has."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric. `id` is its name in files and columns: a to z, digits and single underscores.

    Raises BadInput with all faults: an id or a text that cannot be, a node that holds what it cannot, a series too deep or too large.
    """

    id: str
    series: Series
    name: str = ""
    description: str = ""
    unit: str = ""
    direction: Direction = "neutral"
    reference: str = ""
    owner: str = ""

    def __post_init__(self) -> None:
        faults = [*_id_faults(self.id), *_text_faults(self), *form_faults(self.series)]
        if self.direction not in DIRECTIONS:
            hint = f"{did_you_mean(str(self.direction), DIRECTIONS)}There are {', '.join(DIRECTIONS)}."
            faults.append(Fault("unknown_direction", f"there is no direction '{self.direction}'.", "", hint))
        parts_hint = "Give its parts ids of their own."
        if not faults and uses(self.series) > MOST_USES:
            faults.append(Fault("too_large", f"'{self.id}' has more than {MOST_USES:,} parts.", "", parts_hint))
        elif not faults and levels(self.series) > DEEPEST:
            faults.append(Fault("too_deep", f"'{self.id}' nests more than {DEEPEST} levels deep.", "", parts_hint))
        if faults:
            raise BadInput([replace(fault, where=str(self.id)[:80]) for fault in faults])

    @property
    def label(self) -> str:
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class SourceRules:
    """What may be said of accounts and days without rows in a table.

    `covers_every_account`: an account without a row had none (0); else it is not connected as long as it has not appeared (`not_seen`).
    `silent_days`: after so many days on which nobody had a row, the table counts as not filled (`source_silent`); None: it never does.
    """

    covers_every_account: bool = True
    silent_days: int | None = None

    def __post_init__(self) -> None:
        if self.silent_days is not None and not 1 <= self.silent_days <= MOST_DAYS:
            message = f"a table is silent after 1 to {MOST_DAYS:,} days, not {self.silent_days:,}."
            raise BadInput(Fault("bad_days", message, "", "Write null where it never is."))


USUAL_SOURCES: Mapping[str, SourceRules] = {"events": SourceRules(covers_every_account=False, silent_days=SILENT_DAYS)}


@dataclass(frozen=True, slots=True)
class MetricSet:
    """Metrics that may refer to each other, and what is declared of the tables that they read.

    Raises BadInput with all faults, each with the metric's id as its place: an id twice, a reference to nothing, a cycle, what may not be
    taken of an earlier day, and more than can be computed.
    """

    metrics: tuple[Metric, ...]
    sources: Mapping[str, SourceRules] = field(default_factory=dict[str, SourceRules])

    def __post_init__(self) -> None:
        faults = set_faults(self.metrics)
        faults += [_unknown_source(table) for table in self.sources if table not in DATED_TABLES]
        if faults:
            raise BadInput(faults)

    def __iter__(self) -> Iterator[Metric]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)

    def metric(self, id: str) -> Metric:
        """The metric of that id. Raises BadInput where there is none."""
        found = next((one for one in self.metrics if one.id == id), None)
        if found is None:
            hint = f"{did_you_mean(id, [one.id for one in self.metrics])}See them with `unspun metrics list`."
            raise BadInput(Fault("unknown_metric", f"there is no metric '{id}'.", "", hint))
        return found

    def source(self, table: str) -> SourceRules:
        """What is declared of a table, else what is usual."""
        return self.sources.get(table) or USUAL_SOURCES.get(table) or SourceRules()

    def resolved(self, series: Series) -> Series:
        """What a reference stands for, followed to what is no reference."""
        while isinstance(series, Reference):
            series = self.metric(series.metric).series
        return series


def set_faults(metrics: Sequence[Metric], failed: Sequence[str] = ()) -> list[Fault]:
    """What is wrong between metrics; the place of each fault is a metric's id. `failed` are ids that are declared and could not be read."""
    if len(metrics) > MOST_METRICS:
        return [Fault("too_many_metrics", f"there are {len(metrics):,} metrics; {MOST_METRICS:,} can be.", "", "Split the file.")]
    counts = Counter(metric.id for metric in metrics)
    faults = [
        Fault("repeated_id", f"'{id}' is declared {n} times.", id, "Give each metric its own id.") for id, n in counts.items() if n > 1
    ]
    definitions = {metric.id: metric.series for metric in metrics}
    declared = dict.fromkeys([*definitions, *failed])
    for id, series in definitions.items():
        faults += [_unknown_metric(name, id, declared) for name in references(series) if name not in declared]
    for chain in cycles(definitions):
        arrows = " -> ".join(f"'{id}'" for id in chain)
        faults.append(Fault("cycle", f"'{chain[0]}' is made of itself: {arrows}.", chain[0], "Take one of these references out."))
        definitions = {id: series for id, series in definitions.items() if id not in chain}
    return [*faults, *too_large(definitions), *misplaced(definitions)]


def _unknown_metric(name: str, id: str, known: Collection[str]) -> Fault:
    hint = f"{did_you_mean(name, known)}A metric is named by its id; '{id}' names it."
    return Fault("unknown_metric", f"there is no metric '{name}'.", id, hint)


def _unknown_source(table: str) -> Fault:
    hint = f"{did_you_mean(table, DATED_TABLES)}The tables are {', '.join(DATED_TABLES)}."
    return Fault("unknown_table", f"'{table}' is no table with dated rows of accounts.", "sources", hint)


def _id_faults(id: str) -> Iterator[Fault]:
    if not isinstance(id, str) or not ID.fullmatch(id) or "__" in id or id.endswith("_") or id in RESERVED:
        taken = "It is a column that every panel has. " if id in RESERVED else ""
        hint = (
            f"{taken}An id has a to z, digits and single underscores, begins with a letter, and is at most 60 long; `name` may be any text."
        )
        yield Fault("bad_id", f"{printable(id)} can be no id of a metric.", "", hint)


def _text_faults(metric: Metric) -> Iterator[Fault]:
    for name in ("name", "description", "unit", "reference", "owner"):
        text, longest = getattr(metric, name), LONGEST_DESCRIPTION if name == "description" else LONGEST_LABEL
        if not isinstance(text, str) or len(text) > longest:
            yield Fault("bad_text", f"'{name}' must be text of up to {longest:,} characters.", "", "Shorten it, or put it in quotes.")
        elif sign := hidden_sign(text, "\n\t" if name == "description" else ""):
            hint = "Take it out: it would change how the text around it is shown."
            yield Fault("bad_text", f"'{name}' holds the invisible character U+{ord(sign):04X}.", "", hint)


def hidden_sign(text: str, allowed: str = "") -> str:
    """The first sign of a text that cannot be seen and changes how the text around it is shown; "" where there is none."""
    return next((sign for sign in text if _is_hidden(sign) and sign not in allowed), "")


def _is_hidden(sign: str) -> bool:
    """Control signs, halves of characters, line separators, and what turns the direction of the text around it."""
    turns = unicodedata.bidirectional(sign) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    return turns or unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")
