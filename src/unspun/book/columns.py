"""Which column plays which role: by the caller's word, else by the names such columns usually have."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from unspun.book.files import RawTable, Role
from unspun.book.tables import ReadingOptions
from unspun.book.text import quoted, squash
from unspun.errors import Fault

Tiers = tuple[tuple[str, ...], ...]  # names in order of preference; names of one tier are equally good


def _tiers(*tiers: str) -> Tiers:
    return tuple(tuple(squash(name) for name in tier.split(", ")) for tier in tiers)


ACCOUNT = _tiers(
    "account id, account number, account no, account key",
    "account, customer id, company id, client id, org id, organization id, organisation id, tenant id, subscriber id, customer number",
    "customer, company, client, organization, organisation, tenant, account name, customer name, company name, client name",
)
SEGMENT = _tiers("segment, customer segment, account segment, segment name", "tier, customer tier, plan tier, size band", "plan, plan name")
OWNER = _tiers(
    "owner, csm, account owner, owner name, csm name, csm owner, customer success manager",
    "account manager, owner id, csm id, owner email, csm email",
)
PARENT = _tiers(
    "parent, parent account, parent account id, parent id, parent account name",
    "ultimate parent, top parent, ultimate parent id, parent company, parent company id, holding, group, corporate group",
)
SCORES: dict[str, Tiers] = {
    "account": ACCOUNT,
    "date": _tiers(
        "date, dated, scored on, scored at, score date, as of, as of date, snapshot date, date scored",
        "day, month, week, timestamp, time, datetime, period, calculated at, calculated on, measured at, measured on, report date, "
        "observation date, measurement date, effective date, snapshot, score month, score timestamp",
    ),
    "score_name": _tiers("score name, metric name, measure name", "metric, measure, score type, kpi, indicator"),
    "recorded_at": _tiers(
        "recorded at, recorded on, recorded, date recorded",
        "created at, updated at, logged at, entered at, inserted at, modified at, edited at, created on, updated on, created date, "
        "updated date, last modified, last modified date, last updated, known at, written at",
        "loaded at",
    ),
    "set_by": _tiers("set by, score source, set by type", "changed by, modified by, updated by, entered by, source, origin, method"),
    "segment": SEGMENT,
    "owner": OWNER,
    "parent": PARENT,
    "band": _tiers("band, health band, score band", "rag, rag status, health colour, health color, colour, color, health grade, grade"),
}
RENEWALS: dict[str, Tiers] = {
    "account": ACCOUNT,
    "due": _tiers(
        "due, due on, due date, renewal date, renewal due, renewal due date, renewal due on, renews on, renewal on, date due",
        "contract end, contract end date, end date, term end, term end date, subscription end, subscription end date, ends on, expires on, "
        "expiry, expiry date, expiration date, current period end, contract expiry",
        "renewal month, date",
    ),
    "outcome": _tiers(
        "outcome, renewal outcome, renewal status, renewal result, result, outcome status",
        "status, stage, stage name, deal stage, opportunity stage",
        "churned, churn, is churned, is churn, churn flag, has churned, churn status, renewed, is renewed, did renew, has renewed",
    ),
    "amount_before": tuple(
        tuple(squash(form.replace("?", unit)) for form in forms)
        for forms in (
            ("? before", "previous ?", "prior ?", "old ?", "opening ?", "starting ?", "start ?", "current ?", "? at start", "before ?"),
            ("?", "? amount"),
        )
        for unit in ("arr", "acv", "mrr", "amount", "revenue", "contract value", "value", "price")
    ),
    "amount_after": tuple(
        tuple(squash(form.replace("?", unit)) for form in forms)
        for forms in (("? after", "new ?", "renewed ?", "renewal ?", "closing ?", "ending ?", "end ?", "? at end", "after ?"),)
        for unit in ("arr", "acv", "mrr", "amount", "revenue", "contract value", "value", "price")
    ),
    "currency": _tiers("currency, currency code, currency iso code, iso currency", "curr"),
    "term_start": _tiers(
        "term start, term start date, term started, term started on",
        "start date, contract start, contract start date, subscription start, subscription start date, started on, start, "
        "current period start",
    ),
    "notice": _tiers(
        "notice, notice date, notice on, notice given, notice given on, notice received", "cancellation notice, cancel notice date"
    ),
    "outcome_known_at": _tiers(
        "outcome known at, outcome known on, outcome known, known at, known on, outcome date, date outcome known",
        "closed at, closed on, closed date, date closed, decided at, decided on, decision date, close date",
        "churned at, churned on, churn date, cancelled at, canceled at, cancelled on, canceled on, cancellation date",
    ),
    "segment": SEGMENT,
    "owner": OWNER,
    "parent": PARENT,
}
ROLES: dict[Role, dict[str, Tiers]] = {"scores": SCORES, "renewals": RENEWALS}
REQUIRED: dict[Role, tuple[str, ...]] = {"scores": ("account", "date"), "renewals": ("account", "due", "outcome")}
WHY_REQUIRED = {
    "date": "no column dates the scores. Undated scores cannot be audited: nobody can tell what was known when.",
    "due": "no column says when each renewal was due. Undated renewals cannot be audited: nobody can tell what was known before them.",
}
SCORE_ROLE = "score"  # mapped to, but found by other rules (see scores.py)


@dataclass(frozen=True, slots=True)
class Found:
    """Column positions by role, and what stands in the way. `mapped` are the roles that the caller named a column for."""

    columns: dict[str, int]
    mapped: frozenset[str]
    faults: tuple[Fault, ...]


LEFT_OUT = "-"  # mapped to this, a role has no column


def find_columns(raw: RawTable, options: ReadingOptions) -> Found:
    """Find the column of each role of a scores or renewals file; two that fit one role equally well are a fault."""
    columns: dict[str, int] = {}
    faults: list[Fault] = []
    mapped = _mapped(raw, options)
    for role, name in mapped.items():
        if name == LEFT_OUT and not column_named(raw, name):
            continue
        position = _position(raw, role, name, faults)
        if position is not None:
            columns[role] = position
    for role, tiers in ROLES[raw.role].items():
        if role not in mapped:
            position = _by_name(raw, role, tiers, frozenset(columns.values()), faults)
            if position is not None:
                columns[role] = position
    reported = {fault.where.rpartition(":")[2] for fault in faults}
    absent = {role for role, name in mapped.items() if name == LEFT_OUT}
    missing = [
        role for role in REQUIRED[raw.role] if role not in columns and (role not in mapped or role in absent) and role not in reported
    ]
    faults += [_missing(raw, role) for role in missing]
    return Found(columns, frozenset(mapped), tuple(faults))


def check_roles(options: ReadingOptions) -> list[Fault]:
    """Mapped roles that are no role of either file."""
    plain = {*SCORES, *RENEWALS, SCORE_ROLE}
    full = {f"scores.{role}" for role in (*SCORES, SCORE_ROLE)} | {f"renewals.{role}" for role in RENEWALS}
    faults: list[Fault] = []
    for key, name in options.columns.items():
        if key not in plain and key not in full:
            guess = did_you_mean(key, plain | full)
            hint = f"{guess}The roles are {', '.join(sorted(plain))}."
            faults.append(Fault("unknown_role", f"'{key}' is not a role that a column can have.", f'--map {key}="{name}"', hint))
    return faults


def did_you_mean(word: str, words: Iterable[str]) -> str:
    by_squashed = {squash(candidate): candidate for candidate in words}
    close = difflib.get_close_matches(squash(word), list(by_squashed), n=1, cutoff=0.6)
    return f"Did you mean '{by_squashed[close[0]]}'? " if close else ""


def column_named(raw: RawTable, name: str) -> list[int]:
    """Positions of the columns of that name: as written, else with case and punctuation aside."""
    exact = [i for i, given in enumerate(raw.names) if given == name]
    return exact or [i for i, given in enumerate(raw.names) if squash(given) == squash(name) != ""]


def _mapped(raw: RawTable, options: ReadingOptions) -> dict[str, str]:
    """The caller's words for this file; `scores.account` goes before `account`."""
    roles = {*ROLES[raw.role], *((SCORE_ROLE,) if raw.role == "scores" else ())}
    plain = {key: name for key, name in options.columns.items() if key in roles}
    prefix = f"{raw.role}."
    return plain | {key.removeprefix(prefix): name for key, name in options.columns.items() if key.startswith(prefix)}


