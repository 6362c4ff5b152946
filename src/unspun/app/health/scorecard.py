"""The operation "import a scorecard": another tool's groups, measures, weights and thresholds as a health score of scores.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from unspun.app.health.definition import ScoresDefinition, kind_faults
from unspun.app.panel.basis import held_tables
from unspun.app.panel.request import workspace_metrics
from unspun.app.workspace import SCORES_FILE, Workspace, replace_text
from unspun.book.columns import did_you_mean
from unspun.book.delimited import parse_delimited
from unspun.book.text import words_of
from unspun.errors import BadInput, Fault
from unspun.health.add_to_file import with_score
from unspun.health.definition import HealthScore, ScoreSet
from unspun.health.read_file import read_scores
from unspun.health.scorecard import Brought, Meaning, Scorecard, as_score
from unspun.health.scorecard_file import Cells, from_table, from_yaml
from unspun.health.write_yaml import as_yaml
from unspun.metrics.forms import printable
from unspun.metrics.question import HeldTable

IMPORTED = "imported"
MOST_BYTES = 5_000_000
YAML_NAMES = (".yml", ".yaml", ".json")


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Which file, and what is said of it: metrics by measure, points by band, the range of points, whether measures may be left out."""

    file: Path
    metrics: Mapping[str, str] = field(default_factory=dict[str, str])
    bands: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    range: tuple[Decimal, Decimal] | None = None
    leave_out: bool = False
    id: str = IMPORTED


@dataclass(frozen=True, slots=True)
class ImportRun:
    """What became of a scorecard, and whether all of it is in the score, or may be left out."""

    brought: Brought
    file: str
    may_be_written: bool

    @property
    def score(self) -> HealthScore | None:
        return self.brought.score

    @property
    def yaml(self) -> str:
        return "" if self.score is None else as_yaml(self.score)


def import_scorecard(workspace: Workspace, request: ImportRequest) -> ImportRun:
    """Read a scorecard as a health score of the metrics of metrics.yml. Raises BadInput: what cannot be read, options that fit nothing."""
    metrics = workspace_metrics(workspace)
    card = read_scorecard(_content(request.file), request.file.name)
    measures = {row.measure for row in card.rows}
    bands = {row.band.casefold() for row in card.rows}
    faults = [_nothing("--map", "measure", name, measures) for name in request.metrics if name not in measures]
    faults += [_nothing("--band", "band", name, bands) for name in request.bands if name.casefold() not in bands]
    if faults:
        raise BadInput(faults)
    low_high = {} if request.range is None else {"low": request.range[0], "high": request.range[1]}
    meaning = Meaning(request.metrics, request.bands, **low_high)
    brought = as_score(card, request.id, meaning, metrics.metrics)
    if brought.score is not None:
        places = {f"{request.id}/{metric}": _place(brought, measure) for measure, metric, _ in brought.taken}
        defined = ScoresDefinition(ScoreSet((brought.score,)), "", metrics, places)
        if faults := kind_faults(defined, (brought.score,), _tables(workspace)):
            raise BadInput(faults)
    return ImportRun(brought, request.file.name, brought.score is not None and (request.leave_out or not brought.set_aside))


def write_imported(workspace: Workspace, run: ImportRun, id: str) -> None:
    """Put the score behind those of scores.yml. Raises BadInput where that cannot be done; no declared score is ever replaced."""
    if run.score is None:
        raise ValueError("there is no score to write")
    shown = "".join(sign if sign.isprintable() else "?" for sign in run.file)
    text = with_score(workspace.scores_text(), replace(run.score, id=id), [f"Imported from {shown}."], SCORES_FILE)
    read_scores(text, SCORES_FILE, [one.id for one in workspace_metrics(workspace).metrics])
    replace_text(workspace.scores_file, text, "Print it with --yaml.")


def read_scorecard(content: bytes, name: str) -> Scorecard:
    """The rows of a scorecard; YAML by the name of the file, else separated text. Raises BadInput with every fault, at `name:row`."""
    if name.lower().endswith(YAML_NAMES):
        try:
            return from_yaml(content.decode("utf-8"), name)
        except UnicodeDecodeError as refusal:
            line = content.count(b"\n", 0, refusal.start) + 1
            raise BadInput(Fault("not_utf8", "the file is not UTF-8.", f"{name}:{line}", "Save it as UTF-8.")) from None
    parsed = parse_delimited(pa.py_buffer(content), name)
    rejected = sorted((row, one.reason) for one in parsed.rejections for row in one.rows.tolist())
    numbers = [*parsed.row.tolist(), *(row for row, _ in rejected)]
    columns = tuple(_cells(column) for column in parsed.columns)
    return from_table(Cells(parsed.names, columns, min(numbers, default=2) - 1, tuple(parsed.row.tolist()), tuple(rejected)), name)


def _cells(column: pa.ChunkedArray) -> tuple[str, ...]:
    """The cells as they are written, blanks around them aside."""
    words = words_of(column)
    named = [*words.words.to_pylist(), ""]
    return tuple(str(named[code]) for code in words.codes.tolist())  # -1, an empty cell, is the last


def _place(brought: Brought, measure: str) -> str:
    return next(row.place for row in brought.used if row.measure == measure)


def _nothing(option: str, what: str, name: str, known: set[str]) -> Fault:
    return Fault("unknown_name", f"the file has no {what} {printable(name)}.", option, did_you_mean(name, sorted(known)).strip())


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise BadInput(Fault("too_big", f"a scorecard has up to {MOST_BYTES // 1_000_000} MB.", str(file), "Is it the right file?"))
        return file.read_bytes()
    except FileNotFoundError:
        raise BadInput(Fault("no_such_file", "there is no such file.", str(file), "Check the path.")) from None
    except OSError as refusal:
        hint = "Check the path, and that you may read it."
        raise BadInput(Fault("unreadable_file", f"the file cannot be read: {refusal.strerror or refusal}.", str(file), hint)) from refusal


def _tables(workspace: Workspace) -> Mapping[str, HeldTable]:
    with workspace.catalog() as catalog:
        version = catalog.current()
    return {} if version is None else held_tables(version)
