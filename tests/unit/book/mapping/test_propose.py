"""Proposals for awkward files: what is told from contents, what is left open and said, and what is refused."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unspun.book.mapping.book_file import add_source, mapping_for, read_definition
from unspun.book.mapping.contents_sample import WHOLE_BYTES
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.mapping.propose import Proposal, describe_proposal, propose

EMPTY = BookDefinition(())


def proposed(folder: Path, name: str, text: str, definition: BookDefinition = EMPTY, table: str | None = None) -> Proposal:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return propose(str(path), definition, table)  # pyright: ignore[reportArgumentType]


def mapped(proposal: Proposal) -> SourceMapping:
    """The proposal's mapping, after a round trip through book.yml that changes nothing."""
    assert proposal.mapping is not None, proposal.table_why
    read = read_definition(add_source("", proposal.mapping)).sources
    assert [replace(one, line=0) for one in read] == [proposal.mapping]
    return proposal.mapping


def doubted(proposal: Proposal, *said: str) -> bool:
    return any(all(part in doubt for part in said) for doubt in proposal.doubts)


UNRELATED = {
    "app.log": "2024-01-01 12:00:01 INFO started\n2024-01-01 12:00:02 WARN slow query, took 3s\n2024-01-01 12:00:03 INFO done\n",
    "access.csv": "client,user,timestamp,path,status\n10.0.0.1,ann,2024-01-01T10:00:00,/a,200\n10.0.0.2,bob,2024-01-01T10:00:01,/b,404\n",
    "server.ini": "[server]\nport=8080\nhost=localhost\n[client]\nid=5\n",
    "server.yml": "server:\n  port: 80\n  host: x\nclients:\n  - a\n",
    "server.toml": '[a]\nb = 1\nname = "x"\n',
    "recipes.csv": "id,name,servings,minutes,ingredients\n1,Soup,4,30,water; salt\n2,Bread,2,90,flour\n",
    "recipes.json": '[{"name": "Soup", "minutes": 30, "steps": ["a", "b"]}, {"name": "Bread", "minutes": 90, "steps": ["c"]}]',
    "names.csv": "name\nAnna\nBob\nCarla\n",
    "readings.csv": "timestamp,sensor,value\n2024-01-01T10:00:00,t1,20.5\n2024-01-01T10:01:00,t1,20.6\n",
    "cities.csv": "country,city,population\nDE,Ulm,126000\nIT,Rom,2800000\n",
}


@pytest.mark.parametrize("name", UNRELATED)
def test_a_log_a_configuration_or_a_list_of_recipes_feeds_no_table(tmp_path: Path, name: str) -> None:
    proposal = proposed(tmp_path, name, UNRELATED[name])
    assert proposal.mapping is None
    assert proposal.faults
    assert proposal.table_why
    assert all(column.kind is None for column in proposal.columns)


def test_a_column_name_alone_is_an_account_only_where_the_file_says_so_and_not_surely(tmp_path: Path) -> None:
    assert proposed(tmp_path, "names.csv", "name\nAcme\nUmbra\n").mapping is None
    proposal = proposed(tmp_path, "accounts.csv", "name\nAcme\nUmbra\n")
    assert mapped(proposal).columns == {"account_id": "name"}
    assert not proposal.columns[0].sure
    assert doubted(proposal, "no column is an id", "'name'")


def test_of_two_columns_that_fit_an_account_equally_one_is_taken_and_both_are_named(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "a.csv", "customer_id,client_id,due_date,outcome\nA1,C1,2024-01-02,renewed\nA2,C2,2024-02-03,churned\n")
    assert mapped(proposal).columns["account_id"] == "customer_id"
    assert doubted(proposal, "'customer_id', 'client_id'", "account_id")
    assert not proposal.columns[0].sure


@pytest.mark.parametrize("cells", [("10.0.0.1", "10.0.0.2"), ("2024-01-01", "2024-01-02"), ("0.5", "1.5"), ("yes", "no")])
def test_addresses_dates_fractions_and_flags_name_no_account(tmp_path: Path, cells: tuple[str, str]) -> None:
    lines = "client,user_id,event,occurred_at\n{},u1,login,2024-01-01\n{},u2,login,2024-01-02\n"
    assert mapped(proposed(tmp_path, "events.csv", lines.format("C1", "C2"))).columns["account_id"] == "client"
    assert proposed(tmp_path, "events.csv", lines.format(*cells)).mapping is None


