"""Malformed and hostile metrics.yml files, by family: (what it is, its text). Some are odd and right.

`CASES` holds each text once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.unit.metrics.hostile import HOSTILE_TEXTS
from unspun.metrics.fields import KINDS, METRIC_FIELDS, PART_FIELDS

GOOD = "  good: {description: x, count: events, window: 28d}\n"
IDS = (
    "", " ", "A", "1", "1a", "a-b", "a b", "a.b", "a__b", "a_", "_a", "a" * 61, "a" * 5_000, "account_id", "as_of", "due", "horizon_days",
    "a;drop table events", "a'", 'a"', "a`", "a)", "a--", "a/*", "a\n", "a\tb", "a\0b", "\u0430bc", "\uff41bc", "a\u0301", "a\u200bb",
    "\u202ea", "\u05d0", "\U0001f600", "$a", "%s", "{a}", "a=1", "a,b", "a:b", "#a", "a\\", "../a", "null", "true", "1.5", "select",
    "a\u2028b",
)  # fmt: skip
WRONG: tuple[object, ...] = (
    None, True, False, 0, -1, 3, 2.5, "", " ", "x", [], ["x"], [1, 2], [[]], {}, {"x": 1}, {"of": None}, [None],
)  # fmt: skip
NUMBERS = (
    "0", "-1", "1e999", "-1e999", ".nan", ".inf", "-.inf", "nan", "inf", "1e308", "999999999999999999999", "0x7fffffffffffffff", "1_000",
    "1,5", "1.5", "--1", "1e-400", "null", "true", "''", "'28'", "9" * 400, "36600", "36601",
)  # fmt: skip
WINDOWS = (
    "0d", "-1d", "28", "28 d", "28D", "d", "1.5d", "1e3d", "36600d", "36601d", "999999999d", "9999999999999999d", "5229w", "1201mo",
    "0mo", "1200mo", "last 28d", "last week", "this month", "28d; drop table", "''", "[]", "{}", "null", "true", "28", "lifetime ",
    "LIFETIME", "\u0662\u0668d", "28\u0501", "mo", "1y", "..", "[28d]", "{days: 28}",
)  # fmt: skip
CONDITIONS = (
    "null", "[]", "{}", "login", "3", "{event: }", "{event: []}", "{event: {}}", "{event: [[]]}", "{event: [null]}", "{event: [a, 1]}",
    "{event: [1, true]}", "{event: {is: }}", "{event: {is: {}}}", "{event: {above: a}}", "{event: {above: true}}",
    "{event: {above: [1]}}", "{event: {above: .nan}}", "{event: {above: 1e999}}", "{event: {abov: 1}}", "{event: {between: 1}}",
    "{event: {between: [1]}}", "{event: {between: [1, 2, 3]}}", "{event: {between: [2, 1]}}", "{event: {between: [1, 2026-01-01]}}",
    "{event: {between: [2026-02-01, 2026-01-01]}}", "{event: {empty: 1}}", "{event: {empty: 'true'}}", "{event: {contains: 1}}",
    "{event: {contains: ''}}", "{event: {contains: [a]}}", "{event: {starts_with: }}", "{event: {matches: '.*'}}", "{all: {}}",
    "{all: []}", "{all: [1]}", "{all: [{}]}", "{any: [null]}", "{any: x}", "{not: []}", "{not: {}}", "{not: x}", "{column: 3, is: 1}",
    "{column: event}", "{column: [a], is: 1}", "{column: '', is: 1}", "{'': 1}", "{' ': 1}", "{event: {day: 1}}",
    "{event: {day: 2026-02-30}}", "{occurred: {above: 2026-02-30}}", "{occurred: {above: 0000-01-01}}",
    "{occurred: {above: 99999-01-01}}", "{1: 1}", "{null: 1}", "{[a]: 1}", "{event: a, event: b}", "{event: {above: 1, above: 2}}",
    "{event: 999999999999999999999999}", "{value: 0x7fffffffffffffff}", "{value: {above: -999999999999999999}}",
)  # fmt: skip
SERIES = (
    "nothing", "GOOD", "good ", "g\u043eod", "'good; drop table'", "null", "true", "[]", "[good]", "{}", "{of: good}",
    "{count: events, sum: events.value}", "{count: }", "{window: 28d}", "{where: {event: a}}", "{count: events, unit: x}",
    "{count: events, description: x}", "{metric: 3}", "{metric: none}", "{value: true}", "{value: .nan}", "{value: 1e999}",
    "{arr: false}", "{arr: yes}", "{seats: 3}", "{attribute: }", "{attribute: ''}", "{attribute: [a]}", "{open: events}",
    "{open: accounts}", "{open: tickets., window: 28d}", "{open: }", "{open: [tickets]}", "{attribute: a, window: 28d}",
    "{arr: true, where: {event: a}}", "{case: }", "{case: []}", "{case: [{}]}", "{case: [1]}", "{case: [{otherwise: 1}]}",
    "{case: [{when: {}, then: 1}]}", "{case: [{when: {good: }, then: 1}]}", "{case: [{when: {good: 1}}]}", "{case: [{then: 1}]}",
    "{case: [{when: {good: {}}, then: 1}]}", "{case: [{when: {good: {above: a}}, then: 1}]}",
    "{case: [{when: {good: {near: 1}}, then: 1}]}", "{case: [{otherwise: 1}, {when: {good: 1}, then: 1}]}",
    "{case: [{when: {good: 1}, then: 1, otherwise: 2}]}", "{case: [{when: {nothing: 1}, then: 1}]}", "{case: [{when: [], then: 1}]}",
    "{case: [{when: [{}], then: 1}]}", "{case: [{when: [{of: good}], then: 1}]}", "{case: [{when: [{above: 1}], then: 1}]}",
    "{case: [{when: good, then: 1}]}", "{case: {when: {good: 1}, then: 1}}", "{case: [{when: {good: [1, a]}, then: 1}]}",
    "{case: [{when: {good: .nan}, then: a}]}",
)  # fmt: skip
OPTIONS = (
    "percentile: {of: events.value, q: 0}",
    "percentile: {of: events.value, q: 1}",
    "percentile: {of: events.value, q: 90}",
    "percentile: {of: events.value, q: 0.00001}",
    "percentile: {of: events.value, q: .nan}",
    "percentile: {of: events.value, q: '0.9'}",
    "percentile: {of: events.value, q: true}",
    "percentile: {of: events, q: 0.9}",
    "percentile: {q: 0.9}",
    "percentile: events.value",
    "percentile: {of: events.value, q: 0.9, p: 1}",
    "percentile: {of: [events.value], q: 0.9}",
    "percentile: {of: events.value, q: 1e-4}",
    "percentile: {of: events.value, q: 1e-320}",
    "median: {of: events.value}",
    "median: {of: tickets, from: opened, to: closed}",
    "percentile: {of: tickets, from: opened, to: closed}",
    "percentile: {of: tickets, from: opened, to: closed, q: 0.9, unit: days}",
    "average: {of: tickets, from: opened, to: opened}",
    "average: {of: tickets, from: opened}",
    "average: {of: tickets.opened, from: opened, to: closed}",
    "average: {of: tickets, from: opened, to: closed, q: 0.9}",
    "sum: {of: tickets, from: 3, to: closed, unit: weeks}",
    "min: {of: tickets, from: priority, to: status}",
    "max: {of: tickets, from: '', to: closd, unit: minutes}",
    "distinct: {of: tickets, from: opened, to: closed}",
    "median: events",
    "days_to_first: events, window: 28d",
    "days_to_first: events, window: month",
    "days_to_first: events, window: contract",
    "days_to_first: {of: events}",
    "streak: {of: events, run: shortest}",
    "streak: {of: events, run: }",
    "streak: {of: events, every: month}",
    "streak: {of: events, grace: true}",
    "streak: {of: events, run: current, grace: 1}",
    "streak: {run: current}",
    "streak: {of: events.value}",
    "streak: {of: events, run: current, every: week, grace: true}",
    "streak: {of: {of: events}}",
    "time_between: {of: events, as: mode}",
    "time_between: {of: events, as: median}",
    "time_between: {as: median}",
    "time_between: {of: }",
    "funnel: {of: events}",
    "funnel: {of: events, steps: []}",
    "funnel: {of: events, steps: [{event: a}]}",
    "funnel: {of: events, steps: {event: a}}",
    "funnel: {of: events, steps: [a, b]}",
    "funnel: {of: events, steps: [{event: a}, {}]}",
    "funnel: {of: events, steps: [{event: a}, null]}",
    "funnel: {of: events, steps: [{event: a}, {event: b}], within: -1}",
    "funnel: {of: events, steps: [{event: a}, {event: b}], within: 0}",
    "funnel: {of: events, steps: [{event: a}, {event: b}], within: 36601}",
    "funnel: {of: events, steps: [{event: a}, {event: b}], within: 1mo}",
    "funnel: {of: events, steps: [{event: a}, {event: b}], as: share}",
    "funnel: {of: events, steps: [{event: a}, {event: b}], as: days}",
    f"funnel: {{of: events, steps: [{', '.join(['{event: a}'] * 20)}]}}",
    f"funnel: {{of: events, steps: [{', '.join(['{event: a}'] * 21)}]}}",
    "funnel: {of: accounts, steps: [{event: a}, {event: b}]}",
    "funnel: {of: events, steps: [{event: a}, {evnt: b}]}",
)
SPLITS = (
    "",
    "event",
    "[]",
    "{}",
    "{column: event}",
    "{values: [a]}",
    "{column: event, values: []}",
    "{column: event, values: {}}",
    "{column: event, values: a}",
    "{column: event, values: [a, A]}",
    "{column: event, values: ['!']}",
    "{column: event, values: ['', b]}",
    "{column: event, values: [a, 1]}",
    "{column: event, values: [a, 1], other: true}",
    "{column: event, values: [a], other: 1}",
    "{column: event, values: [other], other: true}",
    "{column: event, values: {rest: other}, other: true}",
    "{column: '', values: [a]}",
    "{column: [event], values: [a]}",
    "{column: event, values: {A: a}}",
    "{column: event, values: {a_: a}}",
    "{column: event, values: {a: }}",
    "{column: event, values: {a: [b, c], d: e}}",
    "{column: event, values: [null]}",
    "{column: event, values: [[a]]}",
    "{column: event, values: [a], others: true}",
    "{column: event, values: [{day: 2026-01-31}]}",
    "{column: evnt, values: [a, b]}",
    "{column: event, values: [été, ключ]}",
    f"{{column: event, values: [{'a' * 70}]}}",
    f"{{column: event, values: [{', '.join(f'v{i}' for i in range(100))}]}}",
    f"{{column: event, values: [{', '.join(f'v{i}' for i in range(101))}]}}",
)
BY_MANY = f"{{column: event, values: [{', '.join(f'v{i}' for i in range(100))}]}}"
TABLES = (
    "event", "EVENTS", "events ", " events", "events;", "events.", ".events", "events.value.x", "accounts", "contacts", "rates",
    "information_schema.tables", "events_versions", "'events--'", "\u0435vents", "events\u200b", "read_csv('/etc/passwd')", "(select 1)",
    "'\"events\"'", "main.events", "null", "3", "[events]", "''",
)  # fmt: skip
FILES = (
    "a", "3", "[]", "- a", "null", "true", "metrics", "metrics: 3", "metrics: x", "metrics: []", "metrics: [a]", "metric: {}",
    "Metrics: {}", "metrics: {a: }", "metrics: {a: 3}", "metrics: {a: []}", "metrics: {a: {}}", "metrics: {a: x}", "sources: 3",
    "sources: []", "sources: {events: }", "sources: {events: 3}", "sources: {events: {covers: }}", "sources: {events: {covers: all}}",
    "sources: {events: {silent_days: 0}}", "sources: {events: {silent_days: -1}}", "sources: {events: {silent_days: 1.5}}",
    "sources: {events: {silent_days: true}}", "sources: {events: {silent_days: 99999999}}", "sources: {events: {silent: 3}}",
    "sources: {accounts: {}}", "sources: {'; drop': {}}", "metrics: {}\nmetrics: {}", "metrics: {a: {value: 1}, a: {value: 2}}",
    "--- \n--- \n", "%YAML 1.2\n---\n", "!x {}", "metrics: !!python/object {}", "metrics: *a", "metrics: &a {b: *a}", "metrics: {[a]: 1}",
    "metrics: {? {a: 1} : 1}", "metrics:\n\ta: 1", "metrics: {", "metrics: 'x", "\x00", "metrics: \"\\ud800\"",
    "metrics: {a: {description: \"\\x00\", value: 1}}", "{metrics: {}, metrics: {}}", "? metrics\n: {}",
    "metrics:\n  a: &x {description: d, ratio: [*x, 1]}", "{" * 40, "[" * 500, "a: " * 100, "\U000e0001",
    "metrics:\n" + " " * 2_000 + "a: 1",
)  # fmt: skip


def _file(entry: str, id: str = "m") -> str:
    return f"metrics:\n{GOOD}  {json.dumps(id)}: {{description: x, {entry}}}\n"


def _families() -> Iterator[tuple[str, str]]:
    yield from ((f"file {text[:30]!r}", text) for text in FILES)
    yield from ((f"id {id[:30]!r}", _file("value: 1", id)) for id in IDS)
    yield from ((f"reference to {id[:30]!r}", _file(f"ratio: [{json.dumps(id)}, 1]")) for id in IDS)
    yield from ((f"{kind}: {json.dumps(value)}", _file(f"{kind}: {json.dumps(value)}")) for kind in KINDS for value in WRONG)
    yield from (
        (f"{name}: {json.dumps(value)}", _file(f"value: 1, {name}: {json.dumps(value)}")) for name in METRIC_FIELDS for value in WRONG
    )
    for kind, words in PART_FIELDS.items():
        for word in words:
            made = {"of": "good", "by": 1, "days": 7, "steps": 3, "every": 7, "where": {"event": "a"}, "when": {"good": 1}, "then": 1}
            parts = {name: made[name] for name in words if name in made}
            for value in WRONG:
                inner = json.dumps({**parts, word: value})
                yield f"{kind}.{word}: {json.dumps(value)}", _file(f"{kind}: {f'[{inner}]' if kind == 'case' else inner}")
    yield from ((f"value {number[:30]}", _file(f"value: {number}")) for number in NUMBERS)
    yield from ((f"days {number[:30]}", _file(f"before: {{of: good, days: {number}}}")) for number in NUMBERS)
    yield from ((f"steps {number[:30]}", _file(f"trend: {{of: good, steps: {number}, every: 7}}")) for number in NUMBERS)
    yield from ((f"window {window}", _file(f"count: events, window: {window}")) for window in WINDOWS)
    yield from ((f"where {where}", _file(f"count: events, where: {where}")) for where in CONDITIONS)
    yield from ((f"share where {where}", _file(f"share: {{of: {{count: events}}, where: {where}}}")) for where in CONDITIONS)
    yield from ((f"series {series}", _file(f"subtract: [good, {series}]")) for series in SERIES)
    yield from ((f"{kind} {table}", _file(f"{kind}: {table}")) for table in TABLES for kind in ("count", "sum", "open"))
    yield from ((f"options {options}", _file(options)) for options in OPTIONS)
    yield from ((f"by {split}", _file(f"count: events, by: {split}")) for split in SPLITS)
    yield from (
        (f"{kind} by", _file(f"{kind}, by: {{column: event, values: [a]}}")) for kind in ("ratio: [good, 1]", "value: 1", "arr: true")
    )
    yield "by many", "metrics:\n" + "".join(f"  m{i}: {{description: x, count: events, by: &b {BY_MANY}}}\n" for i in range(21))
    yield from _hostile()
    yield from _shapes()


def _hostile() -> Iterator[tuple[str, str]]:
    """Hostile texts as values, which are right, and as what they cannot be."""
    for text in HOSTILE_TEXTS:
        told, said = text[:20], json.dumps(text)
        yield f"event {told!r}", _file(f"count: events, where: {{event: {{is: [{said}]}}}}")
        yield f"name {told!r}", _file(f"value: 1, name: {said}, owner: {said}")
        yield f"column {told!r}", _file(f"count: events, where: {{column: {said}, is: 1}}")
        yield f"sum of {told!r}", _file(f"sum: {json.dumps('events.' + text)}")
        yield f"attribute {told!r}", _file(f"attribute: {said}")


def _shapes() -> Iterator[tuple[str, str]]:
    """Cycles, depth, width and what aliases repeat."""
    for n in (1, 2, 3, 10, 100, 1_000):
        ring = "".join(f"  m{i}: {{description: x, ratio: [m{(i + 1) % n}, 1]}}\n" for i in range(n))
        yield f"a ring of {n}", f"metrics:\n{ring}"
    for n in (5, 10, 11, 12, 40, 500):
        chain = "".join(f"  m{i}: {{description: x, add: [m{i - 1}, m{i - 1}]}}\n" for i in range(1, n))
        yield f"a chain of {n} that doubles", f"metrics:\n  m0: {{description: x, count: events}}\n{chain}"
    for n in (2, 5, 8, 12, 13, 14, 15, 20, 400):
        yield f"{n} changes of each other", _file(f"add: [{'{add: [1, ' * n}good{']}' * n}, 1]")
        yield f"{n} conditions in each other", _file(f"count: events, where: {'{not: ' * n}{{event: a}}{'}' * n}")
        yield f"{n} lists in each other", _file(f"count: events, where: {'{all: [' * n}{{event: a}}{']}' * n}")
        yield f"{n} lists of values in each other", _file(f"count: events, where: {{event: {'[' * n}a{']' * n}}}")
    for n in (1, 2, 100, 101, 5_000):
        yield f"a sum of {n}", _file(f"add: [{', '.join(['good'] * n)}]")
        yield f"{n} cases", _file(f"case: [{', '.join(['{when: {good: 1}, then: 1}'] * n)}]")
        yield f"{n} values", _file(f"count: events, where: {{event: [{', '.join(f'e{i}' for i in range(n))}]}}")
        yield f"{n} unknown names", _file(f"add: [{', '.join(f'god{i}' for i in range(n))}]")
    bomb = "\n".join(f"  b{i}: &b{i} {{description: x, add: [*b{i - 1}, *b{i - 1}]}}" for i in range(1, 30))
    yield "a bomb of aliases", f"metrics:\n  b0: &b0 {{description: x, count: events}}\n{bomb}\n"
    lol = "\n".join(f"  l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 10))
    yield "a laugh of aliases", f"metrics:\n  l0: &l0 [x, x]\n{lol}\n"
    yield (
        "an alias that is right",
        "metrics:\n  a: {description: x, count: events, where: &w {event: a}}\n  b: {description: x, count: tickets, where: *w}\n",
    )
    yield "2,001 metrics", "metrics:\n" + "".join(f"  m{i}: {{description: '', value: 1}}\n" for i in range(2_001))
    yield "too long", "metrics: {}\n#" + "x" * 1_000_001


CASES: dict[str, str] = {text: what for what, text in _families()}
