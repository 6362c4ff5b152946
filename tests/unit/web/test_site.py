"""What a site rests on: its key, its database, and the settings that follow from how browsers reach it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.doors.cli_files import run
from unspun.errors import BadInput
from unspun.web.site import database_of, kept_key

ASKED = """
import json, unspun.web.settings as s
kinds = ("SECURE", "SESSION", "CSRF", "ALLOWED", "PASSWORD", "EMAIL")
print(json.dumps({name: getattr(s, name) for name in dir(s) if name.split("_")[0] in kinds}, default=str))
"""


def settings_of(folder: Path, lines: str, **environment: str) -> dict[str, Any]:
    """The settings of a site whose unspun.toml has those lines."""
    assert run("init", folder).code == 0
    with (folder / "unspun.toml").open("a", encoding="utf-8") as file:
        file.write(lines)
    variables = {**os.environ, "UNSPUN_WORKSPACE": str(folder), **environment}
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, env=variables, check=True)
    return json.loads(done.stdout)


def test_behind_https_cookies_go_by_nothing_else_and_browsers_are_told_to_stay(tmp_path: Path) -> None:
    found = settings_of(tmp_path / "acme", '[serve]\naddress = "https://unspun.example.com"\nproxies = 1\n')
    assert found["SESSION_COOKIE_SECURE"] and found["CSRF_COOKIE_SECURE"]
    assert found["SECURE_HSTS_SECONDS"] == 365 * 24 * 3600
    assert found["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]", "unspun.example.com"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://unspun.example.com"]


def test_on_this_machine_alone_plain_http_works_and_only_local_names_are_answered(tmp_path: Path) -> None:
    found = settings_of(tmp_path / "acme", "")
    assert not found["SESSION_COOKIE_SECURE"] and found["SECURE_HSTS_SECONDS"] == 0
    assert found["SECURE_PROXY_SSL_HEADER"] is None  # a header that anyone can send says nothing where no proxy stands
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert found["PASSWORD_HASHERS"][0] == "django.contrib.auth.hashers.Argon2PasswordHasher"


def test_mail_goes_as_the_table_says(tmp_path: Path) -> None:
    lines = '[mail]\nhost = "smtp.example.com"\nfrom = "unspun@example.com"\nport = 465\nsecurity = "tls"\npassword_env = "MAIL_PW"\n'
    found = settings_of(tmp_path / "acme", lines, MAIL_PW="s3cret")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_HOST_PASSWORD"]) == ("smtp.example.com", 465, "s3cret")
    assert (found["EMAIL_USE_SSL"], found["EMAIL_USE_TLS"]) == (True, False)


def test_the_key_is_made_once_however_many_start_at_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / ".secret"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: kept_key(path), range(16)))
    assert len(keys) == 1 and len(keys.pop()) >= 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [".secret"]


def test_a_key_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ".secret"
    path.write_text("short")
    with pytest.raises(BadInput, match="too short"):
        kept_key(path)


def test_a_url_of_postgres_is_taken_apart_with_what_it_escapes(tmp_path: Path) -> None:
    found = database_of("postgresql://ann:p%40ss@db.example.com:5433/un%20spun?sslmode=require", tmp_path / "state.db")
    assert (found["NAME"], found["USER"], found["PASSWORD"]) == ("un spun", "ann", "p@ss")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == ("db.example.com", "5433", {"sslmode": "require"})
    assert not (tmp_path / "state.db").exists()


@pytest.mark.parametrize("url", ["mysql://host/db", "postgresql://host", "state.db"])
def test_any_other_url_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadInput, match="UNSPUN_STATE_URL"):
        database_of(url, tmp_path / "state.db")
