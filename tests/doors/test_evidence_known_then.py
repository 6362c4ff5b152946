"""What a trial reads of a book is what was known by the end of the as-of day there: renewals, scores, statements, forecasts, rates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.doors.book_files import Book
from tests.doors.cli_files import run
from tests.doors.metric_book import copied
from tests.unit.connectors.servers import shared_server
from unspun.app.evidence.inputs import EvidenceRequest, OpenTrial, TrialBasis, basis_of_trial, lay_out, opened_trial
from unspun.app.evidence.run import judge_evidence
from unspun.app.trial.book import TrialDay, read_renewals, read_statements
from unspun.app.trial.scores import RecordedScore, read_forecasts, read_score
from unspun.app.trial.subjects import workspace_definitions
from unspun.app.workspace import open_workspace
from unspun.audit.protocol import AuditSettings
from unspun.book.extras import Forecasts
from unspun.book.tables import OUTCOMES, UNDECIDED, Renewals
from unspun.book.text import Complaint
from unspun.errors import BadInput

ZONE = "America/Los_Angeles"
BOOK = f"""\
time_zone: {ZONE}
currency: USD
sources:
  - files: "accounts*.csv"
    table: accounts
    columns: {{account_id: id, dated: at, segment: tier, parent_id: parent}}
  - files: "owners*.csv"
    table: accounts
    columns: {{account_id: id, owner: csm}}
  - files: "renewals*.csv"
    table: renewals
    columns:
      {{account_id: id, due: due, outcome: outcome, decided: decided, known_at: told, amount_before: arr, currency: cur, term_start: from}}
  - files: "rates*.csv"
    table: rates
    columns: {{currency: of, into: into, day: day, rate: rate}}
  - files: "scores*.csv"
    table: scores
    columns: {{account_id: id, dated: at, known_at: told, score: name, value: value, band: band}}
  - files: "forecasts*.csv"
    table: forecasts
    columns: {{account_id: id, due: due, made: at, made_by: who, call: call}}
