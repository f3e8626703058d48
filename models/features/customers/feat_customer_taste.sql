-- Entropy: H = ln N - (sum of n ln n) / N, in nats (Shannon 1948), n lines of each category, N of all.
-- The season to come is known from two years: the same four weeks of each, against the mean of four weeks.
{%- set fours_in_two_years = 26 %}

with computed as (
    select * from {{ ref('int_features__taste').include(database=false) }}
),

spend as (
    select * from {{ ref('int_features__rfm').include(database=false) }}
),

sources as (
    {{ missing_sources(['products']) }}
),

history as (
    select * from {{ ref('int_as_of_history').include(database=false) }}
    where source = 'orders'
)

select
    -- keys
    computed.customer_id,
    computed.as_of_date,
    computed.identity_basis,
    -- variety
    {{ unless_missing('computed.favorite_category') }} as favorite_category,
    {{ unless_missing('cast(computed.favorite_line_count as double) / computed.line_count') }}
        as favorite_category_line_share,
    {{ unless_missing(
        'greatest(0.0, ln(computed.line_count) - cast(computed.sum_of_n_log_n as double) / computed.line_count)'
    ) }} as category_entropy,
    -- price
    {{ unless_missing(
        'exp(cast(computed.log_price_above_mean as double) / nullif(computed.priced_line_count, 0))'
    ) }} as price_index,
    -- season
    case
        when history.history_days >= 728 and spend.total_spend_728d > 0
            then
                {{ fours_in_two_years }} / 2.0
                * cast(
                    spend.total_spend_364d - spend.total_spend_336d + spend.total_spend_728d - spend.total_spend_700d
                    as double
                )
                / cast(spend.total_spend_728d as double)
    end as coming_season_spend_ratio
from computed
inner join spend
    on
        computed.customer_id = spend.customer_id
        and computed.as_of_date = spend.as_of_date
inner join sources on computed.as_of_date = sources.as_of_date
inner join history on computed.as_of_date = history.as_of_date
