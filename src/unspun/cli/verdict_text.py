"""An audit on a terminal: the verdict first, what it rests on, and then the detail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest

from rich.text import Text

from unspun.audit.result import AuditResult, Caution, DesignReport, Fact, InputReport, ScoreResult, Verdict
from unspun.cli import number_text as say
from unspun.cli import sections
from unspun.cli.layout import BASE, CAUTION, CHURN, INDENT, QUIET, RENEW, SCORE, Column, Scale, heading, paragraph, table, whisker
from unspun.cli.terminal import clean, pad, shorten, wrap
from unspun.reports import claims, words
from unspun.stats.estimate import Estimate, MaybeEstimate

DETAILED_SCORES = 3  # with more, only the table, unless all are asked for
WIDEST_TEXT = 100
LONGEST_NAME = 40
FACT_WIDTH = 28

# A glyph of its own for each word, for those who see no colour.
MARKS: dict[Verdict, tuple[str, str]] = {
    "foretells": ("●", RENEW),
    "foretells, gain unproven": ("◐", SCORE),
    "foretells, adds nothing": ("⊖", BASE),
    "no evidence": ("□", BASE),
    "reversed": ("▼", CHURN),
    "leaks": ("⊗", CHURN),
    "cannot tell": ("◇", CAUTION),
}
_FACT_WORDS: dict[str, Callable[[MaybeEstimate], str]] = {
    "auc": say.auc,
    "gain": say.gain,
    "share": say.share,
}


def verdict_lines(result: AuditResult) -> list[Text]:
    """One line a score, for `--quiet`: `name: verdict`, with the codes of loud cautions."""
    shared = result.design.cautions
    return [Text(f"{clean(score.name)}: {score.verdict}{_loud_codes((*score.cautions, *shared))}") for score in result.scores]


def audit_lines(result: AuditResult, width: int, every_score: bool = False) -> list[Text]:
    """The whole summary, in lines of at most `width` cells."""
    width = min(width, WIDEST_TEXT)
    lines = [*_summary(result, width)] if len(result.scores) > 1 else []
    for score in detailed_scores(result, every_score):
        lines += [Text(), Text("─" * width, style=QUIET)] if lines else []
        lines += _score(score, result, width)
    return lines + _design(result.design, width) + _inputs(result.inputs, width)


def detailed_scores(result: AuditResult, every_score: bool) -> Sequence[ScoreResult]:
    return result.scores if every_score or len(result.scores) <= DETAILED_SCORES else ()


def _score(score: ScoreResult, result: AuditResult, width: int) -> list[Text]:
    design = result.design
    cautions = score.cautions if len(result.scores) > 1 else (*score.cautions, *design.cautions)
    lines = _verdict(score, design, width)
    lines += [line for fact in score.facts for line in _fact(fact, width)]
    lines += _caution_block(cautions, True, width) + _needed(score, width)
    lines += sections.ranking(score, design, width)
    v = design.vocabulary
    lines += sections.beside(score, v, width) + sections.calibration(score, v, width) + sections.captured_arr(score, v, width)
    lines += sections.described(score, design, width) + sections.gaming(score, width)
    return lines + sections.not_worked_out(score, width) + _caution_block(cautions, False, width)


def _verdict(score: ScoreResult, design: DesignReport, width: int) -> list[Text]:
    glyph, style = MARKS[score.verdict]
    title = Text.assemble((f"{glyph} {score.verdict}", f"bold {style}"), (f"   {clean(score.name)}", "bold"))
    where = f", {_when(design)}"
    if title.cell_len + len(where) <= width:
        title.append(where, style=QUIET)
    title.truncate(width, overflow="ellipsis")
    return [title, *paragraph(score.sentence, width), *paragraph(f"Because {score.verdict_why}.", width, QUIET), Text()]


def _fact(fact: Fact, width: int) -> list[Text]:
    """On the left the figure over a small chart, on the right what it is."""
    scale = _fact_scale(fact)
    left = [Text(pad(_FACT_WORDS[fact.unit](fact.value), FACT_WIDTH), style="bold")]
    left += [whisker(fact.value, scale)] if isinstance(fact.value, Estimate) else []
    room = width - INDENT - FACT_WIDTH
    right = [Text(line) for line in wrap(fact.label, room)] + [Text(line, style=QUIET) for line in wrap(fact.text, room) if line]
    blank = Text(" " * FACT_WIDTH)
    pairs = zip_longest(left, right, fillvalue=blank)
    return [Text.assemble(" " * INDENT, one.copy().append(" " * (FACT_WIDTH - one.cell_len)), other) for one, other in pairs]


def _fact_scale(fact: Fact) -> Scale:
    """The usual scale of such a figure, widened evenly about its middle where the interval runs over."""
    low, high = {"auc": (0.3, 0.7), "gain": (-0.1, 0.1), "share": (0.0, 1.0)}[fact.unit]
    middle, half = (low + high) / 2, (high - low) / 2
    if isinstance(fact.value, Estimate):
        half = max(half, abs(fact.value.low - middle), abs(fact.value.high - middle))
    return Scale(middle - half, middle + half, width=FACT_WIDTH - 3, reference=fact.reference)


def _summary(result: AuditResult, width: int) -> list[Text]:
    """One row a score: its verdict, AUC and gain on the test at the horizon that decides."""
    note = f"AUC and gain over the baseline on the test, with 95 % intervals; {_when(result.design)}"
    lines = [*(Text(line, style="bold") for line in wrap(claims.claim_of_all(result), width)), *paragraph(note, width, QUIET)]
    lines += _score_rows(result.scores, width)
    lines += paragraph(f"The false discovery rate over {result.n_tested} tested scores is held at {result.fdr_q:.3g}.", width, QUIET)
    if len(result.scores) > DETAILED_SCORES:
        lines += paragraph("Each of them in full: --detail all.", width, QUIET)
    loud = [Caution(c.code, f"{score.name}: {c.text}", True) for score in result.scores for c in score.cautions if c.loud]
    return lines + _caution_block((*loud, *result.design.cautions), True, width) + _caution_block(result.design.cautions, False, width)


def _score_rows(scores: Sequence[ScoreResult], width: int) -> list[Text]:
    """A line a score; two where names and figures do not fit beside each other."""
    columns = [Column("score"), Column("verdict"), Column("AUC"), Column("gain")]
    rows = [[Text(shorten(score.name, LONGEST_NAME)), _word(score), *_test_figures(score)] for score in scores]
    lines = table(columns, rows, width)
    if max(line.cell_len for line in lines) <= width:
        return lines
    stacked: list[Text] = []
    for name, word, auc, gain in rows:
        stacked += [Text.assemble("  ", word, "   ", (str(name), "bold")), Text(clean(f"      AUC {auc}   gain {gain}"))]
    return stacked


def _when(design: DesignReport) -> str:
    return f"{design.primary_horizon_days} days {words.units_of(design).lead}"


def _word(score: ScoreResult) -> Text:
    glyph, style = MARKS[score.verdict]
    return Text(f"{glyph} {score.verdict}", style=style)


def _test_figures(score: ScoreResult) -> tuple[str, str]:
    test = score.primary.test
    return say.auc(test.auc), say.gain(test.gain)


def _caution_block(cautions: Sequence[Caution], loud: bool, width: int) -> list[Text]:
    chosen = [caution for caution in cautions if caution.loud == loud]
    lines = [Text()] if chosen and loud else heading("Also know", width) if chosen else []
    for caution in chosen:
        lines += paragraph(caution.text, width, f"bold {CAUTION}" if loud else "", first="▲ " if loud else "· ")
    return lines


def _needed(score: ScoreResult, width: int) -> list[Text]:
    if score.needed is None:
        return []
    return heading("What it would take to tell", width) + paragraph(score.needed.text, width)


def _design(design: DesignReport, width: int) -> list[Text]:
    """How the audit was laid out, in a paragraph."""
    outcomes = ", ".join(f"{words.count(n)} {name}" for name, n in design.outcomes)
    lines = heading(f"{design.name.capitalize()} design, as of {words.day(design.as_of)}", width)
    texts = (
        f"Design: {design.why}. As of: {design.as_of_why}. Primary horizon {design.primary_horizon_days} days: {design.primary_why}.",
        f"{words.count(design.n_renewals)} {design.vocabulary.events} of {words.count(design.n_accounts)} accounts, "
        f"{words.day(design.first_due)} to "
        f"{words.day(design.last_due)}: {outcomes}. Intervals are clustered by "
        f"{design.clustered_by} ({words.count(design.n_clusters)}).",
    )
    return lines + [line for text in texts for line in paragraph(text, width)]


def _inputs(inputs: Sequence[InputReport], width: int) -> list[Text]:
    """Rows read = rows used + rows set aside, by file."""
    lines = heading(claims.rows_claim(tuple(inputs)), width)
    for file in inputs:
        lines += paragraph(f"{file.name}: {words.count(file.rows_read)} rows read = {_account(file)}", width)
        reasons = "; ".join(f"{words.count(aside.n)} {aside.reason}" for aside in file.set_aside)
        lines += paragraph(f"set aside: {reasons}", width, QUIET, indent=4) if reasons else []
    return lines


def _account(file: InputReport) -> str:
    return f"{words.count(file.rows_used)} used + {words.count(file.rows_read - file.rows_used)} set aside"


def _loud_codes(cautions: Sequence[Caution]) -> str:
    codes = [caution.code for caution in cautions if caution.loud]
    return f" (caution: {', '.join(codes)})" if codes else ""
