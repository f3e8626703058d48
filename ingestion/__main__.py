"""`python -m ingestion`: land a shop's data from the shell."""

from __future__ import annotations

import argparse
import sys

from ingestion.adapters import land_shop
from ingestion.landing_zone import LandingError
from ingestion.overlay import OverlayPlan
from shops import Settings, SettingsError, ShopFolders, load_settings


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ingestion", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    land = commands.add_parser(
        "land", help="write the shop's data into its landing zone; a second time changes nothing"
    )
    land.add_argument("--shop", help="a folder under shops/ (default: demo, or AUDIENCE_SHOP)")
    land.add_argument("--households", type=int, help="demo shop only: land this many households instead of all")
    land.add_argument("--scale", type=int, help="demo shop only: people per household; more than 1 lands copies")
    land.add_argument(
        "--seed", type=int, help="demo shop only: of all that is generated (default: source.overlay_seed)"
    )
    land.add_argument("--events", type=int, help="demo shop only: about how many web events (default: 120 a person)")
    options = parser.parse_args(arguments)
    try:
        folders = ShopFolders.of(options.shop)
        settings = load_settings(folders.shop)
        loads = land_shop(folders, settings, options.households, _plan(options, settings))
    except (LandingError, SettingsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for load in loads:
        state = "was already there" if load.already_landed else "landed"
        print(
            f"{load.load_id}: {sum(load.rows.values()):,} rows in {len(load.rows)} tables, {state} ({folders.landing})"
        )
    return 0


def _plan(options: argparse.Namespace, settings: Settings) -> OverlayPlan | None:
    """What is to be generated, where an option says so."""
    if options.scale is None and options.seed is None and options.events is None:
        return None
    seed = settings.source.overlay_seed if options.seed is None else options.seed
    try:
        return OverlayPlan(seed=seed, scale=1 if options.scale is None else options.scale, events=options.events)
    except ValueError as error:
        raise LandingError(f"{error}. Next: python -m ingestion land --help") from error


if __name__ == "__main__":
    sys.exit(main())
