"""The verdict in words: one sentence a CFO understands, the three facts under it, and the cautions."""

from __future__ import annotations

from unspun.audit.protocol import ADDS_NOTHING_BELOW, FROZEN_AUC, MIN_TEST_CHURNED_CLUSTERS, TOO_GOOD_AUC, TOO_GOOD_GAIN
from unspun.audit.result import CapturedArr, Caution, Fact, HorizonResult, LeakCheck, Verdict
from unspun.audit.verdict import blame
from unspun.audit.vocabulary import CHURN, Vocabulary
from unspun.stats.estimate import Estimate, NoEstimate

TOO_LITTLE = {
    "units": "no {unit} could be looked at that far ahead",
    "scores": "none of the customers it can be tested on had a score in time",
    "renewed": "everyone it can be tested on {lost}, which leaves nobody to compare with",
    "scored churned": "too few of the customers that {lost} had a score in time",
    "churned": "too few of the customers it can be tested on have {lost}",
}
SENTENCES: dict[Verdict, str] = {
    "leaks": "The score owes its looks to values recorded after the outcome was known; on what was known in time, it is unproven.",
    "reversed": "The score points the wrong way: customers it rates healthier have {lost} more.",
    "foretells": "The score {sees}, and it knows more than {baseline} do.",
    "foretells, adds nothing": "The score does {see}, but it tells you nothing that {baseline} had not told you already.",
    "foretells, gain unproven": "The score does {see}; whether it knows more than {baseline} is not proven.",
    "no evidence": "The score does not {see}: if it ranks customers at all, it does so too weakly to act on.",
}


def say(verdict: Verdict, result: HorizonResult, baseline_inputs: tuple[str, ...], words: Vocabulary = CHURN) -> str:
    """The sentence. It claims no more than the verdict's rule."""
    sees, see = (form.format(days=result.horizon_days) for form in (words.sees, words.see))
    if verdict == "cannot tell":
        enough = isinstance(result.test.auc, Estimate) and result.test.n_churned_clusters >= MIN_TEST_CHURNED_CLUSTERS
        too_little = TOO_LITTLE[blame(result)].format(unit=words.unit, lost=words.lost)
        because = "what has been seen fits a useful score and a useless one" if enough else too_little
        return f"Nobody can tell yet whether the score {sees}: {because}."
    return SENTENCES[verdict].format(baseline=_plain(baseline_inputs, words), lost=words.lost, sees=sees, see=see)


def three_facts(result: HorizonResult, baseline_inputs: tuple[str, ...], words: Vocabulary = CHURN) -> tuple[Fact, Fact, Fact]:
    """AUC on unseen units, gain over the baseline, churned ARR at the team's capacity."""
    return _auc_fact(result, words), _gain_fact(result, baseline_inputs, words), _captured_fact(result, words)


def _auc_fact(result: HorizonResult, words: Vocabulary) -> Fact:
    auc = result.test.auc
    text = (
        auc.reason
        if isinstance(auc, NoEstimate)
        else f"Given one account that {words.lost} and one that did not, it puts the {words.lost} one lower "
        f"{auc.point * 100:.0f} times in 100. A coin does so 50 times."
    )
    return Fact("AUC on units it had never seen", auc, "auc", 0.5, text)


def _gain_fact(result: HorizonResult, baseline_inputs: tuple[str, ...], words: Vocabulary) -> Fact:
    gain = result.test.gain
    known = _plain(baseline_inputs, words)
    if isinstance(gain, NoEstimate):
        text = gain.reason
    elif gain.low > 0:
        text = f"Added to {known}, it ranks better than they do alone."
    elif gain.high < ADDS_NOTHING_BELOW:
        text = f"Added to {known}, it lifts the ranking by less than {ADDS_NOTHING_BELOW:.2f}, whichever end of the interval is true."
    else:
        text = f"Added to {known}, it may lift the ranking or may not: the interval holds both."
    return Fact("Gain over the baseline", gain, "gain", 0.0, text)


