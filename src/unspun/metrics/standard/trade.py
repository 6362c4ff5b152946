"""Standard metrics of trade and of who is in touch: payment, purchases, contract, contact; and what accounts are compared by."""

from __future__ import annotations

from unspun.metrics.conditions import Compare, IsEmpty, IsIn, Not
from unspun.metrics.nodes import (
    LIFETIME,
    Arr,
    Attribute,
    Change,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DaysToEnd,
    Distinct,
    Open,
    Ratio,
    Reference,
    Rows,
    Seats,
    Share,
    Sum,
    TimeBetween,
)
from unspun.metrics.standard.choices import CHAMPIONS, FAILED_PAYMENTS, MEETINGS, OVERDUE_AMOUNT, OVERDUE_INVOICES, PAYMENTS
from unspun.metrics.standard.entry import StandardMetric
from unspun.metrics.standard.sources import CLIENTSUCCESS, COMMON, FADER, FRESHSUCCESS, GOLD, HUBSPOT_ARR, STRIPE, STRIPE_FAILED
from unspun.metrics.standard.usage import events
from unspun.metrics.windows import Days, SinceContractStart

YEAR = Days(365)
BOUGHT = Rows("purchases", window=YEAR)

PAYMENT = (
    StandardMetric(
        "failed_payments_90d", "payment", "Failed payments",
        "Payments that failed in 90 days.",
        Count(events(FAILED_PAYMENTS, Days(90))), STRIPE_FAILED,
        "One invoice that is tried four times counts four times. An expired card is not a wish to leave.",
        "Invoices that failed, each once.",
        "payments", "lower",
    ),
    StandardMetric(
        "overdue_invoices_365d", "payment", "Late invoices",
        "Invoices of a year that were not paid when they were due.",
        Count(events(OVERDUE_INVOICES, YEAR)), STRIPE,
        "Large customers pay late as a rule. A reminder that is sent twice counts twice.",
        "By all invoices of the year.",
        "invoices", "lower",
    ),
    StandardMetric(
        "overdue_amount", "payment", "Amount overdue",
        "What the account owes and has not paid in time, as accounts state it.",
        Attribute(OVERDUE_AMOUNT.token), FRESHSUCCESS.format(what="days an invoice has been open"),
        "As fresh as the last statement. Disputed invoices are in it.",
        "Days since the oldest invoice was due.",
        "", "lower",
    ),
    StandardMetric(
        "days_since_payment", "payment", "Days since a payment",
        "How many days ago a payment was last received.",
        DaysSinceLast(events(PAYMENTS, LIFETIME)), FRESHSUCCESS.format(what="days an invoice has been open"),
        "Who pays once a year has 300 days and owes nothing: compare within one billing period.",
        "Days overdue.",
        "days",
    ),
)  # fmt: skip

