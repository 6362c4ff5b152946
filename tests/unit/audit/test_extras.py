"""What accounts, usage and forecasts may change of an audit, and what they must not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from tests.unit.audit import company
from tests.unit.audit.company import codes, day, random_company
from unspun.audit.extras import ExtraIndex, index_extras
from unspun.audit.forecasters import Rival, find_rivals, set_beside
from unspun.audit.frame import Frame, ScoreIndex, make_frame, rows_known, value_at
from unspun.audit.judge import Judged, judge
from unspun.audit.known import to_days
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import AuditResult, Beside
from unspun.audit.split import Parts
from unspun.audit.terms import order_terms
from unspun.audit.units import Units, active_months
from unspun.book.extras import NOTHING_ELSE, Accounts, Attribute, Events, Extras, Forecasts
from unspun.book.tables import Codes, Source
from unspun.errors import BadInput
from unspun.stats.concordance import dense_ranks, influence
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
YEARLY = random_company(1)
MONTHLY = random_company(2, accounts=300, term_days=61, first="2023-06-01")
AS_OF = date(2025, 12, 20)
SETTINGS = AuditSettings(replicates=0, as_of=AS_OF, horizons=(90,), primary_horizon=90, detail="none")
DESIGNS = pytest.mark.parametrize("made", [YEARLY, MONTHLY], ids=["renewals", "account-months"])


def source(role: str, n: int) -> Source:
    assert role in ("accounts", "events", "forecasts")
    return Source(role, f"{role}.csv", "0" * 64, "CSV", n, {}, (), ())


def accounts(names: list[str], **attributes: list[str] | Floats) -> Accounts:
    roles = {
        role: codes(cells) if isinstance(cells := attributes.pop(role, None), list) else None for role in ("segment", "owner", "parent")
    }
    free = tuple(
        Attribute(name, codes(cells), None) if isinstance(cells, list) else Attribute(name, None, cells)
        for name, cells in attributes.items()
    )
    own = source("accounts", len(names))
    return Accounts(own, np.arange(len(names)) + 2, codes(names), free, roles["segment"], roles["owner"], roles["parent"])


def events_of(made: company.Tables, seed: int = 0) -> Events:
    """Usage that falls with the score's health, of all accounts but every tenth."""
    rng = np.random.default_rng(seed)
    names = made[1].account.names
    days = np.arange(day("2023-06-01"), day("2026-01-15"))
    held = [i for i in range(len(names)) if i % 10]
    account, when = np.repeat(held, len(days)), np.tile(days, len(held))
    amount = rng.poisson(1.5, len(when)).astype(np.float64)
    some = amount > 0
    n = int(some.sum())
    entry = np.arange(n, dtype=np.int32)
    row = Codes(account[some].astype(np.int32), names)
    return Events(source("events", n), row, when[some], amount[some], when[some] + rng.integers(0, 5, n), "events", np.arange(n) + 2, entry)


def forecasts_of(made: company.Tables, seed: int = 0) -> Forecasts:
    """A call 100 days before most renewals, by someone who half sees the outcome."""
    rng = np.random.default_rng(seed)
    renewals = made[1]
    n = len(renewals.due)
    value = np.clip(0.8 - 0.3 * (renewals.outcome == 1) + 0.2 * rng.normal(size=n), 0.01, 0.99).round(3)
    called = rng.random(n) < 0.8
    return Forecasts(
        source=source("forecasts", int(called.sum())),
        row=np.arange(int(called.sum())) + 2,
        account=Codes(renewals.account.codes[called], renewals.account.names),
        made=(renewals.due - 100).astype("datetime64[us]")[called],
        value=value[called],
        probability=True,
        due=renewals.due[called],
    )


def everything(made: company.Tables) -> Extras:
    names = list(made[1].account.names)
    some = accounts(names[5:], industry=[f"i{i % 3}" for i in range(len(names) - 5)], seats=np.arange(len(names) - 5.0))
    return Extras(some, events_of(made), forecasts_of(made))


EVERYTHING = {id(made): everything(made) for made in (YEARLY, MONTHLY)}


def audited(made: company.Tables, extras: Extras = NOTHING_ELSE, **declared: object) -> Judged:
    return judge(*made, replace(SETTINGS, **declared), "test", extras=extras)


