"""All specs, in the order of the reference page."""

from tests.spec import (
    specs_conditions,
    specs_dates,
    specs_derived,
    specs_measures,
    specs_missing,
    specs_sequences,
    specs_standing,
    specs_windows,
)

CHAPTERS = (
    specs_measures.CHAPTER,
    specs_sequences.CHAPTER,
    specs_windows.CHAPTER,
    specs_conditions.CHAPTER,
    specs_standing.CHAPTER,
    specs_derived.CHAPTER,
    specs_dates.CHAPTER,
    specs_missing.CHAPTER,
)
