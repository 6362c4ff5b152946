"""Performance as one self-contained page: whether groups can be told apart, the funnel, every group with its interval, the proof."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Sequence

from markupsafe import Markup

from unspun.reports import marks, performance_charts, performance_claims
from unspun.reports.audit_html import environment, page_policy, page_style, read_asset, with_roles
from unspun.reports.marks import Scale
from unspun.reports.performance_json import groups_csv
from unspun.reports.proof import Proof
from unspun.reports.within import FILE, Within
from unspun.risk.performance.result import GROUP_VERDICTS, Comparison, GroupPerformance, PerformanceResult
from unspun.stats.estimate import Estimate

MOST_GROUPS = 25  # of a table; the rest open on demand


def render_performance(result: PerformanceResult, proof: Proof, within: Within = FILE) -> str:
    """The whole page as HTML text, to be written in UTF-8; the same result gives the same text."""
    style, script = page_style() + read_asset("performance.css"), read_asset("theme.js")
    context = {
        "result": result,
        "proof": proof,
        "pc": performance_claims,
        "pcharts": performance_charts,
        "verdicts": GROUP_VERDICTS,
        "first_groups": first_groups,
        "effect_scale": effect_scale,
        "csv": base64.b64encode(groups_csv(result).encode()).decode("ascii"),
        "quoted": shlex.quote,
        "style": Markup(style),
        "script": Markup(script),
        "policy": page_policy(style, script),
        "paper": False,
        "within": within,
    }
    return with_roles(environment().get_template("performance.html.j2").render(context).rstrip() + "\n")


def first_groups(comparison: Comparison) -> tuple[list[GroupPerformance], list[GroupPerformance]]:
    """The groups that stand in the table at once, those that can be told among them; and the rest."""
    told = [one for one in comparison.groups if one.verdict != "cannot tell"]
    others = [one for one in comparison.groups if one.verdict == "cannot tell"]
    room = max(0, MOST_GROUPS - len(told))
    return [*told, *others[:room]], others[room:]


def effect_scale(groups: Sequence[GroupPerformance]) -> Scale:
    """One scale for the differences of a table."""
    ends = [end for one in groups if isinstance(one.effect, Estimate) for end in (one.effect.low, one.effect.high)]
    around = marks.scale_over(ends, around=0.0, margin=0.02)
    return Scale(around.low, around.high, 3, 97)
