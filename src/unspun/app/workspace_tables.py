"""The tables of unspun.toml, [serve], [mail] and [oidc]: how the console is reached, and what it reaches."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from unspun.app.access import LIMITED_ROLES, ROLES

LONGEST, MOST_PROXIES, MOST_PORT, MOST_WORKERS, MOST_THREADS = 500, 5, 65_535, 64, 64
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SIZE = re.compile(r"([1-9]\d{0,5})\s?(MB|GB)")
SECURITY = ("starttls", "tls", "none")
Wrong = tuple[str, str]
"""What a value must be, and how to write it."""
Check = Callable[[Any], Wrong | None]


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """[serve]: `address` is how browsers reach the console, where that is not where it listens; `proxies` how many stand between."""

    address: str = ""
    proxies: int = 0
    upload: str = "200MB"
    workers: int = 0
    threads: int = 4
    metrics_token_env: str = ""

    @property
    def https(self) -> bool:
        """Whether browsers come by https, so that cookies may go by nothing else."""
        return self.address.startswith("https://")

    @property
    def upload_bytes(self) -> int:
        """The most that one request may bring."""
        number, unit = _size(self.upload)
        return number * (1_000_000_000 if unit == "GB" else 1_000_000)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """[mail]: the server that invitations and resets go by, and in whose name. The password stands in the variable `password_env`."""

    host: str
    sender: str
    port: int = 587
    user: str = ""
    password_env: str = ""
    security: str = "starttls"

    @property
    def password(self) -> str:
        return os.environ.get(self.password_env, "") if self.password_env else ""


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """[oidc]: the company's own sign-in. `role` is what those get who come uninvited; where it is empty, nobody does."""

    server: str
    client_id: str
    client_secret_env: str = ""
    name: str = "single sign-on"
    role: str = ""

    @property
    def client_secret(self) -> str:
        return os.environ.get(self.client_secret_env, "") if self.client_secret_env else ""


def _size(text: str) -> tuple[int, str]:
    found = SIZE.fullmatch(text)
    return (int(found[1]), found[2]) if found else (0, "")


def text(value: Any) -> Wrong | None:
    """Text of one line."""
    fits = isinstance(value, str) and bool(value.strip()) and len(value) <= LONGEST and value.isprintable()
    return None if fits else (f"it must be text of one line, up to {LONGEST} characters", "")


def _variable(value: Any) -> Wrong | None:
    if isinstance(value, str) and VARIABLE.fullmatch(value):
        return None
    return "it must be the name of an environment variable", "A secret stands in the environment, never in this file."


def _number(least: int, most: int) -> Check:
    def check(value: Any) -> Wrong | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return None if fits else (f"it must be a whole number from {least} to {most:,}", "")

    return check


def _upload(value: Any) -> Wrong | None:
    return None if isinstance(value, str) and SIZE.fullmatch(value) else ("it must be a size", 'Write it as "200MB" or "1GB".')


def _one_of(*words: str) -> Check:
    def check(value: Any) -> Wrong | None:
        return None if value in words else (f"it must be one of {', '.join(words)}", "")

    return check


def _address(value: Any) -> Wrong | None:
    hint = 'Write it as "https://unspun.example.com".'
    return None if _is_url(value) and urlsplit(value).path in ("", "/") else ("it must be a web address without a path", hint)


def _server(value: Any) -> Wrong | None:
    hint = 'Write it as "https://login.example.com/realms/company"; /.well-known/openid-configuration is added to it.'
    return None if _is_url(value) else ("it must be the web address of an OpenID provider", hint)


def _is_url(value: Any) -> bool:
    if not isinstance(value, str) or text(value) is not None:
        return False
    try:
        parts = urlsplit(value)
        port_is_a_number = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port_is_a_number and not parts.query and not parts.fragment


def _email(value: Any) -> Wrong | None:
    fits = text(value) is None and re.search(r"[^\s@<>]+@[^\s@<>]+", value) is not None
    return None if fits else ("it must be an e-mail address", 'Write it as "unspun@example.com" or "Unspun <unspun@example.com>".')


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the file: what makes it, the check of each key (as written), and which must be there."""

    make: type
    checks: Mapping[str, Check]
    needed: tuple[str, ...] = ()


TABLES: Mapping[str, Table] = {
    "serve": Table(
        ServeSettings,
        {
            "address": _address,
            "proxies": _number(0, MOST_PROXIES),
            "upload": _upload,
            "workers": _number(0, MOST_WORKERS),
            "threads": _number(1, MOST_THREADS),
            "metrics_token_env": _variable,
        },
    ),
    "mail": Table(
        MailSettings,
        {
            "host": text,
            "from": _email,
            "port": _number(1, MOST_PORT),
            "user": text,
            "password_env": _variable,
            "security": _one_of(*SECURITY),
        },
        ("host", "from"),
    ),
    "oidc": Table(
        OidcSettings,
        {
            "server": _server,
            "client_id": text,
            "client_secret_env": _variable,
            "name": text,
            "role": _one_of(*(role for role in ROLES if role == "manager" or role in LIMITED_ROLES)),
        },
        ("server", "client_id"),
    ),
}
FIELDS = {"from": "sender"}
"""A key whose name is no name in Python."""


def made(name: str, given: Mapping[str, Any]) -> Any:
    """A table whose values were checked."""
    return TABLES[name].make(
        **{FIELDS.get(key, key): value.rstrip("/") if key in ("address", "server") else value for key, value in given.items()}
    )
