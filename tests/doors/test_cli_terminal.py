"""The summary on a terminal: what stands where, for results of every kind, and how a real terminal is treated."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from rich.cells import cell_len

from tests.doors.cli_files import COMMAND, QUIET_TERMINAL, write_company
from tests.unit.reports import sample
from unspun.audit.result import VERDICTS, AuditResult, Caution, GamingCheck, HorizonResult
from unspun.cli.layout import Column, Scale, table, whisker
from unspun.cli.terminal import clean, shorten, wrap
from unspun.cli.verdict_text import audit_lines, verdict_lines
from unspun.stats.estimate import Estimate, NoEstimate

LONG_NAME = "顧客健全度スコア" * 20


def shown(result: AuditResult, width: int = 80, every_score: bool = False) -> list[str]:
    return [line.plain for line in audit_lines(result, width, every_score)]


def text_of(lines: list[str]) -> str:
    """The words with single spaces, so that a wrapped sentence can be looked for."""
    return " ".join(" ".join(lines).split())


def test_every_verdict_has_a_glyph_of_its_own_and_comes_first() -> None:
    firsts = [shown(sample.result(sample.score(verdict=verdict)))[0] for verdict in VERDICTS]
    assert len({line[0] for line in firsts}) == len(VERDICTS)
    assert [line[2:].split("   ")[0] for line in firsts] == list(VERDICTS)


@pytest.mark.parametrize("width", [80, 97, 120])
@pytest.mark.parametrize("make", [sample.one_score, sample.three_scores, sample.nothing_estimated])
def test_no_line_is_wider_than_the_terminal(make, width: int) -> None:
    result = make()
    long = replace(result, scores=tuple(replace(score, name=f"{LONG_NAME}{i}") for i, score in enumerate(result.scores)))
    for one in (result, long):
        widest = max(shown(one, width, every_score=True), key=cell_len)
        assert cell_len(widest) <= width, widest


def test_where_there_is_no_estimate_the_reason_and_what_it_would_take_are_shown() -> None:
    lines = shown(sample.result(sample.blank_score()))
    text = text_of(lines)
    assert sample.NOTHING.reason in text
    assert sample.NOTHING.what_it_would_take in text
    assert "no estimate" in text
    assert "What it would take to tell" in lines
    assert "nan" not in text.lower()


def test_one_reason_for_many_gaps_is_not_repeated_for_each() -> None:
    text = text_of(shown(sample.result(sample.blank_score())))
    assert text.count(sample.NOTHING.reason) <= 4


def test_loud_cautions_stand_before_the_first_table_and_the_others_near_the_end() -> None:
    loud, quiet = Caution("too_good", "Too good to be so.", True), Caution("stale", "Somewhat stale.")
    score = replace(sample.score(), cautions=(quiet, loud))
    lines = shown(sample.result(score))
    text = "\n".join(lines)
    assert text.index(loud.text) < text.index("tested  churned") < text.index(quiet.text)
    assert any(line.startswith("▲ ") and loud.text in line for line in lines)
    assert verdict_lines(sample.result(score))[0].plain.endswith("(caution: too_good)")


def test_rows_read_are_rows_used_and_rows_set_aside_by_reason() -> None:
    text = text_of(shown(sample.one_score()))
    for file in sample.one_score().inputs:
        assert f"{file.rows_read:,} rows read = {file.rows_used:,} used + {file.rows_read - file.rows_used:,} set aside" in text
        assert all(f"{aside.n:,} {aside.reason}" in text for aside in file.set_aside)


def test_the_landmark_design_speaks_of_account_months() -> None:
    text = text_of(shown(sample.result(design_name="landmark")))
    assert "account-months" in text
    assert "before the renewal date" not in text


def test_more_than_three_scores_are_a_table_until_all_are_asked_for() -> None:
    result = sample.result(*(sample.score(f"score {i}") for i in range(4)))
    table_only, everything = shown(result), shown(result, every_score=True)
    assert all(any(f"score {i}" in line for line in table_only) for i in range(4))
    assert not any("tested  churned" in line for line in table_only)
    assert "--detail all" in text_of(table_only)
    assert sum("tested  churned" in line for line in everything) == 4


def test_the_deciding_horizon_is_marked() -> None:
    lines = shown(sample.one_score())
    assert len([line for line in lines if re.match(r" +\*90 ", line)]) == 2
    assert not [line for line in lines if re.match(r" +\*(30|60|180) ", line)]


def test_a_horizon_without_a_test_auc_leaves_its_row_and_no_dot() -> None:
    def without(horizon: HorizonResult) -> HorizonResult:
        return replace(horizon, test=replace(horizon.test, auc=sample.NOTHING)) if horizon.horizon_days == 30 else horizon

    score = sample.score()
    lines = shown(sample.result(replace(score, horizons=tuple(without(h) for h in score.horizons))))
    row = next(line for line in lines if line.split()[:1] == ["30"])
    assert "no estimate" in row
    assert not set(row) & {"●", "○"}


@pytest.mark.parametrize(
    ("low", "high", "point", "dot"), [(0.52, 0.62, 0.57, "●"), (0.48, 0.58, 0.53, "○"), (0.38, 0.48, 0.43, "●"), (0.5, 0.6, 0.55, "○")]
)
def test_a_dot_is_hollow_where_the_interval_holds_the_reference(low: float, high: float, point: float, dot: str) -> None:
    drawn = whisker(Estimate(point, low, high, "", 9), Scale(0.3, 0.7, 41, 0.5)).plain
    assert drawn[round((point - 0.3) * 100)] == dot
    assert drawn.rstrip() == drawn[: max(round((high - 0.3) * 100), 20) + 1]
    assert len(drawn) - len(drawn.lstrip()) == min(round((low - 0.3) * 100), 20)


def test_a_table_drops_its_spare_column_before_it_cuts_a_name() -> None:
    columns = [Column("name", flexible=True), Column("spare", spare=True), Column("n", right=True)]
    wide, narrow, narrower = (table(columns, [["a" * 20, "b" * 20, "1"]], width)[1].plain for width in (60, 40, 20))
    assert "a" * 20 in wide
    assert "b" * 20 in wide
    assert "a" * 20 in narrow
    assert "b" not in narrow
    assert narrower.rstrip().endswith("1")
    assert "…" in narrower
    assert len(narrower) <= 20


@pytest.mark.parametrize("width", [10, 23, 80])
def test_wrapping_loses_no_word_and_exceeds_no_width(width: int) -> None:
    text = f"plain words, {'x' * 100} and {LONG_NAME} 0.62\u00a0(0.57\u2060–\u20600.67) 40 % in all"  # noqa: RUF001
    lines = wrap(text, width)
    assert max(map(cell_len, lines)) <= width
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"[\s\u2060]", "", text)
    if width > 20:
        assert any("0.62\u00a0(0.57–0.67)" in line for line in lines)  # noqa: RUF001
        assert any("40\u00a0%" in line for line in lines)


@pytest.mark.parametrize("letter", ["\x1b", "\x07", "\r", "\n", "\x9b", "\u202e", "\ud800"])
def test_no_character_that_steers_a_terminal_is_left(letter: str) -> None:
    assert clean(f"a{letter}b") == "a\ufffdb"
    assert letter not in shorten(f"a{letter}b" * 50, 20)


def in_terminal(command: list[str], environment: dict[str, str]) -> str:
    """What a command sends to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    unset = {*QUIET_TERMINAL, "CI"}
    env = {name: value for name, value in os.environ.items() if name not in unset} | {
        "TERM": "xterm-256color",
        "COLUMNS": "80",
        **environment,
    }
    running = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    sent = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        sent += part
    running.wait(60)
    os.close(ours)
    return sent.decode()


