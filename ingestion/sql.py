"""Names, texts and paths as they stand in SQL."""

from __future__ import annotations

import re
from pathlib import Path


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str | Path) -> str:
    """A text in SQL."""
    return "'" + str(text).replace("'", "''") + "'"


def files_in(folder: Path, pattern: str) -> str:
    """The files of `pattern` in `folder`, as a text in SQL; the folder's own name is no pattern."""
    without_pattern = re.sub(r"([*?[])", r"[\1]", str(folder))
    return literal(f"{without_pattern}/{pattern}")
