"""Which files make up the project."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

MADE_HERE = {".venv", ".tools", "demo", "dist", "__pycache__"}


@pytest.fixture(scope="session")
def project_files(root: Path) -> tuple[Path, ...]:
    """Every file that is committed or would be; in a tree without git, every file that was not made by make or a cache."""
    if (root / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
        names = [Path(name) for name in listed.split("\0") if name]
    else:
        names = [path.relative_to(root) for path in root.rglob("*")]
    return tuple(sorted(root / name for name in names if (root / name).is_file() and not is_made_here(name)))


def is_made_here(name: Path) -> bool:
    folders = name.parts[:-1]
    return any(folder in MADE_HERE or folder.endswith(("_cache", ".egg-info")) or folder == ".hypothesis" for folder in folders)
