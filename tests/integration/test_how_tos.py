"""Each guide under docs/how-to/ is followed, word for word, in a copy of the project."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from ingestion.adapters import HOUSEHOLDS_VARIABLE
from shops import PROJECT_ROOT
from tests.conftest import SMALL_HOUSEHOLDS
from tests.integration.how_to import follow
from tests.integration.project_copy import copy_project, git

GUIDES = PROJECT_ROOT / "docs" / "how-to"


@pytest.fixture
def project(good_shop: Path, tmp_path: Path) -> Path:
    """A copy of the project, as committed in a repository of its own, whose small demo shop ran once."""
    copy = copy_project(tmp_path / "project")
    shutil.copytree(good_shop, copy / "data", symlinks=True)
    return copy


def _follow(guide: str, project: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MAKE"))}
    follow(GUIDES / guide, project, {**environment, HOUSEHOLDS_VARIABLE: SMALL_HOUSEHOLDS})
    left = git(project, "status", "--porcelain", "--untracked-files=all")
    assert left == "", f"{guide}: what the guide undoes at its end is still there:\n{left}"


def _guides() -> list[ParameterSet]:
    """All of them."""
    names = sorted(path.name for path in GUIDES.glob("*.md"))
    return [pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("guide", _guides())
def test_following_the_guide_works(guide: str, project: Path) -> None:
    _follow(guide, project)


def test_there_is_a_guide_for_each_thing_to_add() -> None:
    there = {path.name for path in GUIDES.glob("*.md")}
    assert {"add-a-source.md", "add-a-feature.md", "add-a-segment.md", "add-a-model.md"} <= there
    assert {"bring-your-own-shop.md", "connect-a-bi-tool.md"} <= there


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("```console\n$ echo one\ntwo\n```", "did not print"),
        ("```console\n$ false\n```", "ended with 1"),
        ('```diff title="there.txt"\n-other\n+new\n```', "stand 0 times"),
        ("```console\n$ echo one", "has no end"),
    ],
    ids=["wrong output", "failing command", "edit of what is not there", "open block"],
)
def test_a_wrong_guide_is_found_out(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "guide.md").write_text(text)
    (tmp_path / "there.txt").write_text("old\n")
    with pytest.raises(AssertionError, match=reason):
        follow(tmp_path / "guide.md", tmp_path, os.environ)


def test_a_guide_is_followed_word_for_word(tmp_path: Path) -> None:
    (tmp_path / "guide.md").write_text(
        '```text title="new/file.txt"\nfirst\n\nlast\n```\n\n'
        '1. edit:\n   ```diff title="new/file.txt"\n    first\n\n   -last\n   +changed\n   ```\n'
        "```console\n$ cat \\\n  new/file.txt; echo 12,345.6 rows in    3 s\nfirst\nch…ed\n9 rows in 4 s\n```\n"
    )
    follow(tmp_path / "guide.md", tmp_path, os.environ)
    assert (tmp_path / "new" / "file.txt").read_text() == "first\n\nchanged\n"
