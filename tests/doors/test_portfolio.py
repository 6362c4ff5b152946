"""`unspun refresh` and what pages read of it: the same figures as the commands, within one's scope, and nothing of who was erased."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from tests.doors.book_files import Book
from tests.doors.cli_files import run
from tests.doors.portfolio_company import (
    AS_OF,
    AT,
    DECIDED_EARLY,
    HOSTILE,
    HOSTILE_NAME,
    KIM,
    OPEN_ENDED,
    OWNER,
    VIEWER,
    Company,
    refreshed,
)
from unspun.app.access import Actor, Forbidden
from unspun.app.forecast.record import RecordRequest, forecast_record
from unspun.app.portfolio.account import AccountDetail, account_detail
from unspun.app.portfolio.changes import changed_since
from unspun.app.portfolio.conditions import BANDS, PortfolioFilter, RiskBand
from unspun.app.portfolio.head import portfolio_head
from unspun.app.portfolio.notes import add_forecast, add_note, list_forecasts, list_notes
from unspun.app.portfolio.request import PortfolioRequest
from unspun.app.portfolio.run import Portfolio, PortfolioRow, choices, portfolio, search
from unspun.app.publication import canonical_json, from_document
from unspun.app.refresh import RefreshRequest, refresh
from unspun.app.risk.basis import RiskRequest
from unspun.app.risk.run import RiskRun, judge_risk
from unspun.app.workspace import Workspace, open_workspace
from unspun.cli.refresh import refresh_lines
from unspun.errors import BadInput
from unspun.risk.forecast.result import Predicted
from unspun.stats.estimate import Estimate, NoEstimate
from unspun.warehouse.catalog_notes import NOTE, STATED
from unspun.warehouse.read_model import FOLDER, kept_keys

BAND_CHOICES: list[tuple[RiskBand, ...]] = [(), BANDS[:2]]
LATER = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return refreshed(tmp_path_factory.mktemp("portfolio"))


@pytest.fixture(scope="module")
def judged(company: Company) -> RiskRun:
    return judge_risk(company.workspace, RiskRequest(as_of=AS_OF), AT, compare=False)


@pytest.fixture
def copied(company: Company, tmp_path: Path) -> Workspace:
    """The same workspace, to be changed."""
    shutil.copytree(company.book.folder, tmp_path / "book")
    return open_workspace(tmp_path / "book")


def listed(workspace: Workspace, actor: Actor = OWNER, asked: PortfolioFilter | None = None) -> Portfolio:
    return portfolio(workspace, actor, PortfolioRequest(asked or PortfolioFilter(), size=1000))


def account_of(workspace: Workspace, owner: str, status: str = "open") -> PortfolioRow:
    """The first account of an owner with a line of that status."""
    return next(one for one in listed(workspace).rows if one.owner == owner and one.status == status)


# A refresh publishes what the commands publish


def test_the_command_finds_its_figures_in_the_ledger_after_a_refresh(company: Company, judged: RiskRun) -> None:
    assert judged.entry == company.run.entries["risk"]
    assert judged.model_entry == company.run.entries["model"]
    assert not judged.model_made


def test_a_second_refresh_of_the_same_book_adds_nothing_and_gives_the_same_bytes(copied: Workspace) -> None:
    folder = copied.warehouse / FOLDER
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with copied.catalog() as catalog:
        entries = len(catalog.entries())
    shutil.rmtree(folder)
    run = refresh(copied, LATER, request=RefreshRequest(as_of=AS_OF))
    assert run.written
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with copied.catalog() as catalog:
        assert len(catalog.entries()) == entries


def test_the_lines_are_the_renewals_of_risk_and_the_terms_that_run_without_one(company: Company, judged: RiskRun) -> None:
    rows = listed(company.workspace).rows
    told = {(one.account, one.due): one for one in judged.result.renewals}
    others = {one.account_id: one for one in rows if (one.account_id, one.due) not in told}
    assert len(rows) == len(told) + len(others)
    assert {id: one.status for id, one in others.items()} == {OPEN_ENDED: "no renewal", DECIDED_EARLY: "decided"}
    assert (others[OPEN_ENDED].arr, others[DECIDED_EARLY].arr) == (5000, 6000)
    for row in (one for one in rows if one.account_id not in others):
        renewal = told[row.account_id, row.due or date.min]
        churn = renewal.churn
        assert (row.arr, row.status, row.segment, row.owner, row.reasons) == (
            renewal.arr,
            renewal.status,
            renewal.segment,
            renewal.owner,
            len(renewal.reasons),
        )
        assert row.p_churn == (churn.point if isinstance(churn, Estimate) else None)


def test_each_figure_of_a_line_is_at_its_address(company: Company) -> None:
    with company.workspace.catalog() as catalog:
        document = catalog.publication(company.run.entries["risk"] or 0).document
    figures = from_document(document or "")
    for row in (one for one in listed(company.workspace).rows if one.p_churn is not None):
        value = figures.figure(f"{row.figure}/churn")["value"]
        assert [value[name] for name in ("point", "low", "high")] == pytest.approx([row.p_churn, row.p_low, row.p_high], abs=6e-6)


def test_what_is_due_within_days_is_what_risk_says_with_its_interval(company: Company, judged: RiskRun) -> None:
    head = portfolio_head(company.workspace, OWNER)
    assert [one.days for one in head.due] == [30, 90, 180]
    totals = {one.within_days: one for one in judged.result.due}
    for one in head.due:
        total, sums = totals[one.days], one.sums
        assert (sums.n, sums.arr, sums.n_cannot_tell, sums.n_notice, sums.arr_notice) == (
            total.n,
            total.arr,
            total.n_cannot_tell,
            total.n_notice,
            total.arr_notice,
        )
        assert isinstance(total.expected_lost, Estimate)
        assert isinstance(sums.expected_lost, Estimate)
        said, told = ([getattr(one, name) for name in ("point", "low", "high")] for one in (sums.expected_lost, total.expected_lost))
        assert said == pytest.approx(told, rel=1e-6)
        assert (sums.expected_lost.n, sums.expected_lost.method) == (total.expected_lost.n, total.expected_lost.method)
        assert one.address == f"{company.run.entries['risk']}/due/{one.days}/EUR"


def test_the_base_rate_lies_between_the_extremes_of_what_is_told_and_its_sum_is_of_the_same_renewals(company: Company) -> None:
    found = listed(company.workspace)
    told = [one for one in found.rows if one.lost is not None]
    assert found.sums[0].at_base_rate == pytest.approx(sum((one.arr or 0) * (one.base_rate or 0) for one in told))
    assert min(one.p_churn or 0 for one in told) < min(one.base_rate or 0 for one in told)
    assert max(one.base_rate or 0 for one in told) < max(one.p_churn or 0 for one in told)


def test_the_forecast_of_the_head_is_that_of_the_ledger_beside_last_years_actual(company: Company) -> None:
    head = portfolio_head(company.workspace, OWNER)
    for rate in head.rates:
        entry, _, name = (rate.address or "").partition("/")
        with company.workspace.catalog() as catalog:
            said = from_document(catalog.publication(int(entry)).document or "").figure(name)["value"][rate.part]
        assert isinstance(rate.value, Predicted)
        assert (said["mean"], said["low_95"], said["high_95"]) == (rate.value.mean, rate.value.low_95, rate.value.high_95)
        entry, _, name = (rate.actual_address or "").partition("/")
        assert (entry, name, rate.actual_month) == (str(company.run.entries["retention"]), f"{rate.rate}/2025-11", "2025-11")
        with company.workspace.catalog() as catalog:
            value = from_document(catalog.publication(int(entry)).document or "").figure(name)["value"]
        assert rate.actual == Estimate(**{**value, "caveats": tuple(value["caveats"])})
    assert isinstance(head.record.value, NoEstimate)


# Filters and order, held against the lines themselves


def test_filters_are_what_they_say_of_the_lines(company: Company) -> None:
    rows, offered = listed(company.workspace).rows, choices(company.workspace, OWNER)
    assert offered["product"] == ("Core", "Suite")
    named = tuple(product(((), ("Kim",)), ((), ("Large",), ("", "Small")), ((), ("Suite",))))
    for (owners, segments, products), days, bands, text in product(named, (None, 90), BAND_CHOICES, ("", "company 1")):
        found = listed(company.workspace, OWNER, PortfolioFilter(segments, owners, products, bands, due_within=days, text=text))
        kept = [
            one.line
            for one in rows
            if (not owners or one.owner in owners)
            and (not segments or (one.segment or "") in segments)
            and (not products or one.product in products)
            and (days is None or (one.lead_days is not None and one.lead_days <= days))
            and (not bands or one.band in bands)
            and all(word in f"{one.name} {one.account_id} {one.owner} {one.segment} {one.product}".casefold() for word in text.split())
        ]
        assert sorted(one.line for one in found.rows) == sorted(kept)
        renewals = [one for one in found.rows if one.status not in ("decided", "no renewal")]
        assert sum(one.n for one in found.sums) == len(renewals)
        assert sum(one.arr for one in found.sums) == sum(one.arr or 0 for one in renewals)


def test_the_list_begins_with_what_matters_most(company: Company) -> None:
    weights = [(one.arr or 0) * (one.p_churn if one.p_churn is not None else one.base_rate or 0) for one in listed(company.workspace).rows]
    renewals = weights[: len(weights) - 2]
    assert renewals == sorted(renewals, reverse=True)


def test_search_folds_case_and_accents(company: Company) -> None:
    names = {one.name for one in search(company.workspace, OWNER, "SOCIETE", limit=100)}
    assert names
    assert all(name.startswith("Société") for name in names)
    assert search(company.workspace, OWNER, "   ") == ()


# The page of an account


def detail(company: Company, owner: str = "Kim") -> AccountDetail:
    return account_detail(company.workspace, OWNER, account_of(company.workspace, owner).account_id)


def test_the_timeline_has_all_that_the_book_dates_in_its_time_zone(company: Company) -> None:
    page = detail(company)
    n = int(page.account.account_id[2:])
    kinds = {one.kind for one in page.timeline}
    assert {"events", "ticket", "survey", "touchpoint", "term"} <= kinds
    touched = next(one for one in page.timeline if one.kind == "touchpoint")
    assert touched.words == f"Call, {10 + n} minutes, Kim"
    assert touched.day == date(2025, 11, 1 + n % 28)  # 23:30 in Berlin is still that day
    assert [one.day for one in page.timeline] == sorted((one.day for one in page.timeline), reverse=True)
    counted = sum(sum(one.fields["kinds"].values()) for one in page.timeline if one.kind == "events")
    assert 20 <= counted <= 25  # one every 30 days, of two years
    assert page.lines[0].last_touch == touched.day


def test_people_terms_and_subscriptions_are_on_the_page(company: Company) -> None:
    page = detail(company)
    n = int(page.account.account_id[2:])
    assert [(one["name"], one["email"]) for one in page.people] == [(f"Person {n}", f"p{n}@example.org")]
    assert [one["running"] for one in page.subscriptions].count(True) == 1
    assert page.terms[0]["outcome"] == "undecided"
    assert {one["outcome"] for one in page.terms[1:]} <= {"renewed", "contracted", "expanded"}
    assert page.renewals[0]["probabilities"]["churn"]["point"] == page.lines[0].p_churn


def test_metrics_by_month_are_those_that_risk_was_judged_by_and_missing_ones_say_why(company: Company) -> None:
    page = detail(company)
    (trend,) = page.trends
    assert (trend.id, trend.label, trend.direction) == ("logins_2m", "Logins", 1)
    assert trend.days[-1] == AS_OF
    assert len(trend.days) == len(trend.values) == len(set(trend.days))
    assert all((one is None) == (at in trend.missing) for at, one in enumerate(trend.values))
    assert page.renewals[0]["coverage"]["with_value"] == (trend.values[-1] is not None)


def test_a_hostile_name_is_text_and_nothing_else(company: Company) -> None:
    found = search(company.workspace, OWNER, HOSTILE)
    if found:  # it churns in some books
        assert found[0].name == HOSTILE_NAME
        assert account_detail(company.workspace, OWNER, HOSTILE).account.name == HOSTILE_NAME


def left_accounts(company: Company) -> dict[str, str]:
    """Accounts that churned, by id with the day that their last term was due, as the file of renewals says."""
    found = dict[str, str]()
    for row in (company.book.folder.parent / "exports" / "renewals.csv").read_text("utf-8").splitlines()[1:]:
        id, due, outcome = row.split(",")[:3]
        if outcome == "churned":
            found[id] = due
    return found


def test_an_account_that_left_has_a_page_which_says_so_and_judges_nothing(company: Company) -> None:
    left = left_accounts(company)
    assert len(left) > 20
    for id, due in left.items():
        page = account_detail(company.workspace, OWNER, id)
        assert page.standing is not None and page.standing.day == date.fromisoformat(due)
        assert page.standing.kind == ("left" if due <= str(AS_OF) else "leaving")
        assert page.lines == page.renewals == ()
        assert page.subscriptions and page.terms[0]["outcome"] == "churned"
        assert any(one.kind == "renewal" and one.words.startswith("Churned") for one in page.timeline)
    assert {one.account_id for one in listed(company.workspace).rows}.isdisjoint(left)


def test_a_search_finds_accounts_that_left_after_those_that_have_a_line(company: Company) -> None:
    found = [one.account_id for one in search(company.workspace, OWNER, "A-0", limit=200)]
    left = [id for id in found if id in left_accounts(company)]
    assert sorted(left) == sorted(id for id in left_accounts(company) if id.startswith("A-0"))
    assert found[-len(left) :] == left
    mine = [one.account_id for one in search(company.workspace, KIM, "A-0", limit=200)]
    assert mine == [id for id in found if int(id[2:]) % 2 or id == "A-004"]  # that one came to Kim


# Scope


def test_who_left_is_there_for_those_alone_who_see_the_account(company: Company) -> None:
    kims, lees = (next(id for id in left_accounts(company) if int(id[2:]) % 2 == odd) for odd in (1, 0))
    assert account_detail(company.workspace, KIM, kims).account.owner == "Kim"
    for unseen in (lees, "A-999"):
        with pytest.raises(BadInput, match="there is no account"):
            account_detail(company.workspace, KIM, unseen)


def test_a_csm_sees_their_accounts_and_of_the_others_not_even_that_they_are_there(company: Company) -> None:
    mine, others = account_of(company.workspace, "Kim"), account_of(company.workspace, "Lee")
    rows = listed(company.workspace, KIM).rows
    assert {one.owner for one in rows} == {"Kim"}
    assert len(rows) == sum(one.owner == "Kim" for one in listed(company.workspace).rows)
    assert account_detail(company.workspace, KIM, mine.account_id).account.name == mine.name
    assert search(company.workspace, KIM, others.account_id) == ()
    assert choices(company.workspace, KIM)["owner"] == ("Kim",)
    for ask in (account_detail, list_notes, list_forecasts):
        with pytest.raises(BadInput, match="there is no account"):
            ask(company.workspace, KIM, others.account_id)


def test_past_renewals_of_others_are_counted_and_not_named(company: Company) -> None:
    mine = account_of(company.workspace, "Kim").account_id
    whole, limited = (account_detail(company.workspace, who, mine).renewals[0]["similar"] for who in (OWNER, KIM))
    owners = {one[0]: int(one[0][2:]) % 2 for one in whole["renewals"]}
    assert limited["n"] == whole["n"] == len(whole["renewals"])
    assert [one[0] for one in limited["renewals"]] == [one[0] for one in whole["renewals"] if owners[one[0]]]


def test_a_limited_scope_is_told_no_figure_of_all_accounts(company: Company) -> None:
    head = portfolio_head(company.workspace, KIM)
    assert all(isinstance(one.value, NoEstimate) and one.address is None for one in head.rates)
    assert {one.address for one in head.due} == {None}
    whole = portfolio_head(company.workspace, OWNER)
    for mine, every in zip(head.due, whole.due, strict=True):
        assert mine.sums.n < every.sums.n
        assert mine.sums.figures["expected_lost"].provenance.settings[0][1].endswith("within the accounts of Kim")


def test_a_viewer_writes_nothing(company: Company) -> None:
    with pytest.raises(Forbidden):
        add_note(company.workspace, VIEWER, "A-004", "mine", LATER)


# Notes and forecasts


def test_a_note_and_a_forecast_are_on_the_page_at_once_with_author_and_time(copied: Workspace) -> None:
    row = account_of(copied, "Kim")
    note = add_note(copied, KIM, row.account_id, " <b>Met the new lead.</b> ", LATER)
    stated = add_forecast(copied, KIM, row.account_id, row.due or date.min, 0.55, Decimal("1650.50"), "Wants the depot live.", LATER)
    page = account_detail(copied, OWNER, row.account_id)
    assert page.notes == (note,)
    assert page.forecasts == (stated,) == list_forecasts(copied, KIM, row.account_id)
    assert (note.text, note.author, note.author_id, note.at) == ("<b>Met the new lead.</b>", "Kim", 7, LATER)
    assert (stated.probability, stated.amount, stated.currency, stated.seen) == (0.55, Decimal("1650.50"), "EUR", page.entries["risk"])
    assert [one.kind for one in page.timeline[:2]] == ["note", "forecast"]
    assert run("ledger", "verify", "--workspace", copied.folder).code == 0


def test_the_ledger_holds_no_word_of_what_was_written(copied: Workspace) -> None:
    row = account_of(copied, "Kim")
    add_note(copied, KIM, row.account_id, "a secret", LATER)
    with copied.catalog() as catalog:
        body = canonical_json(catalog.entries(kind=NOTE)[0].body)
    assert "secret" not in body
    assert row.account_id not in body


@pytest.mark.parametrize(
    ("due", "probability", "amount", "reason", "codes"),
    [
        (date(2031, 1, 1), 0.5, None, "why", ["no_renewal"]),
        (None, 1.2, Decimal(-1), " ", ["probability", "amount", "no_text"]),
        (None, float("nan"), Decimal("Infinity"), "x" * 2001, ["probability", "amount", "long_text"]),
    ],
)
def test_faults_of_a_forecast_are_told_together(
    company: Company, due: date | None, probability: float, amount: Decimal | None, reason: str, codes: list[str]
) -> None:
    row = account_of(company.workspace, "Kim")
    with pytest.raises(BadInput) as refused:
        add_forecast(company.workspace, KIM, row.account_id, due or row.due or date.min, probability, amount, reason, LATER)
    assert [one.code for one in refused.value.faults] == codes


def test_stated_forecasts_are_scored_with_those_of_the_book_and_proved(copied: Workspace) -> None:
    decided = [one for one in account_terms(copied) if one[2] in ("renewed", "churned") and one[1] > date(2024, 6, 1)]
    with copied.catalog() as catalog:
        for n, (account, due, _) in enumerate(decided[:40]):
            at = datetime.combine(due - timedelta(days=40), datetime.min.time(), UTC)
            said = {"author": {"id": 7, "name": "Kim" if int(account[2:]) % 2 else "Lee"}, "account": account, "due": due.isoformat()}
            rest = {"probability": 0.6 + n / 200, "amount": None, "currency": "EUR", "reason": "so", "seen": None, "salt": "0"}
            catalog.add_note(STATED, account, {"author": 7}, canonical_json({**said, **rest}), at)
    record = forecast_record(copied, RecordRequest(as_of=AS_OF), LATER)
    csm = next(one for one in record.result.forecasters if one.kind == "CSM")
    assert csm.n_forecasts == 40
    assert len(record.figures.question["stated"]) == 40
    proved = run("recompute", f"{record.entry}/CSM/30", "--workspace", copied.folder)
    assert proved.code == 0, proved.out + proved.err


def account_terms(workspace: Workspace) -> list[tuple[str, date, str]]:
    """Account, due date and outcome of every renewal that the pages tell of."""
    pages = (account_detail(workspace, OWNER, one.account_id) for one in listed(workspace).rows)
    return [(page.account.account_id, date.fromisoformat(one["due"]), one["outcome"]) for page in pages for one in page.terms]


# What changed


def test_what_changed_is_told_from_the_ledger_where_the_read_model_of_then_is_gone(company: Company) -> None:
    row = account_of(company.workspace, "Kim")
    page = account_detail(company.workspace, KIM, row.account_id)
    assert changed_since(company.workspace, KIM, row.account_id, page.key, page.entries["risk"]) is None
    found = changed_since(company.workspace, KIM, row.account_id, "0" * 16, page.entries["risk"])
    assert found is not None
    assert (found.source, found.as_of, found.happened) == ("ledger", AS_OF, ())
    (renewal,) = found.renewals
    assert isinstance(renewal.then, Estimate)
    assert isinstance(renewal.now, Estimate)
    assert renewal.then.point == pytest.approx(renewal.now.point, abs=6e-6)
    assert changed_since(company.workspace, KIM, row.account_id, "0" * 16, 3) is None


# Erasure


def test_an_erased_account_is_in_no_read_model_and_none_of_its_notes_is_left(copied: Workspace) -> None:
    row = account_of(copied, "Kim")
    other = next(one for one in listed(copied).rows if one.owner == "Kim" and one.account_id != row.account_id)
    gone = add_note(copied, KIM, row.account_id, "Zanzibar", LATER)
    add_forecast(copied, KIM, row.account_id, row.due or date.min, 0.5, None, "Timbuktu", LATER)
    kept = add_note(copied, KIM, other.account_id, "stays", LATER)
    asked = ("erase", "--account", row.account_id, "--workspace", copied.folder, "--json")
    told = json.loads(run(*asked, "--dry-run").out)
    assert (len(told["notes"]), told["read_models"]) == (2, 1)
    assert kept_keys(copied.warehouse)
    assert run(*asked, "--yes").code == 0
    assert kept_keys(copied.warehouse) == ()
    assert list((copied.warehouse / FOLDER).iterdir()) == []
    held = b"".join(path.read_bytes() for path in copied.warehouse.glob("catalog.db*"))
    assert not [word for word in (b"Zanzibar", b"Timbuktu") if word in held]
    with copied.catalog() as catalog:
        assert [one.account for one in catalog.notes(NOTE)] == [other.account_id]
        assert catalog.note(gone.entry).document == ""
        assert catalog.entry(gone.entry) is not None
        assert catalog.note(kept.entry).document
    assert run("ledger", "verify", "--workspace", copied.folder).code == 0
    with pytest.raises(BadInput, match="unspun refresh"):
        listed(copied)


# The command


def test_the_command_says_what_it_made_and_that_nothing_had_changed(company: Company, tmp_path: Path) -> None:
    made, again = (
        "\n".join(str(one) for one in refresh_lines(run, 100)).replace("\N{NO-BREAK SPACE}", " ")
        for run in (company.run, replace(company.run, written=False))
    )
    assert f"The console shows it from now on: {company.run.renewals} renewals, as of 31 Dec 2025." in made
    assert "Nothing had changed" in again
    assert run("refresh", "--workspace", tmp_path).code == 2
    empty = Book(tmp_path)
    assert run("init", empty.folder).code == 0
    assert "nothing is loaded yet" in run("refresh", "--workspace", empty.folder).err
