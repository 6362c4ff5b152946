"""Bands such as red/yellow/green or A-F: which words are bands, and their order from worst to best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.book.band_words import COLOUR_WORDS, COLOURS, MIDDLE, split_signs
from unspun.book.tables import Floats
from unspun.book.text import Complaint, Words, fold, quoted, squash

# Each scale runs from worst to best; words of one step mean the same, and a file uses one of them
SCALES: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("red", "r"), ("amber", "a", "yellow", "y"), ("green", "g")),
    (("red",), ("orange",), ("yellow", "amber"), ("green",)),
    tuple((f"{letter}{sign}",) for letter in "fedcba" for sign in ("-", "", "+")),
    (
        ("critical", "churning", "danger"),
        ("at risk", "atrisk", "risk", "risky", "unhealthy"),
        ("needs attention", "neutral", "watch", "monitor", "caution", "concern", "warning", "average", "ok"),
        ("healthy", "good", "safe", "on track", "stable"),
        ("very healthy", "excellent", "thriving", "champion"),
    ),
    (
        ("very poor", "terrible"),
        ("poor", "bad"),
        ("fair", "average", "ok", "okay", "medium", "neutral", "moderate"),
        ("good",),
        ("very good", "great"),
        ("excellent",),
    ),
    (("thumbs down",), ("thumbs up",)),
    (("cross",), ("warning sign",), ("check mark",)),
    (("angry face",), ("sad face",), ("neutral face",), ("glad face",), ("laughing face",)),
    (("very low",), ("low", "l"), ("medium", "moderate", "mid", "average", "m"), ("high", "h"), ("very high",)),
)
SPELLINGS = {"r": "red", "a": "amber", "y": "yellow", "g": "green", "l": "low", "m": "medium", "h": "high", "atrisk": "at risk"}
UNSCORED = frozenset({"unknown", "unscored", "not scored", "no score", "no data", "not set", "not applicable", "grey", "gray"})
BAND_WORDS = frozenset(word for scale in SCALES for step in scale for word in step) | UNSCORED


@dataclass(frozen=True, slots=True)
class Ranks:
    """One rank a word (NaN where the word says there is no band), 0 the worst, and the ranks' names as the file spells them."""

    ranks: Floats
    names: tuple[str, ...]


def rank_bands(words: Words, column: str, declared: tuple[str, ...] = ()) -> Ranks | Complaint:
    """Order the words of a column from worst to best: by the declared order, else by a scale that everyone knows."""
    spelled = {i: band_key(words.words[i].as_py()) for i in np.flatnonzero(words.counts() > 0).tolist()}
    ordered = {band_key(band): step for step, band in reversed(list(enumerate(declared)))}
    if declared and set(spelled.values()) <= ordered.keys() | UNSCORED:
        ranks = {i: ordered[key] for i, key in spelled.items() if key in ordered}
        return Ranks(_rank_array(len(words.words), ranks), declared)
    scored = {i: key for i, key in spelled.items() if key not in UNSCORED}
    steps = known_scale(set(scored.values()))
    if steps is None:
        return _unknown(words, scored, declared)
    if speaks_of_risk(column):
        message = "the column speaks of risk, so that its bands may run from good to bad."
        return Complaint("unknown_bands", message, _hint(words, scored), words.first_row(next(iter(scored))))
    return _ranked(words, scored, steps)


def band_key(word: str) -> str:
    """What a band's word says: case and punctuation aside (except the + and - of grades), colours in English, signs by name.

    Beside a sign the text counts where it is a band's; where both name a colour and not the same, it is nobody's band. What
    follows a colour ("Green - healthy", "Red (12)") is left out.
    """
    text, signs = split_signs(word)
    key = _text_key(text)
    if not signs or (key in BAND_WORDS and not (key in COLOURS and signs & COLOURS)):
        return key
    if len(signs) > 1:
        return word.strip()
    (sign,) = signs
    if key in COLOURS:
        return key if key == sign or {key, sign} <= MIDDLE else word.strip()
    return sign


def _text_key(text: str) -> str:
    bare = text.strip().casefold()
    key = bare if len(bare) <= 2 else fold(bare)
    key = COLOUR_WORDS.get(key, key)
    if key in BAND_WORDS:
        return key
    colour, *rest = (COLOUR_WORDS.get(part, part) for part in key.split() or [key])
    return colour if colour in COLOURS and not COLOURS & set(rest) else key


def known_scale(keys: set[str]) -> dict[str, int] | None:
    """The step of each word on the first scale that has them all, each step under one name; None where there is none."""
    for scale in SCALES:
        steps = {key: step for step, names in enumerate(scale) for key in names}
        if keys and keys <= steps.keys():
            names = {(steps[key], SPELLINGS.get(key, key)) for key in keys}
            if len(names) == len({step for step, _ in names}):
                return {key: steps[key] for key in keys}
    return None


def speaks_of_risk(column: str) -> bool:
    return any(word in squash(column) for word in ("risk", "churn", "attrition"))


def _ranked(words: Words, scored: dict[int, str], steps: dict[str, int]) -> Ranks:
    """Only the steps that occur count, so that ranks run from 0 without a gap."""
    present = sorted(set(steps.values()))
    rank = {step: n for n, step in enumerate(present)}
    names: dict[int, str] = {}
    for i, key in scored.items():
        names.setdefault(rank[steps[key]], words.words[i].as_py())
    ranks = {i: rank[steps[key]] for i, key in scored.items()}
    return Ranks(_rank_array(len(words.words), ranks), tuple(names[n] for n in range(len(present))))


def _rank_array(n: int, ranks: dict[int, int]) -> Floats:
    array = np.full(n, np.nan)
    for i, rank in ranks.items():
        array[i] = rank
    return array


def _unknown(words: Words, scored: dict[int, str], declared: tuple[str, ...]) -> Complaint:
    known = {band_key(band) for band in declared}
    strange = {i: key for i, key in scored.items() if key not in known} or scored
    listed = quoted([words.words[i].as_py() for i in strange])
    message = f"{listed} {'are' if len(strange) > 1 else 'is'} neither a number nor a band whose order is known."
    return Complaint("unknown_bands", message, _hint(words, scored), words.first_row(next(iter(strange))))


def _hint(words: Words, scored: dict[int, str]) -> str:
    example = ",".join(words.words[i].as_py() for i in list(scored)[:6])
    return f"Give their order from worst to best, such as --bands '{example}' (put in the right order)."
