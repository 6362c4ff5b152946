"""Everything that is assumed about the demo company, in one place."""

from __future__ import annotations

from dataclasses import dataclass

SEGMENTS = ("Small business", "Mid-market", "Enterprise")
SMALL_BUSINESS, MID_MARKET, ENTERPRISE = range(3)
REGIONS = ("North America", "EMEA", "APAC", "LATAM")
FEATURES = ("reports_built", "automations_run", "api_calls")
CAUSES = ("silent", "declining", "champion left", "price")

BySegment = tuple[float, float, float]  # in the order of SEGMENTS


@dataclass(frozen=True, slots=True)
class Parameters:
    """The stated truth. Effects are on the log odds of churn unless said otherwise; days before due are "lead" days."""

    # Who the customers are
    history_years: int = 3  # records begin this long before the as-of date
    share_existing: float = 0.34  # accounts that were customers when records begin; the rest sign later
    mean_terms_before: float = 1.3  # terms an existing account had behind it when records begin
    segment_share: BySegment = (0.48, 0.34, 0.18)
    region_share: tuple[float, ...] = (0.46, 0.33, 0.15, 0.06)
    parents_per_account: float = 0.04  # accounts at the top of a family
    children_per_account: float = 0.12  # accounts below one
    deep_share_of_children: float = 0.12  # children whose parent is itself a child
    median_arr: BySegment = (7_200, 32_000, 130_000)
    arr_log_sd: BySegment = (0.45, 0.5, 0.6)
    seat_price: BySegment = (300, 420, 540)  # ARR a seat, before the account's own discount
    seat_price_log_sd: float = 0.25
    promotion_arr: float = 15_000  # a small business that expands beyond this moves up to Mid-market

    # Terms: months, and their share in each segment
    term_months: tuple[int, ...] = (1, 6, 12, 24)
    term_share: tuple[tuple[float, float, float, float], ...] = (
        (0.015, 0.08, 0.885, 0.02),
        (0.00, 0.06, 0.86, 0.08),
        (0.00, 0.02, 0.80, 0.18),
    )
    term_effect: tuple[float, float, float, float] = (-2.0, -0.4, 0.0, 0.2)

    # Churn: base odds with nothing going wrong, and what moves them
    base_churn: BySegment = (0.05, 0.028, 0.012)
    tenure_effect: float = -0.5  # per log(1 + years since signing), centred at one year
    arr_effect: float = -0.15  # per unit of log ARR, around the segment's median
    last_contracted_effect: float = 0.6
    last_expanded_effect: float = -0.4
    fit_effect: float = -0.5  # per unit of fit, a standard normal trait of the account that nobody sees
    family_sd: float = 0.4  # shared by the accounts below one top parent
    owner_sd: float = 0.2  # of the owner at the start of the term
    decline_effect: float = 4.1  # a serious decline of usage
    champion_effect: float = 1.2
    price_effect: float = 0.9

    # What goes wrong in a term of six months or more (nothing is planted in monthly terms)
    serious_decline_rate: BySegment = (0.13, 0.083, 0.042)
    harmless_decline_rate: float = 0.03  # same look, no effect: a season, a reorganisation
    early_onset_share: float = 0.9  # declines that begin 335 to 200 days before due; the rest 200 to 30
    early_onset: tuple[float, float] = (200, 335)
    late_onset: tuple[float, float] = (30, 200)  # both scaled down in terms of under 365 days
    decline_depth: tuple[float, float] = (0.45, 0.85)  # share of usage lost when the decline has run its course
    decline_days: tuple[float, float] = (30, 75)  # how long it takes to get there
    recovery_days: int = 60  # usage comes back this fast after a renewal
    champion_leaves_rate: float = 0.09
    champion_leaves_lead: float = 290  # uniform up to this lead, scaled likewise
    price_rise_rate: float = 0.16
    price_rise_lead: int = 75  # announced this long before due
    price_rise_by: tuple[float, float] = (0.05, 0.10)

    # Those who stay
    contracted_rate: float = 0.08
    contracted_rate_in_decline: float = 0.35
    expanded_rate: float = 0.17
    expanded_fit_effect: float = 0.5  # on the log odds of expanding
    contracted_to: tuple[float, float] = (0.5, 0.9)
    expanded_to: tuple[float, float] = (1.05, 1.5)

    # When it is known
    notice_share: float = 0.8  # of the churned, those who give notice
    notice_lead: tuple[int, int] = (5, 60)
    notice_lead_monthly: tuple[int, int] = (1, 10)
    notice_recorded_within: int = 2
    churn_recorded_late: tuple[int, int] = (-3, 10)  # without notice: days after due
    renewal_recorded_late: tuple[int, int] = (-25, 7)

    # Owners
    accounts_per_position: int = 80
    owner_tenure_years: float = 2.2  # mean; then someone else takes the position over
    moves_per_year: float = 0.07  # accounts moved to another position
    chases_risk_share: float = 0.3  # owners who contact accounts in decline more
    chases_risk_factor: float = 3.0
    skips_unhappy_share: float = 0.25  # owners who keep unhappy contacts off the survey
    nudges_band_share: float = 0.25  # owners who lift a pulse just under a band's edge over it

    # Usage
    mean_adoption: float = 0.55  # share of seats in use
    adoption_log_sd: float = 0.25
    adoption_fit_effect: float = 0.05  # on log adoption, per unit of fit
    active_a_day: float = 0.4  # share of the users who are in on a workday
    onboarding_days: int = 45
    weekday_share: tuple[float, ...] = (1.0, 1.08, 1.06, 1.02, 0.86, 0.14, 0.1)  # Monday first
    year_amplitude: float = 0.07
    holiday_share: float = 0.35  # of usage left from 22 December to 2 January
    week_noise_sd: float = 0.1
    week_noise_memory: float = 0.75
    logins_per_active: float = 1.7
    feature_rates: tuple[float, float, float] = (0.5, 0.8, 6.0)  # per active user and day, in the order of FEATURES
    feature_log_sd: float = 0.6  # between accounts

    # Tickets, touchpoints, surveys
    tickets_a_month: BySegment = (0.35, 0.8, 1.9)
    ticket_fit_effect: float = -0.6
    ticket_decline_effect: float = 0.8
    touches_a_month: BySegment = (0.6, 1.6, 3.4)
    nps_mean: float = 7.7
    nps_fit_effect: float = 0.9
    nps_decline_effect: float = -2.4
    nps_sd: float = 1.7
    response_log_odds: float = -1.1
    response_health_effect: float = 0.4  # the content answer more often

    # Scores
    pulse_fit_effect: float = 1.2  # points per unit of fit
    pulse_decline_effect: float = -3.0
    pulse_sd: float = 13.0
    pulse_memory: float = 0.9
    tidied_churned: float = 0.8  # churned accounts whose past pulses are rewritten once the outcome is known
    tidied_kept: float = 0.02
    tidied_leads: tuple[int, int] = (225, 15)  # which of the past pulses
    tidied_to: tuple[float, float] = (8, 36)

    # People's own forecasts: hope is added to the log odds of renewal, insight is the share of the true log odds that they see
    csm_hope: float = 0.8
    csm_hope_sd: float = 0.25  # between owners
    csm_insight: float = 0.55
    csm_noise: float = 0.6
    csm_silent: tuple[float, float] = (0.05, 0.45)  # share of an owner's renewals said nothing of
    csm_never_share: float = 0.08  # owners who never say anything
    manager_hope: float = -1.0  # sandbags: talks renewals down, so as to beat the forecast
    manager_insight: float = 0.7
    manager_noise: float = 0.4
    manager_silent: float = 0.3
