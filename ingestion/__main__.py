"""`python -m ingestion`: land a shop's data from the shell."""

from __future__ import annotations

import argparse
import sys

from ingestion.adapters import land_shop
from ingestion.landing_zone import LandingError
from shops import SettingsError, ShopFolders, load_settings


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ingestion", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    land = commands.add_parser(
        "land", help="write the shop's data into its landing zone; a second time changes nothing"
    )
    land.add_argument("--shop", help="a folder under shops/ (default: demo, or AUDIENCE_SHOP)")
    land.add_argument("--households", type=int, help="demo shop only: land this many households instead of all")
    options = parser.parse_args(arguments)
    try:
        folders = ShopFolders.of(options.shop)
        loads = land_shop(folders, load_settings(folders.shop), options.households)
    except (LandingError, SettingsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for load in loads:
        state = "was already there" if load.already_landed else "landed"
        print(
            f"{load.load_id}: {sum(load.rows.values()):,} rows in {len(load.rows)} tables, {state} ({folders.landing})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
