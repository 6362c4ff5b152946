"""Opening a page that was written, where there is somebody to see it."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path


def open_page(path: Path) -> bool:
    """Open a file in the browser. False where there is none: in CI, without a display, or when the system refuses."""
    if not _has_display():
        return False
    try:
        return webbrowser.get().open(path.resolve().as_uri())
    except (webbrowser.Error, OSError):
        return False


def _has_display() -> bool:
    if os.environ.get("CI"):
        return False
    graphical = sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return graphical or bool(os.environ.get("BROWSER"))
