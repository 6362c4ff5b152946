"""The routes of what was published: pages that reports lay out, figures, the ledger, definitions, the data."""

from __future__ import annotations

from django.urls import path

from unspun.console.views.data import data, finding
from unspun.console.views.definitions import definition, definitions
from unspun.console.views.figures import figure, figure_csv, figure_rows, figures, recompute
from unspun.console.views.ledger import ledger
from unspun.console.views.reports import evidence, forecast, performance, record, risk_model

ROUTES = [
    path("evidence/", evidence, name="evidence"),
    path("evidence/<path:name>", evidence, name="evidence_page"),
    path("forecast/", forecast, name="forecast"),
    path("forecast/model/", risk_model, name="risk_model"),
    path("forecast/record/", record, name="record"),
    path("forecast/record/<str:name>", record, name="record_file"),
    path("forecast/<str:name>", forecast, name="forecast_file"),
    path("performance/", performance, name="performance"),
    path("performance/<str:name>", performance, name="performance_file"),
    path("figures/<int:entry>", figures, name="figures"),
    path("figures/<int:entry>/<path:name>", figure, name="figure"),
    path("figure-rows/<int:entry>/<path:name>", figure_rows, name="figure_rows"),
    path("figure-csv/<int:entry>/<path:name>", figure_csv, name="figure_csv"),
    path("figure-recompute/<int:entry>/<path:name>", recompute, name="figure_recompute"),
    path("ledger", ledger, name="ledger"),
    path("definitions", definitions, name="definitions"),
    path("definitions/<str:name>", definition, name="definition"),
    path("data", data, name="data"),
    path("data/findings/<path:wanted>", finding, name="finding"),
]
