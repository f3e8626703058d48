"""Which adapter writes a shop's landing zone: the shop's settings name it."""

from __future__ import annotations

import os
from pathlib import Path

from ingestion import completejourney
from ingestion.landing_zone import LOADS, LandingError, LandingZone, LoadSummary
from ingestion.overlay.plan import OverlayPlan
from shops import Settings, ShopFolders

# The shop's own files or database, as its mapping.yml says.
MAPPING = "mapping"
# For development: a part of the demo shop lands and runs in seconds.
HOUSEHOLDS_VARIABLE = "AUDIENCE_DEMO_HOUSEHOLDS"


def land_shop(
    folders: ShopFolders, settings: Settings, households: int | None = None, plan: OverlayPlan | None = None
) -> list[LoadSummary]:
    """Bring what the shop's source has; without an adapter the loads that are already there stand.

    Parameters
    ----------
    households
        Demo shop only: so many households instead of all.
    plan
        Demo shop only: seed and size of what is generated; by default the settings' seed, at scale 1.

    Raises
    ------
    LandingError
        The adapter is unknown, or there is no adapter and nothing has landed.
    """
    zone = LandingZone(folders.landing)
    adapter = settings.source.adapter
    if adapter == completejourney.SOURCE:
        sample = os.environ.get(HOUSEHOLDS_VARIABLE)
        households = households or (int(sample) if sample else None)
        plan = plan or OverlayPlan(seed=settings.source.overlay_seed)
        with_overlay = settings.source.synthetic_overlay
        if plan.scale > 1:
            return completejourney.land_scaled(zone, folders.truth, plan, households, with_overlay)
        real = completejourney.land(zone, households)
        if not with_overlay:
            return [real]
        return [real, completejourney.land_overlay(zone, folders.truth, real.load_id, plan)]
    if plan is not None or households is not None:
        raise LandingError(
            f"{folders.own / 'settings.yml'}: only the demo shop ('{completejourney.SOURCE}') is generated, so "
            "--households, --scale, --seed and --events do not fit here. Next: leave them out."
        )
    if adapter == MAPPING:
        # Imported here: other shops need not wait for dlt.
        from ingestion.mapping import loading

        return loading.land(folders)
    if adapter is not None:
        raise LandingError(
            f"{folders.own / 'settings.yml'}: source.adapter '{adapter}' is not known. "
            f"Next: use '{MAPPING}' (a mapping.yml beside it), '{completejourney.SOURCE}', or null when other programs "
            f"write {folders.landing}."
        )
    zone.prepare()
    loads = zone.loads()
    if not loads and (folders.own / "mapping.yml").exists():
        raise LandingError(
            f"{folders.own / 'settings.yml'}: source.adapter is null, so mapping.yml beside it is not read. "
            f"Next: set source.adapter to '{MAPPING}'."
        )
    if not loads:
        raise LandingError(
            f"no load has landed in {folders.landing}. Next: write the tables of models/landing.yml there "
            f"(docs/how-to/add-a-source.md), the row in loads/ last."
        )
    return loads


def arriving_files(folders: ShopFolders, settings: Settings) -> list[Path]:
    """Files whose arrival is news to a run: those that the shop's mapping names, or the rows of loads that others land.

    Empty where the source is a database, which has to be asked.

    Raises
    ------
    LandingError
        The mapping cannot be read, or its folder is not there.
    """
    if settings.source.adapter != MAPPING:
        return sorted((folders.landing / LOADS).glob("*/*.parquet"))
    from ingestion.mapping.model import MAPPING_FILE, read_mapping
    from ingestion.mapping.sources import FolderSource, open_source

    file = folders.own / MAPPING_FILE
    mapping = read_mapping(file)
    source = open_source(mapping, file)
    if not isinstance(source, FolderSource):
        return []
    return sorted({path for table in mapping.tables.values() for path in source.files(table.from_)})
