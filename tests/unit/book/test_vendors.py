"""Exports of products: a typical file of each is read without naming a column.

Every column name stands in the product's public documentation, or in a public schema of its API, named beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from unspun.book.renewals import read_renewals
from unspun.book.roles import ROLES
from unspun.book.scores import read_scores
from unspun.book.subscriptions import read_subscriptions
from unspun.book.tables import CHURNED, RENEWED, UNDECIDED, ReadingOptions
from unspun.book.text import squash
from unspun.book.vendors import EXPORTS, find_export
from unspun.errors import BadInput

NOTHING = ReadingOptions()
GAINSIGHT = "https://support.gainsight.com/gainsight_nxt/Gainsight_Object_Glossary/CS_Object_Glossary/"
GAINSIGHT_1 = (
    "https://support.gainsight.com/SFDC_Edition/Administration_and_Permissions/General_Administration/Scorecards_1.0_Module_Objects"
)
CHURNZERO = "https://support.churnzero.net/hc/en-us/articles/360038655332-CSV-Imports"
TOTANGO = "https://support.totango.com/hc/en-us/articles/204456359-System-and-core-attributes"
PLANHAT = "https://www.planhat.com/developers/api/"
VITALLY = "https://docs.vitally.io/en/articles/9880654-rest-api-accounts"
SALESFORCE = "https://developer.salesforce.com/docs/atlas.en-us.228.0.sfFieldRef.meta/sfFieldRef/salesforce_field_reference_Opportunity.htm"
HUBSPOT = "https://knowledge.hubspot.com/crm-deals/hubspots-default-deal-properties"


@dataclass(frozen=True)
class Sample:
    """A file as a product writes it, what each role is read from, and where its column names are documented."""

    lines: tuple[str, ...]
    read: dict[str, str]
    sources: tuple[str, ...]

    def file(self) -> bytes:
        return ("\n".join(self.lines) + "\n").encode()


SCORES = {
    "Gainsight scorecard fact": Sample(
        ("Account,Current Score Value,Previous Score Value,Score Last Modified By,Score Last Modified Date", "Acme,72,70,Ann,2025-01-31"),
        {"account": "Account", "date": "Score Last Modified Date", "score": "Current Score Value", "set_by": "Score Last Modified By"},
        (GAINSIGHT_1,),
    ),
    "Gainsight scorecard history": Sample(
        ("Company Id,Overall Score,Modified By,Modified Date", "1P02A,72,Ann,2025-01-31"),
        {"account": "Company Id", "date": "Modified Date", "score": "Overall Score", "set_by": "Modified By"},
        (f"{GAINSIGHT}Scorecard_Objects", "github api-evangelist/gainsight json-schema/gainsight-company-schema.json (OverallScore)"),
    ),
    "Gainsight company with the day of the export": Sample(
        ("Snapshot Date,Company Id,Name,Current Score,Previous Score,CSM,ARR,MRR", "2025-01-31,1P02A,Acme,72,70,Ann,12000,1000"),
        {"account": "Company Id", "date": "Snapshot Date", "score": "Current Score", "owner": "CSM"},
        (f"{GAINSIGHT}Gainsight_Standard_Objects",),
    ),
    "ChurnZero account with the day of the export": Sample(
        ("Date,AccountExternalId,Name,PrimaryChurnScoreValue,NextRenewalDate,TotalContractAmount,OwnerUserAccount,ParentAccountExternalId",
         "2025-01-31,C1,Acme,72,2025-12-31,12000,ann,P1"),
        {"account": "AccountExternalId", "date": "Date", "score": "PrimaryChurnScoreValue", "owner": "OwnerUserAccount",
         "parent": "ParentAccountExternalId"},
        (CHURNZERO, "PrimaryChurnScoreValue: field of Account in public clients of ChurnZero's REST API"),
    ),
    "Totango account with the day of the export": Sample(
        ("Date,Account ID,Account Name,Health,Success Manager,Tier,Contract Value", "2025-01-31,102213x,Barksdale,Good,Joe,1,9000",
         "2025-01-31,102214x,Acme,Poor,Joe,2,100", "2025-01-31,102215x,Umbra,Average,Joe,2,100"),
        {"account": "Account ID", "date": "Date", "score": "Health", "owner": "Success Manager", "segment": "Tier"},
        (TOTANGO, "https://support.totango.com/hc/en-us/articles/360032136152-Analyze-health-at-the-account-level"),
    ),
    "Planhat company with the day of the export": Sample(
        ("date,_id,externalId,name,owner,phase,status,h,mrr,renewalDate",
         "2025-01-31,5f1,12345abcd,Acme,u1,onboarding,customer,7,100,2025-12-31"),
        {"account": "externalId", "date": "date", "score": "h", "owner": "owner"},
        (f"{PLANHAT}company", "github planhat/docs source/includes/_companies.md"),
    ),
    "Vitally account with the day of the export": Sample(
        ("date,id,externalId,name,organizationId,accountOwnerId,csmId,mrr,nextRenewalDate,churnedAt,healthScore,updatedAt",
         "2025-01-31,a1,47594e998e26,Acme Co.,o1,u1,u2,55,2025-12-31,,7.5,2025-02-01T10:00:00Z"),
        {"account": "externalId", "date": "date", "score": "healthScore", "owner": "csmId", "parent": "organizationId",
         "recorded_at": "updatedAt"},
        (VITALLY, "github immuta/tap-vitally tap_vitallyapi/schemas/accounts.json"),
    ),
    "HubSpot company with the day of the export": Sample(
        ("Date,Record ID,Company name,Company owner,Health score", "2025-01-31,9001,Acme,Ann,72"),
        {"account": "Record ID", "date": "Date", "score": "Health score", "owner": "Company owner"},
        ("https://knowledge.hubspot.com/help-desk/customize-a-health-score-in-the-customer-success-workspace",),
    ),
}  # fmt: skip
RENEWALS = {
    "Gainsight opportunity": Sample(
        ("Company,Due Date,Close Date,Stage,Target Amount,Final Amount", "1P02A,2025-06-30,2025-06-12,Closed Won,1000,1200",
         "1P02B,2025-06-30,2025-07-12,Closed Lost,1000,0"),
        {"account": "Company", "due": "Due Date", "outcome": "Stage", "amount_before": "Target Amount", "amount_after": "Final Amount",
         "outcome_known_at": "Close Date"},
        (f"{GAINSIGHT}Renewal_Center_Objects",),
    ),
    "Totango account": Sample(
        ("Account ID,Contract Start Date,Contract Renewal Date,Contract Value,Contract Status,Status,Cancellation Date,Success Manager",
         "1x,2024-06-30,2025-06-30,9000,Paying,Enterprise,,Joe", "2x,2024-06-30,2025-06-30,90,Canceled,Cancelled,2025-06-01,Joe"),
        {"account": "Account ID", "due": "Contract Renewal Date", "outcome": "Contract Status", "amount_before": "Contract Value",
         "term_start": "Contract Start Date", "outcome_known_at": "Cancellation Date", "owner": "Success Manager"},
        (TOTANGO, "https://support.totango.com/hc/en-us/articles/202912499-Configure-contract-statuses"),
    ),
    "Planhat licence": Sample(
        ("_id,externalId,companyId,companyName,product,fromDate,toDate,renewalStatus,_currency,mrr",
         "l1,x1,c1,Acme,Core,2024-06-30,2025-06-30,renewed,USD,100", "l2,x2,c2,Umbra,Core,2024-06-30,2025-06-30,lost,USD,90",
         "l3,x3,c3,Axon,Core,2025-06-30,2026-06-30,ongoing,USD,90"),
        {"account": "companyId", "due": "toDate", "outcome": "renewalStatus", "term_start": "fromDate", "amount_before": "mrr",
         "currency": "_currency"},
        (f"{PLANHAT}license", "github planhat/docs source/includes/_licenses.md"),
    ),
    "Salesforce opportunity": Sample(
        ("Id,AccountId,Name,StageName,Amount,CloseDate,IsClosed,IsWon,OwnerId,CurrencyIsoCode,Type",
         "006A,001q000000wW9Be,Renewal,Closed Won,1200,2025-06-30,true,true,005,USD,Renewal",
         "006B,001q000000wW9BZ,Renewal,Closed Lost,900,2025-06-30,true,false,005,USD,Renewal",
         "006C,0015500000Xyy06,Renewal,Our own last step,900,2026-06-30,false,false,005,USD,Renewal"),
        {"account": "AccountId", "due": "CloseDate", "outcome": "IsWon", "amount_before": "Amount", "currency": "CurrencyIsoCode",
         "outcome_known_at": "CloseDate", "owner": "OwnerId", "closed": "IsClosed"},
        (SALESFORCE, "github fivetran/dbt_salesforce_source integration_tests/seeds/sf_opportunity_data.csv"),
    ),
    "Salesforce opportunity without its stage": Sample(
        ("AccountId,CloseDate,IsClosed,IsWon", "001A,2025-06-30,true,true", "001B,2025-06-30,true,false", "001C,2026-06-30,false,false"),
        {"account": "AccountId", "due": "CloseDate", "outcome": "IsWon", "closed": "IsClosed", "outcome_known_at": "CloseDate"},
        (SALESFORCE,),
    ),
    "HubSpot deal": Sample(
        ("Record ID,Deal Name,Deal Stage,Close Date,Deal owner,Amount,Associated Company",
         "1,Acme renewal,Closed Won,2025-06-30 10:15,Ann,1200,Acme", "2,Umbra renewal,Closed Lost,2025-06-30 10:15,Ann,900,Umbra",
         "3,Axon renewal,Contract Sent,2026-06-30 10:15,Ann,900,Axon"),
        {"account": "Associated Company", "due": "Close Date", "outcome": "Deal Stage", "amount_before": "Amount", "owner": "Deal owner",
         "outcome_known_at": "Close Date"},
        (HUBSPOT, "https://hubspot.orchestraco.com/knowledge/glossary-of-deal-terms-fields (Associated Company)"),
    ),
    "HubSpot deal by internal names": Sample(
        ("hs_object_id,dealname,dealstage,closedate,hubspot_owner_id,amount,company", "1,a,closedwon,2025-06-30,7,1200,Acme",
         "2,b,closedlost,2025-06-30,7,900,Umbra", "3,c,decisionmakerboughtin,2026-06-30,7,900,Axon"),
        {"account": "company", "due": "closedate", "outcome": "dealstage", "amount_before": "amount", "owner": "hubspot_owner_id",
         "outcome_known_at": "closedate"},
        ("https://developers.hubspot.com/docs/api/crm/deals", "github fivetran/dbt_hubspot_source integration_tests/seeds/deal_data.csv"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("sample", SCORES.values(), ids=SCORES.keys())
def test_scores_as_a_product_exports_them_are_read_without_naming_a_column(sample: Sample) -> None:
    history = read_scores(sample.file(), NOTHING)
    assert history.source.columns == sample.read
    assert len(history.row) == len(sample.lines) - 1
    assert all(sample.sources)


@pytest.mark.parametrize("sample", RENEWALS.values(), ids=RENEWALS.keys())
def test_renewals_as_a_product_exports_them_are_read_without_naming_a_column(sample: Sample) -> None:
    renewals = read_renewals(sample.file(), NOTHING)
    assert renewals.source.columns == sample.read
    assert renewals.outcome.tolist() == [RENEWED, CHURNED, UNDECIDED][: len(sample.lines) - 1]


def test_contracts_of_salesforce_are_terms_of_subscriptions() -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.226.0.sfFieldRef.meta/sfFieldRef/salesforce_field_reference_Contract.htm"""
    lines = "Id,AccountId,ContractNumber,ContractTerm,StartDate,EndDate\n800A,001A,00000100,12,2024-06-30,2025-06-29\n"
    columns = read_subscriptions(lines.encode(), NOTHING).source.columns
    assert (columns["account"], columns["start"], columns["end"]) == ("AccountId", "StartDate", "EndDate")


