"""Proposals for files that exist: public data sets and the demo company's own. Each mapping is pinned whole.

What each column means is told by the README of the data sets and by the code that makes the demo company, not by the proposal.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from unspun.book.demo import write_demo
from unspun.book.mapping.book_file import add_source, mapping_for, read_definition
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.mapping.propose import propose
from unspun.book.typed import open_typed

EMPTY = BookDefinition(())
SIMULATED_COUNTS = (
    "n_search n_create_search n_edit_search n_delete_search n_advance_stage n_add_competitor n_disqualify_opportunity n_quote "
    "n_create_opportunity n_add_contact n_edit_contact n_add_lead n_unsub_lead n_edit_lead n_email_lead n_call_lead n_create_list "
    "n_delete_list n_email_list n_meeting n_schedule_meeting n_edit_meeting n_cancel_meeting avg_active_users"
)


@dataclass(frozen=True)
class Expected:
    """A mapping: standard columns as `book=file`, own columns as `name=file:kind`; a name that is the file's own stands once."""

    table: str
    standard: str
    own: str = ""
    settings: dict[str, object] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


SNAPSHOT = "statements as of the day of the load"
CURRENCY = "nothing names the currency"
LATER = "'valid_to' may not have been known"
SHARED = {
    "ravenstack/ravenstack_accounts.csv": Expected(
        "accounts",
        "account_id name=account_name plan=plan_tier seats industry country created_on=signup_date churned=churn_flag",
        "referral_source:text is_trial:flag",
        {"fixed": ("created_on",)},
        (SNAPSHOT, "'churn_flag' says that an account left, and not when"),
    ),
    "ravenstack/ravenstack_subscriptions.csv": Expected(
        "subscriptions",
        "account_id subscription_id started=start_date ended=end_date amount=arr_amount product=plan_tier seats churned=churn_flag",
        "mrr_amount:money is_trial:flag upgrade_flag:flag downgrade_flag:flag billing_frequency:text auto_renew_flag:flag",
        {"amount_months": 12.0},
        (CURRENCY,),
    ),
    "ravenstack/ravenstack_support_tickets.csv": Expected(
        "tickets",
        "account_id ticket_id opened=submitted_at closed=closed_at priority satisfaction=satisfaction_score",
        "resolution_time_hours:number first_response_time_minutes:whole escalation_flag:flag",
    ),
    "ravenstack/ravenstack_churn_events.csv": Expected(
        "churns",
        "account_id churn_id=churn_event_id churned=churn_date reason=reason_code refunded=refund_amount_usd is_reactivation "
        "verbatim=feedback_text",
        "preceding_upgrade_flag:flag preceding_downgrade_flag:flag",
        {"currency": "USD"},
    ),
    "ravenstack/ravenstack_feature_usage.csv": Expected(
        "events",
        "subscription_id occurred=usage_date event_id=usage_id event=feature_name value=usage_count",
        "usage_duration_secs:whole error_count:whole is_beta_feature:flag",
        doubts=(
            "no column names the account of an event: it is that of its subscription ('subscription_id')",
            "'usage_id' repeats in 21 rows",
            "no column identifies a row",
        ),
    ),
    "crm_sim/accounts.parquet": Expected(
        "accounts",
        "account_id country created_on=first_start_date",
        "channel:text date_of_birth:day shard_seed:whole has_events:flag n_events_simulated:whole",
        {"fixed": ("created_on",)},
        (SNAPSHOT,),
    ),
    "crm_sim/events.parquet": Expected(
        "events",
        "account_id user_id event occurred=event_time value",
        doubts=("no column identifies a row", "from its head, middle and tail"),
    ),
    "crm_sim/subscriptions.parquet": Expected(
        "subscriptions",
        "account_id subscription_id product started=start_date ended=end_date amount=mrr is_addon seats=quantity",
        "units:text bill_period_months:whole discount:number addon_held:flag addon_inferred:flag",
        {"amount_months": 1.0},
        (CURRENCY,),
    ),
    "crm_sim/health_scores.csv": Expected(
        "scores", "account_id dated=scored_on value=score band", settings={"values": {"score": "health score"}}
    ),
    "crm_sim/renewals.csv": Expected(
        "renewals",
        "account_id due=due_on outcome amount_before=arr_before amount_after=arr_after",
        doubts=("each counts as known on its due date", CURRENCY),
    ),
    "crm_sim/account_months.parquet": Expected(
        "events",
        "account_id occurred=month_end",
        "month_no:whole month_start:day value_win_opportunity:number value_lose_opportunity:number "
        + " ".join(f"{name}:whole" for name in SIMULATED_COUNTS.split()),
        {"key": ("account_id", "occurred")},
        ("'month_end' is taken, as a sum is known at the end of its period", "not one event"),
    ),
    "telco/Telco-Customer-Churn.csv": Expected(
        "accounts",
        "account_id=customerID churned=Churn",
        "gender:text senior_citizen=SeniorCitizen:whole partner=Partner:flag dependents=Dependents:flag tenure:whole "
        "phone_service=PhoneService:flag multiple_lines=MultipleLines:text internet_service=InternetService:text "
        "online_security=OnlineSecurity:text online_backup=OnlineBackup:text device_protection=DeviceProtection:text "
        "tech_support=TechSupport:text streaming_tv=StreamingTV:text streaming_movies=StreamingMovies:text contract=Contract:text "
        "paperless_billing=PaperlessBilling:flag payment_method=PaymentMethod:text monthly_charges=MonthlyCharges:money "
        "total_charges=TotalCharges:money",
        doubts=(SNAPSHOT, "'Churn' says that an account left, and not when"),
    ),
    "online_retail/onlineretail.parquet": Expected(
        "purchases",
        "account_id=CustomerID purchased=InvoiceDate purchase_id=InvoiceNo product=StockCode quantity=Quantity",
        "description=Description:text unit_price=UnitPrice:money country=Country:text",
        doubts=(
            "'UnitPrice' is the price of one",
            "'CustomerID' is empty in",
            "no column identifies a row",
            "from its head, middle and tail",
        ),
    ),
}
DEMO = {
    "accounts.csv": Expected(
        "accounts", "account_id name parent_id segment created_on=signed_on", "region:text", {"fixed": ("created_on",)}, (SNAPSHOT,)
    ),
    "contacts.csv": Expected("contacts", "contact_id account_id name email role", "added_on:day left_on:day", doubts=(SNAPSHOT,)),
    "segments.csv": Expected("accounts", "account_id dated=valid_from segment", "valid_to:day", doubts=(LATER,)),
    "owner_history.csv": Expected("accounts", "account_id dated=valid_from owner", "valid_to:day", doubts=(LATER,)),
    "subscriptions.csv": Expected(
        "subscriptions",
        "account_id subscription_id started=start_date ended=end_date amount=arr currency seats",
        "term_months:whole own_amount=amount:money",
        {"amount_months": 12.0},
    ),
    "renewals.csv": Expected(
        "renewals",
        "account_id due=due_date outcome decided=outcome_known_at amount_before=arr_before amount_after=arr_after currency term_start "
        "notice=notice_date",
        "renewal_id:text parent_id:text",
    ),
    "health_scores.csv": Expected(
        "scores", "account_id dated=scored_on score=score_name value=score band set_by known_at=recorded_at",
        "segment:text owner:text parent_id:text",
    ),
    "tickets.csv": Expected(
        "tickets", "account_id ticket_id opened=opened_at closed=closed_at priority=severity satisfaction=csat", "category:text"
    ),
    "touchpoints.csv": Expected(
        "touchpoints", "account_id touchpoint_id occurred=happened_at known_at=logged_at channel=kind owner minutes", "opened:flag",
        {"key": ("touchpoint_id",)},
    ),
    "survey_responses.csv": Expected(
        "responses", "account_id answered=responded_on answer=nps", "eligibility_id:text",
        {"key": ("eligibility_id",), "values": {"survey": "NPS"}},
    ),
    "usage.parquet": Expected(
        "events", "account_id occurred=day",
        "logins:whole active_users:whole reports_built:whole automations_run:whole api_calls:whole",
        {"key": ("account_id", "occurred")},
        ("not one event",),
    ),
}  # fmt: skip
WITHOUT_TABLE = {
    "sfo_survey_2017/2017_SFO_Customer_Survey.csv": ("as responses it lacks account_id", "answered (when it was answered)"),
    "email_experiment/invest_email_rnd.csv": ("no column names an account",),
    "segment_spec/payload_examples.json": ("no column names an account",),
    "helpdesk_log/helpdesk.xes.gz": ("cannot be read as a table",),
}
DEMO_WITHOUT_TABLE = {
    "owners.csv": "lacks account_id",
    "survey_invitations.csv": "as responses it lacks answered",
    "truth/outages.csv": "no column names an account",
    "truth/owners.csv": "account",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder, accounts=60)
    return folder


