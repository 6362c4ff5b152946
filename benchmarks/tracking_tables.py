"""The tables of docs/explanation/tracking.md, from a result of the study.

python benchmarks/tracking_tables.py benchmarks/results/tracking-study-YYYY-MM-DD.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "tracking.md"
BEGIN, END = "<!-- study -->", "<!-- end of study -->"
SIZES = {0.75: "25 % lost", 0.5: "50 % lost", 0.25: "75 % lost", 0.0: "all lost", 2.0: "doubled"}
LENGTHS = (1, 3, 7, 21)


def tables(said: dict[str, Any]) -> str:
    return "\n\n".join(
        [_accounts(said["by_accounts"]), _found(said["outages_one_by_one"]), _sizes(said["outages_one_by_one"]), _delays(said)]
    )


def _accounts(by: dict[str, dict[str, Any]]) -> str:
    rows: list[tuple[str, ...]] = [("accounts", *by)]
    rows.append(("companies", *(str(one["companies"]) for one in by.values())))
    rows.append(("false alarms a company-year", *(f"{one['false_alarms_per_company_year']:.3f}" for one in by.values())))
    rows.append(("outages found, of those planted", *(f"{one['called_broke']} of {one['outages']}" for one in by.values())))
    rows.append(("outages called usage that fell", *(str(one["called_usage_fell"]) for one in by.values())))
    for what, name in (("place_named_exactly", "event or region named exactly"), ("first_day_exact", "first day exact"),
                       ("last_day_exact", "last day exact")):  # fmt: skip
        rows.append((f"{name}, of those found", *(_percent(one[what], one["called_broke"]) for one in by.values())))
    rows.append(("event retired for good told", *(f"{one['retired_told']} of {one['retired_events']}" for one in by.values())))
    for kind in next(iter(by.values()))["less_use_called_broke"]:
        rows.append((f"{kind}: called broken", *(f"{one['less_use_called_broke'][kind]} of {one['companies']}" for one in by.values())))
    return _table(rows)


def _found(outages: list[dict[str, Any]]) -> str:
    """Share found by scope, size and length, in companies of 200 accounts and more."""
    rows: list[tuple[str, ...]] = [("200 accounts and more", *(f"{days} days" if days > 1 else "1 day" for days in LENGTHS))]
    for scope in ("one event", "all events", "one region"):
        for kept, size in SIZES.items():
            group = [o for o in outages if o["accounts"] >= 200 and o["scope"] == scope and o["kept"] == kept]
            rows.append((f"{scope}, {size}", *(_share([o for o in group if o["days"] == days]) for days in LENGTHS)))
    return _table(rows)


def _sizes(outages: list[dict[str, Any]]) -> str:
    """Share found by size of the outage and of the company, three days and more."""
    counts = sorted({o["accounts"] for o in outages})
    rows: list[tuple[str, ...]] = [("3 days and more", *(f"{count} accounts" for count in counts))]
    for kept, size in SIZES.items():
        group = [o for o in outages if o["kept"] == kept and o["days"] >= 3]
        rows.append((size, *(_share([o for o in group if o["accounts"] == count]) for count in counts)))
    return _table(rows)


def _delays(said: dict[str, Any]) -> str:
    rows: list[tuple[str, ...]] = [("found, 7 days and more, 200 accounts", "outages", "median days needed", "within 3 days")]
    rows += [(SIZES[d["kept"]], str(d["outages"]), _days(d["median"]), _percent(d["within_3"], d["outages"])) for d in said["delay_days"]]
    return _table(rows)


def _days(days: float) -> str:
    return "only afterwards" if days > 21 else f"{days:g}"


def _share(group: list[dict[str, Any]]) -> str:
    return f"{sum(o['said'] == 'broke' for o in group)} of {len(group)}" if group else "-"


def _percent(count: int, of: int) -> str:
    return f"{100 * count / of:.0f} %" if of else "-"


def _table(rows: list[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, ("---", *("---:" for _ in head[1:])), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    said = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{tables(said)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
