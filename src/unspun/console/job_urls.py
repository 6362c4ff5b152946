"""The routes of the jobs' pages."""

from __future__ import annotations

from django.urls import path

from unspun.console.views.jobs import cancel_job, job, jobs, repeat_job, start_backup, start_refresh

urlpatterns = [
    path("jobs", jobs, name="jobs"),
    path("jobs/refresh", start_refresh, name="start_refresh"),
    path("jobs/backup", start_backup, name="start_backup"),
    path("jobs/<int:job>", job, name="job"),
    path("jobs/<int:job>/repeat", repeat_job, name="repeat_job"),
    path("jobs/<int:job>/cancel", cancel_job, name="cancel_job"),
]
