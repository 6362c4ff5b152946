"""The file of a scorecard, CSV or YAML, as rows: which column or key says what, told by the usual names and by nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from unspun.book.columns import did_you_mean
from unspun.book.mapping.yaml_checks import YamlChecks
from unspun.book.mapping.yaml_nodes import YamlPath, read_yaml
from unspun.book.text import quoted, squash
from unspun.errors import BadInput, Fault
from unspun.health.scorecard import Row, Scorecard, SetAside
from unspun.metrics.forms import printable

MOST_ROWS, LONGEST_CELL = 2_000, 500
ROLES: Mapping[str, tuple[str, ...]] = {
    "measure": ("measure", "measure name", "metric", "factor", "kpi", "indicator", "criterion", "name"),
    "group": ("group", "group name", "measure group", "category", "dimension", "section", "pillar"),
    "group_weight": ("group weight", "group weight %", "category weight", "dimension weight", "section weight", "pillar weight"),
    "weight": ("weight", "weight %", "measure weight", "metric weight", "factor weight", "weighting", "weightage"),
    "start": ("from", "at least", "min", "minimum", "lower", "lower bound", "threshold", "greater or equal", ">="),
    "end": ("to", "up to", "below", "less than", "max", "maximum", "upper", "upper bound", "<"),
    "value": ("value", "equals", "is", "text"),
    "points": ("points", "score", "points if met"),
    "band": ("band", "color", "colour", "rating", "grade"),
}
"""What a column is called that says it, case and punctuation aside."""
SIGNS = {">=": "start", "<": "end"}
THRESHOLD_KEYS = ("from", "to", "value", "points", "band")
MEASURE_KEYS = ("name", "weight", "thresholds", "values")
GROUP_KEYS = ("name", "weight", "measures")
FILE_KEYS = ("name", "groups", "measures", "bands")


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a table, column by column ("" empty), with the number in the file of its header and of each row; and the rows that were
    none, with the reason."""

    names: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    header: int
    rows: tuple[int, ...]
    rejected: tuple[tuple[int, str], ...] = ()


# A table


def from_table(cells: Cells, name: str) -> Scorecard:
    """The scorecard of a table. Raises BadInput, at `name:row`: columns that are not there, or twice; more rows than a scorecard has."""
    if len(cells.rows) > MOST_ROWS:
        raise BadInput(Fault("too_many_rows", f"{len(cells.rows):,} rows are more than a scorecard of up to {MOST_ROWS:,} has.", name))
    roles = _roles(cells.names, name, cells.header)
    rows = tuple(
        Row(f"{name}:{number}", **{role: cells.columns[column][at][:LONGEST_CELL] for role, column in roles.items()})
        for at, number in enumerate(cells.rows)
    )
    rejected = tuple(SetAside(f"{name}:{row}", "", reason) for row, reason in cells.rejected)
    unread = [label for at, label in enumerate(cells.names) if at not in roles.values() and label]
    notes = (f"columns not read: {quoted(unread)}",) if unread else ()
    return Scorecard(rows, rejected, has_weights="weight" in roles, has_group_weights="group_weight" in roles, notes=notes)


def _roles(names: Sequence[str], name: str, header: int) -> dict[str, int]:
    """Which column says what. Raises BadInput: two say the same, or what is needed is not there."""
    found: dict[str, list[int]] = {}
    for at, label in enumerate(names):
        role = SIGNS.get(label.strip()) or next(
            (role for role, words in ROLES.items() if squash(label) in map(squash, words) and squash(label)), None
        )
        if role is not None:
            found.setdefault(role, []).append(at)
    where = f"{name}:{header}"
    faults = [
        Fault(
            "two_columns",
            f"{quoted([names[at] for at in places])} say the same: {role}.",
            f"{where}:{places[1] + 1}",
            "Rename one of them.",
        )
        for role, places in found.items()
        if len(places) > 1
    ]
    if "measure" not in found:
        faults.append(_lacking("measure", "no column names the measures.", names, where))
    if "points" not in found and "band" not in found:
        faults.append(_lacking("points", "no column has points or bands.", names, where))
    if "start" not in found and "value" not in found:
        faults.append(_lacking("start", "no column says from which value on points hold, or for which value.", names, where))
    if faults:
        raise BadInput(faults)
    return {role: places[0] for role, places in found.items()}


def _lacking(role: str, message: str, names: Sequence[str], where: str) -> Fault:
    guess = next((told for label in names if (told := did_you_mean(label, ROLES[role]))), "")
    return Fault(f"no_{role}_column", message, where, f"{guess}The columns are {quoted(list(names), 20)}. Name one '{ROLES[role][0]}'.")


