"""Statements about accounts are merged column by column: against a plain reference in Python, however they are split over files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.warehouse.books import add_load, instant, new_book
from tests.unit.warehouse.loaded_books import book, counts, day, load, read, write, write_rows
from unspun.book.mapping.definition import SourceMapping
from unspun.warehouse.erase import Subject, erase

FIRST, DAYS = day("2024-01-01"), 4
COLUMNS: tuple[str, ...] = ("owner", "plan", "segment")
Moment = tuple[str, int, int]  # account, day from which it holds, day on which it was known
Said = dict[Moment, dict[str, str | None]]
Piece = tuple[Moment, tuple[str, ...]]  # a row, and the columns of the file that it stands in
SETTINGS = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def mapping(*columns: str, dated: bool = True, known: bool = False, fixed: tuple[str, ...] = ()) -> SourceMapping:
    also = {"dated": "from"} if dated else {}
    also |= {"known_at": "known"} if known else {}
    named = {"account_id": "account", **also, **{name: name for name in columns}}
    return SourceMapping((f"{'-'.join(columns)}*.csv",), "accounts", named, fixed=fixed)


@st.composite
def split_statements(draw: st.DrawFn) -> tuple[Said, list[list[Piece]]]:
    """What was said of accounts, and the same in up to four files of different columns; some of it is said by two of them."""
    days = st.integers(0, DAYS - 1)
    columns = st.sampled_from(COLUMNS)
    values = st.dictionaries(columns, st.sampled_from(["a", "b", None]), min_size=1)
    said: Said = draw(st.dictionaries(st.tuples(st.sampled_from("xyz"), days, days), values, min_size=1, max_size=10))
    pieces = [(moment, part) for moment, row in said.items() for part in draw(parts(sorted(row)))]
    shuffled = draw(st.permutations(pieces))
    files = [[piece for piece in shuffled if piece[1] == part] for part in dict.fromkeys(part for _, part in shuffled)]
    cuts = [draw(st.integers(0, len(file))) for file in files]
    halves = [half for file, cut in zip(files, cuts, strict=True) for half in (file[:cut], file[cut:]) if half]
    return said, draw(st.permutations(halves))


@st.composite
def parts(draw: st.DrawFn, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Sets of columns that together are all of them, and may overlap."""
    drawn = draw(st.lists(st.sets(st.sampled_from(columns), min_size=1), max_size=2))
    rest = set(columns) - {name for part in drawn for name in part}
    return list(dict.fromkeys(tuple(sorted(part)) for part in (*drawn, rest) if part))


def value(said: Said, account: str, column: str, known_before: int, until: int) -> str | None:
    """The reference: what was stated last of a column, of that known before a day, as of the end of another."""
    stated = [(moment[1:], row[column]) for moment, row in said.items() if moment[0] == account and column in row]
    there = [one for one in stated if one[0][0] <= until and one[0][1] < known_before]
    return max(there, key=lambda one: one[0])[1] if there else None


def state(said: Said, account: str, known_before: int, until: int) -> tuple[str, ...]:
    return (account, *(value(said, account, column, known_before, until) or "" for column in COLUMNS))


def moments(said: Said, known_before: int) -> set[tuple[str, int]]:
    return {moment[:2] for moment in said if moment[2] < known_before}


def fixed_value(said: Said, account: str, column: str) -> str:
    """The reference for a fixed column: the last that it was at any time, but empty."""
    days = sorted(at for name, at in moments(said, DAYS) if name == account)
    return next((found for at in reversed(days) if (found := value(said, account, column, DAYS, at))), "")


def written(number: int) -> str:
    return (FIRST + timedelta(days=number)).date().isoformat()


