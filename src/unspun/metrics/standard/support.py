"""Standard metrics of support and of what customers say: support load, responsiveness, sentiment."""

from __future__ import annotations

from unspun.metrics.conditions import AllOf, Compare, Condition, IsEmpty, IsIn, Not
from unspun.metrics.nodes import (
    LIFETIME,
    Average,
    Change,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Elapsed,
    LastValue,
    Open,
    Quantile,
    Ratio,
    Reference,
    Rows,
    Seats,
    Share,
)
from unspun.metrics.standard.choices import ANSWER_TIME, CLOSING_TIME, CSAT, EFFORT, ESCALATED, NPS, REOPENED, SATISFIED, URGENT
from unspun.metrics.standard.entry import Choice, StandardMetric
from unspun.metrics.standard.sources import (
    COMMON,
    DELIGHTED,
    DIXON,
    FRESHSUCCESS,
    GAINSIGHT,
    GOLD,
    KAIZO,
    PLANHAT,
    REICHHELD,
    ZENDESK,
    ZOHO,
)
from unspun.metrics.windows import Days

QUARTER, YEAR = Days(90), Days(365)
TICKETS_90D = Rows("tickets", window=QUARTER)
RATED = Rows("tickets", Not(IsEmpty("satisfaction")), Days(180))


def answers(choice: Choice, *more: Condition) -> Rows:
    """The answers of a year to the survey that is chosen."""
    where: Condition = IsIn(choice.column, (choice.token,))
    return Rows("responses", AllOf((where, Not(IsEmpty("answer")), *more)), YEAR)


SUPPORT_LOAD = (
    StandardMetric(
        "tickets_28d", "support load", "Tickets, 28 days",
        "Tickets opened in four weeks.",
        Count(Rows("tickets", window=Days(28))), GAINSIGHT,
        "Neither good nor bad by itself: customers who care ask, and so do those who are stuck. Those who gave up ask nothing.",
        "By kind of request, where tickets have one: Planhat tells five apart.",
        "tickets",
    ),
    StandardMetric(
        "tickets_90d", "support load", "Tickets, 90 days",
        "Tickets opened in 90 days.",
        Count(TICKETS_90D), GAINSIGHT,
        "As tickets of 28 days; calmer.",
        "",
        "tickets",
    ),
    StandardMetric(
        "tickets_per_seat_90d", "support load", "Tickets per seat",
        "Tickets opened in 90 days, by the seats of the day.",
        Ratio(Reference("tickets_90d"), Seats()), COMMON.format(where="a ratio as in Gold 2020, chapter 7"),
        "A few seats make it large. Administrators ask for everybody, so it falls with size.",
        "By active user.",
        "tickets a seat",
    ),
    StandardMetric(
        "tickets_change_90d", "support load", "Change of tickets",
        "Tickets of 90 days, by those of the 90 days before, less one.",
        Change(Reference("tickets_90d"), 90, relative=True), GOLD.format(chapter=7),
        "Wild where tickets are few; no value where there were none before.",
        "The difference in tickets.",
        "share",
    ),
    StandardMetric(
        "open_tickets", "support load", "Open tickets",
        "Tickets that are open at the end of the day.",
        Open("tickets"), FRESHSUCCESS.format(what="open tickets"),
        "Closing tickets before they are solved lowers it: look at reopened ones beside it. Whoever closes none in the system has many.",
        "Those that wait for the vendor, where a status tells them.",
        "tickets", "lower",
    ),
    StandardMetric(
        "oldest_open_ticket_days", "support load", "Age of the oldest open ticket",
        "Days since the oldest ticket was opened that is not closed. No value where none is open.",
        DaysSinceFirst(Rows("tickets", IsEmpty("closed"), LIFETIME)), COMMON.format(where="backlog age in help desks"),
        "Feature requests that nobody closes are the oldest. Missing is good here: nothing is open.",
        "The median age.",
        "days", "lower",
    ),
    StandardMetric(
        "urgent_tickets_90d", "support load", "Urgent tickets",
        "Urgent tickets opened in 90 days.",
        Count(Rows("tickets", IsIn("priority", (URGENT.token,)), QUARTER)), PLANHAT,
        "Who sets the priority? Where customers do, everything is urgent; where the team does, it is what they have time for.",
        "",
        "tickets", "lower",
    ),
    StandardMetric(
        "urgent_share_90d", "support load", "Share of urgent tickets",
        "Of the tickets opened in 90 days, the share that is urgent.",
        Share(Count(TICKETS_90D), IsIn("priority", (URGENT.token,))),
        COMMON.format(where="priority mix, in reports of Zendesk and Zoho Desk"),
        "One of one is all of them: read it beside the number of tickets.",
        "",
        "share", "lower", beside=("tickets_90d",),
    ),
    StandardMetric(
        "reopened_share_90d", "support load", "Share of reopened tickets",
        "Of the tickets opened in 90 days, the share whose status says that they were opened again.",
        Share(Count(TICKETS_90D), IsIn("status", (REOPENED.token,))), KAIZO,
        "A status is overwritten: tickets that were reopened and closed again are not seen. Asking customers for a new ticket avoids it.",
        "By tickets solved in place of opened, as Kaizo does; from a column that counts the times.",
        "share", "lower", beside=("tickets_90d",),
    ),
    StandardMetric(
        "escalated_share_90d", "support load", "Share of escalated tickets",
        "Of the tickets opened in 90 days, the share that was escalated.",
        Share(Count(TICKETS_90D), IsIn(ESCALATED.token, (True,))),
        COMMON.format(where="escalation rate in help desks"),
        "What an escalation is differs from team to team; discouraging it lowers it.",
        "",
        "share", "lower", beside=("tickets_90d",),
    ),
    StandardMetric(
        "days_since_ticket", "support load", "Days since a ticket",
        "How many days ago the account last asked for support.",
        DaysSinceLast(Rows("tickets")), GOLD.format(chapter=7),
        "Silence may be content or resignation.",
        "",
        "days",
    ),
)  # fmt: skip