def test_an_account_id_goes_before_a_customers_number_and_a_companys_name(tmp_path: Path) -> None:
    lines = "company,customer_id,account_id,client name,signup_date\nAcme,C1,A1,Acme Ltd,2024-01-02\nUmbra,C2,A2,Umbra Ltd,2024-02-03\n"
    columns = mapped(proposed(tmp_path, "a.csv", lines)).columns
    assert columns == {
        "account_id": "account_id", "name": "client name", "created_on": "signup_date", "company": "company", "customer_id": "customer_id",
    }  # fmt: skip


def test_dates_written_in_two_ways_are_a_doubt_that_quotes_both(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "r.csv", "account_id,due_date,outcome\nA,31/01/2024,renewed\nB,02/28/2024,churned\n")
    assert mapped(proposal).columns["due"] == "due_date"
    assert doubted(proposal, "'31/01/2024'", "'02/28/2024'", "mixes two formats")
    assert [column.sure for column in proposal.columns] == [True, False, True]


def test_an_order_of_day_and_month_that_no_date_tells_is_a_doubt_with_the_formats_to_choose_from(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "r.csv", "account_id,due_date,outcome\nA,01/02/2024,renewed\nB,03/04/2024,churned\n")
    assert doubted(proposal, "1 February or 2 January", "`date_format`", "%d/%m/%Y")


def test_a_number_written_like_a_date_name_is_no_date(tmp_path: Path) -> None:
    """`closed` says how many deals were closed here, and a term's end that is a number of months ends nothing."""
    lines = "ticket_id,account_id,opened_at,closed\nT1,A1,2024-01-02,5\nT2,A2,2024-01-03,7\n"
    mapping = mapped(proposed(tmp_path, "tickets.csv", lines))
    assert "closed" not in mapping.columns
    assert mapping.kinds == {"own_closed": "whole"}


def test_empty_columns_keep_their_place_and_are_not_sure(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "accounts.csv", "account_id,name,plan,note\nA1,Acme,,\nA2,Umbra,,\n")
    mapping = mapped(proposal)
    assert (mapping.columns["plan"], mapping.kinds) == ("plan", {"note": "text"})
    assert {column.file_column: column.sure for column in proposal.columns} == {
        "account_id": True,
        "name": True,
        "plan": False,
        "note": False,
    }


def test_a_file_of_empty_cells_is_no_table(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "renewals.csv", "account_id,due_date,outcome\n,,\n,,\n")
    assert (proposal.mapping, proposal.faults[0].code) == (None, "no_rows")


def test_three_hundred_columns_are_each_taken_once(tmp_path: Path) -> None:
    names = [f"Measure {i}" for i in range(299)]
    rows = "".join(f"A{i}," + ",".join(str(i * 7 % 11) for _ in names) + "\n" for i in range(50))
    mapping = mapped(proposed(tmp_path, "accounts.csv", f"account_id,{','.join(names)}\n{rows}"))
    assert set(mapping.columns.values()) == {"account_id", *names}
    assert set(mapping.kinds.values()) == {"whole"}


def test_columns_of_one_name_are_left_out_together(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "accounts.csv", "account_id,name,note,note\nA1,Acme,x,y\nA2,Umbra,z,w\n")
    mapping = mapped(proposal)
    assert (mapping.columns, mapping.ignored) == ({"account_id": "account_id", "name": "name"}, ("note",))
    assert doubted(proposal, "2 columns are named 'note'")


def test_an_account_that_stands_twice_is_not_replaced_by_a_name(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "accounts.csv", "account_id,account_id,name\nA1,A1,Acme\nA2,A2,Umbra\n")
    assert proposal.mapping is None
    assert "'account_id' stands over several columns" in proposal.table_why


