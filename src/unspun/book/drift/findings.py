"""Changes between loads as findings: what a sentence says of each, how it is mended, and which figures it reaches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from unspun.book.checks.finding import Finding, Severity
from unspun.book.checks.reach import REACHED
from unspun.book.drift.compare import Change
from unspun.book.drift.profile import ColumnProfile
from unspun.book.entities import TABLES, Kind, TableName
from unspun.book.mapping.book_names import names_of
from unspun.book.sql_words import sql_text
from unspun.book.text import quoted, squash

CODE = "schema_drift"
MOST_WORDS_NAMED = 10
KIND_WORDS: dict[Kind, str] = {
    "text": "words", "whole": "whole numbers", "number": "numbers", "money": "amounts", "day": "days", "instant": "times",
    "flag": "yes and no",
}  # fmt: skip
WIDER: frozenset[tuple[Kind, Kind]] = frozenset({("whole", "number"), ("whole", "money"), ("day", "instant"), ("instant", "day")})
"""Retypings that lose nothing where the book's column is the wider of the two."""
ORDER_WORDS = {"day": "day first", "month": "month first", "year": "year first"}


@dataclass(frozen=True, slots=True)
class Drift:
    """A change that `files` of the `of` files of a source show, in a load (None: a dry run) after the load `since`."""

    table: TableName
    change: Change
    files: tuple[str, ...]
    of: int
    load: int | None
    since: int


def to_findings(drifts: Iterable[Drift]) -> tuple[Finding, ...]:
    """A finding for each, the gravest first, with ids of their own."""
    found: dict[str, Finding] = {}
    for drift in drifts:
        finding = to_finding(drift)
        while finding.id in found:  # two sources of one table whose columns share a name
            finding = to_finding(drift, f"{finding.subject}+")
        found[finding.id] = finding
    order: tuple[Severity, ...] = ("error", "warning", "note")
    return tuple(sorted(found.values(), key=lambda finding: order.index(finding.severity)))


def to_finding(drift: Drift, subject: str = "") -> Finding:
    """What is said of one change."""
    change = drift.change
    return Finding(
        check=CODE,
        table=drift.table,
        severity=severity_of(change, drift.table),
        count=len(drift.files),
        of=drift.of,
        unit="files",
        message=f"Since load {drift.since}, {told(change)}{_files(drift)}.",
        affects=_affects(drift.table, change.book_column),
        mend=mend_of(change, drift.table),
        rows_sql=_example_sql(change),
        subject=subject or "/".join([change.column, change.kind, *([f"load-{drift.load}"] if drift.load is not None else [])]),
        facts=_facts(drift),
    )


def _affects(table: TableName, name: str) -> tuple[str, ...]:
    """Figures that read a column of the book: by its groups where it is text that sorts, those of the table where it is not."""
    column = TABLES[table].column(name)
    if not name or name in ("name", "email", "subject", "verbatim", "question"):
        return ()
    sorts = column is None or (column.kind == "text" and not name.endswith("_id") and name != "outcome")
    return (f"figures by {name}",) if sorts else REACHED.get(table, ())


def _files(drift: Drift) -> str:
    return f" (in {quoted(list(drift.files), 3)})" if drift.of > 1 else ""


def severity_of(change: Change, table: TableName) -> Severity:
    """A warning where figures read what has changed; a note where nothing is mapped to it, or where nothing is lost."""
    name = change.book_column
    if not name or change.kind in ("added", "narrowed"):
        return "note"
    if change.kind == "renamed":
        return "note" if change.now is not None and change.now.book_column else "warning"
    if change.kind == "retyped" and _is_wider(change, table):
        return "note"
    if change.kind == "emptied" and change.now is not None and change.now.filled:
        return "note"
    if change.kind == "widened":
        return "warning" if _unexplained(change) else "note"
    return "warning"


def _is_wider(change: Change, table: TableName) -> bool:
    column = TABLES[table].column(change.book_column)
    before, now = _kinds(change)
    return (before, now) in WIDER and (column is None or column.kind not in ("whole", "day"))


def _kinds(change: Change) -> tuple[Kind, Kind]:
    if change.before is None or change.now is None or change.before.kind is None or change.now.kind is None:
        raise ValueError(f"{change.kind} has no kinds before and now")
    return change.before.kind, change.now.kind


def _unexplained(change: Change) -> tuple[str, ...]:
    known = change.now.unexplained if change.now is not None else ()
    return tuple(word for word, _ in change.words if word in known)


def told(change: Change) -> str:
    """The change in words, without when."""
    named = change.book_column not in ("", change.column)
    column, reads = f"column '{change.column}'", f" (which is {change.book_column})" if named else ""
    before, now = change.before, change.now
    if change.kind == "renamed" and change.renaming is not None and now is not None:
        return f"{column}{reads} is gone and '{now.name}' is new; it may be the same column renamed: {'; '.join(change.renaming.reasons)}"
    if change.kind == "dropped":
        return f"{column}{reads} is gone"
    if change.kind == "added":
        return f"{column} is new{reads}"
    if before is None or now is None:
        raise ValueError(f"{change.kind} has a column before and now")
    return f"{column}{reads} {_held(change, before, now)}"