# YAML


def from_yaml(text: str, name: str) -> Scorecard:
    """The scorecard of a YAML file. Raises BadInput with every fault, at `name:line`."""
    checks = YamlChecks(read_yaml(text, name, plain_keys=True))
    value = checks.document.value
    given = checks.fields((), {} if value is None else value, FILE_KEYS)
    rows: list[Row] = []
    for path, label, one in _named(checks, ("groups",), given.get("groups")):
        fields = checks.fields(path, one, GROUP_KEYS)
        within = Row("", group=label, group_weight=_cell(checks, (*path, "weight"), fields.get("weight")))
        rows += _measures(checks, (*path, "measures"), fields.get("measures"), within)
    rows += _measures(checks, ("measures",), given.get("measures"), Row(""))
    bands = _bands(checks, given.get("bands"))
    if not rows and not checks.faults:
        checks.fault("no_measures", "it names no measure.", (), "Name them below 'groups' or 'measures'.")
    if len(rows) > MOST_ROWS:
        checks.fault("too_many_rows", f"{len(rows):,} thresholds are more than a scorecard of up to {MOST_ROWS:,} has.", ())
    if checks.faults:
        raise BadInput(checks.faults)
    weighted, group_weighted = any(row.weight for row in rows), any(row.group_weight for row in rows)
    return Scorecard(tuple(rows), bands=bands, has_weights=weighted, has_group_weights=group_weighted)


def _measures(checks: YamlChecks, path: YamlPath, value: object, within: Row) -> Iterator[Row]:
    for at, label, one in _named(checks, path, value):
        fields = checks.fields(at, one, MEASURE_KEYS)
        measure = replace(within, measure=label, weight=_cell(checks, (*at, "weight"), fields.get("weight")))
        found = [*_thresholds(checks, (*at, "thresholds"), fields.get("thresholds"), measure, "start")]
        found += _thresholds(checks, (*at, "values"), fields.get("values"), measure, "value")
        yield from found or [replace(measure, place=checks.document.place(at))]


def _thresholds(checks: YamlChecks, path: YamlPath, value: object, measure: Row, key_is: str) -> Iterator[Row]:
    """`{0: 0, 5: 60}` (the key is a start, or a text), or a list of `{from: 5, points: 60}`."""
    if isinstance(value, list):
        for at, one in enumerate(checks.items(path, value)):
            fields = checks.fields((*path, at), one, THRESHOLD_KEYS)
            cells = {role: _cell(checks, (*path, at, key), fields.get(key)) for key, role in _KEYS.items()}
            yield replace(measure, place=checks.document.place((*path, at)), **cells)
    elif value is not None:
        for key, worth in checks.entries(path, value).items():
            at = (*path, key)
            yield replace(measure, place=checks.document.place(at), points=_cell(checks, at, worth), **{key_is: str(key)[:LONGEST_CELL]})


_KEYS = {"from": "start", "to": "end", "value": "value", "points": "points", "band": "band"}


def _named(checks: YamlChecks, path: YamlPath, value: object) -> Iterator[tuple[YamlPath, str, object]]:
    """Entries with their names: of a mapping by key, of a list by `name`."""
    if isinstance(value, list):
        for at, one in enumerate(checks.items(path, value)):
            label = checks.entries((*path, at), one).get("name") if isinstance(one, dict) else None
            if isinstance(label, str) and label.strip():
                yield (*path, at), label.strip()[:LONGEST_CELL], one
            else:
                checks.fault("missing_key", "it has no name.", (*path, at), "Write `name: ...`.")
    elif value is not None:
        for key, one in checks.entries(path, value).items():
            yield (*path, key), str(key).strip()[:LONGEST_CELL], one


def _cell(checks: YamlChecks, path: YamlPath, value: object) -> str:
    """A value as a cell of a table has it; a list or a mapping is a fault."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value).strip()[:LONGEST_CELL]
    checks.fault("not_a_value", f"'{path[-1]}' must be one value.", path)
    return ""


def _bands(checks: YamlChecks, value: object) -> tuple[tuple[str, Decimal], ...]:
    found: list[tuple[str, Decimal]] = []
    for key, one in ({} if value is None else checks.entries(("bands",), value)).items():
        if isinstance(one, int | float) and not isinstance(one, bool):
            found.append((str(key), Decimal(repr(one))))
        else:
            hint = "Write the score from which on the band holds."
            checks.fault("not_a_number", f"{printable(one)} is no number.", ("bands", str(key)), hint)
    return tuple(found)
