"""Writes the snapshot of the asset graph anew."""

import tempfile
from pathlib import Path

from orchestration.definitions import build_definitions
from shops import ShopFolders
from tests.unit.orchestration.test_asset_graph import SNAPSHOT, describe

with tempfile.TemporaryDirectory() as folder:
    SNAPSHOT.write_text(describe(build_definitions(ShopFolders.of("demo", Path(folder)))), encoding="utf-8")
