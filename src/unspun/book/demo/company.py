"""The demo company: made from a seed, held as Arrow tables, written to files."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from unspun.book.demo.calendar import stream
from unspun.book.demo.faults import plant_faults
from unspun.book.demo.forecasts import simulate_calls
from unspun.book.demo.parameters import Parameters
from unspun.book.demo.simulation import simulate_activity, simulate_contracts
from unspun.book.demo.tables import activity_tables, contract_tables, forecast_tables
from unspun.errors import BadInput, Fault

DEMO_SEED = 20261031
DEMO_ACCOUNTS = 2_000
DEMO_AS_OF = date(2026, 10, 31)
FEWEST_ACCOUNTS, MOST_ACCOUNTS = 20, 50_000
PARQUET = ("usage",)  # too large for CSV
TRUTH = "truth_"


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """Everything on record at the as-of day, and in the tables named truth_* what nobody in the company knows.

    See docs/demo-company.md for the columns and for what is planted.
    """

    accounts: pa.Table
    segments: pa.Table
    owners: pa.Table
    owner_history: pa.Table
    contacts: pa.Table
    subscriptions: pa.Table
    renewals: pa.Table
    usage: pa.Table
    tickets: pa.Table
    touchpoints: pa.Table
    survey_invitations: pa.Table
    survey_responses: pa.Table
    health_scores: pa.Table
    forecasts: pa.Table
    truth_accounts: pa.Table
    truth_owners: pa.Table
    truth_renewals: pa.Table
    truth_outages: pa.Table
    truth_faults: pa.Table
    truth_forecasters: pa.Table

    def tables(self) -> dict[str, pa.Table]:
        """Every table by its name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def make_company(
    seed: int | np.random.Generator = DEMO_SEED,
    accounts: int = DEMO_ACCOUNTS,
    as_of: date = DEMO_AS_OF,
    parameters: Parameters | None = None,
) -> DemoCompany:
    """Simulate the company up to the end of the as-of day. The same arguments give the same tables.

    Raises BadInput where `accounts` is out of bounds or the seed is negative.
    """
    number = int(seed.integers(2**32)) if isinstance(seed, np.random.Generator) else seed
    _check(number, accounts)
    p = parameters or Parameters()
    contracts = simulate_contracts(number, accounts, as_of, p)
    activity = simulate_activity(number, contracts, p)
    tables = contract_tables(contracts, p) | activity_tables(contracts, activity)
    faults = plant_faults(stream(number, "faults"), tables)
    calls = simulate_calls(stream(number, "forecasts"), contracts, p)
    return DemoCompany(**(tables | faults | forecast_tables(contracts, calls)))


def write_demo(
    folder: str | Path, seed: int | np.random.Generator = DEMO_SEED, accounts: int = DEMO_ACCOUNTS, as_of: date = DEMO_AS_OF
) -> dict[str, Path]:
    """Make the company and write it, one file a table; the truth goes to the folder `truth` below. Returns name to path.

    The same arguments give the same bytes. Existing files of these names are replaced. Raises BadInput as make_company does.
    """
    tables = make_company(seed, accounts, as_of).tables()
    return {name: _write(table, _path(Path(folder), name)) for name, table in tables.items()}


def _check(seed: int, accounts: int) -> None:
    faults = []
    if seed < 0:
        faults.append(Fault("demo.seed", f"The seed is {seed}; it must be 0 or more.", "seed"))
    if not FEWEST_ACCOUNTS <= accounts <= MOST_ACCOUNTS:
        hint = f"Ask for {FEWEST_ACCOUNTS:,} to {MOST_ACCOUNTS:,}."
        faults.append(Fault("demo.accounts", f"A demo company of {accounts:,} accounts cannot be made.", "accounts", hint))
    if faults:
        raise BadInput(faults)


def _path(folder: Path, name: str) -> Path:
    ending = "parquet" if name in PARQUET else "csv"
    if name.startswith(TRUTH):
        return folder / "truth" / f"{name.removeprefix(TRUTH)}.{ending}"
    return folder / f"{name}.{ending}"


def _write(table: pa.Table, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path, compression="zstd")
        return path
    with path.open("wb") as file:  # the header by hand: Arrow would quote it, and quotes nothing else here
        file.write((",".join(table.column_names) + "\n").encode())
        pyarrow.csv.write_csv(table, file, pyarrow.csv.WriteOptions(include_header=False, quoting_style="none"))
    return path
