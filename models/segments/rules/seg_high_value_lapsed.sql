with lapsed as (
    select * from {{ ref('seg_lapsed') }}
),

features as (
    select * from {{ ref('feat_customer_rfm') }}
),

dates as (
    select as_of_date
    from lapsed
    group by as_of_date
),

ranked as (
    select
        features.customer_id,
        features.as_of_date,
        percent_rank() over (partition by features.as_of_date order by features.total_spend) as spend_percent_rank
    from features
    inner join dates on features.as_of_date = dates.as_of_date
)

select
    lapsed.customer_id,
    lapsed.as_of_date
from lapsed
inner join ranked
    on
        lapsed.customer_id = ranked.customer_id
        and lapsed.as_of_date = ranked.as_of_date
where ranked.spend_percent_rank >= 0.5