def test_headers_in_other_scripts_become_names_that_book_yml_takes(tmp_path: Path) -> None:
    lines = "account_id,Größe,Straße Nr.,顧客名,Été,1st order,select,load,AmountPAIDTotal\nA1,5,Weg 1,あ,3.5,2024-01-01,x,1,2.5\n"
    mapping = mapped(proposed(tmp_path, "accounts.csv", lines))
    assert mapping.columns == {
        "account_id": "account_id", "grosse": "Größe", "strasse_nr": "Straße Nr.", "column_4": "顧客名", "ete": "Été",
        "c_1st_order": "1st order", "own_select": "select", "own_load": "load", "amount_paid_total": "AmountPAIDTotal",
    }  # fmt: skip


def test_one_row_is_enough_for_names_to_tell(tmp_path: Path) -> None:
    mapping = mapped(proposed(tmp_path, "x.csv", "account_id,due_date,outcome\nA1,2024-02-01,renewed\n"))
    assert (mapping.table, mapping.row_key) == ("renewals", ("account_id", "due"))


def test_a_name_of_the_table_that_holds_something_else_becomes_an_own_column_of_another_name(tmp_path: Path) -> None:
    mapping = mapped(
        proposed(tmp_path, "renewals.csv", "account_id,due_date,outcome,decided\nA,2024-01-01,renewed,true\nB,2024-01-02,churned,false\n")
    )
    assert (mapping.columns["own_decided"], mapping.kinds) == ("decided", {"own_decided": "flag"})


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ("0012,0345", "text"),
        ("12,345", "whole"),
        ("12.0,345", "number"),
        ("yes,No", "flag"),
        ("1,0", "whole"),
        ("2024-01-31,2024-02-29", "day"),
        ("2024-01-31 10:15,2024-02-29 00:00", "instant"),
        ("2024-01-31T10:15:00Z,2024-02-29T00:00:00Z", "instant"),
        ("99999999999999999999,1", "text"),
        ("a,5", "text"),
        (",", "text"),
    ],
)
def test_the_kind_of_an_own_column_is_told_by_its_cells(tmp_path: Path, cells: str, kind: str) -> None:
    first, second = cells.split(",")
    mapping = mapped(proposed(tmp_path, "accounts.csv", f"account_id,thing\nA1,{first}\nA2,{second}\n"))
    assert mapping.kinds == {"thing": kind}


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("monthly_price", "money"),
        ("RefundAmount", "money"),
        ("cost_usd", "money"),
        ("price_rate", "number"),
        ("share_of_revenue", "number"),
        ("amount_count", "number"),
        ("height", "number"),
    ],
)
def test_an_own_column_is_money_only_where_its_name_clearly_says_so(tmp_path: Path, header: str, kind: str) -> None:
    mapping = mapped(proposed(tmp_path, "accounts.csv", f"account_id,{header}\nA1,1.5\nA2,2.25\n"))
    assert list(mapping.kinds.values()) == [kind]


def test_zeros_and_ones_are_a_flag_only_under_the_name_of_one(tmp_path: Path) -> None:
    mapping = mapped(proposed(tmp_path, "accounts.csv", "account_id,is_trial,beta_flag,children\nA1,1,0,1\nA2,0,1,0\n"))
    assert mapping.kinds == {"is_trial": "flag", "beta_flag": "flag", "children": "whole"}


@pytest.mark.parametrize(
    ("header", "months"), [("mrr", 1.0), ("MRR (EUR)", 1.0), ("arr", 12.0), ("annual revenue", None), ("acv", 12.0), ("tcv", 0.0)]
)
def test_what_an_amount_is_for_is_told_by_its_name(tmp_path: Path, header: str, months: float | None) -> None:
    lines = f"subscription_id,account_id,start_date,end_date,{header}\nS1,A1,2024-01-01,2024-12-31,5\nS2,A2,2024-01-01,2024-12-31,6\n"
    mapping = mapped(proposed(tmp_path, "subscriptions.csv", lines))
    assert mapping.amount_months == months
    assert ("amount" in mapping.columns) == (months is not None)


