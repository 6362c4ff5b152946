"""Work beside the pages: the list of jobs, one with its live progress, and starting, repeating and cancelling them."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from unspun.app.jobs.asking import ShownJob, end, list_jobs, repeat, show_job, start
from unspun.console.access import allow
from unspun.console.asking import actor_of_request
from unspun.errors import BadInput


@allow("refresh.run")
@never_cache
@require_GET
def jobs(request: HttpRequest) -> HttpResponse:
    """The newest jobs; the table is asked for again each few seconds while one is open."""
    found = list_jobs(actor_of_request(request), timezone.now())
    page = "jobs/table.html" if "part" in request.GET else "jobs/list.html"
    return render(request, page, {"jobs": found, "is_open": any(one.is_open for one in found)})


@allow("refresh.run")
@never_cache
@require_GET
def job(request: HttpRequest, job: int) -> HttpResponse:
    """One job; the part that changes is asked for again each second until it ends."""
    page = "jobs/progress.html" if "part" in request.GET else "jobs/job.html"
    return render(request, page, {"job": _found(request, job)})


@allow("refresh.run")
@require_POST
def start_refresh(request: HttpRequest) -> HttpResponse:
    """Start a refresh, or go to the one that waits or runs."""
    arguments = {"evidence": "evidence" in request.POST, "fit": "fit" in request.POST}
    return redirect("job", start(actor_of_request(request), "refresh", arguments, timezone.now()))


@allow("settings.manage")
@require_POST
def start_backup(request: HttpRequest) -> HttpResponse:
    """Start a backup, or go to the one that waits or runs."""
    return redirect("job", start(actor_of_request(request), "backup", {}, timezone.now()))


@allow("refresh.run")
@require_POST
def repeat_job(request: HttpRequest, job: int) -> HttpResponse:
    """The same once more, as a new job."""
    _found(request, job)
    try:
        return redirect("job", repeat(actor_of_request(request), job, timezone.now()))
    except BadInput as refusal:
        messages.error(request, str(refusal))
        return redirect("job", job)


@allow("refresh.run")
@require_POST
def cancel_job(request: HttpRequest, job: int) -> HttpResponse:
    """Ask a job to stop."""
    _found(request, job)
    if not end(actor_of_request(request), job, timezone.now()):
        messages.info(request, _("The job had ended already."))
    return redirect("job", job)


def _found(request: HttpRequest, number: int) -> ShownJob:
    try:
        return show_job(actor_of_request(request), number, timezone.now())
    except BadInput as refusal:
        raise Http404(str(refusal)) from None