def _held(change: Change, before: ColumnProfile, now: ColumnProfile) -> str:
    if change.kind == "retyped":
        was, holds = _kinds(change)
        return f"held {KIND_WORDS[was]} and holds {KIND_WORDS[holds]}"
    if change.kind == "reordered":
        return f"has dates written {ORDER_WORDS[now.order]}, which were written {ORDER_WORDS[before.order]}"
    if change.kind == "emptied":
        return f"is empty in {_percent(now.empty_share)} of the rows looked at, after {_percent(before.empty_share)}"
    if change.kind == "narrowed":
        return f"has no row with {_gone(change)} any more"
    new = f"has new words: {_new(change)}"
    return f"{new}, and no row with {_gone(change)}" if change.kind == "replaced" else new


def _new(change: Change) -> str:
    largest = sorted(change.words, key=lambda one: (-one[1], one[0]))
    shown = ", ".join(f"'{word}' ({rows:,} {'row' if rows == 1 else 'rows'})" for word, rows in largest[:MOST_WORDS_NAMED])
    more = len(largest) - MOST_WORDS_NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown


def _gone(change: Change) -> str:
    return quoted(list(change.gone), MOST_WORDS_NAMED)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def mend_of(change: Change, table: TableName) -> str:
    """What to do about it."""
    name, now = change.book_column, change.now
    if change.kind == "renamed" and now is not None:
        if now.book_column:
            return "Nothing: book.yml reads the new name already."
        return (
            f"If it is the same column, map '{now.name}' in book.yml as {name or 'you map'} the old one."
            if name
            else (f"Nothing reads it. If book.yml names '{change.column}' under ignore, name '{now.name}' there.")
        )
    if change.kind == "added":
        return _mend_added(change, table)
    if not name:
        return "Nothing in the book reads it; ask the owner of the export if it was meant."
    return _mend_mapped(change, name)


def _mend_added(change: Change, table: TableName) -> str:
    if change.book_column:
        return "Nothing: book.yml reads it."
    like = likely_column(change.column, table)
    what = f"By its name it could be {like}: map it in book.yml" if like else "Map it in book.yml under a name of your own"
    return f"{what}, or list it there under ignore."


def _mend_mapped(change: Change, name: str) -> str:
    if change.kind == "dropped":
        return f"Nothing fills {name} any more. Map another column to it, or have the export carry '{change.column}' again."
    if change.kind in ("widened", "replaced") and (unknown := _unexplained(change)):
        words = ", ".join(f"'{word}': ..." for word in unknown[:MOST_WORDS_NAMED])
        return f"Say in book.yml what the words mean, under {name}: words: {{{words}}}."
    if change.kind in ("widened", "replaced", "narrowed"):
        return f"If words were renamed, say so in book.yml under {name}: words, so that rows of before and now fall in one group."
    if change.kind == "reordered":
        return "Look at some dates of the book beside the file; state date_format in book.yml so that no load guesses."
    if change.kind == "emptied":
        return f"Ask the owner of the export whether '{change.column}' moved to another column; undo the load if rows lack what they had."
    return f"Look at some rows of {name}; if the column means something else now, map another one and undo the load."


def likely_column(header: str, table: TableName) -> str:
    """The book's column that usually has such a name; "" where none has."""
    name = squash(header)
    return next((column for column, tiers in names_of(table).items() if any(name in tier for tier in tiers)), "")


def _example_sql(change: Change) -> str:
    """The change itself as rows: nothing of the book is read for it, as the words are known."""
    if change.words and change.kind != "narrowed":
        rows = ", ".join(f"({sql_text(word)}, {count})" for word, count in change.words)
        return f"SELECT word, file_rows FROM (VALUES {rows}) AS new (word, file_rows) ORDER BY file_rows DESC, word"
    before, now = (sql_text(_described(column)) for column in (change.before, change.now))
    return f"SELECT {before} AS before, {now} AS now"


def _described(column: ColumnProfile | None) -> str:
    if column is None:
        return "no such column"
    kind = "nothing" if column.kind is None else KIND_WORDS[column.kind]
    return f"{column.name}: {kind}, {_percent(column.empty_share)} empty"


def _facts(drift: Drift) -> dict[str, str | int | float | None]:
    change = drift.change
    facts: dict[str, str | int | float | None] = {
        "change": change.kind,
        "column": change.column,
        "book_column": change.book_column or None,
        "load": drift.load,
        "since_load": drift.since,
    }
    if change.kind == "renamed" and change.renaming is not None:
        facts |= {"renamed_to": change.renaming.now.name, "reasons": "; ".join(change.renaming.reasons)}
    if change.kind == "retyped":
        before, now = _kinds(change)
        facts |= {"kind_before": before, "kind_now": now}
    if change.words:
        facts |= {
            "new_words" if change.kind != "narrowed" else "gone_words": ", ".join(word for word, _ in change.words),
            "rows": change.rows,
        }
    if change.kind == "emptied" and change.before is not None and change.now is not None:
        facts |= {"empty_share_before": round(change.before.empty_share, 4), "empty_share_now": round(change.now.empty_share, 4)}
    return facts


def together(table: TableName, found: Sequence[tuple[str, Sequence[Change]]], load: int | None, since: int) -> tuple[Drift, ...]:
    """The changes of the files of one source (name, changes), each kind of a column once, with the files that show it."""
    first: dict[tuple[str, str], Change] = {}
    files: dict[tuple[str, str], list[str]] = {}
    for name, changes in found:
        for change in changes:
            at = change.kind, change.column
            first.setdefault(at, change)
            files.setdefault(at, []).append(name)
    return tuple(Drift(table, change, tuple(files[at]), len(found), load, since) for at, change in first.items())
