"""Cells at the ends of what columns hold: on every engine they are counted, compared and told apart as what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from sys import float_info
from typing import Any

import pytest

from tests.panel.random_books import LONG, OTHER_ACCOUNTS, TEXTS, Row, SmallBook, kinds_of
from tests.panel.random_metrics import question_of
from tests.panel.sides import SIDES, by_reference
from unspun.book.entities import TABLES
from unspun.errors import UnspunError
from unspun.metrics.conditions import Compare, HasText, IsIn
from unspun.metrics.metric import Metric, MetricSet, SourceRules
from unspun.metrics.nodes import Average, Count, Distinct, LastValue, Maximum, Minimum, Rows, Series, Sum
from unspun.metrics.question import HeldTable

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
ALL = Rows("events")
EVERY_ENGINE = pytest.mark.parametrize("engine", ["reference", *SIDES])


def book_of(column: str, cells: Sequence[Any], accounts: Sequence[str] = ("a",)) -> SmallBook:
    """An event of every account for each cell, a minute apart."""
    rows: list[Row] = []
    for account in accounts:
        for place, cell in enumerate(cells):
            at = NOON + timedelta(minutes=place)
            told = {"account_id": account, column: cell, "occurred": at, "happened_at": at, "known_at": at}
            rows.append({**told, "load": 1, "source_file": 1, "source_row": len(rows) + 2})
    held = HeldTable(kinds_of("events"), TABLES["events"].key, rows=len(rows))
    return SmallBook({"events": tuple(rows)}, {"events": held}, (NOON.date(),), ())


def panel(engine: str, book: SmallBook, series: Mapping[str, Series]) -> dict[str, list[Any]]:
    """The values of the metrics, by account."""
    sources = {"events": SourceRules(covers_every_account=True, silent_days=None)}
    question = question_of(book, MetricSet(tuple(Metric(id, one) for id, one in series.items()), sources))
    found = by_reference(question, book)
    return (found if engine == "reference" else SIDES[engine](question, book, found.schema)).to_pydict()


def values(engine: str, book: SmallBook, series: Mapping[str, Series]) -> dict[str, Any]:
    """The values of the one account."""
    found = panel(engine, book, series)
    assert [found[f"{id}__missing"] for id in series] == [[None]] * len(series)
    return {id: found[id][0] for id in series}


@EVERY_ENGINE
def test_the_largest_and_the_smallest_doubles_are_compared_and_told_apart(engine: str) -> None:
    cells = [float_info.max, -float_info.max, 5e-324, -5e-324, 0.0, -0.0, 9007199254740992.0, None, 1e300]
    found = values(
        engine,
        book_of("value", cells),
        {
            "least": Minimum(ALL, "value"),
            "greatest": Maximum(ALL, "value"),
            "different": Distinct(ALL, "value"),
            "last": LastValue(ALL, "value"),
            "zeros": Count(Rows("events", IsIn("value", (0,)))),
            "above": Count(Rows("events", Compare("value", "above", 10**18))),
            "not_below": Count(Rows("events", Compare("value", "at_least", 0))),
        },
    )
    assert found == {
        "least": -float_info.max, "greatest": float_info.max, "different": 7, "last": 1e300, "zeros": 2, "above": 2, "not_below": 6,
    }  # fmt: skip


@EVERY_ENGINE
def test_numbers_are_added_exactly_each_rounded_to_nine_decimals_halves_away_from_zero(engine: str) -> None:
    halves = [5e-10, 1.5e-9, -5e-10, -2.5e-9, 4.9e-10]
    found = values(engine, book_of("value", halves), {"sum": Sum(ALL, "value"), "average": Average(ALL, "value")})
    assert found == {"sum": -1e-9, "average": -1e-9 / 5}
    thirds = [1e9 / 3] * 3 + [0.1] * 10 + [-1e9]
    assert values(engine, book_of("value", thirds), {"sum": Sum(ALL, "value")}) == {"sum": 0.999999936}
    cancelling = [9e19, 0.25, -9e19, 1e-9]
    assert values(engine, book_of("value", cancelling), {"sum": Sum(ALL, "value")}) == {"sum": 0.250000001}


@EVERY_ENGINE
def test_whole_numbers_of_64_bits_and_the_largest_amounts_lose_nothing(engine: str) -> None:
    wholes = [2**63 - 1, -(2**63), 2**63 - 1, 2**53 + 1]
    asked = {"sum": Sum(ALL, "own_whole"), "last": LastValue(ALL, "own_whole"), "different": Distinct(ALL, "own_whole")}
    found = values(engine, book_of("own_whole", wholes), asked)
    assert found == {"sum": float(sum(wholes)), "last": 2**53 + 1, "different": 3}
    amounts = [Decimal("99999999999999.9999"), Decimal("-99999999999999.9999"), Decimal("0.0001"), Decimal("99999999999999.9999")]
    both = {"sum": Sum(ALL, "own_amount"), "least": Minimum(ALL, "own_amount"), "different": Distinct(ALL, "own_amount")}
    assert values(engine, book_of("own_amount", amounts), both) == {
        "sum": float(Decimal(100000000000000)), "least": -99999999999999.9999, "different": 3
    }  # fmt: skip


@EVERY_ENGINE
def test_days_from_the_first_to_the_last_that_a_book_takes(engine: str) -> None:
    days = [date(1970, 1, 1), date(2200, 12, 31), date(2024, 2, 29), date(2000, 2, 29)]
    found = values(
        engine,
        book_of("own_day", days),
        {
            "first": Minimum(ALL, "own_day"),
            "last": Maximum(ALL, "own_day"),
            "leap": Count(Rows("events", IsIn("own_day", (days[2],)))),
            "after": Count(Rows("events", Compare("own_day", "above", days[3]))),
        },
    )
    assert found == {"first": days[0], "last": days[1], "leap": 1, "after": 2}


@EVERY_ENGINE
def test_texts_are_the_same_only_where_every_sign_is(engine: str) -> None:
    texts = [
        *TEXTS,
        LONG,
        f"{LONG}.",
        "\u00c5",
        "A\u030a",
        "\u212b",
        "\ufb01",
        "fi",
        "x ",
        " x",
        "X",
        "\u200bx",
        "\U0001f468\u200d\U0001f469",
    ]
    asked: dict[str, Series] = {
        f"is{place}": Count(Rows("events", IsIn("own_text", (text,)))) for place, text in enumerate(texts) if len(text) < 10_000
    }
    parts = ("\u0301", "\u200d", "\U0010ffff", "i", "I", "%", "_", "\\", "'", "long ")
    tests = {"starts_with": str.startswith, "ends_with": str.endswith, "contains": str.__contains__}
    asked |= {
        f"has{place}_{test}": Count(Rows("events", HasText("own_text", test, part)))  # pyright: ignore[reportArgumentType]
        for place, part in enumerate(parts)
        for test in tests
    }
    found = values(
        engine, book_of("own_text", texts), {**asked, "different": Distinct(ALL, "own_text"), "last": LastValue(ALL, "own_text")}
    )
    assert (found["different"], found["last"]) == (len(set(texts)), texts[-1])
    assert {id for id in asked if id.startswith("is") and found[id] != 1} == set()
    for place, part in enumerate(parts):
        for test, holds in tests.items():
            assert found[f"has{place}_{test}"] == sum(holds(text, part) for text in texts), (test, part)


@EVERY_ENGINE
def test_accounts_stand_in_the_order_of_their_signs_whatever_language_they_are_of(engine: str) -> None:
    accounts = [*OTHER_ACCOUNTS, "Z", "a", "\u00c5", "z", "", "a b", "a-b", "aB", "\ud7ff", "\ue000"]
    found = panel(engine, book_of("own_text", ["x"], accounts), {"count": Count(ALL)})
    assert found["account_id"] == sorted(accounts)
    assert found["count"] == [1] * len(accounts)


@EVERY_ENGINE
def test_a_text_with_a_byte_zero_is_data_or_is_refused_in_so_many_words(engine: str) -> None:
    """No text of a CSV file has one; one of a Parquet file may."""
    book = book_of("own_text", ["a\x00b", "a", "a\x00c"])
    try:
        found = values(engine, book, {"different": Distinct(ALL, "own_text"), "last": LastValue(ALL, "own_text")})
    except UnspunError as refusal:
        assert engine != "duckdb"
        assert "NUL" in str(refusal)
    else:
        assert found == {"different": 3, "last": "a\x00c"}
