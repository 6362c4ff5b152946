"""Evidence as a folder of pages: an index and a page a subject, styles and script beside them, nothing asked of any network."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from markupsafe import Markup

from unspun.audit.evidence_result import EvidenceResult
from unspun.audit.evidence_rows import Trace, row_sets
from unspun.audit.result import VERDICTS
from unspun.reports import evidence_charts, evidence_claims, evidence_map, marks, words
from unspun.reports.audit_html import ScorePage, environment, page_style, read_asset, with_roles
from unspun.reports.evidence_claims import Change, Row, Since, ranked_rows, worded
from unspun.reports.evidence_map import AgreementMap, agreement_map
from unspun.reports.marks import Scale
from unspun.reports.proof import Proof
from unspun.reports.row_files import csv_bytes, harmless, pack, slug
from unspun.reports.within import FILE, Within
from unspun.stats.estimate import Estimate, NoEstimate

MOST_ROWS = 40  # of the table at first; a button shows the others
MOST_NEEDED = 12
MOST_CHANGES = 40
MOST_NEAREST = 8
GROUPS_CUT = 0.2  # of 1 - |rank correlation|
ROOM_FOR_ROWS = 20_000_000  # bytes of all zips of rows in a folder
IMPORTED = ("score", "survey", "forecast")
STYLE, SCRIPT = "assets/evidence.css", "assets/evidence.js"
# `file:` lets the pages load what lies beside them from a disk, where browsers do not count it as their own origin.
OWN = "style-src 'self' file:; script-src 'self' file:; font-src data:; img-src data:"
POLICY = f"default-src 'none'; {OWN}; base-uri 'none'; form-action 'none'"
SHADES = tuple(
    (f"{low:.1f} to {high:.1f}" if high else f"{low:.1f} or more", f"shade-{i}")
    for i, (low, high) in enumerate(zip(evidence_map.STEPS, (*evidence_map.STEPS[1:], 0), strict=True), 1)
)
TEXT = re.compile(r"(<[^>]*>)")


@dataclass(frozen=True, slots=True)
class RowZip:
    """The test rows of a subject: where they lie in the folder, their count, the SHA-256 of the CSV and the bytes of the zip."""

    name: str
    rows: int
    sha256: str
    zipped: bytes

    @property
    def size(self) -> int:
        return len(self.zipped)


def render_evidence(
    result: EvidenceResult,
    proof: Proof,
    since: Since | None = None,
    trace: Trace | None = None,
    room: int = ROOM_FOR_ROWS,
    within: Within = FILE,
) -> Iterator[tuple[str, bytes]]:
    """The files of the folder one after the other, each as its path in the folder and its bytes; the same result gives the same bytes.

    `trace` puts the test rows beside the pages, of the first subjects by verdict as far as `room` (bytes) goes. `within`
    the console the files are fragments, without styles and scripts.
    """
    rows = ranked_rows(result)
    agreement = agreement_map(result)
    shared = {**_shared(result, proof, since, rows, agreement), "within": within}
    if not within.shell:
        yield STYLE, (page_style() + read_asset("evidence.css")).encode()
        yield SCRIPT, (read_asset("theme.js") + read_asset("evidence.js")).encode()
    yield "index.html", _filled("evidence_index.html.j2", {**shared, **_index(result, rows, agreement)})
    if not isinstance(agreement, NoEstimate):
        yield "agreement.csv", _pairs_csv(agreement)
    for place, row in enumerate(rows):
        file = _row_zip(trace, row, shared["pages"][row.key], room, result) if trace is not None and within.accounts and room > 0 else None
        if file is not None:
            room -= file.size
            yield file.name, file.zipped
        around = (rows[place - 1] if place else None, rows[place + 1] if place + 1 < len(rows) else None)
        yield shared["pages"][row.key], _filled("evidence_subject.html.j2", {**shared, **_subject(result, row, shared, file, around)})


def page_names(rows: Sequence[Row]) -> dict[str, str]:
    """The file of each subject's page; names that would be the same are numbered."""
    names: dict[str, str] = {}
    taken = {"index"}
    for row in sorted(rows, key=lambda one: one.position):
        stem = slug(row.key)
        name = next(name for n in range(1, len(rows) + 2) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)
        taken.add(name)
        names[row.key] = f"{name}.html"
    return names


def _shared(
    result: EvidenceResult, proof: Proof, since: Since | None, rows: list[Row], agreement: AgreementMap | NoEstimate
) -> dict[str, Any]:
    """What every page is filled with."""
    return {
        "evidence": result,
        "result": result.audit,
        "design": result.audit.design,
        "v": result.audit.design.vocabulary,
        "units": words.units_of(result.audit.design),
        "proof": proof,
        "since": since,
        "agreement": agreement,
        "pages": page_names(rows),
        "labels": {row.key: row.label for row in rows},
        "verdicts": VERDICTS,
        "total": len(rows),
        "auc_scale": _auc_scale([row.auc for row in rows]),
        "ec": evidence_claims,
        "echarts": evidence_charts,
        "emap": evidence_map,
        "quoted": shlex.quote,
        "policy": POLICY,
        "paper": False,
        **{name: globals()[name] for name in ("MOST_ROWS", "MOST_NEEDED", "MOST_CHANGES")},
    }


