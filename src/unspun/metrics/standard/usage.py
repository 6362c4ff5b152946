"""Standard metrics of use: activity, breadth, depth, seats, stickiness, time to value."""

from __future__ import annotations

from unspun.metrics.conditions import AllOf, Compare, IsIn
from unspun.metrics.nodes import (
    LIFETIME,
    ActiveDays,
    Change,
    Constant,
    Count,
    DaysSinceLast,
    DaysToFirst,
    Distinct,
    Funnel,
    Multiply,
    Ratio,
    Reference,
    Rows,
    Seats,
    Streak,
    Subtract,
    Sum,
    TimeBetween,
    UserDays,
)
from unspun.metrics.standard.choices import ACTIVE, KEY_ACTIONS, LOGINS, ONBOARDING, SESSIONS, USAGE_NUMBERS, USED
from unspun.metrics.standard.entry import Choice, StandardMetric
from unspun.metrics.standard.sources import (
    COMMON,
    CUBE,
    FRESHSUCCESS,
    GITLAB_HEALTH,
    GITLAB_VALUE,
    GOLD,
    HEART,
    MIXPANEL,
    MOZILLA_ACTIVE,
    MOZILLA_DAYS,
    PENDO,
    STATSIG,
)
from unspun.metrics.windows import Days, Window

FOUR_WEEKS = Days(28)


def used(window: Window = FOUR_WEEKS) -> Rows:
    """The events that are use of the product; of a day's summary, those in which the number that tells of use is above 0."""
    return Rows("events", AllOf((IsIn(ACTIVE.column, (ACTIVE.token,)), Compare(USED.token, "above", 0))), window)


def events(choice: Choice, window: Window = FOUR_WEEKS) -> Rows:
    """The events that are chosen, over a window."""
    return Rows("events", IsIn(choice.column, (choice.token,)), window)


ACTIVITY = (
    StandardMetric(
        "active_users_28d", "activity", "Active users, 28 days",
        "How many people of the account did something in four weeks.",
        Distinct(used(), "user_id"), MOZILLA_ACTIVE,
        "Counts whoever did anything at all, once. Shared logins hide people; service accounts and the vendor's own staff add some.",
        "A calendar month or 30 days in place of 28: these hold a varying number of weekends. Only people who did a key action.",
        "people", "higher",
    ),
    StandardMetric(
        "active_users_7d", "activity", "Active users, 7 days",
        "How many people of the account did something in a week.",
        Distinct(used(Days(7)), "user_id"), MOZILLA_ACTIVE,
        "A week of holidays looks like a week without interest.",
        "Active users of the calendar week, which is not over until Sunday.",
        "people", "higher",
    ),
    StandardMetric(
        "events_28d", "activity", "Events",
        "How many events the account had in four weeks.",
        Count(used()), GOLD.format(chapter=3),
        "Grows with the number of people and with how much is tracked. A new event in the tracking plan raises it without more use.",
        "By seat, by active user, or of key actions alone.",
        "events", "higher", counts_rows=True,
    ),
    StandardMetric(
        "active_days_28d", "activity", "Active days",
        "On how many days of four weeks anybody of the account did something.",
        ActiveDays(used()), MOZILLA_DAYS,
        "One person a day is enough: a large account reaches 20 with a fraction of its people. Integrations that run every day reach 28.",
        "Days by user: `active_days_per_user_28d`.",
        "days", "higher",
    ),
    StandardMetric(
        "days_since_active", "activity", "Days since the last use",
        "How many days ago anybody of the account last did something.",
        DaysSinceLast(used(LIFETIME)), GOLD.format(chapter=7),
        "Tells when they left off, which is after they decided to. A product that is used once a quarter is quiet for months and well.",
        "Since the last key action.",
        "days", "lower",
    ),
    StandardMetric(
        "active_users_change_28d", "activity", "Change of active users",
        "Active users of four weeks, by those of the four weeks before, less one.",
        Change(Reference("active_users_28d"), 28, relative=True), GOLD.format(chapter=7),
        "Wild where few people use the product: from 2 to 3 is a rise of half. No value where nobody did anything before.",
        "The difference in people; the same weeks of a year ago, where use has seasons.",
        "share", "higher",
    ),
    StandardMetric(
        "events_change_28d", "activity", "Change of events",
        "Events of four weeks, by those of the four weeks before, less one.",
        Change(Reference("events_28d"), 28, relative=True), GOLD.format(chapter=7),
        "A change of tracking reads like a change of use, unless the check of tracking finds it. No value where there were none before.",
        "The trend over several months, which is calmer.",
        "share", "higher", counts_rows=True,
    ),
    StandardMetric(
        "logins_28d", "activity", "Logins",
        "How often people of the account logged in over four weeks.",
        Count(events(LOGINS)), COMMON.format(where="a listed event of most usage trackers; counted as in Gold 2020, chapter 3"),
        "Single sign-on and sessions that never end make logins rare without less use. A login is not yet value.",
        "Active days.",
        "logins", "higher", counts_rows=True,
    ),
    StandardMetric(
        "usage_sum_28d", "activity", "Amount of use",
        "Sum of '{answer}' over the events of four weeks.",
        Sum(Rows("events", window=FOUR_WEEKS), USAGE_NUMBERS.token), GOLD.format(chapter=3),
        "A sum of daily summaries is right only if no day is sent twice. Counts of people cannot be added over days.",
        "The same by seat or by active user.",
        "", "neutral", each="usage_numbers",
    ),
)  # fmt: skip

