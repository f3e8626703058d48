"""What benchmarks of the demo shop begin with: it lands as it ships, models are built without a run around them."""

from __future__ import annotations

from collections.abc import Sequence

from ingestion import LandingZone, completejourney
from ingestion.overlay import OverlayPlan, land_overlay
from orchestration.dbt_in_process import InProcessDbt
from orchestration.lock import write_lock
from shops import ShopFolders

MATCHES = "source.audience_warehouse.ml.identity_matches"


def land_shipped(folders: ShopFolders) -> None:
    """The demo shop with the overlay as it ships, and its truth."""
    zone = LandingZone(folders.landing)
    real = completejourney.land(zone)
    land_overlay(zone, folders.truth, completejourney.landed_tables(zone, real.load_id), OverlayPlan())


def models_after_linkage(dbt: InProcessDbt) -> list[str]:
    """Names of the identity models that depend on the pairs of the linkage model."""
    children = dbt.manifest_dict["child_map"]
    reached: set[str] = set()
    due = [MATCHES]
    while due:
        found = {child for child in children.get(due.pop(), []) if child.startswith("model.")} - reached
        reached |= found
        due.extend(found)
    names = {child.split(".")[-1] for child in reached}
    return [name for name in dbt.models_of("identity") if name in names]


def build_models(dbt: InProcessDbt, models: Sequence[str]) -> None:
    """Build `models` in the shop's warehouse.

    Raises
    ------
    RuntimeError
        A model or a data test failed.
    """
    with write_lock(dbt.folders.lock, "benchmark"):
        result = dbt.build_models(models, dbt.folders.warehouse)
    if not result.success:
        raise RuntimeError(f"dbt build failed: {[str(one.message) for one in result.result.results]}")
