"""The audit as one self-contained page: styles, font and script inside, nothing asked of any network."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from unspun.audit.evidence_rows import Selection, Trace
from unspun.audit.result import VERDICTS, AuditResult, Beside, Caution, GroupRow, HorizonResult, ListedUnit, ScorePair, ScoreResult, Split
from unspun.reports import charts, claims, marks, paths, words
from unspun.reports.figures import Opened, open_figures
from unspun.reports.isolation import Isolation
from unspun.reports.marks import Scale
from unspun.reports.row_files import RowFile, by_selection, make_row_files
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

MOST_DETAILED = 12  # scores shown in full; the rest stand in the table with their sentence
MOST_GROUPS = 10  # segments or owners shown at once; the rest open on demand
GAMING_WORDS = {
    "bunching": "Just above thresholds",
    "period_end": "At period ends",
    "back_dated": "Recorded late",
    "before_reviews": "Before reviews",
    "goodhart_gap": "Score against outcome",
}
CARDS = re.compile(r'<table class="[^"]*\bcards\b.*?</table>', re.S)
CELL = re.compile(r'<(table|thead|tbody|tr|th|td)\b((?:[^>"]|"[^"]*")*)>')
ROLES = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}
ASSETS = files("unspun.reports") / "assets"


@dataclass(frozen=True, slots=True)
class ScorePage:
    """One score and what its part of the page needs beside it. `prefix` starts its anchors, `level` is its headings' level."""

    score: ScoreResult
    prefix: str
    level: int
    opened: dict[str, Opened]
    units: words.Units
    judged: str
    auc_scale: Scale
    rows: dict[Selection, RowFile]


def render(result: AuditResult, trace: Trace | None = None) -> str:
    """The whole page as HTML text, to be written in UTF-8. `trace` puts the rows behind the figures into it."""
    page = compose(result, make_row_files(result, trace, MOST_DETAILED))
    style, script = page_style(), read_asset("theme.js")
    shell = {"style": Markup(style), "script": Markup(script), "policy": page_policy(style, script), "paper": False}
    return lay_out({**page, **shell})


def compose(result: AuditResult, files: list[RowFile]) -> dict[str, Any]:
    """What the templates are filled with, on the screen and on paper."""
    several = len(result.scores) > 1
    pages = [
        _score_page(result, i, f"s{i + 1}-" if several else "", 3 if several else 2, files)
        for i in range(min(len(result.scores), MOST_DETAILED))
    ]
    return {
        "result": result,
        "pages": pages,
        "files": files,
        "several": several,
        "units": words.units_of(result.design),
        "v": result.design.vocabulary,
        "quiet": _quiet(result.design.cautions),
        "verdicts": VERDICTS,
        "ranked": ranked_scores(result),
        "methods": _methods(result),
        "pairs": result.pairs if several else (),
        "comparison_scale": _scale_of([score.primary.test.auc for score in result.scores]),
        "judged_all": _judged_on(result, result.scores[0], "they"),
    }


def lay_out(context: dict[str, Any]) -> str:
    """The page's template, filled."""
    return with_roles(environment().get_template("page.html.j2").render(context).rstrip() + "\n")


def with_roles(page: str) -> str:
    """The page, with the roles of tables that turn into cards on a phone: browsers forget what a table is once its display changes."""
    return CARDS.sub(lambda table: CELL.sub(lambda tag: f'<{tag[1]}{tag[2]} role="{_role(tag[1], tag[2])}">', table.group()), page)


def _role(name: str, attributes: str) -> str:
    return ("columnheader" if 'scope="col' in attributes else "rowheader") if name == "th" else ROLES[name]


def ranked_scores(result: AuditResult) -> list[tuple[int, ScoreResult]]:
    """Scores with their place in the result, counted from 1: by verdict in the order of VERDICTS, then gain, then AUC."""

    def key(one: tuple[int, ScoreResult]) -> tuple[int, float, float, int]:
        test = one[1].primary.test
        gain, auc = (-value.point if isinstance(value, Estimate) else float("inf") for value in (test.gain, test.auc))
        return VERDICTS.index(one[1].verdict), gain, auc, one[0]

    return sorted(enumerate(result.scores, 1), key=key)


def _methods(result: AuditResult) -> list[str]:
    """The distinct methods behind the comparison's table."""
    tests = [score.primary for score in result.scores]
    reached = [h.captured_arr.score for h in tests if not isinstance(h.captured_arr, NoEstimate)]
    values = [*(h.test.auc for h in tests), *(h.test.gain for h in tests), *reached]
    return list(dict.fromkeys(value.method for value in values if isinstance(value, Estimate)))


def _score_page(result: AuditResult, position: int, prefix: str, level: int, files: list[RowFile]) -> ScorePage:
    score = result.scores[position]
    return ScorePage(
        score=score,
        prefix=prefix,
        level=level,
        opened={one.key: one for one in open_figures(result, score)},
        units=words.units_of(result.design),
        judged=_judged_on(result, score),
        auc_scale=_auc_scale(score.horizons),
        rows=by_selection(files, position),
    )


def _judged_on(result: AuditResult, score: ScoreResult, who: str = "it") -> str:
    """How many units the verdict rests on, and from when."""
    primary, units = score.primary, words.units_of(result.design)
    if isinstance(primary.split, NoEstimate) or not primary.test.n:
        reason = primary.split.reason if isinstance(primary.split, NoEstimate) else "no unit is left to test on"
        return f"No test on later {units.many} could be held: {reason}."
    period, churned = _period(result, primary, primary.split), words.count(primary.test.n_churned)
    lost = f"{churned} {result.design.vocabulary.lost}{_lost_money(primary, result)}"
    return f"Judged on {units.count(primary.test.n)} {who} had never seen, {period}, of which {lost}."


