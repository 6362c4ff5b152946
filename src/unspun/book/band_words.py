"""Signs and colours that stand for bands: emoji by their name, and colour words of several languages in English."""

from __future__ import annotations

SIGNS = {
    char: name
    for name, chars in {
        "red": "\U0001f534\U0001f7e5\u2764\u2665",
        "orange": "\U0001f7e0\U0001f7e7\U0001f9e1",
        "yellow": "\U0001f7e1\U0001f7e8\U0001f49b",
        "green": "\U0001f7e2\U0001f7e9\U0001f49a",
        "thumbs down": "\U0001f44e",
        "thumbs up": "\U0001f44d",
        "cross": "\u274c\u2716\u2718\u26d4\U0001f6ab\U0001f6d1",
        "warning sign": "\u26a0",
        "check mark": "\u2705\u2714\u2713\u2611",
        "angry face": "\U0001f620\U0001f621\U0001f92c",
        "sad face": "\u2639\U0001f641\U0001f61e\U0001f61f\U0001f622",
        "neutral face": "\U0001f610\U0001f611\U0001f636",
        "glad face": "\u263a\U0001f642\U0001f60a\U0001f60c",
        "laughing face": "\U0001f600\U0001f603\U0001f604\U0001f601",
    }.items()
    for char in chars
}
UNSEEN = frozenset("\ufe0e\ufe0f\u200d\u200b") | {chr(tone) for tone in range(0x1F3FB, 0x1F400)}  # variation selectors, skin tones
COLOURS = frozenset({"red", "orange", "amber", "yellow", "green"})
MIDDLE = frozenset({"orange", "amber", "yellow"})  # one sign of the three stands beside the word of another
COLOUR_WORDS = {  # German, French, Spanish, Portuguese, Italian, Dutch; accents as they are written and without
    word: colour
    for colour, words in {
        "red": "rot rouge rojo vermelho rosso rood",
        "orange": "naranja laranja arancione oranje",
        "amber": "bernstein ambre \u00e1mbar ambar \u00e2mbar ambra",
        "yellow": "gelb jaune amarillo amarelo giallo geel",
        "green": "gr\u00fcn gruen grun vert verde groen",
        "grey": "grau gris cinza grigio grijs",
    }.items()
    for word in words.split()
}


def split_signs(word: str) -> tuple[str, frozenset[str]]:
    """The text of a cell, and the names of the signs in it."""
    seen = [char for char in word if char not in UNSEEN]
    return "".join(char for char in seen if char not in SIGNS), frozenset(SIGNS[char] for char in seen if char in SIGNS)
