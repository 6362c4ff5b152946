"""What a proposed source says beside its columns: constants, the currency, what amounts are for, what words stand for."""

from __future__ import annotations

from dataclasses import dataclass, field

from unspun.book.entities import TABLES
from unspun.book.mapping.contents import FLAG_NO, FLAG_YES, ISO, MAJOR, Contents, words_in
from unspun.book.mapping.definition import BookDefinition
from unspun.book.mapping.propose_columns import Picks
from unspun.book.outcomes import WON_FLAGS, read_outcomes
from unspun.book.subscriptions import amount_months_by_name
from unspun.book.text import fold, squash

BARE_SCORES = frozenset({"score", "value", "scorevalue", "health", "rating", "band", "h"})  # names that do not say which score
SURVEYS = ("NPS", "CSAT", "CES")


@dataclass(slots=True)
class Settings:
    """`dropped` are book columns that cannot be mapped as they are; `doubts` say why, and what is not known."""

    values: dict[str, str] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    currency: str | None = None
    amount_months: float | None = None
    dropped: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def find_settings(picks: Picks, file_name: str, definition: BookDefinition) -> Settings:
    """The settings of a source; what it changes of the columns, and what it cannot tell."""
    settings = Settings()
    if picks.table == "scores" and "score" not in picks.found:
        settings.values["score"] = _score_name(picks, file_name)
    if picks.table == "responses" and "survey" not in picks.found and (survey := _survey(picks, file_name)):
        settings.values["survey"] = survey
    if picks.table == "subscriptions":
        _period(picks, settings)
    if picks.table == "renewals":
        _outcomes(picks, settings)
    _currency(picks, settings, definition)
    return settings


def _score_name(picks: Picks, file_name: str) -> str:
    """The score's name: its column's where that says which, else the file's."""
    column = picks.of("value") or picks.of("band")
    if column is not None and squash(column.name) not in BARE_SCORES:
        return " ".join(column.name.split())
    stem = words_in(file_name.partition(".")[0])
    return stem.removesuffix("s") if stem else "score"


def _survey(picks: Picks, file_name: str) -> str:
    answer = picks.of("answer")
    words = f"{words_in(answer.name) if answer else ''} {words_in(file_name)}".split()
    return next((survey for survey in SURVEYS if survey.casefold() in words), "")


def _period(picks: Picks, settings: Settings) -> None:
    """How many months amounts cover, by their column's name; a column that says so counts only where the name does not."""
    amount = picks.of("amount")
    if amount is None:
        picks.found.pop("amount_months", None)
        return
    months = amount_months_by_name(words_in(amount.name))
    if months is not None:
        settings.amount_months = float(months)
        picks.found.pop("amount_months", None)
    elif "amount_months" not in picks.found:
        settings.dropped.append("amount")
        settings.doubts.append(
            f"nothing says whether '{amount.name}' is for a month, a year or the whole term: it is kept as an own column. Map it as "
            f"amount: {{column: {amount.name}, covers: year}} (or month, quarter, term)."
        )


def _outcomes(picks: Picks, settings: Settings) -> None:
    """Words that say what became of a renewal: which are not known, and what yes and no of a won deal leave open."""
    column = picks.of("outcome")
    if column is None or not column.filled:
        return
    _, complaint = read_outcomes(column.words, column.name, {})
    if squash(column.name) in WON_FLAGS:
        _won(picks, column, settings)
    elif complaint is not None:
        said = complaint.message.removeprefix("no known outcome: ")
        settings.doubts.append(f"words of '{column.name}' that are no known outcome: {said} Say under `words` what each stands for.")


def _won(picks: Picks, column: Contents, settings: Settings) -> None:
    closed = next((c for c in picks.contents if squash(c.name) == "isclosed"), None)
    all_closed = closed is not None and closed.filled == closed.rows and {fold(word) for word in closed.used()} <= FLAG_YES
    said = {word: "renewed" for word in column.used() if fold(word) in FLAG_YES}
    if all_closed:
        said |= {word: "churned" for word in column.used() if fold(word) in FLAG_NO}
        settings.doubts.append(f"'{column.name}' is read as churned where it says no, which holds while every deal of the file is closed.")
    else:
        settings.doubts.append(
            f"a deal that '{column.name}' does not call won may be lost or still open, and no column that can be read says which: "
            "export its stage, or closed deals only."
        )
    settings.words["outcome"] = said


def _currency(picks: Picks, settings: Settings, definition: BookDefinition) -> None:
    """The currency of amounts, only where the file names it: in the cells of the amounts, or in their header."""
    money = [name for name in picks.found if (column := TABLES[picks.table].column(name)) is not None and column.kind == "money"]
    kept = [column for name in money if name not in settings.dropped and (column := picks.of(name)) is not None]
    if not kept or "currency" in picks.found:
        return
    named = {code for column in kept for code in _named(column)}
    if len(named) == 1:
        settings.currency = named.pop()
    elif len(named) > 1:
        settings.doubts.append(f"amounts are in several currencies ({', '.join(sorted(named))}), and no column names that of a row.")
    elif definition.currency is None:
        settings.doubts.append("nothing names the currency of the amounts: say `currency` here or for the whole book.")


def _named(column: Contents) -> set[str]:
    cells = set() if column.numbers is None or column.numbers.currency is None else set(column.numbers.currency.names)
    last = words_in(column.name).split(" ")[-1].upper()
    return (cells & ISO) | ({last} & MAJOR)
