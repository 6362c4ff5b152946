"""The routes of the portfolio and of accounts."""

from __future__ import annotations

from django.urls import path

from unspun.console.views.account import account, account_forecast, account_note
from unspun.console.views.account_metric import account_metric, account_metric_csv
from unspun.console.views.portfolio import portfolio, portfolio_rows, saved_view
from unspun.console.views.saved_views import begin_with, change_saved_view, delete_saved_view, new_view
from unspun.console.views.sums import portfolio_sum, portfolio_sum_csv

ROUTES = [
    path("portfolio", portfolio, name="portfolio"),
    path("portfolio/rows", portfolio_rows, name="portfolio_rows"),
    path("portfolio/sum/<str:name>", portfolio_sum, name="portfolio_sum"),
    path("portfolio/sum/<str:name>/rows", portfolio_sum_csv, name="portfolio_sum_csv"),
    path("views/new", new_view, name="new_view"),
    path("views/begin", begin_with, name="begin_with"),
    path("views/<int:view>/change", change_saved_view, name="change_view"),
    path("views/<int:view>/delete", delete_saved_view, name="delete_view"),
    path("views/<int:view>", saved_view, name="saved_view_of"),
    path("views/<int:view>-<str:slug>", saved_view, name="saved_view"),
    path("accounts/<path:account>/note", account_note, name="account_note"),
    path("accounts/<path:account>/forecast", account_forecast, name="account_forecast"),
    path("accounts/<path:account>/metrics/<str:metric>", account_metric, name="account_metric"),
    path("accounts/<path:account>/metrics/<str:metric>/rows", account_metric_csv, name="account_metric_csv"),
    path("accounts/<path:account>", account, name="account"),
]
