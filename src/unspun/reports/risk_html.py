"""Renewal risk as a folder of pages: the list, a page a listed renewal, the model; nothing is asked of any network."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from unspun.reports import marks, risk_charts, risk_claims, words
from unspun.reports.audit_html import environment, page_style, read_asset, with_roles
from unspun.reports.evidence_html import POLICY, Proof
from unspun.reports.marks import Scale
from unspun.reports.risk_claims import Earlier, foretold, noticed, span_of, untold
from unspun.reports.risk_files import SimilarZip, renewals_csv, similar_zip
from unspun.reports.row_files import slug
from unspun.reports.within import FILE, Within
from unspun.risk.result import CANNOT_TELL, CandidateRecord, DueTotal, ModelRecord, RenewalRisk, RiskResult
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

MOST_LISTED = 500  # renewals with a page; every one is in renewals.csv
MOST_ROWS = 40  # of the list at first; a button shows the others
MOST_UNTOLD = 60  # of those that nothing can be told of, with a page
MOST_PAST = 5  # past renewals shown at once
MOST_RATIO = 2.0  # of foretold over seen that is drawn
ROOM_FOR_ROWS = 20_000_000  # bytes of all zips of rows in a folder
STYLE, SCRIPT = "assets/risk.css", "assets/risk.js"
SPANS = (*(word for _, word in risk_claims.SPANS), risk_claims.LATER)


def listed(result: RiskResult, most: int = MOST_LISTED) -> list[RenewalRisk]:
    """The renewals with a page: the first `most` with a probability, and the largest that nothing can be told of or that gave notice."""
    dark = [one for some in untold(result).values() for one in some[:MOST_UNTOLD]]
    return [*foretold(result)[:most], *dark, *noticed(result)[:MOST_UNTOLD]]


def render_risk(
    result: RiskResult,
    proof: Proof,
    earlier: Earlier | None = None,
    meanings: Mapping[str, str] | None = None,
    room: int = ROOM_FOR_ROWS,
    most: int = MOST_LISTED,
) -> Iterator[tuple[str, bytes]]:
    """The files of the folder one after the other, each as its path in the folder and its bytes; the same result gives the same bytes.

    `meanings` say what a feature is, by its id. The past renewals behind a comparison lie beside the pages as far as `room` (bytes) goes.
    """
    rows = listed(result, most)
    shared = {**_shared(result, proof, earlier, rows), "meanings": meanings or {}}
    yield STYLE, (page_style() + read_asset("evidence.css") + read_asset("risk.css")).encode()
    yield SCRIPT, (read_asset("theme.js") + read_asset("evidence.js")).encode()
    yield "index.html", _filled("risk_index.html.j2", {**shared, **_index(result, most)})
    yield "model.html", _filled("risk_model.html.j2", {**shared, **_model(result.model)})
    yield "renewals.csv", renewals_csv(result, proof.entry, earlier).encode()
    for place, one in enumerate(rows):
        page = shared["page_of"](one)
        file = similar_zip(one, page, result) if room > 0 else None
        file = None if file is not None and file.size > room else file
        if file is not None:
            room -= file.size
            yield file.name, file.zipped
        around = (rows[place - 1] if place else None, rows[place + 1] if place + 1 < len(rows) else None)
        yield page, _filled("risk_renewal.html.j2", {**shared, **_renewal(one, earlier, file, around, place)})


def render_model(result: RiskResult, proof: Proof, meanings: Mapping[str, str], within: Within) -> bytes:
    """The page of the model alone."""
    shared = {**_shared(result, proof, None, []), "meanings": meanings, "within": within}
    return _filled("risk_model.html.j2", {**shared, **_model(result.model)})


def page_names(rows: Sequence[RenewalRisk]) -> list[str]:
    """The file of each renewal's page, in their order; names that would be the same are numbered."""
    names: list[str] = []
    taken: dict[str, int] = {}
    for one in rows:
        stem = f"{slug(one.name)}-{one.due.isoformat()}"
        taken[stem] = taken.get(stem, 0) + 1
        names.append(f"{stem}.html" if taken[stem] == 1 else f"{stem}-n{taken[stem]}.html")
    return names


