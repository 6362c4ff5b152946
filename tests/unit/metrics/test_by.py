"""`by` makes one metric for each value of a column, which is a metric like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from unspun.errors import BadInput
from unspun.metrics.conditions import AllOf, IsIn, Not
from unspun.metrics.nodes import Count, Open, Reference, Rows, operands
from unspun.metrics.read_file import MetricsFile, read_metrics
from unspun.metrics.windows import Days
from unspun.metrics.words import file_as_yaml

LOGINS = """metrics:
  logins_28d:
    name: Logins
    description: How often anybody logged in
    count: events
    where: {event: login}
    window: 28d
    by: {column: platform, values: [web, iOS app], other: true}
"""


def read(entries: str) -> MetricsFile:
    return read_metrics("metrics:\n" + entries)


def faults(entries: str) -> list[str]:
    with pytest.raises(BadInput) as refused:
        read(entries)
    return [f"{fault.where} {fault.code}" for fault in refused.value.faults]


def test_a_metric_stays_and_there_is_one_more_for_each_value_and_for_all_others() -> None:
    by_id = {metric.id: metric for metric in read_metrics(LOGINS).metrics}
    assert list(by_id) == ["logins_28d", "logins_28d_web", "logins_28d_ios_app", "logins_28d_other"]
    login, platform = IsIn("event", ("login",)), IsIn("platform", ("iOS app",))
    assert by_id["logins_28d"].series == Count(Rows("events", login, Days(28)))
    assert by_id["logins_28d_ios_app"].series == Count(Rows("events", AllOf((login, platform)), Days(28)))
    others = Not(IsIn("platform", ("web", "iOS app")))
    assert by_id["logins_28d_other"].series == Count(Rows("events", AllOf((login, others)), Days(28)))
    assert by_id["logins_28d_web"].name == "Logins: web"
    assert by_id["logins_28d_web"].description == "How often anybody logged in. Only rows where platform is 'web'."


def test_they_are_written_out_each_and_read_back_equal() -> None:
    metrics = read_metrics(LOGINS).metrics
    assert read_metrics(file_as_yaml(metrics)).metrics == metrics


def test_their_faults_are_at_the_line_of_the_metric_that_they_are_made_of() -> None:
    assert set(read_metrics(LOGINS).places.values()) == {"metrics.yml:2"}
    assert faults("  a: {description: x, count: events, by: {column: event, values: [y]}}\n  a_y: {description: x, value: 1}\n") == [
        "metrics.yml:2 repeated_id"
    ]


def test_other_metrics_name_them_wherever_they_stand() -> None:
    file = read("  share: {description: x, ratio: [a_web, a]}\n  a: {description: x, count: events, by: {column: p, values: [web]}}\n")
    assert operands(file.metrics.metric("share").series) == (Reference("a_web"), Reference("a"))


def test_several_values_may_share_an_id_that_is_given() -> None:
    file = read("  t: {description: x, open: tickets, by: {column: priority, values: {hard: [high, urgent]}}}\n")
    assert file.metrics.metric("t_hard").series == Open("tickets", IsIn("priority", ("high", "urgent")))


@pytest.mark.parametrize(
    ("split", "code"),
    [
        ("{column: event, values: [a, A]}", "bad_by"),
        ("{column: event, values: ['!']}", "bad_by"),
        ("{column: event, values: [other], other: true}", "bad_by"),
        ("{column: event, values: [a, 1], other: true}", "bad_condition"),
        ("{column: event}", "missing_key"),
        ("{column: event, values: {A: a}}", "bad_id"),
        ("{column: event, value: [a], values: [a]}", "unknown_key"),
    ],
)
def test_what_cannot_be_told_apart_is_a_fault(split: str, code: str) -> None:
    assert faults(f"  a: {{description: x, count: events, by: {split}}}\n") == [f"metrics.yml:2 {code}"]


def test_only_rows_are_told_apart() -> None:
    assert faults("  a: {description: x, value: 1, by: {column: event, values: [a]}}\n") == ["metrics.yml:2 bad_by"]


def test_a_file_cannot_grow_without_bounds() -> None:
    values = ", ".join(f"v{i}" for i in range(100))
    entries = "".join(f"  m{i}: {{description: x, count: events, by: {{column: event, values: [{values}]}}}}\n" for i in range(20))
    assert faults(entries) == ["metrics.yml:1 too_many_metrics"]


def test_the_page_says_what_by_is() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "metrics-yml.md"
    assert "`logins_28d_ios_app`" in page.read_text(encoding="utf-8")
