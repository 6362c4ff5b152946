"""A panel as SQL: from a question to the steps and the query that answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from unspun.metrics.asof import BeforeRenewals
from unspun.metrics.lower.derived import Value, constant_value, derived_value
from unspun.metrics.lower.expanded import Parts, expand
from unspun.metrics.lower.leaves import Leaves, is_leaf
from unspun.metrics.lower.life import life_steps
from unspun.metrics.lower.measures import Measured, measure_steps
from unspun.metrics.lower.missing import reason_text
from unspun.metrics.lower.peers import peer_step, score, with_peers
from unspun.metrics.lower.plan import PanelPlan, Step
from unspun.metrics.lower.sheet import SHEET, Sheet, in_slice
from unspun.metrics.lower.sources import as_of_days
from unspun.metrics.lower.staged import Columns, levels_sql
from unspun.metrics.lower.units import unit_inputs, unit_steps
from unspun.metrics.lower.value_state import worth_keeping
from unspun.metrics.nodes import Constant, ZScore
from unspun.metrics.question import PanelQuestion

MOST_LEVELS = 12  # queries in queries; a longer chain of metrics is cut into steps
EPOCH_DAY = exp.cast(exp.Literal.string("1970-01-01"), "date")


def lower_panel(question: PanelQuestion, by_place: bool = False) -> PanelPlan:
    """The steps and the query of a panel. `by_place`: for an engine that puts tables side by side by place (see `sheet.py`).

    Raises BadInput where a metric reads a column that its table does not have.
    """
    parts = expand(question)
    stages = _Stages(question)
    values = _values(parts, stages)
    asked = {metric: values[number] for metric, number in parts.asked.items()}
    leaves = stages.leaves
    measured = measure_steps(question, leaves.measures, leaves.seen, by_place) if leaves.measures or leaves.seen else Measured()
    sheet = stages.sheet(measured) if by_place else None
    whole, part = stages.queries(_wanted(asked), sheet, measured.columns)
    result = _panel(asked, whole, stages.before_renewals).order_by("panel.place", copy=False)
    sliced, same = _slice(asked, part, stages.before_renewals)
    steps = (*unit_steps(question), *life_steps(question, leaves.stated), *measured.steps, *leaves.steps(), *stages.steps())
    count = exp.select("COUNT(*) AS n").from_(stages.rows)
    inputs = {**unit_inputs(question), **leaves.inputs(), **measured.inputs}
    keepable = worth_keeping(question, leaves.measures, leaves.seen)
    return PanelPlan(steps, result, inputs, sliced, count, keepable, same, None if stages.made else sheet)


def _values(parts: Parts, stages: _Stages) -> list[Value]:
    """The value of each part, its columns added to the stages."""
    values: list[Value] = []
    for i, part in enumerate(parts.parts):
        operands = [values[one] for one in part.operands]
        if isinstance(part.series, Constant):
            values.append(constant_value(part.series, part.kind))
            continue
        if is_leaf(part.series):
            made = stages.leaves.value(part)
        elif isinstance(part.series, ZScore):
            made = stages.scored(operands)
        else:
            made = derived_value(part.series, operands, part.kind)
        values.append(_added(stages.columns, i, made))
    return values


def _added(columns: Columns, i: int, made: Value) -> Value:
    """A value as columns of its own, `v{i}` and `w{i}`; a reason that is a column already stays that."""
    why = made.why
    if why is not None and not isinstance(why, exp.Column):
        why = columns.add(f"w{i}", why)
    return Value(columns.add(f"v{i}", made.value), why, made.kind)


@dataclass(slots=True)
class _Score:
    """A z-score: the columns that have to be there before the peers can be looked at."""

    of: exp.Expr
    within: exp.Expr | None


@dataclass(slots=True)
class _Stages:
    """The columns of a panel, cut into tables where one needs the whole of another (z-scores) or the chain is long."""

    question: PanelQuestion
    columns: Columns = field(default_factory=Columns)
    scores: list[_Score] = field(default_factory=list[_Score])
    made: list[Step] = field(default_factory=list[Step])
    leaves: Leaves = field(init=False)

    def __post_init__(self) -> None:
        self.leaves = Leaves(self.question, self.columns)

    @property
    def before_renewals(self) -> bool:
        return isinstance(self.question.as_of, BeforeRenewals)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of a unit that the result and the peers need."""
        return ("place", "unit", "account_id", "point", "day", *(("due", "horizon_days") if self.before_renewals else ()))

    def scored(self, operands: Sequence[Value]) -> Value:
        """A z-score; its column depends on a stage that is made when all columns are known."""
        i = len(self.scores)
        within = operands[1] if len(operands) > 1 else None
        column = self.columns.add(f"z{i}", operands[0].value.copy())
        self.scores.append(_Score(column, None if within is None else self.columns.add(f"zw{i}", within.value.copy())))
        return score(operands[0], within, i)

    def steps(self) -> tuple[Step, ...]:
        return tuple(self.made)

    def sheet(self, measured: Measured) -> Sheet:
        """What the leaves are computed of, as a sheet."""
        units = self._units().where(in_slice(exp.column(*reversed(self._place.split(".")))))
        dates = 0 if self.before_renewals else len(as_of_days(self.question))
        return Sheet(units, dates, (*self.leaves.beside(), *measured.beside), measured.windows, measured.counts)

    def queries(self, wanted: Sequence[str], sheet: Sheet | None, measured: Mapping[str, exp.Expr]) -> tuple[exp.Select, exp.Select]:
        """The wanted columns, and the keys, of all units and of a slice of them (of the `sheet` where there is one); makes the stages that
        this takes."""
        columns, below, part = self.columns, self._base(sliced=False), self._base(sliced=True)
        if sheet is not None:
            keys = exp.select(*(f"u.{name}" for name in self.keys)).from_(f"{SHEET} AS u")
            below = self.leaves.base_of_sheet(keys, measured)
            part = below.copy()
        wanted = tuple(dict.fromkeys([*self.keys, *wanted]))
        while (cut := self._cut(columns, wanted)) is not None:
            names, scores = cut
            stage, of_sheet = f"stage_{len(self.made)}", None if self.made else sheet
            self.made.append(Step(stage, levels_sql(below, columns, names), "metrics that others are made of", of_sheet))
            below = exp.select(*(exp.column(name, table="s").as_(name) for name in names)).from_(f"{stage} AS s")
            for i in scores:
                one = self.scores[i]
                self.made.append(peer_step(f"peers_{i}", stage, one.of, one.within, self.before_renewals))
                below = with_peers(below, f"peers_{i}", one.within, self.before_renewals, i)
            part = below.where(in_slice(exp.column("place", table="s")))
            given = {f"{name}{i}" for i in scores for name in ("mean", "spread")}
            columns = columns.replaced({*names, *given})
        return levels_sql(below, columns, wanted), levels_sql(part, columns, wanted)

    @property
    def rows(self) -> str:
        """The table of the panel's rows."""
        return "rows_of_panel" if self.before_renewals else "units"

    @property
    def _place(self) -> str:
        return "u.place" if self.before_renewals else "u.unit"

    def _units(self) -> exp.Select:
        return exp.select(f"{self._place} AS place", *(f"u.{name}" for name in self.keys[1:])).from_(f"{self.rows} AS u")

    def _base(self, sliced: bool) -> exp.Select:
        found = self.leaves.base(self._units(), sliced and not self.before_renewals)
        return found.where(in_slice(exp.column(*reversed(self._place.split("."))))) if sliced else found

    def _cut(self, columns: Columns, wanted: tuple[str, ...]) -> tuple[tuple[str, ...], list[int]] | None:
        """What a stage has to hold: the columns below a z-score that is next, or the lowest of a long chain; None: no stage is needed."""
        needed = columns.needed(wanted)
        scores = [i for i in range(len(self.scores)) if f"mean{i}" in needed and self._is_open(i)]
        ready = [i for i in scores if not any(f"mean{j}" in columns.needed(self._of(i)) for j in scores)]
        if ready:
            bottom = {name for i in ready for name in self._of(i)}
            return self._held(columns, wanted, columns.needed(bottom)), ready
        depth = max((columns.levels.get(name, 0) for name in needed), default=0)
        if depth <= MOST_LEVELS:
            return None
        return self._held(columns, wanted, {name for name in needed if columns.levels.get(name, 0) <= MOST_LEVELS}), []

    def _of(self, i: int) -> list[str]:
        one = self.scores[i]
        return [one.of.name, *([one.within.name] if one.within is not None else [])]

    def _is_open(self, i: int) -> bool:
        return all(step.name != f"peers_{i}" for step in self.made)

    def _held(self, columns: Columns, wanted: tuple[str, ...], computed: set[str]) -> tuple[str, ...]:
        """What of the computed columns, and of those of the table below, is read later or is wanted."""
        later = {name for name in columns.needed(wanted) if name in columns.expressions and name not in computed}
        given = {f"{name}{i}" for i in range(len(self.scores)) if self._is_open(i) for name in ("mean", "spread")}
        read = {*wanted, *(one for name in later for one in columns.reads[name])} - later - given
        ready = {name for i in range(len(self.scores)) if self._is_open(i) for name in self._of(i) if name in computed}
        return tuple(dict.fromkeys([*self.keys, *sorted(read | ready)]))


