"""What `unspun audit` was asked, as typed, and what it comes to: a request, the files to write, and every fault."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from unspun.app.reading import NO_EFFECT
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import Verdict
from unspun.book.tables import ReadingOptions
from unspun.cli.options import OptionReader
from unspun.cli.outputs import OutputFile, check_outputs
from unspun.cli.term_options import TermWords, read_rules, typed
from unspun.errors import BadInput, Fault

if TYPE_CHECKING:
    from unspun.app.reading import AuditRequest
    from unspun.book.terms.rules import TermRules

STDIN = STDOUT = "-"
SETTINGS = {"rate", "calls", "forecasts", "purchases", "subscriptions", *(setting.name for setting in fields(AuditSettings))}


@dataclass(frozen=True, slots=True)
class AuditWords:
    """The arguments and options of `unspun audit` as they were typed."""

    files: tuple[str, ...]
    subscriptions: str | None = None
    terms: TermWords = field(default_factory=TermWords)
    purchases: str | None = None
    accounts: str | None = None
    events: str | None = None
    forecasts: str | None = None
    design: str | None = None
    horizons: str | None = None
    primary_horizon: str | None = None
    capacity: str | None = None
    map: tuple[str, ...] = ()
    score: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    bands: str | None = None
    thresholds: str | None = None
    direction: tuple[str, ...] = ()
    date_format: str | None = None
    tz: str | None = None
    fixed: tuple[str, ...] = ()
    calls: str | None = None
    reviews: str | None = None
    active_days: str | None = None
    as_of: str | None = None
    rate: tuple[str, ...] = ()
    currency: str | None = None
    rates_dated: str | None = None
    seed: str | None = None
    detail: str | None = None
    json: str | None = None
    html: str | None = None
    pdf: str | None = None
    rows: str | None = None
    rejects: str | None = None
    quiet: bool = False
    open: bool = False
    fail_unless: str | None = None

    @property
    def outcomes(self) -> dict[str, str]:
        """The options that stand in for the renewals file, and their files."""
        given = {"--subscriptions": self.subscriptions, "--purchases": self.purchases}
        return {option: file for option, file in given.items() if file is not None}

    @property
    def scores(self) -> tuple[str, ...]:
        return self.files if self.outcomes else self.files[:-1]

    @property
    def renewals(self) -> str | None:
        return None if self.outcomes else self.files[-1]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every file to be read."""
        others = (self.subscriptions, self.purchases, self.accounts, self.events, self.forecasts)
        return (*self.files, *(file for file in others if file is not None))


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files to write; `json_to_stdout` prints the result and nothing else."""

    json: OutputFile | None = None
    html: OutputFile | None = None
    pdf: OutputFile | None = None
    rows: OutputFile | None = None
    rejects: OutputFile | None = None
    json_to_stdout: bool = False

    @property
    def files(self) -> list[OutputFile]:
        return [file for file in (self.json, self.html, self.pdf, self.rejects) if file is not None]


@dataclass(frozen=True, slots=True)
class Plan:
    """An audit that can be run. `wanted` is empty where any verdict will do."""

    words: AuditWords
    reading: ReadingOptions
    rules: TermRules
    settings: AuditSettings
    outputs: Outputs
    wanted: frozenset[Verdict]
    quiet: bool
    open_report: bool
    every_score: bool


def make_plan(words: AuditWords) -> Plan:
    """Raises BadInput with the faults of all options and, where there are any, those of both files as well."""
    reader = OptionReader()
    _check_inputs(words, reader)
    _check_effects(words, reader)
    reading, rules, settings = _read_reading(words, reader), read_rules(words.terms, reader), _read_settings(words, reader)
    outputs = _read_outputs(words, reader)
    wanted = reader.verdicts("--fail-unless", words.fail_unless)
    plan = Plan(words, reading, rules, settings, outputs, wanted, words.quiet, words.open, words.detail == "all")
    if reader.faults:
        raise BadInput([*reader.faults, *_other_faults(plan, reader.faults)])
    return plan


def _read_outputs(words: AuditWords, reader: OptionReader) -> Outputs:
    named = {"json": words.json, "html": words.html, "pdf": words.pdf, "rejects": words.rejects}
    outputs = Outputs(
        **{name: named_output(f"--{name}", text, reader) for name, text in named.items()},
        rows=named_output("--rows", words.rows, reader),
        json_to_stdout=words.json == STDOUT,
    )
    reader.faults.extend(check_outputs(outputs.files, words.inputs, outputs.rows))
    if words.open and words.html is None:
        reader.refuse("--open", "there is no report to open.", "Say where to write it: --html report.html.")
    return outputs


def _read_reading(words: AuditWords, reader: OptionReader) -> ReadingOptions:
    """The words of these are judged by the reading itself, together with the files."""
    return ReadingOptions(
        columns=reader.pairs("--map", words.map, 'account="Company ID"'),
        scores=words.score,
        outcomes=reader.pairs("--outcome", words.outcome, "won=renewed", last=True),
        bands=reader.words("--bands", words.bands),
        calls=reader.words("--calls", words.calls),
        date_format=words.date_format,
        time_zone=words.tz or "UTC",
    )


def _read_settings(words: AuditWords, reader: OptionReader) -> AuditSettings:
    default = AuditSettings()
    rates = reader.rates("--rate", words.rate)
    rates_dated = reader.day("--rates-dated", words.rates_dated)
    _check_rates(words, reader)
    return AuditSettings(
        design=cast(
            "Literal['auto', 'renewal', 'landmark']", reader.choice("--design", words.design, ("auto", "renewal", "landmark"), "auto")
        ),
        horizons=reader.integers("--horizons", words.horizons, default.horizons, at_least=1),
        primary_horizon=reader.integer("--primary-horizon", words.primary_horizon, None, at_least=1),
        capacity=reader.integer("--capacity", words.capacity, default.capacity, at_least=1),
        direction=reader.directions("--direction", words.direction),
        thresholds=reader.ascending("--thresholds", words.thresholds),
        fixed=words.fixed,
        reviews=reader.days("--reviews", words.reviews),
        active_days=reader.integer("--active-days", words.active_days, default.active_days, at_least=1),
        as_of=reader.day("--as-of", words.as_of),
        currency_rates=rates,
        reporting_currency=words.currency.strip().upper() if words.currency else None,
        rates_dated=rates_dated,
        seed=reader.integer("--seed", words.seed, default.seed, at_least=0),
        detail=cast("Literal['auto', 'all', 'none']", reader.choice("--detail", words.detail, ("auto", "all", "none"), "auto")),
    )


def _check_inputs(words: AuditWords, reader: OptionReader) -> None:
    if len(words.outcomes) > 1:
        reader.refuse("--purchases", "outcomes can come from one source, and --subscriptions is given too.", "Leave one of them out.")
    if not words.scores:
        message = "there is one file, and an audit needs two: scores, and renewals after them."
        hint = "Name the renewals last, or say where outcomes come from: --subscriptions FILE or --purchases FILE. See unspun audit --help."
        reader.refuse("unspun audit", message, hint, code="one_file")
    check_stdin(words.inputs, reader)


def check_stdin(inputs: Sequence[str], reader: OptionReader) -> None:
    """Standard input is one file at most, and none where a person sits at it."""
    if inputs.count(STDIN) > 1:
        reader.refuse("-", "standard input cannot be two files.", "Give a path for one of them.")
    elif STDIN in inputs and sys.stdin.isatty():
        reader.refuse("-", "nothing is piped into standard input.", "Pipe a file in, or give its path.")


def _check_effects(words: AuditWords, reader: OptionReader) -> None:
    """Options that say something of a file that is not given: they would be passed over, and look as if they had counted."""
    idle = [] if words.subscriptions is not None else [(option_of(name), "--subscriptions FILE") for name in typed(words.terms)]
    idle += [("--active-days", "--purchases FILE")] if words.active_days is not None and words.purchases is None else []
    idle += [("--calls", "--forecasts FILE")] if words.calls is not None and words.forecasts is None else []
    for option, needs in idle:
        reader.refuse(option, f"has no effect without {needs}.", "Give that, or leave it out.", code=NO_EFFECT)


def _check_rates(words: AuditWords, reader: OptionReader) -> None:
    """Amounts in several currencies are added only with a dated rate."""
    if words.rate and words.currency is None:
        reader.refuse("--rate", "the currency that the rates lead to is not stated.", "Add --currency USD.")
    if words.rate and words.rates_dated is None:
        reader.refuse("--rate", "the rates have no date.", "Add --rates-dated 2026-10-31.")
    if words.rates_dated is not None and not words.rate:
        reader.refuse("--rates-dated", "there are no rates to date.", "Add --rate EUR=1.08.")


def named_output(option: str, text: str | None, reader: OptionReader) -> OutputFile | None:
    """The file that an option names; a fault where it names none."""
    if text is None or (text == STDOUT and option == "--json"):
        return None
    if text in ("", STDOUT):
        reader.refuse(option, f"{text!r} is not the name of a file.", "Only the JSON of an audit can go to standard output.")
        return None
    return OutputFile(option, Path(text))


def _other_faults(plan: Plan, noted: Sequence[Fault]) -> list[Fault]:
    """What else is wrong with the settings, and what is wrong with the files, so that one run tells everything."""
    from unspun.app.reading import read_request

    options = {fault.where for fault in noted}
    others = [
        fault for fault in map(name_option, plan.settings.faults(() if plan.words.accounts is None else None)) if fault.where not in options
    ]
    if STDIN in plan.words.inputs or not plan.words.scores or len(plan.words.outcomes) > 1:
        return others  # what is piped in can be read once only, and it may be a terminal
    try:
        read_request(make_request(plan), date.today())
    except BadInput as refusal:
        found = [fault for fault in refusal.faults if fault.code != NO_EFFECT]  # which is said of each option by itself
        others += [fault for fault in map(name_option, found) if fault.where not in options]
    return others


def make_request(plan: Plan) -> AuditRequest:
    """The operation's request for what was typed."""
    from unspun.app.reading import AuditRequest

    words = plan.words
    return AuditRequest(
        scores=words.scores[0] if len(words.scores) == 1 else words.scores,
        renewals=words.renewals,
        subscriptions=words.subscriptions,
        purchases=words.purchases,
        accounts=words.accounts,
        events=words.events,
        forecasts=words.forecasts,
        reading=plan.reading,
        terms=plan.rules,
        settings=plan.settings,
    )


def name_option(fault: Fault) -> Fault:
    """A fault of a setting, said of the option that sets it."""
    setting = "rate" if fault.where == "rates" else fault.where
    return replace(fault, where=option_of(setting)) if setting in SETTINGS else fault


def option_of(name: str) -> str:
    """The option that sets a setting."""
    return f"--{name.replace('_', '-')}"