def told(found: MaybeEstimate) -> Estimate:
    assert isinstance(found, Estimate)
    return found


def framed(made: company.Tables, extras: Extras, fixed: tuple[str, ...] = ()) -> tuple[Frame, Floats]:
    """The frame at 90 days, and the score's risk of each unit."""
    scores, renewals = made
    declared = replace(SETTINGS, fixed=fixed)
    terms = order_terms(renewals, scores, day(str(AS_OF)), {}, None)
    index = ScoreIndex(scores, renewals.account.names, terms.as_of)
    extra = index_extras(extras, terms, declared)
    frame = make_frame(90, terms, active_months(terms) if made is MONTHLY else None, renewals, index, declared, extra)
    row = rows_known(index.lookup(scores.series[0]), frame.units.account, frame.units.as_of)
    return frame, -value_at(scores.series[0], row)


def without_extras(result: AuditResult) -> AuditResult:
    """The result without what the optional files may add to it."""
    scores = tuple(
        replace(one, horizons=tuple(replace(h, test=replace(h.test, others=(), beside=())) for h in one.horizons)) for one in result.scores
    )
    return replace(result, scores=scores, inputs=(), design=replace(result.design, cautions=()))


@DESIGNS
def test_attributes_that_are_not_declared_fixed_usage_and_forecasts_change_no_verdict_and_no_figure(made: company.Tables) -> None:
    assert without_extras(audited(made, everything(made)).result) == without_extras(audited(made).result)


def test_an_undeclared_attribute_may_hold_the_outcome_itself_and_changes_nothing() -> None:
    names = list(YEARLY[1].account.names)
    left = set(YEARLY[1].account.codes[YEARLY[1].outcome == 1].tolist())
    leaking = accounts(names, kind=["same"] * len(names), later=["left" if i in left else "stayed" for i in range(len(names))])
    innocent = accounts(names, kind=["same"] * len(names), later=["?"] * len(names))
    assert audited(YEARLY, Extras(leaking), fixed=("kind",)).result == audited(YEARLY, Extras(innocent), fixed=("kind",)).result


def test_an_attribute_declared_fixed_enters_the_baseline_as_the_segment_would() -> None:
    scores, renewals = YEARLY
    scores = replace(scores, segment=None)
    names = list(renewals.account.names)
    kind = [f"k{i % 4}" for i in range(len(names))]
    as_segment = replace(renewals, segment=codes([kind[i] for i in renewals.account.codes]))
    first = judge(scores, as_segment, replace(SETTINGS, fixed=("segment",)), "test").result.scores[0].primary.test
    second = judge(scores, renewals, replace(SETTINGS, fixed=("kind",)), "test", extras=Extras(accounts(names, kind=kind)))
    test = second.result.scores[0].primary.test
    bare = judge(scores, renewals, SETTINGS, "test").result.scores[0].primary.test
    for one, other in ((first.auc_baseline, test.auc_baseline), (first.gain, test.gain)):
        assert told(one).point == pytest.approx(told(other).point, abs=1e-9)
    assert told(bare.auc_baseline).point != told(test.auc_baseline).point
    assert "kind" in second.result.scores[0].sentence or "kind" in second.result.scores[0].facts[1].text


def test_the_segment_of_the_accounts_file_serves_where_no_other_file_has_one() -> None:
    scores, renewals = YEARLY
    scores, names = replace(scores, segment=None), list(renewals.account.names)
    segment = [f"s{i % 3}" for i in range(len(names))]
    as_renewals = replace(renewals, segment=codes([segment[i] for i in renewals.account.codes]))
    extras = Extras(accounts(names, segment=segment))
    for fixed in ((), ("segment",)):
        declared = replace(SETTINGS, fixed=fixed, detail="all")
        first, second = judge(scores, as_renewals, declared, "test"), judge(scores, renewals, declared, "test", extras=extras)
        assert first.result.scores[0].primary.test == second.result.scores[0].primary.test
        bare = judge(scores, renewals, declared, "test").result.scores[0].primary.test
        assert (bare == second.result.scores[0].primary.test) is not bool(fixed)
        found = [one.description for one in (first.result.scores[0], second.result.scores[0])]
        assert not isinstance(found[0], NoEstimate)
        assert not isinstance(found[1], NoEstimate)
        assert found[0].stability.segments == found[1].stability.segments
        text = " ".join(caution.text for caution in second.result.design.cautions)
        assert ("declared fixed" in text) is bool(fixed) or "declare it fixed" in text
    dated = judge(*YEARLY, replace(SETTINGS, detail="all"), "test", extras=extras).result.scores[0]
    assert dated.primary.test == judge(*YEARLY, SETTINGS, "test").result.scores[0].primary.test


