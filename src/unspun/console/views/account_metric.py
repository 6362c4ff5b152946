"""A metric of one account opened: its values by month, why one is missing, its definition, and the same as CSV."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from unspun.app.portfolio.account import AccountDetail, Trend, account_detail
from unspun.console.access import allow
from unspun.console.answers import csv_answer
from unspun.console.asking import actor_of_request
from unspun.console.figure_numbers import shown
from unspun.console.missing_words import missing_words
from unspun.console.sparklines import sparkline
from unspun.reports import words
from unspun.reports.row_files import harmless, slug

METRICS_FILE = "metrics.yml"


@dataclass(frozen=True, slots=True)
class Month:
    """A day of a metric: its value, or why there is none; `carried` is the value from before an outage and its age in days."""

    day: Any
    value: float | None
    missing: str
    carried: tuple[float, int] | None


@allow("account.see")
def account_metric(request: HttpRequest, account: str, metric: str) -> HttpResponse:
    """The metric with what backs it; to the drawer without the frame of a page."""
    detail, trend = _found(request, account, metric)
    held = {
        "detail": detail,
        "trend": trend,
        "months": list(reversed(_months(trend))),
        "missing": missing_words,
        "known": sum(one is not None for one in trend.values),
        "sparkline": sparkline,
        "shown": shown,
        "words": words,
        "definitions": METRICS_FILE,
    }
    return render(request, "metric_drawer.html" if request.headers.get("X-Drawer") else "metric.html", held)


@allow("account.see")
def account_metric_csv(request: HttpRequest, account: str, metric: str) -> HttpResponse:
    """The same as CSV with its manifest, in one zip."""
    detail, trend = _found(request, account, metric)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("account_id", "metric", "unit", "day", "value", "missing", "value_before_outage", "age_days"))
    for one in _months(trend):
        before, age = one.carried or (None, None)
        row = (detail.account.account_id, trend.id, trend.unit, one.day, one.value, one.missing, before, age)
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    name, data = f"metric-{slug(trend.id)}", out.getvalue().encode()
    manifest = {
        "what": trend.label,
        "metric": trend.id,
        "unit": trend.unit,
        "account_id": detail.account.account_id,
        "as_of": detail.as_of.isoformat(),
        "book_version": detail.book_version,
        "entries": dict(detail.entries),
        "read_model": detail.key,
        "rows": len(trend.values),
        "csv": {"name": f"{name}.csv", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)},
    }
    return csv_answer(name, out.getvalue(), manifest)


def _found(request: HttpRequest, account: str, metric: str) -> tuple[AccountDetail, Trend]:
    detail = account_detail(settings.WORKSPACE, actor_of_request(request), account)
    trend = next((one for one in detail.trends if one.id == metric), None)
    if trend is None:
        raise Http404
    return detail, trend


def _months(trend: Trend) -> list[Month]:
    days = enumerate(zip(trend.days, trend.values, strict=True))
    return [Month(day, value, "" if value is not None else trend.missing.get(at, ""), trend.carried.get(at)) for at, (day, value) in days]
