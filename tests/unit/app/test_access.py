"""Roles, what they grant, and scopes."""

from __future__ import annotations

import pytest

from unspun.app.access import EVERYTHING, GRANTS, LIMITED_ROLES, PERMISSIONS, ROLES, Actor, Forbidden, Scope


def actor(role: str, scope: Scope = EVERYTHING) -> Actor:
    return Actor(1, "A", "a@example.org", next(one for one in ROLES if one == role), scope, "session")


def test_every_role_has_its_grants_and_an_owner_has_all() -> None:
    assert set(GRANTS) == set(ROLES)
    assert GRANTS["owner"] == set(PERMISSIONS)
    assert set(PERMISSIONS) - GRANTS["analyst"] == {"people.manage", "settings.manage"}


def test_a_viewer_only_sees_and_a_csm_writes_of_accounts_besides() -> None:
    assert GRANTS["csm"] - GRANTS["viewer"] == {"account.write"}
    assert not {one for one in GRANTS["viewer"] if not one.endswith((".see", ".open"))}


@pytest.mark.parametrize("role", ROLES)
def test_who_may_not_is_told_which_permission_is_lacking(role: str) -> None:
    if actor(role).may("people.manage"):
        actor(role).require("people.manage")
    else:
        with pytest.raises(Forbidden, match=r"people\.manage"):
            actor(role).require("people.manage")


@pytest.mark.parametrize("role", ROLES)
def test_only_csms_and_viewers_can_be_limited(role: str) -> None:
    limited = Scope(owners=frozenset({"Kim"}))
    if role in LIMITED_ROLES:
        assert not actor(role, limited).scope.everything
    else:
        with pytest.raises(ValueError, match="sees every account"):
            actor(role, limited)


def test_an_account_is_in_scope_by_its_id_its_owner_or_its_segment_and_an_empty_scope_holds_none() -> None:
    scope = Scope(owners=frozenset({"Kim"}), segments=frozenset({"Large"}), accounts=frozenset({"A-1"}))
    assert [scope.holds(*one) for one in (("A-1", None, None), ("A-2", "Kim", None), ("A-2", None, "Large"))] == [True] * 3
    assert not scope.holds("A-2", "kim", "Small")
    assert not scope.holds("A-2", None, None)
    assert not Scope().holds("A-1", None, None)