def _shared(result: RiskResult, proof: Proof, earlier: Earlier | None, rows: Sequence[RenewalRisk]) -> dict[str, Any]:
    model = result.model
    pages = {id(one): name for one, name in zip(rows, page_names(rows), strict=True)}  # two renewals may have one account and due date
    return {
        "result": result,
        "model": None if isinstance(model, NoEstimate) else model,
        "no_model": model if isinstance(model, NoEstimate) else None,
        "proof": proof,
        "earlier": earlier,
        "page_of": lambda one: pages[id(one)],
        "rows": rows,
        "rc": risk_claims,
        "rcharts": risk_charts,
        "quoted": shlex.quote,
        "policy": POLICY,
        "within": FILE,
        "paper": False,
        "POINTS": words.Style(1, percent=True),
        "LOSS": words.Style(3),
        "LOSS_GAP": words.Style(3, signed=True, reference=0.0),
        "MEANINGS": CANNOT_TELL,
        "MOST_ROWS": MOST_ROWS,
        "MOST_PAST": MOST_PAST,
    }


def _index(result: RiskResult, most: int) -> dict[str, Any]:
    told = foretold(result)
    currency, main, others = risk_claims.totals_of(result)
    return {
        "told": told,
        "shown": told[:most],
        "spans": [(word, n) for word in SPANS if (n := sum(span_of(one) == word for one in told[:most]))],
        "untold": untold(result),
        "noticed": noticed(result),
        "currency": currency,
        "heads": [one for one in main if one.n],
        "other_totals": [one for one in others if one.n],
        "head_scale": _share_scale(main),
        "scale": risk_charts.risk_scale(told[:most]),
        "MOST_UNTOLD": MOST_UNTOLD,
    }


def _share_scale(totals: Sequence[DueTotal]) -> Scale:
    """One scale for the shares of ARR that are expected to be lost, from nought."""
    parts = [one.expected_lost.high / one.arr for one in totals if isinstance(one.expected_lost, Estimate) and one.arr]
    return Scale(0.0, min(1.0, 1.1 * max([0.1, *parts])))


def _renewal(
    one: RenewalRisk, earlier: Earlier | None, file: SimilarZip | None, around: tuple[RenewalRisk | None, RenewalRisk | None], place: int
) -> dict[str, Any]:
    steps = risk_claims.steps_of(one)
    return {
        "one": one,
        "place": place,
        "steps": steps,
        "steps_scale": risk_charts.steps_scale(one, steps),
        "was": risk_claims.was(one, earlier),
        "moved": risk_claims.moved_because(one, earlier),
        "similar": None if isinstance(one.similar, NoEstimate) else one.similar,
        "file": file,
        "before": around[0],
        "after": around[1],
        "whole": Scale(0.0, 1.0, 2, 98),
    }


def _model(model: ModelRecord | NoEstimate) -> dict[str, Any]:
    if isinstance(model, NoEstimate):
        return {"rules": risk_claims.cannot_tell_rules(None)}
    terms = sorted(model.terms, key=lambda term: (not term.told, 1.0 if term.p is None else term.p, term.label))
    drawn = [term for term in terms if term.told and term.curve]
    ratios = [one.expected_over_observed for one in model.check.by_lead]
    return {
        "rules": risk_claims.cannot_tell_rules(model.check),
        "terms": terms,
        "drawn": drawn,
        "doublings": risk_charts.doublings_of(drawn),
        "loss_scale": _around([one.difference for one in model.candidates], 0.0),
        "ratio_scale": _around(ratios, 1.0, most=MOST_RATIO),
        "check_scales": {
            "slope": _around([model.check.slope], 1.0),
            "ratio": _around([model.check.expected_over_observed], 1.0),
            "auc": _around([model.check.auc], 0.5),
        },
        "base": next((one for one in model.candidates if one.name == "base rate"), None),
        "chosen": _chosen(model),
    }


def _chosen(model: ModelRecord) -> CandidateRecord | None:
    return next((one for one in model.candidates if one.chosen), None)


def _around(values: Sequence[MaybeEstimate], reference: float, most: float = float("inf")) -> Scale:
    """One scale for some estimates, with the value to compare with; an interval that goes beyond `most` ends at the edge."""
    ends = [min(end, most) for value in values if isinstance(value, Estimate) for end in (value.low, value.high)]
    spread = marks.scale_over(ends, around=reference, margin=0.12)
    return Scale(spread.low, spread.high, 3, 97)


def _filled(template: str, context: Mapping[str, Any]) -> bytes:
    return (with_roles(environment().get_template(template).render(context).rstrip()) + "\n").encode()
