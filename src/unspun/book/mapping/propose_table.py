"""Which table of the book a file feeds: each table tried, what speaks for it counted, and what it lacks named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unspun.book.entities import TABLES, TableName
from unspun.book.mapping.book_names import FILE_WORDS
from unspun.book.mapping.contents import Contents, different_rows, words_in
from unspun.book.mapping.propose_columns import Picks, pick_columns
from unspun.book.roles import ACCOUNT, SUBSCRIPTIONS
from unspun.book.text import quoted, squash

ENOUGH = 4  # points for a table to be proposed
FILE_POINTS = UNIQUE_POINTS = 3
WIDE_POINTS = 4
EXPORT_POINTS = 5
ONCE_A_DATE_POINTS = 2
NEAREST = 2  # tables named where none fits
TELLING_POINTS = 3  # for one to be named
FEWEST_MEASURES = 2  # number columns of a file that counts what each account did
SUBSCRIPTION_IDS = frozenset(name for tier in SUBSCRIPTIONS["subscription_id"][:1] for name in tier if name.startswith("subscription"))
ONE_OF: dict[TableName, tuple[str, ...]] = {
    "renewals": ("outcome",),
    "scores": ("value", "band"),
    "forecasts": ("probability", "call", "amount"),
    "responses": ("answer", "verbatim"),
}
"""Of these a table needs one, or its rows say nothing; not asked for where the caller names the table."""


@dataclass(frozen=True, slots=True)
class Fit:
    """One table tried on a file: the columns found, the points that speak for it with why, and what it needs and has not."""

    table: TableName
    picks: Picks
    points: int
    why: tuple[str, ...]
    missing: tuple[str, ...]


def fit_tables(name: str, contents: Sequence[Contents], asked: TableName | None) -> list[Fit]:
    """All tables (or the one that was asked for), the best first: complete ones before others, then by points."""
    words = frozenset(words_in(name.rpartition("/")[2].partition(".")[0]).split(" "))
    fits = [_fit(table, words, contents, asked is not None) for table in ((asked,) if asked else TABLES)]
    return sorted(fits, key=lambda fit: (bool(fit.missing), -fit.points, len(fit.missing)))


def is_wide(picks: Picks) -> bool:
    """Whether the rows of an events file are measures by account and period, a column each, and not events one by one."""
    measures = [i for i in picks.free() if picks.contents[i].kind in ("whole", "number") and _last_word(picks, i) != "id"]
    return picks.table == "events" and "event" not in picks.found and len(measures) >= FEWEST_MEASURES


def _last_word(picks: Picks, position: int) -> str:
    return words_in(picks.contents[position].name).split(" ")[-1]


def _fit(table: TableName, words: frozenset[str], contents: Sequence[Contents], asked: bool) -> Fit:
    by_file = words & FILE_WORDS[table]
    picks = pick_columns(table, contents, bare_ids=bool(by_file) or asked)
    points, why = sum(pick.points for pick in picks.found.values()), []
    if by_file:
        points, why = points + FILE_POINTS, [*why, f"the file's name has '{min(by_file)}' in it"]
    if picks.export is not None:
        points, why = points + EXPORT_POINTS, [*why, f"its columns are those of a {picks.export.product} export"]
    if telling := [picks.contents[pick.position].name for pick in picks.found.values() if pick.points > 1]:
        why.append(f"it has {quoted(telling, 4)}")
    shaped, shape = _shape(picks)
    return Fit(table, picks, points + shaped, (*why, *shape), _missing(picks, asked))


def _shape(picks: Picks) -> tuple[int, list[str]]:
    """What the rows themselves say: an account once each, or an account again and again with measures."""
    account = picks.of("account_id") or (picks.of("subscription_id") if picks.table == "events" else None)
    if account is None or picks.table not in ("accounts", "events"):
        return 0, []
    if picks.table == "events":
        if "occurred" in picks.found and is_wide(picks) and account.repeats:
            whose = "account" if "account_id" in picks.found else "subscription"
            return WIDE_POINTS, [f"each {whose} has rows again and again, with a date and numbers"]
        return 0, []
    named = 1 if any(squash(account.name) in tier for tier in ACCOUNT[:2]) else 0
    dated = picks.of("dated")
    if dated is None:
        once = UNIQUE_POINTS if account.rows > 1 else 0
        return (-2 * UNIQUE_POINTS, []) if account.repeats else (named + once, ["each account has one row"])
    if account.rows > 1 and different_rows([account, dated]) == account.rows:
        return ONCE_A_DATE_POINTS, ["each account has one row a date"]
    return (0 if picks.found["dated"].points or account.rows == 1 else -UNIQUE_POINTS), []


def _missing(picks: Picks, asked: bool) -> tuple[str, ...]:
    table = TABLES[picks.table]
    missing = [name for name in table.required if name not in picks.found]
    if table.one_of and not any(name in picks.found for name in table.one_of):
        missing.insert(0, " or ".join(table.one_of))
    choice = ONE_OF.get(picks.table, ())
    if choice and not asked and not any(name in picks.found for name in choice):
        missing.append(" or ".join(choice))
    return tuple(missing)


def why_none(fits: Sequence[Fit]) -> str:
    """Why no table fits: the nearest ones, and what each lacks."""
    held = sorted((fit for fit in fits if fit.missing and fit.points >= TELLING_POINTS), key=lambda fit: (-fit.points, len(fit.missing)))
    near = [fit for fit in held[:NEAREST] if 2 * fit.points >= held[0].points]
    blocked = sorted(set().union(*(fit.picks.blocked for fit in near or fits)))
    twice = f"; {quoted(blocked)} stands over several columns, so that none of them can be mapped" if blocked else ""
    if near:
        lacks = "; ".join(f"as {fit.table} it lacks {_listed(fit)}" for fit in near)
        return f"no table of the book fits: {lacks}{_by_subscription(near)}{twice}."
    known = any("account_id" in fit.picks.found for fit in fits)
    whose = "beside an account nothing" if known else "no column names an account, and nothing"
    return f"no table of the book fits: {whose} in it tells what its rows are{twice}."


def _listed(fit: Fit) -> str:
    """What a table needs and the file has not, with what each is."""
    columns = [(name, TABLES[fit.table].column(name)) for name in fit.missing]
    return " and ".join(f"{name} ({column.meaning})" if column else name for name, column in columns)


def _by_subscription(near: Sequence[Fit]) -> str:
    """A file that names subscriptions in place of accounts could be used if it named both."""
    names = [c.name for c in near[0].picks.contents if squash(c.name) in SUBSCRIPTION_IDS]
    if "account_id" not in near[0].missing or not names:
        return ""
    return f"; '{names[0]}' names a subscription: export the account of each row beside it"
