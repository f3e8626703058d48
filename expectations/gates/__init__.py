"""The gates, one module each: given the thresholds and what there is, which checks have to hold.

A gate's module has one function, `suites(scope)`. It may ask the catalog whether an optional table has rows (checks
about an empty one are left out), and compute in Python what SQL cannot; it does not validate anything itself. The
features gate has further modules, one a concern: `features_shift`, `features_leak`, `features_sources`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path

from expectations.catalog import Catalog, parquet_source
from expectations.checks import Suite
from expectations.limits import Limits


@dataclass(frozen=True)
class Scope:
    """What a gate may look at.

    Attributes
    ----------
    catalog : the warehouse (of nothing, for the landing gate).
    limits : thresholds in force.
    landed : landing table to the files of visible loads.
    landed_rows : landing table to their rows.
    newest_known_at : landing table to when its newest row became known; tables without rows are left out.
    feature_models : folders whose yml declares features.
    """

    catalog: Catalog
    limits: Limits
    landed: Mapping[str, tuple[Path, ...]]
    landed_rows: Mapping[str, int]
    newest_known_at: Mapping[str, datetime] = field(default_factory=dict)
    feature_models: tuple[Path, ...] = ()

    def landing(self, table: str) -> str:
        """SQL to select from, for a landing table."""
        return parquet_source(self.landed[table])

    def has_landed(self, table: str) -> bool:
        """Whether a landing table has rows in visible loads."""
        return self.landed_rows.get(table, 0) > 0


def suites_of(gate: str) -> Callable[[Scope], list[Suite]]:
    """Return the `suites` function of a gate's module."""
    function: Callable[[Scope], list[Suite]] = import_module(f"expectations.gates.{gate}").suites
    return function
