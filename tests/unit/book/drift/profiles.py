"""Files of a source for the tests of drift: columns of random contents, and their profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from unspun.book.drift.profile import FileProfile, profile_file
from unspun.book.mapping.contents_sample import Sample
from unspun.book.mapping.definition import SourceMapping
from unspun.book.raw import RawTable

MAPPING = SourceMapping(
    ("terms*.csv",),
    "subscriptions",
    {"account_id": "id", "started": "from", "amount": "mrr", "product": "plan", "auto": "auto"},
    kinds={"auto": "flag"},
)
Cells = Mapping[str, Sequence[str | None]]


def profile(cells: Cells, mapping: SourceMapping = MAPPING) -> FileProfile:
    """The profile of a text file with these columns."""
    columns = tuple(pa.chunked_array([pa.array(list(column), pa.string())]) for column in cells.values())
    rows = len(columns[0])
    raw = RawTable("events", "terms.csv", "", "CSV", tuple(cells), columns, np.arange(2, rows + 2), rows)
    return profile_file(Sample(raw, True), mapping, ZoneInfo("UTC"))


def terms(seed: int, rows: int = 240) -> dict[str, list[str]]:
    """Terms of as many accounts as a third of the rows, as a billing system exports them."""
    random = Random(seed)
    return {
        "line": [f"L-{seed}-{i}" for i in range(rows)],
        "id": [f"A-{i % (rows // 3)}" for i in range(rows)],
        "from": [f"2026-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}" for _ in range(rows)],
        "mrr": [f"{random.randint(50, 900)}.{random.randint(1, 99):02d}" for _ in range(rows)],
        "seats": [str(random.randint(1, 400)) for _ in range(rows)],
        "plan": [random.choice(["basic", "pro", "team"]) for _ in range(rows)],
        "region": [random.choice(["EMEA", "AMER", "APAC"]) for _ in range(rows)],
        "csm": [random.choice(["Kim Lee", "Ada Byron", "Jo Ray"]) for _ in range(rows)],
        "auto": [random.choice(["yes", "no"]) for _ in range(rows)],
    }
