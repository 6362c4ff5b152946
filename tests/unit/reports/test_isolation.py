"""Names from right to left are set apart where they stand in a template, and only there."""

from __future__ import annotations

import pytest
from jinja2 import Environment

from unspun.reports.isolation import Isolation

HEBREW = "שלום"


@pytest.mark.parametrize(
    ("source", "page"),
    [
        ("<p>{{ x }}</p>", f"<p><bdi>{HEBREW}</bdi></p>"),
        ("<a title=\"{{ x }}\" href='{{ x }}'>{{ x }}</a>", f"<a title=\"{HEBREW}\" href='{HEBREW}'><bdi>{HEBREW}</bdi></a>"),
        ("<textarea>{{ x }}</textarea>{{ x }}", f"<textarea>{HEBREW}</textarea><bdi>{HEBREW}</bdi>"),
        ("<script>{{ x }}</script>", f"<script>{HEBREW}</script>"),
        ("<title>{{ x }}</title>", f"<title>\u2068{HEBREW}\u2069</title>"),
        ("<option>{{ x }}</option><b>{{ x }}</b>", f"<option>\u2068{HEBREW}\u2069</option><b><bdi>{HEBREW}</bdi></b>"),
        ("{% block title %}{{ x }}{% endblock %}{{ x }}", f"\u2068{HEBREW}\u2069<bdi>{HEBREW}</bdi>"),
        ("<!-- <p> -->{{ 'a' if not x else x }}", f"<!-- <p> --><bdi>{HEBREW}</bdi>"),
    ],
)
def test_an_expression_is_set_apart_as_its_place_allows(source: str, page: str) -> None:
    assert Environment(autoescape=True, extensions=[Isolation]).from_string(source).render(x=HEBREW) == page


def test_signs_that_turn_writing_are_left_out_markup_stays_and_other_texts_are_as_they_were() -> None:
    template = Environment(autoescape=True, extensions=[Isolation]).from_string("<p>{{ x }}</p>")
    assert template.render(x="\u202ea<b>\u2069c") == "<p><bdi>a&lt;b&gt;c</bdi></p>"
    assert template.render(x="Société <5 €") == "<p>Société &lt;5 €</p>"
    assert template.render(x=12.5) == "<p>12.5</p>"