def test_parents_of_the_accounts_file_cluster_where_no_other_file_has_one() -> None:
    scores, renewals = YEARLY
    names = list(renewals.account.names)
    parents = [f"p{i // 5}" for i in range(len(names))]
    extras = Extras(accounts(names, parent=parents))
    theirs = replace(renewals, parent=codes([parents[i] for i in renewals.account.codes]))
    first, second = judge(scores, theirs, SETTINGS, "test").result, judge(scores, renewals, SETTINGS, "test", extras=extras).result
    assert first.scores[0].primary == second.scores[0].primary
    assert second.design.clustered_by == "parent account"
    assert second.design.n_clusters == first.design.n_clusters
    alone = replace(renewals, parent=codes([f"own{i}" for i in renewals.account.codes]))
    assert judge(scores, alone, SETTINGS, "test", extras=extras).result.design.n_clusters > second.design.n_clusters


def test_a_number_declared_fixed_is_standardised_in_training_and_marked_where_missing() -> None:
    names = list(YEARLY[1].account.names)
    seats = np.random.default_rng(4).lognormal(3, 1, len(names) - 5).round()
    seats[3] = np.nan
    frame, _ = framed(YEARLY, Extras(accounts(names[5:], seats=seats)), ("seats",))
    assert frame.baseline is not None
    assert isinstance(frame.parts, Parts)
    assert frame.baseline.inputs[-1] == "seats"
    own = {name: float(value) for name, value in zip(names[5:], seats, strict=True)}
    value = np.array([own.get(YEARLY[1].account.names[a], np.nan) for a in frame.units.account.tolist()])
    train, given = frame.parts.train, np.isfinite(value)
    centred = np.where(given, value - value[train & given].mean(), 0.0)
    expected = (centred - centred[train].mean()) / centred[train].std()
    missing = (~given - (~given)[train].mean()) / (~given)[train].std()
    assert frame.baseline.design[:, -2] == pytest.approx(expected)
    assert frame.baseline.design[:, -1] == pytest.approx(missing)


def test_what_is_declared_fixed_must_exist_and_the_fault_lists_what_does() -> None:
    with pytest.raises(BadInput, match=r"names industri, which is no attribute.*has 'industry', 'seats'"):
        audited(YEARLY, everything(YEARLY), fixed=("industri", "segment"))
    with pytest.raises(BadInput, match=r"names industry.*Without a file of accounts, only segment can be"):
        audited(YEARLY, fixed=("industry",))
    assert [fault.where for fault in replace(SETTINGS, fixed=("industry",)).faults()] == ["fixed"]
    assert replace(SETTINGS, fixed=("Industry",)).faults(("industry",)) == []
    assert replace(SETTINGS, fixed=("industry",)).faults(None) == []


def test_accounts_without_a_row_are_counted_and_rows_without_an_account_are_set_aside() -> None:
    names = list(YEARLY[1].account.names)
    held = accounts([*names[7:], "stranger", "another"], industry=["x"] * (len(names) - 5))
    found = audited(YEARLY, Extras(held)).result
    (text,) = [caution.text for caution in found.design.cautions if caution.code == "accounts_without_row"]
    assert text.startswith("7 of the ")
    report = found.inputs[-1]
    assert (report.rows_read, report.rows_used) == (len(names) - 5, len(names) - 7)
    assert [(one.reason, one.n) for one in report.set_aside] == [("account has no renewal in use", 2)]


