"""What pages draw besides figures: the logo and a few icons, as inline SVG (no request, takes the colour of its text)."""

from __future__ import annotations

from markupsafe import Markup

# 16 x 16, stroked with the colour of the text; drawn for the console.
ICONS = {
    "portfolio": '<path d="M2 4h12M2 8h12M2 12h7"/>',
    "forecast": '<path d="M2 12c4 0 5-7 12-8M2 12c4 0 6-1 12-1"/>',
    "performance": '<path d="M8 2v12M3 5h10M4.500 9.500h7"/><circle cx="6" cy="5" r="1.500"/><circle cx="10" cy="9.500" r="1.500"/>',
    "evidence": '<path d="M2 8h12M4 5v6M12 5v6"/><circle cx="8" cy="8" r="2"/>',
    "audit": '<circle cx="7" cy="7" r="4.500"/><path d="M10.500 10.500 14 14"/>',
    "definitions": '<path d="M4 2h8v12H4zM6 5h4M6 8h4"/>',
    "data": '<ellipse cx="8" cy="4" rx="5.500" ry="2"/><path d="M2.500 4v8c0 1.100 2.500 2 5.500 2s5.500-.9 5.500-2V4"/>',
    "ledger": '<path d="M6 5H4a3 3 0 0 0 0 6h2M10 5h2a3 3 0 0 1 0 6h-2M5.500 8h5"/>',
    "people": '<circle cx="8" cy="5.500" r="2.500"/><path d="M3 14c0-2.800 2.200-4.500 5-4.500s5 1.700 5 4.500"/>',
    "note": '<path d="M3 3h10v7l-3 3H3zM10 13v-3h3"/>',
    "ticket": '<path d="M2 5h12v2a1.500 1.500 0 0 0 0 3v2H2v-2a1.500 1.500 0 0 0 0-3z"/>',
    "survey": '<path d="M2 3h12v8H7l-3 3v-3H2z"/>',
    "touchpoint": '<path d="M2 4h12v8H2zM2 4.500l6 4.500 6-4.500"/>',
    "renewal": '<path d="M13 8a5 5 0 1 1-1.500-3.500M13 2v3h-3"/>',
    "event": '<path d="M2 12l4-5 3 3 5-6"/>',
    "outage": '<path d="M8 2 14 13H2zM8 6.500v3"/><circle cx="8" cy="11.200" r=".4"/>',
    "cannot": '<path d="M8 1.400 14.600 8 8 14.600 1.400 8zM8 5v3.500"/><circle cx="8" cy="10.800" r=".4"/>',
    "close": '<path d="M4 4l8 8M12 4l-8 8"/>',
}


def icon(name: str) -> Markup:
    """An icon beside its word; hidden from readers, as the word says it. Raises KeyError for one that does not exist."""
    return Markup(f'<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{ICONS[name]}</svg>')


def logo() -> Markup:
    """A dot and its interval."""
    path = '<path d="M2 2v10M24 2v10M2 7h22" stroke="currentColor" stroke-width="1.75" fill="none"/>'
    return Markup(
        f'<svg width="26" height="14" viewBox="0 0 26 14" aria-hidden="true">{path}<circle cx="11" cy="7" r="4" fill="currentColor"/></svg>'
    )
