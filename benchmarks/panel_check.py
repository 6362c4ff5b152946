"""Whether the sides of the benchmark of the panel give the same answers, account by account and date by date.

Two tables written by hand must hold the same rows and numbers, to the last bit. Unspun's panel must hold those numbers too, but no value
where an account was no customer yet or had not appeared, with that reason; where the others are empty its reason must say why.
"""

from __future__ import annotations

from pathlib import Path

from panel_cells import DERIVED, IDS, Changed, Divided
from panel_clock import accounts_files
from panel_duckdb import connected

KEYS = ("account_id", "as_of", "due", "horizon_days")
APPEARED = "r.days_since_first_event"  # in the table by hand: empty as long as the account had no event


def differing(reference: Path, other: Path) -> dict[str, int]:
    """Metrics by the number of units in which two tables by hand differ; {} they are the same. `rows`: units that only one has."""
    counts = {id: f"count(*) FILTER (WHERE r.{id}::double IS DISTINCT FROM o.{id}::double)" for id in IDS}
    return _counted(f"'{reference}'", f"'{other}'", "", counts)


def differing_panel(reference: Path, panel: Path, warehouse: Path) -> dict[str, int]:
    """Metrics by the number of units in which Unspun's panel has another value or another reason than the table by hand implies."""
    accounts = f"SELECT account_id, created_on AS born FROM read_parquet({accounts_files(warehouse)})"
    born = f"INNER JOIN ({accounts}) b ON b.account_id = r.account_id"
    counts: dict[str, str] = {}
    for id in IDS:
        reason = _reason(id)
        same_value = f"CASE WHEN {reason} IS NULL THEN r.{id}::double END IS NOT DISTINCT FROM o.{id}::double"
        counts[id] = f"count(*) FILTER (WHERE NOT ({same_value}) OR {reason} IS DISTINCT FROM o.{id}__missing)"
    return _counted(f"'{reference}'", f"'{panel}'", born, counts)


def _counted(reference: str, other: str, joins: str, counts: dict[str, str]) -> dict[str, int]:
    with connected() as connection:
        columns = {name for (name, *_) in connection.execute(f"DESCRIBE SELECT * FROM {other}").fetchall()}
        keys = " AND ".join(f"r.{key} IS NOT DISTINCT FROM o.{key}" for key in KEYS if key in columns)
        rows = "count(*) FILTER (WHERE r.account_id IS NULL OR o.account_id IS NULL)"
        only = connection.execute(f"SELECT {rows} FROM {reference} r FULL JOIN {other} o ON {keys}").fetchone()
        found = connection.execute(
            f"SELECT {', '.join(counts.values())} FROM {reference} r INNER JOIN {other} o ON {keys} {joins}"
        ).fetchone()
    assert only is not None
    assert found is not None
    numbers = dict(zip(("rows", *counts), (*only, *found), strict=True))
    return {name: number for name, number in numbers.items() if number}


def _reason(id: str) -> str:
    """Why a unit has no value, as SQL; NULL where it has one."""
    derived = next((one for one in DERIVED if one.id == id), None)
    if isinstance(derived, Changed):
        return f"coalesce({_usage_reason(0)}, {_usage_reason(derived.days)})"
    empty = "zero_denominator" if isinstance(derived, Divided) else "no_rows"
    return f"coalesce({_usage_reason(0)}, CASE WHEN r.{id} IS NULL THEN '{empty}' END)"


def _usage_reason(days_earlier: int) -> str:
    return f"""CASE WHEN r.as_of - {days_earlier} < b.born THEN 'before_birth'
        WHEN {APPEARED} IS NULL OR {APPEARED} < {days_earlier} THEN 'not_seen' END"""