def test_every_row_of_the_optional_files_is_used_or_set_aside_with_its_number() -> None:
    events, forecasts = events_of(YEARLY), forecasts_of(YEARLY)
    strange = replace(events, account=Codes(events.account.codes, (events.account.names[0], "nobody", *events.account.names[2:])))
    odd = forecasts.due
    assert odd is not None
    moved = replace(forecasts, due=np.where(np.arange(len(odd)) < 4, odd + 400, odd))
    judged = audited(YEARLY, Extras(events=strange, forecasts=moved))
    for report in judged.result.inputs:
        assert report.rows_read == report.rows_used + sum(one.n for one in report.set_aside)
    rejected = {(s.role, r.code): r.rows for s in judged.sources for r in s.rejections}
    late = events.day[events.entry] > day(str(AS_OF))
    assert rejected["events", "after_as_of"].tolist() == events.row[late & (events.account.codes[events.entry] != 1)].tolist()
    assert rejected["events", "account_without_renewal"].tolist() == events.row[events.account.codes[events.entry] == 1].tolist()
    made_later = forecasts.made > np.datetime64("2025-12-20T23:59")
    assert rejected["forecasts", "about_no_renewal"].tolist() == forecasts.row[:4][~made_later[:4]].tolist() != []
    assert rejected["forecasts", "after_as_of"].tolist() == forecasts.row[made_later].tolist()


def beside(made: company.Tables, extras: Extras) -> dict[str, Beside]:
    return {one.name: one for one in audited(made, extras).result.scores[0].primary.test.beside}


@DESIGNS
def test_whatever_stands_beside_the_score_is_judged_with_it_on_the_units_that_have_both(made: company.Tables) -> None:
    extras = everything(made)
    (frame, risk), found = framed(made, extras), beside(made, extras)
    assert list(found) == ["ARR alone", "usage trend", "usage level", "CSM forecast"]
    assert isinstance(frame.parts, Parts)
    event, test = frame.units.churned, frame.parts.test
    for rival in frame.rivals:
        both = test & np.isfinite(risk) & np.isfinite(rival.risk)
        one = found[rival.name]
        assert (one.n, one.n_churned) == (both.sum(), event[both].sum())
        assert one.coverage == pytest.approx(np.isfinite(rival.risk[test]).mean())
        assert told(one.auc).point == pytest.approx(roc_auc_score(event[both], rival.risk[both]))
        assert told(one.auc_score).point == pytest.approx(roc_auc_score(event[both], risk[both]))
        difference = told(one.difference)
        assert difference.point == pytest.approx(told(one.auc_score).point - told(one.auc).point)
        assert difference.low < difference.point < difference.high
    assert 0.5 < (found["CSM forecast"].coverage or 0) < 1
    assert found["ARR alone"].coverage == 1


def test_probabilities_are_held_to_their_word() -> None:
    extras = everything(YEARLY)
    frame, risk = framed(YEARLY, extras)
    (rival,) = [rival for rival in frame.rivals if rival.name == "CSM forecast"]
    one = beside(YEARLY, extras)["CSM forecast"]
    assert isinstance(frame.parts, Parts)
    both = frame.parts.test & np.isfinite(risk) & np.isfinite(rival.risk)
    stated, event = 1 + rival.risk[both], frame.units.churned[both]
    assert told(one.brier).point == pytest.approx(np.mean((stated - event) ** 2))
    assert told(one.bias).point == pytest.approx(stated.mean() - event.mean())
    assert told(one.expected_over_observed).point == pytest.approx(stated.sum() / event.sum())
    assert isinstance(beside(YEARLY, extras)["usage trend"].brier, NoEstimate)


def test_words_rank_and_are_no_probabilities() -> None:
    words = replace(forecasts_of(YEARLY), value=(forecasts_of(YEARLY).value > 0.6).astype(np.float64), probability=False)
    one = beside(YEARLY, Extras(forecasts=words))["CSM forecast"]
    assert told(one.auc).point > 0.5
    assert isinstance(one.brier, NoEstimate)
    assert "words" in one.brier.reason


def test_a_call_on_no_unit_has_a_reason_in_place_of_figures() -> None:
    late = replace(forecasts_of(YEARLY), made=forecasts_of(YEARLY).made + np.timedelta64(99, "D"))
    one = beside(YEARLY, Extras(forecasts=late))["CSM forecast"]
    assert (one.n, one.coverage) == (0, 0.0)
    assert isinstance(one.auc, NoEstimate)
    assert one.auc.reason == "no test unit has both"