def _captured_fact(result: HorizonResult, words: Vocabulary) -> Fact:
    captured, reached = result.captured_arr, f"{words.lost_money[0].upper()}{words.lost_money[1:]} reached"
    if isinstance(captured, NoEstimate):
        return Fact(reached, captured, "share", None, captured.reason)
    alone = captured.arr_alone
    if captured.reaches_everybody:
        text = f"With {captured.capacity} accounts a month the team can call everybody, so that the order does not matter."
        return Fact(f"{reached}, {captured.capacity} accounts a month", captured.score, "share", None, text)
    reference = alone.point if isinstance(alone, Estimate) else None
    label = f"{reached}, {captured.capacity} accounts a month"
    if isinstance(alone, NoEstimate):
        return Fact(label, captured.score, "share", reference, "")
    text = (
        f"Calling the {captured.capacity} largest each month, with no score at all, reaches "
        f"{percent(alone.point)} ({percent(alone.low)} to {percent(alone.high)})."
    )
    return Fact(label, captured.score, "share", reference, text)


def leak_cautions(primary_days: int, checks: dict[int, LeakCheck]) -> list[Caution]:
    """That no leak check was possible, or that the score leaks at a horizon that does not decide."""
    primary = checks[primary_days]
    if not primary.possible:
        return [
            Caution("leak_check_impossible", f"Leak check impossible: {primary.why_not}. A score edited after the fact would go unseen.")
        ]
    nearer = [str(days) for days, check in sorted(checks.items()) if check.leaks and days != primary_days]
    if nearer and not primary.leaks:
        days = ", ".join(nearer)
        return [
            Caution(
                "leaks_elsewhere",
                f"At {days} days before, the score was edited after the outcome was known; at {primary_days} it was not.",
                loud=True,
            )
        ]
    return []


def too_good(horizons: tuple[HorizonResult, ...], primary: HorizonResult, frozen_share: float, words: Vocabulary = CHURN) -> Caution | None:
    """A loud caution where a score is too good for its history. It names what to check; it is not a verdict."""
    reasons = []
    strong = [h for h in horizons if isinstance(h.auc, Estimate) and h.auc.low > TOO_GOOD_AUC]
    if strong:
        at = max(strong, key=lambda h: h.horizon_days)
        reasons.append(f"its AUC is {_point(at.auc)} {at.horizon_days} days ahead, which honest scores hardly reach")
    gain = primary.test.gain
    if isinstance(gain, Estimate) and gain.low > TOO_GOOD_GAIN:
        reasons.append(f"it gains {gain.point:.2f} over the baseline")
    auc = primary.auc
    if frozen_share and isinstance(auc, Estimate) and auc.low > FROZEN_AUC:
        share = f"it never changed for {percent(frozen_share)} of accounts, yet foretells their {words.loss} with an AUC of {auc.point:.2f}"
        reasons.append(f"{share}, as today's value copied to the past would")
    if not reasons:
        return None
    what = (
        "Check that each value was worked out on the day it is dated, from what was known then: whether it is a copy of a later "
        "export, was edited later, or counts something that only a customer who stays can do."
    )
    return Caution("too_good", f"Too good for its history: {'; '.join(reasons)}. {what}", loud=True)


def use_cautions(verdict: Verdict, result: HorizonResult, higher_is_healthier: bool, words: Vocabulary = CHURN) -> list[Caution]:
    """What to know before acting on the verdict: a score that points the wrong way, or reaches less than chance would."""
    found = []
    if verdict == "reversed":
        read, other = ("higher", "lower") if higher_is_healthier else ("lower", "higher")
        text = f"The score was read as {read} is healthier. If {other} is healthier, say --direction {other} and audit it again."
        found.append(Caution("check_direction", text, loud=True))
    captured = result.captured_arr
    if isinstance(captured, CapturedArr) and isinstance(captured.score, Estimate) and isinstance(captured.random, Estimate):
        score, chance = captured.score, captured.random
        if score.high < chance.low:
            text = (
                f"Working down the score, {captured.capacity} accounts a month, reaches {percent(score.point)} of the {words.lost_money}; "
                f"accounts drawn at random would reach {percent(chance.point)}. It ranks accounts, not money."
            )
            found.append(Caution("below_chance", text, loud=True))
    return found


def _point(estimate: object) -> str:
    return f"{estimate.point:.2f}" if isinstance(estimate, Estimate) else "unknown"


def percent(share: float) -> str:
    """Whole percents, one digit more under ten."""
    return f"{share * 100:.0f}\u00a0%" if share >= 0.0995 else f"{share * 100:.1f}\u00a0%"


def _plain(inputs: tuple[str, ...], words: Vocabulary) -> str:
    """The baseline's inputs as a CFO says them."""
    plain = {"log ARR": words.size, "tenure": words.age, "segment": "segment", "last outcome": "the last outcome"}
    said = [plain.get(name, name) for name in inputs] or ["nothing at all"]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
