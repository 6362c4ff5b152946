"""The operation "audit scores": read two inputs, judge them, hand back the result."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from unspun._version import __version__
from unspun.audit.judge import Progress, judge, silent
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import AuditResult
from unspun.book.inputs import read_inputs
from unspun.book.tables import ReadingOptions, Renewals, ScoreHistory, Source
from unspun.errors import BadInput, Fault


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What to audit (each a path, "-", a pandas, Polars or Arrow table, or a tuple of them), how to read it, and what is declared.

    Outcomes come from one of `renewals`, `subscriptions` and `purchases`; the other files are optional.
    """

    scores: object
    renewals: object | None = None
    subscriptions: object | None = None
    purchases: object | None = None
    accounts: object | None = None
    events: object | None = None
    forecasts: object | None = None
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    settings: AuditSettings = field(default_factory=AuditSettings)


@dataclass(frozen=True, slots=True)
class AuditRun:
    """The result, and the sources with every row that was set aside."""

    result: AuditResult
    sources: tuple[Source, ...]


def audit_scores(request: AuditRequest, progress: Progress = silent, today: date | None = None) -> AuditRun:
    """Audit every score of the request. Raises BadInput with all faults of both inputs at once."""
    progress("reading", 0, 1)
    faults = request.settings.faults()
    try:
        scores, renewals = read_request(request)
    except BadInput as bad:
        raise BadInput([*faults, *bad.faults]) from None
    unknown = set(request.settings.direction) - {"*"} - {series.name for series in scores.series}
    known = ", ".join(repr(series.name) for series in scores.series[:20])
    hint = "A column is audited when it is named: --score COLUMN."
    for name in sorted(unknown):
        faults.append(Fault("bad_option", f"names {name!r}, which is not among the scores audited: {known}.", "direction", hint))
    if faults:
        raise BadInput(faults)
    progress("reading", 1, 1)
    judged = judge(scores, renewals, request.settings, __version__, today, progress)
    return AuditRun(judged.result, judged.sources)


def read_request(request: AuditRequest) -> tuple[ScoreHistory, Renewals]:
    """Read every file of a request. Raises BadInput with the faults of all of them."""
    return read_inputs(request.scores, request.renewals, request.reading)
