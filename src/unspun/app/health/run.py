"""The operation "compute health scores": of every account as of dates, with contributions, written to a file and recorded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from typing import Any, BinaryIO

import pyarrow as pa

from unspun._version import __version__
from unspun.app.health.definition import ScoresDefinition, kind_faults, workspace_scores
from unspun.app.health.rows import BAND, health_schema, health_table
from unspun.app.panel.engines import answering_engine
from unspun.app.panel.files import MISSING, Format, HashedFile, HashedRows, write_panel
from unspun.app.panel.request import PanelRequest, check_request
from unspun.app.panel.run import (
    PreparedPanel,
    basis_for,
    book_check_of,
    checked_memory,
    opened_book,
    panel_parts,
    prepare_panel,
    tables_of,
    with_state,
)
from unspun.app.publication import FigureSet, canonical_json, computed_on, publish
from unspun.app.workspace import METRICS_FILE, SCORES_FILE, Workspace
from unspun.errors import BadInput, Fault
from unspun.health.definition import HealthScore
from unspun.health.write_yaml import definition_sha256
from unspun.ledger.chain import written_anchor
from unspun.metrics.asof_sets import as_of_days
from unspun.metrics.question import PanelQuestion
from unspun.progress import Progress, silent

KIND = "health"
ROWS = "health-rows"
"""The figure that tells of the scores as a whole: a name that no score can have."""
BAND_FIGURE, NONE_FIGURE = "band", "no-score"


@dataclass(frozen=True, slots=True)
class HealthRequest:
    """What a person asks for: ids of scores (() is all of the file), and of which dates and book, as of a panel (whose `metrics` are
    not looked at)."""

    scores: tuple[str, ...] = ()
    panel: PanelRequest = field(default_factory=PanelRequest)


@dataclass(frozen=True, slots=True)
class HealthRun:
    """Scores that were computed: how many rows, and by score how many values, how many of each band, and of which reasons there are none.

    `sha256` and `size_bytes` are of the file (or of the file that would have been written).
    """

    scores: tuple[HealthScore, ...]
    question: PanelQuestion
    figures: FigureSet
    entry: int
    anchor: str
    rows: int
    counted: Mapping[str, ScoreCounts]
    sha256: str
    size_bytes: int
    seconds: float


@dataclass(slots=True)
class ScoreCounts:
    """Of one score: how many rows have a value, of which bands, and why the others have none."""

    values: int = 0
    bands: dict[str, int] = field(default_factory=dict[str, int])
    missing: dict[str, int] = field(default_factory=dict[str, int])

    def take(self, rows: pa.Table, score: HealthScore) -> None:
        """Count the rows of a part."""
        self.values += rows.num_rows - rows[score.id].null_count
        for name, counts in ((f"{score.id}{BAND}", self.bands), (f"{score.id}{MISSING}", self.missing)):
            for one in rows[name].drop_null().value_counts().to_pylist():
                counts[one["values"]] = counts.get(one["values"], 0) + one["counts"]


@dataclass(frozen=True, slots=True)
class PreparedHealth:
    """Scores put to an open book: which, the text that declares them, and the panel of their metrics."""

    scores: tuple[HealthScore, ...]
    text: str
    panel: PreparedPanel

    def schema(self) -> pa.Schema:
        """The columns of the file, with where they come from."""
        panel = self.panel.schema()
        whole = {
            "unspun.what": "health scores",
            "unspun.scores_definition": SCORES_FILE,
            "unspun.scores_sha256": _sha256(self.text),
            **{f"unspun.score.{one.id}": definition_sha256(one, self.panel.definition.metrics) for one in self.scores},
        }
        return health_schema(panel, self.scores, whole)


def compute_health(
    workspace: Workspace,
    request: HealthRequest,
    at: datetime,
    file: BinaryIO | None = None,
    format: Format = "parquet",
    take: Callable[[pa.Table], None] = lambda _rows: None,
    progress: Progress = silent,
) -> HealthRun:
    """Compute health scores, write them to `file` (None: nowhere) and record them. `take` is given the rows in parts as they come.

    Raises BadInput: faults of scores.yml, metrics.yml or the request, an empty book; OSError of the file.
    """
    began, asked = monotonic(), request.panel
    check_request(asked)
    declared = workspace_scores(workspace)
    chosen = chosen_scores(declared, request.scores)
    metrics = metrics_of(chosen)
    memory = checked_memory(asked.memory) if asked.memory else workspace.settings.memory
    with (
        answering_engine(workspace, asked.engine, memory) as engine,
        opened_book(workspace, asked, at, progress, engine.place(declared.metrics.metrics, metrics, at)) as (whole, reader),
    ):
        basis = basis_for(workspace, asked, metrics, declared.metrics, whole, reader, at)
        panel = prepare_panel(declared.metrics, basis, reader, engine.database(reader), whole.elsewhere)
        refuse_kinds(declared, chosen, panel)
        prepared = PreparedHealth(chosen, declared.text, with_state(panel, progress)[0] if asked.from_state else panel)
        made = make_scores(prepared, format, file, take, progress)
        in_place = tuple(record for record in whole.records if record["table"] in tables_of(panel.question))
        figures = replace(_figures(prepared, panel, format, made, at), in_place=in_place)
        _record_metrics(workspace, declared, at)
        entry = publish(workspace, figures, at)
    return HealthRun(
        scores=chosen,
        question=panel.question,
        figures=figures,
        entry=entry.seq,
        anchor=written_anchor(entry),
        rows=made.rows,
        counted=made.counted,
        sha256=made.file.sha256,
        size_bytes=made.file.size_bytes,
        seconds=monotonic() - began,
    )


def chosen_scores(declared: ScoresDefinition, wanted: Sequence[str]) -> tuple[HealthScore, ...]:
    """The scores asked for; all where none is. Raises BadInput with every one that is not there."""
    faults: list[Fault] = []
    found: list[HealthScore] = []
    for id in dict.fromkeys(wanted):
        try:
            found.append(declared.scores.score(id))
        except BadInput as refusal:
            faults += refusal.faults
    if faults:
        raise BadInput(faults)
    return tuple(found or declared.scores)


def metrics_of(scores: Sequence[HealthScore]) -> tuple[str, ...]:
    """The metrics that scores are made of, each once."""
    return tuple(dict.fromkeys(id for score in scores for id in score.metrics))


def refuse_kinds(declared: ScoresDefinition, scores: Sequence[HealthScore], panel: PreparedPanel) -> None:
    """Raises BadInput where metrics do not fit their points."""
    if faults := kind_faults(declared, scores, panel.question.tables):
        raise BadInput(faults)


def _record_metrics(workspace: Workspace, declared: ScoresDefinition, at: datetime) -> None:
    """metrics.yml in the ledger, before the scores that are made of it."""
    with workspace.catalog() as catalog:
        catalog.record_definition(METRICS_FILE, declared.metrics.text, at)


# Computed


@dataclass(slots=True)
class MadeScores:
    """Scores that are written: the file, the hash of its rows, and how many of what."""

    file: HashedFile
    hashed: HashedRows
    counted: dict[str, ScoreCounts]
    rows: int = 0

    def take(self, rows: pa.Table, scores: Sequence[HealthScore]) -> None:
        """Count the rows of a part."""
        self.rows += rows.num_rows
        self.hashed.take(rows)
        for score in scores:
            self.counted[score.id].take(rows, score)


def make_scores(
    prepared: PreparedHealth, format: Format, file: BinaryIO | None, take: Callable[[pa.Table], None], progress: Progress
) -> MadeScores:
    """Compute the scores and write them."""
    schema = prepared.schema()
    made = MadeScores(HashedFile(file), HashedRows(schema), {one.id: ScoreCounts() for one in prepared.scores})

    def counting() -> Iterator[pa.Table]:
        for part in scored_parts(prepared, schema, progress):
            made.take(part, prepared.scores)
            take(part)
            progress(f"writing scores: {made.rows:,} rows", 0, 0)
            yield part

    write_panel(counting(), schema, format, made.file)
    return made


def scored_parts(prepared: PreparedHealth, schema: pa.Schema, progress: Progress) -> Iterator[pa.Table]:
    """The scores in parts, in the order of the panel's rows."""
    for part in panel_parts(prepared.panel, prepared.panel.schema(), progress):
        yield health_table(part, prepared.scores, schema)