def test_intervals_of_a_rival_allow_for_clusters() -> None:
    frame, risk = framed(YEARLY, everything(YEARLY))
    assert isinstance(frame.parts, Parts)
    rival = Rival("twice", "", np.random.default_rng(0).normal(size=len(frame.units)))
    judged = frame.parts.test & np.isfinite(risk)

    def asked(units: Units) -> Beside:
        return set_beside(
            rival, dense_ranks(risk), units, judged, judged, lambda one, both: influence(one.risk[both], frame.units.churned[both])
        )

    alone, joined = asked(frame.units), asked(replace(frame.units, cluster=frame.units.cluster // 40))
    assert told(alone.auc).point == told(joined.auc).point
    assert told(alone.auc) != told(joined.auc)


def test_amounts_that_training_cannot_turn_are_not_ranked_by() -> None:
    frame, _ = framed(YEARLY, Extras())
    units = replace(frame.units, churned=np.zeros(len(frame.units), dtype=bool))
    assert find_rivals(units, frame.parts, None, None) == ()
    assert index_extras(Extras(), order_terms(YEARLY[1], YEARLY[0], 20_000, {}, None), SETTINGS) == ExtraIndex()


@DESIGNS
@given(seed=st.integers(0, 10_000), which=st.integers(0, 10_000))
@settings(max_examples=12)
def test_usage_and_calls_known_only_after_a_unit_was_looked_at_do_not_touch_it(made: company.Tables, seed: int, which: int) -> None:
    extras = EVERYTHING[id(made)]
    frame, _ = framed(made, extras)
    unit = which % len(frame.units)
    as_of = int(frame.units.as_of[unit])
    assert extras.events is not None and extras.forecasts is not None
    events, forecasts, rng = extras.events, extras.forecasts, np.random.default_rng(seed)
    assert events.known is not None
    amount = np.where(events.known > as_of, rng.integers(1, 50, len(events.day)), events.amount)
    later = to_days(forecasts.made) > as_of
    value = np.where(later, rng.random(len(later)).round(3), forecasts.value)
    other, _ = framed(made, Extras(events=replace(events, amount=amount), forecasts=replace(forecasts, value=value)))
    for one, changed in zip(frame.rivals, other.rivals, strict=True):
        assert np.array_equal(one.risk[unit], changed.risk[unit], equal_nan=True), one.name
    assert any(not np.array_equal(one.risk, new.risk, equal_nan=True) for one, new in zip(frame.rivals, other.rivals, strict=True))


def test_falling_usage_and_little_usage_are_the_riskier() -> None:
    frame, _ = framed(YEARLY, EVERYTHING[id(YEARLY)])
    names, as_of = YEARLY[1].account.names, int(frame.units.as_of[-1])
    fallen, steady = frame.units.account[-1], frame.units.account[-2]
    assert fallen != steady
    days = np.arange(as_of - 100, as_of + 1)
    account = np.repeat([fallen, steady], len(days))
    amount = np.concatenate([np.where(days > as_of - 28, 1.0, 9.0), np.full(len(days), 5.0)])
    n = len(account)
    entry = np.arange(n, dtype=np.int32)
    events = Events(
        source("events", n), Codes(account.astype(np.int32), names), np.tile(days, 2), amount, None, "events", np.arange(n) + 2, entry
    )
    rivals = {one.name: one for one in framed(YEARLY, Extras(events=events))[0].rivals}
    for name in ("usage trend", "usage level"):
        assert rivals[name].risk[-1] > rivals[name].risk[-2], name


def test_coverage_is_of_all_test_units_whether_they_have_a_score_or_not() -> None:
    scores, renewals = YEARLY
    series = scores.series[0]
    half = replace(scores, series=(replace(series, values=np.where(scores.account.codes % 2, series.values, np.nan)),))
    extras = EVERYTHING[id(YEARLY)]
    for whole, part in zip(beside(YEARLY, extras).values(), beside((half, renewals), extras).values(), strict=True):
        assert part.n < whole.n
        assert part.coverage == whole.coverage
