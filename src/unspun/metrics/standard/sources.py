"""What the catalogue cites: books, papers, and documentation of vendors, as they stand in `reference`."""

from __future__ import annotations

MOZILLA_ACTIVE = "Mozilla, Daily and monthly active users (DAU, WAU, MAU over 28 days): https://docs.telemetry.mozilla.org/cookbooks/dau"
MOZILLA_DAYS = "Mozilla metric-hub, days_of_use: https://mozilla.github.io/metric-hub/default_configs/firefox_desktop"
STATSIG = "Statsig, User accounting metrics: https://docs.statsig.com/metrics/user"
CUBE = "Cube, Daily, weekly, monthly active users (WAU to MAU): https://cube.dev/docs/active-users"
MIXPANEL = "Mixpanel glossary, Stickiness: https://docs.mixpanel.com/guides/glossary"
GOLD = "Carl Gold, Fighting Churn with Data (Manning, 2020), chapter {chapter}"
HEART = "Rodden, Hutchinson and Fu, Measuring the user experience on a large scale (CHI 2010): engagement"
PENDO = "Pendo, The path to product adoption: https://www.pendo.io/resources/the-path-to-product-adoption/"
GITLAB_HEALTH = (
    "GitLab handbook, Health scoring (active users over 28 days by billable users): "
    "https://handbook.gitlab.com/handbook/customer-success/product-usage-data/use-case-adoption"
)
GITLAB_VALUE = "GitLab handbook, time-to-value in calendar days: https://about.gitlab.com/handbook/customer-success/vision/"
FRESHSUCCESS = "Freshsuccess, Health score metrics ({what}): https://support.freshsuccess.com/en/support/solutions/articles/50000004819-health-score-metrics"
GAINSIGHT = "Gainsight, Open items score (tickets opened, all states): https://support.gainsight.com/Staircase_AI/Accounts/Open_Items_Score"
PLANHAT = "Planhat, Health score and support tickets: https://www.planhat.com/blog/health-score-and-support-tickets/"
ZENDESK = "Zendesk, About native Support time duration metrics ({what}): https://support.zendesk.com/hc/en-us/articles/4408834848154"
ZOHO = (
    "Zoho Desk, Agent performance report ({what}): "
    "https://help.zoho.com/portal/en/kb/desk/reports-and-dashboards/articles/understanding-the-agent-performance-report"
)
KAIZO = "Kaizo, Reopen rate: https://support.kaizo.com/hc/en-us/articles/360020782518-Reopen-Rate-RR-metric-definition"
DELIGHTED = "Delighted, How is CSAT calculated: https://help.delighted.com/article/240-how-is-csat-calculated"
REICHHELD = "Frederick F. Reichheld, The one number you need to grow, Harvard Business Review, December 2003"
DIXON = "Dixon, Freeman and Toman, Stop trying to delight your customers, Harvard Business Review, July 2010"
STRIPE = "Stripe, invoice.overdue and invoice.will_be_due: https://docs.stripe.com/changelog/acacia/2024-09-30/billing-due-date-webhooks"
STRIPE_FAILED = "common practice: counts of the event invoice.payment_failed, as Stripe's webhooks name it"
FADER = "Fader, Hardie and Lee, RFM and CLV, Journal of Marketing Research 42(4), 2005: https://doi.org/10.1509/jmkr.2005.42.4.415"
CLIENTSUCCESS = (
    "ClientSuccess, How renewal dates work (the earliest end of an active subscription): "
    "https://help.clientsuccess.com/en/articles/14729175-how-renewal-dates-work-in-clientsuccess"
)
HUBSPOT_ARR = "HubSpot glossary, Annual recurring revenue: https://www.hubspot.com/glossary/annual-recurring-revenue"
COMMON = "common practice: {where}"
