"""A health score added to a scores.yml, whose other scores and comments stay as they are."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from unspun.book.mapping.yaml_insert import with_entry
from unspun.book.mapping.yaml_nodes import read_yaml
from unspun.errors import BadInput, Fault
from unspun.health.definition import HealthScore, ScoreSet
from unspun.health.read_file import read_scores
from unspun.health.write_yaml import as_yaml
from unspun.metrics.forms import printable

WIDE = 118


def with_score(text: str, score: HealthScore, comments: Sequence[str] = (), name: str = "scores.yml") -> str:
    """A scores.yml with one score more, below comments that say where it comes from; "" makes a new one.

    Raises BadInput: the score is declared already, the file has faults, or the score cannot be put into it so that all others stay.
    """
    before = read_scores(text, name).scores
    if any(one.id == score.id for one in before):
        message = f"there is a health score {printable(score.id)} already, and none is replaced."
        raise BadInput(Fault("score_exists", message, name, "Give another id, or take that score out first."))
    entry = "\n" + "".join(line + "\n" for comment in comments for line in _comment(comment)) + as_yaml(score)
    made = with_entry(text, read_yaml(text, name, plain_keys=True), "scores", entry)
    if read_scores(made, name).scores != ScoreSet((*before, score)):
        hint = "Print the score, and put it where it belongs."
        raise BadInput(Fault("unclear_place", "the score cannot be put behind the others by itself.", name, hint))
    return made


def _comment(text: str) -> list[str]:
    """A text as lines of a comment, whatever stands in it made printable."""
    shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
    return textwrap.wrap(shown, WIDE, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False)
