"""The operation "accept a finding": who takes it as it is, why, and until when; kept in the ledger, and withdrawn there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime

from unspun.app.workspace import Workspace
from unspun.book.checks.acceptance import Acceptance
from unspun.book.checks.finding import Finding
from unspun.book.checks.report import State
from unspun.book.columns import did_you_mean
from unspun.errors import BadInput, Fault
from unspun.warehouse.catalog import Catalog

KIND = "acceptance"
LONGEST_WHY = 2_000


@dataclass(frozen=True, slots=True)
class AcceptRequest:
    """Which finding (its id) is accepted, by whom and why, up to and including which day; or, `withdraw`, no longer."""

    finding: str
    who: str
    why: str
    until: date | None = None
    withdraw: bool = False


def acceptances(catalog: Catalog) -> dict[str, Acceptance]:
    """The acceptances that the ledger holds, by the finding's id: the last word on each. One that was withdrawn is none."""
    found: dict[str, Acceptance] = {}
    for entry in catalog.entries(kind=KIND):
        body = entry.body
        finding, until = str(body["finding"]), body.get("until")
        if body.get("withdrawn"):
            found.pop(finding, None)
            continue
        day = None if until is None else date.fromisoformat(str(until))
        count, of = int(str(body["count"])), int(str(body["of"]))
        found[finding] = Acceptance(finding, str(body["who"]), str(body["why"]), entry.at, count, of, day, entry.seq)
    return found


def list_acceptances(workspace: Workspace) -> tuple[Acceptance, ...]:
    """Every acceptance that was not withdrawn, in the order in which they were recorded."""
    with workspace.catalog() as catalog:
        return tuple(sorted(acceptances(catalog).values(), key=lambda one: one.entry))


def state_of(finding: Finding, acceptance: Acceptance | None, day: date) -> State:
    """Whether a finding is accepted on a day: not where it has grown, in number and in share, since it was."""
    if acceptance is None or (acceptance.until is not None and day > acceptance.until):
        return "open"
    grown = finding.count > acceptance.count and finding.share > acceptance.count / acceptance.of
    return "grown" if grown else "accepted"


def accept(workspace: Workspace, request: AcceptRequest, at: datetime) -> Acceptance | None:
    """Record it, and give the acceptance as it then stands (None: withdrawn).

    Raises BadInput with all faults together: no check has found it, it was not accepted (to withdraw it), no name, no reason.
    """
    with workspace.catalog() as catalog:
        known, found = acceptances(catalog), _last_found(catalog)
        faults = [*_wording_faults(request, at), *_finding_faults(request, known, found)]
        if faults:
            raise BadInput(faults)
        with catalog.transaction():
            catalog.append_entry(KIND, _body(request, found), at)
        return acceptances(catalog).get(request.finding)


def _body(request: AcceptRequest, found: dict[str, tuple[int, int]]) -> dict[str, object]:
    said: dict[str, object] = {"finding": request.finding, "who": request.who.strip(), "why": request.why.strip()}
    if request.withdraw:
        return {**said, "withdrawn": True}
    count, of = found[request.finding]
    return {**said, "count": count, "of": of, "until": request.until.isoformat() if request.until else None}


def _last_found(catalog: Catalog) -> dict[str, tuple[int, int]]:
    """Count and of of each finding of the newest whole check."""
    record = catalog.latest_check()
    findings = [] if record is None else json.loads(record.document)["findings"]
    return {str(one["id"]): (int(one["count"]), int(one["of"])) for one in findings}


def _wording_faults(request: AcceptRequest, at: datetime) -> list[Fault]:
    faults: list[Fault] = []
    if not request.why.strip():
        faults.append(Fault("no_reason", "an acceptance needs a reason.", "--why", "Say why it is right as it is, or what will mend it."))
    if len(request.why) > LONGEST_WHY:
        faults.append(Fault("long_reason", f"the reason has {len(request.why):,} characters, and may have {LONGEST_WHY:,}.", "--why"))
    if not request.who.strip():
        faults.append(Fault("no_name", "an acceptance needs a name.", "--by", "Say who accepts it."))
    if request.until is not None and request.until < at.date():
        faults.append(Fault("past_day", f"{request.until.isoformat()} is over.", "--until", "Give a day to come, or none."))
    return faults


def _finding_faults(request: AcceptRequest, known: dict[str, Acceptance], found: dict[str, tuple[int, int]]) -> list[Fault]:
    if request.withdraw:
        if request.finding in known:
            return []
        listed = did_you_mean(request.finding, known) or "`unspun check` shows what is accepted."
        return [Fault("not_accepted", f"{request.finding} is not accepted, so there is nothing to withdraw.", "FINDING", listed)]
    if request.finding in found:
        return []
    hint = did_you_mean(request.finding, found) or "Run `unspun check`: it gives the id of each finding."
    return [Fault("unknown_finding", f"the last check found no {request.finding}.", "FINDING", hint)]
