"""What renewal risk reads of a book: each row what was known at the end of its day, beside the same worked out from the files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.doors.book_files import Book
from tests.doors.cli_files import run
from unspun.app.risk.basis import RiskRequest, opened_risk, risk_basis_from_json
from unspun.app.risk.carried import LookedAt, carried_values
from unspun.app.risk.inputs import LAST_OUTCOME, LOG_ARR, SEGMENT, TENURE, RiskInputs, lay_out_risk, risk_inputs
from unspun.app.trial.panel import TrialPanel
from unspun.app.trial.subjects import workspace_definitions
from unspun.app.workspace import open_workspace
from unspun.book.checks.finding import Span
from unspun.book.tables import Codes
from unspun.errors import BadInput
from unspun.metrics.missing import REASON_CODES
from unspun.progress import silent
from unspun.risk.rows import CHURN

BOOK = """\
time_zone: UTC
currency: USD
sources:
  - files: "accounts*.csv"
    table: accounts
    columns: {account_id: id, dated: since, name: name, parent_id: parent, created_on: since, region: region}
    fixed: [name, parent_id, created_on, region]
  - files: "segments*.csv"
    table: accounts
    columns: {account_id: id, dated: since, segment: tier}
  - files: "owners*.csv"
    table: accounts
    columns: {account_id: id, dated: since, owner: csm}
  - files: "renewals*.csv"
    table: renewals
    columns:
      {account_id: id, due: due, outcome: outcome, decided: decided, amount_before: arr, currency: cur, term_start: from, notice: notice}
  - files: "usage*.csv"
    table: events
    columns: {account_id: id, occurred: at, event: {value: use}, value: logins}
  - files: "rates*.csv"
    table: rates
    columns: {currency: of, into: into, day: day, rate: rate}
"""
METRICS = """\
sources:
  events: {covers: seen accounts, silent_days: 40}
metrics:
  logins_30d: {name: Logins, description: Logins of thirty days., unit: logins, direction: higher, sum: events.value, window: 30d}
  tier: {description: The segment., attribute: segment}
  size: {description: The ARR., arr: true}
  clicks_30d: {description: A column that is not there., sum: events.clicks, window: 30d}
"""
NOW = datetime(2026, 6, 1, tzinfo=UTC)
FIRST, FIRST_USE, AS_OF, EARLIER = date(2023, 1, 1), date(2024, 3, 10), date(2026, 3, 17), date(2025, 6, 20)
EPOCH = date(1970, 1, 1)
Files = dict[str, list[tuple[object, ...]]]


@dataclass(frozen=True, slots=True)
class Made:
    """A company's files and its workspace."""

    files: Files
    book: Book

    def inputs(self, as_of: date = AS_OF) -> RiskInputs:
        return risk_inputs(open_workspace(self.book.folder), RiskRequest(as_of=as_of), NOW)


def made(folder: Path, files: Files) -> Made:
    book = Book(folder)
    assert run("init", book.folder).code == 0
    (book.folder / "book.yml").write_text(BOOK, encoding="utf-8")
    (book.folder / "metrics.yml").write_text(METRICS, encoding="utf-8")
    loaded = book.load(*(book.export(f"{name}.csv", [",".join(map(str, row)) for row in rows]) for name, rows in files.items()))
    assert loaded.code == 0, loaded.err
    return Made(files, book)


def company(rng: np.random.Generator) -> Files:
    files: Files = {
        "accounts": [("id", "since", "name", "parent", "region")],
        "segments": [("id", "since", "tier")],
        "owners": [("id", "since", "csm")],
        "renewals": [("id", "due", "outcome", "decided", "arr", "cur", "from", "notice")],
        "usage": [("id", "at", "logins")],
        "rates": [("of", "into", "day", "rate"), ("EUR", "USD", "2025-01-01", 1.25), ("EUR", "USD", "2026-01-01", 1.5)],
    }
    for n in range(24):
        _add_account(rng, files, f"A-{n:02}", f"A-{n - 1:02}" if n % 6 == 1 else "")
    return files


