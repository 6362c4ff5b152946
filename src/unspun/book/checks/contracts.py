"""Checks of what book.yml declares: types, keys, references, ranges, freshness, volume.

A contract is asked of the rows as they stand. What cannot be asked, as the book lacks the table or a column, is a finding itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.contracts_columns import column_findings, columns_sql, is_of_words, words_sql
from unspun.book.checks.contracts_freshness import freshness_finding, newest_sql, values_finding, values_sql
from unspun.book.checks.contracts_keys import references_finding, references_sql, unique_finding, unique_sql
from unspun.book.checks.contracts_volume import volume_finding, volume_sql
from unspun.book.checks.contracts_words import CODE, kind_held
from unspun.book.checks.extracts import EVENT_DAYS
from unspun.book.checks.finding import SEVERITIES, Finding
from unspun.book.checks.reach import REACHED
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import plural
from unspun.book.columns import did_you_mean
from unspun.book.entities import TABLES
from unspun.book.mapping.contract_definition import ColumnRule, FreshnessRule, Rule, TableContract
from unspun.book.sql_words import sql_name


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why some rules of a contract cannot be asked."""

    subject: str
    why: str
    rules: tuple[Rule, ...]
    hint: str


def _hindrance(shape: BookShape) -> str:
    return "" if shape.definition.contracts else "book.yml declares no contracts"


def _ask(shape: BookShape) -> Mapping[str, str]:
    asked: dict[str, str] = {}
    for contract in shape.definition.contracts:
        able, table = askable(contract, shape), contract.table
        if scan := _scan(able, shape):
            asked[table] = f"SELECT {', '.join(scan)} FROM {sql_name(table)}"
        asked |= {f"{table}/{rule.subject}": words_sql(shape, table, rule) for rule in _of_words(able, shape)}
        asked |= {f"{table}/{rule.subject}": references_sql(shape, table, rule) for rule in _references(able)}
        asked |= {f"{table}/{rule.subject}": unique_sql(shape, table, rule) for rule in able.unique}
        asked |= {f"{table}/{rule.subject}": values_sql(shape, table, rule) for rule in able.freshness if rule.by}
        asked |= {f"{table}/{rule.subject}": volume_sql(shape, table, rule) for rule in able.volume}
    return asked


def _scan(contract: TableContract, shape: BookShape) -> tuple[str, ...]:
    """What is asked of every row of a table at once."""
    newest = (f"{newest_sql(shape, rule)} AS f{i}" for i, rule in enumerate(_of_table(contract)))
    return (*columns_sql(shape, contract.table, _of_cells(contract, shape)), *newest)


def _of_cells(contract: TableContract, shape: BookShape) -> tuple[ColumnRule, ...]:
    apart = {*_references(contract), *_of_words(contract, shape)}
    return tuple(rule for rule in contract.columns if rule not in apart)


def _of_words(contract: TableContract, shape: BookShape) -> tuple[ColumnRule, ...]:
    return tuple(rule for rule in contract.columns if is_of_words(shape, contract.table, rule))


def _references(contract: TableContract) -> tuple[ColumnRule, ...]:
    return tuple(rule for rule in contract.columns if rule.rule == "references")


def _of_table(contract: TableContract) -> tuple[FreshnessRule, ...]:
    return tuple(rule for rule in contract.freshness if rule.by is None)


