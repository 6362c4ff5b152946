"""Which column of a file is which column of one table: by the export that its names tell, by usual names, and by what fits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from unspun.book.bands import band_key, known_scale
from unspun.book.entities import TABLES, TableName
from unspun.book.mapping.book_names import BOOK_NAMES, ROLE_OF, names_of, weight
from unspun.book.mapping.contents import MAJOR, Contents, can_be, could_name, holds_currencies, is_flag, words_in
from unspun.book.outcomes import WON_FLAGS
from unspun.book.roles import ACCOUNT, Tiers
from unspun.book.scores import LONG_NAMES, SCORE_NAMES
from unspun.book.subscriptions import NO, PERIODS, YES
from unspun.book.text import fold, quoted, squash
from unspun.book.vendors import Export, find_export

MOST_OUTCOME_WORDS = 60
PERIOD_NAME = re.compile(r"\b(?:period|month|week|quarter|window) (?:end|start)\b")
NAMES_OF_ACCOUNTS = frozenset(name for tier in (*ACCOUNT, ("name",)) for name in tier if name.endswith("name"))


@dataclass(frozen=True, slots=True)
class Pick:
    """The column of the file (its position) that plays a book column, how good its name is, and why."""

    position: int
    points: int
    why: str
    sure: bool = True


@dataclass(slots=True)
class Picks:
    """What has been found for one table so far. `rivals` says, in words, where two columns fit one name equally well."""

    table: TableName
    contents: Sequence[Contents]
    export: Export | None
    found: dict[str, Pick] = field(default_factory=dict)
    rivals: list[str] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)  # headers that stand over several columns, and would have been picked

    @property
    def taken(self) -> set[int]:
        return {pick.position for pick in self.found.values()}

    def of(self, name: str) -> Contents | None:
        """The contents of the column picked for a book column."""
        return self.contents[self.found[name].position] if name in self.found else None

    def free(self) -> list[int]:
        """Columns that are not taken, have a name of their own, and can be read."""
        counts = Counter(column.name for column in self.contents)
        taken = self.taken
        return [i for i, c in enumerate(self.contents) if i not in taken and c.name and counts[c.name] == 1 and not c.nested]


def pick_columns(table: TableName, contents: Sequence[Contents], *, bare_ids: bool) -> Picks:
    """The columns of a file that fit a table. `bare_ids`: a column called only `id` or `name` may be the account of an accounts file."""
    role = ROLE_OF.get(table)
    export = None if role is None else find_export(role, {squash(column.name) for column in contents})
    picks = Picks(table, contents, export)
    if export is not None:
        _by_export(picks, export, export.columns, tier=0)
    if table == "scores":
        _pick_score_name(picks)
        _pick_values(picks)
    won = picks.of("outcome")
    if won is not None and squash(won.name) in WON_FLAGS:
        del picks.found["outcome"]  # a stage says more, as a deal that is not won may be open
    names = _names(table, bare_ids)
    required = [name for name in names if name in (*TABLES[table].required, *TABLES[table].one_of)]
    for name in required:
        _by_name(picks, name, names[name])
    if export is not None:  # before a close date is taken for the day of the decision
        _by_export(picks, export, export.otherwise, tier=1)
    for name in names:
        _by_name(picks, name, names[name])
    return picks


def _names(table: TableName, bare_ids: bool) -> dict[str, Tiers]:
    """The names to look for; scores are found by other rules, and an account by a bare id only where that is allowed."""
    names = names_of(table)
    if table == "scores":
        return {name: tiers for name, tiers in names.items() if name not in ("value", "score")}
    if table == "accounts" and not bare_ids:
        names["account_id"] = names["account_id"][: len(ACCOUNT)]
    return names


def fits(contents: Contents, table: TableName, name: str) -> bool:
    """Whether what a column holds allows it to be a book column."""
    if contents.nested:
        return False
    standard = TABLES[table].column(name)
    kind = "instant" if standard is None else standard.kind
    if name in ("currency", "into"):
        return holds_currencies(contents)
    if name == "email":
        return contents.filled == 0 or all("@" in word for word in contents.words.words.slice(0, 3).to_pylist())
    if name == "amount_months":
        return can_be(contents, "number") or {fold(word) for word in contents.used()} <= PERIODS.keys()
    if name == "is_addon":
        return is_flag(contents) or {fold(word) for word in contents.used()} <= YES | NO
    if name == "outcome":
        return contents.dates is None and contents.distinct <= MOST_OUTCOME_WORDS
    if kind != "text":
        return can_be(contents, kind)
    if name == "name":
        return could_name(contents) and contents.numbers is None
    return could_name(contents) if name.endswith("_id") else contents.dates is None


def _by_export(picks: Picks, export: Export, names: dict[str, str], tier: int) -> None:
    squashed = [squash(column.name) for column in picks.contents]
    for role, listed in names.items():
        name = BOOK_NAMES[export.role].get(role)
        free = set(picks.free())
        for wanted in map(squash, listed.split(", ")):
            at = squashed.index(wanted) if squashed.count(wanted) == 1 else None
            if name is None or name in picks.found or at not in free or at is None:
                continue
            target = "band" if name == "value" and _is_band(picks.contents[at]) else name
            if fits(picks.contents[at], picks.table, target):
                why = f"what a {export.product} export calls it"
                picks.found[target] = Pick(at, weight(picks.table, target, tier, picks.contents[at].name), why)
                break


def _by_name(picks: Picks, name: str, tiers: Sequence[Sequence[str]]) -> None:
    """The column of the first tier that has one; none where the tier's header stands over several columns."""
    called = {i: _called(picks, i, name) for i in picks.free()}
    twice = {squash(header) for header, n in Counter(column.name for column in picks.contents).items() if n > 1}
    for tier, names in enumerate(tiers if name not in picks.found else ()):
        if blocked := twice & {*names}:
            picks.blocked |= {column.name for column in picks.contents if squash(column.name) in blocked}
            return
        found = [i for i, header in called.items() if header in names and fits(picks.contents[i], picks.table, name)]
        if found:
            best = min(found, key=lambda i: names.index(called[i]))
            picks.found[name] = _pick(picks, name, tier, best, found)
            return


