"""How much memory the audit of ten million score rows takes, as the command line is called, for each form of the file.

    python benchmarks/audit_memory.py                  # all forms at a million and at ten million rows
    python benchmarks/audit_memory.py --rows 500000    # all forms at one size
    python benchmarks/audit_memory.py --table          # run nothing; write the tables of docs/speed.md from --out

Each audit runs in a process of its own; its peak is the most that the process held resident, libraries and file pages included.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
RESULTS, DOCUMENT = HERE / "results" / "audit-memory-2026-11-22.json", HERE.parent / "docs" / "speed.md"
BEGIN, END = "<!-- memory: begin, written by audit_memory.py --table -->", "<!-- memory: end -->"
SIZES, ACCOUNTS, AIM_MB = (1_000_000, 10_000_000), 100_000, 2_000
SEED, DAYS, FIRST_DAY = 20261122, 730, 18_628
CSV_OPTIONS = pa_csv.WriteOptions(quoting_style="none")
FORMS = {  # what is said of it, the file, score columns, recorded_at
    "csv": ("CSV", "scores.csv", 1, False),
    "recorded": ("CSV with the second of recording", "recorded.csv", 1, True),
    "gzip": ("CSV, gzip", "scores.csv.gz", 1, False),
    "parquet": ("Parquet", "scores.parquet", 1, False),
    "recorded parquet": ("Parquet with the second of recording", "recorded.parquet", 1, True),
    "five": ("CSV of five scores", "five.csv", 5, False),
    "five parquet": ("Parquet of five scores", "five.parquet", 5, False),
}
AUDIT = "import sys; from unspun.cli import main; sys.exit(main(sys.argv[1:]))"


def make_scores(rows: int, accounts: int, scores: int, recorded: bool) -> pa.Table:
    """Every account scored at even steps over two years, in order of date; scores have one decimal or three by turns."""
    rng = np.random.default_rng(SEED)
    start, risk = _start_and_risk(rng, accounts)
    each = -(-rows // accounts)
    owner = np.tile(np.arange(accounts, dtype=np.int32), each)[:rows]
    step = np.repeat(np.arange(each, dtype=np.int32), accounts)[:rows]
    day = start[owner] + step.astype(np.int64) * DAYS // each
    order = np.argsort(day, kind="stable")
    owner, day = owner[order], day[order]
    columns: dict[str, Any] = {"account": _names(accounts).take(pa.array(owner)), "date": day.astype("datetime64[D]")}
    if recorded:
        columns["recorded_at"] = (day * 86_400 + rng.integers(0, 3 * 86_400, rows)).astype("datetime64[s]")
    for i in range(scores):
        value = np.clip(60 - 15 * (0.4 * risk[owner] + rng.standard_normal(rows)), 0, 100)
        columns["score" if scores == 1 else f"score_{i + 1}"] = value.round(3 if i % 2 else 1)
    return pa.table(columns)


def make_renewals(accounts: int) -> pa.Table:
    """One renewal an account, two years after its first score."""
    rng = np.random.default_rng(SEED)
    start, risk = _start_and_risk(rng, accounts)
    churned = rng.random(accounts) < 1 / (1 + np.exp(2 - 0.6 * risk))
    return pa.table(
        {
            "account": _names(accounts),
            "term_start": (start + DAYS // 2).astype("datetime64[D]"),
            "due_date": (start + DAYS).astype("datetime64[D]"),
            "outcome": np.where(churned, "churned", "renewed"),
            "arr_before": np.exp(rng.normal(9, 0.8, accounts)).round(2),
        }
    )


def _start_and_risk(rng: np.random.Generator, accounts: int) -> tuple[np.ndarray, np.ndarray]:
    return FIRST_DAY + rng.integers(0, 365, accounts), rng.standard_normal(accounts)


def _names(accounts: int) -> pa.Array:
    return pa.array(np.char.add("ACC-", np.char.zfill(np.arange(accounts).astype(str), 8)))


def make_inputs(rows: int, accounts: int, form: str, folder: Path) -> Path:
    """Write the scores file of a form beside renewals.csv, and give its path."""
    folder.mkdir(parents=True, exist_ok=True)
    pa_csv.write_csv(make_renewals(accounts), folder / "renewals.csv", CSV_OPTIONS)
    _, file, scores, recorded = FORMS[form]
    path, table = folder / file, make_scores(rows, accounts, scores, recorded)
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return path
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    pa_csv.write_csv(table, plain, CSV_OPTIONS)
    if plain != path:
        with plain.open("rb") as source, gzip.open(path, "wb", compresslevel=1) as sink:
            shutil.copyfileobj(source, sink, 1 << 24)
    return path


def measure_audit(scores: Path, renewals: Path, out: Path) -> dict[str, float]:
    """Processor seconds and peak memory (MB) of `unspun audit`, by a process whose only child it is. Raises where it fails."""
    arguments = ["audit", str(scores), str(renewals), "--quiet", "--json", str(out)]
    ran = subprocess.run([sys.executable, __file__, "--run", *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def run_audit(arguments: list[str]) -> dict[str, float]:
    """The same, in this process's one child."""
    subprocess.run([sys.executable, "-c", AUDIT, *arguments], check=True, stdout=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    in_bytes = 1 if sys.platform == "darwin" else 1024
    return {"seconds": round(used.ru_utime + used.ru_stime, 2), "peak_mb": round(used.ru_maxrss * in_bytes / 1e6)}


def measure(sizes: tuple[int, ...], forms: tuple[str, ...], out: Path) -> None:
    """Every form at every size, written after each."""
    results: dict[str, Any] = {
        "date": date.today().isoformat(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in ("unspun", "numpy", "scipy", "pyarrow")},
        "machine": {"cpus": os.cpu_count(), "system": platform.system(), "machine": platform.machine()},
        "accounts": ACCOUNTS,
        "forms": {},
    }
    for form in forms:
        results["forms"][form] = {}
        for rows in sizes:
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                _in_child(rows, form, folder)
                found = measure_audit(folder / FORMS[form][1], folder / "renewals.csv", folder / "out.json")
            found["load_before"] = round(os.getloadavg()[0], 2)
            results["forms"][form][str(rows)] = found
            print(f"{form}: {rows:,} rows: {found['peak_mb']:,} MB, {found['seconds']:.1f} s", flush=True)
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps(results, indent=1) + "\n")


