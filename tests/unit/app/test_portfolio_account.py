"""The timeline of an account, its relatives, and what changed between two refreshes, on pages that are written down here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.unit.app.read_model_lines import line, made
from unspun.app.access import COMMAND_LINE, Actor, Scope
from unspun.app.forecast.stated import StatedForecast, sources_of_calls
from unspun.app.portfolio.account import account_detail
from unspun.app.portfolio.changes import changed_since
from unspun.app.portfolio.timeline import merged
from unspun.app.workspace import Workspace
from unspun.stats.estimate import Estimate, NoEstimate
from unspun.warehouse.catalog import create_warehouse

ONE, TWO = "1" * 16, "2" * 16
AT = datetime(2026, 11, 1, tzinfo=UTC)
KIM = Actor(7, "Kim", "", "csm", Scope(owners=frozenset({"Kim"})), "session")


def events(first: str, **kinds: int) -> list[dict[str, Any]]:
    return [{"first": first, "kind": kind, "n": n} for kind, n in kinds.items()]


def outage(first: str, last: str | None, *where: str) -> dict[str, Any]:
    return {"first": first, "last": last, "where": list(where), "message": f"logins stopped from {first}"}


def renewal(point: float | None, *labels: str, due: str = "2027-01-31") -> dict[str, Any]:
    told = {"point": point, "low": 0.1, "high": 0.9, "level": 0.95, "n": 40, "method": "m", "caveats": []}
    churn = told if point is not None else {"reason": "too few", "what_it_would_take": ""}
    reasons = [{"label": label} for label in labels]
    return {"due": due, "probabilities": {"churn": churn}, "reasons": reasons, "similar": {"reason": "none", "what_it_would_take": ""}}


def with_ledger(workspace: Workspace) -> Workspace:
    create_warehouse(workspace.warehouse, AT).close()
    return workspace


def test_recent_events_are_told_by_week_and_older_ones_by_month_each_once() -> None:
    body = {
        "weeks": [*events("2026-10-19", login=4), *events("2026-10-12", login=3, export=1)],
        "months": [*events("2026-10-01", login=9), *events("2026-09-01", login=20)],
    }
    found = [(one.day, one.last, one.words) for one in merged(body, ())]
    assert found == [
        (date(2026, 10, 19), date(2026, 10, 25), "4 login"),
        (date(2026, 10, 12), date(2026, 10, 18), "3 login, 1 export"),
        (date(2026, 9, 1), date(2026, 9, 30), "20 login"),
    ]


def test_an_outage_of_a_part_of_the_book_reaches_the_accounts_of_that_part() -> None:
    gaps = (
        outage("2026-01-01", "2026-01-09"),
        outage("2026-02-01", None, "accounts.region", "EMEA"),
        outage("2026-03-01", None, "events.app", "ios"),
    )

    def days(body: Mapping[str, Any]) -> list[int]:
        return sorted(one.day.month for one in merged(body, gaps))

    assert days({"attributes": {"region": "EMEA"}}) == [1, 2, 3]
    assert days({"attributes": {"region": "APAC"}}) == [1, 3]
    assert days({}) == [1, 2, 3]  # the page does not say which region: it may be reached


def test_answers_of_one_survey_and_day_are_one_item() -> None:
    answers = [{"day": "2026-10-01", "survey": survey, "answer": answer} for survey, answer in (("NPS", 3.0), ("NPS", 9.0), ("CSAT", None))]
    assert sorted(one.words for one in merged({"responses": answers}, ())) == ["CSAT, 1 answer", "NPS, 2 answers: 3, 9"]


def test_parent_and_children_are_told_within_the_scope_alone(tmp_path: Path) -> None:
    lines = [
        line("A", owner="Lee"),
        line("B", owner="Kim", parent="A"),
        line("C", owner="Kim", parent="B"),
        line("D", owner="Lee", parent="B"),
        line("E", owner="Kim", parent="E"),
    ]
    workspace = with_ledger(made(tmp_path, lines))
    pages = [account_detail(workspace, who, "B") for who in (COMMAND_LINE, KIM)]
    told = [(one.parent and one.parent.account_id, [child.account_id for child in one.children]) for one in pages]
    assert told == [("A", ["C", "D"]), (None, ["C"])]
    assert account_detail(workspace, KIM, "E").children == ()


def test_what_changed_is_told_from_the_read_model_of_then_while_it_is_kept(tmp_path: Path) -> None:
    then = {"A": {"renewals": [renewal(0.2, "Logins", "Seats")]}}
    now = {
        "A": {
            "renewals": [renewal(0.4, "Logins", "Tickets"), renewal(None, due="2027-06-30")],
            "statements": [{"day": day, "what": "owner", "was": "Lee", "now": "Kim"} for day in ("2026-10-31", "2026-11-05")],
        }
    }
    made(tmp_path, [line("A", owner="Lee")], ONE, then, as_of="2026-10-31", entries={"risk": 5})
    workspace = with_ledger(made(tmp_path, [line("A", owner="Kim")], TWO, now, as_of="2026-11-30"))
    found = changed_since(workspace, KIM, "A", ONE)
    assert found is not None
    assert (found.source, found.as_of, found.entry, found.stated) == ("read model", date(2026, 10, 31), 5, (("owner", "Lee", "Kim"),))
    assert [one.day for one in found.happened] == [date(2026, 11, 5)]
    first, second = found.renewals
    assert isinstance(first.then, Estimate)
    assert isinstance(first.now, Estimate)
    assert (first.then.point, first.now.point, first.new_reasons, first.gone_reasons) == (0.2, 0.4, ("Tickets",), ("Seats",))
    assert second.then is None
    assert isinstance(second.now, NoEstimate)
    assert changed_since(workspace, KIM, "A", TWO) is None
    assert changed_since(workspace, KIM, "A", "3" * 16) is None


def stated(author: str, probability: float) -> StatedForecast:
    return StatedForecast(9, AT, 7, author, "A", date(2027, 1, 31), probability, None, None, "so", None)


def test_forecasts_of_the_console_alone_are_calls_dated_in_the_zone_of_the_book() -> None:
    (calls,) = sources_of_calls(None, [stated("Kim", 0.4), stated("Lee", 0.7)], "Asia/Tokyo")
    assert calls.by is not None
    assert [calls.by.names[code] for code in calls.by.codes] == ["Kim", "Lee"]
    assert (calls.value.tolist(), calls.probability) == ([0.4, 0.7], True)
    assert str(calls.made[0]) == "2026-11-01T09:00:00.000000"
    assert sources_of_calls(None, [], "UTC") == ()
