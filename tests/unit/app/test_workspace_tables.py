"""The tables of unspun.toml: what they say, and every fault at its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unspun.app.workspace_settings import read_settings
from unspun.app.workspace_tables import TABLES, MailSettings, OidcSettings, ServeSettings
from unspun.errors import BadInput

WHOLE = """\
name = "Acme"

[serve]
address = "https://unspun.example.com/"
proxies = 1
upload = "1GB"

[mail]
host = "smtp.example.com"
from = "Unspun <unspun@example.com>"
password_env = "MAIL_PASSWORD"

[oidc]
server = "https://login.example.com/realms/acme/"
client_id = "unspun"
role = "viewer"
"""


def faults(text: str) -> list[str]:
    with pytest.raises(BadInput) as refusal:
        read_settings(text, "unspun.toml", "x")
    return [str(fault) for fault in refusal.value.faults]


def test_the_tables_are_read() -> None:
    settings = read_settings(WHOLE, "unspun.toml", "x")
    assert settings.serve == ServeSettings("https://unspun.example.com", 1, "1GB")
    assert settings.mail == MailSettings("smtp.example.com", "Unspun <unspun@example.com>", password_env="MAIL_PASSWORD")
    assert settings.oidc == OidcSettings("https://login.example.com/realms/acme", "unspun", role="viewer")
    assert settings.serve.https and settings.serve.upload_bytes == 1_000_000_000


def test_without_them_no_mail_goes_and_people_sign_in_by_password() -> None:
    settings = read_settings('name = "Acme"', "unspun.toml", "x")
    assert (settings.mail, settings.oidc, settings.serve.https) == (None, None, False)
    assert settings.serve.upload_bytes == 200_000_000


def test_a_secret_is_read_from_the_variable_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    mail = read_settings(WHOLE, "unspun.toml", "x").mail
    assert mail is not None and mail.password == ""
    monkeypatch.setenv("MAIL_PASSWORD", "s3cret")
    assert mail.password == "s3cret"


def test_all_faults_are_told_at_once_each_at_its_line() -> None:
    text = """\
[mail]
hots = "smtp.example.com"
port = 70000

[serve]
proxies = true
port = 3
address = "unspun.example.com"

[oidc]
server = "login"
client_id = ""
"""
    told = faults(text)
    assert [line.split(": ")[0] for line in told] == [f"unspun.toml:{line}" for line in (2, 3, 1, 1, 6, 7, 8, 11, 12)]
    assert "there is no setting 'hots' in [mail]. Did you mean 'host'?" in told[0]
    assert "[mail] has no host." in told[2] and "[mail] has no from." in told[3]


@pytest.mark.parametrize(
    "line",
    [
        '[serve]\naddress = "https://example.com/unspun"',
        '[serve]\naddress = "ftp://example.com"',
        '[serve]\naddress = "https://example.com:port"',
        '[serve]\nupload = "a lot"',
        "[serve]\nthreads = 0",
        '[serve]\nmetrics_token_env = "a token"',
        '[mail]\nhost = "h"\nfrom = "nobody"',
        '[mail]\nhost = "h"\nfrom = "a@b.example"\nsecurity = "maybe"',
        '[oidc]\nserver = "https://example.com"\nclient_id = "x"\nrole = "owner"',
        'mail = "smtp.example.com"',
        "serve = 8000",
    ],
)
def test_what_cannot_be_is_refused(line: str) -> None:
    assert len(faults(line)) == 1


def test_a_password_in_the_file_is_no_setting() -> None:
    told = faults('[mail]\nhost = "h"\nfrom = "a@b.example"\npassword = "s3cret"')
    assert "there is no setting 'password'" in told[0] and "s3cret" not in told[0]


def test_the_reference_has_every_setting_and_no_other(root: Path) -> None:
    page = (root / "docs" / "reference" / "unspun-toml.md").read_text()
    for name, table in TABLES.items():
        section = page.split(f"## [{name}]\n")[1].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(table.checks)
