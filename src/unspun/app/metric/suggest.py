"""The operation "suggest metrics": what the book holds, counted; the standard metrics that it can bear; and these put into metrics.yml."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from unspun.app.metric.definitions import existing_metrics
from unspun.app.opening import whole_book
from unspun.app.panel.basis import held_tables
from unspun.app.workspace import Workspace, read_text, replace_text
from unspun.book.columns import did_you_mean
from unspun.engines.embedded import sql_name, sql_text
from unspun.errors import BadInput, Fault
from unspun.metrics.conditions import Scalar
from unspun.metrics.forms import printable
from unspun.metrics.question import HeldTable
from unspun.metrics.standard.asked import EVENT, EVENTS
from unspun.metrics.standard.catalogue import CATALOGUE
from unspun.metrics.standard.choices import CHOICES
from unspun.metrics.standard.contents import Contents, CountedColumn, CountedValue, plain
from unspun.metrics.standard.entry import THEMES, Choice
from unspun.metrics.standard.needs import needs_of
from unspun.metrics.standard.suggest import Suggestions, suggest
from unspun.metrics.standard.told import with_suggestions
from unspun.warehouse.read import BookReader, open_book
from unspun.warehouse.versions import BookVersion

MOST_VALUES = 10_000
"""So many different values of a column are looked at, those of most accounts; a book may have a name for every row."""
SUMMARY_DAYS, FEWEST_DAYS = 28, 10
"""Events of a name are summaries of days where, over the last days, none has a user, no account has two on one day, and they have some on
many days each."""
CURRENCY, USER = "currency", "user_id"

Chosen = Mapping[str, tuple[Scalar, ...]]


@dataclass(frozen=True, slots=True)
class SuggestRequest:
    """What is asked: `themes` (() all), and answers to choices, each a choice's id and a name as the book has it."""

    themes: tuple[str, ...] = ()
    chosen: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Suggested:
    """What was suggested for a version of the book (None: nothing is loaded). `text` is metrics.yml with it, `adds` how many metrics."""

    suggestions: Suggestions
    contents: Contents
    book_version: int | None
    text: str
    adds: int


def suggest_metrics(workspace: Workspace, request: SuggestRequest, at: datetime | None = None) -> Suggested:
    """Suggest metrics of the catalogue for what the book holds, beside those of metrics.yml.

    Raises BadInput: a theme or choice that there is none, a name that the book does not have, faults of metrics.yml.
    """
    _check_request(request)
    text = read_text(workspace.metrics_file) if workspace.metrics_file.exists() else ""
    existing = existing_metrics(text)
    version, contents, chosen = _counted(workspace, request, at or datetime.now(UTC))
    suggestions = suggest(contents, existing, chosen, request.themes)
    return Suggested(suggestions, contents, version, with_suggestions(text, suggestions), len(suggestions.metrics))


def write_suggested(workspace: Workspace, suggested: Suggested) -> None:
    """Put what was suggested into metrics.yml. Raises BadInput where it cannot be written, or where its metrics would not be those."""
    replace_text(workspace.metrics_file, suggested.text, "Print it with --yaml.")


def _check_request(request: SuggestRequest) -> None:
    faults = [
        Fault(
            "unknown_theme", f"there is no theme {printable(one)}.", "--theme", f"{did_you_mean(one, THEMES)}There are {', '.join(THEMES)}."
        )
        for one in request.themes
        if one not in THEMES
    ]
    faults += [
        Fault(
            "unknown_choice",
            f"there is no choice {printable(id)}.",
            "--choose",
            f"{did_you_mean(id, CHOICES)}There are {', '.join(CHOICES)}.",
        )
        for id, _ in request.chosen
        if id not in CHOICES
    ]
    if faults:
        raise BadInput(faults)


# What the book holds


def _counted(workspace: Workspace, request: SuggestRequest, at: datetime) -> tuple[int | None, Contents, Chosen]:
    with workspace.catalog() as catalog:
        version = catalog.current()
        if version is None:
            return None, Contents(), _answers(request, Contents())
        with whole_book(workspace, catalog, version) as whole, open_book(catalog, whole.version, None, workspace.settings.memory) as reader:
            contents = _contents(reader, whole.version, workspace, request, at)
            return whole.version.version, contents, _answers(request, contents)


def _contents(reader: BookReader, version: BookVersion, workspace: Workspace, request: SuggestRequest, at: datetime) -> Contents:
    tables = held_tables(version)
    rows, accounts, cells = dict[str, int](), dict[str, int](), dict[tuple[str, str], int]()
    for table, columns in _columns_read(tables).items():
        rows[table], accounts[table], counts = _cells(reader, table, columns)
        cells |= {(table, column): n for column, n in counts.items()}
    given = {CHOICES[id].column: [name for one, name in request.chosen if one == id] for id, _ in request.chosen}
    values = {
        (table, column): _values(reader, table, column, given.get(column, []))
        for table, column in _valued(tables)
        if cells.get((table, column))
    }
    if values.get((EVENTS, EVENT)) or EVENTS in tables:
        values[EVENTS, EVENT] = _with_summaries(reader, tables, values.get((EVENTS, EVENT), CountedColumn()), at)
    fed = [source.table for source in workspace.definition().sources]
    return Contents(tables, rows, accounts, cells, values, {table: fed.count(table) for table in tables})


def _columns_read(tables: Mapping[str, HeldTable]) -> dict[str, list[str]]:
    """By table, the columns that some entry of the catalogue reads or some choice may be, where the book has them."""
    named = {one for entry in CATALOGUE.values() for need in needs_of(entry.series) for one in need.of if "." in one}
    found = {table: [one.split(".", 1)[1] for one in sorted(named) if one.split(".", 1)[0] == table] for table in tables}
    for choice in CHOICES.values():
        if choice.table in tables and not choice.column:
            found[choice.table] += [name for name, kind in tables[choice.table].columns.items() if kind in choice.kinds]
    return {table: [name for name in dict.fromkeys(names) if name in tables[table].columns] for table, names in found.items()}


