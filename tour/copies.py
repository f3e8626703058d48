"""A copy of what the demo made, for a scene to break."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestration.publishing import DATABASE_FILE
from orchestration.workspace import copy_warehouse
from shops import ShopFolders

# Tables in these folders are written once and replaced as a whole: a second name of one is as good as a copy and takes
# no room. What else is there, such as a lock, is the copy's own.
WRITTEN_ONCE = ("landing", "published")
TABLES = (".parquet", ".duckdb")


class NothingToShow(RuntimeError):
    """The demo has not been run."""


def refuse_without_result(folders: ShopFolders) -> None:
    """Raise NothingToShow unless the shop has a warehouse, and something is published."""
    if not folders.warehouse.exists() or not (folders.current / DATABASE_FILE).exists():
        raise NothingToShow(
            f"there is no result of the shop '{folders.shop}' in {folders.shown(folders.data_root)} yet, and the tour "
            f"shows one. Next: make demo (or make demo SMALL=1, and then make tour SMALL=1)."
        )


@contextmanager
def copy_of(folders: ShopFolders, parts: Sequence[str], is_kept: bool) -> Iterator[ShopFolders]:
    """A data root beside the shop's, with a copy of some `parts` of its folder; gone at the end unless it is kept.

    It lies on the disk where the shop's lies, so that copying can be sharing.
    """
    root = Path(tempfile.mkdtemp(prefix="tour-", dir=folders.data_root))
    copy = ShopFolders.of(folders.shop, root)
    try:
        copy.data.mkdir()
        for part in parts:
            source, target = folders.data / part, copy.data / part
            if source.is_file():
                copy_warehouse(source, target)
            elif source.is_dir():
                shutil.copytree(source, target, symlinks=True, copy_function=_copier(part))
        yield copy
    finally:
        if not is_kept:
            shutil.rmtree(root, ignore_errors=True)


def original_of(copy: ShopFolders) -> ShopFolders:
    """The shop's own folders, beside which the copy lies."""
    return ShopFolders.of(copy.shop, copy.data_root.parent)


def replace_file(file: Path, content: bytes) -> None:
    """Put `content` in the place of a file that may be shared with the original, which stays as it is."""
    beside = file.with_name(f".{file.name}.new")
    beside.write_bytes(content)
    beside.replace(file)


def _copier(part: str) -> Callable[[str, str], object]:
    return _second_name if part in WRITTEN_ONCE else shutil.copy2


def _second_name(source: str, target: str) -> None:
    """A copy keeps the time of a file, by which identity knows that the landing zone is the one it has read."""
    if source.endswith(TABLES):
        with suppress(OSError):  # A file system without hard links.
            os.link(source, target)
            return
    shutil.copy2(source, target)
