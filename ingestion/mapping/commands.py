"""`init` and `check` of `python -m ingestion`."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ingestion.mapping.check import check
from ingestion.mapping.draft import draft, yaml_scalar
from ingestion.mapping.model import MAPPING_FILE, MappingError
from ingestion.mapping.profile import profile
from ingestion.mapping.sources import DatabaseSource, FolderSource
from shops import PROJECT_ROOT, ShopFolders
from shops.names import checked_zone

_SHOP_NAME = re.compile(r"[a-z][a-z0-9_]*")


def init(where: str, shop: str | None, zone: str | None, currency: str | None) -> list[str]:
    """Draft `shops/<shop>/mapping.yml` (and settings.yml) from what lies at `where`; what to say of it, line by line.

    Parameters
    ----------
    where
        A folder, a file, an address that SQLAlchemy understands, or `${NAME}` of a variable that holds one.
    shop
        Name of the shop; by default that of the folder or database.

    Raises
    ------
    MappingError
        The source cannot be read, the name is no name of a shop, or the shop already has a mapping.
    """
    variable = re.fullmatch(r"\$?\{?([A-Z_][A-Z0-9_]*)\}?", where)
    if variable and where.startswith("$") and not os.environ.get(variable[1]):
        raise MappingError(
            f"the environment variable {variable[1]} is not set. Next: export {variable[1]}=… and run again."
        )
    address = os.environ.get(variable[1], where) if variable else where
    is_database = "://" in address
    name = shop or _shop_name(address)
    if not _SHOP_NAME.fullmatch(name):
        raise MappingError(f"'{name}' is no name of a shop: use lower-case letters, digits and _. Next: --shop my_shop")
    folders = ShopFolders.of(name)
    file = folders.own / MAPPING_FILE
    if file.exists():
        raise MappingError(
            f"{file} is already there. Next: edit it and run python -m ingestion check --shop {name}, or give another "
            "name with --shop."
        )
    if zone is not None:
        try:
            checked_zone(zone)
        except ValueError as error:
            raise MappingError(f"--zone: {error}") from error
    if currency is not None and not re.fullmatch("[A-Z]{3}", currency := currency.upper()):
        raise MappingError(f"--currency: '{currency}' is no ISO 4217 code. Next: give its three letters, such as EUR.")
    source: FolderSource | DatabaseSource
    said: list[str] = []
    if is_database:
        used = variable[1] if variable else f"{name.upper()}_DATABASE_URL"
        source, source_line = DatabaseSource(address, f"${{{used}}}"), f"database: ${{{used}}}"
        names = source.names()
        if not variable:
            said.append(
                f"next: export {used}=<the address>; the mapping names the variable, because it may hold a password"
            )
    else:
        path = Path(address).expanduser()
        if not path.exists():
            raise MappingError(
                f"{path} does not exist. Next: give a folder of CSV or Parquet files, or a database's URL."
            )
        folder = path.parent if path.is_file() else path
        source, source_line = FolderSource(folder), f"folder: {yaml_scalar(_from_project(folder))}"
        names = [path.name] if path.is_file() else source.names()
    if not names:
        raise MappingError(f"{source.shown} has no tables. Next: give a folder of CSV or Parquet files, or a database.")
    drafted = draft(
        name, source_line, source.shown, [profile(source, source.table(each)) for each in names], zone, currency
    )
    folders.own.mkdir(parents=True, exist_ok=True)
    file.write_text(drafted.mapping, encoding="utf-8")
    wrote = [ShopFolders.shown(file)]
    settings = folders.own / "settings.yml"
    if settings.exists():
        said.append(f"next: {ShopFolders.shown(settings)} was left as it is; it needs `source: {{adapter: mapping}}`")
    else:
        settings.write_text(drafted.settings, encoding="utf-8")
        wrote.append(ShopFolders.shown(settings))
    return [
        f"wrote {' and '.join(wrote)} from {len(names)} table(s): {', '.join(names)}",
        *(f"look at: {guess}" for guess in drafted.guesses),
        *said,
        f"next: python -m ingestion check --shop {name}",
    ]


def run_check(shop: str | None) -> list[str]:
    """Try the shop's mapping on its first rows; what was found, line by line."""
    folders = ShopFolders.of(shop)
    return [*check(folders).lines(), f"next: make run SHOP={folders.shop}"]


def _shop_name(address: str) -> str:
    last = address.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"\.\w+$", "", last).lower()).strip("_") or "shop"


def _from_project(folder: Path) -> str:
    """The folder as the mapping names it: from the project's folder where it lies in it."""
    absolute = folder.absolute()
    return (absolute.relative_to(PROJECT_ROOT) if absolute.is_relative_to(PROJECT_ROOT) else absolute).as_posix()
