"""The list of the portfolio as an operation says it, and as a page shows it."""

from __future__ import annotations

import re
from html import unescape

from tests.doors.console_site import Page
from tests.doors.portfolio_company import OWNER, Company
from unspun.app.portfolio.conditions import PortfolioFilter
from unspun.app.portfolio.request import PortfolioRequest
from unspun.app.portfolio.run import Portfolio, portfolio


def lines(company: Company, **asked: object) -> Portfolio:
    """What the operation says of a filter."""
    return portfolio(company.workspace, OWNER, PortfolioRequest(filter=PortfolioFilter(**asked)))  # pyright: ignore[reportArgumentType]


def names(page: Page) -> list[str]:
    """The accounts of the list, in its order."""
    return [unescape(one) for one in re.findall(r'<th scope="row" class="a-acc"><a [^>]*>(.*?)</a>', page.text)]
