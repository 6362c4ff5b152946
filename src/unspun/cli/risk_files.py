"""The files of `unspun risk`: a folder of pages, the result as JSON, every renewal as CSV."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from unspun.cli.asked import Outputs
from unspun.cli.page_folder import count_pages, write_folder, write_with_manifest

if TYPE_CHECKING:
    from unspun.app.risk.basis import RiskRequest
    from unspun.app.risk.run import RiskRun
    from unspun.progress import Progress
    from unspun.reports.evidence_html import Proof
    from unspun.reports.risk_claims import Earlier
    from unspun.risk.result import RiskResult


WHAT = "pages of unspun risk"  # by which a folder is known that may be written again


def told_of(result: RiskResult, account: str | None) -> RiskResult:
    """The result with the renewals of one account alone; the sums and the model stay as they are."""
    return result if account is None else replace(result, renewals=result.of(account))


def write_files(
    outputs: Outputs, run: RiskRun, proof: Proof, earlier: Earlier | None, request: RiskRequest, progress: Progress
) -> list[str]:
    """Write what was asked for; what was written, in words. The pages are of every account. Raises BadInput where the system refuses."""
    written: list[str] = []
    told = told_of(run.result, request.account)
    if outputs.html is not None:
        from unspun.app.published.pages import meanings_of
        from unspun.reports.risk_html import MOST_LISTED, listed, render_risk

        most = max(MOST_LISTED, request.capacity)
        files = render_risk(run.result, proof, earlier, meanings_of(run.figures), most=most)
        write_folder(outputs.html, count_pages(files, len(listed(run.result, most)) + 2, progress), _facts(run), WHAT)
        written.append(f"Pages: {outputs.html.path / 'index.html'}")
    if outputs.json is not None:
        from unspun.reports.risk_json import to_json

        progress("writing the result", 0, 0)
        facts = {**_facts(run), "changes": _changes(run)}
        written += write_with_manifest(outputs.json, to_json(told), facts, "Result")
    if outputs.csv is not None:
        from unspun.reports.risk_files import renewals_csv

        progress("writing the renewals", 0, 0)
        written += write_with_manifest(outputs.csv, renewals_csv(told, run.entry, earlier), _facts(run), "Renewals")
    return written


def _facts(run: RiskRun) -> dict[str, Any]:
    """What a manifest says of a run: what differs from one run to the next, and what was asked of which book."""
    from unspun.app.publication import asked_of

    figures = run.figures
    return {
        "entry": run.anchor,
        "model_entry": run.model_entry,
        "model": run.model_why,
        **asked_of(figures),
        "set_aside": [{"key": key, "why": why} for key, why in run.left_out],
        "book_check": figures.book_check,
    }


def _changes(run: RiskRun) -> dict[str, Any] | None:
    """What changed since the run before; None where there was none, or none was asked for."""
    found = run.changes
    if found is None:
        return None
    moved = [
        {
            "account": one.account,
            "due": one.due.isoformat(),
            "change": one.difference,
            "data": one.data,
            "time": one.time,
            "model": one.model,
        }
        for one in found.renewals
        if one.difference
    ]
    return {
        "since_entry": found.entry,
        "as_of": found.as_of.isoformat(),
        "causes": list(found.causes),
        "note": found.note,
        "renewals": moved,
    }
