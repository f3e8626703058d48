"""One line a stage while a run goes on: to Dagster's log, and to the terminal when a command asked for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import dagster as dg

logger = logging.getLogger("audience.progress")


class StageClock:
    """Measures a stage and says what it did."""

    def __init__(self, context: dg.AssetExecutionContext, stage: str) -> None:
        self._context = context
        self._stage = stage
        self._started = time.perf_counter()

    def done(self, text: str) -> None:
        """Say one line: the stage, what it did, and the seconds since the clock was made."""
        self.note(f"{text} ({time.perf_counter() - self._started:.1f} s)")

    def note(self, text: str) -> None:
        """Say one line of the stage."""
        line = f"{self._stage:<9} {text}"
        self._context.log.info(line)
        logger.info(line)


def print_progress(write: Callable[[str], None]) -> None:
    """Send the lines of this process to `write`."""

    class _Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            write(record.getMessage())

    logger.handlers = [_Handler()]
    logger.propagate = False
    logger.setLevel(logging.INFO)