def test_a_terminal_gets_colour_unless_it_asked_for_none(tmp_path: Path) -> None:
    command = [*COMMAND, "audit", *map(str, write_company(tmp_path))]
    colours = re.compile(r"\x1b\[[0-9;]*3[1-6]m")
    assert colours.search(in_terminal(command, {}))
    assert not colours.search(in_terminal(command, {"NO_COLOR": "1"}))


def test_a_progress_bar_appears_after_a_second_and_not_before() -> None:
    program = "import sys, time\nfrom unspun.cli.progress import show_progress\n"
    program += (
        "with show_progress() as report:\n    report('reading', 1, 2)\n    time.sleep(float(sys.argv[1]))\n    report('judging', 2, 2)\n"
    )
    assert in_terminal([sys.executable, "-c", program, "0.1"], {}) == ""
    slow = in_terminal([sys.executable, "-c", program, "1.6"], {})
    assert "reading" in slow
    assert "judging" in slow
    piped = subprocess.run([sys.executable, "-c", program, "1.2"], capture_output=True, check=True)
    assert (piped.stdout, piped.stderr) == (b"", b"")


def test_no_part_of_a_described_score_is_hidden_by_a_gap_in_another() -> None:
    score = sample.score()
    assert not isinstance(score.description, NoEstimate)
    gap = replace(score, description=replace(score.description, bands=NoEstimate("no band was given")))
    text = text_of(shown(sample.result(gap)))
    assert "Bands: no band was given." in text
    assert "Halden Logistics" in text


def test_signs_of_steering_are_told_in_full_and_the_other_checks_by_name() -> None:
    questions = {"evidence": "Are values lifted?", "none seen": "Are values raised late?", "cannot tell": "Are values back-dated?"}
    unknown = NoEstimate("nothing says when", "a column with the day of recording")

    def check(code: Literal["bunching", "period_end", "back_dated"], found: Literal["evidence", "none seen", "cannot tell"]) -> GamingCheck:
        rate, statistic = (
            sample.estimate(0.01, 0.0, 0.02),
            unknown if found == "cannot tell" else sample.estimate(1.5, 1.2, 1.8),
        )
        return GamingCheck(code, questions[found], found, f"Seen: {code}.", "", statistic, None, 100, (), (), (), rate)

    steered = replace(
        sample.score(), gaming=(check("bunching", "evidence"), check("period_end", "none seen"), check("back_dated", "cannot tell"))
    )
    lines = shown(sample.result(steered))
    text = text_of(lines)
    assert "▲ Are values lifted? Seen: bunching. Honest scores look so in 1.0 % of simulations." in text
    assert "· No sign of raising at the ends of periods." in lines
    assert "◇ Cannot tell: back-dating (it would take a column with the day of recording)." in lines
    assert not any(question in text for found, question in questions.items() if found != "evidence")


@pytest.mark.parametrize("money", ["ARR", "yearly spend", "money of an uncommonly long name"])
def test_the_axis_of_a_chart_ends_where_its_bars_end(money: str) -> None:
    result = sample.one_score()
    result = replace(result, design=replace(result.design, vocabulary=replace(result.design.vocabulary, money=money)))
    lines = shown(result)
    axis = next(i for i, line in enumerate(lines) if line.startswith("  chosen by"))
    assert max(map(cell_len, lines[axis : axis + 5])) <= 80
    assert cell_len(Scale(0.0, 0.4, 40).axis((0.0, 0.2, 0.4), ".0%")) == 40
    assert cell_len(lines[axis].rstrip()) >= max(cell_len(line.rstrip()) for line in lines[axis + 1 : axis + 5])