"""
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    made = Book(tmp_path_factory.mktemp("known"))
    assert run("init", made.folder).code == 0
    (made.folder / "book.yml").write_text(BOOK, encoding="utf-8")
    rows = {
        "accounts.csv": ["id,at,tier,parent", "A,2024-01-01,Small,P", "A,2025-05-01,Large,", "B,2024-01-01,Small,P"],
        "owners.csv": ["id,csm", "A,Kim", "B,Lee"],
        "renewals-1.csv": [
            "id,due,outcome,decided,told,arr,from,cur",
            "A,2025-03-01,renewed,2025-02-20 22:30,2025-02-20 22:30,100,2024-03-01,USD",
            "B,2025-03-01,renewed,2025-02-01 09:00,2025-02-01 09:00,200,2024-03-01,EUR",
        ],
        "renewals-2.csv": [
            "id,due,outcome,decided,told,arr,from,cur",
            "B,2025-03-01,churned,2025-02-01 09:00,2025-06-15 09:00,250,2024-03-01,EUR",
        ],
        "rates.csv": [
            "of,into,day,rate",
            "EUR,USD,2025-01-01,1.1",
            "EUR,USD,2025-05-01,1.2",
            "EUR,CHF,2025-05-02,0.9",
            "GBP,USD,2025-01-01,1.3",
        ],
        "scores.csv": [
            "id,at,told,name,value,band",
            "A,2025-01-10 23:30,2025-01-10 23:30,Pulse,70,",
            "A,2025-01-10 23:30,2025-03-05 23:30,Pulse,20,",
            "A,2025-01-10,2025-01-10,Colour,,green",
            "B,2025-01-10,2025-01-10,Colour,,red",
            "B,2025-01-10,2025-01-10,Odd,,purple-ish",
        ],
        "forecasts.csv": [
            "id,due,at,who,call",
            "A,2025-03-01,2025-01-15 23:00,Kim,Commit",
            "B,2025-03-01,2025-01-16,Kim,Pipeline",
            "B,2025-03-01,2025-07-01,Kim,Omitted",
            "B,2025-03-01,2025-01-16,Lee,who knows",
        ],
    }
    later = "renewals-2.csv"
    for names in ([name for name in rows if name != later], [later]):
        loaded = made.load(*(made.export(name, rows[name]) for name in names))
        assert loaded.code == 0, loaded.err
    return made


@contextmanager
def opened(book: Book, as_of: date) -> Iterator[tuple[OpenTrial, TrialBasis]]:
    workspace = open_workspace(book.folder)
    request = EvidenceRequest(("score/Pulse",), AuditSettings(), as_of=as_of)
    definitions = workspace_definitions(workspace)
    with opened_trial(workspace, request, definitions.metrics, NOW, lambda *_: None) as trial:
        yield trial, basis_of_trial(workspace, request, definitions, trial, NOW)[0]


def renewals(book: Book, as_of: date) -> Renewals:
    with opened(book, as_of) as (trial, basis), trial.known(basis.day) as known:
        return read_renewals(trial.reader, known, basis.panel, basis.day)


def told(found: Renewals, account: str) -> tuple[str, str, float]:
    at = int(np.flatnonzero(found.account.codes == found.account.names.index(account))[0])
    assert found.amount_before is not None
    assert found.outcome_known is not None
    outcome = "undecided" if found.outcome[at] == UNDECIDED else OUTCOMES[found.outcome[at]]
    return outcome, str(found.outcome_known[at]), float(found.amount_before[at])


def test_a_renewal_that_was_corrected_is_as_it_was_known_then(book: Book) -> None:
    assert told(renewals(book, date(2025, 6, 14)), "B") == ("renewed", "2025-02-01", 200)
    assert told(renewals(book, date(2025, 6, 15)), "B") == ("churned", "2025-02-01", 250)


def test_an_outcome_told_in_the_evening_is_known_on_that_day_and_one_told_later_is_open(book: Book) -> None:
    assert told(renewals(book, date(2025, 2, 20)), "A") == ("renewed", "2025-02-20", 100)
    before = renewals(book, date(2025, 2, 19))
    assert told(before, "A")[0] == "undecided", "there, and not decided"
    assert len(before.row) == 2


def test_a_score_has_all_that_was_recorded_by_then_each_on_the_day_of_the_book(book: Book) -> None:
    with opened(book, date(2025, 3, 5)) as (trial, basis):
        score = read_score(trial.reader, "Pulse", basis.day)
        earlier = read_score(trial.reader, "Pulse", TrialDay(date(2025, 3, 4), ZONE))
    assert isinstance(score, RecordedScore)
    assert isinstance(earlier, RecordedScore)
    assert score.dated.astype("datetime64[D]").astype(str).tolist() == ["2025-01-10", "2025-01-10"]
    assert score.recorded.astype("datetime64[D]").astype(str).tolist() == ["NaT", "2025-03-05"]
    assert (score.values.tolist(), earlier.values.tolist()) == ([70.0, 20.0], [70.0])


def test_bands_are_ranked_by_a_scale_that_everyone_knows_or_not_at_all(book: Book) -> None:
    with opened(book, date(2025, 6, 30)) as (trial, basis):
        colour, odd = (read_score(trial.reader, name, basis.day) for name in ("Colour", "Odd"))
    assert isinstance(colour, RecordedScore)
    assert (colour.values.tolist(), colour.bands) == ([1.0, 0.0], ("red", "green"))
    assert isinstance(odd, Complaint)


def test_calls_are_ranked_by_one_scale_and_those_made_later_are_not_read(book: Book) -> None:
    with opened(book, date(2025, 6, 30)) as (trial, basis):
        kim, lee = (read_forecasts(trial.reader, name, basis.day) for name in ("Kim", "Lee"))
    assert isinstance(kim, Forecasts)
    assert (kim.value.tolist(), kim.calls) == ([1.0, 0.0], ("Pipeline", "Commit"))
    assert str(kim.made[0])[:10] == "2025-01-15"
    assert isinstance(lee, Complaint)


def test_undated_statements_are_of_their_receipt_but_who_belongs_together_is_told_at_any_time(book: Book) -> None:
    with opened(book, date(2025, 6, 30)) as (trial, basis):
        found = read_statements(trial.reader, basis.day)
    segment, owner, parent = (found.columns[name] for name in ("segment", "owner", "parent_id"))
    stated = [(str(day)[:10], segment.names[code]) for day, code in zip(found.dated, segment.codes, strict=True) if code >= 0]
    assert stated == [("2024-01-01", "Small"), ("2025-05-01", "Large"), ("2024-01-01", "Small")]
    assert (owner.names, (parent.codes >= 0).sum()) == ((), 2), "the owners' list has no dates: it is of the day of its load"


def test_what_cannot_be_read_is_set_aside_with_the_reason(book: Book) -> None:
    workspace = open_workspace(book.folder)
    request = EvidenceRequest(("score/*", "forecast/*"), as_of=date(2025, 6, 30))
    definitions = workspace_definitions(workspace)
    with opened_trial(workspace, request, definitions.metrics, NOW, lambda *_: None) as trial:
        basis, _ = basis_of_trial(workspace, request, definitions, trial, NOW)
        laid = lay_out(trial, basis, definitions)
    assert [one.key for one in laid.subjects] == ["score/Colour", "score/Pulse", "forecast/Kim"]
    assert [key for key, _ in laid.set_aside] == ["score/Odd", "forecast/Lee"]
    assert all(why for _, why in laid.set_aside)


@pytest.mark.parametrize(
    ("as_of", "rate", "dated"), [(date(2025, 4, 30), 1.1, date(2025, 1, 1)), (date(2025, 6, 30), 1.2, date(2025, 5, 1))]
)
def test_amounts_in_several_currencies_are_told_in_the_books_own_at_the_rates_that_it_held_then(
    book: Book, as_of: date, rate: float, dated: date
) -> None:
    with opened(book, as_of) as (trial, basis):
        settings = lay_out(trial, basis, workspace_definitions(open_workspace(book.folder))).settings
    assert (settings.reporting_currency, settings.currency_rates, settings.rates_dated) == ("USD", {"EUR": rate}, dated)


def test_a_column_that_accounts_do_not_have_cannot_be_fixed(book: Book) -> None:
    workspace = open_workspace(book.folder)
    request = EvidenceRequest(("score/Pulse",), AuditSettings(fixed=("regoin",)), as_of=date(2025, 6, 30))
    definitions = workspace_definitions(workspace)
    with opened_trial(workspace, request, definitions.metrics, NOW, lambda *_: None) as trial:
        basis, _ = basis_of_trial(workspace, request, definitions, trial, NOW)
        with pytest.raises(BadInput, match="regoin"):
            lay_out(trial, basis, definitions)


def test_a_book_without_renewals_or_terms_says_what_to_load(tmp_path: Path) -> None:
    made = Book(tmp_path)
    assert run("init", made.folder).code == 0
    (made.folder / "book.yml").write_text(BOOK, encoding="utf-8")
    assert made.load(made.export("scores.csv", ["id,at,told,name,value,band", "A,2025-01-10,2025-01-10,Pulse,70,"])).code == 0
    with pytest.raises(BadInput) as refusal:
        judge_evidence(open_workspace(made.folder), EvidenceRequest(), NOW)
    assert [fault.code for fault in refusal.value.faults] == ["no_renewals"]


def test_what_a_trial_reads_itself_cannot_stay_in_the_engines_database(book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = shared_server()
    monkeypatch.setenv("CRM_URL", server.fresh("crm_trial"))
    server.run("CREATE TABLE answers (id text, at timestamptz, answer int)", database="crm_trial")
    other = copied(book, tmp_path)
    columns = "{account_id: id, answered: at, answer: answer}"
    source = f"  - {{database: crm, relation: public.answers, in_place: true, table: responses, columns: {columns}}}\n"
    text = f"databases:\n  crm: {{url_from: CRM_URL}}\n{BOOK}{source}"
    (other.folder / "book.yml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="responses stay in their database"):
        judge_evidence(open_workspace(other.folder), EvidenceRequest(("score/Pulse",), as_of=date(2025, 6, 30), engine="crm"), NOW)
