"""The operation "measure retention": the question, the rows of one version of the book, the answer, and its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from unspun._version import __version__
from unspun.app.checks import recorded_check
from unspun.app.opening import WholeBook, whole_book
from unspun.app.publication import FigureSet, NamedFigure, as_records, publish
from unspun.app.workspace import RETENTION_FILE, Workspace
from unspun.book.entities import TABLES
from unspun.book.mapping.yaml_nodes import read_yaml
from unspun.book.retention.ask import queries
from unspun.book.retention.judge import judge
from unspun.book.retention.question import RetentionQuestion, check_question, question_from_json, question_to_json
from unspun.book.retention.result import RetentionResult
from unspun.book.retention.rules import read_rules
from unspun.engines.embedded import ENGINE, engine_version
from unspun.errors import BadInput, Fault
from unspun.ledger.chain import written_anchor
from unspun.progress import Progress
from unspun.warehouse.read import BookReader, end_of_day, open_book

if TYPE_CHECKING:
    import pyarrow as pa

    from unspun.warehouse.catalog import Catalog
    from unspun.warehouse.versions import BookVersion

KIND = "retention"


@dataclass(frozen=True, slots=True)
class RetentionRequest:
    """What a person asks for. `as_of` None is the last day on which a term of the book starts; `version` None is the
    current one. `beside` names an earlier definition by the start of its SHA-256, or "previous", to be shown beside today's.
    """

    as_of: date | None = None
    first_month: str = ""
    last_month: str = ""
    window_months: int | None = None
    by: tuple[str, ...] = ()
    into: str | None = None
    version: int | None = None
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class RetentionRun:
    """The answer, the figures as published, and the number and hash of their ledger entry. `beside`: the same by another definition."""

    result: RetentionResult
    figures: FigureSet
    entry: int
    anchor: str
    beside: RetentionRun | None = None


def measure_retention(workspace: Workspace, request: RetentionRequest, at: datetime, progress: Progress) -> RetentionRun:
    """Answer from the book, publish the figures, and give both. Raises BadInput: no terms, a question that cannot be answered."""
    text = workspace.retention_text()
    with workspace.catalog() as catalog:
        other = None if request.beside is None else _earlier_definition(catalog, text, request.beside)
        with whole_book(workspace, catalog, _book(catalog, request.version), at, progress) as book:
            _refuse_without_terms(book.version)
            question = _question(workspace, request, text, book.version, at)
            run = _answer_and_publish(workspace, question, text, book, at, progress)
            if other is None:
                return run
            asked = replace(question, rules=read_rules(read_yaml(other, RETENTION_FILE)))
            return replace(run, beside=_answer_and_publish(workspace, asked, other, book, at, progress))


def answer_retention(
    reader: BookReader, question: RetentionQuestion, texts: Mapping[str, str], progress: Progress
) -> tuple[RetentionResult, dict[str, pa.Table]]:
    """Run the queries and judge their rows."""
    rows = {}
    for done, (name, sql) in enumerate(texts.items()):
        progress(f"reading {name}", done, len(texts) + 1)
        rows[name] = reader.query(sql)
    progress("measuring retention", len(texts), len(texts) + 1)
    return judge(question, rows), rows


def figures_of(result: RetentionResult) -> tuple[Mapping[str, Any], ...]:
    """The figures of an answer as they are published."""
    return as_records(NamedFigure(name, one.label, one.unit, one.value) for name, one in result.figures().items())


def _answer_and_publish(
    workspace: Workspace, question: RetentionQuestion, text: str, whole: WholeBook, at: datetime, progress: Progress
) -> RetentionRun:
    texts, book = queries(question), whole.version
    before = end_of_day(question.as_of, question.time_zone)
    with workspace.catalog() as catalog, open_book(catalog, book, before, workspace.settings.memory) as reader:
        result, _ = answer_retention(reader, question, texts, progress)
        checked = recorded_check(catalog, at.date())
    figures = FigureSet(
        kind=KIND,
        question=question_to_json(question),
        definition_name=RETENTION_FILE,
        definition_text=text,
        as_of=question.as_of,
        book_version=book.version,
        book_digest=book.digest,
        engine=ENGINE,
        engine_version=engine_version(),
        package_version=__version__,
        queries=texts,
        figures=figures_of(result),
        book_check=None if checked is None else checked.record(_tables(question)),
        in_place=tuple(record for record in whole.records if record["table"] in _tables(question)),
    )
    entry = publish(workspace, figures, at)
    return RetentionRun(result, figures, entry.seq, written_anchor(entry))


def _tables(question: RetentionQuestion) -> tuple[str, ...]:
    """The tables of the book that the question's figures are computed from."""
    return ("subscriptions", "accounts", *(("rates",) if question.into else ()))


def _no_terms() -> BadInput:
    return BadInput(Fault("no_terms", "the book holds no subscription terms.", "subscriptions", "Load them: unspun load FILE."))


def _book(catalog: Catalog, version: int | None) -> BookVersion:
    book = catalog.current() if version is None else catalog.version(version)
    if book is None:
        raise _no_terms()
    return book


def _refuse_without_terms(book: BookVersion) -> None:
    terms = book.table("subscriptions")
    if terms is None or terms.rows == 0:
        raise _no_terms()


def _question(workspace: Workspace, request: RetentionRequest, text: str, book: BookVersion, at: datetime) -> RetentionQuestion:
    definition, rules = workspace.definition(), read_rules(read_yaml(text, RETENTION_FILE))
    accounts = book.table("accounts")
    question = RetentionQuestion(
        as_of=request.as_of or _last_day(workspace, book, at, definition.time_zone),
        first_month=request.first_month,
        last_month=request.last_month,
        window_months=request.window_months,
        by=request.by,
        into=request.into,
        rules=rules,
        time_zone=definition.time_zone,
        fixed=() if accounts is None else accounts.fixed,
        fiscal_year_starts=definition.fiscal_year_starts,
    )
    check_question(
        question,
        [column.name for column in TABLES["accounts"].columns] + ([] if accounts is None else [name for name, _ in accounts.columns]),
    )
    return question


def _last_day(workspace: Workspace, book: BookVersion, at: datetime, zone: str) -> date:
    """The last day, up to today, on which a term started: terms of the past are not read as if all had lapsed by today."""
    with workspace.catalog() as catalog, open_book(catalog, book, None, workspace.settings.memory) as reader:
        last = reader.query("SELECT max(happened_at) AS last FROM subscriptions WHERE happened_at <= ?", [at]).column("last")[0].as_py()
    return (last or at).astimezone(ZoneInfo(zone)).date()


def _earlier_definition(catalog: Catalog, text: str, wanted: str) -> str:
    """The text of an earlier retention.yml from the ledger. Raises BadInput where there is none such."""
    earlier = {one.sha256: one.text for one in catalog.definitions(RETENTION_FILE) if one.text != text}
    if wanted == "previous" and earlier:
        return list(earlier.values())[-1]
    found = [one for sha256, one in earlier.items() if wanted != "previous" and sha256.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(sha256[:12] for sha256 in earlier) or "none"
    raise BadInput(Fault("unknown_definition", f"no one earlier {RETENTION_FILE} is '{wanted}'.", "--beside", f"Recorded: {known}."))


def question_of(figures: FigureSet) -> RetentionQuestion:
    """The question that a published set answers."""
    return question_from_json(figures.question)
