"""A process, told from every other one: its host, its number, and a mark of when it began, as numbers are used again."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BEGAN = 19  # its place among the fields of /proc/PID/stat after the name: field 22 of proc(5)


@dataclass(frozen=True, slots=True)
class Process:
    """`mark` is the boot of the machine and the instant in it when the process began; "" where the system does not say (no /proc)."""

    host: str
    pid: int
    mark: str

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this host."""
        return self.host == socket.gethostname()

    @property
    def is_running(self) -> bool:
        """Whether it runs on this host; one whose number another process has now does not."""
        if not self.is_here or self.pid <= 0:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return not _is_zombie(self.pid) and _mark(self.pid) == self.mark

    def kill(self) -> None:
        """End it at once. Where the system gives no mark a process might be another one by now, and is left alone."""
        if self.mark and self.is_running:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signal.SIGKILL)


def this_process() -> Process:
    """The process that asks."""
    return process_at(os.getpid())


def process_at(pid: int) -> Process:
    """The process of this host that has the number now."""
    return Process(socket.gethostname(), pid, _mark(pid))


def _fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which stands in brackets and may hold anything; none where there is no file."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return []


def _is_zombie(pid: int) -> bool:
    return _fields(pid)[:1] == ["Z"]


def _mark(pid: int) -> str:
    fields = _fields(pid)
    if len(fields) <= BEGAN:
        return ""
    with suppress(OSError):
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text(encoding='ascii').strip()} {fields[BEGAN]}"
    return ""
