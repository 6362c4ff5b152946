"""Addresses of databases: read, and never repeated. What is secret in one stays in it and is taken out of every message."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from unspun.errors import BadInput, Fault

System = Literal["postgresql", "sqlite"]

SCHEMES: dict[str, System] = {"postgresql": "postgresql", "postgres": "postgresql", "sqlite": "sqlite"}
SECRET_SETTINGS = ("password", "sslpassword", "oauth_client_secret")
FORMS = "Write it as postgresql://host/database or sqlite:///path/of/file.db."
NO_PASSWORD = (
    "Put the whole URL into an environment variable and name that in book.yml (`url_from`), or leave the password to PGPASSWORD "
    "or ~/.pgpass."
)
HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is. `url` is what the driver is given (of SQLite, the file's path); `secrets` must stand in no message."""

    system: System
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    database: str = ""  # its name, or that of its file

    def hide(self, text: str) -> str:
        """`text` without anything of the address that is secret."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text


def is_url(text: str) -> bool:
    """Whether a text is meant as the URL of a database that can be read."""
    return text.partition(":")[0].casefold() in SCHEMES and "://" in text


def read_address(url: str, where: str, folder: Path, may_hold_password: bool) -> Address:
    """The address that a URL gives. SQLite's relative paths are relative to `folder`.

    Raises BadInput, without the URL: another scheme, a form that can be read in two ways, a password where none may stand.
    """
    system = SCHEMES.get(url.partition(":")[0].casefold())
    if system is None or "://" not in url:
        raise BadInput(Fault("unknown_database_url", "this is no URL of a database that can be read.", where, FORMS))
    if system == "sqlite":
        return _sqlite(url, where, folder)
    parts = _split(url, where)
    settings = parse_qsl(parts.query, keep_blank_values=True)
    _, _, password = parts.netloc.rpartition("@")[0].partition(":")
    hidden = [value for name, value in settings if name.casefold() in SECRET_SETTINGS and value]
    if (password or hidden) and not may_hold_password:
        raise BadInput(Fault("password_in_url", "the URL holds a password, which must not stand here.", where, NO_PASSWORD))
    pairs = (pair.partition("=") for pair in parts.query.split("&"))
    as_written = [value for name, _, value in pairs if name.casefold() in SECRET_SETTINGS]
    secrets = (url, parts.netloc.rpartition("@")[0], parts.query, password, unquote(password), *hidden, *as_written)
    scheme, _, rest = url.partition(":")
    return Address(
        system, f"{scheme.casefold()}:{rest}", tuple(dict.fromkeys(one for one in secrets if one)), unquote(parts.path.strip("/"))
    )


def _split(url: str, where: str) -> SplitResult:
    """The parts of a URL of a server, if there is no doubt where each ends: else a part of a password could pass for a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    hosts = parts.netloc.rpartition("@")[2]
    odd = parts.netloc.count("@") > 1 or parts.fragment or "@" in parts.path or re.search(r"[\s\x00-\x1f]", url)
    fits = all(re.fullmatch(r"(?:\[[0-9a-fA-F:.]+\]|[^:\[\]]*)(?::\d{1,5})?", host) for host in hosts.split(","))
    if odd or not fits or not parts.scheme:
        hint = "Write characters such as @ : / # and % of a user or a password in percent form: %40 for @."
        raise BadInput(Fault("bad_database_url", "the URL can be read in more ways than one, or in none.", where, hint))
    return parts


def _sqlite(url: str, where: str, folder: Path) -> Address:
    """sqlite:///relative/path and sqlite:////absolute/path."""
    path, _, settings = url.partition("://")[2].partition("?")
    if not path.startswith("/") or path == "/" or settings:
        hint = "Write it as sqlite:///file.db (relative to the workspace) or sqlite:////folder/file.db."
        raise BadInput(Fault("bad_database_url", "the URL names no file, or more than that.", where, hint))
    file = folder / unquote(path[1:])
    return Address("sqlite", str(file), (), file.name)
