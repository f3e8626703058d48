"""Which adapter writes a shop's landing zone: the shop's settings name it."""

from __future__ import annotations

import os

from ingestion import completejourney
from ingestion.landing_zone import LandingError, LandingZone, LoadSummary
from ingestion.overlay.plan import OverlayPlan
from shops import Settings, ShopFolders

# For development: a part of the demo shop lands and runs in seconds.
HOUSEHOLDS_VARIABLE = "AUDIENCE_DEMO_HOUSEHOLDS"


def land_shop(folders: ShopFolders, settings: Settings, households: int | None = None) -> list[LoadSummary]:
    """Bring what the shop's source has; without an adapter the loads that are already there stand.

    Raises
    ------
    LandingError
        The adapter is unknown, or there is no adapter and nothing has landed.
    """
    zone = LandingZone(folders.landing)
    adapter = settings.source.adapter
    if adapter == completejourney.SOURCE:
        sample = os.environ.get(HOUSEHOLDS_VARIABLE)
        real = completejourney.land(zone, households or (int(sample) if sample else None))
        if not settings.source.synthetic_overlay:
            return [real]
        plan = OverlayPlan(seed=settings.source.overlay_seed)
        return [real, completejourney.land_overlay(zone, folders.truth, real.load_id, plan)]
    if adapter is not None:
        raise LandingError(
            f"{folders.own / 'settings.yml'}: source.adapter '{adapter}' is not known. "
            f"Next: use '{completejourney.SOURCE}', or null when other programs write {folders.landing}."
        )
    zone.prepare()
    loads = zone.loads()
    if not loads:
        raise LandingError(
            f"no load has landed in {folders.landing}. Next: write the tables of models/landing.yml there "
            f"(docs/how-to/add-a-source.md), the row in loads/ last."
        )
    return loads