def mapping_of(expected: Expected, name: str) -> SourceMapping:
    """The mapping that the short form stands for."""
    standard = {book: file or book for book, _, file in (one.partition("=") for one in expected.standard.split())}
    own = {one.rpartition(":")[0]: one.rpartition(":")[2] for one in expected.own.split()}
    named = {book: file or book for book, _, file in (one.partition("=") for one in own)}
    kinds = {one.partition("=")[0]: kind for one, kind in own.items()}
    return SourceMapping((name,), expected.table, standard | named, kinds, **expected.settings)  # pyright: ignore[reportArgumentType]


def check(path: Path, expected: Expected) -> None:
    proposal = propose(str(path), EMPTY)
    assert proposal.mapping == mapping_of(expected, path.name)
    assert len(proposal.doubts) == len(expected.doubts)
    for doubt in expected.doubts:
        assert any(doubt in said for said in proposal.doubts), (doubt, proposal.doubts)
    assert not proposal.faults


@pytest.mark.parametrize("name", SHARED)
def test_public_data_is_mapped_as_its_description_says_and_what_it_does_not_tell_is_said(shared_data: Path, name: str) -> None:
    check(shared_data / name, SHARED[name])


@pytest.mark.parametrize("name", DEMO)
def test_the_demo_companys_files_are_mapped_as_they_are_made(demo: Path, name: str) -> None:
    check(demo / name, DEMO[name])


