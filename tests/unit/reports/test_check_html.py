"""The page of the checks: what it says, that it is whole, that it holds the rows it offers, and that nothing hostile gets through."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from tests.unit.reports import check_sample as sample
from tests.unit.reports.page import Page
from unspun.book.checks.finding import Span
from unspun.book.checks.report import CheckReport
from unspun.reports import check_charts, check_claims
from unspun.reports.check_html import MOST_MATRIX_ROWS, MOST_SHOWN, render
from unspun.reports.check_rows import MOST_ROWS

REPORTS: dict[str, Callable[[], CheckReport]] = {
    "every kind": sample.every_kind,
    "nothing found": sample.nothing_found,
    "many": sample.many,
    "notes only": sample.notes_only,
}
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onload='x", "</style>", "{{ 7 * 7 }}", "Köln ☂ 株式会社")
every = pytest.mark.parametrize("name", REPORTS)


def said(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def archive(html: str, number: int) -> zipfile.ZipFile:
    """The file that a finding's button saves."""
    (link,) = [a for a in Page(html).all("a") if (a.get("download") or "").startswith(f"finding-{number:02d}-")]
    return zipfile.ZipFile(io.BytesIO(base64.b64decode((link["href"] or "").partition("base64,")[2])))


@every
def test_every_element_is_closed_where_it_was_opened(name: str) -> None:
    assert Page(render(REPORTS[name]())).unclosed == []


