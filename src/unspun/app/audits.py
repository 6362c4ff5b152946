"""The operation "audit scores": read the inputs, judge them, hand back the result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from unspun._version import __version__
from unspun.app.reading import AuditRequest, read_request
from unspun.audit.evidence_rows import Trace
from unspun.audit.judge import judge
from unspun.audit.result import AuditResult
from unspun.book.tables import Source
from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class AuditRun:
    """The result, the sources with every row that was set aside, and what hands out the rows behind the figures."""

    result: AuditResult
    sources: tuple[Source, ...]
    trace: Trace


def audit_scores(request: AuditRequest, progress: Progress = silent, today: date | None = None) -> AuditRun:
    """Audit every score of the request. Raises BadInput with all faults of all inputs at once."""
    try:
        inputs = read_request(request, today or date.max, progress)
    except BadInput as bad:
        attributes = () if request.accounts is None else None  # not known, as a file could not be read
        raise BadInput([*request.settings.faults(attributes), *bad.faults]) from None
    accounts = inputs.extras.accounts
    faults = request.settings.faults(() if accounts is None else tuple(one.name for one in accounts.attributes))
    faults += _unknown_directions(request, [series.name for series in inputs.scores.series])
    if faults:
        raise BadInput(faults)
    judged = judge(inputs.scores, inputs.outcomes, request.settings, __version__, today, progress, inputs.extras)
    return AuditRun(judged.result, judged.sources, judged.trace)


def _unknown_directions(request: AuditRequest, scores: list[str]) -> list[Fault]:
    known = ", ".join(repr(name) for name in scores[:20])
    hint = "A column is audited when it is named: --score COLUMN."
    return [
        Fault("bad_option", f"names {name!r}, which is not among the scores audited: {known}.", "direction", hint)
        for name in sorted(set(request.settings.direction) - {"*", *scores})
    ]
