"""Dagster's run history of a shop: settings shipped with the project, files beside the shop's data."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import dagster as dg

from shops import ShopFolders

_SETTINGS = Path(__file__).with_name("dagster.yaml")


def prepare_home(folders: ShopFolders) -> Path:
    """Dagster's home with the project's settings in it; also set as DAGSTER_HOME for this process and its children."""
    home = folders.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_SETTINGS, home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ["AUDIENCE_EVENT_LOG_DIR"] = str(home / "history" / "runs")
    return home


def open_instance(folders: ShopFolders) -> dg.DagsterInstance:
    """The instance that the UI shows, so that runs from the shell appear there too."""
    prepare_home(folders)
    return dg.DagsterInstance.get()