def _called(picks: Picks, position: int, name: str) -> str:
    """The squashed header, for amounts without the currency at its end: ARR (EUR) is arr."""
    header = picks.contents[position].name
    standard = TABLES[picks.table].column(name)
    words = words_in(header).split(" ")
    if standard is not None and standard.kind == "money" and len(words) > 1 and words[-1].upper() in MAJOR:
        return squash("".join(words[:-1]))
    return squash(header)


def _pick(picks: Picks, name: str, tier: int, best: int, found: Sequence[int]) -> Pick:
    header = picks.contents[best].name
    sure, why = len(found) == 1, "its name"
    if not sure:
        titles = [picks.contents[i].name for i in sorted(found)]
        picks.rivals.append(f"columns {quoted(titles)} could each be {name}: '{header}' is taken.")
    if name == "occurred" and PERIOD_NAME.search(words_in(header)):
        sure, why = False, "its name; what is counted in a period is known at its end"
    if name == "account_id" and squash(header) in NAMES_OF_ACCOUNTS:
        sure = False
        picks.rivals.append(f"no column is an id of the account: '{header}' is taken, so that accounts of one name are one account.")
    return Pick(best, weight(picks.table, name, tier, header), why, sure)


def _pick_score_name(picks: Picks) -> None:
    """The column of score names of a file with a row for each score; never one that holds the scores themselves."""
    tiers = names_of("scores")["score"]
    held = [tuple(name for name in tier if name != "score") for tier in tiers]
    _by_name(picks, "score", held)
    chosen = picks.of("score")
    if chosen is not None and (chosen.numbers is not None or _is_band(chosen)):
        del picks.found["score"]
    if "score" not in picks.found:
        named = [i for i in picks.free() if squash(picks.contents[i].name) == "score" and picks.contents[i].kind == "text"]
        others = [i for i in picks.free() if squash(picks.contents[i].name) == "value"]
        if named and others and not _is_band(picks.contents[named[0]]):
            picks.found["score"] = Pick(named[0], weight("scores", "score", 0, "score"), "its name")


def _pick_values(picks: Picks) -> None:
    """The score itself: by a score's usual name, else one like it; numbers are its value and words of a known scale its band."""
    usual = LONG_NAMES if "score" in picks.found else SCORE_NAMES
    names = [(i, squash(picks.contents[i].name)) for i in picks.free()]
    exact = [i for i, name in names if name in usual]
    like = [i for i, name in names if i not in exact and _like_score(name)]
    held = [(i, tier) for tier, group in enumerate((exact, like)) for i in group if picks.contents[i].kind is not None]
    for i, tier in held:
        contents = picks.contents[i]
        name = "band" if _is_band(contents) else "value"
        if name in picks.found or not (name == "band" or can_be(contents, "number")):
            continue
        if name == "band" and "value" in picks.found:
            continue
        picks.found[name] = Pick(i, weight("scores", name, tier, contents.name), "its name, and what it holds")


def other_scores(picks: Picks) -> list[str]:
    """Columns that are scores too, beside the one that is picked."""
    free = [picks.contents[i] for i in picks.free()]
    return [c.name for c in free if (squash(c.name) in SCORE_NAMES or _like_score(squash(c.name))) and can_be(c, "number") and c.filled]


def _like_score(name: str) -> bool:
    return not name.startswith(("previous", "prior")) and (name.endswith("score") or "health" in name or name.startswith(("csat", "nps")))


def _is_band(contents: Contents) -> bool:
    """Whether a column holds words of a scale that everyone knows."""
    keys = {band_key(word) for word in contents.used()} if contents.filled and contents.distinct <= 12 else set()
    return contents.numbers is None and bool(keys) and known_scale(keys) is not None