def test_an_amount_of_which_nobody_says_what_it_is_for_is_kept_apart_and_asked_about(tmp_path: Path) -> None:
    lines = "subscription_id,account_id,start_date,end_date,price\nS1,A1,2024-01-01,2024-12-31,5\nS2,A2,2024-01-01,2024-12-31,6\n"
    proposal = proposed(tmp_path, "subscriptions.csv", lines)
    assert mapped(proposal).kinds == {"price": "money"}
    assert doubted(proposal, "'price'", "covers: year")


def test_a_column_of_billing_periods_says_what_amounts_are_for_and_a_header_their_currency(tmp_path: Path) -> None:
    lines = (
        "customer id;start;end;Price (EUR);billing cycle\nA1;2024-01-01;2024-12-31;1.200,50;annual\nA2;2024-01-01;2024-12-31;9,50;monthly\n"
    )
    mapping = mapped(proposed(tmp_path, "contracts.csv", lines))
    assert (mapping.columns["amount"], mapping.columns["amount_months"], mapping.currency) == ("Price (EUR)", "billing cycle", "EUR")


def test_a_currency_is_proposed_only_where_the_file_names_one(tmp_path: Path) -> None:
    lines = "account_id,due_date,outcome,arr_before\nA1,2024-01-01,renewed,{0}5\nA2,2024-01-02,churned,{0}6\n"
    named = proposed(tmp_path, "renewals.csv", lines.format("€"))
    assert mapped(named).currency == "EUR"
    unclear = proposed(tmp_path, "renewals.csv", lines.format("$"))
    assert mapped(unclear).currency is None
    assert doubted(unclear, "currency")
    known = proposed(tmp_path, "renewals.csv", lines.format("$"), BookDefinition((), currency="USD"))
    assert not doubted(known, "currency")


def test_ids_that_repeat_with_other_values_are_no_key(tmp_path: Path) -> None:
    header = "subscription_id,account_id,start_date,end_date,mrr\n"
    lines = header + "S1,A1,2024-01-01,{0},5\nS1,A1,{1},2025-12-31,6\nS2,A2,2024-01-01,2024-12-31,5\n"
    phases = proposed(tmp_path, "subscriptions.csv", lines.format("2024-12-31", "2025-01-01"))
    assert mapped(phases).key == ("subscription_id", "started")
    muddled = proposed(tmp_path, "subscriptions.csv", lines.format("2024-12-31", "2024-01-01"))
    assert mapped(muddled).row_key == ()
    assert doubted(muddled, "1 of the 3 rows", "identifies no line")
    copies = proposed(tmp_path, "subscriptions.csv", lines.format("2025-12-31", "2024-01-01").replace(",6\n", ",5\n"))
    assert mapped(copies).row_key == ("subscription_id",)
    assert not doubted(copies, "repeat")


def test_renewals_due_twice_are_told_apart_by_an_id_of_their_own_or_doubted(tmp_path: Path) -> None:
    lines = "{0},account_id,due_date,outcome\n1,A1,2024-01-01,renewed\n2,A1,2024-01-01,churned\n3,A2,2024-01-01,renewed\n"
    assert mapped(proposed(tmp_path, "renewals.csv", lines.format("renewal_id"))).key == ("renewal_id",)
    doubtful = proposed(tmp_path, "renewals.csv", lines.format("line"))
    assert mapped(doubtful).key == ()
    assert doubted(doubtful, "'account_id', 'due'", "conflict")


def test_rows_without_an_id_stay_without_a_key_and_what_follows_is_said(tmp_path: Path) -> None:
    proposal = proposed(
        tmp_path, "usage.csv", "account_id,event,occurred_at\nA1,login,2024-01-01\nA1,export,2024-01-01\nA2,login,2024-01-02\n"
    )
    assert mapped(proposal).row_key == ()
    assert doubted(proposal, "no column identifies a row", "adds them again")


def test_two_statements_of_one_account_on_one_day_are_a_conflict_that_is_foretold(tmp_path: Path) -> None:
    lines = "account_id,valid_from,segment\nA1,2024-01-01,SMB\nA1,2024-01-01,Mid\nA1,2025-01-01,Mid\nA2,2024-01-01,SMB\n"
    assert doubted(proposed(tmp_path, "accounts.csv", lines), "1 of the 4 rows", "conflict")