RESPONSIVENESS = (
    StandardMetric(
        "first_answer_hours_90d", "responsiveness", "Hours to the first answer",
        "The median of the hours from opening to the first answer, over the tickets opened in 90 days.",
        Elapsed(TICKETS_90D, "opened", "first_answered", "hours", "quantile"), ZENDESK.format(what="first reply time"),
        "Nights and weekends count. Tickets not answered yet are left out, and are the slow ones; automatic answers may count.",
        "The 90th percentile: `first_answer_hours_p90_90d`; hours of business.",
        "hours", "lower", beside=("tickets_90d",),
    ),
    StandardMetric(
        "first_answer_hours_p90_90d", "responsiveness", "Hours to the first answer, 90th percentile",
        "The hours within which nine in ten of the tickets opened in 90 days, and answered, had their first answer.",
        Elapsed(TICKETS_90D, "opened", "first_answered", "hours", "quantile", 0.9), ZENDESK.format(what="first reply time"),
        "Of fewer than ten tickets it is little else than the slowest. Tickets not answered yet are left out.",
        "The share answered within what was promised, where the help desk tells it.",
        "hours", "lower", beside=("tickets_90d",),
    ),
    StandardMetric(
        "closing_hours_90d", "responsiveness", "Hours to close",
        "The median of the hours from opening to closing, over the tickets opened in 90 days.",
        Elapsed(TICKETS_90D, "opened", "closed", "hours", "quantile"), ZENDESK.format(what="full resolution time"),
        "Tickets still open are left out, and are the slow ones. Exports that hold days without times give multiples of a day.",
        "First resolution; time without that spent waiting for the customer.",
        "hours", "lower", beside=("tickets_90d",),
    ),
    StandardMetric(
        "first_answer_median_90d", "responsiveness", "Time to the first answer, as recorded",
        "The median of '{answer}' over the tickets opened in 90 days.",
        Quantile(TICKETS_90D, ANSWER_TIME.token), ZENDESK.format(what="first reply time"),
        "Automatic answers count as answers where the help desk counts them. Tickets not answered yet are left out, and are the slow ones.",
        "From the two instants, where the book holds them: `first_answer_hours_90d`.",
        "", "lower", beside=("tickets_90d",),
    ),
    StandardMetric(
        "closing_median_90d", "responsiveness", "Time to close, as recorded",
        "The median of '{answer}' over the tickets opened in 90 days.",
        Quantile(TICKETS_90D, CLOSING_TIME.token), ZENDESK.format(what="full resolution time"),
        "Tickets still open are left out, and are the slow ones. Closing early and having them reopened shortens it.",
        "From the two instants, where the book holds them: `closing_hours_90d`.",
        "", "lower", beside=("tickets_90d",),
    ),
    StandardMetric(
        "answered_share_90d", "responsiveness", "Share of tickets answered",
        "Of the tickets opened in 90 days, the share that has been answered.",
        Share(Count(TICKETS_90D), Not(IsEmpty("first_answered"))), ZOHO.format(what="first responses"),
        "Tickets of the last hours cannot be answered yet.",
        "Answered within the time promised, which only the company knows.",
        "share", "higher", beside=("tickets_90d",),
    ),
    StandardMetric(
        "closed_share_90d", "responsiveness", "Share of tickets closed",
        "Of the tickets opened in 90 days, the share that is closed.",
        Share(Count(TICKETS_90D), Not(IsEmpty("closed"))), ZOHO.format(what="closed tickets"),
        "Closed is not solved.",
        "",
        "share", "higher", beside=("tickets_90d",),
    ),
)  # fmt: skip

