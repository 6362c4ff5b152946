"""The words of scores.yml and what each means: what the reader takes, the schema offers and the reference page prints."""

from __future__ import annotations

import re

FILE_FIELDS = {"scores": "the health scores, each by its id: a to z, digits and single underscores, a letter first, 60 at most"}
SCORE_FIELDS = {
    "name": "how it is called in reports; its id where it is left out",
    "description": "what it is for, in words",
    "owner": "who answers for it",
    "digits": "decimals of the published score and of its contributions, 0 to 4; 1 where it is left out",
    "range": "the least and the greatest points, which are those of the score too; `[0, 100]` where it is left out",
    "groups": "groups of metrics that weigh something together, each by its name",
    "metrics": "the metrics, each by its id, where there are no groups",
    "bands": "names of parts of the range, each with the score from which on it holds, ascending; the first begins where the range does",
    "missing": "what is done where metrics have no value",
}
GROUP_FIELDS = {
    "weight": "what the group weighs beside the others; 1 where it is left out",
    "metrics": "its metrics, each by its id",
}
INPUT_FIELDS = {
    "weight": "what the metric weighs beside the others of its group; 1 where it is left out",
    "points": "the points of some values, ascending: straight lines between them, flat below the first and above the last",
    "steps": "the points from each value on, ascending; below the first value they are those of the first",
    "values": "the points of each text; `true` and `false` of a metric that is one or the other",
    "otherwise": "beside `values`: the points of every other text. Without it a metric with another text is missing",
}
SCALES = ("points", "steps", "values")
"""Of these a metric has exactly one."""
MISSING_FIELDS = {
    "least_weight": "the least share of the weight whose metrics must have a value, else there is no score; `50 %` where it is left out"
}
PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?%")
