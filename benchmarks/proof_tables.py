"""The tables of docs/proof-of-the-protocol.md, written from the study's results so that no number in them is typed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- tables: begin, written by protocol_study.py --table -->", "<!-- tables: end -->"
COVERED = (0.93, 0.97)
MOST_FALSE_FORETELLS, MOST_FALSE_REVERSED, MOST_FALSE_LEAKS, MOST_FALSE_RUNS = 0.033, 0.025, 0.01, 0.025
HOLDS, CLOSE, FALLS_SHORT = "holds", "too close to tell", "**falls short**"
HELD_AGAINST_TRUTH = ("coverage", "heavy")
Json = dict[str, Any]


def write_tables(results: Path, document: Path) -> None:
    """Replace what stands between the document's two marks."""
    text = document.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or END not in text:
        raise ValueError(f"{document} lacks the marks between which the tables stand")
    document.write_text(f"{before}{BEGIN}\n\n{tables(json.loads(results.read_text()))}\n\n{END}{after}")


def tables(results: Json) -> str:
    """All tables as Markdown."""
    sections = (_run, _claims, _verdicts, _coverage, _gain_coverage, _widths, _leaks, _many)
    return "\n\n".join(section(results) for section in sections)


def _run(results: Json) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    rows = [
        (cell["kind"], f"{cell['churned']:,}", f"{cell['companies']:,}", f"{cell['seconds'] / 60:.1f}", _population(cell["population"]))
        for cell in _cells(results)
    ]
    head = ("cell", "churned", "companies", "minutes", "population behind the true values")
    return f"Run on {results['date']}, protocol {results['protocol']}, seed {results['seed']}, {versions}.\n\n{_table(head, rows)}"


def _population(about: Json) -> str:
    return f"{about['units']:,} units, AUC ± {about['standard error of an auc']:.4f}" if about else ""


def _claims(results: Json) -> str:
    """Each claim of the protocol, by churned units, beside what was found."""
    rows = [(*claim, _size(cell), found, ruling) for cell in _cells(results) for claim, found, ruling in _judge(cell)]
    rows.sort(key=lambda row: row[:2])  # stable: sizes stay in order
    return "### Claims\n\n" + _table(("claim", "about", "churned", "found", ""), rows)


Judged = tuple[tuple[str, str], str, str]


def _judge(cell: Json) -> Iterator[Judged]:
    n, scores = cell["companies"], cell["scores"]
    if cell["kind"] in HELD_AGAINST_TRUTH:
        for noise in ("noise", "parent noise"):
            verdicts = scores[noise]["verdicts"]
            yield _rate("`foretells` in at most", noise, verdicts["foretells"], n, MOST_FALSE_FORETELLS)
            yield _rate("`reversed` in at most", noise, verdicts["reversed"], n, MOST_FALSE_REVERSED)
        for interval, name in (("auc", "AUC covered in 93 to 97 %"), ("gain", "gain covered in 93 to 97 %")):
            for score in ("noise", "parent noise", "redundant", "modest", "strong"):
                yield _covers(name, score, scores[score]["intervals"][interval])
    elif cell["kind"] == "recording":
        for how in ("noise, recorded late", "modest, recorded late", "noise, later where churned", "modest, later where churned"):
            yield _rate("honest scores called `leaks` in at most", how, scores[how]["verdicts"]["leaks"], n, MOST_FALSE_LEAKS)
    else:
        any_of = scores["noise"]["foretells"]["runs with any"]
        yield _rate("any of 20 noise scores `foretells` in at most", "noise", any_of, n, MOST_FALSE_RUNS)


def _rate(claim: str, about: str, count: int, n: int, most: float) -> Judged:
    """A rate falls short where it exceeds the claim by more than two Monte Carlo standard errors."""
    over = count / n - most
    ruling = HOLDS if over <= 0 else CLOSE if over <= 2 * _error(count / n, n) else FALLS_SHORT
    return (f"{claim} {100 * most:.1f} %", about), _share(count, n), ruling


def _covers(claim: str, about: str, interval: Json) -> Judged:
    """Of the intervals with width; where there are few, the claim can't be told."""
    n, held = interval["with width"], interval["hold the truth"]
    if not n:
        return (claim, about), "no interval with width", ""
    share = held / n
    outside = max(COVERED[0] - share, share - COVERED[1])
    ruling = HOLDS if outside <= 0 else CLOSE if outside <= 2 * _error(share, n) else FALLS_SHORT
    return (claim, about), f"{_share(held, n)} of {n:,}", ruling


def _verdicts(results: Json) -> str:
    cells = [cell for cell in _cells(results) if cell["kind"] in HELD_AGAINST_TRUTH]
    verdicts = [verdict for verdict in cells[0]["scores"]["noise"]["verdicts"] if verdict != "leaks"]
    rows = []
    for score in cells[0]["scores"]:
        for cell in cells:
            found, n = cell["scores"][score], cell["companies"]
            shares = [f"{100 * found['verdicts'][verdict] / n:.1f}" for verdict in verdicts]
            false = f"{100 * found['foretells, though the true gain is not above 0'] / n:.1f}"
            rows.append((score, _size(cell), *shares, false))
    head = ("score", "churned", *verdicts, "`foretells`, true gain ≤ 0")
    return "### Verdicts, % of companies\n\n" + _table(head, rows)


