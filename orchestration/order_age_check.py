"""How old the newest order is that readers see. Models never ask the clock; this check does, after them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from orchestration.publishing import DATABASE_FILE, SCHEMA
from orchestration.warehouse import reading
from shops import Settings, ShopFolders

CHECK = "orders_are_recent"
_HISTORICAL = "operations.max_days_since_order is not set: the data is historical, and no age is too old"


def build_order_age_check(folders: ShopFolders, settings: Settings) -> dg.AssetChecksDefinition:
    """The check on what is published; it warns and stops nothing."""

    @dg.asset_check(
        asset=dg.AssetKey(["publish", "audience_database"]),
        name=CHECK,
        description="The newest published order is at most operations.max_days_since_order days old, in the shop's "
        "time zone. It can be asked again at any time, without a run.",
    )
    def orders_are_recent() -> dg.AssetCheckResult:
        today = datetime.now(ZoneInfo(settings.shop.business_timezone)).date()
        return judge(_newest_order(folders), today, settings.operations.max_days_since_order)

    return orders_are_recent


def judge(newest: date | None, today: date, max_days: int | None) -> dg.AssetCheckResult:
    """What the check says of a newest order."""
    if newest is None:
        said, passed = "there is no published order. Next: launch the job 'refresh'", False
    elif max_days is None:
        said, passed = f"the newest order is of {newest}. {_HISTORICAL}", True
    else:
        age = (today - newest).days
        said, passed = (
            f"the newest order is of {newest}, {age} days ago; at most {max_days} are allowed",
            age <= max_days,
        )
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=said,
        metadata={"newest_order": str(newest), "max_days": "not set" if max_days is None else max_days},
    )


def _newest_order(folders: ShopFolders) -> date | None:
    database = folders.current / DATABASE_FILE
    if not database.exists():
        return None
    with reading(database) as connection:
        row = connection.execute(f"select max(order_date) from {SCHEMA}.fct_orders").fetchone()
    return row[0] if row else None
