"""The chain end to end: the demo shop after installation, and how much of it is fixed cost.

Fixed is what a run pays whatever the data: imports, dbt's start and parse, Dagster's steps, Great Expectations. It is
measured as the same run on a handful of households; single parts are measured apart.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from benchmarks.measuring import Measured, Row, median_seconds, peak_memory, run_python, write_results
from ingestion.adapters import HOUSEHOLDS_VARIABLE

ROUNDS = 3
ORDER_LINES = 1_469_307
SMALL, TINY = "200", "40"
_STAGE_LINE = re.compile(r"^(\w+) .*\((\d+\.\d) s\)$")

_PARTS = {
    "import Dagster, dagster-dbt and the definitions": "import orchestration.definitions",
    "import dbt": "from dbt.cli.main import dbtRunner",
    "import Great Expectations": "import great_expectations",
    "import scikit-learn and the models": "import ml.propensity, ml.clusters.model",
}
_PARSE = (
    "import time; from dbt.cli.main import dbtRunner; from orchestration.dbt_in_process import InProcessDbt; "
    "from shops import ShopFolders; started = time.perf_counter(); InProcessDbt(ShopFolders.of('demo')); "
    "print(time.perf_counter() - started)"
)
_TIMED_IMPORT = "import time; started = time.perf_counter(); {}; print(time.perf_counter() - started)"


def main() -> None:
    """Measure, print a table, rewrite the results."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        full: list[Measured] = []
        small: list[Measured] = []
        tiny: list[Measured] = []
        for number in range(ROUNDS):
            # Alternating, so that a busy minute of the machine falls on all of them. Each starts from nothing.
            full.append(_chain(root / f"full{number}", None))
            small.append(_chain(root / f"small{number}", SMALL))
            tiny.append(_chain(root / f"tiny{number}", TINY))
        parts = {name: _seconds(_TIMED_IMPORT.format(code)) for name, code in _PARTS.items()}
        parse = [_seconds(_PARSE, {"AUDIENCE_DATA_DIR": str(root / "parse")}) for _ in range(2)]
        parts["dbt parse, first"], parts["dbt parse, again"] = parse
    rows = [
        Row("make demo after installation", median_seconds(full), "under 90 s, under 4000 MB", ORDER_LINES,
            peak_memory(full)),
        Row("make demo SMALL=1 after installation", median_seconds(small), "under 20 s", None, peak_memory(small)),
        Row(f"fixed costs: the same chain on {TINY} households", median_seconds(tiny), "at most 30 s", None,
            peak_memory(tiny)),
        *(Row(f"part of the fixed costs: {name}", round(seconds, 2), "none") for name, seconds in parts.items()),
        *_by_stage(full[-1], tiny[-1]),
    ]  # fmt: skip
    file = write_results("chain", rows)
    for row in rows:
        memory = f"{row.peak_memory_mb:,.0f} MB" if row.peak_memory_mb else ""
        print(f"{row.name:<60}{row.ours_seconds:>8.2f} s  {memory:>9}  {row.goal}")
    print(f"written to {file}")


def _chain(root: Path, households: str | None) -> Measured:
    environment = {"AUDIENCE_DATA_DIR": str(root), HOUSEHOLDS_VARIABLE: households or ""}
    return run_python("-m", "orchestration", "run", "--shop", "demo", environment=environment)


def _by_stage(full: Measured, tiny: Measured) -> list[Row]:
    """Work of each stage: the whole shop less the handful of households, from the progress lines of one run each."""
    of_full, of_tiny = _stage_seconds(full), _stage_seconds(tiny)
    return [
        Row(f"{stage}: {of_tiny.get(stage, 0):.1f} s fixed, the rest is work", round(seconds, 1), "none")
        for stage, seconds in of_full.items()
    ]


def _stage_seconds(run: Measured) -> dict[str, float]:
    totals: dict[str, float] = {}
    for line in run.output.splitlines():
        if found := _STAGE_LINE.match(line):
            totals[found[1]] = totals.get(found[1], 0.0) + float(found[2])
    return totals


def _seconds(code: str, environment: dict[str, str] | None = None) -> float:
    return float(run_python("-c", code, environment=environment).output.strip().splitlines()[-1])
