"""Data-quality gates: what must hold between two stages of the warehouse before the next one may read.

Belongs here: expectations about volumes, distributions, freshness and model output, one module a gate in
`expectations.gates`, the runner, the reports. Must not be here: keys, nulls, references and logic (dbt tests own
them), and anything of Dagster or of how data is made. Great Expectations is imported by the first gate that runs,
never by importing this package (the import takes seconds).

Examples
--------
>>> from pathlib import Path
>>> from expectations import run_gate
>>> report = run_gate(
...     "staging", Path("data/demo/warehouse.duckdb"), landing=Path("data/demo/landing"), settings={},
...     reports=Path("data/demo/reports"), contract=Path("models/landing.yml"),
... )  # doctest: +SKIP
>>> report.success  # doctest: +SKIP
True
"""

from expectations.results import GATES, ExpectationResult, ExpectationsError, GateReport, Severity
from expectations.runner import preload, run_gate

__all__ = [
    "GATES",
    "ExpectationResult",
    "ExpectationsError",
    "GateReport",
    "Severity",
    "preload",
    "run_gate",
]
