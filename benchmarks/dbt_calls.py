"""dbt inside the process against dbt from the command line: the six stages of the small demo shop, alternating."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import Measured, Row, median_seconds, run, run_python, write_results
from ingestion.adapters import HOUSEHOLDS_VARIABLE
from orchestration.stages import DBT_STAGES
from shops import PROJECT_ROOT

ROUNDS = 3
_IN_PROCESS = (
    "from orchestration.dbt_in_process import InProcessDbt; from orchestration.stages import DBT_STAGES; "
    "from shops import ShopFolders; folders = ShopFolders.of('demo'); dbt = InProcessDbt(folders); "
    "[dbt.build_models(dbt.models_of(stage), folders.warehouse) for stage in DBT_STAGES]"
)


def main() -> None:
    """Measure, print, rewrite the results."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"AUDIENCE_DATA_DIR": folder, HOUSEHOLDS_VARIABLE: "200"}
        run_python("-m", "ingestion", "land", environment=environment)
        ours: list[Measured] = []
        peers: list[Measured] = []
        for _ in range(ROUNDS):
            ours.append(run_python("-c", _IN_PROCESS, environment=environment))
            started = time.perf_counter()
            commands = [run(_command(stage, folder), environment) for stage in DBT_STAGES]
            peers.append(Measured(time.perf_counter() - started, max(c.peak_memory_mb for c in commands), ""))
    row = Row(
        "dbt build of six stages, 200 households",
        median_seconds(ours),
        "faster than the command line",
        peak_memory_mb=round(max(one.peak_memory_mb for one in ours)),
        peer="dbt build from the command line, once a stage",
        peer_seconds=median_seconds(peers),
        ratio=round(median_seconds(peers) / median_seconds(ours), 2),
    )
    file = write_results("dbt_calls", [row])
    print(f"{row.name}: {row.ours_seconds} s in process, {row.peer_seconds} s by command line, ratio {row.ratio}")
    print(f"written to {file}")


def _command(stage: str, folder: str) -> list[str]:
    dbt = PROJECT_ROOT / ".venv" / "bin" / "dbt"
    target = Path(folder) / "target"
    return [os.fspath(dbt), "--quiet", "build", "--select", f"tag:{stage}", "--exclude-resource-type", "unit_test",
            "--target-path", str(target)]  # fmt: skip
