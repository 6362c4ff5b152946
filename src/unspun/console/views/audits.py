"""Score audits from the console: two files uploaded, a job that judges them, and the reports that were made, until they are deleted."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from unspun.app.imports.audit_files import OUTCOMES, AuditOrder
from unspun.app.imports.audits import (
    REPORT_FILES,
    ask_audit,
    delete_audit,
    find_audit,
    list_audits,
    report_of,
)
from unspun.app.imports.kept import Upload
from unspun.console.access import allow
from unspun.console.asking import actor_of_request
from unspun.console.forms import fault_words
from unspun.console.views.imports import size_words, uploads_of
from unspun.errors import BadInput, UnspunError

NO_FILE = Upload("", ())


@allow("audit.run")
@never_cache
@require_http_methods(["GET", "POST"])
def audits(request: HttpRequest) -> HttpResponse:
    """Upload two files to have a score audited; the audits there are, with who asked for them and when."""
    actor, at = actor_of_request(request), timezone.now()
    order, refused = _order(request), None
    if request.method == "POST":
        scores, outcomes = ((uploads_of(request, name) or [NO_FILE])[0] for name in ("scores", "outcome_file"))
        try:
            return redirect("audit", ask_audit(settings.WORKSPACE, actor, scores, outcomes, order, at))
        except BadInput as refusal:
            refused = refusal
    found = list_audits(settings.WORKSPACE, actor, at)
    held = {
        "audits": found, "order": order, "refused": refused, "kinds": OUTCOMES, "most": settings.SITE.upload_bytes, "size": size_words,
        "is_open": any(one.job.is_open for one in found),
    }  # fmt: skip
    if "part" in request.GET:
        return render(request, "audits/table.html", held)
    return render(request, "audits/list.html", held, status=422 if refused else 200)


@allow("audit.run")
@never_cache
@require_GET
def audit(request: HttpRequest, number: int) -> HttpResponse:
    """One audit: how far it is, its verdicts, its report."""
    try:
        found = find_audit(settings.WORKSPACE, actor_of_request(request), number, timezone.now())
    except BadInput as refusal:
        raise Http404 from refusal
    if "part" in request.GET:
        answer = render(request, "audits/state.html", {"audit": found, "job": found.job})
        if not found.job.is_open:
            answer.headers["HX-Refresh"] = "true"
        return answer
    return render(request, "audits/page.html", {"audit": found, "job": found.job})


@allow("audit.run")
@require_GET
def audit_file(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """The report as it is exported, shown under its own policy, or saved; or the result as JSON."""
    try:
        content, policy = report_of(settings.WORKSPACE, actor_of_request(request), number, name, timezone.now())
    except BadInput as refusal:
        raise Http404 from refusal
    answer = HttpResponse(content, content_type=REPORT_FILES[name])
    if name.endswith(".html"):
        answer.headers["Content-Security-Policy"] = f"{policy}; frame-ancestors 'none'"
    if "save" in request.GET or not name.endswith(".html"):
        answer.headers["Content-Disposition"] = f'attachment; filename="audit-{number}-{name}"'
    return answer


@allow("audit.run")
@require_POST
def audit_delete(request: HttpRequest, number: int) -> HttpResponse:
    """Delete the report and what was uploaded for it."""
    try:
        delete_audit(settings.WORKSPACE, actor_of_request(request), number, timezone.now())
    except UnspunError as refusal:
        messages.error(request, fault_words(refusal))
        return redirect("audits")
    messages.success(request, _("Audit %(n)s was deleted, with its report and files.") % {"n": number})
    return redirect("audits")


def _order(request: HttpRequest) -> AuditOrder:
    def lines(name: str) -> tuple[str, ...]:
        return tuple(line.strip() for line in request.POST.get(name, "").splitlines() if line.strip())

    return AuditOrder(
        request.POST.get("outcomes", OUTCOMES[0]), lines("columns"), lines("words"), lines("score_columns"), lines("bands"),
        request.POST.get("date_format", "").strip(), request.POST.get("time_zone", "").strip() or "UTC",
    )  # fmt: skip
