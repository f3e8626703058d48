"""One writer at a time: an operating-system lock per shop, taken wherever the warehouse is opened for writing.

`flock` ends with its process, also after kill -9, so there is never a stale lock to remove. The file's text only tells
a waiting process who holds it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

WAIT_VARIABLE = "AUDIENCE_LOCK_WAIT_SECONDS"
DEFAULT_WAIT_SECONDS = 600.0
_POLL_SECONDS = 0.2

_held: dict[Path, TextIO] = {}


class WarehouseBusy(RuntimeError):
    """Another process writes this shop's warehouse and did not finish in time."""


def is_held_here(file: Path) -> bool:
    """Whether this process already holds the lock `file`."""
    return file.resolve() in _held


@contextmanager
def write_lock(file: Path, purpose: str, wait_seconds: float | None = None) -> Iterator[None]:
    """Hold the lock `file` for a while; within one process it can be taken again.

    Raises
    ------
    WarehouseBusy
        Someone else still holds it after `wait_seconds` (default: AUDIENCE_LOCK_WAIT_SECONDS, else ten minutes).
    """
    if is_held_here(file):
        yield
        return
    acquire(file, purpose, wait_seconds)
    try:
        yield
    finally:
        release(file)


def acquire(file: Path, purpose: str, wait_seconds: float | None = None) -> None:
    """Take the lock and keep it until `release` or the end of the process."""
    wait = float(os.environ.get(WAIT_VARIABLE, DEFAULT_WAIT_SECONDS)) if wait_seconds is None else wait_seconds
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = file.open("a+", encoding="utf-8")
    deadline = time.monotonic() + wait
    said = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            holder = _holder(file)
            if time.monotonic() >= deadline:
                handle.close()
                raise WarehouseBusy(
                    f"the warehouse is being written by {holder}. Next: wait for it to end and start again, or let "
                    f"this command wait longer with {WAIT_VARIABLE}=<seconds>."
                ) from None
            if not said:
                print(f"waiting: the warehouse is being written by {holder}", file=sys.stderr, flush=True)
                said = True
            time.sleep(_POLL_SECONDS)
    handle.seek(0)
    handle.truncate()
    handle.write(f"{purpose} (process {os.getpid()})")
    handle.flush()
    _held[file.resolve()] = handle


def release(file: Path) -> None:
    """Give the lock back."""
    handle = _held.pop(file.resolve())
    handle.seek(0)
    handle.truncate()
    fcntl.flock(handle, fcntl.LOCK_UN)
    handle.close()


def _holder(file: Path) -> str:
    return file.read_text(encoding="utf-8") or "another process"
