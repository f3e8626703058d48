"""One writer of a landing zone at a time: an operating-system lock, which ends with its process.

`orchestration.lock` guards the warehouse in the same way; this one guards the landing zone, which is also written by
whoever knows nothing of a warehouse.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import TextIO

WAIT_VARIABLE = "AUDIENCE_LOCK_WAIT_SECONDS"
DEFAULT_WAIT_SECONDS = 600.0
_POLL_SECONDS = 0.05


class LandingZoneBusy(RuntimeError):
    """Another process writes this landing zone and did not finish in time."""


def acquire(file: Path) -> TextIO:
    """Wait for the lock `file` and take it; closing the handle gives it back.

    Raises
    ------
    LandingZoneBusy
        Someone else still holds it after AUDIENCE_LOCK_WAIT_SECONDS (default: ten minutes).
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = file.open("a+", encoding="utf-8")
    deadline = time.monotonic() + float(os.environ.get(WAIT_VARIABLE, DEFAULT_WAIT_SECONDS))
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = file.read_text(encoding="utf-8") or "another process"
                handle.close()
                raise LandingZoneBusy(
                    f"{file.parent} is being written by {holder}. Next: wait for it to end and start again, or let "
                    f"this command wait longer with {WAIT_VARIABLE}=<seconds>."
                ) from None
            time.sleep(_POLL_SECONDS)
    # Only tells who waits; the lock is the operating system's.
    handle.truncate(0)
    handle.write(f"process {os.getpid()}")
    handle.flush()
    return handle