@every
def test_headings_go_down_one_level_at_a_time_from_one_h1(name: str) -> None:
    levels = [level for level, _ in Page(render(REPORTS[name]())).headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@every
def test_every_link_leads_to_a_place_on_the_page_and_ids_are_unique(name: str) -> None:
    page = Page(render(REPORTS[name]()))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    inner = [href.removeprefix("#") for href in page.values("href") if href.startswith("#")]
    assert inner and set(inner) <= set(ids)


@every
def test_nothing_is_loaded_from_anywhere_and_only_this_style_and_script_may_run(name: str) -> None:
    html = render(REPORTS[name]())
    page = Page(html)
    for attribute in ("src", "href", "srcset", "action", "data", "poster"):
        assert [value for value in page.values(attribute) if not value.startswith(("#", "data:,", "data:application/zip"))] == []
    (policy,) = [m["content"] or "" for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy
    for part in ("style", "script"):
        (inside,) = re.findall(f"<{part}>(.*?)</{part}>", html, re.S)
        assert f"{part}-src 'sha256-{base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()}'" in policy
    assert page.values("style") == []


@every
def test_each_finding_stands_on_the_page_with_its_sentence_share_mend_id_and_command(name: str) -> None:
    report = REPORTS[name]()
    text = Page(render(report)).text
    assert said(check_claims.verdict(report)) in text
    for one in report.judged:
        finding = one.finding
        assert said(finding.message) in text
        assert said(f"{check_claims.share_of(finding)}, {finding.count:,} of {finding.of:,} {finding.unit}") in text
        assert finding.mend[1:] in text and finding.id in text and said(finding.rows_sql) in text
        assert (check_claims.accept_command(finding) in text) == one.stands


@every
def test_each_check_is_accounted_for(name: str) -> None:
    report = REPORTS[name]()
    text = Page(render(report)).text
    for outcome in report.outcomes:
        title = outcome.check.title
        assert outcome.findings or f"{title[:1].upper()}{title[1:]}" in text
    assert "Nothing is mapped to accounts.created_on" in text


def test_an_accepted_finding_says_who_why_when_and_where_it_is_recorded() -> None:
    text = Page(render(sample.every_kind())).text
    assert "Accepted by Nora Lind <nora@example.com>, 2 Sep 2026, 16:05" in text  # 14:05 UTC in Berlin
    assert "finance knows, mended with the new CRM." in text
    assert "until 31 Jan 2027" in text and "unspun ledger show --from 41" in text
    assert "grown since it was accepted" in text and "Accepted at 30 of 25,000; now 42 of 25,000 rows, so it stands again." in text


def test_the_matrix_marks_what_each_finding_reaches_and_nothing_else() -> None:
    report = sample.every_kind()
    (table,) = re.findall(r'<table class="reach cards".*?</table>', render(report), re.S)
    areas = [Page(head).text for head in re.findall(r'<th scope="col" class="area".*?</th>', table, re.S)]
    rows = re.findall(r"<tr role=\"row\"><th scope=\"row\".*?</tr>", table, re.S)
    assert len(rows) == len(report.standing())
    for row, one in zip(rows, report.standing(), strict=True):
        cells = re.findall(r'<td class="area (hit|empty)"', row)
        reached = {affected.split(":")[0] for affected in one.finding.affects}
        assert {area.lower() for area, cell in zip(areas, cells, strict=True) if cell == "hit"} == {area.lower() for area in reached}


def test_many_findings_are_folded_and_none_is_lost() -> None:
    report = sample.many()
    html = render(report)
    assert len(re.findall(r'<section class="step finding"', html)) == MOST_SHOWN
    assert len(re.findall(r'<details><summary id="finding-\d+">', html)) == len(report.judged) - MOST_SHOWN
    tables = re.findall(r'<table class="reach cards".*?</table>', html, re.S)
    assert [table.count('scope="row"') for table in tables] == [MOST_MATRIX_ROWS, len(report.judged) - MOST_MATRIX_ROWS]
    assert "forecasts" in html and len(html) < 600_000


def test_few_rows_are_in_the_page_as_csv_with_their_manifest() -> None:
    report = sample.every_kind()
    html = render(report)
    number = next(at for at, one in enumerate(report.standing(), 1) if one.finding.check == "orphan_accounts")
    finding = report.standing()[number - 1].finding
    with archive(html, number) as held:
        (table,) = [name for name in held.namelist() if name.endswith(".csv")]
        (about,) = [name for name in held.namelist() if name.endswith(".manifest.json")]
        content, manifest = held.read(table), json.loads(held.read(about))
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    assert [line["source_row"] for line in lines] == ["2", "3", "4"]
    assert lines[0]["account_id"] == f"'{sample.HOSTILE}"  # a spreadsheet would run it otherwise
    assert lines[0]["term_started"] == "" and lines[0]["amount"] == "-12.5000"
    assert manifest["csv"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["csv"]["sha256"] in Page(html).text
    assert (manifest["finding"], manifest["query"], manifest["rows"]) == (finding.id, finding.rows_sql, 3)
    assert (manifest["entry"], manifest["book"]["version"]) == (report.anchor, 7)


def test_rows_given_with_the_report_are_in_the_page_and_too_many_are_a_command_away() -> None:
    one, other = sample.judged(sample.finding()), sample.judged(sample.finding("duplicate_keys", "warning"))
    rows = {one.finding.id: sample.rows(40), other.finding.id: sample.rows(MOST_ROWS + 1)}
    html = render(sample.report(one, other), rows)
    with archive(html, 1) as held:
        assert held.read(held.namelist()[0]).decode().count("\n") == 41
    assert len(re.findall("data:application/zip", html)) == 1
    assert "unspun check duplicate_keys/events --rows rows.csv" in Page(html).text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_and_never_obeyed(name: str) -> None:
    one = replace(
        sample.finding(), message=name, mend=name, subject=name, affects=(name, f"{name}: {name}"), rows_sql=name, facts={name: name}
    )
    span = Span("fell", date(2026, 6, 1), None, name, name, (name, name), 0.5)
    drawn = replace(sample.tracking(span, "error", name), affects=(name,))
    table = sample.rows().rename_columns([name, *sample.rows().column_names[1:]])
    report = sample.report(sample.judged(one, table), sample.judged(drawn), drawn=(sample.series(span, 100),))
    taken = replace(sample.acceptance(one, 1), who=name, why=name)
    accepted = replace(sample.judged(replace(one, subject="x"), state="accepted"), acceptance=taken)
    page = Page(render(replace(report, workspace_name=name, judged=(*report.judged, accepted))))
    tags = {tag for tag, _ in page.elements}
    assert "img" not in tags and len(page.all("script")) == 1
    assert {a for _, attributes in page.elements for a in attributes if a.startswith("on")} == set()
    assert name in page.text and page.unclosed == []


def test_a_span_is_drawn_with_its_days_shaded_and_every_day_in_the_table() -> None:
    plot = check_charts.plot_of((sample.series(sample.OUTAGE, 4000),), sample.OUTAGE)
    assert plot is not None
    first, last = sample.OUTAGE.first, sample.OUTAGE.last
    assert last is not None
    drawn = ElementTree.fromstring(str(check_charts.tracking_chart(plot, "tracking broke")).replace('class="c"', 'class="c" xmlns=""', 1))
    assert drawn.get("aria-label") == "tracking broke"
    (shade,) = [e for e in drawn.iter() if e.get("class") == "span"]
    days = len(plot.days)
    step = (check_charts.PLOT_END - check_charts.PLOT_START) / (days - 1)
    start = check_charts.PLOT_START + step * ((first - plot.days[0]).days - 0.5)
    assert float((shade.get("x") or "").rstrip("%")) == pytest.approx(start, abs=0.02)
    assert float((shade.get("width") or "").rstrip("%")) == pytest.approx(step * 21, abs=0.03)
    rows = check_charts.plot_rows(plot)
    assert (rows[0].first, rows[-1].last) == (plot.days[0], plot.days[-1])
    assert all(after.first - before.last == timedelta(days=1) for before, after in pairwise(rows))
    assert sum(row.counted for row in rows) == sum(plot.counted)
    assert all(row.in_span == (row.first <= last and first <= row.last) for row in rows)


def test_a_span_without_its_series_has_no_chart() -> None:
    other = replace(sample.OUTAGE, measure="logins")
    assert check_charts.plot_of((sample.series(sample.OUTAGE, 4000),), other) is None


def test_the_same_report_gives_the_same_page() -> None:
    assert render(sample.every_kind()) == render(sample.every_kind())