def _judge(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for contract in shape.definition.contracts:
        yield from (_unasked(contract, obstacle) for obstacle in obstacles(contract, shape))
        found = _judged(askable(contract, shape), shape, answers)
        yield from (finding for finding in found if finding is not None)


def _judged(contract: TableContract, shape: BookShape, answers: Answers) -> Iterator[Finding | None]:
    table = contract.table

    def row(rule: Rule) -> dict[str, Any]:
        return answers[f"{table}/{rule.subject}"].to_pylist()[0]

    if table in answers:
        scan = answers[table].to_pylist()[0]
        yield from column_findings(shape, table, _of_cells(contract, shape), scan)
        yield from (freshness_finding(shape, table, rule, scan[f"f{i}"]) for i, rule in enumerate(_of_table(contract)))
    for rule in _of_words(contract, shape):
        yield from column_findings(shape, table, (rule,), row(rule))
    yield from (references_finding(shape, table, rule, row(rule)) for rule in _references(contract))
    yield from (unique_finding(shape, table, rule, row(rule)) for rule in contract.unique)
    yield from (values_finding(shape, table, rule, row(rule)) for rule in contract.freshness if rule.by)
    yield from (volume_finding(shape, table, rule, row(rule)) for rule in contract.volume)


def askable(contract: TableContract, shape: BookShape) -> TableContract:
    """The contract with only the rules that can be asked of the book."""
    left_out = {rule.subject for obstacle in obstacles(contract, shape) for rule in obstacle.rules}
    return replace(
        contract,
        columns=tuple(rule for rule in contract.columns if rule.subject not in left_out),
        unique=tuple(rule for rule in contract.unique if rule.subject not in left_out),
        freshness=tuple(rule for rule in contract.freshness if rule.subject not in left_out),
        volume=tuple(rule for rule in contract.volume if rule.subject not in left_out),
    )


def obstacles(contract: TableContract, shape: BookShape) -> tuple[Obstacle, ...]:
    """What cannot be asked of the book, and why: one for the table, else one a column that it lacks or that is of another kind."""
    if contract.rules and contract.table not in shape.tables:
        hint = f"Load {contract.table}, or remove their contract."
        return (Obstacle("", f"the book holds no {contract.table}", contract.rules, hint),)
    return (*_missing(contract, shape), *_misfits(contract, shape))


def _missing(contract: TableContract, shape: BookShape) -> Iterator[Obstacle]:
    lacking: dict[str, list[Rule]] = {}
    for column, rule in contract.named_columns():
        if not shape.has(contract.table, column):
            lacking.setdefault(column, []).append(rule)
    for column, rules in lacking.items():
        hint = f"{did_you_mean(column, shape.tables[contract.table].columns)}Map it, and load the files again, or change the contract."
        yield Obstacle(column, f"nothing is mapped to {contract.table}.{column}", tuple(rules), hint)


def _misfits(contract: TableContract, shape: BookShape) -> Iterator[Obstacle]:
    for rule in contract.columns:
        if shape.has(contract.table, rule.column) and (why := _misfit(contract, rule, shape)):
            yield Obstacle(rule.subject, why, (rule,), "Change the rule, or what the column is mapped from.")


def _misfit(contract: TableContract, rule: ColumnRule, shape: BookShape) -> str:
    kind = kind_held(shape, contract.table, rule.column)
    if rule.rule != "references":
        return rule.misfit(kind)
    other, column = rule.target
    if lacking := shape.lacks(other, f"{other}.{column}"):
        return lacking
    held = kind_held(shape, other, column)
    return "" if held == kind else f"{contract.table}.{rule.column} is {kind}, and {rule.wanted} is {held}"


def _unasked(contract: TableContract, obstacle: Obstacle) -> Finding:
    """The finding that rules could not be asked, as grave as the gravest of them."""
    lines = ", ".join(str(line) for line in sorted({rule.line for rule in obstacle.rules}))
    number = len(obstacle.rules)
    return Finding(
        check=CODE,
        table=contract.table,
        severity=next(one for one in SEVERITIES if any(rule.severity == one for rule in obstacle.rules)),
        count=number,
        of=len(contract.rules),
        unit="rules",
        message=f"{plural(number, 'rule')} on {contract.table} cannot be asked: {obstacle.why}.",
        affects=REACHED.get(contract.table, ()),
        mend=f"{obstacle.hint} book.yml, line {lines}.",
        rows_sql=f"SELECT * FROM {sql_name(contract.table)} LIMIT 0",
        subject=f"{obstacle.subject}.not_asked" if obstacle.subject else "not_asked",
        facts={"rules": ", ".join(rule.subject for rule in obstacle.rules)},
    )


CHECKS: tuple[Check, ...] = (
    Check(
        code=CODE,
        title="what book.yml declares",
        tables=tuple(TABLES),
        hindrance=_hindrance,
        ask=_ask,
        judge=_judge,
        extracts=(EVENT_DAYS,),
    ),
)
