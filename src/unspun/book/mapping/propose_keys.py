"""What tells the rows of a proposed source apart: the table's usual key, an id of the file, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from unspun.book.entities import TABLES
from unspun.book.mapping.contents import Contents, different_rows, words_in
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.mapping.propose_columns import Picks
from unspun.book.mapping.propose_table import is_wide
from unspun.book.text import quoted

OWN_IDS = {"purchases": "purchase_id", "events": "event_id", "responses": "response_id", "touchpoints": "touchpoint_id"}
MORE = {"subscriptions": (("subscription_id", "started"), ("subscription_id", "product", "started"))}
OTHERS_IDS = ("account", "customer", "company", "client", "contact", "user", "owner", "parent", "product", "person", "org", "tenant")
FEWEST_ROWS = 2  # for a value that does not repeat to say anything


@dataclass(slots=True)
class ProposedKey:
    """`key` as the mapping writes it (empty: the table's usual one, or none), own columns in it by position, and doubts."""

    key: tuple[str, ...] = ()
    own: int | None = None
    dropped: str = ""  # a book column that must not be mapped, as it would be the key and repeats
    doubts: list[str] = field(default_factory=list)


def propose_key(picks: Picks, constants: frozenset[str]) -> ProposedKey:
    """A key that holds in every row looked at, else none and a doubt that says what follows."""
    usual = TABLES[picks.table].key
    if usual and set(usual) <= {*picks.found, *constants}:
        return _usual(picks, usual)
    return _own(picks)


def agree(mapping: SourceMapping, picks: Picks, key: ProposedKey, definition: BookDefinition) -> SourceMapping | None:
    """The mapping under the key of the table's other sources, as a table has one; None where that cannot be its key.

    The doubts of `key` are brought up to date.
    """
    other = next((source for source in definition.sources if source.table == mapping.table), None)
    if other is None or other.row_key == mapping.row_key:
        return mapping
    agreed = replace(mapping, key=other.row_key)
    if agreed.row_key != other.row_key or not set(other.row_key) <= {*mapping.columns, *mapping.values}:
        return None
    titles = {mapping.columns[name] for name in other.row_key if name in mapping.columns}
    columns = [column for column in picks.contents if column.name in titles]
    if columns and _repeated_in(picks, columns):
        return None
    key.doubts = [f"rows have the key that {other.files[0]} gives {other.table}, {', '.join(other.row_key)}."]
    if not other.row_key:
        key.doubts = [f"rows have no key, as those of {other.files[0]} have none. {_keyless()}"]
    return agreed


def _usual(picks: Picks, usual: tuple[str, ...]) -> ProposedKey:
    repeated = _repeated(picks, usual)
    if not repeated:
        return ProposedKey()
    rows = f"in {repeated:,} of the {_rows(picks):,} rows looked at {_named(usual)} repeat{'s' if len(usual) == 1 else ''}"
    if TABLES[picks.table].state:
        return ProposedKey(doubts=[f"{rows} with other values: such rows of one load are rejected as a conflict."])
    for more in MORE.get(picks.table, ()):
        if set(more) <= picks.found.keys() and not _repeated(picks, more):
            return ProposedKey(more)
    own = _own_id(picks)
    if own is not None:
        return ProposedKey(("",), own)
    if picks.table == "subscriptions":
        said = f"{rows} with other values, so that it identifies no line: it is kept as an own column. {_keyless()}"
        return ProposedKey(dropped="subscription_id", doubts=[said])
    said = f"{rows} with other values: such rows of one load are rejected as a conflict. Say which columns are the key."
    return ProposedKey(doubts=[said])


def _own(picks: Picks) -> ProposedKey:
    """For a table without a usual key, or a file that has not all of its columns."""
    standard = OWN_IDS.get(picks.table, "")
    doubts = []
    if standard in picks.found and not _repeated(picks, (standard,)):
        return ProposedKey((standard,))
    if standard in picks.found and picks.table != "purchases":
        header = picks.contents[picks.found[standard].position].name
        doubts.append(f"'{header}' repeats in {_repeated(picks, (standard,)):,} rows with other values: it is no key.")
    pair = ("account_id" if "account_id" in picks.found else "subscription_id", "occurred")
    if is_wide(picks) and set(pair) <= picks.found.keys() and not _repeated(picks, pair):
        return ProposedKey(pair, doubts=doubts)
    own = _own_id(picks)
    if own is not None:
        return ProposedKey(("",), own, doubts=doubts)
    return ProposedKey(doubts=[*doubts, f"no column identifies a row. {_keyless()}"])


def _keyless() -> str:
    return "Rows are told apart by their file and row number: a later file that repeats some of them adds them again."


def _own_id(picks: Picks) -> int | None:
    """The one column named as an id of the rows themselves that is in every row and never repeats."""
    found = [i for i in picks.free() if _names_rows(picks.contents[i]) and picks.contents[i].rows >= FEWEST_ROWS]
    return found[0] if len(found) == 1 else None


def _names_rows(contents: Contents) -> bool:
    words = words_in(contents.name).split(" ")
    return words[-1] == "id" and words[0] not in OTHERS_IDS and contents.filled == contents.rows and not contents.repeats


def _repeated(picks: Picks, names: tuple[str, ...]) -> int:
    """Rows that have the key of an earlier one and are not equal to it; an earlier statement or version has another time."""
    timed = [name for name in ("dated",) if TABLES[picks.table].state] + ["known_at"]
    columns = [picks.of(name) for name in dict.fromkeys((*names, *timed))]
    return _repeated_in(picks, [column for column in columns if column is not None])


def _repeated_in(picks: Picks, key: list[Contents]) -> int:
    """Rows that are equal to an earlier one in these columns, and not in all."""
    different = different_rows(key)
    if different == _rows(picks):
        return 0
    return different_rows([*key, *(c for c in picks.contents if not c.nested and c not in key)]) - different


def _rows(picks: Picks) -> int:
    return picks.contents[0].rows


def _named(names: tuple[str, ...]) -> str:
    return quoted(list(names))
