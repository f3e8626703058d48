"""Where everything of one shop lies: what people wrote under `shops/`, what was generated under `data/`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DEFAULT_SHOP = "demo"


@dataclass(frozen=True)
class ShopFolders:
    """The folders and files of one shop.

    Parameters
    ----------
    shop
        Name of a folder under `shops/`.
    data_root
        The folder that holds `<shop>/`; by default what `AUDIENCE_DATA_DIR` says, else `data/` in the project.
    """

    shop: str
    data_root: Path

    @classmethod
    def of(cls, shop: str | None = None, data_root: Path | None = None) -> ShopFolders:
        """The folders of `shop` (default: `AUDIENCE_SHOP`, else the demo shop)."""
        name = shop or os.environ.get("AUDIENCE_SHOP") or DEFAULT_SHOP
        root = data_root or Path(os.environ.get("AUDIENCE_DATA_DIR") or PROJECT_ROOT / "data")
        return cls(name, root.resolve())

    @staticmethod
    def shown(path: Path) -> str:
        """`path` as people see it: from the project's folder where it lies in it, else in full."""
        absolute = path.absolute()
        return str(absolute.relative_to(PROJECT_ROOT) if absolute.is_relative_to(PROJECT_ROOT) else absolute)

    @property
    def own(self) -> Path:
        """What the company wrote: settings, segments, expectations."""
        return PROJECT_ROOT / "shops" / self.shop

    @property
    def data(self) -> Path:
        return self.data_root / self.shop

    @property
    def landing(self) -> Path:
        return self.data / "landing"

    @property
    def truth(self) -> Path:
        """What was planted into generated data; only benchmarks and tests read it, no model does."""
        return self.data / "truth"

    @property
    def warehouse(self) -> Path:
        return self.data / "warehouse.duckdb"

    @property
    def runs(self) -> Path:
        return self.data / "runs"

    @property
    def published(self) -> Path:
        return self.data / "published"

    @property
    def current(self) -> Path:
        """The symlink that readers follow."""
        return self.published / "current"

    @property
    def state(self) -> Path:
        return self.data / "state"

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def reports(self) -> Path:
        return self.data / "reports"

    @property
    def lock(self) -> Path:
        return self.data / ".lock"

    @property
    def dagster_home(self) -> Path:
        """Dagster's run history lies beside the shop's data, so that it goes when the data goes."""
        return self.data / "dagster"