def _figures(prepared: PreparedHealth, panel: PreparedPanel, format: Format, made: MadeScores, at: datetime) -> FigureSet:
    """What is published: the question with the metrics' text, and of each score how many values, bands and reasons there are."""
    definition, book = panel.definition, panel.reader.version
    metrics = {"name": definition.name, "sha256": definition.sha256, "text": definition.text}
    return FigureSet(
        kind=KIND,
        question={"scores": [one.id for one in prepared.scores], "panel": panel.basis.to_json(), "metrics": metrics, "format": format},
        definition_name=SCORES_FILE,
        definition_text=prepared.text,
        as_of=as_of_days(panel.question.as_of)[-1],
        book_version=book.version,
        book_digest=book.digest,
        engine=panel.database.kind,
        engine_version=panel.database.version,
        package_version=__version__,
        queries=panel.queries,
        figures=records_of(prepared, made),
        book_check=book_check_of(panel.reader, panel.question, at.date()),
    )


def records_of(prepared: PreparedHealth, made: MadeScores) -> tuple[Mapping[str, Any], ...]:
    """What is recorded: of each score how many values, bands and reasons there are, and the hash of the rows."""
    found: list[Mapping[str, Any]] = []
    for score in prepared.scores:
        counts = made.counted[score.id]
        sha256 = definition_sha256(score, prepared.panel.definition.metrics)
        value = {"count": counts.values, "definition_sha256": sha256}
        found.append({"name": score.id, "label": f"{score.label}: scores", "unit": "scores", "value": value})
        for band in score.bands:
            found.append(_record(score, f"{BAND_FIGURE}/{band.name}", f"in band {band.name}", counts.bands.get(band.name, 0)))
        for reason, count in sorted(counts.missing.items()):
            found.append(_record(score, f"{NONE_FIGURE}/{reason}", f"no score ({reason})", count))
    rows = {"count": made.rows, "sha256": made.hashed.sha256, "file_sha256": made.file.sha256}
    found.append({"name": ROWS, "label": "rows of health scores", "unit": "rows", "value": rows})
    return tuple(json.loads(canonical_json(found)))


