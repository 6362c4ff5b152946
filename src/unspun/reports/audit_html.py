"""The audit as one self-contained page: styles, font and script inside, nothing asked of any network."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from unspun.audit.result import VERDICTS, AuditResult, Caution, GroupRow, HorizonResult, ScoreResult, Split
from unspun.reports import charts, claims, marks, words
from unspun.reports.figures import Opened, headline_figures
from unspun.reports.marks import Scale
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

MOST_DETAILED = 12  # scores shown in full; the rest stand in the table with their sentence
MOST_GROUPS = 10  # segments or owners shown at once; the rest open on demand
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


def render(result: AuditResult) -> str:
    """The whole page as HTML text, to be written in UTF-8."""
    several = len(result.scores) > 1
    pages = [
        _score_page(result, score, f"s{i}-" if several else "", 3 if several else 2)
        for i, score in enumerate(result.scores[:MOST_DETAILED], 1)
    ]
    style, script = _style(), _script()
    text = (
        _environment()
        .get_template("page.html.j2")
        .render(
            result=result,
            pages=pages,
            several=several,
            units=words.UNITS[result.design.name],
            quiet=_quiet(result.design.cautions),
            style=Markup(style),
            script=Markup(script),
            policy=_policy(style, script),
            verdicts=VERDICTS,
            comparison_scale=_auc_scale([score.primary for score in result.scores]),
        )
    )
    return text.rstrip() + "\n"


def _score_page(result: AuditResult, score: ScoreResult, prefix: str, level: int) -> ScorePage:
    opened = {one.key: one for one in headline_figures(result, score)}
    return ScorePage(score, prefix, level, opened, words.UNITS[result.design.name], _judged_on(result, score), _auc_scale(score.horizons))


def _judged_on(result: AuditResult, score: ScoreResult) -> str:
    """How many units the verdict rests on, and from when."""
    primary, units = score.primary, words.UNITS[result.design.name]
    if isinstance(primary.split, NoEstimate) or not primary.test.n:
        reason = primary.split.reason if isinstance(primary.split, NoEstimate) else "no unit is left to test on"
        return f"No test on later {units.many} could be held: {reason}."
    period, churned = _period(result, primary, primary.split), words.count(primary.test.n_churned)
    return f"Judged on {units.count(primary.test.n)} it had never seen, {period}, of which {churned} churned."


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


def group_scale(groups: tuple[GroupRow, ...]) -> Scale:
    """One scale for the AUCs of a table of groups."""
    return _scale_of([group.auc for group in groups])


def fact_scale(value: Estimate, reference: float | None) -> Scale:
    """A fact's own scale: its interval and the value to beat, with room on both sides."""
    spread = marks.scale_over((value.low, value.high), around=reference, margin=0.35)
    return Scale(spread.low, spread.high)


def _quiet(cautions: tuple[Caution, ...]) -> list[Caution]:
    return [caution for caution in cautions if not caution.loud]


def _loud(cautions: tuple[Caution, ...]) -> list[Caution]:
    return [caution for caution in cautions if caution.loud]


@cache
def _environment() -> Environment:
    """Templates with autoescape always on; an undefined name is an error."""
    environment = Environment(
        loader=PackageLoader("unspun.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.tests["estimate"] = lambda value: isinstance(value, Estimate)
    environment.tests["missing"] = lambda value: isinstance(value, NoEstimate)
    environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    environment.filters["sentence"] = words.sentence
    environment.filters["spaced"] = words.spaced
    environment.filters["loud"] = _loud
    environment.filters["quiet"] = _quiet
    environment.globals |= _vocabulary()
    return environment


def _vocabulary() -> dict[str, Any]:
    scales = {"group_scale": group_scale, "fact_scale": fact_scale, "MOST_GROUPS": MOST_GROUPS, "MOST_DETAILED": MOST_DETAILED}
    return {"words": words, "marks": marks, "charts": charts, "claims": claims, **scales}


@cache
def _style() -> str:
    """Tokens and report styles, with the font inside."""
    font = base64.b64encode((ASSETS / "inter-latin.woff2").read_bytes()).decode("ascii")
    tokens = (ASSETS / "tokens.css").read_text("utf-8").replace("inter-latin.woff2", f"data:font/woff2;base64,{font}")
    return tokens + (ASSETS / "report.css").read_text("utf-8")


@cache
def _script() -> str:
    return (ASSETS / "theme.js").read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """Only what is in the page may run or load."""
    own = f"style-src {_digest(style)}; script-src {_digest(script)}; font-src data:; img-src data:"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
