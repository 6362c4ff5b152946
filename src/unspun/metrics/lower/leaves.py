"""The leaves of a panel: what is read from the book, joined to the units, and the value and the reason of each as SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
from sqlglot import exp

from unspun.book.checks.finding import Span
from unspun.metrics.conditions import AllOf, IsEmpty, Not
from unspun.metrics.lower.derived import Value
from unspun.metrics.lower.expanded import Part
from unspun.metrics.lower.local_day import number
from unspun.metrics.lower.missing import CODES, accounts_part, bearing, code, first_of, lasts_until, touches_until
from unspun.metrics.lower.plan import Leaf, Seen, Step
from unspun.metrics.lower.sequences import days_from, run_begins
from unspun.metrics.lower.sheet import Beside, beside_point, beside_unit, in_slice
from unspun.metrics.lower.sources import as_of_days, column_kind, currency_of
from unspun.metrics.lower.staged import Columns
from unspun.metrics.lower.states import attributes, first_statement, open_rows, term_ends
from unspun.metrics.lower.units import FOREVER
from unspun.metrics.lower.windows_of import window_bounds
from unspun.metrics.measure_nodes import reason_without_rows
from unspun.metrics.nodes import (
    Arr,
    Attribute,
    Average,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DaysToEnd,
    DaysToFirst,
    Funnel,
    LastValue,
    Maximum,
    Measure,
    Minimum,
    Open,
    Quantile,
    Seats,
    Series,
    Standing,
    Streak,
    Sum,
)
from unspun.metrics.question import PanelQuestion
from unspun.metrics.windows import LastPeriod, SinceContractStart, Window

FACTS = "point_facts"
WINDOWS = "point_windows"
"""The input that holds for each point the first day of windows, `lo{i}`, and until when outages last that bear on measures, `x{i}`."""
ARR = "arr_as_of"
Bound = tuple[str, ...]


@dataclass(slots=True)
class Leaves:
    """The leaves of a question as they are asked for one by one; then what computes them."""

    question: PanelQuestion
    columns: Columns
    measures: list[Leaf] = field(default_factory=list[Leaf])
    seen: list[Seen] = field(default_factory=list[Seen])
    attributes: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    opens: list[tuple[Open, int]] = field(default_factory=list[tuple[Open, int]])
    contacts: list[int] = field(default_factory=list[int])
    ends: list[int] = field(default_factory=list[int])
    windows: dict[str, list[int | None]] = field(default_factory=dict[str, "list[int | None]"])
    by_window: dict[tuple[object, ...], str] = field(default_factory=dict[tuple[object, ...], str])
    whys: dict[tuple[object, ...], exp.Expr] = field(default_factory=dict[tuple[object, ...], exp.Expr])
    arr: bool = False

    def value(self, part: Part) -> Value:
        """The value of a leaf and why there is none, of columns of the base."""
        series = part.series
        if isinstance(series, Measure):
            return self._measured(series, part)
        match series:
            case Open():
                return self._open(series, part)
            case Attribute(column):
                return self._attribute(column, part)
            case Seats():
                return self._seats(part)
            case DaysToEnd():
                return self._to_end(part)
            case Arr():
                return self._arr(part)
            case _:
                raise TypeError(f"{type(series).__name__} is no leaf")  # a programming error: the nodes are a closed set

    # What computes them

    def steps(self) -> tuple[Step, ...]:
        """The steps that make the states, by shift and one by one."""
        states = [
            Step(f"stated_{shift}", attributes(self.question, names, shift), "what is said of accounts")
            for shift, names in self.attributes.items()
            if shift
        ]
        opens = [
            Step(f"open_{i}", open_rows(self.question, node, shift), f"open {node.table}") for i, (node, shift) in enumerate(self.opens)
        ]
        contacts = [
            Step(f"contacts_{shift}", first_statement(self.question, "contacts", shift), "since when contacts are known")
            for shift in self.contacts
        ]
        ends = [Step(f"ends_{shift}", term_ends(self.question, shift), "the ends of terms that run") for shift in self.ends]
        facts = [self._point_step()] if self.windows or self.seen else []
        return (*states, *opens, *contacts, *ends, *([_arr_step()] if self.arr else []), *facts)

    @property
    def stated(self) -> tuple[str, ...]:
        """The columns of accounts that are asked for as of the date itself."""
        return tuple(self.attributes.get(0, ()))

    def _point_step(self) -> Step:
        """What depends on the as-of date alone, put together: windows, outages, and the first and last days of tables."""
        facts = exp.select("p.point AS point").from_("points AS p")
        if self.windows:
            facts = facts.join(f"{WINDOWS} AS w", on="w.point = p.point", join_type="left").select(*(f"w.{k}" for k in self.windows))
        if self.seen:
            facts = facts.join("covered AS c", on="c.point = p.point", join_type="left").select(
                *(f"c.{k}" for k in self._covered_columns())
            )
        return Step(FACTS, facts, "what depends on the date alone")

    def _covered_columns(self) -> list[str]:
        return [f"{kind}{k}" for k in range(len(self.seen)) for kind in ("first", "last")]

    def inputs(self) -> dict[str, pa.Table]:
        """What depends on the as-of date alone, a row a point."""
        if not self.windows:
            return {}
        points = range(len(as_of_days(self.question)))
        return {WINDOWS: pa.table({"point": pa.array(points, pa.int32())} | {k: pa.array(v, pa.int32()) for k, v in self.windows.items()})}

    def base(self, units: exp.Select, sliced: bool) -> exp.Select:
        """The units (alias `u`, with `unit` and `point`) and everything that the leaves are computed of. `sliced`: the tables by unit are
        read for the units from the first parameter to before the second."""
        if names := self._facts():
            units = units.join(f"{FACTS} AS w", on="w.point = u.point", join_type="left")
            units = units.select(*(f"w.{name}" for name in names))
        for table, columns in self._by_unit().items():
            units = _joined(units, table, columns, sliced)
        if self.measures or self.seen:
            units = _joined(units, "measured", {name: name for name in self._measured_columns()}, sliced)
        for shift in self.contacts:
            units = units.join(f"contacts_{shift} AS contacts_{shift}", join_type="cross").select(f"contacts_{shift}.day AS since{shift}")
        return units

    def base_of_sheet(self, units: exp.Select, measured: Mapping[str, exp.Expr]) -> exp.Select:
        """The same of a sheet (alias `u`); `measured`: the measures, of its columns."""
        units = units.select(*(f"u.{name}" for name in self._facts()), copy=False)
        for table, columns in self._by_unit().items():
            units = units.select(*(f"u.{table}__{column} AS {name}" for name, column in columns.items()), copy=False)
        units = units.select(*(value.as_(name, copy=False) for name, value in measured.items()), copy=False)
        return units.select(*(f"(SELECT day FROM contacts_{shift}) AS since{shift}" for shift in self.contacts), copy=False)

    def beside(self) -> tuple[Beside, ...]:
        """What a sheet holds of these, the measures aside."""
        facts = self._facts()
        by_unit = (beside_unit(table, tuple(columns.values())) for table, columns in self._by_unit().items())
        return (*([beside_point(FACTS, {name: name for name in facts})] if facts else []), *by_unit)

    def _facts(self) -> tuple[str, ...]:
        """The columns of FACTS."""
        return (*self.windows, *self._covered_columns()) if self.windows or self.seen else ()

    def _by_unit(self) -> dict[str, dict[str, str]]:
        """The tables by unit, the measures aside: of each its columns by the names that the leaves give them."""
        stated = {f"a0_{i}": f"a{i}" for i in range(len(self.stated))}
        found = {"life": {name: name for name in ("born", "gone", "contract", "unseen")} | stated}
        for shift, names in self.attributes.items():
            if shift:
                found[f"stated_{shift}"] = {f"a{shift}_{i}": f"c{i}" for i in range(len(names))}
        for i, (node, _) in enumerate(self.opens):
            sums = {f"t{i}": "total", f"e{i}": "filled", f"j{i}": "is_mixed"} if node.column else {}
            found[f"open_{i}"] = {f"n{i}": "n", **sums}
        found |= {f"ends_{shift}": {f"end{shift}": "end_day"} for shift in self.ends}
        return found | ({"arr_units": {"arr": "arr", "arr_why": "why"}} if self.arr else {})

    def _measured_columns(self) -> list[str]:
        values = [f"m{i}" for i in range(len(self.measures))]
        days = [
            f"r{i}"
            for i, leaf in enumerate(self.measures)
            if isinstance(leaf.measure, LastValue | DaysSinceLast | DaysSinceFirst | DaysToFirst | Funnel)
        ]
        return [*values, *days, *(f"f{k}" for k in range(len(self.seen)))]

    # Measures

    def _measured(self, measure: Measure, part: Part) -> Value:
        table, shift = measure.rows.table, part.shift_days
        if table not in self.question.tables:
            cases = [*self._life(shift, end=self._ends(measure.rows.window, shift)), *self._contract(measure), (exp.true(), "no_source")]
            why = self._why(("absent", shift, repr(measure.rows.window)), cases)
            return Value(exp.cast(exp.null(), _TYPES[part.kind]), why, part.kind)
        i = self._leaf(measure, shift)
        k = self._seen(table, shift)
        why = self._measure_why(measure, i, k)
        value: exp.Expr = exp.column(f"m{i}")
        if isinstance(measure, DaysToFirst):
            value = days_from(self._start(measure), value)
        elif reason_without_rows(measure) is None:
            value = exp.func("COALESCE", value, exp.cast(number(0), "double" if part.kind == "number" else "bigint"))
        return Value(exp.Case().when(why.is_(exp.null()), value), why, part.kind)

    def _measure_why(self, measure: Measure, i: int, k: int) -> exp.Expr:
        """Why measure `i`, of the rows of `seen[k]`, has no value. What does not depend on its rows is shared with others of its window."""
        table, shift = self.seen[k].table, self.seen[k].shift_days
        window, dated = measure.rows.window, isinstance(measure, LastValue | DaysSinceLast)
        life = [*self._life(shift, end=self._ends(window, shift)), *self._contract(measure)]
        begins = run_begins(measure, i, self._begins(window, shift, exp.column("born")), self._ends(window, shift))
        first = exp.column(f"r{i}") if dated else None
        cases = [*life, *self._coverage(k, begins, first)]
        rest = [*self._outage(measure, i, k), *self._currencies(measure, shift)]
        if (reason := reason_without_rows(measure)) is not None:
            rest.append((exp.column(f"m{i}").is_(exp.null()), reason))
        if isinstance(measure, DaysToFirst):
            rest.append((self._start(measure).is_(exp.null()), "not_stated"))
        if dated or (isinstance(measure, Streak) and measure.run == "current"):
            return self.columns.add(f"y{i}", first_of([*cases, *rest]))
        common = self._why((table, shift, repr(window)), cases)
        return self.columns.add(f"y{i}", exp.func("COALESCE", common, first_of(rest))) if rest else common

    def _start(self, measure: DaysToFirst) -> exp.Column:
        """From which day the days to a first row are counted."""
        return exp.column("contract" if isinstance(measure.rows.window, SinceContractStart) else "born")

    def _leaf(self, measure: Measure, shift: int) -> int:
        leaf = Leaf(measure, shift)
        if leaf not in self.measures:
            self.measures.append(leaf)
        return self.measures.index(leaf)

    def _currencies(self, measure: Measure, shift: int) -> list[tuple[exp.Expr, str]]:
        """Whether the amounts that a measure puts together are in several currencies, or some of them in none that is stated."""
        rows = measure.rows
        if not isinstance(measure, Sum | Average | Minimum | Maximum | Quantile):
            return []
        currency = currency_of(self.question, rows.table, measure.column)
        if currency is None:
            return []
        filled = Not(IsEmpty(measure.column))
        both = filled if rows.where is None else AllOf((rows.where, filled))
        amounts = replace(rows, where=both)
        least, greatest = (exp.column(f"m{self._leaf(kind(amounts, currency), shift)}") for kind in (Minimum, Maximum))
        without = Count(replace(rows, where=AllOf((both, IsEmpty(currency)))))
        some = exp.GT(this=exp.column(f"m{self._leaf(without, shift)}"), expression=number(0))
        mixed = exp.or_(exp.NEQ(this=least, expression=greatest), exp.and_(least.copy().is_(exp.null()).not_(), some))
        return [(mixed, "several_currencies")]

    def _life(self, shift: int, counted: bool = True, end: exp.Expr | None = None) -> list[tuple[exp.Expr, str]]:
        """Whether the account was no customer, by the `end` of a window or else on the day. What is `counted` would be 0 before
        anything was known of the account: it is missing then."""
        born: exp.Expr = exp.GT(this=exp.column("born"), expression=_shifted(shift) if end is None else end)
        unborn = exp.or_(born, exp.column("unseen")) if counted else born
        return [(unborn, "before_birth"), (exp.column("gone"), "after_churn")]

    def _contract(self, measure: Measure) -> list[tuple[exp.Expr, str]]:
        needs = isinstance(measure.rows.window, SinceContractStart)
        return [(exp.column("contract").is_(exp.null()), "no_contract")] if needs else []

    def _coverage(self, k: int, begins: exp.Expr, row: exp.Expr | None) -> list[tuple[exp.Expr, str]]:
        """Why a table says nothing: nobody has rows, nobody has had any lately, not yet, or not this account. `begins` is the first day on
        which rows matter, unless it is that of a `row`."""
        table, shift = self.seen[k].table, self.seen[k].shift_days
        rules = self.question.metrics.source(table)
        first, last = exp.column(f"first{k}"), exp.column(f"last{k}")
        found: list[tuple[exp.Expr, str]] = [(first.is_(exp.null()), "no_source")]
        if rules.silent_days is not None:
            silence = exp.Sub(this=_shifted(shift), expression=last)
            found.append((exp.GT(this=exp.paren(silence), expression=number(rules.silent_days)), "source_silent"))
            early: exp.Expr = exp.LT(this=begins, expression=first.copy())
            found.append((early if row is None else exp.and_(row.copy().is_(exp.null()), early), "before_source"))
        if not rules.covers_every_account:
            found.append((exp.column(f"f{k}").is_(exp.null()), "not_seen"))
        return found

    def _outage(self, measure: Measure, i: int, k: int) -> list[tuple[exp.Expr, str]]:
        """Whether a recorded outage bears on the days that a measure depends on; one of a part of the accounts only on theirs."""
        spans = bearing(self.question.outages.get(measure.rows.table, ()), measure)
        found: list[tuple[exp.Expr, str]] = []
        for part in dict.fromkeys(accounts_part(span) for span in spans):
            touched = self._touched(measure, i, k, [span for span in spans if accounts_part(span) == part])
            found.append((exp.and_(touched, self._may_be_of(*part)) if part is not None else touched, "outage"))
        return found

    def _touched(self, measure: Measure, i: int, k: int, spans: Sequence[Span]) -> exp.Expr:
        shift, window = self.seen[k].shift_days, measure.rows.window
        until = self._outage_until(spans, window, shift)
        known = exp.func("COALESCE", exp.column("born"), exp.column(f"f{k}"), number(-FOREVER))
        begins = run_begins(measure, i, self._begins(window, shift, known), self._ends(window, shift))
        within = exp.and_(exp.GTE(this=until, expression=begins.copy()), exp.LTE(this=begins.copy(), expression=self._ends(window, shift)))
        row, there = exp.column(f"r{i}"), exp.column(f"r{i}").is_(exp.null()).not_()
        if isinstance(measure, LastValue | DaysSinceLast):
            return exp.Case().when(there, exp.GTE(this=until.copy(), expression=row)).else_(within)
        if isinstance(measure, DaysSinceFirst | DaysToFirst | Funnel):
            before = exp.and_(exp.LTE(this=begins.copy(), expression=row), touches_until(spans, begins, row))
            return exp.Case().when(there, before).else_(within)
        return within

    def _may_be_of(self, column: str, value: str) -> exp.Expr:
        """Whether an account is of a part of the accounts, by what was stated last of it; where nothing was, it may be."""
        accounts = self.question.tables.get("accounts")
        if accounts is None or accounts.columns.get(column) != "text":
            return exp.true()
        cell = self._stated(column, 0)
        return exp.or_(cell.is_(exp.null()), exp.EQ(this=cell.copy(), expression=exp.Literal.string(value)))

    def _ends(self, window: Window, shift: int) -> exp.Expr:
        """The last day of a window."""
        if not isinstance(window, LastPeriod):
            return _shifted(shift)
        lasts = [window_bounds(window, day, shift, self.question.fiscal_year_starts)[1] for day in as_of_days(self.question)]
        return self._by_point(("last", repr(window), shift), "hi", lasts)

    def _begins(self, window: Window, shift: int, since: exp.Expr) -> exp.Expr:
        """The first day of a window, not before `since`; NULL where that is."""
        if isinstance(window, SinceContractStart):
            return exp.Case().when(
                since.is_(exp.null()).not_(), exp.Greatest(this=since.copy(), expressions=[exp.column("contract")], ignore_nulls=True)
            )
        firsts = [window_bounds(window, day, shift, self.question.fiscal_year_starts)[0] for day in as_of_days(self.question)]
        if not firsts or firsts[0] is None:
            return since.copy()
        first = self._by_point(("first", repr(window), shift), "lo", firsts)
        return exp.Case().when(since.is_(exp.null()).not_(), exp.Greatest(this=since.copy(), expressions=[first], ignore_nulls=True))

    def _outage_until(self, spans: Sequence[Span], window: Window, shift: int) -> exp.Column:
        days = as_of_days(self.question)
        untils = [lasts_until(spans, window_bounds(window, day, shift, self.question.fiscal_year_starts)[1]) for day in days]
        return self._by_point(("until", tuple(untils)), "x", untils)

    def _by_point(self, key: tuple[object, ...], letter: str, values: Sequence[int | None]) -> exp.Column:
        if key not in self.by_window:
            self.by_window[key] = f"{letter}{len(self.windows)}"
            self.windows[self.by_window[key]] = list(values)
        return exp.column(self.by_window[key])

    def _seen(self, table: str, shift: int) -> int:
        seen = Seen(table, shift)
        if seen not in self.seen:
            self.seen.append(seen)
        return self.seen.index(seen)

    def _why(self, key: tuple[object, ...], cases: list[tuple[exp.Expr, str]]) -> exp.Expr:
        """A reason that several leaves have in common, computed once."""
        if key not in self.whys:
            self.whys[key] = self.columns.add(f"q{len(self.whys)}", first_of(cases))
        return self.whys[key].copy()

    # What stands on a date

    def _open(self, node: Open, part: Part) -> Value:
        if node.table not in self.question.tables:
            return self._absent(part)
        i = self._opened(node, part.shift_days)
        cases = [*self._life(part.shift_days), *self._no_rows_of(node.table, part.shift_days)]
        why = self._why(("open", node.table, part.shift_days), cases)
        if node.column and currency_of(self.question, node.table, node.column) is not None:
            mixed = first_of([(exp.column(f"j{i}"), "several_currencies")])
            why = self.columns.add(f"o{i}", exp.func("COALESCE", why, mixed))
        zero = exp.cast(number(0), "double" if node.column else "bigint")
        value = exp.func("COALESCE", exp.column(f"{'t' if node.column else 'n'}{i}"), zero)
        return Value(exp.Case().when(why.is_(exp.null()), value), why, part.kind)

    def _no_rows_of(self, table: str, shift: int) -> list[tuple[exp.Expr, str]]:
        if table != "contacts":
            return [(exp.column(f"first{self._seen(table, shift)}").is_(exp.null()), "no_source")]
        if shift not in self.contacts:
            self.contacts.append(shift)
        since = exp.column(f"since{shift}")
        return [(exp.or_(since.is_(exp.null()), exp.LT(this=exp.column("day"), expression=since.copy())), "no_source")]

    def _opened(self, node: Open, shift: int) -> int:
        if (node, shift) not in self.opens:
            self.opens.append((node, shift))
        return self.opens.index((node, shift))

    def _absent(self, part: Part, counted: bool = True) -> Value:
        why = self._why(("absent", part.shift_days, counted), [*self._life(part.shift_days, counted), (exp.true(), "no_source")])
        return Value(exp.cast(exp.null(), _TYPES[part.kind]), why, part.kind)

    def _attribute(self, column: str, part: Part) -> Value:
        if "accounts" not in self.question.tables:
            why = self._why(("not stated", part.shift_days), [*self._life(part.shift_days, counted=False), (exp.true(), "not_stated")])
            return Value(exp.cast(exp.null(), _TYPES[part.kind]), why, part.kind)
        cell = self._stated(column, part.shift_days)
        lacking = [*self._life(part.shift_days, counted=False), (cell.is_(exp.null()), "not_stated")]
        why = self._why(("stated", part.shift_days, column), lacking)
        kind = column_kind(self.question, "accounts", column)
        value = exp.cast(cell.copy(), "double") if part.kind == "number" and kind != "number" else cell.copy()
        return Value(exp.Case().when(why.is_(exp.null()), value), why, part.kind)

    def _stated(self, column: str, shift: int) -> exp.Column:
        names = self.attributes.setdefault(shift, [])
        if column not in names:
            names.append(column)
        return exp.column(f"a{shift}_{names.index(column)}")

    def _seats(self, part: Part) -> Value:
        """Seats of the running terms where any of them states some, else those stated of the account."""
        accounts = self.question.tables.get("accounts")
        by_account = accounts is not None and "seats" in accounts.columns
        if "subscriptions" not in self.question.tables:
            return self._attribute("seats", part) if by_account else self._absent(part, counted=False)
        i = self._opened(Open("subscriptions", None, "seats"), part.shift_days)
        sold = exp.Case().when(exp.GT(this=exp.column(f"e{i}"), expression=number(0)), exp.column(f"t{i}"))
        stated = exp.cast(self._stated("seats", part.shift_days), "double") if by_account else exp.null()
        seats = exp.func("COALESCE", sold, stated)
        no_terms = [] if by_account else self._no_rows_of("subscriptions", part.shift_days)
        cases = [*self._life(part.shift_days, counted=False), *no_terms, (seats.is_(exp.null()), "not_stated")]
        why = self._why(("seats", part.shift_days), cases)
        return Value(exp.Case().when(why.is_(exp.null()), seats.copy()), why, part.kind)

    def _to_end(self, part: Part) -> Value:
        """Days to the next end of a base term."""
        shift = part.shift_days
        if "subscriptions" not in self.question.tables:
            return self._absent(part, counted=False)
        if shift not in self.ends:
            self.ends.append(shift)
        end = exp.column(f"end{shift}")
        ends = [(end.is_(exp.null()), "no_contract"), (end.eq(number(FOREVER)), "not_stated")]
        why = self._why(("end", shift), [*self._life(shift, counted=False), *self._no_rows_of("subscriptions", shift), *ends])
        value = exp.cast(exp.Sub(this=end.copy(), expression=_shifted(shift)), "bigint")
        return Value(exp.Case().when(why.is_(exp.null()), value), why, part.kind)

    def _arr(self, part: Part) -> Value:
        self.arr = True
        told = [(exp.column("arr_why").is_(exp.null()).not_(), exp.column("arr_why"))]
        case = first_of(self._life(0, counted=False))
        lacking = exp.Case().when(exp.column("arr").is_(exp.null()), code("not_stated"))
        rest = exp.Case().when(*told[0]).else_(lacking)
        if ("arr",) not in self.whys:
            self.whys[("arr",)] = self.columns.add(f"q{len(self.whys)}", exp.func("COALESCE", case, rest))
        why = self.whys[("arr",)].copy()
        return Value(exp.Case().when(why.is_(exp.null()), exp.column("arr")), why, part.kind)


_TYPES = {"number": "double", "whole": "bigint", "text": "text", "day": "int", "flag": "boolean"}


def _joined(units: exp.Select, table: str, columns: Mapping[str, str], sliced: bool) -> exp.Select:
    """The units with columns of a table by unit, by their names."""
    rows: exp.Expr = exp.to_table(table)
    if sliced:
        rows = exp.select("*").from_(table).where(in_slice(exp.column("unit"))).subquery(table)
    picked = [exp.column(column, table=table).as_(name) for name, column in columns.items()]
    return units.join(rows, on=f"{table}.unit = u.unit", join_type="left").select(*picked)


def _shifted(shift: int) -> exp.Expr:
    day = exp.column("day")
    return exp.paren(exp.Sub(this=day, expression=number(shift))) if shift else day


def _arr_step() -> Step:
    """ARR as it was told for accounts and dates, on the units."""
    why = exp.Case(this=exp.column("reason", table="t"))
    for reason, i in CODES.items():
        why = why.when(exp.Literal.string(reason), exp.cast(number(i), "tinyint"), copy=False)
    unknown = exp.Case().when(exp.column("reason", table="t").is_(exp.null()).not_(), code("not_stated"))
    found = exp.select("u.unit AS unit", "t.arr AS arr", why.else_(unknown).as_("why")).from_("units AS u")
    day = exp.UnixDate(this=exp.column("as_of", table="t"))
    on = exp.and_("t.account_id = u.account_id", exp.EQ(this=day, expression=exp.column("day", table="u")))
    return Step("arr_units", found.join(f"{ARR} AS t", on=on), "annual recurring revenue")


def is_leaf(series: Series) -> bool:
    """Whether a series is read from the book."""
    return isinstance(series, Measure | Standing)
