"""unspun.toml: the settings of a workspace, read with all faults at once."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from unspun.app.workspace_tables import TABLES, MailSettings, OidcSettings, ServeSettings, made
from unspun.book.columns import did_you_mean
from unspun.errors import BadInput, Fault

MEMORY = re.compile(r"([1-9]\d{0,6})\s?(MB|GB)")
LEAST_MEGABYTES, MOST_DAYS, LONGEST_NAME = 256, 36_500, 200


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """What unspun.toml says.

    `memory` is what a load or a question may take, such as `1500MB`; `keep_days` for how many days a compaction keeps earlier
    versions of the book, `engine` what computes panels (as `unspun panel --engine`). The zone in which days begin and end is book.yml's.
    `serve`, `mail` and `oidc` are of the console; without `mail` it sends none, without `oidc` people sign in by password only.
    """

    name: str = ""
    memory: str = "1500MB"
    keep_days: int = 90
    engine: str = ""
    serve: ServeSettings = field(default_factory=ServeSettings)
    mail: MailSettings | None = None
    oidc: OidcSettings | None = None


def settings_text(template: str, name: str) -> str:
    """A new unspun.toml for a company of that name."""
    return template.replace("{name}", json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f"))


def read_settings(text: str, file: str, name: str) -> WorkspaceSettings:
    """The settings; what is left out has its default, and the workspace then `name`. Raises BadInput with every fault at its line."""
    try:
        given = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as slip:
        said, _, place = str(slip).partition(" (at ")
        line = re.search(r"line (\d+)", place)
        message = f"this is no TOML: {said[:1].lower()}{said[1:]}."
        raise BadInput(Fault("bad_toml", message, f"{file}:{line[1]}" if line else file, "Write `name = value` lines.")) from None
    faults = [fault for key, value in given.items() for fault in _faults(text, key, value, file)]
    if faults:
        raise BadInput(faults)
    default = WorkspaceSettings()
    memory = str(given.get("memory", default.memory)).replace(" ", "")
    tables = {key: made(key, given[key]) for key in TABLES if key in given}
    return WorkspaceSettings(given.get("name", name), memory, given.get("keep_days", default.keep_days), given.get("engine", ""), **tables)


def _faults(text: str, key: str, value: Any, file: str) -> Iterator[Fault]:
    """The faults of one setting, or of every setting of one table."""
    where = f"{file}:{_line(text, key)}"
    if key not in TABLES:
        fault = _fault(key, value, where)
        yield from () if fault is None else (fault,)
    elif not isinstance(value, dict):
        yield Fault("bad_setting", f"{key} is a table.", where, f"Write [{key}] on a line of its own, and its settings below.")
    else:
        yield from _table_faults(text, key, value, file)


def _table_faults(text: str, name: str, given: dict[str, Any], file: str) -> Iterator[Fault]:
    table = TABLES[name]
    for key, value in given.items():
        where = f"{file}:{_line_within(text, name, key)}"
        if key not in table.checks:
            hint = f"{did_you_mean(key, tuple(table.checks))}The settings of [{name}] are {', '.join(table.checks)}."
            yield Fault("unknown_setting", f"there is no setting '{key}' in [{name}].", where, hint)
        elif wrong := table.checks[key](value):
            yield Fault("bad_setting", f"{key} is {_shown(value)}; {wrong[0]}.", where, wrong[1])
    for key in (key for key in table.needed if key not in given):
        yield Fault("missing_setting", f"[{name}] has no {key}.", f"{file}:{_line(text, name)}", f"Write {key} = ... below it.")


def _line_within(text: str, table: str, key: str) -> int:
    """The line that sets a key of a table; that of the table where it is written otherwise."""
    start = _line(text, table)
    lines = text.splitlines()[start:]
    end = next((i for i, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    written = rf"""^\s*["']?{re.escape(key)}["']?\s*="""
    return next((start + i for i, line in enumerate(lines[:end], 1) if re.match(written, line)), start)


def _line(text: str, key: str) -> int:
    """The line that sets a key or opens its table; 1 where it is written otherwise."""
    written = rf"""^\s*\[?\[?\s*["']?{re.escape(key)}["']?\s*[.=\]]"""
    return next((i for i, line in enumerate(text.splitlines(), 1) if re.match(written, line)), 1)


def _fault(key: str, value: Any, where: str) -> Fault | None:
    """What is wrong with one setting, if anything is."""
    known = tuple(WorkspaceSettings.__dataclass_fields__)
    if key not in known:
        return Fault(
            "unknown_setting", f"there is no setting '{key}'.", where, f"{did_you_mean(key, known)}The settings are {', '.join(known)}."
        )
    checks = {"name": _name, "memory": _memory, "keep_days": _keep_days, "engine": _engine}
    wrong = checks[key](value)
    return Fault("bad_setting", f"{key} is {_shown(value)}; {wrong[0]}.", where, wrong[1]) if wrong else None


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else "true" if value is True else "false" if value is False else str(value)


def fits_name(value: Any) -> bool:
    """Whether a company can be called so."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= LONGEST_NAME and value.isprintable()


def checked_name(name: str) -> str:
    """A company's name given by the caller. Raises BadInput where it is none."""
    if not fits_name(name):
        raise BadInput(Fault("bad_name", f"a name must be text of one line, up to {LONGEST_NAME} characters.", "--name"))
    return name


def _name(value: Any) -> tuple[str, str] | None:
    return None if fits_name(value) else (f"it must be text of one line, up to {LONGEST_NAME} characters", "")


def _memory(value: Any) -> tuple[str, str] | None:
    found = MEMORY.fullmatch(value) if isinstance(value, str) else None
    if found and int(found[1]) * (1_000 if found[2] == "GB" else 1) >= LEAST_MEGABYTES:
        return None
    return f"it must be {LEAST_MEGABYTES}MB or more", 'Write it as "1500MB" or "4GB".'


def _engine(value: Any) -> tuple[str, str] | None:
    hint = 'Write it as "duckdb", "postgresql://host/database" or "spark://host:7077".'
    return None if fits_name(value) else ("it must be the name or the URL of an engine", hint)


def _keep_days(value: Any) -> tuple[str, str] | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_DAYS:
        return None
    return f"it must be a whole number of days from 0 to {MOST_DAYS:,}", ""
