"""Features as coded terms: each value, level and reason for a missing value has a step of its own in the term's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unspun.book.tables import Codes
from unspun.risk.rows import HIDDEN, TERM_CLASSES, Feature, RiskRows
from unspun.stats.splines import BASES, Scale, centred, choose_scale, curve_table, level_table, line_table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Steps = NDArray[np.integer]
TermsKind = Literal["base rate", "baseline", "linear", "splines"]
TERMS_KINDS: tuple[TermsKind, ...] = ("base rate", "baseline", "linear", "splines")

LEAD = Feature("lead", "Days to the due date", "days", "number", given=True)
TERM_CLASS = Feature("term class", "Length of the term", "", "category", given=True, names=TERM_CLASSES)
FEWEST_CLUSTERS = 10  # that lack a value for one reason, before the reason has a step of its own
MOST_LEVELS = 100  # of a category; the rarer ones count as typical
UNSTATED = ""  # the level of a category that is not given, and the reason of a value missing without one


@dataclass(frozen=True, slots=True)
class TermCoding:
    """How one feature becomes steps. `scale` is that of a number, `levels` are the names of a category.

    Steps run: those of the scale or the levels, one for each reason for which values are missing, and last the one that adds nothing.
    `counts` are the rows of training by step. `bends` says whether a number has more than a straight line.
    """

    feature: Feature
    scale: Scale | None
    levels: tuple[str, ...]
    reasons: tuple[str, ...]
    bends: bool
    counts: tuple[int, ...]

    @property
    def values(self) -> int:
        """How many steps hold values."""
        return len(self.levels) if self.scale is None else self.scale.steps

    @property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """The penalties of the table's columns."""
        name, missing = self.feature.id, ((f"missing:{self.feature.id}", len(self.reasons)),) if self.reasons else ()
        if self.scale is None:
            return ((f"levels:{name}", len(self.levels)), *missing)
        return ((f"line:{name}", 1), *(((f"curve:{name}", BASES - 2),) if self.bends else ()), *missing)

    @property
    def columns(self) -> int:
        """How many columns the table has."""
        return sum(length for _, length in self.groups)

    def table(self) -> Floats:
        """Columns by step, of mean zero over the rows of training; the last row is zero. Shape (steps, columns)."""
        counts = np.array(self.counts, dtype=np.float64)
        held = counts[: self.values]
        if self.scale is None:
            parts = [level_table(len(self.levels))]
        else:
            parts = [line_table(self.scale, held), *([curve_table(self.scale, held)] if self.bends else [])]
        width = sum(part.shape[1] for part in parts)
        found = np.zeros((len(counts), width + len(self.reasons)))
        found[: self.values, :width] = np.hstack(parts)
        found[self.values : -1, width:] = np.eye(len(self.reasons))
        found[:-1] = centred(found[:-1], counts[:-1]) if counts[:-1].any() else found[:-1]
        return found

    def place(self, rows: RiskRows) -> Steps:
        """The step of each row."""
        column, reasons = _column(self.feature.id, rows)
        if self.scale is None:
            names = next((one.names for one in rows.features if one.id == self.feature.id), self.feature.names)
            return _place_levels(self.levels, len(self.counts), column, names)
        steps = self.scale.place(column).astype(np.int16)
        missing = ~np.isfinite(column)
        steps[missing] = self.values + _place_reasons(self.reasons, reasons, len(column))[missing]
        return steps


def code_features(rows: RiskRows, kind: TermsKind) -> tuple[tuple[TermCoding, ...], tuple[tuple[str, str], ...]]:
    """The terms of a model of this kind, and the features left out of it with why."""
    codings, left_out = [], []
    for feature in (LEAD, TERM_CLASS, *rows.features):
        own = feature in (LEAD, TERM_CLASS)
        if (kind == "base rate" and not own) or (kind == "baseline" and not feature.given):
            continue
        coding = _code(feature, rows, bends=kind == "splines")
        if coding is None:
            if not own:
                left_out.append((feature.id, "no value, or one value only, in training"))
        else:
            codings.append(coding)
    return tuple(codings), tuple(left_out)


