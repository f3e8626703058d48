"""A small good shop, landed and modelled with plain SQL: what the gates must pass, and what the tests then corrupt.

The tables have the names and types of the landing contract and of the stages; the load is of contract 1, so that its
files lack the younger columns, like those of a shop that was upgraded. The numbers are synthetic and seeded by hashes,
so that two builds are equal. `write_landing` makes the Parquet files, `build_warehouse` everything after them (it reads
nothing but the landing zone, so that a benchmark can call it on another shop's files).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from expectations import GateReport, run_gate
from ingestion import LandingZone

LOAD_ID = "load-0001"
LOAD_DATE = "2018-01-01"

CUSTOMER_COUNT = 240
CONTRACT = Path(__file__).resolve().parents[3] / "models" / "landing.yml"

_LANDING_QUERIES: dict[str, str] = {
    "loyalty_members": """
        select
            'H' || i as loyalty_id,
            case when i % 3 = 0 then ['19-24', '25-34', '35-44', '45-54'][1 + i % 4] end as age_band,
            case when i % 3 = 0 then '50-74K' end as income_band,
            null::varchar as home_ownership,
            null::varchar as marital_status,
            null::varchar as household_size,
            null::varchar as household_composition,
            null::varchar as kids_count,
            timestamp '2017-01-01 05:00:00' as occurred_at,
            timestamp '2017-01-01 05:00:00' as known_at,
            '{load_id}' as load_id,
        from range(1, {customers} + 1) as r(i)
    """,
    "products": """
        select
            'P' || i as product_id,
            'M' || (i % 7) as manufacturer_id,
            ['GROCERY', 'DRUG GM', 'PRODUCE', 'MEAT'][1 + i % 4] as department,
            case when i % 4 = 0 then 'Private' else 'National' end as brand_type,
            'CATEGORY ' || (i % 12) as product_category,
            'TYPE ' || (i % 25) as product_type,
            '16 OZ' as package_size,
            timestamp '2017-01-01 05:00:00' as occurred_at,
            timestamp '2017-01-01 05:00:00' as known_at,
            '{load_id}' as load_id,
        from range(1, 101) as r(i)
    """,
    # Every customer i buys 3 + i % 17 times at hashed instants of 2017.
    "orders": """
        select
            'O' || lpad((i * 100 + n)::varchar, 7, '0') as order_id,
            'H' || i as loyalty_id,
            'S' || ((i + n) % 5) as store_id,
            'demo' as brand,
            'store' as channel,
            'completed' as status,
            'USD' as currency,
            'America/New_York' as business_timezone,
            timestamp '2017-01-01 05:00:00' + to_seconds((hash(i, n) % 31535000)::bigint) as occurred_at,
            timestamp '2018-01-01 05:00:00' as known_at,
            '{load_id}' as load_id,
        from range(1, {customers} + 1) as r(i), range(0, 20) as s(n)
        where n < 3 + i % 17
    """,
    "order_lines": """
        with drawn as (
            select
                order_id,
                line,
                occurred_at,
                (hash(order_id, line) % 1000)::bigint as draw,
            from orders, range(1, 9) as s(line)
            where line <= 1 + hash(order_id) % 8
        ),
        priced as (
            select *, round(0.5 + draw / 100.0 + (case when draw % 50 = 0 then 20 else 0 end), 2) as net from drawn
        )
        select
            order_id,
            line::integer as line_number,
            'P' || (1 + draw % 100) as product_id,
            'sale' as line_type,
            (1 + draw % 3)::decimal(18, 3) as quantity,
            (net + (draw % 5) / 10.0)::decimal(18, 2) as gross_amount,
            ((draw % 5) / 10.0)::decimal(18, 2) as retail_discount,
            (case when draw % 20 = 0 then 0.25 else 0 end)::decimal(18, 2) as coupon_discount,
            0::decimal(18, 2) as coupon_match_discount,
            null::decimal(18, 2) as tax_amount,
            net::decimal(18, 2) as net_amount,
            null::decimal(18, 4) as unit_cost,
            null::varchar as original_order_id,
            occurred_at,
            timestamp '2018-01-01 05:00:00' as known_at,
            '{load_id}' as load_id,
        from priced
    """,
    "campaigns": """
        select
            'C' || i as campaign_id,
            'Type ' || ['A', 'B', 'C'][1 + i % 3] as campaign_type,
            date '2017-02-01' + (i * 45)::integer as starts_on,
            date '2017-02-01' + (i * 45 + 30)::integer as ends_on,
            timestamp '2017-01-15 05:00:00' as occurred_at,
            timestamp '2017-01-15 05:00:00' as known_at,
            '{load_id}' as load_id,
        from range(1, 7) as r(i)
    """,
    "campaign_recipients": """
        select
            campaign_id,
            'H' || i as loyalty_id,
            timestamp '2017-02-01 05:00:00' as occurred_at,
            timestamp '2018-01-01 05:00:00' as known_at,
            '{load_id}' as load_id,
        from campaigns, range(1, {customers} + 1) as r(i)
        where hash(campaign_id, i) % 3 = 0
    """,
    "coupons": """
        select
            'K' || (hash(campaign_id, i) % 40) as coupon_id,
            campaign_id,
            'P' || i as product_id,
            timestamp '2017-02-01 05:00:00' as occurred_at,
            timestamp '2018-01-01 05:00:00' as known_at,
            '{load_id}' as load_id,
        from campaigns, range(1, 101) as r(i)
    """,
    "coupon_redemptions": """
        select
            loyalty_id,
            'K1' as coupon_id,
            campaign_id,
            starts_on + 5 as redeemed_on,
            timestamp '2017-02-01 05:00:00' as occurred_at,
            timestamp '2018-01-01 05:00:00' as known_at,
            '{load_id}' as load_id,
        from campaign_recipients inner join campaigns using (campaign_id)
        where hash(loyalty_id, campaign_id, 'redeemed') % 7 = 0
    """,
}
OPTIONAL_TABLES = (
    "loyalty_members",
    "products",
    "campaigns",
    "campaign_recipients",
    "coupons",
    "coupon_redemptions",
)


class Shop:
    """A shop's folder in a test: landing zone, warehouse, reports."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.landing = root / "landing"
        self.warehouse = root / "warehouse.duckdb"
        self.reports = root / "reports"

    def run(self, gate: str, extra: Path | None = None, **settings: Any) -> GateReport:
        """Run one gate with its defaults, or with the settings given."""
        return run_gate(
            gate,
            self.warehouse,
            landing=self.landing,
            settings=settings,
            reports=self.reports,
            contract=CONTRACT,
            extra=extra,
        )

    def execute(self, sql: str) -> None:
        """Change the warehouse, as a writer in the same process."""
        with duckdb.connect(str(self.warehouse)) as con:
            con.execute(sql)

    def relay(self, table: str, query: str) -> None:
        """Write a landed file again, from SQL over its own rows (`landed`)."""
        path = landing_file(self.landing, table)
        with duckdb.connect() as con:
            con.execute(f"create table landed as select * from read_parquet('{path}', hive_partitioning = false)")
            con.execute(f"copy ({query}) to '{path}' (format parquet)")

    def land(self, load_id: str, contract: str = "1", **tables: str) -> None:
        """Land a second load: each table from SQL over the rows of the first (`landed`)."""
        with duckdb.connect() as con:
            for table, query in tables.items():
                first = landing_file(self.landing, table)
                con.execute(f"create or replace view landed as from read_parquet('{first}', hive_partitioning = false)")
                con.execute(f"create table {table} as {query}")
                con.execute(f"copy {table} to '{landing_file(self.landing, table, load_id)}' (format parquet)")
            write_loads(con, self.landing, tuple(tables), load_id, sequence=2, contract=contract)


