"""The catalogue of standard metrics put beside what books hold: what can be declared, what is asked, what is lacking, and the file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.metrics.book import TABLES_HELD
from tests.unit.metrics.hostile import HOSTILE_TEXTS
from unspun.errors import BadInput
from unspun.metrics.conditions import AllOf, Compare, IsIn, Scalar
from unspun.metrics.kinds import check_against
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import Count, Ratio, Reference, Rows, Seats, Series
from unspun.metrics.question import HeldTable
from unspun.metrics.read_file import read_metrics
from unspun.metrics.standard.catalogue import CATALOGUE, choices_of
from unspun.metrics.standard.choices import CHOICES
from unspun.metrics.standard.contents import Contents, CountedColumn, CountedValue
from unspun.metrics.standard.definitions import of_metrics
from unspun.metrics.standard.entry import references_of
from unspun.metrics.standard.needs import needs_of
from unspun.metrics.standard.page import standard_metrics_page
from unspun.metrics.standard.suggest import Suggestion, Suggestions, suggest
from unspun.metrics.standard.told import with_suggestions
from unspun.metrics.starter import starter_text
from unspun.metrics.windows import Days

EMPTY = MetricSet(())


def counted(*names: Scalar, is_summary: bool = False) -> CountedColumn:
    values = tuple(CountedValue(name, 1_000 - n, 90 - n, is_summary) for n, name in enumerate(names))
    return CountedColumn(values, len(names))


def contents(tables: dict[str, HeldTable] | None = None, sources: int = 1, **values: CountedColumn) -> Contents:
    """A book whose columns are all filled; `events_event=...` gives the values of a column."""
    held = TABLES_HELD if tables is None else tables
    rows = dict.fromkeys(held, 1_000)
    filled = {(table, column): 1_000 for table, one in held.items() for column in one.columns}
    by_column = {("events", "event"): counted("export", "share"), ("responses", "survey"): counted("NPS")}
    by_column |= {(name.partition("_")[0], name.partition("_")[2]): one for name, one in values.items()}
    return Contents(held, rows, dict.fromkeys(held, 100), filled, by_column, {"events": sources})


def by_id(found: Suggestions) -> dict[str, Suggestion]:
    return {one.entry.id: one for one in found.found}


def test_entries_name_only_what_stands_above_them_and_choices_that_there_are() -> None:
    above: set[str] = set()
    for id, entry in CATALOGUE.items():
        assert {*references_of(entry.series)} <= above, id
        assert {*entry.beside} <= set(CATALOGUE), id
        assert {entry.each, entry.number_of} <= {"", *choices_of(entry)}, id
        above.add(id)
    assert {choice for entry in CATALOGUE.values() for choice in choices_of(entry)} == set(CHOICES)


def test_the_page_is_written_from_the_catalogue() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "standard-metrics.md"
    assert page.read_text(encoding="utf-8") == standard_metrics_page()


def test_what_is_suggested_fits_the_book_and_needs_nothing_that_it_has_not() -> None:
    book = contents(tickets_priority=counted("urgent", "low"), tickets_satisfaction=counted(5, 4), contacts_role=counted("Champion"))
    found = suggest(book, EMPTY, {"key_actions": ("export", "share")})
    assert {one.entry.id for one in found.of("possible")} >= {
        "active_users_28d",
        "arr",
        "urgent_share_90d",
        "champions",
        "nps_answers_365d",
    }
    metrics = MetricSet(found.metrics)
    assert check_against(metrics, TABLES_HELD) == []
    assert {one.id for one in metrics} >= {"export_28d", "share_28d"}
    for table, held in TABLES_HELD.items():
        alone = suggest(contents({table: held}), EMPTY, {})
        assert check_against(MetricSet(alone.metrics), {table: held}) == []
        assert {need.of for metric in alone.metrics for need in needs_of(metric.series)} <= {
            need.of
            for metric in alone.metrics
            for need in needs_of(metric.series)
            if any(one.partition(".")[0] == table for one in need.of)
        }


def test_a_column_that_is_not_there_or_is_empty_is_told_and_nothing_that_reads_it_is_suggested() -> None:
    bare = HeldTable({"account_id": "text", "occurred": "instant", "event": "text"})
    lacking = by_id(suggest(contents({"events": bare}), EMPTY, {}))
    assert lacking["events_28d"].status == "possible"
    assert lacking["active_users_28d"].lacking == ("a column events.user_id (the user who did it)",)
    assert lacking["weekly_stickiness_28d"].lacking == lacking["active_users_28d"].lacking, "what is made of it lacks the same"
    assert lacking["tickets_90d"].lacking == ("rows of tickets",)
    book = contents()
    empty = replace(book, filled={**book.filled, ("events", "user_id"): 0})
    assert "which is empty in 1,000 rows" in by_id(suggest(empty, EMPTY, {}))["active_users_28d"].lacking[0]


def test_key_actions_are_asked_and_never_guessed_and_the_likelier_stand_first() -> None:
    names = counted("login", "page_view", "export", "survey sent", "share")
    found = suggest(contents(events_event=names), EMPTY, {})
    assert by_id(found)["key_actions_28d"].status == "choice"
    assert not any(isinstance(metric.series, Count) and metric.id.startswith("key") for metric in found.metrics)
    (asked,) = (one for one in found.open_choices if one.choice.id == "key_actions")
    assert [one.value for one in asked.candidates] == ["export", "share", "page_view", "survey sent"]
    assert by_id(found)["logins_28d"].metrics[0].series == Count(Rows("events", IsIn("event", ("login",)), Days(28))), "its name says it"
    assert any("'login' is in 1,000 rows" in reason for reason in by_id(found)["logins_28d"].reasons)


def test_names_of_events_that_end_in_numbers_give_ids_that_do() -> None:
    found = suggest(contents(), EMPTY, {"key_actions": ("feature_12", "feature_2", "2nd step", "12")})
    assert [metric.id for metric in by_id(found)["action_28d"].metrics] == ["feature_12_28d", "feature_2_28d", "nd_step_28d", "action_28d"]


def test_use_is_asked_where_events_come_from_several_sources() -> None:
    names = counted("daily usage", "eligible for survey")
    assert by_id(suggest(contents(events_event=names), EMPTY, {}))["active_days_28d"].status == "possible"
    several = suggest(contents(events_event=names, sources=2), EMPTY, {})
    assert by_id(several)["active_days_28d"].asks == ("active",)
    chosen = by_id(suggest(contents(events_event=names, sources=2), EMPTY, {"active": ("daily usage",)}))
    assert chosen["active_days_28d"].metrics[0].series.rows.where == IsIn("event", ("daily usage",))  # pyright: ignore[reportAttributeAccessIssue]


def test_rows_that_sum_up_days_are_not_counted_as_events_and_need_a_number_that_tells_of_use() -> None:
    book = contents(events_event=counted("daily usage", is_summary=True))
    found = by_id(suggest(book, EMPTY, {}))
    assert found["events_28d"].status == "missing"
    assert "sums up a day" in found["events_28d"].lacking[0]
    assert found["active_days_28d"].asks == ("used",)
    told = by_id(suggest(book, EMPTY, {"used": ("value",)}))["active_days_28d"].metrics[0].series
    assert told.rows.where == Compare("value", "above", 0)  # pyright: ignore[reportAttributeAccessIssue]


def test_what_metrics_yml_declares_is_not_suggested_again_whatever_it_is_called() -> None:
    logins = Count(Rows("events", window=Days(28)))
    mine = MetricSet(
        (
            Metric("use", logins, description="x"), Metric("all_seats", Seats(), description="x"),
            Metric("use_by_seat", Ratio(Reference("use"), Reference("all_seats")), description="x"),
            Metric("tickets_90d", Count(Rows("tickets", window=Days(30))), description="x"),
        )
    )  # fmt: skip
    found = by_id(suggest(contents(), mine, {}))
    assert (found["events_28d"].status, found["events_28d"].declared_as) == ("declared", ("use",))
    assert found["events_per_seat_28d"].declared_as == ("use_by_seat",), "references are followed"
    assert [one.id for one in found["tickets_90d"].metrics] == ["tickets_90d_2"], "an id that is taken by another definition"
    assert found["urgent_share_90d"].status != "declared"
    change = found["events_change_28d"].metrics[0].series
    assert references_of(change) == ("use",), "what is suggested names what there is"
    assert references_of(found["tickets_per_seat_90d"].metrics[0].series) == ("tickets_90d_2",)


def one_metric(series: Series) -> str:
    return of_metrics({"a": Metric("a", series)}).key("a")


def test_definitions_are_equal_where_only_the_order_of_values_and_conditions_differs() -> None:
    def rows(*conditions: Any) -> Count:
        return Count(Rows("events", AllOf(conditions)))

    one, other = IsIn("event", ("a", "b")), Compare("value", "above", 3)
    assert one_metric(rows(one, other)) == one_metric(rows(other, IsIn("event", ("b", "a"))))
    assert one_metric(rows(one, other)) != one_metric(rows(one, Compare("value", "above", 4)))
    assert one_metric(Ratio(Seats(), rows(one))) != one_metric(Ratio(rows(one), Seats()))


def test_a_chain_of_metrics_each_twice_in_the_next_is_compared_at_once() -> None:
    deep = {"m0": Metric("m0", Seats())} | {
        f"m{n}": Metric(f"m{n}", Ratio(Reference(f"m{n - 1}"), Reference(f"m{n - 1}"))) for n in range(1, 90)
    }
    assert of_metrics(deep).key("m89") != of_metrics(deep).key("m88")


CHOSEN: dict[str, tuple[Scalar, ...]] = {
    "key_actions": ("export", "share"), "onboarding": ("share", "export"), "used": ("value",), "usage_numbers": ("value",),
    "urgent": ("low",),
    "satisfied": (5, 4), "escalated": ("own_flag",), "answer_time": ("not",), "active": ("export",), "meetings": ("call",),
}  # fmt: skip


def test_what_was_chosen_once_is_read_from_metrics_yml_and_not_asked_again() -> None:
    satisfaction, channels = counted(5, 4, 3), counted("call", "mail")
    book = contents(tickets_priority=counted("high", "low"), tickets_satisfaction=satisfaction, touchpoints_channel=channels)
    first = suggest(book, EMPTY, CHOSEN)
    written = read_metrics(with_suggestions("", first)).metrics
    again = suggest(book, written, {})
    assert again.metrics == ()
    asked = {choice for one in again.of("choice") for choice in one.asks}
    assert not asked & set(CHOSEN)
    assert {one.entry.id for one in again.of("declared")} == {one.entry.id for one in first.of("possible")}
    assert again.asked["key_actions"].told == "key_actions: 'export', 'share', as in metrics.yml."
    other = suggest(book, written, {"key_actions": ("share",)})
    assert "days_to_first_key_action_2" in {one.id for one in other.metrics}, "what is said now counts"
    assert by_id(other)["key_actions_28d"].declared_as == ("share_28d",), "the count of the one action is there"


def test_a_metric_that_only_bears_the_name_of_a_standard_one_answers_nothing() -> None:
    mine = MetricSet((Metric("key_actions_28d", Count(Rows("events", IsIn("event", ("export",)), Days(90))), description="x"),))
    assert by_id(suggest(contents(), mine, {}))["key_actions_28d"].asks == ("key_actions",)


def test_a_theme_comes_with_what_its_metrics_are_made_of() -> None:
    found = by_id(suggest(contents(), EMPTY, {}, ("stickiness",)))
    assert {"weekly_stickiness_28d", "active_users_7d", "active_users_28d"} <= set(found)
    assert "arr" not in found


# The file

FILES = {
    "new": "", "starter": starter_text(), "empty": "metrics:\n", "brackets, empty": "metrics: {}\n",
    "metrics first": "metrics:\n    mine:\n        description: x\n        count: events # rows\n\nsources:\n  events: {silent_days: 9}\n",
    "no end of line": "metrics: {mine: {description: x, count: tickets}}".replace("{mine: {", "\n  mine: {").replace("}}", "}"),
    "windows": "\ufeffsources: {}\r\nmetrics:\r\n  mine: {description: x, count: events}\r\n",
    "block text": "metrics:\n  mine:\n    count: events\n    description: |\n      one\n\n      two\n\n# end\n",
    "comment behind": "metrics:\n  mine: {description: x, count: events}\n  # what follows is mine\n",
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_suggestions_are_put_behind_the_metrics_of_a_file_which_keeps_every_character(name: str) -> None:
    text = FILES[name]
    before = read_metrics(text).metrics
    found = suggest(contents(), before, {})
    made = with_suggestions(text, found)
    after = read_metrics(made).metrics
    assert {one.id for one in after} == {one.id for one in before} | {one.id for one in found.metrics}
    assert after.sources == before.sources
    for line in text.replace("{}", "").splitlines():
        assert line.rstrip() in made, line
    assert made.count("\r\n") == (made.count("\n") if "\r\n" in text else 0)
    again = suggest(contents(), after, {})
    assert again.metrics == ()
    assert with_suggestions(made, again) == made, "nothing is put there twice, comments neither"


def test_a_file_in_brackets_is_refused_with_what_to_do() -> None:
    text = "{metrics: {mine: {description: x, count: events}}}"
    with pytest.raises(BadInput) as refusal:
        with_suggestions(text, suggest(contents(), read_metrics(text).metrics, {}))
    assert "--yaml" in refusal.value.faults[0].hint


@pytest.mark.parametrize(
    "hostile", [*HOSTILE_TEXTS[::6], "line\nbreak", "# comment", "\u2028", "\u202elogin", "ключ", "x" * 900, "a: b", "'\"\\"]
)
def test_names_of_events_are_data_in_conditions_and_comments_whatever_they_hold(hostile: str) -> None:
    book = contents(events_event=counted(hostile, "share"))
    open_found = suggest(book, EMPTY, {})
    text = with_suggestions("", open_found)
    assert tuple(read_metrics(text).metrics) == open_found.metrics
    both = {metric.id: metric for one in (*open_found.of("possible"), *open_found.of("choice")) for metric in one.metrics}
    assert {one.id: one for one in read_metrics(uncommented(text)).metrics} == both, "the # can be taken off"
    answered = suggest(book, EMPTY, {"key_actions": (hostile, "share"), "active": (hostile,)})
    assert tuple(read_metrics(with_suggestions("", answered)).metrics) == answered.metrics
    assert len({one.id for one in answered.metrics}) == len(answered.metrics)


def uncommented(text: str) -> str:
    """The file with the # taken off before the metrics that wait: what follows it is indented by an even number of blanks."""
    found = [(line, re.match(r"  #(( {2})*)\S", line)) for line in text.splitlines() if "metrics" not in line[:8]]
    start = text.index("\nmetrics:")
    body = [f"  {line[3:]}" if match is not None else line for line, match in found if line in text[start:]]
    return text[: start + 1] + "metrics:\n" + "\n".join(body) + "\n"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=30).filter(lambda text: "\0" not in text), min_size=1, max_size=6, unique=True), st.data())
def test_any_names_give_a_file_that_reads_back_equal(names: list[str], data: st.DataObject) -> None:
    chosen = tuple(data.draw(st.lists(st.sampled_from(names), unique=True)))
    names = [name for name in names if not any("\ud800" <= sign <= "\udfff" for sign in name)] or ["a"]
    answers = {"key_actions": tuple(one for one in chosen if one in names)} if chosen else {}
    found = suggest(contents(events_event=counted(*names)), EMPTY, {id: values for id, values in answers.items() if values})
    assert tuple(read_metrics(with_suggestions("", found)).metrics) == found.metrics
