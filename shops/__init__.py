"""What belongs to one company: its settings, thresholds, own segments and expectations, one folder a shop.

`shops/defaults.yml` holds what ships with the project; `shops/<name>/settings.yml` overrides single keys of it.
No other code lives here, and nothing in this package knows DuckDB, dbt or Dagster.
"""

from shops.folders import DEFAULT_SHOP, PROJECT_ROOT, ShopFolders
from shops.settings import Settings, SettingsError, load_settings

__all__ = ["DEFAULT_SHOP", "PROJECT_ROOT", "Settings", "SettingsError", "ShopFolders", "load_settings"]