SENTIMENT = (
    StandardMetric(
        "ratings_180d", "sentiment", "Ratings of tickets",
        "How many tickets of 180 days were rated.",
        Count(RATED), COMMON.format(where="the n of any rating"),
        "Few rate, and those who do are delighted or angry.",
        "",
        "ratings",
    ),
    StandardMetric(
        "rating_180d", "sentiment", "Rating of tickets",
        "The mean rating of the answers to tickets of 180 days.",
        Average(Rows("tickets", window=Days(180)), "satisfaction"), ZOHO.format(what="customer happiness ratings"),
        "A mean of three ratings says little: read it beside their number. Asking only after good conversations raises it.",
        "The share of satisfied ones (CSAT).",
        "points", "higher", beside=("ratings_180d",),
    ),
    StandardMetric(
        "satisfied_share_180d", "sentiment", "CSAT of tickets",
        "Of the rated tickets of 180 days, the share with a satisfied rating.",
        Share(Count(RATED), IsIn("satisfaction", (SATISFIED.token,))), DELIGHTED,
        "As the mean rating. Whoever did not answer is not in it.",
        "The mean rating, which is not CSAT.",
        "share", "higher", beside=("ratings_180d",),
    ),
    StandardMetric(
        "csat_answers_365d", "sentiment", "Answers to the satisfaction survey",
        "How many answers to the satisfaction survey the account gave in a year.",
        Count(answers(CSAT)), COMMON.format(where="the n of any survey"),
        "By how many people it was asked is not in it.",
        "",
        "answers",
    ),
    StandardMetric(
        "csat_mean_365d", "sentiment", "Mean satisfaction",
        "The mean answer to the satisfaction survey over a year.",
        Average(answers(CSAT), "answer"), COMMON.format(where="mean satisfaction; CSAT proper is a share, as Delighted computes it"),
        "Of those who were asked and answered. Two answers have no mean worth a decision.",
        "The share of the upper two answers.",
        "points", "higher", beside=("csat_answers_365d",),
    ),
    StandardMetric(
        "effort_answers_365d", "sentiment", "Answers to the effort survey",
        "How many answers to the effort survey the account gave in a year.",
        Count(answers(EFFORT)), COMMON.format(where="the n of any survey"),
        "By how many people it was asked is not in it.",
        "",
        "answers",
    ),
    StandardMetric(
        "effort_mean_365d", "sentiment", "Customer Effort Score",
        "The mean answer to the effort survey over a year.",
        Average(answers(EFFORT), "answer"), DIXON,
        "Its first wording makes low good, the later one (agreement that it was easy) high: so no direction is said here.",
        "The share who found it easy.",
        "points", beside=("effort_answers_365d",),
    ),
    StandardMetric(
        "nps_answers_365d", "sentiment", "Answers to the NPS survey",
        "How many answers to the question whether they would recommend you the account gave in a year.",
        Count(answers(NPS)), REICHHELD,
        "By how many people it was asked is not in it: whoever picks them picks the score.",
        "",
        "answers",
    ),
    StandardMetric(
        "promoters_365d", "sentiment", "Promoters",
        "Answers of 9 and 10 in a year.",
        Count(answers(NPS, Compare("answer", "at_least", 9))), REICHHELD,
        "People who answered twice count twice. An account's few answers make no Net Promoter Score: its margin is wider than the score.",
        "The score of all customers together, with an interval, which is a survey's result and no metric of an account (Rocks 2016).",
        "answers", "higher", beside=("nps_answers_365d",),
    ),
    StandardMetric(
        "detractors_365d", "sentiment", "Detractors",
        "Answers of 0 to 6 in a year.",
        Count(answers(NPS, Compare("answer", "at_most", 6))), REICHHELD,
        "People who answered twice count twice.",
        "",
        "answers", "lower", beside=("nps_answers_365d",),
    ),
    StandardMetric(
        "nps_last_answer", "sentiment", "Last NPS answer",
        "The last answer to the question whether they would recommend you.",
        LastValue(answers(NPS), "answer"), REICHHELD,
        "One person on one day.",
        "The mean answer of a year.",
        "points of 0 to 10", "higher",
    ),
    StandardMetric(
        "days_since_answer", "sentiment", "Days since an answer",
        "How many days ago the account last answered a survey.",
        DaysSinceLast(Rows("responses")), COMMON.format(where="survey recency; not answering is itself a signal"),
        "Whoever was not asked could not answer.",
        "",
        "days",
    ),
)  # fmt: skip

SUPPORT: tuple[StandardMetric, ...] = (*SUPPORT_LOAD, *RESPONSIVENESS, *SENTIMENT)