def _in_child(rows: int, form: str, folder: Path) -> None:
    subprocess.run([sys.executable, __file__, "--make", str(rows), form, str(folder)], check=True)


def write_tables(results: Path, document: Path) -> None:
    """Replace what stands between the document's two marks."""
    text = document.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or END not in text:
        raise ValueError(f"{document} lacks the marks between which the table stands")
    document.write_text(f"{before}{BEGIN}\n\n{table(json.loads(results.read_text()))}\n\n{END}{after}")


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    sizes = list(dict.fromkeys(size for cells in results["forms"].values() for size in cells))
    head = ["Scores file", *(f"{int(size):,} rows, {what}" for size in sizes for what in ("MB", "s"))]
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    for form, cells in results["forms"].items():
        figures = [text for size in sizes for text in (f"{cells[size]['peak_mb']:,}", f"{cells[size]['seconds']:.1f}")]
        lines.append("| " + " | ".join([FORMS[form][0], *figures]) + " |")
    highest = max(cell["peak_mb"] for cells in results["forms"].values() for cell in cells.values())
    verdict = "reached" if highest < AIM_MB else "missed"
    return (
        f"Run on {results['date']} on {results['machine']['system']} {results['machine']['machine']} with "
        f"{results['machine']['cpus']} processors; {versions}.\n\n"
        + "\n".join(lines)
        + f"\n\nThe aim is under {AIM_MB:,} MB: **{verdict}**, the most being {highest:,} MB."
    )


def main() -> None:
    """The command line; --make and --run are for the processes that it starts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, help="one size instead of both")
    parser.add_argument("--forms", default=",".join(FORMS), help=f"some of {', '.join(FORMS)}, comma-separated")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="run nothing; write the document's table from --out")
    parser.add_argument("--make", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--run", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.make:
        make_inputs(int(asked.make[0]), ACCOUNTS, asked.make[1], Path(asked.make[2]))
    elif asked.run:
        print(json.dumps(run_audit(asked.run)))
    elif asked.table:
        write_tables(asked.out, DOCUMENT)
    else:
        forms = tuple(form for form in FORMS if form in asked.forms.split(","))
        measure((asked.rows,) if asked.rows else SIZES, forms, asked.out)


if __name__ == "__main__":
    main()