def test_licences_of_planhat_are_terms_of_their_company_and_not_of_their_own_id() -> None:
    lines = "externalId,companyId,product,fromDate,toDate,mrr\nl1,c1,Core,2024-06-30,2025-06-30,100\n"
    table = read_subscriptions(lines.encode(), NOTHING)
    assert table.account.names == ("c1",)


def test_a_due_date_of_its_own_goes_before_the_close_date_of_a_deal() -> None:
    lines = "AccountId,StageName,CloseDate,Renewal_Date__c\n001A,Closed Won,2025-06-01,2025-06-30\n"
    renewals = read_renewals(lines.encode(), NOTHING)
    assert renewals.source.columns["due"] == "Renewal_Date__c"
    assert not any("close date" in note for note in renewals.source.notes)


def test_a_close_date_taken_as_due_is_said() -> None:
    renewals = read_renewals(b"AccountId,StageName,CloseDate\n001A,Closed Won,2025-06-01\n", NOTHING)
    assert any("the close date of each deal is taken as its due date" in note for note in renewals.source.notes)


def test_what_the_caller_names_goes_before_what_an_export_is_known_for() -> None:
    options = ReadingOptions(columns={"account": "companyName"})
    lines = "companyId,companyName,fromDate,toDate,renewalStatus\nc1,Acme,2024-06-30,2025-06-30,lost\n"
    assert read_renewals(lines.encode(), options).account.names == ("Acme",)


def test_a_deal_that_is_not_won_is_lost_only_where_it_is_known_to_be_closed() -> None:
    with pytest.raises(BadInput, match="may be lost or still open"):
        read_renewals(b"account,due,IsWon\nA,2025-06-30,true\nB,2025-06-30,false\n", NOTHING)


def test_a_header_is_told_as_one_export_only() -> None:
    for export in EXPORTS:
        names = {squash(name) for name in export.signature.split(", ")}
        assert find_export(export.role, names) == export
        assert {*export.columns, *export.otherwise} <= {*ROLES[export.role], "score"}
