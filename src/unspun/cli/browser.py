"""Opening a page that was written, where there is somebody to see it."""

from __future__ import annotations

import os
import socket
import sys
import time
import webbrowser
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

WAIT_SECONDS, PAUSE_SECONDS = 20.0, 0.1


def open_page(path: Path) -> bool:
    """Open a file in the browser. False where there is none: in CI, without a display, or when the system refuses."""
    if not _has_display():
        return False
    try:
        return webbrowser.get().open(path.resolve().as_uri())
    except (webbrowser.Error, OSError):
        return False


def open_address_when_up(address: str) -> bool:
    """Open an address in the browser once something listens there, within WAIT_SECONDS. False as `open_page`."""
    parts = urlsplit(address)
    until = time.monotonic() + WAIT_SECONDS
    while _has_display() and time.monotonic() < until:
        try:
            socket.create_connection((parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)), timeout=1).close()
            return webbrowser.get().open(address)
        except webbrowser.Error:
            return False
        except OSError:
            time.sleep(PAUSE_SECONDS)
    return False


def open_soon(address: str) -> None:
    """Open the browser as soon as the server answers, without waiting for it."""
    Thread(target=open_address_when_up, args=(address,), daemon=True).start()


def _has_display() -> bool:
    if os.environ.get("CI"):
        return False
    graphical = sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return graphical or bool(os.environ.get("BROWSER"))