def landing_file(landing: Path, table: str, load_id: str = LOAD_ID) -> Path:
    """Path of a load's only file of `table`; of the good load, when no other is named."""
    return landing / table / f"load_date={LOAD_DATE}" / f"{load_id}.parquet"


def write_landing(landing: Path, customers: int = CUSTOMER_COUNT, empty: tuple[str, ...] = ()) -> None:
    """Write one visible load of every landing table; `empty` names tables that get their zero-row file only."""
    LandingZone(landing).prepare()
    with duckdb.connect() as con:
        for table, query in _LANDING_QUERIES.items():
            con.execute(f"create table {table} as {query.format(load_id=LOAD_ID, customers=customers)}")
            if table in empty:
                con.execute(f"delete from {table}")
        write_loads(con, landing, tuple(_LANDING_QUERIES))
        for table in _LANDING_QUERIES:
            if table not in empty:
                _copy(con, f"select * from {table}", landing_file(landing, table))


def write_loads(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    tables: tuple[str, ...],
    load_id: str = LOAD_ID,
    sequence: int = 1,
    contract: str = "1",
) -> None:
    """Write the `loads` row of one load, counted from tables of `con`."""
    counts = {t: con.execute(f"select count(*) from {t}").fetchall()[0][0] for t in tables}
    listed = "{" + ", ".join(f'"{t}": {n}' for t, n in counts.items()) + "}"
    query = f"""
        select
            '{load_id}' as load_id,
            'scratch' as source,
            date '{LOAD_DATE}' as load_date,
            {sequence}::bigint as load_sequence,
            true as known_at_is_assumed,
            '{contract}' as contract_version,
            '{listed}' as tables,
            {sum(counts.values())}::bigint as row_count
            {"" if contract == "1" else ", false as is_synthetic"}
    """
    _copy(con, query, landing / "loads" / f"load_date={LOAD_DATE}" / f"{load_id}.parquet")


