import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_ml_knows_neither_engine_nor_orchestrator_and_imports_slow_things_late() -> None:
    modules = loaded_by("import ml.propensity, ml.clusters.model, ml.clusters.plots, ml.artifacts, ml.plots")
    assert "sklearn" in modules
    forbidden = {
        "dagster",
        "duckdb",
        "dbt",
        "great_expectations",
        "orchestration",
        "expectations",
        "ingestion",
        "shops",
    }
    late = {"matplotlib", "skops"}
    assert not modules & (forbidden | late)
