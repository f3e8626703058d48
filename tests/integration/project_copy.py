"""A copy of the project, as committed in a repository of its own, to follow guides and to own shops in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from shops import PROJECT_ROOT


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def copy_project(copy: Path) -> Path:
    """Copy what is, or could be, committed to `copy`; the environment `.venv` is shared."""
    listed = git(PROJECT_ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in filter(None, listed):
        source, target = PROJECT_ROOT / name, copy / name
        # A file that is deleted, but not committed yet, is still listed.
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    # `make` would install what is newer than the environment; the copy shares that of the project.
    os.utime(copy / "requirements.lock", (0, 0))
    git(copy, "init", "--quiet")
    # The link stands beside the folder that .gitignore names.
    (copy / ".git" / "info" / "exclude").write_text("/.venv\n")
    git(copy, "add", "--all")
    git(copy, "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message", "as it is")
    (copy / ".venv").symlink_to(PROJECT_ROOT / ".venv")
    return copy
