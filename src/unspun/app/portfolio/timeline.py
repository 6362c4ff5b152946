"""What happened at an account, merged from everything that the book dates: the newest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

TimelineKind = Literal[
    "events", "ticket", "survey", "touchpoint", "term", "renewal", "notice", "churn", "change", "outage", "note", "forecast"
]
STATED_WORDS: Mapping[str, str] = {"parent_id": "parent", "churned": "left, as stated"}


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One thing that happened: its day in the book's zone, what it is, in words, and its fields as the book has them.

    `last` is the last day of what lasts (a week of events, an outage; None there: it goes on). Events are counts by kind in `fields`.
    """

    day: date
    kind: TimelineKind
    words: str
    last: date | None = None
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])


def merged(body: Mapping[str, Any], outages: Sequence[Mapping[str, Any]], more: Sequence[TimelineItem] = ()) -> tuple[TimelineItem, ...]:
    """The timeline of an account from the body of its page and the outages of the book; `more` are items that are not of the book."""
    found = [
        *_events(body),
        *(_ticket(one) for one in body.get("tickets", ())),
        *_surveys(body.get("responses", ())),
        *(_touchpoint(one) for one in body.get("touchpoints", ())),
        *(item for one in body.get("terms", ()) for item in _term(one)),
        *(_churn(one) for one in body.get("churns", ())),
        *(_change(one) for one in body.get("statements", ())),
        *(_outage(one) for one in outages if _reaches(one, body)),
        *more,
    ]
    return tuple(sorted(found, key=lambda one: one.day, reverse=True))


def _day(text: str) -> date:
    return date.fromisoformat(text)


# Events, by week where they are recent, else by month


def _events(body: Mapping[str, Any]) -> Iterator[TimelineItem]:
    weeks, months = _by_first(body.get("weeks", ())), _by_first(body.get("months", ()))
    since = min(weeks, default=None)
    yield from (_rolled(day, "week", kinds) for day, kinds in weeks.items())
    earlier = {day: kinds for day, kinds in months.items() if since is None or (day.year, day.month) < (since.year, since.month)}
    yield from (_rolled(day, "month", kinds) for day, kinds in earlier.items())


def _by_first(rows: Sequence[Mapping[str, Any]]) -> dict[date, dict[str, int]]:
    found = defaultdict[date, dict[str, int]](dict)
    for one in rows:
        found[_day(one["first"])][one["kind"]] = one["n"]
    return found


def _rolled(first: date, span: str, kinds: Mapping[str, int]) -> TimelineItem:
    told = ", ".join(f"{n:,} {kind}" for kind, n in kinds.items())
    return TimelineItem(first, "events", told, _last_of(first, span), {"span": span, "kinds": dict(kinds)})


def _last_of(first: date, span: str) -> date:
    if span == "week":
        return date.fromordinal(first.toordinal() + 6)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


# Rows


def _ticket(one: Mapping[str, Any]) -> TimelineItem:
    name = f"Ticket {one['ticket_id']}" + (f", {one['subject']}" if one["subject"] else "")
    closed = f"; closed on {one['closed']}" if one["closed"] else "; open"
    return TimelineItem(_day(one["day"]), "ticket", name + (f" ({one['priority']})" if one["priority"] else "") + closed, fields=one)


def _surveys(rows: Sequence[Mapping[str, Any]]) -> Iterator[TimelineItem]:
    """Answers of one survey on one day together."""
    found = defaultdict[tuple[str, str], list[Mapping[str, Any]]](list)
    for one in rows:
        found[one["day"], one["survey"] or "survey"].append(one)
    for (day, survey), answers in found.items():
        numbers = [one["answer"] for one in answers if one["answer"] is not None]
        told = f": {', '.join(f'{number:g}' for number in numbers)}" if numbers else ""
        words = f"{survey}, {len(answers)} answer{'' if len(answers) == 1 else 's'}{told}"
        yield TimelineItem(_day(day), "survey", words, fields={"survey": survey, "answers": answers})


def _touchpoint(one: Mapping[str, Any]) -> TimelineItem:
    lasted = "" if one["minutes"] is None else f"{one['minutes']:g} minutes"
    parts = (one["channel"] or "contact", lasted, one["owner"], one["subject"])
    words = ", ".join(part for part in parts if part)
    return TimelineItem(_day(one["day"]), "touchpoint", words[:1].upper() + words[1:], fields=one)


def _term(one: Mapping[str, Any]) -> Iterator[TimelineItem]:
    if one["start"] is not None:
        yield TimelineItem(_day(one["start"]), "term", f"Term began, due on {one['due']}", fields=one)
    if one["notice"] is not None:
        yield TimelineItem(_day(one["notice"]), "notice", f"Notice given for {one['due']}", fields=one)
    if one["decided"] is not None:
        yield TimelineItem(_day(one["decided"]), "renewal", f"{one['outcome'].capitalize()}, due on {one['due']}", fields=one)


def _churn(one: Mapping[str, Any]) -> TimelineItem:
    return TimelineItem(_day(one["day"]), "churn", "Left" + (f": {one['reason']}" if one["reason"] else ""), fields=one)


def _change(one: Mapping[str, Any]) -> TimelineItem:
    what = STATED_WORDS.get(one["what"], one["what"])
    words = f"{what[:1].upper()}{what[1:]}: {one['was'] or 'none'} to {one['now'] or 'none'}"
    return TimelineItem(_day(one["day"]), "change", words, fields=one)


def _outage(one: Mapping[str, Any]) -> TimelineItem:
    return TimelineItem(_day(one["first"]), "outage", one["message"], None if one["last"] is None else _day(one["last"]), one)


def _reaches(outage: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether it is of all accounts, or of a part that the account belongs to (or may belong to, where the page does not say)."""
    column, _, name = str(outage["where"][0]).partition(".") if outage["where"] else ("", "", "")
    held = body.get("attributes", {})
    return column != "accounts" or name not in held or held[name] == outage["where"][1]
