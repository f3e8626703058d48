"""Whether files have arrived that no run has landed yet, and whether they are still being written.

Belongs here: what "new files land" means. The landing step notes which files it has seen; the sensor asks.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from ingestion.adapters import arriving_files
from shops import Settings, ShopFolders

SEEN = "arrivals_seen"
LOADS_KEY = dg.AssetKey(["landing", "loads"])


def arrivals(folders: ShopFolders, settings: Settings) -> str | None:
    """A name for the files that are there now, with their sizes and times; None where there are none."""
    digest = hashlib.sha256()
    files = arriving_files(folders, settings)
    for file in files:
        stat = file.stat()
        # Not the whole path: a shop that was moved has seen what it had seen.
        digest.update(f"{file.parent.name}/{file.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16] if files else None


def last_seen(instance: dg.DagsterInstance) -> str | None:
    """What the last run that landed, from the shell or in the UI, found there."""
    event = instance.get_latest_materialization_event(LOADS_KEY)
    seen = event.asset_materialization.metadata.get(SEEN) if event and event.asset_materialization else None
    return None if seen is None else str(seen.value)


@dataclass(frozen=True)
class Waiting:
    """Files that are looked at until they stay as they are: their name, and since when they have."""

    key: str
    since: datetime

    @classmethod
    def read(cls, cursor: str | None) -> Waiting | None:
        """What an earlier look has left."""
        if not cursor:
            return None
        content = json.loads(cursor)
        return cls(content["key"], datetime.fromisoformat(content["since"]))

    def written(self) -> str:
        """As the next look will read it."""
        return json.dumps({"key": self.key, "since": self.since.isoformat()})

    def has_settled(self, now: datetime, seconds: int) -> bool:
        """Whether nothing has changed for so long."""
        return (now - self.since).total_seconds() >= seconds
