"""The import wizard: files dropped, their mapping, a dry run with its rejected rows, the load, and taking it back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from unspun.app.imports import asking, kept, running, undoing
from unspun.app.imports.kept import Import, Upload
from unspun.app.jobs.asking import show_job
from unspun.app.loads import LookedAt
from unspun.book.entities import TABLES, TableName
from unspun.book.mapping.book_fields import KNOWN_AT, KNOWN_AT_MEANING
from unspun.book.mapping.correct import ChosenMapping, own_name
from unspun.book.mapping.propose_result import mapping_settings
from unspun.console.access import allow
from unspun.console.answers import csv_answer
from unspun.console.asking import actor_of_request
from unspun.console.forms import fault_words
from unspun.errors import BadInput
from unspun.reports import words

MOST_COLUMNS: Final = 300
"""Columns of a file that the page offers; what is proposed for the others holds."""
MOST_REJECTS: Final = 100


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A column of a file: its place in the form, where it goes, its examples, and why."""

    field: str
    name: str
    book: str
    own: str
    examples: str
    why: str
    sure: bool


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file of an import as the page lays it out. `place` counts from 1; `table` is "" where none is known."""

    place: int
    name: str
    bytes: int
    looked: LookedAt
    table: str
    columns: tuple[ShownColumn, ...]
    more: int
    standard: tuple[tuple[str, str, bool], ...]
    is_chosen: bool
    settings: tuple[tuple[str, str], ...]

    @property
    def line(self) -> int:
        return self.looked.mapping.line if self.looked.mapping is not None else 0


@allow("data.load")
@never_cache
@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """Where an import begins, and those of one's own that wait."""
    actor, at = actor_of_request(request), timezone.now()
    if request.method == "POST":
        try:
            return redirect("import", kept.begin(settings.WORKSPACE, actor, uploads_of(request, "files"), at).id)
        except BadInput as refusal:
            messages.error(request, fault_words(refusal))
            return redirect("imports")
    most = settings.SITE.upload_bytes
    return render(request, "imports/begin.html", {"waiting": kept.listed(settings.WORKSPACE, actor, at), "most": most, "size": size_words})


@allow("data.load")
@never_cache
@require_GET
def import_page(request: HttpRequest, wanted: str) -> HttpResponse:
    """An import: its files with their mapping, the dry run, the load. `part` is what changes while a job runs."""
    of = _found(request, wanted)
    job = _job(request, of)
    if "part" in request.GET:
        answer = render(request, "imports/progress.html", {"of": of, "job": job})
        if job is None or not job.is_open:
            answer.headers["HX-Refresh"] = "true"
        return answer
    if of.load is not None:
        return render(request, "imports/loaded.html", {"of": of, "words": words})
    tried = running.tried_of(settings.WORKSPACE, of)
    looked = () if job is not None and job.is_open else running.look_at(settings.WORKSPACE, of)
    files = [_shown(place, one, of) for place, one in enumerate(looked, 1)]
    held: dict[str, Any] = {
        "of": of, "job": job, "tried": tried, "rejects": tried.rejects[:MOST_REJECTS] if tried else (), "words": words, "size": size_words,
        "files": files, "tables": tuple(TABLES), "most": settings.SITE.upload_bytes,
    }  # fmt: skip
    return render(request, "imports/page.html", held)


@allow("data.load")
@require_POST
def import_files(request: HttpRequest, wanted: str) -> HttpResponse:
    """More files."""
    actor = actor_of_request(request)
    return _changed(request, wanted, lambda of: kept.add(settings.WORKSPACE, actor, of, uploads_of(request, "files")))


@allow("data.load")
@require_POST
def import_remove(request: HttpRequest, wanted: str) -> HttpResponse:
    """One file less."""
    return _changed(request, wanted, lambda of: kept.remove(settings.WORKSPACE, of, request.POST.get("name", "")))


@allow("data.load")
@require_POST
def import_mapping(request: HttpRequest, wanted: str) -> HttpResponse:
    """The mapping of a file: another table takes what is proposed for it, else the columns as they were chosen."""
    name = request.POST.get("name", "")
    place = request.POST.get("place", "")
    return _changed(
        request, wanted, lambda of: kept.choose(settings.WORKSPACE, of, name, _choice(request.POST, of, name)), f"#file-{place}"
    )


@allow("data.load")
@require_POST
def import_known(request: HttpRequest, wanted: str) -> HttpResponse:
    """When the rows were known."""
    received, day = request.POST.get("known") == "received", request.POST.get("known_at", "")
    return _changed(request, wanted, lambda of: kept.set_known(settings.WORKSPACE, of, received, day))


@allow("data.load")
@require_POST
def import_try(request: HttpRequest, wanted: str) -> HttpResponse:
    """Start the dry run."""
    actor = actor_of_request(request)
    return _changed(request, wanted, lambda of: asking.ask_dry_run(settings.WORKSPACE, actor, of, timezone.now()), "#run")


@allow("data.load")
@require_POST
def import_load(request: HttpRequest, wanted: str) -> HttpResponse:
    """Start the load."""
    actor = actor_of_request(request)
    return _changed(request, wanted, lambda of: asking.ask_load(settings.WORKSPACE, actor, of, timezone.now()), "#run")