def _cells(reader: BookReader, table: str, columns: Collection[str]) -> tuple[int, int, dict[str, int]]:
    """How many rows and accounts a table has, and filled cells each of the columns."""
    account = "count(DISTINCT account_id)" if table != "rates" else "0"
    counted = "".join(f", count({sql_name(column)})" for column in columns)
    found = reader.query(f"SELECT count(*), {account}{counted} FROM {sql_name(table)}")
    row = [column[0].as_py() for column in found.columns]
    return row[0], row[1], dict(zip(columns, row[2:], strict=True))


def _valued(tables: Mapping[str, HeldTable]) -> Iterator[tuple[str, str]]:
    """The columns of which values are counted: those of choices, and currencies."""
    wanted = dict.fromkeys((choice.table, choice.column) for choice in CHOICES.values() if choice.column)
    wanted |= {(table, CURRENCY): None for table in tables}
    return ((table, column) for table, column in wanted if table in tables and column in tables[table].columns)


def _values(reader: BookReader, table: str, column: str, given: Collection[str]) -> CountedColumn:
    """The values of a column, those of most accounts first: at most MOST_VALUES, and those that were named."""
    named = ", ".join(sql_text(one) for one in given)
    also = f" OR CAST(value AS VARCHAR) IN ({named})" if named else ""
    found = reader.query(
        f"SELECT value, n, accounts, count(*) OVER () AS distinct_values FROM (SELECT {sql_name(column)} AS value, count(*) AS n, "
        f"count(DISTINCT account_id) AS accounts FROM {sql_name(table)} WHERE {sql_name(column)} IS NOT NULL GROUP BY 1) "
        f"QUALIFY row_number() OVER (ORDER BY accounts DESC, n DESC, value) <= {MOST_VALUES}{also} ORDER BY accounts DESC, n DESC, value"
    ).to_pylist()
    values = tuple(CountedValue(plain(one["value"]), one["n"], one["accounts"]) for one in found)
    return CountedColumn(values, found[0]["distinct_values"] if found else 0)


def _with_summaries(reader: BookReader, tables: Mapping[str, HeldTable], column: CountedColumn, at: datetime) -> CountedColumn:
    """The names of events, with which of them are summaries of days, and events without a name as well."""
    name, user = (sql_name(one) if one in tables[EVENTS].columns else "NULL" for one in (EVENT, USER))
    summaries = set(
        reader.query(
            f"WITH dated AS (SELECT {name} AS event, account_id, happened_at, {user} AS person FROM events WHERE happened_at <= ?), "
            f"recent AS (SELECT event, account_id, count(*) AS n, count(person) AS people FROM dated WHERE happened_at > "
            f"(SELECT max(happened_at) FROM dated) - INTERVAL {SUMMARY_DAYS} DAY GROUP BY event, account_id, CAST(happened_at AS DATE)) "
            f"SELECT event FROM recent GROUP BY event HAVING max(n) = 1 AND max(people) = 0 "
            f"AND count(*) >= {FEWEST_DAYS} * count(DISTINCT account_id)",
            [at],
        )
        .column(0)
        .to_pylist()
    )
    unnamed = reader.query(f"SELECT count(*) AS n, count(DISTINCT account_id) AS accounts FROM events WHERE {name} IS NULL").to_pylist()[0]
    values = tuple(replace(one, is_summary=one.value in summaries) for one in column.values)
    rest = CountedValue("", unnamed["n"], unnamed["accounts"], None in summaries) if unnamed["n"] else None
    return replace(column, values=values, unnamed=rest)


# What was chosen


def _answers(request: SuggestRequest, contents: Contents) -> Chosen:
    """The answers as values of the book. Raises BadInput with every name that the book does not have."""
    found: dict[str, list[Scalar]] = {}
    faults: list[Fault] = []
    for id, name in request.chosen:
        answer = _answer(CHOICES[id], name, contents)
        if answer is None:
            faults.append(_unknown(CHOICES[id], name, contents))
        elif answer not in found.setdefault(id, []):
            found[id].append(answer)
    hint = "Answer it once."
    faults += [
        Fault("one_answer", f"{len(values)} columns are chosen, and one can be meant.", f"--choose {id}", hint)
        for id, values in found.items()
        if CHOICES[id].one and len(values) > 1
    ]
    if faults:
        raise BadInput(faults)
    return {id: tuple(values) for id, values in found.items()}


def _answer(choice: Choice, name: str, contents: Contents) -> Scalar | None:
    if choice.column:
        values = contents.counted(choice.table, choice.column).values
        return next((one.value for one in values if str(one.value) == name), None)
    return name if contents.kind(choice.table, name) in choice.kinds else None


def _unknown(choice: Choice, name: str, contents: Contents) -> Fault:
    if choice.column:
        names = [str(one.value) for one in contents.counted(choice.table, choice.column).values]
        what = f"{printable(name)} is no {choice.column} of {choice.table}."
    else:
        names = [
            one
            for one, kind in (contents.tables[choice.table].columns.items() if contents.holds(choice.table) else ())
            if kind in choice.kinds
        ]
        what = f"{printable(name)} is no column of {choice.table} that can answer it."
    hint = f"{did_you_mean(name, names)}Names are as `unspun metrics suggest --json` lists them: case counts."
    return Fault("unknown_name", what, f"--choose {choice.id}", hint)
