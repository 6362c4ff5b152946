"""The operation "accept a finding": who takes it as it is, why, and until when; kept in the ledger, and withdrawn there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from unspun.app.workspace import Workspace
from unspun.book.checks.acceptance import Acceptance
from unspun.book.checks.finding import Finding
from unspun.book.checks.report import State
from unspun.book.columns import did_you_mean
from unspun.errors import BadInput, Fault
from unspun.warehouse.catalog import Catalog

KIND = "acceptance"
LONGEST_WHY = 2_000
Found = dict[str, dict[str, Any]]


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
        span = _days(body.get("span"))
        found[finding] = Acceptance(finding, str(body["who"]), str(body["why"]), entry.at, count, of, day, entry.seq, span)
    return found


def _days(span: Any) -> tuple[date, date | None] | None:
    if span is None:
        return None
    first, last = span
    return date.fromisoformat(first), None if last is None else date.fromisoformat(last)


def acceptance_of(finding: Finding, known: Mapping[str, Acceptance]) -> Acceptance | None:
    """What was accepted of a finding, by its id.

    The id of a finding about days ends with its first day, which may move when more is loaded: it is then the acceptance of days of the
    same thing that it touches.
    """
    found = known.get(finding.id)
    if found is not None or finding.span is None:
        return found
    thing = finding.id.rpartition("/")[0]
    alike = [one for one in known.values() if one.span is not None and one.finding.rpartition("/")[0] == thing]
    touching = [one for one in alike if one.span is not None and finding.span.touches(one.span[0], one.span[1] or date.max)]
    return max(touching, key=lambda one: one.entry, default=None)


def list_acceptances(workspace: Workspace) -> tuple[Acceptance, ...]:
    """Every acceptance that was not withdrawn, in the order in which they were recorded."""
    with workspace.catalog() as catalog:
        return tuple(sorted(acceptances(catalog).values(), key=lambda one: one.entry))


def state_of(finding: Finding, acceptance: Acceptance | None, day: date) -> State:
    """Whether a finding is accepted on a day: not where it has grown, in number and in share, since it was.

    What went on when it was accepted is no larger for going on.
    """
    if acceptance is None or (acceptance.until is not None and day > acceptance.until):
        return "open"
    grown = not acceptance.goes_on and finding.count > acceptance.count and finding.share > acceptance.count / acceptance.of
    return "grown" if grown else "accepted"


def accept(workspace: Workspace, request: AcceptRequest, at: datetime) -> Acceptance | None:
    """Record it, and give the acceptance as it then stands (None: withdrawn).

    Raises BadInput with all faults together: no check has found it, it was not accepted (to withdraw it), no name, no reason.
    """
    with workspace.catalog() as catalog:
        known, found = acceptances(catalog), _last_found(catalog)
        day = at.astimezone(ZoneInfo(workspace.definition().time_zone)).date()
        faults = [*_wording_faults(request, day), *_finding_faults(request, known, found)]
        if faults:
            raise BadInput(faults)
        with catalog.transaction():
            catalog.append_entry(KIND, _body(request, found), at)
        return acceptances(catalog).get(request.finding)


def _body(request: AcceptRequest, found: Found) -> dict[str, object]:
    said: dict[str, object] = {"finding": request.finding, "who": request.who.strip(), "why": request.why.strip()}
    if request.withdraw:
        return {**said, "withdrawn": True}
    one = found[request.finding]
    span = {"span": [one["span"]["first"], one["span"]["last"]]} if one["span"] else {}
    return {**said, "count": int(one["count"]), "of": int(one["of"]), "until": request.until.isoformat() if request.until else None, **span}


def _last_found(catalog: Catalog) -> Found:
    """The findings of the newest whole check, as they were recorded, by id."""
    record = catalog.latest_check()
    return {} if record is None else {str(one["id"]): one for one in json.loads(record.document)["findings"]}


def _wording_faults(request: AcceptRequest, day: date) -> list[Fault]:
    faults: list[Fault] = []
    if not request.why.strip():
        faults.append(Fault("no_reason", "an acceptance needs a reason.", "--why", "Say why it is right as it is, or what will mend it."))
    if len(request.why) > LONGEST_WHY:
        faults.append(Fault("long_reason", f"the reason has {len(request.why):,} characters, and may have {LONGEST_WHY:,}.", "--why"))
    if not request.who.strip():
        faults.append(Fault("no_name", "an acceptance needs a name.", "--by", "Say who accepts it."))
    if request.until is not None and request.until < day:
        faults.append(Fault("past_day", f"{request.until.isoformat()} is over.", "--until", "Give a day to come, or none."))
    return faults


def _finding_faults(request: AcceptRequest, known: dict[str, Acceptance], found: Found) -> list[Fault]:
    if request.withdraw:
        if request.finding in known:
            return []
        listed = did_you_mean(request.finding, known) or "`unspun check` shows what is accepted."
        return [Fault("not_accepted", f"{request.finding} is not accepted, so there is nothing to withdraw.", "FINDING", listed)]
    if request.finding in found:
        return []
    hint = did_you_mean(request.finding, found) or "Run `unspun check`: it gives the id of each finding."
    return [Fault("unknown_finding", f"the last check found no {request.finding}.", "FINDING", hint)]
