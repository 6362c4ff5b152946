"""Answers that are files."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of a zip: the same rows are the same bytes


def csv_answer(name: str, text: str, manifest: Mapping[str, Any]) -> HttpResponse:
    """Rows as a zip of NAME.csv and the manifest that tells what they are: query, filters, as-of, rows and hash."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for file, said in (
            (f"{name}.csv", text),
            (f"{name}.manifest.json", json.dumps(manifest, indent=1, ensure_ascii=False, default=str)),
        ):
            packed.writestr(zipfile.ZipInfo(file, FIRST_DAY), said.encode(), zipfile.ZIP_DEFLATED)
    answer = HttpResponse(held.getvalue(), content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    return answer
