"""What dbt does when it opens the warehouse: take the shop's write lock, and find the landing zone.

dbt-duckdb loads this module (profiles.yml), so `dbt build` from the shell and dbt inside a Dagster run are held to the
same lock, and the manifest names no folder of this machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from orchestration.ledger import hash_keys, open_ledger
from orchestration.lock import acquire, is_held_here
from shops import PROJECT_ROOT, ShopFolders


class Plugin(BasePlugin):
    """dbt-duckdb looks for a class of this name."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        self.folders = ShopFolders.of()
        if not is_held_here(self.folders.lock):
            # Released with the process: dbt has no hook for the end of a command.
            acquire(self.folders.lock, "dbt from the shell")
        open_ledger(self.folders)
        self.inner_key, self.outer_key = hash_keys(self.folders)
        if self.creds is not None:
            Path(self.creds.path).parent.mkdir(parents=True, exist_ok=True)

    def configure_cursor(self, cursor: DuckDBPyConnection) -> None:
        # A cursor is a session of its own in DuckDB: what is set on the connection does not reach it.
        cursor.execute(f"set variable inner_key = '{self.inner_key}'; set variable outer_key = '{self.outer_key}'")
        cursor.execute(f"set file_search_path = '{self.folders.data},{PROJECT_ROOT}'")
