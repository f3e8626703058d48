"""The stages of the chain, in order: each a folder of models, a dbt tag, a schema, a group of assets and a gate."""

from __future__ import annotations

import dagster as dg

STAGES = ("landing", "staging", "identity", "features", "scores", "segments", "marts")
DBT_STAGES = STAGES[1:]
# The check that a gate carries.
CHECK_NAME = "expectations"


def gate_key(stage: str) -> dg.AssetKey:
    """The asset that checks `stage` and that all later stages wait for."""
    return dg.AssetKey(["gates", stage])


def gate_before(stage: str) -> dg.AssetKey:
    """The gate that assets of `stage` wait for; through it they wait for all earlier ones."""
    return gate_key(STAGES[STAGES.index(stage) - 1])
