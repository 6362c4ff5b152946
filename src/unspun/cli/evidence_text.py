"""Evidence on a terminal: the headline, every subject by verdict, which say the same, what it would take, what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from unspun.cli import number_text as say
from unspun.cli.layout import CAUTION, QUIET, Column, Scale, heading, no_chart, paragraph, table, whisker
from unspun.cli.terminal import shorten, wrap
from unspun.cli.verdict_text import MARKS
from unspun.reports import evidence_claims as ec
from unspun.reports import words
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

if TYPE_CHECKING:
    from unspun.audit.evidence_result import EvidenceResult
    from unspun.audit.result import Verdict
    from unspun.reports.evidence_html import Proof

LONGEST_NAME = 32
MOST_WHOLE = 30  # subjects; with more, the longest verdicts are cut to MOST_OF_A_VERDICT unless all are asked for
MOST_OF_A_VERDICT = 10
MOST_GROUPS, MOST_NEEDED, MOST_CHANGES, MOST_NAMED = 8, 5, 10, 6
CHART_WIDTH = 17


@dataclass(frozen=True, slots=True)
class Shown:
    """What the terminal shows of a run. `whole`: every subject, however many they are."""

    result: EvidenceResult
    proof: Proof
    since: ec.Since | None
    seconds: float
    written: tuple[str, ...]
    whole: bool


def evidence_lines(shown: Shown, width: int) -> Iterator[Text]:
    """The whole summary, in lines of at most `width` cells."""
    result = shown.result
    rows = ec.ranked_rows(result)
    yield from (Text(line, style="bold") for line in wrap(words.sentence(ec.headline(result)), width))
    yield from paragraph(ec.judged_on(result.audit), width)
    yield from paragraph(_order(result), width, QUIET)
    yield from _by_verdict(rows, width, shown.whole)
    yield from _cautions(result, rows, width)
    yield from _groups(result, rows, width)
    yield from _needed(result, rows, width)
    yield from _changes(shown.since, rows, width)
    yield from _foot(shown, rows, width)


def _order(result: EvidenceResult) -> str:
    together = ec.families(result)
    return f"By verdict, then by gain. AUC and gain with 95 % intervals; the upright line is a coin. {together[:1].upper()}{together[1:]}"


def _by_verdict(rows: Sequence[ec.Row], width: int, whole: bool) -> Iterator[Text]:
    """One table, its rows under their verdicts."""
    scale = _scale(rows)
    columns = [Column("", flexible=True), Column("AUC"), Column("", spare=True), Column("gain"), Column("covered", right=True)]
    columns += [Column("group", right=True, spare=True), Column("along it", spare=True)]
    shown: list[tuple[Verdict, int, list[ec.Row]]] = [(verdict, n, _shown_of(rows, verdict, whole)) for verdict, n in ec.tally(rows)]
    head, *lines = table(columns, [_cells(row, scale) for _, _, some in shown for row in some], width)
    yield Text()
    yield head
    for verdict, n, some in shown:
        glyph, style = MARKS[verdict]
        yield Text(f"{glyph} {verdict}, {words.count(n)}", style=f"bold {style}")
        yield from lines[: len(some)]
        lines = lines[len(some) :]
        if n > len(some):
            yield from paragraph(f"and {words.count(n - len(some))} more: --detail all", width, QUIET)


def _shown_of(rows: Sequence[ec.Row], verdict: Verdict, whole: bool) -> list[ec.Row]:
    found = [row for row in rows if row.score.verdict == verdict]
    return found if whole or len(rows) <= MOST_WHOLE else found[:MOST_OF_A_VERDICT]


def _cells(row: ec.Row, scale: Scale) -> list[str | Text]:
    chart = whisker(row.auc, scale) if isinstance(row.auc, Estimate) else no_chart(scale)
    covered = "-" if row.covered is None else say.percent(row.covered)
    group = "" if row.one.group is None else str(row.one.group + 1)
    return [shorten(row.label, LONGEST_NAME), say.auc(row.auc), chart, say.gain(row.gain), covered, group, row.shape]


def _scale(rows: Sequence[ec.Row]) -> Scale:
    """One scale for all AUCs, with a coin in the middle."""
    held = [row.auc for row in rows if isinstance(row.auc, Estimate)]
    half = max([0.2, *(abs(end - 0.5) for auc in held for end in (auc.low, auc.high))])
    return Scale(0.5 - half, 0.5 + half, CHART_WIDTH, 0.5)


def _cautions(result: EvidenceResult, rows: Sequence[ec.Row], width: int) -> Iterator[Text]:
    """The loud ones: of all, and of subjects; what several have in common is said of the first, and the others are named."""
    of: dict[str, list[tuple[ec.Row, str]]] = {}
    for row in rows:
        for one in row.score.cautions:
            if one.loud:
                of.setdefault(one.code, []).append((row, row.worded(one.text)))
    loud = [one.text for one in result.audit.design.cautions if one.loud]
    for held in of.values():
        (first, text), *others = held
        also = f" The same is said of {_named([row.label for row, _ in others])}." if others else ""
        loud.append(f"{first.label}: {words.sentence(text)}{also}")
    if loud:
        yield Text()
    for text in loud:
        yield from paragraph(text, width, f"bold {CAUTION}", first="▲ ")


def _named(labels: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = len(labels) - MOST_NAMED
    return words.listed([*labels[:MOST_NAMED], f"{words.count(more)} more"] if more > 1 else list(labels))


def _groups(result: EvidenceResult, rows: Sequence[ec.Row], width: int) -> Iterator[Text]:
    if len(rows) < 2:
        return
    yield from heading(ec.agreement_claim(result), width)
    if isinstance(result.redundancy, NoEstimate):
        yield from paragraph(say.full_reason(result.redundancy), width, QUIET)
        return
    labels = {row.key: row.label for row in rows}
    for number, group in enumerate(result.redundancy.groups[:MOST_GROUPS], 1):
        others = _named([labels[key] for key in group.keys if key != group.representative])
        said = f"{labels[group.representative]} can stand for {others} (rank correlation {words.number(group.lowest_rho, 2)} at least)"
        yield from paragraph(said, width, indent=5, first=f"{number:>3}")
    if len(result.redundancy.groups) > MOST_GROUPS:
        yield from paragraph(f"and {words.count(len(result.redundancy.groups) - MOST_GROUPS)} more groups: --html shows them", width, QUIET)


def _needed(result: EvidenceResult, rows: Sequence[ec.Row], width: int) -> Iterator[Text]:
    found = ec.needed_rows(rows)
    if not found:
        return
    yield from heading(ec.needed_claim(rows, result.audit), width)
    for row, needed in found[:MOST_NEEDED]:
        yield from paragraph(f"{row.label}: {row.worded(needed.text)}", width, first="· ")
    if len(found) > MOST_NEEDED:
        yield from paragraph(f"and {words.count(len(found) - MOST_NEEDED)} more: --html or --json has them", width, QUIET)


def _changes(since: ec.Since | None, rows: Sequence[ec.Row], width: int) -> Iterator[Text]:
    """What is another than in the run before, and why."""
    if since is None:
        return
    labels = {row.key: row.label for row in rows}
    yield from heading(ec.changed_claim(since), width)
    yield from paragraph(since.told, width, QUIET)
    for one in since.shown[:MOST_CHANGES]:
        yield from paragraph(f"{labels.get(one.key, one.key)}: {_told(one)}", width, first="· ")
        yield from paragraph(" ".join(words.sentence(f"{why[:1].upper()}{why[1:]}") for why in one.because), width, QUIET, indent=4)
    if len(since.shown) > MOST_CHANGES:
        yield from paragraph(f"and {words.count(len(since.shown) - MOST_CHANGES)} more: --html shows them", width, QUIET)


def _told(change: ec.Change) -> str:
    """The verdict then and now, and the figures where both have them."""
    then, now = change.then, change.now
    if then is None or now is None:
        return f"new: {now.verdict}" if now is not None else f"gone; it was {then.verdict if then else 'not said'}"
    verdict = f"{now.verdict}, as before" if then.verdict == now.verdict else f"{now.verdict}; it was {then.verdict}"
    pairs = (("AUC", then.auc, now.auc), ("gain", then.gain, now.gain))
    return "; ".join([verdict, *(_was(name, old, new) for name, old, new in pairs if ec.is_moved(old, new))])


def _was(name: str, old: MaybeEstimate | None, new: MaybeEstimate | None) -> str:
    """A figure now and then; where only its interval moved, with its interval."""
    if not isinstance(old, Estimate) or not isinstance(new, Estimate):
        return f"{name} {'could be estimated then, and not now' if isinstance(old, Estimate) else 'could not be estimated then'}"
    style = ec.COMPARED[name]
    short = words.point(new, style), words.point(old, style)
    now, then = short if short[0] != short[1] else (words.estimated(new, style), words.estimated(old, style))
    return f"{name} {now}, was {then}"


def _foot(shown: Shown, rows: Sequence[ec.Row], width: int) -> Iterator[Text]:
    """What stands behind it, and where to look next."""
    design, proof = shown.result.audit.design, shown.proof
    yield Text()
    for key, why in proof.set_aside:
        yield from paragraph(f"not on trial: {key}: {why}", width, QUIET, first="· ")
    for note in proof.remarks:
        yield from paragraph(note, width, QUIET, first="· ")
    yield from paragraph(
        f"{words.count(design.n_renewals)} {design.vocabulary.events} of {words.count(design.n_accounts)} accounts, "
        f"{design.name} design, as of {words.day(design.as_of)}. Intervals are clustered by {design.clustered_by}.",
        width,
    )
    address = ec.address(proof.entry, rows[0].key, "auc")
    quoted = f"'{address}'" if " " in address else address
    yield from paragraph(f"Book version {proof.book_version}, entry {proof.entry} of the ledger; in {shown.seconds:,.1f} s.", width)
    yield from paragraph(f"To open a figure: unspun why {quoted}", width)
    for line in shown.written or ("A page for each of them: --html FOLDER; every number: --json FILE.",):
        yield from paragraph(line, width)