def test_the_table_may_be_named_and_what_it_lacks_is_then_told(tmp_path: Path) -> None:
    lines = "account_id,day,note\nA1,2024-01-01,x\nA1,2024-01-01,y\n"
    assert proposed(tmp_path, "x.csv", lines).mapping is None
    assert mapped(proposed(tmp_path, "x.csv", lines, table="events")).columns == {
        "account_id": "account_id",
        "occurred": "day",
        "note": "note",
    }
    refused = proposed(tmp_path, "x.csv", lines, table="tickets")
    assert refused.mapping is None
    assert refused.faults[0].code == "no_table_fits"


def test_two_tables_that_a_file_fits_nearly_as_well_are_both_named(tmp_path: Path) -> None:
    lines = "account_id,date,account_name,industry,owner,health\nA1,2024-01-31,Acme,IT,Ann,Good\nA2,2024-01-31,Umbra,IT,Ann,Poor\n"
    proposal = proposed(tmp_path, "x.csv", lines)
    assert proposal.mapping is not None
    other = "scores" if proposal.mapping.table == "accounts" else "accounts"
    assert doubted(proposal, f"could also feed {other}")


def test_several_scores_in_a_row_are_one_score_and_own_columns(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "x.csv", "account_id,scored_on,health_score,nps_score\nA1,2024-01-31,70,9\nA2,2024-01-31,50,3\n")
    mapping = mapped(proposal)
    assert (mapping.columns["value"], mapping.values, mapping.kinds) == ("health_score", {"score": "health_score"}, {"nps_score": "whole"})
    assert doubted(proposal, "'nps_score' may be scores too")


def test_a_column_a_month_is_read_as_scores_by_month(tmp_path: Path) -> None:
    mapping = mapped(proposed(tmp_path, "health.csv", "account_id,2025-01,2025-02\nA1,70,71\nA2,50,51\n"))
    assert mapping.columns == {"account_id": "account_id", "dated": "date", "value": "score"}


def test_rates_contacts_and_forecasts_are_told_too(tmp_path: Path) -> None:
    rates = mapped(proposed(tmp_path, "fx.csv", "currency,to_currency,date,rate\nEUR,USD,2024-01-01,1.1\nGBP,USD,2024-01-01,1.27\n"))
    assert (rates.table, rates.row_key) == ("rates", ("currency", "into", "day"))
    people = mapped(proposed(tmp_path, "p.csv", "contact id,customer id,full name,e-mail,job title\n1,A,Ann,ann@a.example,CFO\n"))
    assert people.columns == {
        "contact_id": "contact id", "account_id": "customer id", "name": "full name", "email": "e-mail", "role": "job title",
    }  # fmt: skip
    calls = mapped(proposed(tmp_path, "f.csv", "account_id,due_date,forecast date,csm,probability\nA,2025-06-30,2025-05-01,Ann,0.9\n"))
    assert (calls.table, calls.columns["made"], calls.columns["made_by"]) == ("forecasts", "forecast date", "csm")


def test_nested_values_are_left_out_and_objects_within_are_columns(tmp_path: Path) -> None:
    rows = [{"account_id": "A1", "tags": ["x"], "address": {"city": "Rom"}}, {"account_id": "A2", "tags": [], "address": {"city": "Ulm"}}]
    mapping = mapped(proposed(tmp_path, "accounts.json", json.dumps(rows)))
    assert mapping.columns == {"account_id": "account_id", "address_city": "address.city"}
    path = tmp_path / "accounts.parquet"
    pq.write_table(pa.table({"account_id": ["A1", "A2"], "tags": [["x"], []]}), path)
    mapping = mapped(propose(str(path), EMPTY))
    assert (mapping.columns, mapping.ignored) == ({"account_id": "account_id"}, ("tags",))


def test_title_lines_above_the_header_do_not_hide_it(tmp_path: Path) -> None:
    text = "Quarterly export\nmade by Ann,\n\naccount_id,due_date,outcome\nA1,2024-02-01,renewed\nA2,2024-03-01,churned\n"
    assert mapped(proposed(tmp_path, "x.csv", text)).columns == {"account_id": "account_id", "due": "due_date", "outcome": "outcome"}


