"""dlt as the house wants it: nothing in the home directory, no telemetry, names as the source has them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OPTIONS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",  # what goes wrong is raised, and said by us
    "SCHEMA__NAMING": "direct",  # a column is called in the mapping what the source calls it
    "LOAD__DELETE_COMPLETED_JOBS": "true",  # else every extraction lies there twice
}


@contextmanager
def dlt_environment(folder: Path | None = None) -> Iterator[None]:
    """The environment for calls of dlt; its own settings and data go to `folder`, and nothing of the user's is read."""
    home = str(folder or Path(tempfile.gettempdir()) / "no-dlt-settings")
    wanted = {**_OPTIONS, "DLT_DATA_DIR": home, "DLT_PROJECT_DIR": home}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
