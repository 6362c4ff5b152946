"""A fitted model with its record, and both as plain data: what is kept is what is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import Any

import numpy as np

from unspun.audit.result import ReliabilityBin
from unspun.risk.boosting import REPLICATES, BoostedModel, fit_boosting
from unspun.risk.candidates import RiskModel
from unspun.risk.hazard import HazardModel
from unspun.risk.reasons import Typical
from unspun.risk.result import CandidateRecord, CurvePoint, LeadCheck, ModelCheck, ModelRecord, TermRecord
from unspun.risk.rows import TERM_CLASSES, RiskRows, known_by
from unspun.stats.estimate import Estimate, NoEstimate

FORMAT = 1  # of what to_json writes
BOOSTED = "boosting"
KEPT = {
    one.__name__: one
    for one in (CandidateRecord, CurvePoint, Estimate, LeadCheck, ModelCheck, ModelRecord, NoEstimate, ReliabilityBin, TermRecord)
}


@dataclass(frozen=True, slots=True)
class FittedRisk:
    """A model fitted on all that was known before the cutoff day, and how it came to be.

    `longest_lead_days` is by class of the term (first those of unknown length), -1 where none was seen; `typical` is what reasons are told
    against.
    """

    model: RiskModel
    record: ModelRecord
    cutoff: int
    seed: int
    longest_lead_days: tuple[int, ...]
    typical: Typical

    def to_json(self) -> dict[str, Any]:
        """Plain data. An additive model is kept by its coefficients; a boosted one is fitted again by `from_json`."""
        return {
            "format": FORMAT,
            "model": self.model.to_json() if isinstance(self.model, HazardModel) else BOOSTED,
            "record": _encode(self.record),
            "cutoff": self.cutoff,
            "seed": self.seed,
            "longest_lead_days": list(self.longest_lead_days),
            "typical": dict(self.typical.values),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], rows: RiskRows | None = None) -> FittedRisk:
        """What was written. A boosted model needs the rows that it was fitted on. Raises ValueError without them, or of another format."""
        if data["format"] != FORMAT:
            raise ValueError(f"a fitted model of format {data['format']}, not {FORMAT}")
        record, boosted = _decode(data["record"]), data["model"] == BOOSTED
        return cls(
            model=_boosted(rows, data["cutoff"], data["seed"], record.scale) if boosted else HazardModel.from_json(data["model"]),
            record=record,
            cutoff=data["cutoff"],
            seed=data["seed"],
            longest_lead_days=tuple(data["longest_lead_days"]),
            typical=Typical(data["typical"]),
        )


def longest_leads(rows: RiskRows) -> tuple[int, ...]:
    """The longest lead of the rows by class of the term (first those of unknown length), -1 where there is none."""
    found = np.full(len(TERM_CLASSES) + 1, -1)
    np.maximum.at(found, rows.term_class + 1, rows.lead)
    return tuple(found.tolist())


def _boosted(rows: RiskRows | None, cutoff: int, seed: int, scale: float) -> BoostedModel:
    if rows is None:
        raise ValueError("a boosted model is fitted again: give the rows")
    model = fit_boosting(known_by(rows, cutoff), seed=seed, replicates=REPLICATES, scale=scale)
    if isinstance(model, NoEstimate):
        raise ValueError(f"these are not the rows that the model was fitted on: {model.reason}")
    return model


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        return {"kind": type(value).__name__} | {one.name: _encode(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, date):
        return {"kind": "date", "day": value.isoformat()}
    return [_encode(one) for one in value] if isinstance(value, tuple) else value


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(one) for one in value)
    if not isinstance(value, dict):
        return value
    if value["kind"] == "date":
        return date.fromisoformat(value["day"])
    return KEPT[value["kind"]](**{name: _decode(one) for name, one in value.items() if name != "kind"})
