"""Each guide under docs/how-to/ is followed, word for word, in a copy of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from ingestion.adapters import HOUSEHOLDS_VARIABLE
from shops import PROJECT_ROOT
from tests.conftest import SMALL_HOUSEHOLDS
from tests.integration.how_to import Block, commands, edit, follow, missing_line

GUIDES = PROJECT_ROOT / "docs" / "how-to"


@pytest.fixture
def project(good_shop: Path, tmp_path: Path) -> Path:
    """A copy of the project, as committed in a repository of its own, whose small demo shop ran once."""
    copy = tmp_path / "project"
    listed = _git(PROJECT_ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in filter(None, listed):
        source, target = PROJECT_ROOT / name, copy / name
        # A file that is deleted, but not committed yet, is still listed.
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    # `make` would install what is newer than the environment; the copy shares that of the project.
    os.utime(copy / "requirements.lock", (0, 0))
    _git(copy, "init", "--quiet")
    # The link stands beside the folder that .gitignore names.
    (copy / ".git" / "info" / "exclude").write_text("/.venv\n")
    _git(copy, "add", "--all")
    _git(copy, "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message", "as it is")
    (copy / ".venv").symlink_to(PROJECT_ROOT / ".venv")
    shutil.copytree(good_shop, copy / "data", symlinks=True)
    return copy


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def _follow(guide: str, project: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MAKE"))}
    follow(GUIDES / guide, project, {**environment, HOUSEHOLDS_VARIABLE: SMALL_HOUSEHOLDS})
    left = _git(project, "status", "--porcelain", "--untracked-files=all")
    assert left == "", f"{guide}: what the guide undoes at its end is still there:\n{left}"


def _published(project: Path, query: str, shop: str = "demo") -> list[tuple[object, ...]]:
    with duckdb.connect(str(project / "data" / shop / "published" / "current" / "audience.duckdb")) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("name", ["add-a-source", "add-a-feature", "add-a-segment", "add-a-model"])
def test_following_the_guide_works(name: str, project: Path) -> None:
    _follow(f"{name}.md", project)
