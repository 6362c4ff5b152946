"""Texts that are data, and that a careless engine would take for something else: as event names in rows, and in filters on them."""

from __future__ import annotations

HOSTILE_TEXTS: tuple[str, ...] = (
    # quotes, and what ends a statement or begins a comment
    "'", "''", '"', '""', "`", "'login", "login'", "it's", "x' or '1'='1", "'; drop table events; --", '"; drop table events; --',
    "login; select 1", "login --", "-- login", "/* login", "login */", "# login", "');", "$$login$$", "$tag$x$tag$", "E'\\n'", "U&'\\0061'",
    # backslashes and escapes
    "\\", "\\\\", "\\'", "a\\nb", "a\\", "\\x41", "\\u0041",
    # what stands for something in formats, templates, patterns and parameters
    "%", "_", "lo_in", "lo%in", "log.n", "lo*", "^login$", "[a-z]", "?", "$1", ":name", "%s", "%(name)s", "{}", "{0}", "{event}",
    "{{ 7*7 }}", "${HOME}", "<script>alert(1)</script>", "=1+1", "@login", "&amp;",
    # words of SQL, of YAML and of Python
    "select", "null", "NULL", "None", "true", "false", "yes", "no", "~", "nan", "NaN", "inf", "-inf", "current_date",
    # what reads as a number, a day or another kind
    "0", "1", "01", "1e5", "0x1F", "-1", "1.0", "2026-01-31", "12:30", "1_000",
    # signs of YAML
    ": login", "login: x", "- login", "#login", "&a", "*a", "!tag", "[x]", "{x: 1}", "|", ">", "a, b", "? x", "---", "...",
    # white space, lines, control signs
    " ", " login", "login ", "log in", "log  in", "\tlogin", "log\nin", "log\r\nin", "\n", "\x01", "\x1b[31mlogin", "\x7f",
    "\x85", "\u2028",
    # one that looks like another: Cyrillic, full width, composed and not, other case, ligature
    "login", "l\u043egin", "\uff4cogin", "LOGIN", "Login", "caf\u00e9", "cafe\u0301", "stra\u00dfe", "STRASSE", "\ufb01le", "file",
    "\u0130", "\u0131",
    # invisible signs and turned text
    "log\u200bin", "\u200dlogin", "\ufefflogin", "\u202elogin", "log\u2066in\u2069", "\u05db\u05e0\u05d9\u05e1\u05d4",
    "\u0627\u0644\u062f\u062e\u0648\u0644 login",
    # other planes, long
    "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U00010000", "\uffff", "\U0010fffd", "a" * 3_000, "'" * 500,
)  # fmt: skip
"""No two are equal. None is empty, and none holds the character of code 0, which no cell holds."""