PURCHASES = (
    StandardMetric(
        "days_since_purchase", "purchases", "Recency",
        "How many days ago the account last bought something.",
        DaysSinceLast(Rows("purchases")), FADER,
        "Returns are rows as well. Long for one customer is short for another: compare with the days between its purchases.",
        "",
        "days", "lower",
    ),
    StandardMetric(
        "orders_365d", "purchases", "Frequency",
        "How many orders the account placed in a year.",
        Distinct(BOUGHT, "purchase_id"), FADER,
        "Cancelled orders have ids of their own in some shops. Splitting orders raises it.",
        "Repeat orders: all but the first.",
        "orders", "higher",
    ),
    StandardMetric(
        "spend_365d", "purchases", "Monetary value",
        "What was bought in a year, less what was returned.",
        Sum(BOUGHT, "amount"), FADER,
        "Tax, freight and discounts may be in it. No value where an account pays in several currencies.",
        "The average order, which Fader, Hardie and Lee use.",
        "", "higher",
    ),
    StandardMetric(
        "average_order_365d", "purchases", "Average order",
        "What was bought in a year by the orders placed.",
        Ratio(Reference("spend_365d"), Reference("orders_365d")), FADER,
        "Returns without an order of their own lower it.",
        "",
        "", "higher",
    ),
    StandardMetric(
        "quantity_365d", "purchases", "Pieces bought",
        "How many pieces were bought in a year, less those returned.",
        Sum(BOUGHT, "quantity"), COMMON.format(where="units sold in retail reports"),
        "Adds screws and machines.",
        "",
        "pieces", "higher",
    ),
    StandardMetric(
        "products_365d", "purchases", "Products bought",
        "How many different products were bought in a year.",
        Distinct(BOUGHT, "product"), COMMON.format(where="assortment or category breadth in retail reports"),
        "Variants of one product count as several where each has a code.",
        "",
        "products", "higher",
    ),
    StandardMetric(
        "returned_share_365d", "purchases", "Share of lines returned",
        "Of the lines of a year, the share with a negative quantity.",
        Share(Count(BOUGHT), Compare("quantity", "below", 0)), COMMON.format(where="return rate in retail reports"),
        "Counts lines, not money. Corrections look like returns.",
        "By amount.",
        "share", "lower",
    ),
    StandardMetric(
        "days_between_purchases_365d", "purchases", "Days between purchases",
        "How many days lie between one day with a purchase and the next, in the median of a year.",
        TimeBetween(BOUGHT, "median"), FADER,
        "Blind to the time since the last one. No value with fewer than two days of buying.",
        "The average.",
        "days", "lower",
    ),
    StandardMetric(
        "spend_change_365d", "purchases", "Change of spend",
        "What was bought in a year, by that of the year before, less one.",
        Change(Reference("spend_365d"), 365, relative=True), GOLD.format(chapter=7),
        "One large order moves it for two years.",
        "",
        "share", "higher",
    ),
)  # fmt: skip

CONTRACT = (
    StandardMetric(
        "arr", "contract", "ARR",
        "Annual recurring revenue on the day, as `unspun retention` counts it.",
        Arr(), HUBSPOT_ARR,
        "What is recurring is a matter of policy: see retention.yml. It is price, not value.",
        "MRR; contracted ARR with terms that have not begun.",
        "currency a year", "higher",
    ),
    StandardMetric(
        "arr_per_seat", "contract", "ARR per seat",
        "Annual recurring revenue by the seats of the day.",
        Ratio(Arr(), Seats()), GOLD.format(chapter=7),
        "Discounts for size lower it. Gold's unit cost divides by use, which says more.",
        "By active user.",
        "currency a year and seat",
    ),
    StandardMetric(
        "seats", "contract", "Seats",
        "Seats on the day.",
        Seats(), GOLD.format(chapter=3),
        "Sold, not used.",
        "",
        "seats", "higher",
    ),
    StandardMetric(
        "seats_change_365d", "contract", "Change of seats",
        "Seats of the day, by those of a year ago, less one.",
        Change(Seats(), 365, relative=True), COMMON.format(where="seat expansion and contraction in subscription reports"),
        "No value for customers of less than a year.",
        "The difference in seats.",
        "share", "higher",
    ),
    StandardMetric(
        "amount_change_365d", "contract", "Change of the running amounts",
        "The amounts of the terms that run, by those of the terms that ran a year ago, less one.",
        Change(Open("subscriptions", column="amount"), 365, relative=True),
        COMMON.format(where="ARR growth of an account; the language has no change of ARR itself"),
        "Right only where all amounts are for the same number of months. It is no ARR: see `arr` as of two dates.",
        "`unspun retention`, which splits the change into churn, contraction and expansion.",
        "share", "higher",
    ),
    StandardMetric(
        "running_terms", "contract", "Running terms",
        "How many terms run on the day.",
        Open("subscriptions"), GOLD.format(chapter=3),
        "Lines of an order, where each is a term.",
        "Products held.",
        "terms",
    ),
    StandardMetric(
        "addons", "contract", "Add-ons",
        "How many terms of add-ons run on the day.",
        Open("subscriptions", IsIn("is_addon", (True,))), COMMON.format(where="attach or cross-sell counts"),
        "Free add-ons count.",
        "",
        "terms", "higher",
    ),
    StandardMetric(
        "days_as_customer", "contract", "Tenure",
        "Days since the first term began.",
        DaysSinceFirst(Rows("subscriptions")), GOLD.format(chapter=3),
        "Those who stayed long are those who stay: it foretells renewal without any cause in it. Only terms that were loaded count.",
        "Since signing up.",
        "days",
    ),
    StandardMetric(
        "days_into_term", "contract", "Days into the term",
        "Days since the current term began.",
        DaysSinceFirst(Rows("subscriptions", window=SinceContractStart())),
        COMMON.format(where="position in the contract, in renewal calendars"),
        "How many are left is not in it: see `days_to_renewal`.",
        "Days to the renewal.",
        "days",
    ),
    StandardMetric(
        "days_to_renewal", "contract", "Days to renewal",
        "Days to the next end of a base term that runs.",
        DaysToEnd(), CLIENTSUCCESS,
        "A term that renews by itself has no decision on that day: notice is due before. Terms that are open have no end, and no value.",
        "To the last day for notice; to the end of the largest term. `unspun panel --before-renewals` counts from the due day.",
        "days",
    ),
    StandardMetric(
        "notices", "contract", "Terms under notice",
        "How many of the running terms have been given notice by the day.",
        Open("subscriptions", Not(IsEmpty("notice"))), COMMON.format(where="notice dates in contract management"),
        "It is the outcome, not a sign of it: leave it out of any score of renewals.",
        "",
        "terms", "lower",
    ),
)  # fmt: skip