def test_of_a_workbook_one_sheet_is_taken_and_the_others_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheets = {
        "Renewals": [("account_id", "due_date", "outcome"), ("A1", "2024-01-01", "renewed"), ("A2", "2024-02-01", "churned")],
        "Accounts": [("account_id", "name", "plan"), ("A1", "Acme", "Pro"), ("A2", "Umbra", "Basic")],
    }
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.remove(book.worksheets[0])
    book.save(tmp_path / "export.xlsx")
    for table in (None, "renewals"):
        proposal = propose(str(tmp_path / "export.xlsx"), EMPTY, table)
        assert mapped(proposal).columns == {"account_id": "account_id", "due": "due_date", "outcome": "outcome"}
        assert doubted(proposal, "sheets not read: 'Accounts'")
    unclear = propose(str(tmp_path / "export.xlsx"), EMPTY, "accounts")
    assert (unclear.mapping, unclear.faults[0].code) == (None, "several_sheets")
    assert "--map" not in str(unclear.faults[0])


def test_the_pattern_of_a_file_fits_its_next_month_and_no_other_file(tmp_path: Path) -> None:
    text = "account_id,month,logins,calls\nA1,2026-03,5,6\nA1,2026-04,7,8\nA2,2026-03,7,8\n"
    mapping = mapped(proposed(tmp_path, "usage_2026-03.csv", text))
    definition = read_definition(add_source("", mapping))
    assert mapping_for(definition, "in/USAGE_2026-04.csv") is not None
    assert mapping_for(definition, "usage_summary.csv") is None


