"""Mappings and texts of book.yml, made at random, for the tests beside this file."""

from __future__ import annotations

from hypothesis import strategies as st

from unspun.book.entities import TABLES, Kind, TableName
from unspun.book.mapping.book_fields import COVERS, KINDS, NAME, SQL_WORDS, TAKEN
from unspun.book.mapping.definition import SourceMapping

HEADERS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(lambda text: text.strip() != "")
OWN = st.from_regex(NAME, fullmatch=True).filter(lambda name: name not in SQL_WORDS | TAKEN | {"known_at"})
CONSTANTS: dict[Kind, tuple[str, ...]] = {
    "text": ("x", "no", "007", "a: b", "#1"),
    "whole": ("0", "-12"),
    "number": ("1.5", "1e3"),
    "money": ("12.34",),
    "day": ("2026-01-31",),
    "instant": ("2026-01-31", "2026-01-31T12:00:00+02:00"),
    "flag": ("true", "false", "yes", "N"),
}


def _constants(table: TableName, name: str, kind: Kind) -> tuple[str, ...]:
    if (table, name) == ("renewals", "outcome"):
        return ("renewed", "undecided")
    return ("USD", "EUR") if name == "currency" else CONSTANTS[kind]


@st.composite
def mappings(draw: st.DrawFn, files: str = "a.csv") -> SourceMapping:
    """Mappings that a book.yml can say."""
    table = TABLES[draw(st.sampled_from(sorted(TABLES)))]
    optional = [column.name for column in table.columns if not column.required]
    names = [*table.required, *draw(st.lists(st.sampled_from(optional), unique=True) if optional else st.just([]))]
    if table.one_of and not {*table.one_of} & {*names}:
        names.append(draw(st.sampled_from(table.one_of)))
    own = [name for name in draw(st.lists(OWN, max_size=3, unique=True)) if table.column(name) is None]
    kinds: dict[str, Kind] = {name: draw(st.sampled_from(sorted(KINDS))) for name in own}
    mapping = SourceMapping((files,), table.name, {}, kinds)
    columns, values, words = {}, {}, {}
    for name in [*names, *own, *draw(st.sampled_from([[], ["known_at"]]))]:
        if name != "known_at" and draw(st.integers(0, 4)) == 0:
            values[name] = draw(st.sampled_from(_constants(table.name, name, mapping.kind_of(name))))
            continue
        columns[name] = draw(HEADERS)
        if name != "known_at" and draw(st.integers(0, 4)) == 0:
            meanings = st.sampled_from(("", *_constants(table.name, name, mapping.kind_of(name))))
            if words_of := draw(st.dictionaries(HEADERS, meanings, max_size=3)):
                words[name] = words_of
    given = [*columns, *values]
    mappable = [name for name in given if name != "known_at"]
    needs_months = "amount" in given and "amount_months" not in given and table.name == "subscriptions"
    key = tuple(draw(st.lists(st.sampled_from(mappable), unique=True, max_size=2)))
    fixable = [name for name in mappable if name not in (key or table.key) and name != table.happened]
    fixed = draw(st.lists(st.sampled_from(fixable), unique=True, max_size=2)) if table.state and fixable else []
    return SourceMapping(
        files=(files, *draw(st.lists(HEADERS.filter(lambda text: text.isprintable() and text[-1] not in "/\\"), max_size=2, unique=True))),
        table=table.name,
        columns=columns,
        kinds=kinds,
        values=values,
        key=key,
        known=draw(st.sampled_from(("happened", "received"))),
        fixed=tuple(fixed),
        ignored=tuple(draw(st.lists(HEADERS.filter(lambda text: text not in columns.values()), max_size=8, unique=True))),
        words=words,
        date_format=draw(st.sampled_from((None, "%d/%m/%Y", "%Y.%m.%d %H:%M"))),
        time_zone=draw(st.sampled_from((None, "Europe/Berlin", "UTC"))),
        currency=draw(st.sampled_from((None, "EUR"))),
        amount_months=draw(st.sampled_from((*COVERS.values(), 2.0, 1.5))) if needs_months else None,
    )


WORDS = st.sampled_from(
    [
        "a",
        "",
        " ",
        "UTC",
        "Mars",
        "USD",
        "usd",
        "XXX",
        "%d",
        "d",
        "happened",
        "text",
        "whole",
        "month",
        "2026-01-01",
        "yes",
        "x.csv",
        "*",
        "/",
    ]
)
SCALARS = WORDS | st.none() | st.booleans() | st.integers(-2, 14) | st.floats(-1, 2000, allow_nan=False)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "column": SCALARS,
        "value": SCALARS,
        "kind": SCALARS,
        "covers": SCALARS,
        "words": st.dictionaries(WORDS, SCALARS, max_size=2),
        "x": SCALARS,
    },
)
NAMES = st.sampled_from(
    ["account_id", "started", "amount", "amount_months", "dated", "known_at", "load", "Own", "own", "select", "due", "outcome"]
)
NAME_LISTS = SCALARS | NAMES | st.lists(SCALARS | NAMES, max_size=3)
SOURCES = st.fixed_dictionaries(
    {},
    optional={
        "files": SCALARS | st.lists(SCALARS, max_size=3),
        "table": st.sampled_from([*sorted(TABLES), "accounts", "subscriptions", "nowhere"]) | SCALARS,
        "columns": st.dictionaries(NAMES, WORDS | ENTRIES | SCALARS, max_size=6) | SCALARS,
        "key": NAME_LISTS, "fixed": NAME_LISTS, "ignore": NAME_LISTS, "known": SCALARS, "date_format": SCALARS, "time_zone": SCALARS,
        "currency": SCALARS, "colums": SCALARS,
    },
)  # fmt: skip
BOOKS = SCALARS | st.fixed_dictionaries(
    {},
    optional={
        "time_zone": SCALARS,
        "currency": SCALARS,
        "fiscal_year_starts": SCALARS,
        "sources": st.lists(SOURCES, max_size=3) | SCALARS,
        "x": SCALARS,
    },
)
