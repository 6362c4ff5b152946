"""What book.yml says of databases, and of the sources that are read from one. No value that could hold a password is ever repeated."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from unspun.book.columns import did_you_mean
from unspun.book.mapping.book_fields import CURSOR_FIELDS, DATABASE_FIELDS
from unspun.book.mapping.definition import Cursor, Database, SourceMapping
from unspun.book.mapping.yaml_checks import YamlChecks, listed
from unspun.book.mapping.yaml_nodes import YamlPath

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
URL = re.compile(r"(?:postgresql|postgres|sqlite)://\S+", re.IGNORECASE)
PASSWORD = re.compile(r"://[^/?#]*:[^/?#]*@|[?&](?:password|sslpassword|oauth_client_secret)=", re.IGNORECASE)
OVERLAP = re.compile(r"(\d{1,9}) (second|minute|hour|day)s?")
SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
LONGEST_QUERY = 20_000
MOST_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the rows of a source come from, if not from files."""

    database: str = ""
    relation: str = ""
    query: str = ""
    cursor: Cursor | None = None
    in_place: bool = False

    @property
    def name(self) -> str:
        """What the source goes by where a file goes by its name; empty for files."""
        if not self.database:
            return ""
        return f"{self.database}:{self.relation or f'query {hashlib.sha256(self.query.encode()).hexdigest()[:8]}'}"


def read_databases(checks: YamlChecks, value: object) -> tuple[Database, ...]:
    """The databases of the book; faults are kept in `checks`."""
    found = (_database(checks, name, one) for name, one in checks.entries(("databases",), value).items())
    return tuple(one for one in found if one is not None)


def _database(checks: YamlChecks, name: str, value: object) -> Database | None:
    path = ("databases", name)
    if not NAME.fullmatch(name):
        checks.fault("bad_database_name", "a database's name has small letters, digits and _ only.", path, "Call it billing, or crm_2.")
    given = checks.fields(path, value, DATABASE_FIELDS)
    if isinstance(value, dict) and ("url" in value) == ("url_from" in value):
        what = "both 'url' and 'url_from'" if "url" in value else "neither 'url_from' nor 'url'"
        checks.fault("url_or_variable", f"the database has {what}.", path, "Write `url_from:` and the variable that holds its URL.")
    variable, url = given.get("url_from"), given.get("url")
    if variable is not None and not (isinstance(variable, str) and VARIABLE.fullmatch(variable)):
        hint = "Write it as `url_from: BILLING_URL`, and put the URL into that variable."
        checks.fault("bad_variable", "'url_from' is no name of an environment variable.", (*path, "url_from"), hint)
        variable = None
    url = None if url is None else _url(checks, (*path, "url"), url)
    seconds = given.get("statement_seconds", 0)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds <= MOST_SECONDS:
        checks.fault("bad_seconds", "'statement_seconds' is no whole number of seconds up to a day.", (*path, "statement_seconds"))
        seconds = 0
    found = Database(name, variable if isinstance(variable, str) else "", url or "", seconds, checks.document.line(path))
    return found if found.url or found.url_from else None


def _url(checks: YamlChecks, path: YamlPath, value: object) -> str | None:
    if not isinstance(value, str) or not URL.fullmatch(value):
        hint = "Write it as postgresql://host/database or sqlite:///path/of/file.db."
        checks.fault("unknown_database_url", "this is no URL of a database that can be read.", path, hint)
        return None
    if PASSWORD.search(value):
        hint = (
            "Put the whole URL into an environment variable and name that (`url_from`), or leave the password to PGPASSWORD or ~/.pgpass."
        )
        checks.fault("password_in_url", "the URL holds a password, which must not stand in a file.", path, hint)
        return None
    return value


def read_origin(checks: YamlChecks, path: YamlPath, given: dict[str, object]) -> Origin:
    """What a source says of its database: a relation or a query of it, its cursor, and whether its rows stay there."""
    database, relation = (_plain_text(checks, (*path, name), given.get(name)) for name in ("database", "relation"))
    query = _query(checks, (*path, "query"), given.get("query"))
    cursor = _cursor(checks, (*path, "cursor"), given["cursor"]) if "cursor" in given else None
    in_place = given.get("in_place", False)
    if not isinstance(in_place, bool):
        checks.fault("not_a_flag", "'in_place' is true or false.", (*path, "in_place"))
        in_place = False
    _check_together(checks, path, given, in_place)
    return Origin(database, relation, query, cursor, in_place)


