"""What a file does not tell of the proposed mapping, a sentence each: what a reader should look at before accepting it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from unspun.book.entities import TABLES
from unspun.book.mapping.contents import own_kind, words_in
from unspun.book.mapping.contents_sample import Sample
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.mapping.propose_columns import Picks, other_scores
from unspun.book.mapping.propose_keys import ProposedKey
from unspun.book.mapping.propose_settings import Settings
from unspun.book.mapping.propose_table import ENOUGH, Fit, is_wide
from unspun.book.text import quoted, squash

CLOSE_RIVAL = 2  # points by which another table may be behind and still be named
VALID_TO = re.compile(r"\b(?:valid (?:to|until|through)|effective (?:to|until|end)|until|end date|to date|left on|ended on)\b")
CHURN = re.compile(r"\bchurn(?:ed)?\b")


def find_doubts(
    fits: list[Fit], settings: Settings, key: ProposedKey, mapping: SourceMapping, definition: BookDefinition, sample: Sample
) -> tuple[str, ...]:
    """All doubts of a proposal, those that decide most first."""
    picks = fits[0].picks
    return tuple(
        dict.fromkeys(
            [
                *_other_tables(fits),
                *picks.rivals,
                *_dates(picks),
                *settings.doubts,
                *_of_table(picks, settings),
                *_unread(picks),
                *_gaps(picks),
                *key.doubts,
                *_headers(picks),
                *_other_sources(mapping, definition),
                *_other_notes(picks, sample),
            ]
        )
    )


def _other_tables(fits: list[Fit]) -> Iterator[str]:
    best, rivals = fits[0], [fit for fit in fits[1:] if not fit.missing and fit.points >= max(ENOUGH, fits[0].points - CLOSE_RIVAL)]
    for fit in rivals:
        yield f"the file could also feed {fit.table} ({'; '.join(fit.why)}): {best.table} is taken."


def _dates(picks: Picks) -> Iterator[str]:
    """A table without its date, and dates that say less than they seem to."""
    table = TABLES[picks.table]
    if table.state and table.happened not in picks.found:
        yield "no column says from when the rows hold: they are statements as of the day of the load, and say nothing of earlier days."
    if table.state and table.happened in picks.found:
        ends = [picks.contents[i].name for i in picks.free() if VALID_TO.search(words_in(picks.contents[i].name)) and _is_dated(picks, i)]
        if ends:
            yield f"{quoted(ends)} may not have been known when the row began to hold, and is loaded as if it was: ignore it if so."
    if picks.table == "renewals" and "decided" not in picks.found:
        yield "no column says when an outcome was known: each counts as known on its due date."
    for name, pick in picks.found.items():
        if not pick.sure and name == "occurred":
            header = picks.contents[pick.position].name
            yield f"several columns date a row: '{header}' is taken, as a sum is known at the end of its period."


def _is_dated(picks: Picks, position: int) -> bool:
    return picks.contents[position].kind in ("day", "instant")


def _of_table(picks: Picks, settings: Settings) -> Iterator[str]:
    """What is particular to a kind of file."""
    free = [picks.contents[i] for i in picks.free()]
    if is_wide(picks):
        yield "a row is what an account did in a period, not one event: its numbers are own columns."
    if picks.table == "scores" and (others := other_scores(picks)):
        taken = picks.of("value")
        yield f"{quoted(others)} may be scores too: a row holds one, '{taken.name if taken else ''}', and they are kept as own columns."
    if picks.table == "events" and (subscription := picks.of("subscription_id")) and "account_id" not in picks.found:
        yield f"no column names the account of an event: it is that of its subscription ('{subscription.name}'), as the book has it."
    if picks.table == "purchases" and "amount" not in picks.found:
        priced = [c.name for c in free if own_kind(c)[0] == "money"]
        said = f" ('{priced[0]}' is the price of one and kept as an own column)" if priced else ""
        yield f"no column is the amount of a line{said}: sums of purchases cannot be made."
    if picks.table == "accounts":
        yield from _churn(picks)
    if picks.table == "subscriptions" and "amount" not in picks.found and "amount" not in settings.dropped:
        money = [c.name for c in free if own_kind(c)[0] == "money"]
        said = f" ({quoted(money)} is money, and kept as an own column)" if money else ""
        yield f"no column is known as the amount of a term{said}: recurring revenue cannot be told."
    if picks.table == "subscriptions" and "ended" not in picks.found:
        yield "no column says when a term ends: every term is open."


def _churn(picks: Picks) -> Iterator[str]:
    """What a list of accounts says of those that left."""
    flag = picks.of("churned")
    said = [*([] if flag is None else [flag]), *(c for i in picks.free() if CHURN.search(words_in((c := picks.contents[i]).name)))]
    if days := [c.name for c in said if c.kind in ("day", "instant")]:
        yield f"{quoted(days)} says when an account left, and not which renewal that was: it is kept as an own column."
    elif said:
        yield f"{quoted([c.name for c in said])} says that an account left, and not when: no renewal or outcome can be read from it."


def _unread(picks: Picks) -> Iterator[str]:
    """Dates and numbers that could be read in two ways."""
    for i, column in enumerate(picks.contents):
        if column.complaint is None:
            continue
        if i in picks.taken:
            todo = column.complaint.hint.replace("Say --date-format", "Say `date_format` in the mapping:")
            yield f"column '{column.name}': {column.complaint.message} {todo} A load stops at it."
        else:
            yield f"column '{column.name}': {column.complaint.message} It is kept as text."


def _gaps(picks: Picks) -> Iterator[str]:
    """Required columns with empty cells, and rows without any of the columns of which the table needs one."""
    held = [column for name in TABLES[picks.table].one_of if (column := picks.of(name)) is not None]
    empty = 0 if not held else sum(all(code < 0 for code in codes) for codes in zip(*(c.words.codes.tolist() for c in held), strict=True))
    if empty:
        names, n = quoted([column.name for column in held]), len(picks.contents[0].cells)
        yield f"{names} {'is' if len(held) == 1 else 'are'} empty in {empty:,} of the {n:,} rows looked at: these will be rejected."
    for name in TABLES[picks.table].required:
        column = picks.of(name)
        if column is not None and column.filled < column.rows:
            empty = column.rows - column.filled
            yield f"'{column.name}' is empty in {empty:,} of the {column.rows:,} rows looked at: these will be rejected."


def _headers(picks: Picks) -> Iterator[str]:
    counts = Counter(column.name for column in picks.contents if column.name)
    for name, n in counts.items():
        if n > 1:
            yield f"{n} columns are named '{name}': none of them can be mapped until they have different names."
    if nameless := sum(not column.name for column in picks.contents):
        yield f"{nameless} column{'s have' if nameless > 1 else ' has'} no name and cannot be mapped."


def _other_sources(mapping: SourceMapping, definition: BookDefinition) -> Iterator[str]:
    """What other sources of the same table mean for this one."""
    for other in definition.sources:
        if other.table != mapping.table:
            continue
        if mapping.table == "events":
            yield f"{other.files[0]} feeds events too: what both files count is counted twice."
        table, given = TABLES[mapping.table], {*other.columns, *other.values}
        both = [name for name in mapping.columns if name in given and name not in (*mapping.row_key, table.happened, "known_at")]
        if table.state and both:
            yield f"{other.files[0]} states {quoted(both, 4)} too: of each, what is stated last counts, by its date."


def _other_notes(picks: Picks, sample: Sample) -> Iterator[str]:
    export = picks.export
    if export is not None and export.caution and any(_fell_back(picks, name) for name in ("due", "dated")):
        yield f"{export.caution}."
    for note in sample.raw.notes:
        if "sheets not read: " in note:
            yield f"{note}. A file feeds one table: save them as files of their own to load them."
    if not sample.whole:
        looked_at = f"{len(sample.raw.row):,} rows of the file were looked at, from its head, middle and tail"
        yield f"{looked_at}: what they do not hold is not known."


def _fell_back(picks: Picks, name: str) -> bool:
    """Whether a date was found only by what its product's export calls it for want of a better."""
    column, export = picks.of(name), picks.export
    listed = "" if export is None else export.otherwise.get({"due": "due", "dated": "date"}[name], "")
    return column is not None and squash(column.name) in {squash(one) for one in listed.split(", ")}