def _lost_money(primary: HorizonResult, result: AuditResult) -> str:
    """What they took with them, where the test months' candidates are the test units."""
    captured = primary.captured_arr
    if isinstance(captured, NoEstimate) or result.design.name == "landmark" or captured.n_candidates != primary.test.n:
        return ""
    return f" and took {words.money_short(captured.churned_arr, captured.currency)} with them"


def _period(result: AuditResult, primary: HorizonResult, split: Split) -> str:
    if result.design.name == "landmark":
        return f"from {words.month(split.first_test_as_of)} on"
    first = words.month(split.first_test_as_of + timedelta(days=primary.horizon_days))
    last = words.month(min(result.design.last_due, result.design.as_of))
    return f"due in {first}" if first == last else f"due from {first} to {last}"


def _auc_scale(horizons: tuple[HorizonResult, ...] | list[HorizonResult]) -> Scale:
    """One scale for all AUCs of a table."""
    tests = [h.test for h in horizons]
    values = [v for t in tests for v in (t.auc, t.auc_baseline, t.auc_both)]
    return _scale_of(values)


def _scale_of(values: list[MaybeEstimate]) -> Scale:
    known = [v for v in values if isinstance(v, Estimate)]
    around = marks.scale_over((end for v in known for end in (v.low, v.high)), around=0.5, step=0.05, margin=0.02)
    return Scale(max(0.0, around.low), min(1.0, around.high), 3, 97)


def capture_scale(values: Sequence[MaybeEstimate]) -> Scale:
    """One scale for shares of money reached, from nought."""
    return Scale(0.0, min(1.0, 1.05 * max((v.high for v in values if isinstance(v, Estimate)), default=1.0)) or 1.0, 2, 98)


def pair_scale(pairs: Sequence[ScorePair | Beside]) -> Scale:
    """One scale for the paired differences of scores."""
    ends = [end for pair in pairs if isinstance(pair.difference, Estimate) for end in (pair.difference.low, pair.difference.high)]
    spread = marks.scale_over(ends, around=0.0, margin=0.1)
    return Scale(spread.low, spread.high, 3, 97)


def group_scale(groups: tuple[GroupRow, ...]) -> Scale:
    """One scale for the AUCs of a table of groups."""
    return _scale_of([group.auc for group in groups])


def fact_scale(value: Estimate, reference: float | None) -> Scale:
    """A fact's own scale: its interval and the value to beat, with room on both sides."""
    spread = marks.scale_over((value.low, value.high), around=reference, margin=0.35)
    return Scale(spread.low, spread.high)


def list_scale(units: Sequence[ListedUnit]) -> tuple[float, float]:
    """The scale that the paths of a list share: from its lowest to its highest score."""
    values = [value for unit in units for _, value in unit.history]
    return min(values, default=0.0), max(values, default=0.0)


def risk_scale(units: Sequence[ListedUnit], base_rate: float) -> Scale:
    """One scale for the baseline risks of a list, from nought."""
    highest = max([base_rate, *(u.baseline_risk.high for u in units if isinstance(u.baseline_risk, Estimate))])
    return Scale(0.0, min(1.0, highest * 1.05) or 1.0, 2, 98)


def _quiet(cautions: tuple[Caution, ...]) -> list[Caution]:
    return [caution for caution in cautions if not caution.loud]


def _loud(cautions: tuple[Caution, ...]) -> list[Caution]:
    return [caution for caution in cautions if caution.loud]


@cache
def environment() -> Environment:
    """Templates with autoescape always on; an undefined name is an error."""
    environment = Environment(
        loader=PackageLoader("unspun.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    equip(environment)
    return environment


def equip(environment: Environment) -> None:
    """Give an environment the tests, filters and names that the reports' templates use."""
    environment.add_extension(Isolation)
    environment.tests["estimate"] = lambda value: isinstance(value, Estimate)
    environment.tests["missing"] = lambda value: isinstance(value, NoEstimate)
    environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    environment.filters["sentence"] = words.sentence
    environment.filters["spaced"] = words.spaced
    environment.filters["loud"] = _loud
    environment.filters["quiet"] = _quiet
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode("ascii")
    environment.globals |= _vocabulary()


def _vocabulary() -> dict[str, Any]:
    scales = {
        "group_scale": group_scale,
        "capture_scale": capture_scale,
        "pair_scale": pair_scale,
        "fact_scale": fact_scale,
        "list_scale": list_scale,
        "risk_scale": risk_scale,
        "MOST_GROUPS": MOST_GROUPS,
        "MOST_DETAILED": MOST_DETAILED,
        "GAMING_WORDS": GAMING_WORDS,
        "FALSE_ALARM": words.Style(1, percent=True),
    }
    return {"words": words, "marks": marks, "charts": charts, "paths": paths, "claims": claims, **scales}


@cache
def page_style() -> str:
    """Tokens and report styles, with the font inside."""
    font = base64.b64encode((ASSETS / "inter-latin.woff2").read_bytes()).decode("ascii")
    return read_asset("tokens.css").replace("inter-latin.woff2", f"data:font/woff2;base64,{font}") + read_asset("report.css")


def read_asset(name: str) -> str:
    """A style or script of the reports, as text."""
    return (ASSETS / name).read_text("utf-8")


def page_policy(style: str, script: str) -> str:
    """Only what is in the page may run or load."""
    own = f"style-src {_digest(style)}; script-src {_digest(script)}; font-src data:; img-src data:"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def policy_of() -> str:
    """The content security policy of a page that `render` makes, for who serves it."""
    return page_policy(page_style(), read_asset("theme.js"))


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