def _position(raw: RawTable, role: str, name: str, faults: list[Fault]) -> int | None:
    found = column_named(raw, name)
    if len(found) == 1:
        return found[0]
    what = f"there is no column '{name}'" if not found else f"{len(found)} columns are named '{name}'"
    hint = f"{did_you_mean(name, raw.names) if not found else ''}The columns are {quoted(list(raw.names), 30)}. "
    hint += f'To name a column of this file only, say --map {raw.role}.{role}="...".'
    faults.append(Fault("no_such_column", f"{what} (wanted as {role}).", f"{raw.name}:1", hint))
    return None


def _by_name(raw: RawTable, role: str, tiers: Tiers, taken: frozenset[int], faults: list[Fault]) -> int | None:
    squashed = [squash(name) for name in raw.names]
    for tier in tiers:
        found = [i for i, name in enumerate(squashed) if name in tier and i not in taken]
        if len(found) == 1:
            return found[0]
        if found:
            names = [raw.names[i] for i in found]
            alike = len(set(names)) < len(names)
            hint = "Rename one of them." if alike else f'Say which: --map {raw.role}.{role}="{names[0]}" or "{names[1]}".'
            faults.append(Fault("two_columns", f"{quoted(names)} fit the role {role} equally well.", f"{raw.name}:1:{role}", hint))
            return None
    return None


def _missing(raw: RawTable, role: str) -> Fault:
    why = WHY_REQUIRED.get(role, f"no column is recognised as the {role}.")
    hint = f'The columns are {quoted(list(raw.names), 30)}. If one of them is it, say --map {raw.role}.{role}="COLUMN".'
    return Fault(f"no_{role}_column", why, f"{raw.name}:1", hint)