def lines(said: Said, piece: Iterable[Piece]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for moment, columns in piece:
        lead: dict[str, object] = {"account": moment[0], "from": written(moment[1]), "known": written(moment[2])}
        found.append(lead | {name: said[moment][name] or "" for name in columns})
    return found


ASKED = "account_id, " + ", ".join(f"coalesce({name}, '')" for name in COLUMNS)
SEEN = (
    f"SELECT {ASKED}, date_diff('day', TIMESTAMPTZ '{FIRST}', happened_at) FROM accounts_history UNION ALL SELECT {ASKED}, -1 FROM accounts"
)


@SETTINGS
@given(split_statements(), st.lists(st.booleans(), min_size=12, max_size=12), st.booleans())
def test_any_split_of_columns_and_rows_over_files_and_loads_gives_the_same_state_as_of_every_date(
    case: tuple[Said, list[list[Piece]]], ends: list[bool], fixed: bool
) -> None:
    said, files = case
    with tempfile.TemporaryDirectory() as name, book(Path(name)) as catalog:
        batch: list[tuple[Path, SourceMapping]] = []
        for number, file in enumerate(files):
            mapped = mapping(*file[0][1], known=True, fixed=("plan",) if fixed else ())
            batch.append((write_rows(Path(name) / f"{number}.csv", lines(said, file)), mapped))
            if number == len(files) - 1 or ends[number % len(ends)]:
                result = load(catalog, "2024-03-01", *batch)
                assert not any(source.rows_rejected for source in result.sources)
                batch = []
        for before in range(DAYS + 1):
            found = read(catalog, SEEN, FIRST + timedelta(days=before))
            assert sorted(found) == sorted(expected(said, before, fixed))


def expected(said: Said, before: int, fixed: bool) -> Iterator[tuple[str | int, ...]]:
    """The reference: the rows of `accounts_history` and, as of day -1, those of `accounts`, both as known before the start of a day."""
    yield from ((*state(said, account, before, until), until) for account, until in moments(said, before))
    there = {account for account, until in moments(said, before) if until < before}
    for account in {moment[0] for moment in said} if fixed else there:
        row = state(said, account, before, before - 1) if account in there else (account, "", "", "")
        yield (*row[:2], fixed_value(said, account, "plan") if fixed else row[2], row[3], -1)


def segments(path: Path, *rows: str) -> tuple[Path, SourceMapping]:
    return write(path, "account,segment,from", *rows), mapping("segment")


def owners(path: Path, *rows: str) -> tuple[Path, SourceMapping]:
    return write(path, "account,owner,from", *rows), mapping("owner")


def test_a_file_that_does_not_map_a_column_takes_nothing_away_and_an_empty_cell_clears(tmp_path: Path) -> None:
    with book(tmp_path) as catalog:
        load(catalog, "2024-06-01", segments(tmp_path / "s.csv", "1,Small,2024-01-01", "1,Large,2024-03-01"))
        load(catalog, "2024-06-02", owners(tmp_path / "o.csv", "1,Kim,2024-02-01", "1,,2024-04-01"))
        ask = "SELECT segment, owner, stated FROM accounts"
        seen = [read(catalog, ask, day(f"2024-0{month}-15")) for month in range(1, 6)]
        assert seen == [
            [("Small", None, "segment")], [("Small", "Kim", "owner")], [("Large", "Kim", "segment")], [("Large", None, "owner")],
            [("Large", None, "owner")],
        ]  # fmt: skip
        history = [("Small", None), ("Small", "Kim"), ("Large", "Kim"), ("Large", None)]
        assert read(catalog, "SELECT segment, owner FROM accounts_history ORDER BY happened_at") == history
        assert read(catalog, "SELECT count(segment), count(owner), count(*) FROM accounts_versions") == [(2, 1, 4)]


def test_files_that_state_different_columns_from_the_same_day_on_do_not_contradict_each_other(tmp_path: Path) -> None:
    with book(tmp_path) as catalog:
        files = [segments(tmp_path / "s.csv", "1,Small,2024-01-01"), owners(tmp_path / "o.csv", "1,Kim,2024-01-01")]
        assert counts(load(catalog, "2024-06-01", *files)) == ((1, 1, 0, 0, 0), (1, 1, 0, 0, 0))
        assert read(catalog, "SELECT segment, owner FROM accounts", day("2024-01-02")) == [("Small", "Kim")]
        assert read(catalog, "SELECT segment, owner FROM accounts_history") == [("Small", "Kim")]


def test_files_that_state_one_column_otherwise_from_the_same_day_on_contradict_each_other(tmp_path: Path) -> None:
    both = write(tmp_path / "b.csv", "account,owner,segment,from", "1,Kim,Large,2024-01-01", "2,Lee,Large,2024-01-01")
    with book(tmp_path) as catalog:
        single = segments(tmp_path / "s.csv", "1,Small,2024-01-01", "2,Large,2024-01-01", "3,Large,2024-01-01")
        result = load(catalog, "2024-06-01", single, (both, mapping("owner", "segment")))
        assert counts(result) == ((3, 2, 0, 0, 1), (2, 1, 0, 0, 1))
        assert {source.rejected[0][0] for source in result.sources} == {"conflict"}
        assert read(catalog, "SELECT account_id, segment, owner FROM accounts ORDER BY 1") == [("2", "Large", "Lee"), ("3", "Large", None)]


def test_another_file_that_says_otherwise_of_a_day_is_known_when_it_is_received(tmp_path: Path) -> None:
    later = write(tmp_path / "b.csv", "account,owner,segment,from", "1,Kim,Large,2024-01-01", "2,Lee,Small,2024-01-01")
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", segments(tmp_path / "s.csv", "1,Small,2024-01-01", "2,Small,2024-01-01"))
        assert counts(load(catalog, "2024-03-01", (later, mapping("owner", "segment")))) == ((2, 1, 1, 0, 0),)
        ask = "SELECT segment, owner FROM accounts ORDER BY account_id"
        assert read(catalog, ask, day("2024-03-01")) == [("Small", None), ("Small", "Lee")]
        assert read(catalog, ask, day("2024-03-02")) == [("Large", "Kim"), ("Small", "Lee")]


def test_rows_that_say_less_of_what_the_book_says_are_unchanged(tmp_path: Path) -> None:
    both = write(tmp_path / "b.csv", "account,owner,segment,from,known", "1,Kim,Large,2024-01-01,2024-01-05")
    one = write(tmp_path / "s.csv", "account,segment,from,known", "1,Large,2024-01-01,2024-01-05", "1,Small,2024-01-01,2024-01-06")
    other = write(tmp_path / "t.csv", "account,segment,from,known", "1,Tiny,2024-01-01,2024-01-05", "1,Tiny,2024-01-02,2024-01-05")
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", (both, mapping("owner", "segment", known=True)))
        assert counts(load(catalog, "2024-02-02", (one, mapping("segment", known=True)))) == ((2, 0, 1, 1, 0),)
        against = load(catalog, "2024-02-03", (other, mapping("segment", known=True)))
        assert (counts(against), against.sources[0].rejected[0][0]) == (((2, 1, 0, 0, 1),), "two_values")


def test_undated_files_are_compared_with_what_was_last_stated_of_their_own_columns(tmp_path: Path) -> None:
    plans, owned = mapping("plan", dated=False), mapping("owner", dated=False)
    first = write(tmp_path / "p1.csv", "account,plan", "1,basic", "2,basic")
    second = write(tmp_path / "o1.csv", "account,owner", "1,Kim", "3,Lee")
    third = write(tmp_path / "p2.csv", "account,plan", "1,basic", "2,pro", "3,")
    with book(tmp_path) as catalog:
        files = ("2024-02-01", first, plans), ("2024-03-01", second, owned), ("2024-04-01", third, plans)
        found = [counts(load(catalog, at, (file, mapped)))[0] for at, file, mapped in files]
        assert found == [(2, 2, 0, 0, 0), (2, 1, 1, 0, 0), (3, 0, 2, 1, 0)]
        ask = "SELECT account_id, plan, owner FROM accounts ORDER BY 1"
        assert read(catalog, ask, day("2024-03-02")) == [("1", "basic", "Kim"), ("2", "basic", None), ("3", None, "Lee")]
        assert read(catalog, ask) == [("1", "basic", "Kim"), ("2", "pro", None), ("3", None, "Lee")]
        cleared, again = (write(tmp_path / f"p{n}.csv", "account,plan", *rows) for n, rows in ((3, ("1,", "3,")), (4, ("1,basic", "3,"))))
        assert [counts(load(catalog, f"2024-0{n}-01", (file, plans))) for n, file in ((5, cleared), (6, again))] == [((2, 0, 1, 1, 0),)] * 2
        assert [read(catalog, f"{ask} LIMIT 1", day(f"2024-0{n}-02")) for n in (5, 6)] == [[("1", None, "Kim")], [("1", "basic", "Kim")]]


def test_an_account_that_is_called_like_a_column_is_erased_and_what_others_state_stays(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    at = {"happened_at": instant(1), "known_at": instant(1)}
    add_load(catalog, {"accounts": [{"account_id": name, "segment": "Large", "stated": "segment", **at} for name in ("segment", "b")]})
    assert (found := erase(catalog, Subject("account", "segment"), instant(60))).version is not None
    assert (found.rows, found.cells, found.mentions) == ((("accounts", 1),), (), ())
    assert read(catalog, "SELECT account_id, segment FROM accounts") == [("b", "Large")]
