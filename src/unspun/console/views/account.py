"""The page of an account: its risk with reasons, its use, what happened, and what people say of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from markupsafe import Markup

from unspun.app.portfolio.account import AccountDetail, Trend, account_detail
from unspun.app.portfolio.kept_renewals import renewal_of
from unspun.app.portfolio.notes import add_forecast, add_note
from unspun.app.portfolio.timeline import TimelineItem
from unspun.console.access import allow
from unspun.console.asking import actor_of_request
from unspun.console.risk_marks import bare_mark, risk_mark
from unspun.console.sparklines import sparkline
from unspun.errors import BadInput, Fault
from unspun.reports import risk_charts, risk_claims, words

FIRST_ITEMS: Final = 40
MONTHS_A_YEAR: Final = 12
FOUR_DIGITS: Final = 1_000
ICONS: Final[Mapping[str, str]] = {
    "events": "event", "ticket": "ticket", "survey": "survey", "touchpoint": "touchpoint", "term": "renewal", "renewal": "renewal",
    "notice": "close", "churn": "close", "change": "definitions", "outage": "outage", "note": "note", "forecast": "forecast",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownTrend:
    """A metric as the page shows it: its line, its value now, or why there is none, and that of a year ago."""

    label: str
    values: tuple[float | None, ...]
    carried: Mapping[int, tuple[float, int]]
    now: float | None
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
    except (ValueError, InvalidOperation):
        faults.append(Fault("probability", "the probability is no number.", "probability", "Write 0.75 or 75 %."))
    try:
        amount = Decimal(given["amount"].replace(",", "").lstrip("$€£")) if given["amount"] else None
    except InvalidOperation:
        faults.append(Fault("amount", "the amount is no number.", "amount", "Write 165600 or 165,600.00."))
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
    timeline = detail.timeline if "all" in request.GET else detail.timeline[:FIRST_ITEMS]
    context: dict[str, Any] = {
        "detail": detail,
        "facts": _facts(detail),
        "one": one,
        "line": detail.lines[0] if detail.lines else None,
        "address": _address(detail),
        "steps": steps,
        "scale": None if one is None else risk_charts.steps_scale(one, steps),
        "trends": [_trend(each) for each in detail.trends],
        "timeline": [_item(each) for each in timeline],
        "more": len(detail.timeline) if len(timeline) < len(detail.timeline) else 0,
        "running": [each for each in detail.subscriptions if each["running"]],
        "open_renewals": [each for each in renewals if each.status in ("open", "overdue", "notice given")],
        "may_write": actor.may("account.write"),
        "wrong": wrong,
        "said": said,
        "field": lambda name, label, attributes: _field(name, label, attributes, wrong, said),
        "ngettext": ngettext,
        "shown": _shown,
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


def _trend(one: Trend) -> ShownTrend:
    last = len(one.values) - 1
    now = one.values[last] if one.values else None
    year = one.values[last - MONTHS_A_YEAR] if last >= MONTHS_A_YEAR else None
    why = one.missing.get(last, _("not known")) if one.values else _("not known")
    return ShownTrend(one.label, one.values, one.carried, now, why, year)


def _shown(value: float) -> str:
    """A metric's value to four digits, as people write numbers."""
    if float(value).is_integer() or abs(value) >= FOUR_DIGITS:
        return words.number(value)
    return words.number(float(f"{value:.4g}"), max(0, 3 - math.floor(math.log10(abs(value)))))


def _item(one: TimelineItem) -> dict[str, Any]:
    return {"day": one.day, "words": one.words, "icon": ICONS[one.kind], "separator": ""}


def _field(name: str, label: str, attributes: str, wrong: Mapping[str, str], said: Mapping[str, str]) -> Markup:
    """An input with its label, what was written in it, and what is wrong with it."""
    marked = Markup(' aria-invalid="true" aria-describedby="w-{0}"').format(name) if name in wrong else ""
    told = Markup('<span class="wrong" id="w-{0}">{1}</span>').format(name, wrong[name]) if name in wrong else ""
    box = Markup('<input name="{0}" value="{1}" {2}{3}>').format(name, said.get(name, ""), Markup(attributes), marked)
    return Markup("<label>{0}{1}{2}</label>").format(label, box, told)