def _wanted(asked: Mapping[str, Value]) -> list[str]:
    return [one.name for value in asked.values() for one in (value.value, value.why) if isinstance(one, exp.Column)]


def _panel(asked: Mapping[str, Value], below: exp.Select, before_renewals: bool) -> exp.Select:
    """The panel: its keys, and for each metric its value and the reason why there is none."""
    picked = _keys(before_renewals)
    for metric, value in asked.items():
        picked += [_named(_shown(value), metric), _named(reason_text(_why(value)), f"{metric}__missing")]
    return exp.select(*picked, copy=False).from_(below.subquery("panel", copy=False), copy=False)


def _slice(asked: Mapping[str, Value], below: exp.Select, before_renewals: bool) -> tuple[exp.Select, dict[str, str]]:
    """The same with reasons by their numbers and with `place`, equal columns once; and which columns are like another."""
    picked, firsts, same = _keys(before_renewals), dict[exp.Expr, str](), dict[str, str]()
    for metric, value in asked.items():
        for name, shown in ((metric, _shown(value)), (f"{metric}__missing", _why(value))):
            first = firsts.setdefault(shown, name)
            if first == name:
                picked.append(_named(shown, name))
            else:
                same[name] = first
    return exp.select(*picked, exp.column("place"), copy=False).from_(below.subquery("panel", copy=False), copy=False), same


def _keys(before_renewals: bool) -> list[exp.Expr]:
    as_of = exp.cast(exp.DateAdd(this=EPOCH_DAY.copy(), expression=exp.column("day"), unit=exp.var("day")), "date")
    return [exp.column("account_id"), as_of.as_("as_of"), *([exp.column("due"), exp.column("horizon_days")] if before_renewals else [])]


def _named(value: exp.Expr, name: str) -> exp.Expr:
    return value.as_(exp.to_identifier(name, quoted=True))


def _why(value: Value) -> exp.Expr:
    return exp.cast(exp.null(), "tinyint") if value.why is None else value.why.copy()


def _shown(value: Value) -> exp.Expr:
    if value.kind != "day":
        return value.value.copy()
    return exp.cast(exp.DateAdd(this=EPOCH_DAY.copy(), expression=value.value.copy(), unit=exp.var("day")), "date")
