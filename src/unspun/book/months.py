"""Month and weekday names in the languages that exports are written in: English, German, French, Spanish, Portuguese, Italian, Dutch."""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_NAMES = (  # without accents; what English and others share stands once
    "january jan januar jaenner janner janvier janv enero ene janeiro gennaio gen januari",
    "february feb februar fevrier fevr fev febrero fevereiro febbraio februari",
    "march mar marz maerz mrz mars marzo marco maart mrt",
    "april apr avril avr abril abr aprile",
    "may mai mayo maio maggio mag mei",
    "june jun juni juin junio junho giugno giu",
    "july jul juli juillet juil julio julho luglio lug",
    "august aug aout agosto ago augustus",
    "september sep sept septembre septiembre setiembre setembro set settembre",
    "october oct oktober okt octobre octubre outubro out ottobre ott",
    "november nov novembre noviembre novembro",
    "december dec dezember dez decembre diciembre dic dezembro dicembre",
)
MONTH_WORDS = {word: number for number, words in enumerate(_NAMES, 1) for word in words.split()}
WEEKDAYS = (
    "(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|lundi|mardi|mercredi|"
    "jeudi|vendredi|samedi|dimanche|lunes|martes|mi(?:e|\u00e9)rcoles|jueves|viernes|s(?:a|\u00e1)bado|domingo|segunda(?:-feira)?|"
    "ter(?:c|\u00e7)a(?:-feira)?|quarta(?:-feira)?|quinta(?:-feira)?|sexta(?:-feira)?|luned(?:i|\u00ec)|marted(?:i|\u00ec)|"
    "mercoled(?:i|\u00ec)|gioved(?:i|\u00ec)|venerd(?:i|\u00ec)|sabato|domenica|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag"
)


def month_numbers(names: pa.Array) -> NDArray[np.int64]:
    """1 to 12 for each name, 0 where it is no month's."""
    distinct = names.dictionary_encode()
    known = np.array([MONTH_WORDS.get(_bare(name), 0) for name in distinct.dictionary.to_pylist()], np.int64)
    return known[distinct.indices.to_numpy(zero_copy_only=False)] if len(known) else np.zeros(0, np.int64)


def _bare(name: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", name.casefold()) if not unicodedata.combining(char))
