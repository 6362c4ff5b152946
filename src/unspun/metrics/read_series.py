"""The series of metrics.yml: what a metric is made of, read as nodes, with every fault at its line."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import cast

from unspun.book.columns import did_you_mean
from unspun.book.entities import TableName
from unspun.book.mapping.yaml_checks import YamlChecks, listed
from unspun.book.mapping.yaml_nodes import YamlPath
from unspun.metrics.conditions import Condition
from unspun.metrics.fields import (
    CRITERION_FIELDS,
    DERIVED_KINDS,
    KINDS,
    MEASURE_KINDS,
    PART_FIELDS,
    PERIOD_WINDOWS,
    ROWS_FIELDS,
    TERMS,
    WINDOW,
    WITH_WHERE,
    WITH_WINDOW,
)
from unspun.metrics.forms import COLUMN_HINT, is_column, printable
from unspun.metrics.nodes import (
    SHAREABLE,
    Add,
    Arr,
    Attribute,
    Before,
    Case,
    Change,
    Constant,
    Criterion,
    DaysToEnd,
    Multiply,
    Open,
    Ratio,
    Reference,
    Rows,
    Seats,
    Series,
    Share,
    Subtract,
    Trend,
    When,
    ZScore,
)
from unspun.metrics.read_condition import made, read_bound, read_condition, read_values
from unspun.metrics.read_measure import has_all, read_days, read_form, told_kind
from unspun.metrics.windows import Days, LastPeriod, Lifetime, Months, Period, SinceContractStart, ThisPeriod, Window

Fields = dict[str, object]
MOST_GUESSES = 100
"""What an unknown name may stand for is looked for only so often: a file may hold very many."""
WINDOW_HINT = f"Write 28d, 4w, 3mo, or one of {listed(PERIOD_WINDOWS)}."


class SeriesReader:
    """Reads series. A method gives None where something is at fault, which `checks` then keeps. `ids` are the metrics that are declared."""

    def __init__(self, checks: YamlChecks, ids: Collection[str]) -> None:
        self.checks, self.ids = checks, ids
        self._unknown = 0

    def series(self, path: YamlPath, value: object) -> Series | None:
        """A series as it stands anywhere in another: a metric's id, a number, or a mapping with one kind."""
        if isinstance(value, str):
            return self._reference(path, value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return made(self.checks, path, lambda: Constant(value))
        if isinstance(value, dict):
            return self.mapping(path, cast("Fields", value))
        hint = "Write a metric's id, a number, or a mapping such as {count: events}."
        self.checks.fault("not_a_series", f"{told_kind(value)} is no series.", path, hint)
        return None

    def mapping(self, path: YamlPath, given: Fields, other: Collection[str] = ()) -> Series | None:
        """A series from the one kind that the mapping has, with its `where` and `window`. `other` are keys that stand beside it."""
        kinds = [name for name in given if name in KINDS]
        self._check_keys(path, given, kinds, other)
        if len(kinds) != 1:
            self._refuse_kinds(path, kinds)
            return None
        kind = kinds[0]
        if kind in MEASURE_KINDS:
            return self._measure(path, kind, given)
        if kind in DERIVED_KINDS:
            return self._derived((*path, kind), kind, given[kind])
        return self._standing(path, kind, given)

    def _check_keys(self, path: YamlPath, given: Fields, kinds: list[str], other: Collection[str]) -> None:
        for name in given:
            fitting = (name == "where" and {*kinds} & {*WITH_WHERE}) or (name == "window" and {*kinds} & {*WITH_WINDOW})
            if name in KINDS or name in other or fitting or (name in ROWS_FIELDS and len(kinds) != 1):
                continue
            if name in ROWS_FIELDS:
                hint = f"It is for {listed(WITH_WHERE if name == 'where' else WITH_WINDOW)}."
                self.checks.fault("unknown_key", f"'{name}' says nothing of '{kinds[0]}'.", (*path, name), hint)
            else:
                known = [*KINDS, *ROWS_FIELDS, *other]
                hint = did_you_mean(name, known) or f"Here stand {listed([*other, *ROWS_FIELDS])}, and one kind of measure."
                self.checks.fault("unknown_key", f"{printable(name)} means nothing here.", (*path, name), hint.strip())

    def _refuse_kinds(self, path: YamlPath, kinds: list[str]) -> None:
        if kinds:
            told = listed([f"'{kind}'" for kind in kinds])
            self.checks.fault("two_kinds", f"{told} stand side by side; a series is of one kind.", path, "Give each a metric of its own.")
        else:
            self.checks.fault("no_kind", "it does not say what is measured.", path, f"Add one of {listed(KINDS)}.")

    def _reference(self, path: YamlPath, name: str) -> Series | None:
        if name in self.ids:
            return Reference(name)
        self._unknown += 1
        near = did_you_mean(name, self.ids) if self._unknown <= MOST_GUESSES else ""
        hint = f"{near}Name a metric of this file by its id, or write a series such as {{count: events}}."
        self.checks.fault("unknown_metric", f"there is no metric {printable(name)}.", path, hint)
        return None

    # Measures of rows

    def _measure(self, path: YamlPath, kind: str, given: Fields) -> Series | None:
        form = read_form(self.checks, (*path, kind), kind, given[kind])
        table, column = (None, "") if form is None else self._place(form.at, kind, form.of, form.of_column)
        where = self._where(path, given, table or "")
        window = self._window((*path, "window"), given["window"]) if "window" in given else Lifetime()
        if form is None or table is None or (form.of_column and not column) or window is None:
            return None
        rows = made(self.checks, (*path, kind), lambda: Rows(table, where, window))
        if rows is None or (where is None and "where" in given):
            return None
        return made(self.checks, (*path, kind), lambda: form.make(rows, column))

    def _place(self, path: YamlPath, kind: str, value: object, of_column: bool) -> tuple[TableName | None, str]:
        """The table and the column that `table.column` names; the column "" where there is none."""
        if not isinstance(value, str) or not value.strip() or len(value) > 300:
            wanted = "events.value" if of_column else "events"
            what = f"'{kind}' is {told_kind(value)}"
            self.checks.fault(
                "not_a_table",
                f"{what}; it must name a table{' and a column' if of_column else ''}.",
                path,
                f"As in `{path[-1]}: {wanted}`.",
            )
            return None, ""
        table, dot, column = value.partition(".")
        if of_column and not column.strip():
            self.checks.fault(
                "no_column", f"'{kind}' must say of which column of {printable(table)}.", path, f"Write `{path[-1]}: TABLE.COLUMN`."
            )
            return None, ""
        if dot and not of_column and kind != "open":
            self.checks.fault(
                "column_given", f"'{kind}' is of rows, not of a column.", path, f"Write {printable(table)}, without the column."
            )
            return None, ""
        if not is_column(table) or (column and not is_column(column)):
            self.checks.fault("bad_column", f"{printable(value)} can be no table or column.", path, COLUMN_HINT)
            return None, ""
        return cast("TableName", table), column

    def _where(self, path: YamlPath, given: Fields, table: str) -> Condition | None:
        return read_condition(self.checks, (*path, "where"), given["where"], table) if "where" in given else None

    def _window(self, path: YamlPath, value: object) -> Window | None:
        found = WINDOW.fullmatch(value) if isinstance(value, str) else None
        if found is not None:
            number, unit = int(found[1]), found[2]
            return made(self.checks, path, lambda: Months(number) if unit == "mo" else Days(number * (7 if unit == "w" else 1)))
        if isinstance(value, str) and value in PERIOD_WINDOWS:
            return _named_window(value)
        near = did_you_mean(value, PERIOD_WINDOWS) if isinstance(value, str) else ""
        self.checks.fault(
            "bad_window", f"{printable(value) if isinstance(value, str) else told_kind(value)} is no window.", path, near + WINDOW_HINT
        )
        return None

    # What stands on a date

    def _standing(self, path: YamlPath, kind: str, given: Fields) -> Series | None:
        at, value = (*path, kind), given[kind]
        if kind == "value":
            if isinstance(value, int | float) and not isinstance(value, bool):
                return made(self.checks, at, lambda: Constant(value))
            self.checks.fault(
                "not_a_number", f"'value' is {told_kind(value)}; it must be a number.", at, "Write `value: 1`, without quotes."
            )
            return None
        if kind == "open":
            return self._open(path, given)
        if kind == "attribute":
            if isinstance(value, str) and is_column(value):
                return Attribute(value)
            self.checks.fault(
                "bad_column", f"'attribute' is {told_kind(value)}; it must name a column of accounts.", at, "As in `attribute: segment`."
            )
            return None
        if kind == "days_to_end":
            if value == TERMS:
                return DaysToEnd()
            self.checks.fault("bad_table", f"'days_to_end' is of {TERMS}.", at, f"Write `days_to_end: {TERMS}`.")
            return None
        if value is True:
            return Arr() if kind == "arr" else Seats()
        self.checks.fault("not_a_flag", f"'{kind}' must be true.", at, f"Write `{kind}: true`.")
        return None

    def _open(self, path: YamlPath, given: Fields) -> Series | None:
        table, column = self._place((*path, "open"), "open", given["open"], of_column=False)
        where = self._where(path, given, table or "")
        if table is None or (where is None and "where" in given):
            return None
        return made(self.checks, (*path, "open"), lambda: Open(table, where, column))

    # Derived

    def _derived(self, path: YamlPath, kind: str, value: object) -> Series | None:
        match kind:
            case "metric":
                if isinstance(value, str):
                    return self._reference(path, value)
                self.checks.fault("not_text", f"'metric' is {told_kind(value)}; it must be a metric's id.", path)
                return None
            case "ratio":
                return self._pair(path, value, Ratio, ("of", "by"))
            case "subtract":
                return self._pair(path, value, Subtract, ())
            case "add" | "multiply":
                return self._several(path, value, Add if kind == "add" else Multiply)
            case "per_seat" | "per_arr":
                of, by = self.series(path, value), Seats() if kind == "per_seat" else Arr()
                return None if of is None else Ratio(of, by)
            case "z_score":
                return self._z_score(path, value)
            case "case":
                return self._case(path, value)
            case _:
                return self._of(path, kind, value)

    def _pair(self, path: YamlPath, value: object, node: Callable[[Series, Series], Series], words: tuple[str, ...]) -> Series | None:
        if isinstance(value, dict) and words:
            given = self.checks.fields(path, value, words)
            if not has_all(self.checks, path, value, words):
                return None
            parts = [self.series((*path, name), given[name]) for name in words if name in given]
        else:
            items = self.checks.items(path, value)
            if isinstance(value, list) and len(items) != 2:
                self.checks.fault("bad_operands", f"'{path[-1]}' is of two series, not of {len(items):,}.", path, "Write [a, b].")
                return None
            parts = [self.series((*path, i), one) for i, one in enumerate(items)]
        held = [part for part in parts if part is not None]
        return node(held[0], held[1]) if len(held) == 2 else None

    def _several(self, path: YamlPath, value: object, node: type[Add] | type[Multiply]) -> Series | None:
        items = self.checks.items(path, value)
        parts = [self.series((*path, i), one) for i, one in enumerate(items)]
        held = tuple(part for part in parts if part is not None)
        if not isinstance(value, list) or len(held) < len(items):
            return None
        return made(self.checks, path, lambda: node(held))

    def _of(self, path: YamlPath, kind: str, value: object) -> Series | None:
        """`before`, `change`, `trend` and `share`: a mapping with `of`."""
        given = self.checks.fields(path, value, PART_FIELDS[kind])
        needed = [name for name in PART_FIELDS[kind] if name != "as"]
        if not isinstance(value, dict) or not has_all(self.checks, path, value, needed):
            return None
        of = self.series((*path, "of"), given["of"]) if "of" in given else None
        if kind == "share":
            return self._share(path, of, given)
        days = (
            read_days(self.checks, (*path, "every"), given.get("every"))
            if kind == "trend"
            else read_days(self.checks, (*path, "days"), given.get("days"))
        )
        relative = self.checks.choice((*path, "as"), given["as"], ("difference", "ratio")) if "as" in given else "difference"
        steps = self._steps((*path, "steps"), given.get("steps")) if kind == "trend" else 0
        if of is None or days is None or relative is None or steps is None:
            return None
        if kind == "trend":
            return made(self.checks, path, lambda: Trend(of, steps, days))
        return made(self.checks, path, lambda: Before(of, days) if kind == "before" else Change(of, days, relative == "ratio"))

    def _share(self, path: YamlPath, of: Series | None, given: Fields) -> Series | None:
        table = of.rows.table if isinstance(of, SHAREABLE) else ""
        where = self._where(path, given, table)
        if of is not None and not isinstance(of, SHAREABLE):
            hint = "Write it out, as in `of: {count: events, window: 28d}`."
            self.checks.fault("bad_share", "a share is of `count`, `sum`, `distinct`, `active_days` or `user_days`.", (*path, "of"), hint)
            return None
        return None if where is None or of is None else Share(of, where)

    def _steps(self, path: YamlPath, value: object) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if value is not None:
            self.checks.fault("bad_steps", f"'steps' is {told_kind(value)}; it must be a whole number.", path, "Write 3 to 24.")
        return None

    def _z_score(self, path: YamlPath, value: object) -> Series | None:
        if not isinstance(value, dict) or not {"of", "within"} & set(value):
            of = self.series(path, value)
            return None if of is None else ZScore(of)
        given = self.checks.fields(path, value, PART_FIELDS["z_score"])
        if not has_all(self.checks, path, value, ("of",)):
            return None
        of = self.series((*path, "of"), given["of"]) if "of" in given else None
        within = given.get("within", "")
        if within != "" and not (isinstance(within, str) and is_column(within)):
            told = printable(within) if isinstance(within, str) else told_kind(within)
            self.checks.fault("bad_column", f"'within' is {told}; it must name a column of accounts.", (*path, "within"), COLUMN_HINT)
            return None
        return None if of is None else ZScore(of, str(within))

    # Cases

    def _case(self, path: YamlPath, value: object) -> Series | None:
        items = self.checks.items(path, value)
        whens: list[When | None] = []
        otherwise: list[Series | None] = []
        for i, one in enumerate(items):
            at = (*path, i)
            given = self.checks.fields(at, one, PART_FIELDS["case"])
            if "otherwise" not in given:
                whens.append(self._when(at, one, given))
            elif i < len(items) - 1 or {"when", "then"} & set(given):
                self.checks.fault("bad_case", "'otherwise' stands by itself, as the last item.", at, "Move it to the end of the list.")
                otherwise.append(None)
            else:
                otherwise.append(self.series((*at, "otherwise"), given["otherwise"]))
        held = tuple(when for when in whens if when is not None)
        if not isinstance(value, list) or len(held) < len(whens) or None in otherwise:
            return None
        return made(self.checks, path, lambda: Case(held, otherwise[0] if otherwise else None))

    def _when(self, path: YamlPath, value: object, given: Fields) -> When | None:
        if not isinstance(value, dict) or not has_all(self.checks, path, value, ("when", "then")):
            return None
        then = self.series((*path, "then"), given["then"]) if "then" in given else None
        criteria = self._criteria((*path, "when"), given["when"]) if "when" in given else None
        return None if then is None or criteria is None else When(criteria, then)

    def _criteria(self, path: YamlPath, value: object) -> tuple[Criterion, ...] | None:
        """From `{metric: value}`, or from a list of `{of: series, above: 3}`."""
        pairs: list[tuple[YamlPath, Series | None, object]] = []
        if isinstance(value, list):
            for i, one in enumerate(cast("list[object]", value)):
                entry = dict(self.checks.entries((*path, i), one))
                if not isinstance(one, dict):
                    return None
                of = entry.pop("of", None)
                if of is None:
                    self.checks.fault("missing_key", "a criterion lacks 'of'.", (*path, i), "Write {of: SERIES, above: 3}.")
                pairs.append(((*path, i), None if of is None else self.series((*path, i, "of"), of), entry))
        else:
            pairs = [((*path, name), self._reference((*path, name), name), one) for name, one in self.checks.entries(path, value).items()]
        if not pairs and isinstance(value, dict | list):
            self.checks.fault("bad_case", "'when' is empty.", path, "Give it a criterion, or write the value as `otherwise`.")
        found = [one for at, of, tests in pairs for one in self._criterion(at, of, tests)]
        held = tuple(one for one in found if one is not None)
        return held if held and len(held) == len(found) else None

    def _criterion(self, path: YamlPath, of: Series | None, value: object) -> list[Criterion | None]:
        if not isinstance(value, dict) or set(value) == {"day"}:
            values = read_values(self.checks, path, value)
            return [None if of is None or values is None else made(self.checks, path, lambda: Criterion(of, "is", values))]
        if not value:
            self.checks.fault("bad_case", "a criterion compares with nothing.", path, f"Add some of {listed(CRITERION_FIELDS)}.")
            return [None]
        return [self._comparison((*path, name), of, name, one) for name, one in cast("Fields", value).items()]

    def _comparison(self, path: YamlPath, of: Series | None, name: str, value: object) -> Criterion | None:
        if name not in CRITERION_FIELDS:
            hint = f"{did_you_mean(name, CRITERION_FIELDS)}Here stand {listed(CRITERION_FIELDS)}."
            self.checks.fault("unknown_key", f"{printable(name)} means nothing here.", path, hint)
            return None
        if name == "is":
            values = read_values(self.checks, path, value)
        else:
            bound = read_bound(self.checks, path, value)
            values = None if bound is None else (bound,)
        return None if of is None or values is None else made(self.checks, path, lambda: Criterion(of, name, values))


def _named_window(word: str) -> Window:
    if word in ("contract", "lifetime"):
        return SinceContractStart() if word == "contract" else Lifetime()
    period = cast("Period", word.removeprefix("last "))
    return LastPeriod(period) if word.startswith("last ") else ThisPeriod(period)