def _add_account(rng: np.random.Generator, files: Files, id: str, parent: str) -> None:
    start = FIRST + timedelta(days=int(rng.integers(0, 300)))
    files["accounts"].append((id, start - timedelta(days=100), f"Company {id}", parent, "EMEA" if rng.random() < 0.5 else "APAC"))
    files["segments"].append((id, start - timedelta(days=100), "Small"))
    if rng.random() < 0.5:
        files["segments"].append((id, start + timedelta(days=int(rng.integers(200, 900))), "Large"))
    files["owners"].append((id, start, "Kim"))
    if rng.random() < 0.7:
        files["owners"].append((id, start + timedelta(days=int(rng.integers(100, 900))), "Lee"))
    day, currency = start, "EUR" if rng.random() < 0.3 else "USD"
    while day <= AS_OF:
        due = day + timedelta(days=int(rng.choice([91, 365])))
        churns, arr = rng.random() < 0.12, int(rng.integers(10, 90)) * 100
        decided = due + timedelta(days=int(rng.integers(-20, 6)))
        notice = due - timedelta(days=40) if churns and rng.random() < 0.6 else ""
        outcome = "churned" if churns else str(rng.choice(["renewed", "renewed", "expanded", "contracted"]))
        is_told = decided <= AS_OF
        told = (outcome, decided) if is_told else ("undecided", "")
        files["renewals"].append((id, due, *told, arr, currency, day, notice if not notice or notice <= AS_OF else ""))
        _add_use(rng, files, id, day, due)
        if churns:
            return
        day = due


def _add_use(rng: np.random.Generator, files: Files, id: str, day: date, due: date) -> None:
    for days in range(0, (due - day).days, 9):
        at = day + timedelta(days=days)
        if FIRST_USE <= at <= AS_OF:
            files["usage"].append((id, f"{at} 12:00", int(rng.poisson(20))))


def known_by(files: Files, day: date) -> Files:
    """The same files as they would have been exported at the end of a day."""
    found = {name: rows[:1] for name, rows in files.items()}
    dated = {"accounts": 1, "segments": 1, "owners": 1, "usage": 1, "rates": 2}
    for name, column in dated.items():
        found[name] += [row for row in files[name][1:] if str(row[column])[:10] <= str(day)]
    for id, due, outcome, decided, arr, currency, start, notice in files["renewals"][1:]:
        assert isinstance(start, date)
        if start <= day:
            told = (outcome, decided) if isinstance(decided, date) and decided <= day else ("undecided", "")
            found["renewals"].append((id, due, *told, arr, currency, start, notice if isinstance(notice, date) and notice <= day else ""))
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("whole"), company(np.random.default_rng(3)))


@pytest.fixture(scope="module")
def inputs(whole: Made) -> RiskInputs:
    return whole.inputs()


def number(day: object) -> int:
    assert isinstance(day, date)
    return (day - EPOCH).days


def day_of(value: int) -> date:
    return EPOCH + timedelta(days=int(value))


def each_row(inputs: RiskInputs, expected: Callable[[str, date, date], float]) -> np.ndarray:
    """What a function of account, as-of day and due date gives on every row."""
    rows = inputs.rows
    told = zip(rows.account.tolist(), rows.as_of.tolist(), rows.due.tolist(), strict=True)
    return np.array([expected(inputs.accounts[code], day_of(as_of), day_of(due)) for code, as_of, due in told])


def uses_of(made: Made) -> dict[str, list[tuple[date, int]]]:
    found: dict[str, list[tuple[date, int]]] = {}
    for id, at, used in made.files["usage"][1:]:
        found.setdefault(str(id), []).append((date.fromisoformat(str(at)[:10]), int(str(used))))
    return found


def logins(uses: dict[str, list[tuple[date, int]]], account: str, as_of: date) -> float:
    return sum(n for day, n in uses.get(account, []) if as_of - timedelta(days=30) < day <= as_of)


def test_metrics_are_what_the_files_add_up_to_by_the_end_of_each_day(whole: Made, inputs: RiskInputs) -> None:
    uses = uses_of(whole)
    column, given = inputs.rows.columns["logins_30d"], inputs.rows.reasons["logins_30d"]
    with_value = np.isfinite(column)
    assert with_value.mean() > 0.5
    assert np.array_equal(column[with_value], each_row(inputs, lambda account, as_of, _: logins(uses, account, as_of))[with_value])
    reasons = [given.names[code] for code in np.unique(given.codes[~with_value]).tolist()]
    assert set(reasons) == {"no_source", "before_source"}, "the months before the first row of usage say so"
    assert (given.codes[with_value] == -1).all()