@allow("data.load")
@require_POST
def import_discard(request: HttpRequest, wanted: str) -> HttpResponse:
    """Remove the import and its files."""
    of = _found(request, wanted)
    if asking.is_busy(of):
        messages.error(request, _("A job of the import runs. Cancel it first."))
        return redirect("import", wanted)
    kept.discard(settings.WORKSPACE, of)
    messages.success(request, _("The files were discarded; the book is as it was."))
    return redirect("imports")


@allow("data.load")
@require_GET
def import_rejects(request: HttpRequest, wanted: str) -> HttpResponse:
    """The rejected rows of the dry run as CSV."""
    tried = running.tried_of(settings.WORKSPACE, _found(request, wanted))
    if tried is None:
        raise Http404
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(running.reject_lines(tried))
    told = {"what": "rejected rows of a dry run", "files": [one["name"] for one in tried.files], "rows": len(tried.rejects)}
    return csv_answer("rejected", out.getvalue(), {**told, "rejected_in_all": tried.total("rejected"), "columns": running.REJECT_COLUMNS})


@allow("data.load")
@never_cache
@require_http_methods(["GET", "POST"])
def undo_load(request: HttpRequest, load: int) -> HttpResponse:
    """What taking back a load would undo; by POST, take it back. One that is not the newest in force is refused on a page."""
    actor = actor_of_request(request)
    if request.method == "POST":
        return redirect("job", asking.ask_undo(settings.WORKSPACE, actor, load, timezone.now()))
    return render(request, "imports/undo.html", {"last": undoing.undoable(settings.WORKSPACE, actor, load), "words": words})


def uploads_of(request: HttpRequest, name: str) -> list[Upload]:
    """The files of a field, to be read in parts."""
    files = cast("Sequence[UploadedFile]", request.FILES.getlist(name))
    return [Upload(one.name or "", one.chunks()) for one in files]


def size_words(size: int) -> str:
    """A size in words: `1.2 MB`."""
    for unit, most in (("kB", 1_000_000), ("MB", 1_000_000_000)):
        if size < most:
            return f"{max(size, 100) * 1000 / most:,.1f} {unit}".replace(".0 ", " ")
    return f"{size / 1_000_000_000:,.1f} GB".replace(".0 ", " ")


def _found(request: HttpRequest, wanted: str) -> Import:
    try:
        return kept.find(settings.WORKSPACE, actor_of_request(request), wanted)
    except BadInput as refusal:
        raise Http404 from refusal


def _job(request: HttpRequest, of: Import) -> Any:
    """The newest job of the import, as far as there is one."""
    numbers = [job for job in (of.tried, of.loading) if job is not None]
    if not numbers:
        return None
    try:
        return show_job(actor_of_request(request), max(numbers), timezone.now())
    except BadInput:
        return None


def _changed(request: HttpRequest, wanted: str, change: Callable[[Import], object], anchor: str = "") -> HttpResponse:
    of = _found(request, wanted)
    try:
        change(of)
    except BadInput as refusal:
        messages.error(request, fault_words(refusal))
    return redirect(f"{reverse('import', args=[wanted])}{anchor}")


def _choice(posted: Mapping[str, str], of: Import, name: str) -> ChosenMapping | None:
    """What the form says of a file; None: as proposed."""
    if "proposed" in posted:
        return None
    table = cast("TableName | None", posted.get("table") or None)
    looked = next((one for one in running.look_at(settings.WORKSPACE, of) if one.path == name), None)
    if looked is None or looked.proposal is None or table != posted.get("before"):
        return ChosenMapping(table)
    columns = {column.file_column: posted[f"c{i}"] for i, column in enumerate(looked.proposal.columns) if f"c{i}" in posted}
    return ChosenMapping(table, columns)


def _shown(place: int, looked: LookedAt, of: Import) -> ShownFile:
    file = next(one for one in of.files if one.name == looked.path)
    table = file.table or ("" if looked.mapping is None else looked.mapping.table)
    proposal = looked.proposal
    columns = () if proposal is None or looked.like else proposal.columns[:MOST_COLUMNS]
    standard = tuple((one.name, one.meaning, one.required) for one in TABLES[table].columns) if table in TABLES else ()
    known = {name for name, _meaning, _required in standard} | {KNOWN_AT}
    taken = {one.book_name: "" for one in columns if one.book_name}
    shown = tuple(
        ShownColumn(
            f"c{i}", one.file_column, one.book_name,
            one.book_name if one.book_name and one.book_name not in known else own_name(one.file_column, taken),
            ", ".join(one.examples), one.why, one.sure,
        )
        for i, one in enumerate(columns) if one.file_column
    )  # fmt: skip
    more = 0 if proposal is None else len(proposal.columns) - len(columns)
    return ShownFile(
        place, looked.path, file.bytes, looked, table, shown, more if columns else 0,
        (*standard, (KNOWN_AT, KNOWN_AT_MEANING, False)) if standard else (), file.choice is not None, _settings(looked),
    )  # fmt: skip


def _settings(looked: LookedAt) -> tuple[tuple[str, str], ...]:
    """What the mapping says beside its columns."""
    return () if looked.mapping is None or looked.faults else mapping_settings(looked.mapping)