@pytest.mark.parametrize("name", WITHOUT_TABLE)
def test_public_data_that_fits_no_table_says_what_is_missing(shared_data: Path, name: str) -> None:
    proposal = propose(str(shared_data / name), EMPTY)
    assert proposal.mapping is None
    assert proposal.faults
    for said in WITHOUT_TABLE[name]:
        assert said in proposal.table_why


@pytest.mark.parametrize("name", DEMO_WITHOUT_TABLE)
def test_a_file_of_owners_invitations_or_outages_is_of_no_account(demo: Path, name: str) -> None:
    proposal = propose(str(demo / name), EMPTY)
    assert proposal.mapping is None
    assert DEMO_WITHOUT_TABLE[name] in proposal.table_why


@pytest.mark.parametrize("name", DEMO)
def test_a_proposal_written_to_book_yml_is_read_back_and_takes_every_row_of_its_file(demo: Path, name: str) -> None:
    proposed = propose(str(demo / name), EMPTY).mapping
    assert proposed is not None
    definition = read_definition(add_source("", proposed))
    found = mapping_for(definition, str(demo / name))
    assert found is not None
    assert replace(found, line=0) == proposed
    source = open_typed(str(demo / name), found, definition)
    parts = list(source.parts())
    assert sum(part.rows.num_rows for part in parts) == source.rows_read > 0
    assert sum(part.rejected.num_rows for part in parts) == 0
    assert not source.unlisted


def test_twelve_million_events_are_told_from_sixty_thousand_rows(shared_data: Path) -> None:
    proposal = propose(str(shared_data / "crm_sim" / "events.parquet"), EMPTY)
    assert 40_000 <= proposal.rows <= 60_000
    assert not proposal.whole


def test_the_page_on_mapping_shows_the_proposal_as_it_is(demo: Path, root: Path) -> None:
    mapping = propose(str(demo / "subscriptions.csv"), EMPTY).mapping
    assert mapping is not None
    assert add_source("", mapping).strip() in (root / "docs" / "how-to" / "mapping.md").read_text(encoding="utf-8")