def test_size_tenure_segment_and_last_outcome_are_those_known_on_the_day(whole: Made, inputs: RiskInputs) -> None:
    files, rows = whole.files, inputs.rows
    held = {(str(row[0]), row[1]): row for row in files["renewals"][1:]}
    since = {str(row[0]): row[1] for row in files["accounts"][1:]}
    told = {id: [(row[1], row[2]) for row in files["segments"][1:] if row[0] == id] for id in since}

    def arr(account: str, _as_of: date, due: date) -> float:
        row = held[account, due]
        return float(str(row[4])) * (1.5 if row[5] == "EUR" else 1.0)

    def segment(account: str, as_of: date, _due: date) -> float:
        known = [tier for day, tier in told[account] if isinstance(day, date) and day <= as_of]
        return ["Large", "Small"].index(str(known[-1]))

    def last(account: str, as_of: date, _due: date) -> float:
        past = [row for (id, due), row in held.items() if id == account and isinstance(due, date) and due <= as_of]
        past = [row for row in past if isinstance(row[3], date) and row[3] <= as_of]
        words = ("no earlier renewal", "renewed", "churned", "contracted", "expanded")
        return words.index(str(max(past, key=lambda row: str(row[1]))[2])) if past else 0

    features = {one.id: one for one in rows.features}
    assert np.allclose(rows.columns[LOG_ARR], np.log(each_row(inputs, arr)), rtol=1e-12)
    assert np.array_equal(rows.arr, each_row(inputs, arr)), "by the latest rate up to the as-of day"
    assert np.allclose(rows.columns[TENURE], each_row(inputs, lambda id, day, _: (number(day) - number(since[id])) / 365.25))
    assert features[SEGMENT].names == ("Large", "Small")
    assert np.array_equal(rows.columns[SEGMENT], each_row(inputs, segment))
    assert features[LAST_OUTCOME].names[1:] == ("renewed", "churned", "contracted", "expanded")
    assert np.array_equal(rows.columns[LAST_OUTCOME], each_row(inputs, last))
    assert all(features[id].given for id in (LOG_ARR, TENURE, SEGMENT, LAST_OUTCOME))


def test_who_owned_an_account_when_who_belongs_together_and_how_it_is_called(whole: Made, inputs: RiskInputs) -> None:
    spells, known = inputs.known.owner_spells, inputs.known
    expected = []
    for id in inputs.accounts:
        said = [(number(row[1]), str(row[2])) for row in whole.files["owners"][1:] if row[0] == id and number(row[1]) <= number(AS_OF)]
        ends = [*(day for day, _ in said[1:]), 3_000_000]
        expected += [(id, day, until, name) for (day, name), until in zip(said, ends, strict=True)]
    found = zip(spells.account.tolist(), spells.first.tolist(), spells.until.tolist(), spells.owner.tolist(), strict=True)
    assert [(inputs.accounts[code], first, until, spells.names[owner]) for code, first, until, owner in found] == expected
    cluster = {id: int(inputs.terms.cluster[code]) for code, id in enumerate(inputs.accounts)}
    assert cluster["A-01"] == cluster["A-00"] != cluster["A-02"]
    assert known.names[0] == "Company A-00"
    assert known.owners == tuple({id: name for id, _, _, name in expected}[id] for id in inputs.accounts)
    assert set(known.attributes) == {"region"}


def test_as_of_a_day_nothing_is_read_that_was_known_later(whole: Made, tmp_path: Path) -> None:
    later, then = whole.inputs(EARLIER), made(tmp_path, known_by(whole.files, EARLIER)).inputs(EARLIER)
    names = ("renewal", "account", "as_of", "due", "decided_on", "outcome", "term_class", "arr")
    begun = np.flatnonzero(later.decisions.start <= number(EARLIER))
    assert later.accounts == then.accounts
    assert np.array_equal(np.searchsorted(begun, later.rows.renewal), then.rows.renewal), "renewals of terms to come have no row"
    for name in names[1:]:
        assert np.array_equal(getattr(later.rows, name), getattr(then.rows, name), equal_nan=name == "arr"), name
    assert np.array_equal(later.today, then.today)
    for feature in later.rows.features:
        assert np.array_equal(later.rows.columns[feature.id], then.rows.columns[feature.id], equal_nan=True), feature.id
        assert np.array_equal(later.rows.reasons[feature.id].codes, then.rows.reasons[feature.id].codes), feature.id
    assert later.known.owners == then.known.owners
    assert later.known.segments == then.known.segments
    assert len(later.rows) < len(whole.inputs().rows)


def test_todays_rows_are_no_history_and_notice_counts_as_churn_on_its_day(inputs: RiskInputs, whole: Made) -> None:
    assert len(inputs.history) + len(inputs.of_today) == len(inputs.rows)
    assert (inputs.of_today.as_of == number(AS_OF)).all()
    assert inputs.cutoff == number(AS_OF) + 1
    noticed = {(row[0], row[1]) for row in whole.files["renewals"][1:] if row[2] == "undecided" and row[7] != ""}
    rows = inputs.of_today
    told = [(inputs.accounts[code], day_of(due)) for code, due in zip(rows.account.tolist(), rows.due.tolist(), strict=True)]
    assert {key for key, outcome in zip(told, rows.outcome.tolist(), strict=True) if outcome == CHURN} == noticed