def _copy(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    con.execute(f"copy ({query}) to '{path}' (format parquet)")


def build_warehouse(landing: Path, warehouse: Path) -> None:
    """Build every stage's tables from the landing zone, small imitations of the dbt models and of the Python tables."""
    with duckdb.connect(str(warehouse)) as con:
        con.execute("set timezone = 'UTC'")
        for table in (*_LANDING_QUERIES, "loads"):
            con.execute(
                f"create temp view {table} as select * from "
                f"read_parquet('{landing}/{table}/*/*.parquet', hive_partitioning = false, union_by_name = true)"
            )
        con.execute(_STAGES)


_STAGES = """
create schema staging; create schema identity; create schema features; create schema ml; create schema quality;
create schema scores; create schema segments; create schema marts;

-- staging
create table staging.stg_shop__orders as
select order_id, loyalty_id, store_id, channel, status as order_status, currency, occurred_at as ordered_at,
    (occurred_at at time zone 'UTC' at time zone 'America/New_York')::date as order_date,
    (occurred_at at time zone 'UTC' at time zone 'America/New_York') as ordered_at_local, known_at, load_id,
    false as is_inferred
from orders;
create table staging.stg_shop__order_lines as
select order_id, line_number, product_id, line_type, quantity, gross_amount, retail_discount, coupon_discount,
    coupon_match_discount, tax_amount, net_amount, unit_cost, original_order_id, load_id,
    net_amount as transaction_amount, 'USD' as transaction_currency
from order_lines;
create table staging.stg_shop__products as select * exclude (occurred_at, known_at) from products;
create table staging.stg_loyalty__members as select * exclude (occurred_at, known_at) from loyalty_members;
create table staging.stg_campaigns__campaigns as select campaign_id, campaign_type, starts_on, ends_on from campaigns;
create table staging.stg_campaigns__recipients as select campaign_id, loyalty_id from campaign_recipients;
create table staging.stg_campaigns__coupons as select distinct coupon_id, campaign_id, product_id from coupons;
create table staging.stg_campaigns__coupon_redemptions as
select loyalty_id, coupon_id, campaign_id, redeemed_on from coupon_redemptions;
create table staging.quarantine (
    landing_table varchar, record_key varchar, reason varchar, payload varchar, load_id varchar,
    is_routine boolean default false
);

-- identity
create table identity.int_identity__source_records as
select *, md5(source_system || source_record_id) as source_record_key, null::varchar as set_aside_reason from (
    select 'loyalty_members' as source_system, loyalty_id as source_record_id from staging.stg_loyalty__members
    union all select distinct 'orders', loyalty_id from staging.stg_shop__orders where loyalty_id is not null
    union all select distinct 'campaign_recipients', loyalty_id from staging.stg_campaigns__recipients
    union all select distinct 'coupon_redemptions', loyalty_id from staging.stg_campaigns__coupon_redemptions
);
create table identity.master_customer_index as
select source_system, source_record_id, 'c_' || md5(source_record_id) as customer_id, source_record_key,
    'loyalty_id' as match_rule, 1.0::double as match_confidence, timestamp '2017-01-01' as valid_from,
    null::timestamp as valid_to
from identity.int_identity__source_records;
create table identity.int_identity__memberships as
select *, null::bigint as promotion_number from identity.master_customer_index;
create table identity.int_identity__review_queue (
    review_kind varchar, reason varchar, customer_id varchar, record_count integer
);
create table identity.int_identity__redirects (
    retired_customer_id varchar, customer_id varchar, retired_at timestamp
);
create table identity.int_identity__customers as
select customer_id, any_value(source_record_id) as loyalty_id from identity.master_customer_index group by all;

-- features
create table features.int_activity__orders as
select o.order_id, hash(o.loyalty_id) as record_hash, i.customer_id, o.ordered_at, o.ordered_at_local, o.order_date,
    o.store_id, o.order_date as counts_from, null::date as counts_until,
    count(*)::integer as line_count, count(distinct l.product_id) as product_count,
    sum(l.gross_amount)::decimal(18, 2) as gross_amount, sum(l.retail_discount)::decimal(18, 2) as retail_discount,
    sum(l.coupon_discount)::decimal(18, 2) as coupon_discount,
    sum(l.coupon_match_discount)::decimal(18, 2) as coupon_match_discount,
    sum(l.net_amount)::decimal(18, 2) as order_total
from staging.stg_shop__orders o
inner join staging.stg_shop__order_lines l using (order_id)
inner join identity.master_customer_index i on i.source_system = 'orders' and i.source_record_id = o.loyalty_id
group by all;
create table features.int_activity__returns (charged_order_id varchar, returned_on date, net_amount decimal(18, 2));
create table features.int_activity__memberships as
select hash(source_record_id) as record_hash, any_value(customer_id) as customer_id, null::date as known_from,
    null::date as known_until
from identity.master_customer_index group by all;
create table features.int_activity__campaign_recipients as
select hash(r.loyalty_id) as record_hash, i.customer_id, c.campaign_id, c.campaign_type, c.starts_on, c.ends_on
from staging.stg_campaigns__recipients r
inner join staging.stg_campaigns__campaigns c using (campaign_id)
inner join identity.master_customer_index i
    on i.source_system = 'campaign_recipients' and i.source_record_id = r.loyalty_id;
create table features.int_as_of_dates as
select (date '2018-01-01' - (7 * i)::integer) as as_of_date, i = 0 as is_current, true as is_scheduled,
    false as is_campaign_start
from range(0, 40) as r(i);
-- of web and mail this shop has no landed rows, and is taken to have some
create table features.int_as_of_sources as
with landed (source, first_day, last_day, row_count) as (
    select 'orders', min(order_date), max(order_date), count(*) from staging.stg_shop__orders
    union all select 'order_lines', min(order_date), max(order_date), count(*) from staging.stg_shop__orders
    union all select 'web_events', date '2017-01-01', date '2017-12-31', 1000
    union all select 'email_events', date '2017-01-01', date '2017-12-31', 1000
    union all select 'crm_contacts', date '2017-01-01', date '2017-12-31', 1000
    union all select 'survey_answers', date '2017-01-01', date '2017-12-31', 1000
    union all select 'products', null, null, count(*) from staging.stg_shop__products
    union all select 'loyalty_members', null, null, count(*) from staging.stg_loyalty__members
    union all select 'campaigns', min(starts_on), max(starts_on), count(*) from staging.stg_campaigns__campaigns
    union all select 'campaign_recipients', null, null, count(*) from staging.stg_campaigns__recipients
    union all select 'coupons', null, null, count(*) from staging.stg_campaigns__coupons
    union all select 'coupon_redemptions', min(redeemed_on), max(redeemed_on), count(*)
    from staging.stg_campaigns__coupon_redemptions
)
select as_of_date, source, row_count, first_day, last_day,
    case when row_count = 0 then 'no rows of ' || source || ' landed before this date' end as missing_reason
from features.int_as_of_dates, landed;
create table features.feat_customer_rfm as
select customer_id, as_of_date, as_of_date - max(order_date) as days_since_last_order, count(*) as order_count,
    count(distinct order_date) - 1 as repeat_purchase_day_count, sum(order_total)::decimal(18, 2) as total_spend,
    round((sum(order_total) / count(*))::double, 2) as mean_order_value,
    as_of_date - min(order_date) as customer_age_days,
    count(*) filter (order_date >= as_of_date - 28) as order_count_28d,
    coalesce(sum(order_total) filter (order_date >= as_of_date - 90), 0)::decimal(18, 2) as spend_90d
from features.int_activity__orders inner join features.int_as_of_dates on order_date < as_of_date
group by customer_id, as_of_date;
create table features.feat_customer_basket as
select customer_id, as_of_date, round(avg(line_count), 4) as mean_lines_per_order,
    count(distinct store_id) as store_count
from features.int_activity__orders inner join features.int_as_of_dates on order_date < as_of_date
group by all;
create table features.feat_customer_discount as
select customer_id, as_of_date, sum(retail_discount)::decimal(18, 2) as total_retail_discount,
    round((sum(retail_discount) / nullif(sum(gross_amount), 0))::double, 4) as retail_discount_share
from features.int_activity__orders inner join features.int_as_of_dates on order_date < as_of_date
group by all;
create table features.feat_customer_campaign as
select f.customer_id, f.as_of_date, count(r.campaign_id) as campaign_count
from features.feat_customer_rfm f
left join features.int_activity__campaign_recipients r
    on r.customer_id = f.customer_id and r.starts_on < f.as_of_date
group by all;
create table features.feat_customer_offer as
select customer_id, campaign_id, starts_on as as_of_date, campaign_type,
    hash(customer_id, campaign_id) % 9 as bought_count
from features.int_activity__campaign_recipients;
create table features.label_purchase as
with orders as (select customer_id, order_date, order_total from features.int_activity__orders)
select f.customer_id, f.as_of_date, 14 as horizon_days, (count(o.customer_id) > 0)::integer as has_purchased,
    coalesce(sum(o.order_total), 0)::decimal(18, 2) as spend
from features.feat_customer_rfm f
left join orders o
    on o.customer_id = f.customer_id and o.order_date >= f.as_of_date and o.order_date < f.as_of_date + 14
where f.as_of_date <= date '2017-12-18'
group by all;
create table features.label_purchase_windows as
select customer_id, as_of_date, has_purchased as has_purchased_7d, has_purchased as has_purchased_14d,
    has_purchased as has_purchased_28d
from features.label_purchase;
create table features.label_churn as
select f.customer_id, f.as_of_date, 28 as horizon_days, (count(o.customer_id) = 0)::integer as has_churned
from features.feat_customer_rfm f
left join features.int_activity__orders o
    on o.customer_id = f.customer_id and o.order_date >= f.as_of_date and o.order_date < f.as_of_date + 28
where f.as_of_date <= date '2017-12-04'
group by all;
create table features.label_redemption as
select r.customer_id, r.campaign_id, r.starts_on as as_of_date, r.ends_on as label_ends_on,
    (x.loyalty_id is not null)::integer as has_redeemed
from features.int_activity__campaign_recipients r
inner join identity.master_customer_index i
    on i.customer_id = r.customer_id and i.source_system = 'campaign_recipients'
left join staging.stg_campaigns__coupon_redemptions x
    on x.campaign_id = r.campaign_id and x.loyalty_id = i.source_record_id;

-- Python-written tables
create table ml.scores as
select customer_id, as_of_date, 'purchase_propensity_14d' as model_name, 'v1' as model_version,
    'h1' as feature_schema_hash,
    null::varchar as campaign_id,
    round(least(0.95, 0.05 + order_count_28d * 0.2 + (hash(customer_id) % 100) / 1000.0), 4)::double as score,
    'probability' as score_kind, 'probability' as unit, 14 as horizon_days, 'model' as fallback_tier, 'run' as run_id
from features.feat_customer_rfm where as_of_date = date '2018-01-01'
union all
select customer_id, as_of_date, 'redemption_propensity', 'v1', 'h1', campaign_id,
    round(0.05 + (hash(customer_id, campaign_id) % 200) / 1000.0, 4)::double, 'probability', 'probability', 30,
    'model', 'run'
from features.feat_customer_offer;
create table ml.model_performance as
select model_name, 'v1' as model_version, date '2017-10-16' as as_of_date, 'all' as slice, 'roc_auc' as metric,
    0.8::double as value, 0.78::double as ci_low, 0.82::double as ci_high, 'base_rate' as baseline_name,
    0.5::double as baseline, 1000::bigint as rows, 300::bigint as positives, true as is_champion, 'run' as run_id
from (values ('purchase_propensity_14d'), ('redemption_propensity')) as v (model_name);
create table ml.customer_clusters as
select customer_id, as_of_date, 'clusters' as model_name, 'v1' as model_version,
    'k' || (case when total_spend > 250 then 1 when order_count > 8 then 2 else 3 end) as cluster_key,
    'Cluster' as cluster_name, 'broad' as level, false as is_outlier, false as is_reconstructed, 'run' as run_id
from features.feat_customer_rfm where as_of_date = date '2018-01-01';
insert into ml.customer_clusters by name
select * replace ('micro' as level, cluster_key || '.1' as cluster_key) from ml.customer_clusters
where cluster_key = 'k1';

-- scores: the last mile of what Python wrote
create table scores.int_scores__scores as select * from ml.scores;
create table scores.int_scores__model_performance as select * from ml.model_performance;
create table scores.int_scores__model_versions as
select model_name, 'v1' as model_version, 'h1' as feature_schema_hash from ml.model_performance;
create table scores.int_scores__model_champions as
select model_name, 'v1' as model_version, true as is_champion, false as is_fallback from ml.model_performance;
create table scores.int_scores__customer_clusters as select * from ml.customer_clusters;
create table scores.int_scores__clusters as
select level, cluster_key, cluster_name, count(*) as member_count, 2 as size_floor
from ml.customer_clusters group by all;

-- segments
create table segments.seg_big_spenders as
select customer_id, as_of_date, 'absolute' as threshold_form from features.feat_customer_rfm
where as_of_date = date '2018-01-01' and total_spend > 200;
create table segments.seg_lapsed as
select customer_id, as_of_date, 'absolute' as threshold_form from features.feat_customer_rfm
where as_of_date = date '2018-01-01' and days_since_last_order > 30;
create table segments.seg_recent as
select customer_id, as_of_date, 'absolute' as threshold_form from features.feat_customer_rfm
where as_of_date = date '2018-01-01' and days_since_last_order <= 30;
create table segments.int_segments__catalog as
select segment_key, 'rule' as segment_type, null::varchar as parent_segment_key, 'absolute' as threshold_form,
    10 as min_members, null::varchar as missing_reason
from (values ('big_spenders'), ('lapsed'), ('recent')) as v (segment_key)
union all select distinct cluster_key, 'cluster', null, null, 10, null from ml.customer_clusters;
create table segments.int_segments__memberships as
with members as (
    select customer_id, 'big_spenders' as segment_key, as_of_date, 'rule' as segment_type from segments.seg_big_spenders
    union all select customer_id, 'lapsed', as_of_date, 'rule' from segments.seg_lapsed
    union all select customer_id, 'recent', as_of_date, 'rule' from segments.seg_recent
    union all select customer_id, cluster_key, as_of_date, 'cluster' from ml.customer_clusters
)
select *, row_number() over (partition by customer_id order by segment_key) = 1 as is_primary from members;
create table segments.int_segments__sizes as
select segment_key, count(*)::integer as member_count, count(*) / 300.0 as customer_share, 'ok' as status,
    null::varchar as status_reason
from segments.int_segments__memberships group by all;
create table segments.int_segments__flows as
select segment_key, dates.as_of_date, dates.previous_as_of_date, false as is_definition_changed, member_count
from segments.int_segments__sizes, (
    values (date '2017-12-25', null), (date '2018-01-01', date '2017-12-25')
) as dates (as_of_date, previous_as_of_date);
create table segments.int_segments__representation as
select segment_key, 'age_band' as attribute, '25-34' as attribute_value, 0.8 as representation_low,
    1.2 as representation_high, 20 as told_member_count
from segments.int_segments__sizes;

-- marts
create table marts.dim_customers as select * from identity.int_identity__customers;
create table marts.dim_products as
select product_id, department, false as is_inferred from staging.stg_shop__products
union all
select distinct product_id, null, true from staging.stg_shop__order_lines
where product_id not in (select product_id from staging.stg_shop__products);
create table marts.dim_dates as
select unnest(range(date '2017-01-01', date '2018-01-01', interval 1 day))::date as date_day;
create table marts.fct_orders as
select order_id, customer_id, ordered_at, order_date, order_total, line_count from features.int_activity__orders;
create table marts.fct_order_lines as
select order_id, line_number, product_id, quantity, net_amount as sales_amount from staging.stg_shop__order_lines;
create table marts.fct_segment_memberships as
select customer_id, segment_key, as_of_date, as_of_date::timestamp as valid_from
from segments.int_segments__memberships;
create table marts.dim_segments as
select segment_key, segment_key as segment_name, segment_type, null::varchar as parent_segment_key,
    '' as description, '' as suggested_action, 1 as priority, count(*) as member_count
from segments.int_segments__memberships group by all;
create table marts.fct_scores as select * from ml.scores;
create table marts.rpt_model_performance as select * from ml.model_performance;
create table marts.rpt_segment_summary as
select m.segment_key, m.segment_key as segment_name, m.segment_type, count(*) as member_count,
    round(count(*) / (select count(*) from marts.dim_customers), 4) as customer_share,
    sum(f.total_spend)::decimal(18, 2) as total_spend, 0.1::double as spend_share
from segments.int_segments__memberships m inner join features.feat_customer_rfm f using (customer_id, as_of_date)
group by all;
create table marts.rpt_data_quality (
    gate varchar, expectation varchar, success boolean, observed_value varchar, run_at timestamp
);
"""
