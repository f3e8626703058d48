"""Commands measured from outside: seconds, peak memory, what they said; medians over rounds; the results file."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from shops import PROJECT_ROOT

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Measured:
    """One command: wall seconds, peak resident memory in MB, standard output."""

    seconds: float
    peak_memory_mb: float
    output: str


@dataclass(frozen=True)
class Row:
    """One line of a results file."""

    name: str
    ours_seconds: float
    goal: str
    rows: int | None = None
    peak_memory_mb: float | None = None
    peer: str | None = None
    peer_seconds: float | None = None
    ratio: float | None = None


def run_python(*arguments: str, environment: Mapping[str, str] | None = None) -> Measured:
    """Run `python <arguments>` in the project.

    Raises
    ------
    RuntimeError
        The command failed; with what it said.
    """
    return run([sys.executable, *arguments], environment)


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Run any command in the project, measured; raises RuntimeError when it fails."""
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=PROJECT_ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{output}")
    return Measured(seconds, _megabytes(usage), output)


class Stopwatch:
    """What `timed` gives: the measurement, once the block has ended."""

    def __init__(self) -> None:
        self._measured: Measured | None = None

    def result(self) -> Measured:
        assert self._measured is not None, "the block has not ended"
        return self._measured

    def stop(self, seconds: float) -> None:
        memory = _megabytes(resource.getrusage(resource.RUSAGE_SELF))
        self._measured = Measured(seconds, memory, "")


@contextmanager
def timed() -> Iterator[Stopwatch]:
    """Measure a block of this process."""
    stopwatch = Stopwatch()
    started = time.perf_counter()
    yield stopwatch
    stopwatch.stop(time.perf_counter() - started)


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / 1024


def median_seconds(measured: Sequence[Measured]) -> float:
    """Median wall seconds."""
    return round(statistics.median(one.seconds for one in measured), 2)


def peak_memory(measured: Sequence[Measured]) -> float:
    """Highest peak memory, MB."""
    return round(max(one.peak_memory_mb for one in measured), 0)


def write_results(name: str, rows: Sequence[Row]) -> Path:
    """Write `results/<name>.json` anew."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    return file
