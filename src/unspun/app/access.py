"""Who may do what, and see which accounts: roles, permissions, scopes and the actor that each operation takes.

Nothing here knows of sessions, tokens or a database: whoever authenticates a person makes an `Actor`, and the operations of the
application ask it. A role grants permissions, a scope limits accounts; the two are independent, but only the roles in
`LIMITED_ROLES` can be given a scope that is less than everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from unspun.errors import Fault, UnspunError

Role = Literal["owner", "analyst", "manager", "csm", "viewer"]
Permission = Literal[
    "portfolio.see",
    "account.see",
    "account.write",
    "evidence.see",
    "audit.run",
    "forecast.see",
    "performance.see",
    "definitions.see",
    "data.see",
    "data.load",
    "ledger.see",
    "figure.open",
    "refresh.run",
    "people.manage",
    "settings.manage",
]
Via = Literal["session", "token", "cli"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
PERMISSIONS: Final[dict[Permission, str]] = {
    "portfolio.see": "See the list of accounts, its sums, and its search.",
    "account.see": "See the page of an account within one's scope.",
    "account.write": "Write a note or a forecast of an account within one's scope.",
    "evidence.see": "See what the evidence run says of metrics and scores.",
    "audit.run": "Upload a book and have it audited.",
    "forecast.see": "See the forecast and its record.",
    "performance.see": "See actual beside expected by owner.",
    "definitions.see": "See the definitions of metrics, scores and retention, and their versions.",
    "data.see": "See tables, loads, findings and freshness.",
    "data.load": "Load files, and undo a load.",
    "ledger.see": "See the entries of the ledger.",
    "figure.open": "Open a figure: its definition, rows and proof.",
    "refresh.run": "Start, cancel and repeat a refresh.",
    "people.manage": "Invite people, change their role and scope, and end their sessions.",
    "settings.manage": "Change the settings of the workspace.",
}
_SEEN: Final[frozenset[Permission]] = frozenset(
    {
        "portfolio.see",
        "account.see",
        "evidence.see",
        "forecast.see",
        "performance.see",
        "definitions.see",
        "data.see",
        "ledger.see",
        "figure.open",
    }
)
_VIEWER: Final[frozenset[Permission]] = frozenset(
    {"portfolio.see", "account.see", "evidence.see", "forecast.see", "definitions.see", "figure.open"}
)
_MANAGING: Final[frozenset[Permission]] = frozenset({"people.manage", "settings.manage"})
_WRITING: Final[frozenset[Permission]] = frozenset({"account.write"})
GRANTS: Final[dict[Role, frozenset[Permission]]] = {
    "owner": frozenset(PERMISSIONS),
    "analyst": frozenset(PERMISSIONS) - _MANAGING,
    "manager": _SEEN | _WRITING,
    "csm": _VIEWER | _WRITING,
    "viewer": _VIEWER,
}
LIMITED_ROLES: Final[frozenset[Role]] = frozenset({"csm", "viewer"})


class Forbidden(UnspunError):
    """The actor's role does not grant what was asked for."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The accounts that someone may see: all of them, or those whose owner, segment or id is in one of the sets.

    A scope that names nothing holds no account. An account without an owner or segment is in scope only by its id.
    """

    everything: bool = False
    owners: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()

    def holds(self, account: str, owner: str | None, segment: str | None) -> bool:
        """Whether an account with that id, owner and segment is in scope. Spelling counts: nothing is folded or trimmed."""
        return self.everything or account in self.accounts or owner in self.owners or segment in self.segments


EVERYTHING: Final = Scope(everything=True)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, as what, for which accounts, and by which door.

    `granted` is what a token was given of what its person may do; None: everything that the role grants. A token never widens a role: what
    it was given and the role no longer grants, it may not do. Raises ValueError for a limited scope of a role that has none, and for a
    token that does not say what it was given.
    """

    id: int
    name: str
    email: str
    role: Role
    scope: Scope
    via: Via
    granted: frozenset[Permission] | None = None

    def __post_init__(self) -> None:
        if (self.via == "token") != (self.granted is not None):
            raise ValueError("a token says what it was granted, and nobody else does")
        if not self.scope.everything and self.role not in LIMITED_ROLES:
            message = f"the role {self.role} sees every account: only {' and '.join(sorted(LIMITED_ROLES))} can be limited"
            raise ValueError(message)

    def may(self, permission: Permission) -> bool:
        """Whether the role grants the permission, and the token, where one asks."""
        return permission in GRANTS[self.role] and (self.granted is None or permission in self.granted)

    def require(self, permission: Permission) -> None:
        """Raises Forbidden where the role, or the token, does not grant the permission."""
        if permission not in GRANTS[self.role]:
            message = f"the role {self.role} may not do this ({permission})"
            raise Forbidden(Fault("forbidden", message, hint="Ask an owner of the workspace."))
        if not self.may(permission):
            message = f"this token was not given the permission to do this ({permission})"
            raise Forbidden(Fault("not_granted", message, hint="Make a token that has it, on your own page of the console."))


COMMAND_LINE: Final = Actor(0, "command line", "", "owner", EVERYTHING, "cli")
"""Whoever can run commands in the workspace's folder can read its files: it is an owner."""