def test_of_a_big_file_the_head_middle_and_tail_are_looked_at(tmp_path: Path) -> None:
    """Only its last rows tell that days come first."""
    row = "A{},{},login,some more text to make rows longer\n"
    rows = [row.format(i % 500, "03/04/2024") for i in range(WHOLE_BYTES // 40)]
    rows[-1] = row.format(1, "31/04/2024").replace("31/04", "30/04")
    proposal = proposed(tmp_path, "events.csv", "account_id,event_date,event,note\n" + "".join(rows))
    assert mapped(proposal).columns["occurred"] == "event_date"
    assert not proposal.whole
    assert proposal.rows < len(rows) / 2
    assert doubted(proposal, "head, middle and tail")
    assert not doubted(proposal, "could be")


def test_a_packed_file_is_read_and_a_broken_or_missing_one_is_a_fault(tmp_path: Path) -> None:
    packed = tmp_path / "renewals.csv.gz"
    packed.write_bytes(gzip.compress(b"account_id,due_date,outcome\nA1,2024-02-01,renewed\n"))
    assert mapped(propose(str(packed), EMPTY)).table == "renewals"
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing more")
    for name in ("broken.parquet", "missing.csv", ""):
        proposal = propose(str(tmp_path / name), EMPTY)
        assert proposal.mapping is None
        assert proposal.faults


def test_another_source_of_the_table_gives_its_kinds_and_what_it_means_for_this_one_is_said(tmp_path: Path) -> None:
    other = SourceMapping(("plans.csv",), "accounts", {"account_id": "id", "plan": "plan", "code": "code"}, {"code": "text"})
    definition = BookDefinition((other,))
    proposal = proposed(tmp_path, "accounts.csv", "account_id,name,code\nA1,Acme,5\nA2,Umbra,6\n", definition)
    assert mapped(proposal).kinds == {"code": "text"}
    assert doubted(proposal, "plans.csv states 'code' too", "stated last")
    assert not doubted(proposal, "'plan'")


def test_a_table_keeps_the_key_that_another_source_gave_it(tmp_path: Path) -> None:
    """Else book.yml would refuse the second source."""
    usage = "account_id,day,logins,calls\nA1,2024-01-01,5,6\nA1,2024-01-02,7,8\nA2,2024-01-01,7,8\n"
    first = mapped(proposed(tmp_path, "usage.csv", usage))
    assert first.row_key == ("account_id", "occurred")
    log = "account_id,event,event_date\nA1,login,2024-01-01\nA1,export,2024-01-01\n"
    refused = proposed(tmp_path, "log.csv", log, BookDefinition((first,)))
    assert (refused.mapping, refused.faults[0].code) == (None, "two_keys")
    assert "usage.csv" in refused.table_why
    keyless = mapped(proposed(tmp_path, "log.csv", log))
    second = proposed(tmp_path, "usage.csv", usage, BookDefinition((keyless,)))
    assert mapped(second).row_key == ()
    assert doubted(second, "log.csv", "no key")
    assert doubted(second, "log.csv feeds events too")
    daily = proposed(tmp_path, "logins.csv", "account_id,day,event\nA1,2024-01-01,login\nA2,2024-01-01,login\n", BookDefinition((first,)))
    assert mapped(daily).row_key == ("account_id", "occurred")
    book = add_source(add_source("", first), mapped(daily))
    assert len(read_definition(book).sources) == 2


def test_a_proposal_is_laid_out_with_standard_columns_first_and_at_most_three_short_examples(tmp_path: Path) -> None:
    lines = "note,account_id,due_date,outcome\n" + "".join(f"{'long ' * 20}{i},A{i},2024-02-0{i},renewed\n" for i in range(1, 6))
    table = describe_proposal(proposed(tmp_path, "renewals.csv", lines))
    assert [(row.book_column, row.file_column, row.kind) for row in table.rows] == [
        ("account_id", "account_id", "text"), ("due", "due_date", "day"), ("outcome", "outcome", "text"), ("note", "note", "text"),
    ]  # fmt: skip
    assert table.rows[0].examples == "A1, A2, A3"
    assert len(table.rows[3].examples) <= 3 * 30 + 4
    assert dict(table.settings)["key"] == "account_id, due"
    assert table.title.startswith("renewals: ")


@pytest.mark.parametrize(
    ("name", "text", "table", "columns"),
    [
        (
            "churned_customers.csv",
            "Account ID,Churn Date,Reason,ARR Lost (EUR)\nA1,2025-01-03,price,1200\nA2,2025-02-03,left,100\n",
            "churns",
            {"account_id": "Account ID", "churned": "Churn Date", "reason": "Reason", "arr_lost": "ARR Lost (EUR)"},
        ),
        (
            "cancellations.csv",
            "id,customer_id,cancellation_date,feedback\n7,C1,2025-01-03,bad\n8,C2,2025-01-05,\n",
            "churns",
            {"account_id": "customer_id", "churn_id": "id", "churned": "cancellation_date", "verbatim": "feedback"},
        ),
        (
            "churn.csv",
            "account_id,due_date,churned\nC1,2025-01-03,yes\nC2,2025-01-05,no\n",
            "renewals",
            {"account_id": "account_id", "due": "due_date", "outcome": "churned"},
        ),
        (
            "customers.csv",
            "customer_id,signup_date,churn_date,churned\nC1,2024-01-01,2025-01-03,yes\nC2,2024-02-01,,no\n",
            "accounts",
            {"account_id": "customer_id", "created_on": "signup_date", "churned": "churned", "churn_date": "churn_date"},
        ),
        (
            "usage_daily.csv",
            "subscription_id,day,logins,reports\nS1,2025-01-03,5,2\nS1,2025-01-04,6,3\nS2,2025-01-03,1,2\n",
            "events",
            {"subscription_id": "subscription_id", "occurred": "day", "logins": "logins", "reports": "reports"},
        ),
    ],
)
def test_churn_and_usage_go_to_the_table_that_says_what_the_file_says(
    tmp_path: Path, name: str, text: str, table: str, columns: dict[str, str]
) -> None:
    mapping = mapped(proposed(tmp_path, name, text))
    assert (mapping.table, mapping.columns) == (table, columns)


def test_a_day_of_churn_is_not_said_to_tell_no_day(tmp_path: Path) -> None:
    text = "customer_id,signup_date,churn_date\nC1,2024-01-01,2025-01-03\nC2,2024-02-01,\n"
    said = [doubt for doubt in proposed(tmp_path, "customers.csv", text).doubts if "left" in doubt]
    assert said == ["'churn_date' says when an account left, and not which renewal that was: it is kept as an own column."]
