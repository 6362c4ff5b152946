"""The report page: what it says, that it is whole, and that nothing hostile gets through."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.unit.reports import sample
from tests.unit.reports.page import Page
from unspun.audit.result import VERDICTS, AuditResult, Beside, Caution, Description, GamingCheck, GamingRow, GroupRow, InputFile
from unspun.audit.vocabulary import REPURCHASE
from unspun.reports import words
from unspun.reports.audit_html import render
from unspun.reports.result_json import to_json
from unspun.stats.estimate import NoEstimate

RESULTS = {
    "one score": sample.one_score(),
    "three scores": sample.three_scores(),
    "nothing estimated": sample.nothing_estimated(),
    "one blank score": sample.result(sample.blank_score()),
    "one hollow score": sample.result(sample.hollow_score()),
    "a leak": sample.result(sample.score("edited score", "leaks")),
    "account-months": sample.result(design_name="landmark"),
    "twenty scores": sample.result(*(sample.score(f"measure {i}", VERDICTS[i % 7]) for i in range(20))),
}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='x",
    "=cmd|' /C calc'!A0",
    "</style>",
    "x" * 500,
    "{{ 7 * 7 }}",
    "Köln ☂ 株式会社",
)
every = pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS.keys())


def as_written(fact: dict) -> str:
    """A fact's figure from the JSON, written by the rules of the house but not by its code."""
    value, decimals, scale, unit = fact["value"], {"auc": 2, "gain": 3, "share": 0}[fact["unit"]], 1, ""
    if fact["unit"] == "share":
        scale, unit = 100, " %"
    point, low, high = (f"{value[k] * scale:.{decimals}f}" for k in ("point", "low", "high"))
    sign = "+" if fact["unit"] == "gain" and value["point"] > 0 else ""
    ends = f"{low} to {high}" if "-" in low + high else f"{low}\u2013{high}"
    return f"{sign}{point}{unit} ({ends})".replace("-", "\u2212")


@every
def test_every_element_is_closed_where_it_was_opened(result: AuditResult) -> None:
    assert Page(render(result)).unclosed == []


@pytest.mark.parametrize("name", ["one score", "three scores"])
def test_every_fact_stands_on_the_page_as_it_stands_in_the_json(name: str) -> None:
    text = Page(render(RESULTS[name])).text
    facts = [fact for score in json.loads(to_json(RESULTS[name]))["scores"] for fact in score["facts"]]
    assert len(facts) in (3, 9)
    for fact in facts:
        assert f"{fact['label']} {as_written(fact)}" in text


@every
def test_verdict_and_sentence_of_every_score_are_on_the_page(result: AuditResult) -> None:
    text = Page(render(result)).text
    for score in result.scores:
        assert score.verdict in text
        assert score.sentence in text