BREADTH = (
    StandardMetric(
        "features_used_28d", "breadth", "Features used",
        "How many different events the account had in four weeks.",
        Distinct(used(), "event"), PENDO,
        "An event is not a feature: three events of one screen count three times, and renaming an event makes two of it.",
        "Only key actions, where these are named: `key_actions_used_28d`.",
        "events", "higher", counts_rows=True,
    ),
    StandardMetric(
        "key_actions_used_28d", "breadth", "Share of key actions used",
        "Of the key actions, the share that the account did at least once in four weeks.",
        Distinct(events(KEY_ACTIONS), "event"), PENDO,
        "Once by one person counts as used. An account need not use what it did not buy: compare accounts of one plan.",
        "At least so many times, or by at least so many people.",
        "share", "higher", number_of="key_actions", counts_rows=True,
    ),
    StandardMetric(
        "key_action_users_share_28d", "breadth", "Share of active users who do key actions",
        "Of the people who did something in four weeks, the share who did a key action.",
        Ratio(Distinct(events(KEY_ACTIONS), "user_id"), Reference("active_users_28d")),
        COMMON.format(where="feature adoption rate, as in Pendo, The path to product adoption"),
        "Falls when an account invites people who only read, which is good news. Not every role has key actions to do.",
        "By all seats in place of active users.",
        "share", "higher",
    ),
)  # fmt: skip

