"""What a reader must know before relying on a renewal's probability."""

from __future__ import annotations

from collections.abc import Sequence

from unspun.audit.result import Caution
from unspun.risk.check import told_off
from unspun.risk.result import ModelCheck, ModelRecord, RenewalRisk
from unspun.stats.estimate import Estimate, NoEstimate


def cautions_of(renewals: Sequence[RenewalRisk], model: ModelRecord | NoEstimate) -> tuple[Caution, ...]:
    """The loud ones first."""
    found = [*_of_model(model), *_of_renewals(renewals)]
    return tuple(sorted(found, key=lambda one: not one.loud))


def _of_model(model: ModelRecord | NoEstimate) -> list[Caution]:
    if isinstance(model, NoEstimate):
        todo = f" It would take {model.what_it_would_take}." if model.what_it_would_take else ""
        return [Caution("no_model", f"There is no model: {model.reason}.{todo} No renewal is given a probability.", loud=True)]
    found = [*_of_check(model.check), *cautions_by_lead(model.check)]
    if model.sampled:
        found.append(Caution("sampled", f"{model.sampled[:1].upper()}{model.sampled[1:]}."))
    return found


def _of_check(check: ModelCheck) -> list[Caution]:
    found = []
    if check.verdict == "not calibrated":
        text = f"The model is not calibrated on later renewals ({check.why}), so that no renewal is given a probability."
        found.append(Caution("not_calibrated", text, loud=True))
    if check.verdict == "cannot tell":
        found.append(Caution("calibration_unknown", f"Whether the model is calibrated cannot be told: {check.why}.", loud=True))
    ratio = check.expected_over_observed
    if isinstance(ratio, Estimate) and not ratio.low <= 1 <= ratio.high:
        side = "more" if ratio.point > 1 else "less"
        text = (
            f"On later renewals the model foretold {side} churn than there was: {ratio.point:.2f} expected for each one seen "
            f"({ratio.low:.2f} to {ratio.high:.2f}): churn has moved, or the earlier renewals were too few to tell its level. The model in "
            "force has been fitted on the later ones too."
        )
        found.append(Caution("level_off", text, loud=True))
    return found


def cautions_by_lead(check: ModelCheck) -> list[Caution]:
    """The leads at which a model that is calibrated on the whole is not."""
    if check.verdict != "calibrated":
        return []
    off = [told_off(one) for one in check.by_lead if one.verdict == "not calibrated"]
    text = "The model is calibrated on the whole, but not at every lead: {}. No renewal at such a lead is given a probability."
    return [Caution("lead_not_calibrated", text.format("; ".join(off)), loud=True)] if off else []


def _of_renewals(renewals: Sequence[RenewalRisk]) -> list[Caution]:
    found = []
    if stale := sum(bool(one.coverage.stale) for one in renewals):
        whose = "One renewal's values are" if stale == 1 else f"Values of {stale:,} renewals are"
        found.append(Caution("stale_values", f"{whose} taken from before a tracking outage; each says how old it is."))
    if overdue := sum(one.status == "overdue" for one in renewals):
        whose = "One renewal is" if overdue == 1 else f"{overdue:,} renewals are"
        found.append(Caution("overdue", f"{whose} past the due date without an outcome on file."))
    if without := sum(one.arr is None for one in renewals):
        whose = "One renewal has" if without == 1 else f"{without:,} renewals have"
        found.append(Caution("without_arr", f"{whose} no ARR on file, and no ARR expected lost."))
    return found