def _index(result: EvidenceResult, rows: list[Row], agreement: AgreementMap | NoEstimate) -> dict[str, Any]:
    pages, labels, groups = page_names(rows), {row.key: row.label for row in rows}, {row.key: row.one.group for row in rows}
    known = isinstance(agreement, AgreementMap)
    return {
        "rows": rows,
        "tally": evidence_claims.tally(rows),
        "needed": evidence_claims.needed_rows(rows),
        "shades": SHADES,
        "CUT": GROUPS_CUT,
        "MOST_PAIRS": evidence_map.MOST_PAIRS,
        "map_data": {
            "names": [labels[key] for key in agreement.keys],
            "pages": [pages[key] for key in agreement.keys],
            "groups": [0 if (group := groups[key]) is None else group + 1 for key in agreement.keys],
            "rho": agreement.data(),
        }
        if known
        else None,
    }


def _subject(
    result: EvidenceResult, row: Row, shared: Mapping[str, Any], file: RowZip | None, around: tuple[Row | None, Row | None]
) -> dict[str, Any]:
    agreement, since = shared["agreement"], shared["since"]
    by_key = {one.key: one for one in evidence_claims.rows_of(result)}
    nearest = [] if isinstance(agreement, NoEstimate) else [(by_key[key], rho) for key, rho in agreement.nearest(row.key, MOST_NEAREST)]
    return {
        "row": row,
        "page": _page(result, row),
        "said": partial(said_of, noun=row.noun),
        "worded_cautions": [replace(caution, text=row.worded(caution.text)) for caution in row.score.cautions],
        "imported": row.one.subject.kind in IMPORTED,
        "nearest": nearest,
        "same_claim": evidence_claims.same_claim(row, nearest),
        "change": _change_of(since, row.key),
        "file": file,
        "before": around[0],
        "after": around[1],
    }


def _change_of(since: Since | None, key: str) -> Change | None:
    return next((one for one in since.changes if one.key == key), None) if since is not None else None


def _page(result: EvidenceResult, row: Row) -> ScorePage:
    tests = [horizon.test for horizon in row.score.horizons]
    values = [value for test in tests for value in (test.auc, test.auc_baseline, test.auc_both)]
    return ScorePage(
        score=row.score,
        prefix="",
        level=2,
        opened={},
        units=words.units_of(result.audit.design),
        judged=evidence_claims.judged_on(result.audit),
        auc_scale=_auc_scale(values),
        rows={},
    )


def said_of(page: Markup, noun: str) -> Markup:
    """A part of the audit's page, made for scores, with another noun for what is on trial. Tags are left as they are."""
    parts = TEXT.split(str(page))
    return Markup("".join(part if at % 2 else worded(part, noun) for at, part in enumerate(parts)))


def _auc_scale(values: Sequence[Estimate | NoEstimate]) -> Scale:
    """One scale for all AUCs of a table."""
    ends = (end for value in values if isinstance(value, Estimate) for end in (value.low, value.high))
    around = marks.scale_over(ends, around=0.5, step=0.05, margin=0.02)
    return Scale(max(0.0, around.low), min(1.0, around.high), 3, 97)


def _filled(template: str, context: Mapping[str, Any]) -> bytes:
    return (with_roles(environment().get_template(template).render(context).rstrip()) + "\n").encode()


def _pairs_csv(agreement: AgreementMap) -> bytes:
    """Every pair once, the likest first; pairs without a rank correlation stand last, empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("one", "other", "rank_correlation"))
    told = agreement.pairs(0.0)
    writer.writerows((harmless(one), harmless(other), "" if rho != rho else f"{rho:.6g}") for one, other, rho in told)
    return out.getvalue().encode()


def _row_zip(trace: Trace, row: Row, page: str, room: int, result: EvidenceResult) -> RowZip | None:
    """The test rows of a subject, or None where it has none or they do not fit."""
    found = next(row_sets(trace, row.position, ("test",)), None)
    if found is None:
        return None
    text = csv_bytes(found)
    digest, stem = hashlib.sha256(text).hexdigest(), page.removesuffix(".html")
    manifest = {
        "what": "test rows behind a verdict on trial",
        "subject": row.key,
        "filters": found.filters,
        "as_of": result.audit.design.as_of.isoformat(),
        "settings": dict(result.audit.settings),
        "protocol_version": result.audit.protocol_version,
        "package_version": result.audit.package_version,
        "rows": len(found),
        "columns": {column.name: column.meaning for column in found.columns},
        "csv": {"name": f"{stem}.csv", "sha256": digest, "bytes": len(text)},
    }
    zipped = pack(stem, text, json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n")
    return RowZip(f"rows/{stem}.zip", len(found), digest, zipped) if len(zipped) <= room else None
