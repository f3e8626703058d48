-- noqa: disable=LT02,RF02
with computed as (
    select * from {{ ref('int_features__basket').include(database=false) }}
),

sources as (
    {{ missing_sources(['products']) }}
)

select
    -- keys
    computed.customer_id,
    computed.as_of_date,
    computed.identity_basis,
    -- size
    cast(line_count as double) / cast(order_count as double) as mean_lines_per_order,
    cast(net_amount as double) / cast(line_count as double) as mean_line_value,
    {{ unless_missing('cast(basket_category_count as double) / cast(order_count as double)') }}
        as mean_categories_per_order,
    -- variety
    product_count,
    {{ unless_missing('category_count') }} as category_count,
    store_count,
    1 - cast(product_count as double) / cast(line_count as double) as repeat_line_share,
    -- habits
    {{ unless_missing(
        'case when net_amount > 0 then least(1.0, greatest(0.0, cast(private_brand_amount as double) '
        ~ '/ cast(net_amount as double))) else 0.0 end'
    ) }} as private_brand_spend_share,
    cast(saturday_order_count + sunday_order_count as double) / cast(order_count as double) as weekend_order_share,
    cast(evening_order_count as double) / cast(order_count as double) as evening_order_share,
    {{ most_of(weekdays(), 'order_count') }} as preferred_weekday,
    {{ most_of(dayparts().keys() | list, 'order_count') }} as preferred_daypart,
    {{ most_of(order_channels(), 'order_count') }} as preferred_channel
from computed
inner join sources on computed.as_of_date = sources.as_of_date