def _record(score: HealthScore, name: str, label: str, count: int) -> Mapping[str, Any]:
    return {"name": f"{score.id}/{name}", "label": f"{score.label}: {label}", "unit": "rows", "value": {"count": count}}


def manifest(run: HealthRun, file_name: str, badges: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What a file of scores is: the question, the definitions, the book, the ledger entry, the file's hash, and the badge of each score."""
    figures = run.figures
    metrics = figures.question["metrics"]
    return {
        "what": "health scores",
        "entry": run.anchor,
        "question": {name: value for name, value in figures.question.items() if name != "metrics"},
        "definition": {"name": figures.definition_name, "sha256": figures.definition_sha256, "text": figures.definition_text},
        "metrics": metrics,
        **computed_on(figures, run.question.as_of.told, run.question.time_zone),
        "rows": run.rows,
        "scores": [_told(run, score, badges[score.id]) for score in run.scores],
        "file": {"name": file_name, "format": figures.question["format"], "sha256": run.sha256, "bytes": run.size_bytes},
    }


def _told(run: HealthRun, score: HealthScore, badge: Mapping[str, Any]) -> dict[str, Any]:
    counts = run.counted[score.id]
    return {
        "id": score.id,
        "definition_sha256": figure_sha256(run.figures, score.id),
        "badge": dict(badge),
        "values": counts.values,
        "bands": {band.name: counts.bands.get(band.name, 0) for band in score.bands},
        "missing": dict(sorted(counts.missing.items())),
    }


def figure_sha256(figures: FigureSet, id: str) -> str:
    """The hash of the definition that the values of a published score follow from."""
    return str(figures.figure(id)["value"]["definition_sha256"])


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