@every
def test_headings_go_down_one_level_at_a_time_from_one_h1(result: AuditResult) -> None:
    levels = [level for level, _ in Page(render(result)).headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@every
def test_every_link_leads_to_a_place_on_the_page_and_ids_are_unique(result: AuditResult) -> None:
    page = Page(render(result))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    inner = [href.removeprefix("#") for href in page.values("href") if href.startswith("#")]
    assert inner and set(inner) <= set(ids)


@every
def test_nothing_is_loaded_from_anywhere(result: AuditResult) -> None:
    page = Page(render(result))
    for attribute in ("src", "href", "srcset", "action", "data", "poster", "xlink:href"):
        assert [value for value in page.values(attribute) if not value.startswith(("#", "data:,"))] == []
    (style,) = re.findall(r"<style>(.*?)</style>", render(result), re.S)
    assert [url for url in re.findall(r"url\(([^)]*)\)", style) if not url.startswith('"data:font/woff2;base64,')] == []
    assert "@import" not in style


def test_the_policy_allows_this_style_and_this_script_and_nothing_else() -> None:
    html = render(sample.one_score())
    (policy,) = [m["content"] or "" for m in Page(html).all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy and "http" not in policy
    for name in ("style", "script"):
        (inside,) = re.findall(f"<{name}>(.*?)</{name}>", html, re.S)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert Page(html).values("style") == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_and_never_obeyed(name: str) -> None:
    description = sample.description()
    units = tuple(replace(u, account=name, segment=name, owner=name, band=name) for u in description.missed.units)
    group = (GroupRow(name, 10, 2, sample.NOTHING), GroupRow(name + "2", 10, 2, sample.estimate(0.6, 0.5, 0.7)))
    described = replace(
        description, missed=replace(description.missed, units=units, rule=name), stability=replace(description.stability, segments=group)
    )
    one = replace(sample.score(name), description=described, cautions=(Caution("c", name, True),), sentence=name)
    base = sample.result(one, sample.blank_score(name + "3"))
    inputs = tuple(replace(i, name=name, columns=(("account", name),), unused_columns=(name,), notes=(name,)) for i in base.inputs)
    page = Page(render(replace(base, inputs=inputs)))
    tags = {tag for tag, _ in page.elements}
    assert "img" not in tags
    assert len(page.all("script")) == 1
    assert {a for _, attributes in page.elements for a in attributes if a.startswith("on")} == set()
    shown = name if len(name) <= 40 else name[:39]
    assert shown in page.text
    assert page.unclosed == []


def test_every_chart_is_well_formed_and_says_what_it_shows() -> None:
    html = render(sample.one_score())
    charts = re.findall(r'<svg class="c".*?</svg>(?=\n|<p|<div|<table|<details)', html, re.S)
    assert len(charts) == 5
    for chart in charts:
        drawn = ElementTree.fromstring(chart)
        assert drawn.attrib["role"] == "img"
        assert drawn.attrib["aria-label"] in [title for _, title in Page(html).headings]


@every
def test_no_chart_holds_a_number_that_is_none(result: AuditResult) -> None:
    drawn = " ".join(re.findall(r"<svg.*?</svg>", render(result), re.S))
    assert not re.search(r"\b(nan|inf|None)\b", drawn)


def test_every_headline_figure_opens_with_its_provenance() -> None:
    result = sample.one_score()
    text = Page(render(result)).text
    for label in (
        "AUC, 90 days ahead",
        "Gain in AUC over the baseline",
        "Calibration slope",
        "Churned ARR reached",
        "Share that churned, by band",
        "Change in AUC a quarter",
        "AUC as dated less AUC as known",
    ):
        assert f"Open this number: {label}" in text
    opened = text[text.index("Open this number: AUC, 90 days ahead") : text.index("Open this number: AUC at the other horizons")]
    for part in (
        "0.62 (0.57\u20130.67)",
        "score_audit.auc, protocol version 1, Unspun 0.1.0",
        "31 Oct 2026",
        result.inputs[0].sha256,
        result.inputs[1].sha256,
        "1,684 renewals with a score, of 1,846 in the test; 193 churned, in 181 clusters by parent account",
        words.spaced(sample.DELONG),
        "95 % interval",
        "No notice dates were given: 90 days of lead may be overstated.",
        "DATE '2025-10-01'",
        "seed 20261031",
    ):
        assert part in opened


def test_where_there_is_no_estimate_the_page_says_why_and_what_it_would_take() -> None:
    page = Page(render(sample.result(sample.blank_score())))
    facts = page.text[: page.text.index("There is too little to say")]
    assert facts.count("No estimate 3 churned accounts in the test, 20 are needed. It would take: About 60 more churned renewals") == 3
    assert "What it would take. About 60 more churned renewals, some 14 months at the present rate." in page.text
    assert "0.00" not in facts


def test_a_loud_caution_stands_before_the_facts() -> None:
    text = Page(render(sample.result(sample.blank_score()))).text
    assert text.index("Before you rely on this. It is far better in the past") < text.index("AUC, test renewals")


def test_account_months_are_not_called_renewals() -> None:
    text = Page(render(sample.result(design_name="landmark"))).text
    assert "Judged on 1,846 account-months it had never seen, from October 2025 on, of which 214 churned." in text
    assert "test account-months that had a score" in text


def test_several_scores_are_compared_before_each_is_told() -> None:
    page = Page(render(sample.three_scores()))
    (h1,) = [title for level, title in page.headings if level == 1]
    assert h1 == "Of three scores, one foretells churn, one foretells churn but adds nothing and one leaks."
    assert [title for level, title in page.headings if level == 2][:3] == [score.sentence for score in sample.three_scores().scores]
    assert {"#s1-verdict", "#s2-verdict", "#s3-verdict"} <= set(page.values("href"))


def test_of_more_than_twelve_scores_the_rest_stand_in_the_table_with_their_sentence() -> None:
    page = Page(render(RESULTS["twenty scores"]))
    assert "s12-verdict" in page.values("id") and "s13-verdict" not in page.values("id")
    assert "The first 12, in the order given, follow in detail. Of the other 8 the table holds the sentence" in page.text
    table = page.text[: page.text.index("The first 12, in the order given")]
    assert all(f"measure {i}" in table for i in range(20))
    assert table.count(sample.score().sentence) == 8


def test_a_leak_is_told_right_after_the_verdict() -> None:
    titles = [title for _, title in Page(render(RESULTS["a leak"])).headings]
    assert titles[1] == "It was recorded after the outcome was known, for 141 of 193 that churned"


def test_a_missing_description_is_said_and_not_left_out_in_silence() -> None:
    result = sample.result(replace(sample.score(), description=NoEstimate("only verdicts were asked for", "ask for detail")))
    text = Page(render(result)).text
    assert "Bands, lead time, stability and misses are not shown" in text
    assert "Only verdicts were asked for. What it would take: ask for detail." in text


def test_rows_read_are_rows_used_and_rows_set_aside() -> None:
    text = Page(render(sample.one_score())).text
    aside = "The outcome is blank \u221261 The same account and due date twice \u221244 A negative amount \u221223"
    assert f"renewals.csv, the renewals Read 4,812 {aside} Used 4,684" in text
    assert "Test (214 churned) 1,846 No score by then: missing, not zero \u2212162 Scored 1,684" in text


def test_all_seven_verdicts_are_explained() -> None:
    text = Page(render(sample.one_score())).text
    how = text[text.index("The verdict is always one of these:") :]
    assert [how.index(v) for v in VERDICTS] == sorted(how.index(v) for v in VERDICTS)


def test_many_owners_open_on_demand() -> None:
    text = Page(render(sample.one_score())).text
    assert "The other 5 by owner" in text and "Dina Haddad 41 / 2 2 churned, 5 are needed. It would take: 3 more churned renewals." in text


def test_the_same_result_gives_the_same_page() -> None:
    assert render(sample.three_scores()) == render(sample.three_scores())


def test_the_two_dark_blocks_of_the_tokens_are_identical(root: Path) -> None:
    tokens = (root / "src/unspun/reports/assets/tokens.css").read_text("utf-8")
    blocks = re.findall(r"\{\s*(color-scheme: dark;.*?)\}", tokens, re.S)
    assert len(blocks) == 2
    assert blocks[0].split() == blocks[1].split()


def test_a_description_that_holds_nothing_is_not_a_crash() -> None:
    one = sample.score()
    assert isinstance(one.description, Description)
    empty = replace(
        one.description,
        bands=NoEstimate("no bands"),
        lead_time=NoEstimate("no leads"),
        stability=replace(one.description.stability, quarters=(), segments=(), owners=()),
    )
    bare = replace(
        one.primary, calibration=replace(sample.calibration(), bins=()), captured_arr=replace(sample.captured_arr(), curve=()), flow=()
    )
    text = Page(render(sample.result(replace(one, description=empty, horizons=(bare,))))).text
    assert "How early it tells cannot be told" in text


def said_otherwise(value: object) -> object:
    """A result whose own sentences, made elsewhere, are in other words than the default's."""
    if isinstance(value, str):
        return re.sub("(?i)churn", "lapse", re.sub("(?i)churned", "lapsed", value.replace("ARR", "spend")))
    if isinstance(value, tuple):
        return tuple(said_otherwise(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: said_otherwise(getattr(value, f.name)) for f in fields(value) if f.name not in KEPT})
    return value


KEPT = ("vocabulary", "role", "verdict", "name", "code", "found")


@every
def test_an_audit_of_something_else_is_told_in_its_own_words(result: AuditResult) -> None:
    other = said_otherwise(result)
    assert isinstance(other, AuditResult)
    page = Page(render(replace(other, design=replace(other.design, vocabulary=REPURCHASE))))
    spoken = " ".join([page.text, *page.values("aria-label"), *page.values("title"), *page.values("data-label")])
    queries = r"SELECT.*?(?=Settings|Recompute|$)|WITH renewal AS.*?(?=Settings)"
    found = re.findall(r"[^.]{0,60}(?:(?i:churn)|\bARR\b)[^.]{0,40}", re.sub(queries, "", spoken))
    assert found == []
    assert "lapsed" in spoken


def test_every_chart_and_table_of_estimates_opens() -> None:
    text = Page(render(sample.one_score())).text
    for label in (
        "AUC at the other horizons",
        "AUC of the baseline, and of it with the score",
        "Other baselines, which decide nothing",
        "Reliability by group",
        "Reached by score \u00d7 ARR, ARR alone and at random",
        "The score by days before the due date",
        "AUC by segment",
        "AUC by owner",
        "Churned, yet green when looked at",
        "Red when looked at, yet did not churn",
    ):
        assert f"Open this number: {label}" in text


def test_a_missed_account_is_shown_with_its_path_and_what_the_baseline_said() -> None:
    page = Page(render(sample.one_score()))
    assert "Halden Logistics Enterprise, Ada Lund, due 12 Aug 2026, row 40 $612,000 86 green 14 May 2026 0.10 (0.05\u20130.20)" in page.text
    assert "Meridian Parts Mid-market, Dina Haddad, due 7 Jul 2026, row 44 $221,900 82 green 8 Apr 2026 not told" in page.text


def test_fifteen_scores_stay_light_and_are_ranked_by_verdict_first() -> None:
    scores = [sample.score(f"measure {i:02d}", VERDICTS[i % 7]) for i in range(15)]
    html = render(sample.result(*scores))
    assert len(html) < 3_000_000
    table = Page(html).text.split("best first, then by gain", 1)[1]
    places = [table.index(f"measure {i:02d}") for i in (0, 7, 14, 1, 8, 2, 9, 3, 10, 4, 11, 5, 12, 6, 13)]
    assert places == sorted(places)


def test_what_else_one_could_have_ranked_by_stands_beside_the_score() -> None:
    one = sample.score()
    values = [sample.estimate(point, point - 0.05, point + 0.05) for point in (0.7, 0.6, -0.1, 0.1, 0.0, 1.0)]
    usage = Beside("usage trend", "events of the last 90 days", 900, 90, 0.5, *values)
    primary = replace(one.primary, test=replace(one.primary.test, beside=(usage,)))
    horizons = tuple(primary if h is one.primary else h for h in one.horizons)
    text = Page(render(sample.result(replace(one, horizons=horizons)))).text
    assert "On the same units, usage trend ranks better than the score" in text
    assert "Usage trend Events of the last 90 days. n 900, 90 churned; 50 % of the test has it" in text
    assert "Open this number: What else one could have ranked by" in text
    stated = text[text.index("Read as the probability that was stated") :]
    assert "Usage trend 0.100 (0.050\u20130.150) 0.00" in stated  # Brier score, then the bias


def test_a_table_that_becomes_cards_keeps_its_roles() -> None:
    html = render(sample.one_score())
    tables = re.findall(r'<table class="[^"]*\bcards\b.*?</table>', html, re.S)
    assert len(tables) >= 2
    for table in tables:
        cells = re.findall(r"<(table|thead|tbody|tr|th|td)\b([^>]*)>", table)
        assert all(" role=" in attributes for _, attributes in cells)
        assert {role for name, a in cells if name == "th" for role in re.findall(r'role="(\w+)"', a)} == {"columnheader", "rowheader"}


def test_the_bytes_of_the_rows_come_after_all_that_is_read() -> None:
    anchors = [a["id"] for tag, a in Page(render(sample.one_score())).elements if tag == "section" and "id" in a]
    assert anchors.index("aside") < anchors.index("how") < anchors.index("method") == len(anchors) - 1
    trace_free = render(sample.one_score())
    assert "data:application/zip" not in trace_free


def test_an_input_of_several_files_names_each_with_its_hash() -> None:
    result = sample.one_score()
    parts = tuple(InputFile(f"scores-{year}.csv", f"{year}" * 16, "csv", 1_000 + year) for year in (2025, 2026))
    text = Page(render(replace(result, inputs=(replace(result.inputs[0], files=parts), *result.inputs[1:])))).text
    for part in parts:
        assert f"{part.name}, csv, {part.rows_read:,} rows, SHA-256 {part.sha256}" in text


def test_checks_with_evidence_come_first_and_the_others_share_a_table() -> None:
    def check(code: Any, found: Any) -> GamingCheck:
        row = GamingRow("70", 12, 4.5, (1_234, 5_678))
        told = sample.estimate(1.5, 1.1, 2.0)
        listed = (row,) if found == "evidence" else ()
        return GamingCheck(code, f"Is {code}?", found, f"seen in {code}", "how much", told, 0.01, 99, listed, (), ("a rule",), told)

    checks = (check("back_dated", "cannot tell"), check("period_end", "none seen"), check("bunching", "evidence"))
    page = Page(render(sample.result(replace(sample.score(), gaming=checks))))
    text = page.text[page.text.index("One of three checks") :]
    places = [text.index(part) for part in ("Is bunching?", "1,234, 5,678", "What else was asked", "Is period_end?", "Is back_dated?")]
    assert places == sorted(places)
    ids = {a.get("id") for _, a in page.elements}
    assert {"open-bunching", "open-period_end", "open-back_dated"} <= ids