CONTACT = (
    StandardMetric(
        "touchpoints_90d", "contact", "Touchpoints",
        "How often the team and the customer were in touch in 90 days.",
        Count(Rows("touchpoints", window=Days(90))), FRESHSUCCESS.format(what="touchpoints"),
        "Never a target: it is the team's activity, and the troubled accounts get most of it. Logged by hand, it measures logging.",
        "Conversations alone.",
        "touchpoints",
    ),
    StandardMetric(
        "days_since_touchpoint", "contact", "Days since a touchpoint",
        "How many days ago the team and the customer were last in touch.",
        DaysSinceLast(Rows("touchpoints")), FRESHSUCCESS.format(what="days since the last touchpoint"),
        "A mass mail makes it 0. What was logged late counts once it was known.",
        "Since the customer last wrote.",
        "days", "lower",
    ),
    StandardMetric(
        "meetings_90d", "contact", "Conversations",
        "How often somebody of the customer took part in a conversation in 90 days.",
        Count(Rows("touchpoints", IsIn("channel", (MEETINGS.token,)), Days(90))),
        COMMON.format(where="meeting counts in customer success systems"),
        "Invited is not present, and present is not engaged.",
        "",
        "conversations", "higher",
    ),
    StandardMetric(
        "contact_minutes_90d", "contact", "Minutes in contact",
        "Minutes of touchpoints of 90 days.",
        Sum(Rows("touchpoints", window=Days(90)), "minutes"), COMMON.format(where="cost to serve"),
        "Touchpoints without a length count as none.",
        "By ARR.",
        "minutes",
    ),
    StandardMetric(
        "people_known", "contact", "People known",
        "How many people are known at the customer.",
        Open("contacts"), COMMON.format(where="multi-threading: contacts per account in sales and success systems"),
        "People who left the customer stay in most systems.",
        "Those in touch within 90 days.",
        "people", "higher",
    ),
    StandardMetric(
        "champions", "contact", "Champions",
        "How many champions are known at the customer.",
        Open("contacts", IsIn("role", (CHAMPIONS.token,))), COMMON.format(where="champion tracking in sales and success systems"),
        "Named by the team, who like to have one. A champion who left is the reason to look.",
        "",
        "people", "higher",
    ),
)  # fmt: skip

ACCOUNT = tuple(
    StandardMetric(
        column, "account", name, f"{meaning} on the day.", Attribute(column),
        COMMON.format(where="compare like with like: z_score within it"),
        "Today's value at an earlier date, where its history was not loaded, knows the future.",
    )
    for column, name, meaning in (
        ("segment", "Segment", "The account's segment"),
        ("plan", "Plan", "The account's plan"),
        ("industry", "Industry", "The account's industry"),
        ("country", "Country", "The account's country"),
        ("owner", "Owner", "Who looked after the account"),
    )
)  # fmt: skip

TRADE: tuple[StandardMetric, ...] = (*PAYMENT, *PURCHASES, *CONTRACT, *CONTACT, *ACCOUNT)
