from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.connectors.sql.address import is_url, read_address
from unspun.errors import BadInput

SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=8, max_size=20)
HERE = Path("/workspace")


@given(SECRETS, st.booleans())
def test_no_password_is_ever_repeated(secret: str, escaped: bool) -> None:
    written = quote(secret, safe="") if escaped else secret
    for url in (f"postgresql://me:{written}@db.example/sales", f"postgresql://db.example/sales?password={written}"):
        try:
            address = read_address(url, "BILLING_URL", HERE, may_hold_password=True)
        except BadInput as refusal:
            assert secret not in str(refusal) and written not in str(refusal)
            continue
        assert secret not in repr(address) and written not in repr(address)
        hidden = address.hide(f"could not log in to {url} with {written} ({secret})")
        assert secret not in hidden and written not in hidden


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:pw12345@host/db", "postgres://host/db?password=pw12345", "postgresql://me:p@pw12345@host/db",
        "postgresql://host/db?sslmode=require&sslpassword=pw12345", "postgresql://me:pw/12345@host/db", "postgresql://me:pw12345#@host/db",
    ],
)  # fmt: skip
def test_a_url_with_a_password_is_refused_where_it_would_be_kept(url: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read_address(url, "the URL", HERE, may_hold_password=False)
    assert refusal.value.faults[0].code in ("password_in_url", "bad_database_url")
    assert "12345" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("postgresql://host/sales", "sales"), ("postgres://me@host:5433/sales?sslmode=verify-full", "sales"),
        ("postgresql://one:5432,two:5433/sales", "sales"), ("postgresql://[::1]:5432/sales", "sales"), ("postgresql:///sales", "sales"),
    ],
)  # fmt: skip
def test_usual_urls_are_read(url: str, database: str) -> None:
    assert is_url(url)
    address = read_address(url, "the URL", HERE, may_hold_password=False)
    assert (address.system, address.url, address.database) == ("postgresql", url, database)


def test_files_of_sqlite_are_found_from_the_workspace() -> None:
    assert read_address("sqlite:///data/x.db", "", HERE, False).url == "/workspace/data/x.db"
    assert read_address("sqlite:////data/x.db", "", HERE, False).url == "/data/x.db"
    for url in ("sqlite://x.db", "sqlite:///", "mysql://host/db", "accounts.csv"):
        with pytest.raises(BadInput):
            read_address(url, "", HERE, False)
    assert not is_url("accounts.csv") and not is_url("mysql://host/db")
