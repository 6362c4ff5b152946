"""Names against ids: an id that was given to another customer, a customer that has two ids, an e-mail address at two accounts.

Names are compared without case, accents, punctuation and a legal form at the end ("Acme, Inc." is "ACME"); nothing fuzzier.
"""

from __future__ import annotations

from collections.abc import Iterator

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.finding import Finding, Severity
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import WRONG_SHARE, counted, only_row
from unspun.book.sql_words import sql_name

LEGAL_FORMS = (
    "inc incorporated corp corporation co company llc llp lp ltd limited plc gmbh mbh ag kg ug se sa sas sarl srl spa bv nv ab as asa oy "
    "oyj "
    "aps pty pte kk sl sro doo"
)
DOMAINS = ("domain", "website", "web_domain", "email_domain", "url")  # own columns of accounts that say who a customer is
LIKELY_SHARE, LIKELY_ACCOUNTS = 0.02, 5  # namesakes and people at two customers there are in every company, but not so many
AFFECTS = ("account counts", "retention: GRR, NRR", "score audits")


def plain_name(name: str) -> str:
    """The SQL of a name as it is compared."""
    words = f"regexp_replace(replace(lower(strip_accents({name})), '.', ''), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g')"
    return f"nullif(trim(regexp_replace(trim({words}), '( ({LEGAL_FORMS.replace(' ', '|')}))+$', '')), '')"


def _who(shape: BookShape) -> tuple[str, ...]:
    """What else than its name says who an account is."""
    held = shape.tables["accounts"].columns if "accounts" in shape.tables else {}
    return (*(name for name in ("industry", "country") if name in held), *(name for name in DOMAINS if held.get(name) == "text"))


# One id, several names


def _changes_sql(shape: BookShape) -> str:
    """Each change of an account's name: whether the names share no word, and whether all else that says who it is changed with it."""
    others = _who(shape)
    lags = "".join(f", lag({sql_name(name)}) OVER same AS {sql_name(name + '_before')}" for name in others)
    shown = "".join(f", {sql_name(name + '_before')}, {sql_name(name)}" for name in others)
    # NULL before or after is no change; one at least must have changed
    kept = " OR ".join(f"{sql_name(name)} = {sql_name(name + '_before')}" for name in others) or "true"
    changed = " OR ".join(f"{sql_name(name)} <> {sql_name(name + '_before')}" for name in others) or "false"
    return (
        "SELECT account_id, happened_at, name_before, name" + shown + ", NOT list_has_any(string_split(plain_before, ' '), "
        f"string_split(plain, ' ')) AND NOT coalesce({kept}, false) AND coalesce({changed}, false) AS reused, source_file, source_row FROM "
        "("
        f"SELECT *, {plain_name('name')} AS plain, {plain_name('name_before')} AS plain_before FROM (SELECT account_id, happened_at, "
        "known_at, "
        "name, lag(name) OVER same AS name_before, " + "".join(f"{sql_name(name)}, " for name in others) + f"source_file, source_row{lags} "
        "FROM accounts_history WHERE name IS NOT NULL WINDOW same AS (PARTITION BY account_id ORDER BY happened_at, known_at, source_file, "
        "source_row)) WHERE name <> name_before) WHERE plain <> plain_before"
    )


# One name, several ids


def _place(shape: BookShape) -> str:
    """The column that two accounts of a name must agree in to be taken for one: their domain, else their country; "" neither is mapped."""
    return next((name for name in (*DOMAINS, "country") if name in _who(shape)), "")


def _namesakes_sql(shape: BookShape) -> str:
    """Accounts of one name and place that are not of one family (a parent and its units may share a name)."""
    place = f"lower(trim({sql_name(_place(shape))}))" if _place(shape) else "''"
    told = f"account_id, name{', ' + sql_name(_place(shape)) if _place(shape) else ''}, source_file, source_row"
    return (
        f"SELECT {told}, plain, place FROM ("
        f"SELECT {told}, {plain_name('name')} AS plain, {place} AS place, coalesce(parent_id, account_id) AS family FROM accounts) "
        "WHERE plain IS NOT NULL AND place IS NOT NULL WINDOW same AS (PARTITION BY plain, place) "
        "QUALIFY min(family) OVER same <> max(family) OVER same"
    )


def _ask(shape: BookShape) -> dict[str, str]:
    return {
        "changes": "SELECT count(DISTINCT account_id) AS renamed, count(DISTINCT account_id) FILTER (reused) AS reused "
        f"FROM ({_changes_sql(shape)})",
        "namesakes": f"SELECT count(*) AS accounts, count(DISTINCT (plain, place)) AS names FROM ({_namesakes_sql(shape)})",
        "accounts": "SELECT count(*) AS accounts FROM accounts",
    }


