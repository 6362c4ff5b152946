"""The operation "audit scores": read two inputs, judge them, hand back the result."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version

from unspun.audit.judge import Progress, judge, silent
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import AuditResult
from unspun.book.reading import read_inputs
from unspun.book.tables import ReadingOptions, Source


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """Scores and renewals (each a path, "-", or a pandas, Polars or Arrow table), how to read them, and what is declared."""

    scores: object
    renewals: object
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
    scores, renewals = read_inputs(request.scores, request.renewals, request.reading)
    progress("reading", 1, 1)
    judged = judge(scores, renewals, request.settings, version("unspun"), today, progress)
    return AuditRun(judged.result, judged.sources)
