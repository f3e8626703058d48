"""`python -m ingestion`: land a shop's data from the shell; describe a new shop's source and try the description."""

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
    which_shop = "a folder under shops/ (default: demo, or AUDIENCE_SHOP)"
    land = commands.add_parser(
        "land", help="write the shop's data into its landing zone; a second time changes nothing"
    )
    land.add_argument("--shop", help=which_shop)
    land.add_argument("--households", type=int, help="demo shop only: land this many households instead of all")
    land.add_argument("--scale", type=int, help="demo shop only: people per household; more than 1 lands copies")
    land.add_argument(
        "--seed", type=int, help="demo shop only: of all that is generated (default: source.overlay_seed)"
    )
    land.add_argument("--events", type=int, help="demo shop only: about how many web events (default: 120 a person)")
    init = commands.add_parser("init", help="draft shops/<shop>/mapping.yml from a folder of files or from a database")
    init.add_argument("source", help="folder of CSV or Parquet files, or a database's SQLAlchemy URL")
    init.add_argument("--shop", help="name of the new shop (default: that of the folder or database)")
    init.add_argument("--zone", help="IANA zone of the clock that wrote the times, e.g. Europe/Berlin")
    init.add_argument("--currency", help="ISO 4217 code of the amounts, e.g. EUR")
    init.add_argument("--check", action="store_true", help="try the mapping at once, as `check` does")
    check = commands.add_parser("check", help="try the shop's mapping.yml on its first 1,000 rows; nothing lands")
    check.add_argument("--shop", help=which_shop)
    options = parser.parse_args(arguments)
    try:
        if options.command == "land":
            return _land(options)
        from ingestion.mapping import commands as mapping

        if options.command == "init":
            _say(mapping.init(options.source, options.shop, options.zone, options.currency))
        if options.command == "check" or options.check:
            _say(mapping.run_check(options.shop))
    except (LandingError, SettingsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _land(options: argparse.Namespace) -> int:
    folders = ShopFolders.of(options.shop)
    settings = load_settings(folders.shop)
    loads = land_shop(folders, settings, options.households, _plan(options, settings))
    for load in loads:
        state = "was already there" if load.already_landed else "landed"
        print(
            f"{load.load_id}: {sum(load.rows.values()):,} rows in {len(load.rows)} tables, {state} ({folders.landing})"
        )
        _say([f"  {note}" for note in load.notes])
    return 0


def _say(lines: list[str]) -> None:
    for line in lines:
        print(line)


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