def _judge(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    accounts = only_row(answers, "accounts")["accounts"]
    changes, namesakes = only_row(answers, "changes"), only_row(answers, "namesakes")
    if changes["reused"]:
        yield _reused(shape, changes["reused"], accounts)
    if changes["renamed"] > changes["reused"]:
        yield _renamed(shape, changes["renamed"] - changes["reused"], accounts)
    if namesakes["accounts"]:
        yield _same_name(shape, namesakes["accounts"], namesakes["names"], accounts)


def _reused(shape: BookShape, count: int, accounts: int) -> Finding:
    others = ", ".join(_who(shape))
    return Finding(
        check="account_names",
        table="accounts",
        subject="reused",
        severity="error" if count >= WRONG_SHARE * accounts else "warning",
        count=count,
        of=accounts,
        unit="accounts",
        message=f"{counted(count, accounts, 'accounts')} changed their name for one without a common word, and {others} on the same day: "
        "the id seems to have been given to another customer.",
        affects=AFFECTS,
        mend="Give the second customer an id of its own from that day on, in accounts and in every table that names it.",
        rows_sql=f"SELECT * FROM ({_changes_sql(shape)}) WHERE reused ORDER BY account_id, happened_at",
    )


def _renamed(shape: BookShape, count: int, accounts: int) -> Finding:
    return Finding(
        check="account_names",
        table="accounts",
        subject="renamed",
        severity="note",
        count=count,
        of=accounts,
        unit="accounts",
        message=f"{counted(count, accounts, 'accounts')} changed their name. Nothing says that an id was given to another customer.",
        affects=("account names in reports",),
        mend="Nothing has to be mended. Accept the finding, or see the names before and after.",
        rows_sql=f"SELECT * FROM ({_changes_sql(shape)}) WHERE NOT reused ORDER BY account_id, happened_at",
    )


def _likely(count: int, of: int) -> Severity:
    return "warning" if count >= LIKELY_ACCOUNTS and count >= LIKELY_SHARE * of else "note"


def _same_name(shape: BookShape, count: int, names: int, accounts: int) -> Finding:
    place = _place(shape)
    return Finding(
        check="account_names",
        table="accounts",
        subject="same_name",
        severity="warning" if place in DOMAINS else _likely(count, accounts) if place else "note",
        count=count,
        of=accounts,
        unit="accounts",
        message=f"{counted(count, accounts, 'accounts')} share {names:,} names{f' and {place}' if place else ''} with an account that is "
        "not of their family: they may be one customer under several ids.",
        affects=AFFECTS,
        mend="Merge them in the system that the accounts come from, or set parent_id where they belong together; namesakes can be "
        "accepted.",
        rows_sql=f"SELECT * FROM ({_namesakes_sql(shape)}) ORDER BY plain, place, account_id",
        facts={"names": names},
    )


ACCOUNT_NAMES = Check(
    "account_names",
    "ids given to another customer, customers under several ids",
    ("accounts",),
    lambda s: s.lacks("accounts.name"),
    _ask,
    _judge,
)


# One e-mail address, several accounts

SHARED_SQL = (
    "SELECT contact_id, account_id, email, address, source_file, source_row FROM ("
    "SELECT c.contact_id, c.account_id, c.email, c.source_file, c.source_row, lower(trim(c.email)) AS address, "
    "coalesce(a.parent_id, c.account_id) AS family FROM contacts c LEFT JOIN accounts a ON a.account_id = c.account_id) "
    "WHERE address LIKE '%@%' WINDOW same AS (PARTITION BY address) QUALIFY min(family) OVER same <> max(family) OVER same"
)


def _shared(_shape: BookShape, answers: Answers) -> Iterator[Finding]:
    found, held = only_row(answers, "shared"), only_row(answers, "contacts")["contacts"]
    count, number = found["contacts"], found["addresses"]
    addresses = f"{number:,} e-mail address{'' if number == 1 else 'es'}"
    if count:
        yield Finding(
            check="shared_emails",
            table="contacts",
            severity=_likely(count, held),
            count=count,
            of=held,
            unit="contacts",
            message=f"{counted(count, held, 'contacts')} share {addresses} across accounts of different families: the accounts may be one "
            "customer, or the person works for several.",
            affects=("account counts", "survey results"),
            mend="See the rows. Merge accounts that are one customer, set parent_id, or accept people who work for several customers.",
            rows_sql=f"SELECT * FROM ({SHARED_SQL}) ORDER BY address, account_id, contact_id",
            facts={"addresses": found["addresses"]},
        )


SHARED_EMAILS = Check(
    "shared_emails",
    "one e-mail address at several accounts",
    ("contacts", "accounts"),
    lambda shape: shape.lacks("contacts.email", "contacts.account_id"),
    lambda _shape: {
        "shared": f"SELECT count(*) AS contacts, count(DISTINCT address) AS addresses FROM ({SHARED_SQL})",
        "contacts": "SELECT count(*) AS contacts FROM contacts WHERE email IS NOT NULL",
    },
    _shared,
)