def _code(feature: Feature, rows: RiskRows, bends: bool) -> TermCoding | None:
    column, reasons = _column(feature.id, rows)
    if feature.kind == "category":
        return _code_category(feature, rows, column)
    missing = _common_reasons(column, reasons, rows.cluster)
    scale = choose_scale(column)
    if scale is None:
        return None
    coding = TermCoding(feature, scale, (), missing, bends and scale.steps > 2, (0,) * (scale.steps + len(missing) + 1))
    return _with_counts(coding, rows)


def _code_category(feature: Feature, rows: RiskRows, column: Floats) -> TermCoding | None:
    names = (*feature.names, UNSTATED)
    counts = np.bincount(np.where(np.isfinite(column), column, len(feature.names)).astype(np.int64), minlength=len(names))
    common = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
    levels = tuple(sorted(names[i] for i in common if counts[i]))
    if len(levels) < 2:
        return None
    return _with_counts(TermCoding(feature, None, levels, (), False, (0,) * (len(levels) + 1)), rows)


def _with_counts(coding: TermCoding, rows: RiskRows) -> TermCoding:
    counts = np.bincount(coding.place(rows), minlength=len(coding.counts))
    return TermCoding(coding.feature, coding.scale, coding.levels, coding.reasons, coding.bends, tuple(counts.tolist()))


def _column(id: str, rows: RiskRows) -> tuple[Floats, Codes | None]:
    """A feature's values, and why they are missing. A feature that the rows do not have is missing everywhere."""
    if id == LEAD.id:
        return rows.lead.astype(np.float64), None
    if id == TERM_CLASS.id:
        return np.where(rows.term_class >= 0, rows.term_class, np.nan), None
    missing = np.full(len(rows), np.nan)
    return rows.columns.get(id, missing), rows.reasons.get(id)


def _common_reasons(column: Floats, reasons: Codes | None, cluster: Ints) -> tuple[str, ...]:
    """The reasons for which values of enough clusters are missing. An outage is none of them: it says nothing of an account."""
    missing = ~np.isfinite(column)
    code = np.full(len(column), -1) if reasons is None else reasons.codes
    names: Sequence[str] = () if reasons is None else reasons.names
    found = []
    for at, name in enumerate((*names, UNSTATED)):
        own = missing & (code == (at if at < len(names) else -1))
        if name not in HIDDEN and len(np.unique(cluster[own])) >= FEWEST_CLUSTERS:
            found.append(name)
    return tuple(sorted(set(found)))


def _place_reasons(known: tuple[str, ...], reasons: Codes | None, n: int) -> Ints:
    """Position among the known reasons; after the last of them where the reason is another."""
    at = {name: i for i, name in enumerate(known)}
    names: Sequence[str] = () if reasons is None else reasons.names
    lookup = np.array([at.get(name, len(known)) for name in (*names, UNSTATED)])  # code -1 takes the last
    return lookup[np.full(n, -1) if reasons is None else reasons.codes]


def _place_levels(levels: tuple[str, ...], steps: int, column: Floats, names: Sequence[str]) -> Steps:
    at = {name: i for i, name in enumerate(levels)}
    lookup = np.array([at.get(name, steps - 1) for name in (*names, UNSTATED)], dtype=np.int16)
    return lookup[np.where(np.isfinite(column), column, len(names)).astype(np.int64)]


def coding_to_json(coding: TermCoding) -> dict[str, Any]:
    """Plain data, from which `coding_from_json` makes the same coding."""
    feature, scale = coding.feature, coding.scale
    return {
        "id": feature.id,
        "label": feature.label,
        "unit": feature.unit,
        "kind": feature.kind,
        "direction": feature.direction,
        "given": feature.given,
        "names": list(feature.names),
        "scale": None if scale is None else [scale.centre, scale.spread, scale.low, scale.high, scale.steps],
        "levels": list(coding.levels),
        "reasons": list(coding.reasons),
        "bends": coding.bends,
        "counts": list(coding.counts),
    }


def coding_from_json(data: Mapping[str, Any]) -> TermCoding:
    """The coding that was written."""
    feature = Feature(data["id"], data["label"], data["unit"], data["kind"], data["direction"], data["given"], tuple(data["names"]))
    scale = None if data["scale"] is None else Scale(*data["scale"])
    return TermCoding(feature, scale, tuple(data["levels"]), tuple(data["reasons"]), data["bends"], tuple(data["counts"]))
