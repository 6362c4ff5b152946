"""The page of an account: its risk with reasons, its use, what happened, and what people say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from markupsafe import Markup

from unspun.app.portfolio.account import AccountDetail, Trend, account_detail
from unspun.app.portfolio.kept_renewals import renewal_of
from unspun.app.portfolio.looks import last_look
from unspun.app.portfolio.notes import StatedForecast, add_forecast, add_note
from unspun.app.portfolio.timeline import TimelineItem, TimelineKind
from unspun.console.access import allow
from unspun.console.asking import actor_of_request
from unspun.console.figure_numbers import shown
from unspun.console.look_words import look_lines
from unspun.console.missing_words import missing_words
from unspun.console.reader import read_amount
from unspun.console.risk_marks import bare_mark, risk_mark
from unspun.console.sparklines import sparkline
from unspun.console.standing_words import standing_words
from unspun.errors import BadInput, Fault
from unspun.reports import risk_charts, risk_claims, words
from unspun.reports.conventions import signs

ITEMS: Final = 40
MOST_DIGITS: Final = 6
MONTHS_A_YEAR: Final = 12
KINDS: Final[Mapping[str, tuple[tuple[TimelineKind, ...], Any]]] = {
    "use": (("events",), gettext_lazy("Use")),
    "tickets": (("ticket",), gettext_lazy("Tickets")),
    "surveys": (("survey",), gettext_lazy("Surveys")),
    "contacts": (("touchpoint",), gettext_lazy("Contacts")),
    "terms": (("term", "renewal", "notice", "churn"), gettext_lazy("Terms")),
    "changes": (("change", "outage"), gettext_lazy("Changes and outages")),
    "said": (("note", "forecast"), gettext_lazy("Notes and forecasts")),
}
"""Kinds of things in the timeline, as they are chosen."""
ICONS: Final[Mapping[str, str]] = {
    "events": "event", "ticket": "ticket", "survey": "survey", "touchpoint": "touchpoint", "term": "renewal", "renewal": "renewal",
    "notice": "close", "churn": "close", "change": "definitions", "outage": "outage", "note": "note", "forecast": "forecast",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownTrend:
    """A metric as the page shows it: its line, its value now, or why there is none, and that of a year ago. `last` is the day of that value
    where nothing is measured any more."""

    id: str
    label: str
    values: tuple[float | None, ...]
    carried: Mapping[int, tuple[float, int]]
    now: float | None
    last: date | None
    why: str
    year_ago: float | None


@allow("account.see")
def account(request: HttpRequest, account: str) -> HttpResponse:
    """Everything that is known of one account."""
    return _page(request, account, {}, {})


@allow("account.write")
@require_POST
def account_note(request: HttpRequest, account: str) -> HttpResponse:
    """Enter a note; what is wrong with it is said beside it, and what was written is kept."""
    text = request.POST.get("text", "")
    try:
        written = add_note(settings.WORKSPACE, actor_of_request(request), account, text, datetime.now(UTC))
    except BadInput as refusal:
        return _refused(request, account, refusal, {"text": text})
    messages.success(request, _("Your note is entry %(entry)s of the ledger.") % {"entry": written.entry})
    return redirect(f"{reverse('account', args=[account])}#notes")


@allow("account.write")
@require_POST
def account_forecast(request: HttpRequest, account: str) -> HttpResponse:
    """Enter a forecast of one renewal."""
    given = {name: request.POST.get(name, "").strip() for name in ("due", "probability", "amount", "reason")}
    try:
        due, probability, amount = _read_forecast(given)
        actor, at = actor_of_request(request), datetime.now(UTC)
        written = add_forecast(settings.WORKSPACE, actor, account, due, probability, amount, given["reason"], at)
    except BadInput as refusal:
        return _refused(request, account, refusal, given)
    messages.success(request, _("Your forecast is entry %(entry)s of the ledger.") % {"entry": written.entry})
    return redirect(f"{reverse('account', args=[account])}#fc")


def _read_forecast(given: Mapping[str, str]) -> tuple[date, float, Decimal | None]:
    """Raises BadInput with every field that cannot be read."""
    faults, due, probability, amount = list[Fault](), date.min, 0.0, None
    try:
        due = date.fromisoformat(given["due"])
    except ValueError:
        faults.append(Fault("due", "this is no day.", "due", "Choose a renewal."))
    try:
        probability = _share(given["probability"])
    except ValueError:
        faults.append(Fault("probability", "the probability is no number.", "probability", "Write 0.75 or 75 %."))
    try:
        amount = read_amount(given["amount"]) if given["amount"] else None
    except ValueError:
        faults.append(Fault("amount", "the amount is no number.", "amount", f"Write 165600 or {signs('165,600.00')}."))
    if faults:
        raise BadInput(faults)
    return due, probability, amount


def _share(text: str) -> float:
    """0.75, or 75 %."""
    plain = text.replace(",", ".")
    return float(plain.rstrip("%").strip()) / 100 if plain.endswith("%") else float(plain)


def _refused(request: HttpRequest, account: str, refusal: BadInput, said: Mapping[str, str]) -> HttpResponse:
    known = {one.where for one in refusal.faults} <= {"text", "reason", "probability", "amount", "due"}
    if not known:
        raise refusal
    wrong = {one.where: f"{one.message[:1].upper()}{one.message[1:]} {one.hint}".strip() for one in refusal.faults}
    return _page(request, account, wrong, said, status=400)


def _page(request: HttpRequest, account: str, wrong: Mapping[str, str], said: Mapping[str, str], status: int = 200) -> HttpResponse:
    actor = actor_of_request(request)
    detail = account_detail(settings.WORKSPACE, actor, account)
    own = detail.account
    renewals = [renewal_of(one, own.account_id, own.name, own.segment, own.owner) for one in detail.renewals]
    one = renewals[0] if renewals else None
    steps = [] if one is None or one.typical is None else risk_claims.steps_of(one)
    look = last_look(settings.WORKSPACE, actor, detail, datetime.now(UTC))
    context: dict[str, Any] = {
        "detail": detail,
        "facts": _facts(detail),
        "one": one,
        "line": detail.lines[0] if detail.lines else None,
        "address": _address(detail),
        "steps": steps,
        "scale": None if one is None else risk_charts.steps_scale(one, steps),
        "standing": None if detail.standing is None else standing_words(detail.standing),
        "trends": [_trend(each, detail.as_of) for each in detail.trends if each.days or detail.lines],
        "look": look,
        "look_lines": look_lines(look),
        **_timeline(request, detail),
        "track": _track(detail),
        "running": [each for each in detail.subscriptions if each["running"]],
        "open_renewals": [each for each in renewals if each.status in ("open", "overdue", "notice given")],
        "may_write": actor.may("account.write"),
        "wrong": wrong,
        "said": said,
        "field": lambda name, label, attributes: _field(name, label, attributes, wrong, said),
        "shown": shown,
        "words": words,
        "rc": risk_claims,
        "rcharts": risk_charts,
        "risk_mark": risk_mark,
        "bare_mark": bare_mark,
        "sparkline": sparkline,
    }
    return render(request, "account.html", context, status=status)


def _facts(detail: AccountDetail) -> list[str]:
    """What stands beside the name."""
    own = detail.account
    return [
        part
        for part in (
            own.segment or "",
            _("owner %(owner)s") % {"owner": own.owner} if own.owner else "",
            _("customer since %(month)s") % {"month": words.month(detail.since)} if detail.since else "",
            own.account_id if own.account_id != own.name else "",
        )
        if part
    ]


def _address(detail: AccountDetail) -> str | None:
    entry = detail.entries.get("risk")
    if entry is None or not detail.renewals:
        return None
    return reverse("figure", args=[entry, f"{detail.renewals[0]['figure']}/churn"])


def _trend(one: Trend, as_of: date) -> ShownTrend:
    last = len(one.values) - 1
    now = one.values[last] if one.values else None
    year = one.values[last - MONTHS_A_YEAR] if last >= MONTHS_A_YEAR else None
    ended = one.days[last] if one.days and one.days[last] < as_of else None
    return ShownTrend(one.id, one.label, one.values, one.carried, now, ended, missing_words(one.missing.get(last)), year)


def _timeline(request: HttpRequest, detail: AccountDetail) -> dict[str, Any]:
    """A page of what happened, of the kinds that were chosen, with how many of each kind there are."""
    there = Counter(one.kind for one in detail.timeline)
    counts = {name: sum(there[kind] for kind in kinds) for name, (kinds, _name) in KINDS.items()}
    chosen = [name for name in request.GET.getlist("kind") if counts.get(name)]
    wanted = {kind for name in chosen for kind in KINDS[name][0]}
    items = [one for one in detail.timeline if not wanted or one.kind in wanted]
    pages = max(1, -(-len(items) // ITEMS))
    given = request.GET.get("page", "1")
    page = min(int(given), pages) if given.isascii() and given.isdigit() and len(given) < MOST_DIGITS and int(given) else 1
    return {
        "timeline": [_item(one) for one in items[(page - 1) * ITEMS : page * ITEMS]],
        "kinds": [(name, told, counts[name]) for name, (_kinds, told) in KINDS.items() if counts[name]],
        "chosen": chosen,
        "page": page,
        "pages": pages,
        "items": len(items),
        "timeline_query": lambda page, kinds=tuple(chosen): urlencode([*(("kind", one) for one in kinds), ("page", page)]),
    }


def _track(detail: AccountDetail) -> list[dict[str, Any]]:
    """What people forecast of renewals that are decided since, beside what came of them; of each person and renewal the last word."""
    came = {one["due"]: one for one in detail.terms if one["decided"] is not None}
    last = dict[tuple[int, date], StatedForecast]()
    for one in detail.forecasts:  # the newest first
        last.setdefault((one.author_id, one.due), one)
    decided = [one for one in last.values() if one.due.isoformat() in came]
    return [{"said": one, "outcome": came[one.due.isoformat()]["outcome"]} for one in decided]


def _item(one: TimelineItem) -> dict[str, Any]:
    return {"day": one.day, "last": one.last, "words": one.words, "icon": ICONS[one.kind], "kind": one.kind}


def _field(name: str, label: str, attributes: str, wrong: Mapping[str, str], said: Mapping[str, str]) -> Markup:
    """An input with its label, what was written in it, and what is wrong with it."""
    marked = Markup(' aria-invalid="true" aria-describedby="w-{0}"').format(name) if name in wrong else ""
    told = Markup('<span class="wrong" id="w-{0}">{1}</span>').format(name, wrong[name]) if name in wrong else ""
    box = Markup('<input name="{0}" value="{1}" {2}{3}>').format(name, said.get(name, ""), Markup(attributes), marked)
    return Markup("<label>{0}{1}{2}</label>").format(label, box, told)