DEPTH = (
    StandardMetric(
        "events_per_user_28d", "depth", "Events per active user",
        "Events of four weeks by the people who did something.",
        Ratio(Reference("events_28d"), Reference("active_users_28d")), GOLD.format(chapter=7),
        "One script under a person's name outweighs everybody else. More clicks may mean that something is hard to find.",
        "The median per user, which a script does not move; it needs a table of users.",
        "events a person", "higher", counts_rows=True,
    ),
    StandardMetric(
        "key_actions_28d", "depth", "Key actions",
        "How often the account did a key action in four weeks.",
        Count(events(KEY_ACTIONS)), GOLD.format(chapter=3),
        "Chosen after seeing who renewed, they flatter themselves: choose them by what customers buy, and test them on later renewals.",
        "Each key action by itself.",
        "actions", "higher", counts_rows=True,
    ),
    StandardMetric(
        "key_actions_per_user_28d", "depth", "Key actions per active user",
        "Key actions of four weeks by the people who did something.",
        Ratio(Reference("key_actions_28d"), Reference("active_users_28d")), GOLD.format(chapter=7),
        "As events per active user.",
        "By the people who did a key action.",
        "actions a person", "higher", counts_rows=True,
    ),
    StandardMetric(
        "sessions_28d", "depth", "Sessions",
        "How many sessions the account had in four weeks.",
        Count(events(SESSIONS)), HEART,
        "What ends a session (half an hour of silence, midnight, a new tab) is the tracker's rule; it changes with the tracker.",
        "Active days, which need no rule.",
        "sessions", "higher", counts_rows=True,
    ),
    StandardMetric(
        "sessions_per_user_28d", "depth", "Sessions per active user",
        "Sessions of four weeks by the people who did something.",
        Ratio(Reference("sessions_28d"), Reference("active_users_28d")), HEART,
        "As sessions.",
        "",
        "sessions a person", "higher", counts_rows=True,
    ),
    StandardMetric(
        "action_28d", "depth", "{answer}",
        "How often the account did '{answer}' in four weeks.",
        Count(events(KEY_ACTIONS)), GOLD.format(chapter=3),
        "Many events tested one by one find some that go with renewal by chance.",
        "Key actions together.",
        "events", "higher", each="key_actions", counts_rows=True,
    ),
)  # fmt: skip

SEATS = (
    StandardMetric(
        "seat_utilisation_28d", "seat use", "Seat utilisation",
        "People who did something in four weeks, by the seats of the day.",
        Ratio(Reference("active_users_28d"), Seats()), GITLAB_HEALTH,
        "Above one where seats are shared or not enforced. It rises just before seats are cut: the seats fall and the people stay.",
        "Assigned in place of active users (licences deployed, not used). By billable users, as GitLab does.",
        "share", "higher",
    ),
    StandardMetric(
        "seats_unused_28d", "seat use", "Seats not used",
        "Seats of the day, less the people who did something in four weeks.",
        Subtract(Seats(), Reference("active_users_28d")), COMMON.format(where="the complement of licence utilisation, GitLab handbook"),
        "What could be cut at renewal, in seats: large accounts always have most of it.",
        "",
        "seats", "lower",
    ),
    StandardMetric(
        "events_per_seat_28d", "seat use", "Events per seat",
        "Events of four weeks by the seats of the day.",
        Ratio(Reference("events_28d"), Seats()), GOLD.format(chapter=7),
        "Seats bought ahead of time lower it without less use.",
        "Logins by seat.",
        "events a seat", "higher", counts_rows=True,
    ),
)  # fmt: skip

