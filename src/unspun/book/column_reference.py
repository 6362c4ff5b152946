"""The reference of column names, printed from the tables that the reading uses (docs/reference/columns.md)."""

from __future__ import annotations

from unspun.book.band_words import SIGNS
from unspun.book.bands import SCALES, UNSCORED
from unspun.book.outcomes import MEANINGS
from unspun.book.roles import REQUIRED, ROLES, Tiers
from unspun.book.scores import USUAL_NAMES
from unspun.book.tables import OUTCOMES, Role
from unspun.book.vendors import EXPORTS, Export

INTRODUCTION = """# Column names

Generated from the tables that the reading uses; a test keeps this page equal to them.

Case, spaces, punctuation and Salesforce's `__c` do not count: `Account ID`, `account_id` and `AccountId__c` are one name.
Names of one line are equally good, and a file with two of them is asked about (`--map`). A later line is used only where the
earlier ones find nothing. `--map ROLE="COLUMN"` names a column for every file, `--map FILE.ROLE="COLUMN"` for one, and
`--map FILE.ROLE=-` says that an optional role has none.
"""
FILES: dict[Role, str] = {
    "scores": "Scores",
    "renewals": "Renewals",
    "subscriptions": "Subscriptions",
    "purchases": "Purchases",
    "accounts": "Accounts",
    "events": "Events",
    "forecasts": "Forecasts",
}


def column_reference() -> str:
    """The page as Markdown."""
    parts = [INTRODUCTION, *(_file(role) for role in FILES), _exports(), _outcomes(), _bands()]
    return "\n".join(parts)


def _file(role: Role) -> str:
    lines = [f"## {FILES[role]}", "", "| Role | Names |", "|---|---|"]
    lines += [f"| {name}{' (required)' if name in REQUIRED[role] else ''} | {_tiers(tiers)} |" for name, tiers in ROLES[role].items()]
    if role == "scores":
        usual = ", ".join(f"`{name.strip()}`" for name in USUAL_NAMES.split(","))
        lines += [
            "",
            f"A column is a score by one of these names: {usual}; by a name that ends in `score`, has `health` in it or starts with",
        ]
        lines += ["`csat` or `nps` (not `previous` or `prior`) where it holds numbers or bands; else by what it holds."]
    return "\n".join([*lines, ""])


def _tiers(tiers: Tiers) -> str:
    return "<br>".join(", ".join(f"`{name}`" for name in tier) for tier in tiers)


def _exports() -> str:
    lines = ["## Exports of products", "", "A file with all the names that tell an export is read as one, which its notes say.", ""]
    lines += ["| Export | File | Told by | Read as | Where nothing else is found |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(_export(export) for export in EXPORTS), ""])


def _export(export: Export) -> str:
    read, otherwise = (
        "<br>".join(f"{role}: {', '.join(f'`{name}`' for name in names.split(', '))}" for role, names in listed.items())
        for listed in (export.columns, export.otherwise)
    )
    told = ", ".join(f"`{name}`" for name in export.signature.split(", "))
    return f"| {export.product} | {export.role} | {told} | {read} | {otherwise} |"


def _outcomes() -> str:
    lines = [
        "## Words of an outcome",
        "",
        "`--outcome WORD=MEANING` adds to them and goes before them.",
        "",
        "| Meaning | Words |",
        "|---|---|",
    ]
    for code, words in MEANINGS.items():
        lines.append(f"| {OUTCOMES[code] if code >= 0 else 'undecided'} | {', '.join(f'`{word}`' for word in words.split(', '))} |")
    return "\n".join([*lines, ""])


def _bands() -> str:
    lines = ["## Bands", "", "Each scale from worst to best; words of one step mean the same. `--bands` gives another order.", ""]
    lines += [f"- {' < '.join(' = '.join(f'`{word}`' for word in step) for step in scale)}" for scale in SCALES]
    lines += ["", f"No band: {', '.join(f'`{word}`' for word in sorted(UNSCORED))}.", "", "| Sign | Read as |", "|---|---|"]
    names = dict.fromkeys(SIGNS.values())
    lines += [f"| {' '.join(char for char, sign in SIGNS.items() if sign == name)} | {name} |" for name in names]
    return "\n".join([*lines, ""])