def _coverage(results: Json) -> str:
    def cells_of(found: Json) -> tuple[str, ...]:
        return tuple(_covered(found["intervals"][name]) for name in ("auc", "auc baseline", "auc both"))

    return "### Coverage of the AUC intervals, % of those given\n\n" + _by_score(results, ("the score", "B", "B + S"), cells_of)


def _gain_coverage(results: Json) -> str:
    def cells_of(found: Json) -> tuple[str, ...]:
        gain, free = found["intervals"]["gain"], found["intervals"]["gain, no floor"]
        sides = f"{gain['truth below']:,} / {gain['truth above']:,}"
        return f"{gain['given']:,}", f"{gain['points']:,}", _covered(gain), sides, _covered(free)

    head = (
        "given",
        "of them points",
        "coverage of the rest, %",
        "truth below / above",
        "coverage without the floor of 30 churned in training, %",
    )
    return "### Coverage of the gain intervals\n\n" + _by_score(results, head, cells_of)


def _widths(results: Json) -> str:
    def cells_of(found: Json) -> tuple[str, ...]:
        auc, gain = found["intervals"]["auc"], found["intervals"]["gain"]
        sizes = (found["medians"][name] for name in ("train churned", "test churned", "test churned clusters"))
        values = (auc["mean truth"], auc["median width"], gain["mean truth"], gain["median width"])
        return (*(f"{size:,.0f}" for size in sizes), *("" if value is None else f"{value:.3f}" for value in values))

    head = (
        "churned in training",
        "in test",
        "clusters in test",
        "true AUC",
        "median width",
        "mean true gain",
        "median width of those with width",
    )
    return "### True values and widths\n\n" + _by_score(results, head, cells_of)


def _by_score(results: Json, head: tuple[str, ...], cells_of: Callable[[Json], tuple[str, ...]]) -> str:
    cells = [cell for cell in _cells(results) if cell["kind"] in HELD_AGAINST_TRUTH]
    rows = [(score, _size(cell), *cells_of(cell["scores"][score])) for score in cells[0]["scores"] for cell in cells]
    return _table(("score", "churned", *head), rows)


def _leaks(results: Json) -> str:
    cells = [cell for cell in _cells(results) if cell["kind"] == "recording"]
    rows = [
        (
            how,
            f"{cell['churned']:,}",
            f"{cell['scores'][how]['medians']['edited']:,.0f}",
            _share(cell["scores"][how]["verdicts"]["leaks"], cell["companies"]),
        )
        for how in (cells[0]["scores"] if cells else ())
        for cell in cells
    ]
    return "### Leaks\n\n" + _table(("history", "churned", "churned units recorded after the outcome, median", "`leaks`"), rows)


def _many(results: Json) -> str:
    names = {
        "foretells": "`foretells`, as the protocol has it",
        "uncontrolled": "the same without false discovery control",
        "reversed": "`reversed`",
    }
    rows = []
    for cell in (cell for cell in _cells(results) if cell["kind"] == "many"):
        for name, label in names.items():
            found = cell["scores"]["noise"][name]
            rows.append((f"{cell['churned']:,}", label, _share(found["runs with any"], cell["companies"]), f"{found['a run']:.3f}"))
    return "### Twenty noise scores in one run\n\n" + _table(("churned", "verdict", "runs with any", "scores a run"), rows)


def _covered(interval: Json) -> str:
    """Coverage of the intervals with width, counts where they are few; bold where outside the claim by over two standard errors."""
    n, held = interval["with width"], interval["hold the truth"]
    if n < 100:
        return f"{held:,} of {n:,}" if n else ""
    text = f"{100 * held / n:.1f} ± {100 * _error(held / n, n):.1f}"
    return f"**{text}**" if _covers("", "", interval)[2] == FALLS_SHORT else text


def _share(count: int, n: int) -> str:
    return f"{100 * count / n:.1f} ± {100 * _error(count / n, n):.1f} %"


def _error(share: float, n: int) -> float:
    """Monte Carlo standard error of a share, never zero: half a count is added to both sides."""
    smooth = (share * n + 0.5) / (n + 1)
    return math.sqrt(smooth * (1 - smooth) / n)


def _size(cell: Json) -> str:
    return f"{cell['churned']:,}{', heavy' if cell['kind'] == 'heavy' else ''}"


def _cells(results: Json) -> list[Json]:
    kinds = ("coverage", "heavy", "recording", "many")
    return sorted(results["cells"], key=lambda cell: (kinds.index(cell["kind"]), cell["churned"]))


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
