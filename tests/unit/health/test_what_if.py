"""A declared score with other weights and points: what changes, and nothing else."""

from __future__ import annotations

from decimal import Decimal

import pytest

from unspun.errors import BadInput
from unspun.health.definition import Group, HealthScore, Input, Linear, Steps
from unspun.health.what_if import WhatIf, changed, describe_changes

RISING, FALLING = Linear(((0.0, Decimal(0)), (10.0, Decimal(100)))), Steps(((0.0, Decimal(100)), (3.0, Decimal(0))))
SCORE = HealthScore(
    "health",
    (
        Group("usage", (Input("logins", RISING, Decimal(2)), Input("users", RISING)), Decimal(60)),
        Group("support", (Input("tickets", FALLING), Input("support", FALLING)), Decimal(40)),
    ),
)


def weights_of(score: HealthScore) -> dict[str, Decimal]:
    return {group.name: group.weight for group in score.groups} | {f"{one.metric}": one.weight for one in score.inputs}


def test_the_weight_of_a_group_or_a_metric_is_changed_and_nothing_else() -> None:
    made = changed(SCORE, WhatIf(weights={"usage": Decimal(10), "logins": Decimal("0.5")}))
    assert weights_of(made) == weights_of(SCORE) | {"usage": Decimal(10), "logins": Decimal("0.5")}
    assert describe_changes(SCORE, made) == ("usage weighs 10, not 60", "logins weighs 0.5, not 2")
    assert changed(made, WhatIf(weights={"usage": Decimal(60), "usage/logins": Decimal(2)})) == SCORE


def test_a_name_that_a_group_and_a_metric_share_is_the_groups_unless_both_are_said() -> None:
    assert changed(SCORE, WhatIf(weights={"support": Decimal(7)})).groups[1].weight == 7
    made = changed(SCORE, WhatIf(weights={"support/support": Decimal(7)}))
    assert (made.groups[1].weight, made.groups[1].inputs[1].weight) == (40, 7)


def test_points_are_replaced_and_metrics_left_out_with_their_group_where_it_is_empty() -> None:
    made = changed(SCORE, WhatIf(scales={"users": FALLING}, without=("tickets", "support/support"), least_weight=Decimal("0.7")))
    assert [group.name for group in made.groups] == ["usage"]
    assert made.inputs[1].scale == FALLING
    assert describe_changes(SCORE, made) == (
        "users has steps {0: 100, 3: 0}, not points {0: 0, 10: 100}",
        "tickets is left out",
        "support is left out",
        "the least weight is 70 %, not 50 %",
    )


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadInput) as refusal:
        changed(SCORE, WhatIf(weights={"login": Decimal(1), "uses": Decimal(2)}, without=("ticket",)))
    assert [fault.where for fault in refusal.value.faults] == ["--weight", "--weight", "--without"]
    assert "Did you mean 'tickets'?" in str(refusal.value)
    with pytest.raises(BadInput, match="weights are above 0"):
        changed(SCORE, WhatIf(weights={"usage": Decimal(0)}))
    with pytest.raises(BadInput, match="nothing is changed"):
        changed(SCORE, WhatIf(weights={"usage": Decimal("60.0")}))
