"""Generates the demo shop with the held-out overlay, and says what of its truth is held out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.held_out.families import HELD_OUT_FAMILIES
from benchmarks.held_out.recipes import HELD_OUT_RECIPES
from ingestion import LandingZone, LoadSummary, completejourney
from ingestion.overlay import BOT_FAMILIES, DIRT_RECIPES, OverlayPlan
from shops import ShopFolders

SEED = 48_271_603
# Part of all web events and of all cookies that is of the held-out families, with the shipped ones beside them; a test
# holds generation to it.
EVENTS_SHARE = (0.03, 0.05)
VISITORS_SHARE = (0.01, 0.04)


@dataclass(frozen=True)
class HeldOutOverlay:
    """A demo shop that has landed with the held-out overlay.

    Attributes
    ----------
    folders
        Of the demo shop under the given folder: `landing` and `truth` are filled, there is no warehouse yet.
    plan
        What was generated.
    loads
        The real load and the overlay's.
    """

    folders: ShopFolders
    # Not shown: a failing test that prints it would tell what it holds.
    plan: OverlayPlan = field(repr=False)
    loads: tuple[LoadSummary, LoadSummary]

    def visitors(self) -> pa.Table:
        """Rows of `held_out_visitors`."""
        return held_out_visitors(self.folders.truth)

    def contacts(self) -> pa.Table:
        """Rows of `held_out_contacts`."""
        return held_out_contacts(self.folders.truth)


def held_out_plan(*, scale: int = 1, events: int | None = None, with_shipped: bool = True) -> OverlayPlan:
    """The plan of the held-out overlay.

    Parameters
    ----------
    scale, events
        As in `OverlayPlan`.
    with_shipped
        Also the bot families and dirt recipes that ship; False: the held-out ones alone.
    """
    recipes, families = (DIRT_RECIPES, BOT_FAMILIES) if with_shipped else ((), ())
    return OverlayPlan(
        seed=SEED,
        scale=scale,
        events=events,
        dirt_recipes=(*recipes, *HELD_OUT_RECIPES),
        bot_families=(*families, *HELD_OUT_FAMILIES),
    )


def held_out_overlay(
    folder: Path,
    *,
    households: int | None = None,
    scale: int = 1,
    events: int | None = None,
    with_shipped: bool = True,
) -> HeldOutOverlay:
    """Land the demo shop under the data root `folder` with the held-out overlay; a second time changes nothing.

    Parameters
    ----------
    folder
        What `AUDIENCE_DATA_DIR` would name; the shop lies in `<folder>/demo`.
    households
        As many of the demo shop's households; None: all.
    scale, events, with_shipped
        As in `held_out_plan`.

    Raises
    ------
    LandingError
        The folder holds another overlay or another selection of households.
    """
    folders = ShopFolders.of("demo", folder)
    plan = held_out_plan(scale=scale, events=events, with_shipped=with_shipped)
    zone = LandingZone(folders.landing)
    real = completejourney.land(zone, households)
    overlay = completejourney.land_overlay(zone, folders.truth, real.load_id, plan)
    return HeldOutOverlay(folders, plan, (real, overlay))


def held_out_visitors(truth: Path) -> pa.Table:
    """(anonymous_id, bot_family, requests) of the held-out families in the truth folder `truth`, by anonymous_id."""
    names = [family.name for family in HELD_OUT_FAMILIES]
    return duckdb.execute(
        "select anonymous_id, bot_family, requests from read_parquet(?) where list_contains(?, bot_family) "
        "order by anonymous_id",
        [str(truth / "bots.parquet"), names],
    ).to_arrow_table()


def held_out_contacts(truth: Path) -> pa.Table:
    """(contact_id, recipe) of the contacts that a held-out recipe hit, by contact_id."""
    names = [recipe.name for recipe in HELD_OUT_RECIPES]
    return duckdb.execute(
        "select contact_id, recipe from read_parquet(?) where list_contains(?, recipe) order by contact_id, recipe",
        [str(truth / "contact_dirt.parquet"), names],
    ).to_arrow_table()