def test_metrics_that_are_no_features_are_named_with_why_and_a_pattern_that_fits_none_is_refused(whole: Made, inputs: RiskInputs) -> None:
    assert {id: why.partition(":")[0] for id, why in inputs.left_out} == {
        "tier": "is text",
        "size": "is the renewal's own ARR, which is used already",
        "clicks_30d": "does not fit the book",
    }
    with pytest.raises(BadInput, match=r"there is no metric 'login'\..*\n.*there is no metric 'x\*'\."):
        risk_inputs(open_workspace(whole.book.folder), RiskRequest(as_of=AS_OF, metrics=("login", "x*")), NOW)


def test_a_value_that_an_outage_hides_is_the_last_one_before_it_and_its_age_is_told(whole: Made, inputs: RiskInputs) -> None:
    hidden = replace(Span("stopped", date(2025, 9, 20), date(2025, 12, 10)), event="use")
    lost = _with_outage(whole, (hidden,))
    rows, usual = lost.rows, inputs.rows
    column, stale = rows.columns["logins_30d"], rows.stale_days["logins_30d"]
    touched = (rows.as_of >= number(date(2025, 9, 20))) & (rows.as_of < number(date(2026, 1, 9))) & ~lost.today
    assert np.array_equal(column[~touched], usual.columns["logins_30d"][~touched], equal_nan=True)
    assert set(rows.as_of[stale > 0].tolist()) <= set(rows.as_of[touched].tolist())
    uses, eve = uses_of(whole), date(2025, 9, 19)
    for i in np.flatnonzero(stale > 0).tolist():
        assert stale[i] == (day_of(int(rows.as_of[i])) - eve).days, "the last day before the outage"
        assert column[i] == logins(uses, inputs.accounts[int(rows.account[i])], eve)
    assert (stale > 0).sum() > 20
    gone = touched & np.isnan(column)
    names = rows.reasons["logins_30d"]
    assert {names.names[code] for code in names.codes[gone].tolist()} <= {"outage"}
    assert (names.codes[stale > 0] == -1).all()


@pytest.mark.parametrize(("age", "is_carried"), [(10, False), (29, False), (30, True)])
def test_a_value_of_an_accounts_first_weeks_is_not_carried_over_an_outage(inputs: RiskInputs, age: int, is_carried: bool) -> None:
    """Logins of thirty days, of which the account was there for ten, are few because it was new."""
    birth, outage = 20_000, REASON_CODES.index("outage")
    eve, today = birth + age, birth + age + 6
    panel = TrialPanel(
        accounts=("A",),
        account=np.array([0, 0]),
        day=np.array([eve, today]),
        columns={"logins_30d": np.array([4.0, np.nan])},
        missing={"logins_30d": Codes(np.array([-1, outage], np.int32), REASON_CODES)},
    )
    rows = LookedAt(account=np.array([0]), day=np.array([today]), since=np.array([birth]))
    found = carried_values(panel, inputs.definition, ("A",), rows, (eve,))["logins_30d"]
    assert np.isfinite(found.values).tolist() == [is_carried]
    assert (found.stale_days.tolist(), found.reason.codes.tolist()) == (([6], [-1]) if is_carried else ([0], [outage]))


def test_after_more_than_four_months_of_outage_there_is_no_value_and_the_outage_is_the_reason(whole: Made) -> None:
    lost = _with_outage(whole, (Span("stopped", date(2025, 8, 20), date(2026, 3, 17)),))
    rows = lost.of_today
    names = rows.reasons["logins_30d"]
    assert np.isnan(rows.columns["logins_30d"]).all()
    assert {names.names[code] for code in names.codes.tolist()} == {"outage"}


def _with_outage(whole: Made, spans: tuple[Span, ...]) -> RiskInputs:
    """The inputs as they would be if these outages had been recorded."""
    workspace, request = open_workspace(whole.book.folder), RiskRequest(as_of=AS_OF)
    definition = workspace_definitions(workspace).metrics
    with opened_risk(workspace, request, definition, NOW, silent) as (trial, basis, _):
        basis = replace(basis, panel=replace(basis.panel, outages={"events": spans}))
        assert risk_basis_from_json(basis.to_json()) == basis
        return lay_out_risk(trial, basis, definition)
