"""`unspun scores`: declared, computed exactly, opened for one account, and kept under every definition."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.doors.book_files import Book
from tests.doors.cli_files import run
from tests.doors.metric_book import DAILY, EVEN, FORMULA, SILENT, copied

AS_OF = "2026-03-31"
SCORES = """\
scores:
  health:
    name: Health
    description: Use and trouble.
    groups:
      usage:
        weight: 60
        metrics:
          logins_28d: {weight: 2, points: {0: 0, 28: 100}}
          users_28d: {weight: 1, steps: {0: 0, 1: 50, 3: 100}}
      support:
        weight: 40
        metrics:
          open_tickets: {steps: {0: 100, 1: 70, 5: 0}}
          tier: {values: {Small: 50, Large: 100}}
    bands: {red: 0, yellow: 50, green: 70}
  seats_used:
    digits: 2
    metrics: {logins_per_seat: {points: {0: 0, 3: 100}}}
"""


@pytest.fixture(scope="module")
def book(loaded_company: Book, tmp_path_factory: pytest.TempPathFactory) -> Book:
    made = copied(loaded_company, tmp_path_factory.mktemp("scores"))
    (made.folder / "scores.yml").write_text(SCORES, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def computed(book: Book) -> tuple[dict[str, Any], list[dict[str, str]], Path]:
    """The answer, the rows of the file, and the file."""
    path = book.exports / "scores-of-march.csv"
    ran = book.run("scores", "compute", "--as-of", AS_OF, "--out", path, "--json")
    assert ran.code == 0, ran.err
    with path.open(newline="", encoding="utf-8") as file:
        return json.loads(ran.out), list(csv.DictReader(file)), path


def show(book: Book, account: str, *options: str) -> dict[str, Any]:
    ran = book.run("scores", "show", "health", "--account", account, "--as-of", AS_OF, "--json", *options)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_scores_are_what_can_be_worked_out_by_hand(computed: tuple[dict[str, Any], list[dict[str, str]], Path]) -> None:
    rows = {row["account_id"]: row for row in computed[1]}
    daily = rows[DAILY]  # 28 logins of three people, one open ticket, Large
    assert (daily["health"], daily["health__band"], daily["health__missing"]) == ("94.0", "green", "")
    assert [daily[f"health__{id}__contribution"] for id in ("logins_28d", "users_28d", "open_tickets", "tier")] == [
        "40.0",
        "20.0",
        "14.0",
        "20.0",
    ]
    assert daily["seats_used"] == "93.33"  # 2.8 logins a seat of 3
    even = rows[EVEN]  # 14 logins of one person, one open ticket, Small
    assert (even["health"], even["health__band"], even["health__logins_28d__points"]) == ("54.0", "yellow", "50.000000")
    silent = rows[SILENT]  # no events and no statement: a fifth of the weight is there
    assert (silent["health"], silent["health__missing"], float(silent["health__weight"])) == ("", "too_little_weight", 0.2)
    assert (silent["health__open_tickets__contribution"], silent["health__open_tickets__points"], silent["tier__missing"]) == (
        "",
        "100.000000",
        "not_stated",
    )
    gone = rows[f"'{FORMULA}"]  # a name that a spreadsheet would run
    assert (gone["health"], gone["health__missing"], gone["seats_used__missing"]) == ("", "after_churn", "after_churn")


def test_contributions_in_the_file_add_up_to_the_last_digit(book: Book, tmp_path: Path) -> None:
    ran = book.run("scores", "compute", "--every", "week", "--from", "2026-01-01", "--to", "2026-04-05", "--out", tmp_path / "s.parquet")
    assert ran.code == 0, ran.err
    rows = pq.read_table(tmp_path / "s.parquet").to_pylist()
    metrics = ("logins_28d", "users_28d", "open_tickets", "tier")
    scored = [row for row in rows if row["health"] is not None]
    assert len(scored) == 20
    for row in scored:
        parts = [row[f"health__{id}__contribution"] for id in metrics]
        assert sum((one for one in parts if one is not None), Decimal(0)) == row["health"]
        assert all((one is None) == (row[f"{id}__missing"] is not None) for one, id in zip(parts, metrics, strict=True))
    assert all((row["health"] is None) == (row["health__missing"] is not None) for row in rows)


def test_the_same_book_and_definition_give_the_same_bytes(
    book: Book, computed: tuple[dict[str, Any], list[dict[str, str]], Path], tmp_path: Path
) -> None:
    files = [computed[2], *(tmp_path / name for name in ("scores.csv", "one.parquet", "other.parquet"))]
    for file in files[1:]:
        assert book.run("scores", "compute", "--as-of", AS_OF, "--out", file).code == 0
    csv_one, csv_other, parquet_one, parquet_other = (file.read_bytes() for file in files)
    assert csv_one == csv_other
    assert parquet_one == parquet_other


def test_a_run_is_in_the_ledger_once_and_can_be_computed_again(
    book: Book, computed: tuple[dict[str, Any], list[dict[str, str]], Path]
) -> None:
    answer, rows, path = computed
    entry = answer["entry"].split(":")[0]
    again = book.run("recompute", entry)
    assert again.code == 0, again.err
    assert "same" in again.out
    assert (
        json.loads(book.run("scores", "compute", "--as-of", AS_OF, "--out", book.exports / "again.csv", "--json").out)["entry"]
        == answer["entry"]
    )
    manifest = json.loads(Path(f"{path}.manifest.json").read_text())
    assert (manifest["entry"], manifest["definition"]["text"]) == (answer["entry"], SCORES)
    assert {one["id"]: (one["values"], one["bands"], one["missing"], one["badge"]["verdict"]) for one in manifest["scores"]} == {
        "health": (2, {"red": 0, "yellow": 1, "green": 1}, {"after_churn": 1, "too_little_weight": 1}, "unvalidated"),
        "seats_used": (2, {}, {"after_churn": 1, "not_seen": 1}, "unvalidated"),
    }
    assert len(rows) == manifest["rows"] == 4


@pytest.mark.parametrize(
    ("figure", "accounts"),
    [
        ("health", [DAILY, EVEN]), ("health/band/green", [DAILY]), ("health/no-score/too_little_weight", [SILENT]),
        ("health-rows", [FORMULA, DAILY, EVEN, SILENT]),
    ],
)  # fmt: skip
def test_a_figure_of_a_run_opens_to_its_rows(
    book: Book, computed: tuple[dict[str, Any], list[dict[str, str]], Path], tmp_path: Path, figure: str, accounts: list[str]
) -> None:
    entry = computed[0]["entry"].split(":")[0]
    ran = book.run("why", f"{entry}/{figure}", "--rows", tmp_path / "rows.csv")
    assert ran.code == 0, ran.err
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        found = [row["account_id"].removeprefix("'") for row in csv.DictReader(file)]
    assert sorted(found) == sorted(accounts)


def test_the_page_of_an_account_says_what_it_is_what_is_missing_and_what_changed(book: Book) -> None:
    facts = show(book, EVEN)
    assert (facts["now"]["score"], facts["now"]["band"], facts["badge"]["verdict"]) == ("54.0", "yellow", "unvalidated")
    assert sum(Decimal(one["contribution"]) for one in facts["now"]["inputs"]) == Decimal("54.0")
    ran = book.run("scores", "show", "health", "--account", EVEN, "--as-of", AS_OF)
    assert f"Health of {EVEN} on {AS_OF}: 54.0 of 100, yellow" in ran.out
    assert "unvalidated" in ran.out
    assert "Most is lost on Logins (20.0 of 40.0)" in ran.out
    assert "28 days before: 60.0 of 100, yellow, so -6.0: open_tickets -6.0." in ran.out
    assert f"unspun metrics show logins_28d --account {EVEN} --as-of {AS_OF}" in ran.out


def test_what_is_missing_is_named_with_its_reason_and_gives_nothing(book: Book) -> None:
    facts = show(book, SILENT)
    assert (facts["now"]["score"], facts["now"]["reason"], facts["now"]["weight_present"]) == (None, "too_little_weight", "1/5")
    by_metric = {one["metric"]: one for one in facts["now"]["inputs"]}
    assert (by_metric["logins_28d"]["reason"], by_metric["logins_28d"]["weight"]) == ("not_seen", "0")
    assert by_metric["open_tickets"]["weight"] == "1"
    ran = book.run("scores", "show", "health", "--account", SILENT, "--as-of", AS_OF)
    assert "no score" in ran.out
    assert "20 %, and the least is 50 %" in " ".join(ran.out.split())
    assert "not_seen: the account had not appeared in this table by then" in " ".join(ran.out.split())


def test_nothing_to_compare_with_is_nothing_compared(book: Book) -> None:
    assert show(book, DAILY, "--before", "0")["before"] is None
    assert show(book, DAILY, "--before", "7")["before"]["as_of"] == "2026-03-24"


def test_the_formula_is_told_in_words_and_numbers(book: Book) -> None:
    ran = book.run("scores", "explain", "health")
    text = " ".join(ran.out.split())
    assert "Of the whole weigh: usage 60 %, support 40 %." in text
    assert "steps: 0 below 1, 50 from 1, 100 from 3" in text
    assert "Bands: red from 0, yellow from 50, green from 70." in text
    facts = json.loads(book.run("scores", "explain", "health", "--json").out)
    assert facts["weights"] == {"logins_28d": "2/5", "users_28d": "1/5", "open_tickets": "1/5", "tier": "1/5"}


def test_the_list_says_of_each_score_whether_it_has_a_track_record(book: Book) -> None:
    found = json.loads(book.run("scores", "list", "--json").out)
    assert [(one["id"], one["badge"]["verdict"], len(one["metrics"])) for one in found] == [
        ("health", "unvalidated", 4), ("seats_used", "unvalidated", 1),
    ]  # fmt: skip
    assert "unvalidated" in book.run("scores", "list").out


def test_no_line_is_wider_than_the_terminal(book: Book) -> None:
    for words in (
        ("list",),
        ("show", "health", "--account", EVEN),
        ("history", "health", "--account", EVEN),
        ("compute", "--as-of", AS_OF),
    ):
        ran = run("scores", *words, "--workspace", book.folder, COLUMNS="80")
        assert ran.code == 0, ran.err
        assert max(map(len, ran.out.splitlines())) <= 80, words


def test_another_definition_shows_both_curves(loaded_company: Book, tmp_path: Path) -> None:
    book = copied(loaded_company, tmp_path)
    scores, metrics = book.folder / "scores.yml", book.folder / "metrics.yml"
    scores.write_text(SCORES, encoding="utf-8")
    history = ("scores", "history", "health", "--account", EVEN, "--from", "2026-02-01", "--to", "2026-04-05")
    alone = json.loads(book.run(*history, "--json").out)
    assert [one["entry"] for one in alone["definitions"]] == [None]
    assert book.run("scores", "compute", "--as-of", AS_OF).code == 0
    scores.write_text(SCORES.replace("weight: 60", "weight: 360").replace("green: 70", "green: 60"), encoding="utf-8")
    changed = json.loads(book.run(*history, "--json").out)
    first, second = changed["definitions"]
    assert (first["entry"] is not None, second["entry"]) == (True, None)
    assert [one["score"] for one in first["values"]] == ["60.0", "54.0"]
    assert [one["score"] for one in second["values"]] == ["52.5", "51.0"]  # usage 50, support 75 then 60, nine to one
    assert book.run("scores", "compute", "--as-of", AS_OF).code == 0
    metrics.write_text(metrics.read_text().replace("window: 28d", "window: 14d", 1), encoding="utf-8")
    three = json.loads(book.run(*history, "--json").out)
    assert len(three["definitions"]) == 3, "another window of a metric is another score"
    assert [one["score"] for one in three["definitions"][2]["values"]] != [one["score"] for one in second["values"]]
    text = book.run(*history).out
    assert all(f"Entry {one['entry']}" in text for one in three["definitions"][:2])


def test_days_in_a_row_without_a_score_are_one_line_and_all_there_in_the_answer(book: Book) -> None:
    history = ("scores", "history", "health", "--account", SILENT, "--from", "2025-10-01", "--to", "2026-04-05")
    lines = [line.strip() for line in book.run(*history).out.splitlines()]
    assert "2025-10-31 to 2026-01-31 (4): no score, before_birth" in lines
    assert "2026-02-28 to 2026-03-31 (2): no score, too_little_weight" in lines
    (alone,) = json.loads(book.run(*history, "--json").out)["definitions"]
    assert [one["reason"] for one in alone["values"]] == ["before_birth"] * 4 + ["too_little_weight"] * 2


def test_faults_are_told_all_at_once_with_their_lines(loaded_company: Book, tmp_path: Path) -> None:
    book = copied(loaded_company, tmp_path)
    wrong = SCORES.replace("{Small: 50", "{0: 50").replace("logins_28d:", "login_28d:").replace("red: 0, yellow: 50", "red: 0, yellow: 80")
    (book.folder / "scores.yml").write_text(wrong, encoding="utf-8")
    ran = book.run("scores", "check")
    assert ran.code == 2
    assert "scores.yml:9: there is no metric 'login_28d'. Did you mean 'logins_28d'?" in ran.err
    assert "scores.yml:16: 'green' begins at 70, which is not above 'yellow' at 80." in ran.err
    assert book.run("scores", "compute").code == 2


def test_points_that_do_not_fit_the_values_of_the_book_are_faults(loaded_company: Book, tmp_path: Path) -> None:
    book = copied(loaded_company, tmp_path)
    wrong = SCORES.replace("{values: {Small: 50, Large: 100}}", "{points: {0: 0, 1: 100}}")
    wrong = wrong.replace("{steps: {0: 100, 1: 70, 5: 0}}", "{values: {few: 100}}")
    (book.folder / "scores.yml").write_text(wrong, encoding="utf-8")
    found = json.loads(book.run("scores", "check", "--json").out)
    assert [(one["where"], one["message"]) for one in found["faults"]] == [
        ("scores.yml:14", "'open_tickets' is a number."),
        ("scores.yml:15", "'tier' is text."),
    ]
    ran = book.run("scores", "show", "health", "--account", EVEN)
    assert ran.code == 2
    assert "scores.yml:15: 'tier' is text. Give its points with 'values'." in ran.err


def test_what_is_not_there_is_said_with_what_is_near(book: Book) -> None:
    assert "Did you mean 'health'?" in book.run("scores", "explain", "helth").err
    assert f"Did you mean '{EVEN}'?" in book.run("scores", "show", "health", "--account", "A2").err
    ran = book.run("scores", "compute", "--scores", "health,nope,none", "--as-of", AS_OF)
    assert ran.code == 2
    assert ran.err.count("there is no health score") == 2


def test_a_workspace_begins_with_an_example_and_no_score(loaded_company: Book, tmp_path: Path) -> None:
    book = copied(loaded_company, tmp_path)
    assert "# A worked example" in (book.folder / "scores.yml").read_text()
    assert "it declares no health score" in book.run("scores", "list").err
    (book.folder / "scores.yml").unlink()
    ran = book.run("scores", "list")
    assert (ran.code, "it declares no health score" in ran.err) == (2, True)


def test_the_schema_of_the_file_is_printed() -> None:
    assert "scores" in json.loads(run("schema", "scores").out)["properties"]
