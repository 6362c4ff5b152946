"""The routes of the pages. Each view is marked with who may reach it (`unspun.console.access`)."""

from __future__ import annotations

from django.urls import path

from unspun.console.import_urls import ROUTES as IMPORTS
from unspun.console.portfolio_urls import ROUTES as PORTFOLIO
from unspun.console.published_urls import ROUTES as PUBLISHED
from unspun.console.views.home import home
from unspun.console.views.join import join
from unspun.console.views.own import end_one, end_others, own_page
from unspun.console.views.people import invite_person, let_in_or_out, make_reset_link, people, person, withdraw_invitation
from unspun.console.views.search import search
from unspun.console.views.set_up import set_up
from unspun.console.views.tokens import end_token, tokens

urlpatterns = [
    path("", home, name="home"),
    *PORTFOLIO,
    path("search", search, name="search"),
    # joining
    path("set-up", set_up, name="set_up"),
    path("join/<str:secret>", join, name="join"),
    # oneself
    path("self", own_page, name="self"),
    path("self/sessions/<int:session>/end", end_one, name="end_session"),
    path("self/sessions/end-others", end_others, name="end_other_sessions"),
    path("self/tokens", tokens, name="tokens"),
    path("self/tokens/<int:token>/revoke", end_token, name="revoke_token"),
    # the people of the workspace
    path("people", people, name="people"),
    path("people/invite", invite_person, name="invite"),
    path("people/invitations/<int:invitation>/withdraw", withdraw_invitation, name="withdraw_invitation"),
    path("people/<int:person>", person, name="person"),
    path("people/<int:person>/active", let_in_or_out, name="let_in_or_out"),
    path("people/<int:person>/reset-link", make_reset_link, name="reset_link"),
    *PUBLISHED,
    *IMPORTS,
]