def _plain_text(checks: YamlChecks, path: YamlPath, value: object) -> str:
    text = None if value is None else checks.text(path, value)
    if text is not None and "://" in text:
        checks.fault("url_for_name", f"'{path[-1]}' is a name and no URL.", path, "Name one of the book's `databases`.")
        return ""
    return text or ""


def _query(checks: YamlChecks, path: YamlPath, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and len(value) <= LONGEST_QUERY and re.match(r"\s*(?:select|with)\b", value, re.IGNORECASE):
        return value
    checks.fault("bad_query", f"'query' is no SELECT of up to {LONGEST_QUERY:,} characters.", path, "Databases are only read.")
    return ""


def _cursor(checks: YamlChecks, path: YamlPath, value: object) -> Cursor | None:
    if not isinstance(value, dict):
        column = checks.text(path, value)
        return None if column is None else Cursor(column)
    given = checks.fields(path, value, CURSOR_FIELDS)
    column = checks.text((*path, "column"), given["column"]) if "column" in given else None
    if "column" not in value:
        checks.fault("missing_key", "the cursor has no 'column'.", path, "Add `column:`, the column that tells what is new.")
    overlap, in_seconds = _overlap(checks, (*path, "overlap"), given.get("overlap"))
    return None if column is None else Cursor(column, overlap, in_seconds)


def _overlap(checks: YamlChecks, path: YamlPath, value: object) -> tuple[float | None, bool]:
    """How far before the last value reading begins again, and whether that is a time."""
    if value is None:
        return None, True
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return float(value), False
    found = OVERLAP.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        checks.fault(
            "bad_overlap", "'overlap' is no time and no whole number.", path, "Write `1 hour`, `2 days`, or 1000 for a cursor of numbers."
        )
        return None, True
    return float(found[1]) * SECONDS[found[2]], True


def _check_together(checks: YamlChecks, path: YamlPath, given: dict[str, object], in_place: bool) -> None:
    if "database" in given:
        if ("relation" in given) == ("query" in given):
            what = "both a 'relation' and a 'query'" if "relation" in given else "neither a 'relation' nor a 'query'"
            checks.fault("relation_or_query", f"the source has {what}.", path, "Write `relation: schema.table`.")
        if "files" in given:
            checks.fault("files_or_database", "the source has both 'files' and a 'database'.", path, "Make two sources of it.")
        if in_place and "cursor" in given:
            checks.fault("cursor_in_place", "rows that stay in the database have no cursor.", (*path, "cursor"), "Remove one of the two.")
        return
    for name in ("relation", "query", "cursor", "in_place"):
        if name in given:
            checks.fault("no_database_named", f"'{name}' is for sources of a database.", (*path, name), "Add `database:` and its name.")


def check_places(checks: YamlChecks, sources: Sequence[tuple[int, SourceMapping]]) -> None:
    """That no table has rows of its own beside rows that stay in a database."""
    places: dict[str, SourceMapping] = {}
    for i, source in sources:
        other = places.setdefault(source.table, source)
        if other.in_place != source.in_place:
            here, there = ("stay in their database", "are loaded") if source.in_place else ("are loaded", "stay in their database")
            message = f"the rows of {source.table} {here} here, and {there} in the source on line {other.line}."
            hint = "A table has one kind of sources: write `in_place: true` in each of them, or in none."
            checks.fault("mixed_sources", message, ("sources", i, "table"), hint)


def check_databases(checks: YamlChecks, i: int, database: str, keyed: bool, in_place: bool, known: Collection[str]) -> None:
    """That a source's database is one of the book's, and that its rows can be told apart when they are read again."""
    if not database:
        return
    if database not in known:
        hint = f"{did_you_mean(database, known)}{f'The book has {listed(known)}.' if known else 'Add it under `databases`.'}"
        checks.fault("unknown_database", f"the book has no database '{database}'.", ("sources", i, "database"), hint)
    if not keyed and not in_place:
        hint = "Say `key:`, the columns that tell one row from another; without one only `in_place: true` will do."
        checks.fault("no_key", "rows of a database are read again with each load, and these have no key.", ("sources", i), hint)
