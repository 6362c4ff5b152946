"""The record of forecasters as a folder: one page, its styles and script, and the numbers as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from unspun.reports import forecast_record_charts, forecast_record_claims, marks, words
from unspun.reports.forecast_html import Proof, filled, page_assets, row_file, shared_context
from unspun.reports.forecast_record_claims import lead_of, leads_of, primary_lead
from unspun.reports.forecast_rows import misses_csv, outcomes_csv, record_csv
from unspun.reports.marks import Scale
from unspun.reports.within import FILE, Within
from unspun.risk.forecast.result import ForecasterRecord, ForecastRecord, PairRecord
from unspun.stats.estimate import Estimate, MaybeEstimate

MOST_CALLS = 12  # of one quantity; the others open on demand
MOST_MISSES = 12
SAID_OF = ("grr", "churned", "nrr", "arr")
POINTS = words.Style(1, signed=True)
DIFFERENCE = words.Style(3, signed=True, reference=0.0)


def render_record(record: ForecastRecord, proof: Proof, within: Within = FILE) -> Iterator[tuple[str, bytes]]:
    """The files of the folder, each as its path and its bytes; the same record gives the same bytes."""
    files = {
        "scores.csv": (record_csv(record, proof.entry), "every score of every forecaster at every lead"),
        "outcomes.csv": (outcomes_csv(record), "what past forecasts said of each quarter, and what came"),
    }
    if within.accounts:
        files["misses.csv"] = misses_csv(record), "the largest surprises, with what each forecaster had said"
    yield from page_assets(within)
    context = {
        **shared_context(proof, [row_file(name, text, said) for name, (text, said) in files.items()], within),
        "result": record,
        "lead": primary_lead(record),
        "leads": leads_of(record),
        "rc": forecast_record_claims,
        "rcharts": forecast_record_charts,
        "said_of": [of for of in SAID_OF if any(one.quantity == of for shot in record.snapshots for one in shot.outcomes)],
        "biases": biases,
        "estimate_scale": estimate_scale,
        "score_scale": score_scale,
        "pair_estimates": pair_estimates,
        "POINTS": POINTS,
        "DIFFERENCE": DIFFERENCE,
        "MOST_CALLS": MOST_CALLS,
        "MOST_MISSES": MOST_MISSES,
    }
    yield "index.html", filled("forecast_record.html.j2", context)
    yield from ((name, text.encode()) for name, (text, _) in files.items())


def score_scale(forecasters: Sequence[ForecasterRecord], leads: Iterable[int], name: str) -> Scale:
    """One scale for a score of all forecasters at some leads, from the least to the largest end."""
    found = [getattr(lead, name) for one in forecasters for days in leads if (lead := lead_of(one, days)) is not None]
    return estimate_scale(found)


def estimate_scale(values: Iterable[MaybeEstimate], around: float | None = None) -> Scale:
    ends = [end for value in values if isinstance(value, Estimate) for end in (value.low, value.high)]
    held = marks.scale_over(ends, around=around, margin=0.08)
    return Scale(held.low, held.high, 3, 97)


def biases(forecasters: Sequence[ForecasterRecord], days: int) -> list[MaybeEstimate]:
    """The biases of all forecasters at a lead, of renewals and of ARR."""
    held = [lead for one in forecasters if (lead := lead_of(one, days)) is not None]
    return [value for lead in held for value in (lead.bias, *(of for _, of in lead.arr_bias))]


def pair_estimates(pairs: Sequence[PairRecord]) -> list[MaybeEstimate]:
    return [one.brier for one in pairs]