STICKINESS = (
    StandardMetric(
        "average_daily_users_28d", "stickiness", "Average daily active users",
        "How many people of the account did something on a day, on average over four weeks, days without anybody among them.",
        Ratio(UserDays(used(), "user_id"), Constant(28)), MIXPANEL,
        "Weekends are in it: people who work every working day count 20 of 28. It rises over the first four weeks of a customer.",
        "Of working days; of the last day alone, which is noise.",
        "people", "higher",
    ),
    StandardMetric(
        "stickiness_28d", "stickiness", "DAU/MAU",
        "Average daily active users of four weeks by the people who did something in them.",
        Ratio(Reference("average_daily_users_28d"), Reference("active_users_28d")), STATSIG,
        "People who work five days a week reach 0.71 at most. Inviting people who look in once lowers it without less use by anybody.",
        "The users of one day by those of the month; Statsig also tells which share of one day's users are there on the next.",
        "share", "higher",
    ),
    StandardMetric(
        "active_days_per_user_28d", "stickiness", "Active days per user (L28)",
        "On how many days of four weeks a person who did something did so, on average.",
        Multiply((Constant(28), Reference("stickiness_28d"))), STATSIG,
        "DAU/MAU in days. The mean hides that some come daily and most once.",
        "The distribution: how many people were there on so many days, which needs a table of users.",
        "days", "higher",
    ),
    StandardMetric(
        "weekly_stickiness_28d", "stickiness", "WAU/MAU",
        "People who did something in the last week, by those of four weeks.",
        Ratio(Reference("active_users_7d"), Reference("active_users_28d")), CUBE,
        "For products that are used weekly. New people raise both; a single quiet week moves it by much.",
        "The average of four weeks in place of the last.",
        "share", "higher",
    ),
    StandardMetric(
        "active_days_share_28d", "stickiness", "Share of days active",
        "Of the days of four weeks, the share on which anybody of the account did something.",
        Ratio(Reference("active_days_28d"), Constant(28)),
        FRESHSUCCESS.format(what="days active out of the last 30 days"),
        "Working weeks have five days: 20 of 28 is every working day. One person is enough.",
        "Of 30 days, as Freshsuccess does; of working days, which need a calendar.",
        "share", "higher",
    ),
    StandardMetric(
        "longest_streak_90d", "stickiness", "Longest run of weeks",
        "The longest run of weeks, of the last 90 days, in each of which anybody did something.",
        Streak(used(Days(90)), every="week"), COMMON.format(where="streaks, as learning products count them"),
        "A holiday ends a run. It says nothing of how much was done in a week.",
        "By days, for products that are used every day.",
        "weeks", "higher",
    ),
    StandardMetric(
        "days_between_use_90d", "stickiness", "Days between uses",
        "How many days lie between one day with use and the next, in the median of the last 90 days.",
        TimeBetween(used(Days(90)), "median"), COMMON.format(where="interpurchase and intervisit times, as in Fader, Hardie and Lee 2005"),
        "Blind to the time since the last use, which may be long: see `days_since_active` beside it. Weekends are in it.",
        "The average, which one long gap moves.",
        "days", "lower",
    ),
)  # fmt: skip

TIME_TO_VALUE = (
    StandardMetric(
        "days_to_first_use", "time to value", "Days to the first use",
        "Days from when the account became a customer to its first event.",
        DaysToFirst(used(LIFETIME)), GITLAB_VALUE,
        "0 for those who used a trial before. Accounts that have not begun have no value, so an average flatters: count them beside it.",
        "From the signature, the kick-off or the first login.",
        "days", "lower",
    ),
    StandardMetric(
        "days_to_first_key_action", "time to value", "Time to value",
        "Days from when the account became a customer to its first key action.",
        DaysToFirst(events(KEY_ACTIONS, LIFETIME)), GITLAB_VALUE,
        "Value is what the customer says it is; the first key action stands for it. Done once by the vendor's own team, it looks early.",
        "To the n-th key action, or to the first by a second person.",
        "days", "lower",
    ),
    StandardMetric(
        "onboarding_steps", "time to value", "Onboarding steps taken",
        "How many of the steps of onboarding the account has taken, in their order.",
        Funnel(Rows("events"), (IsIn("event", (ONBOARDING.token,)),) * 2), COMMON.format(where="onboarding funnels of product analytics"),
        "A step taken out of order does not count. Checklists are ticked by the vendor's team.",
        "With a time within which they must be taken (`within`).",
        "steps", "higher",
    ),
    StandardMetric(
        "onboarding_days", "time to value", "Days of onboarding",
        "Days from the first step of onboarding to the last.",
        Funnel(Rows("events"), (IsIn("event", (ONBOARDING.token,)),) * 2, gives="days"), GITLAB_VALUE,
        "Those who never finish have no value, and are the ones to look at.",
        "From the start of the contract.",
        "days", "lower", beside=("onboarding_steps",),
    ),
)  # fmt: skip

USAGE: tuple[StandardMetric, ...] = (*ACTIVITY, *BREADTH, *DEPTH, *SEATS, *STICKINESS, *TIME_TO_VALUE)
