-- How customers looked around on the web in the week and the four weeks before each date: what one table of counts a
-- day cannot tell, such as how often within one visit or one hour.

{%- set week = 7 * 86400 %}
{%- set enough = setting('segments.rules.browsing_enthusiasts.views_in_session') %}

-- noqa: disable=LT02
with events as (
    select * from {{ ref('int_segments__web_events') }}
),

memberships as (
    select * from {{ ref('int_activity__memberships') }}
),

purchases as (
    select * from {{ ref('int_activity__purchased_categories') }}
),

bought_types as (
    select * from {{ ref('int_segments__niche_types') }}
),

counted as (
    select
        customer_id,
        as_of_date,
        min(seconds_before) as seconds_since_last_event,
        min(case when event_name = 'Product Viewed' then seconds_before end) as seconds_since_last_product_view,
        sum(case when event_name = 'Promotion Clicked' and seconds_before <= {{ week }} then 1 else 0 end)
            as promotion_click_count_7d,
        sum(
            case
                when event_name = 'Product Viewed' and shown_price is not null and seconds_before <= {{ week }} then 1
                else 0
            end
        ) as price_view_count_7d,
        sum(case when event_name = 'Product Viewed' and seconds_before <= 86400 then 1 else 0 end)
            as product_view_count_24h
    from events
    group by customer_id, as_of_date
),

by_product as (
    select
        customer_id,
        as_of_date,
        product_id,
        product_category,
        sum(case when event_name = 'Product Viewed' then 1 else 0 end) as view_count,
        -- reading what others say of it is engagement, and so is putting it into the cart
        sum(case when event_name = 'Product Added' or content_type in ('review', 'tutorial') then 1 else 0 end)
            as engaged_count
    from events
    where product_id is not null and seconds_before <= {{ week }}
    group by customer_id, as_of_date, product_id, product_category
),

-- of the categories that they looked at, those that they had bought of
purchased_categories as (
    select
        by_product.customer_id,
        by_product.as_of_date,
        by_product.product_category
    from by_product
    inner join memberships
        on
            by_product.customer_id = memberships.customer_id
            and {{ owned_at('by_product.as_of_date') }}
    inner join purchases
        on
            memberships.record_hash = purchases.record_hash
            and by_product.product_category = purchases.product_category
            and {{ counts_at('by_product.as_of_date', 'purchases') }}
    where by_product.product_category <> 'unknown'
    group by by_product.customer_id, by_product.as_of_date, by_product.product_category
),

products_compared as (
    select
        by_product.customer_id,
        by_product.as_of_date,
        max(by_product.view_count) as most_views_of_a_product_7d,
        max(case when by_product.engaged_count = 0 then by_product.view_count end)
            as most_views_of_a_product_not_engaged_with_7d,
        max(case when purchased_categories.product_category is not null then by_product.view_count end)
            as most_views_of_a_product_like_one_bought_7d
    from by_product
    left join purchased_categories
        on
            by_product.customer_id = purchased_categories.customer_id
            and by_product.as_of_date = purchased_categories.as_of_date
            and by_product.product_category = purchased_categories.product_category
    group by by_product.customer_id, by_product.as_of_date
),

of_categories as (
    select
        *,
        count(*) over (
            partition by customer_id, as_of_date, category_viewed
            order by event_at
            range between interval 1 hour preceding and current row
        ) as views_within_an_hour
    from events
    where category_viewed is not null and category_viewed <> 'unknown'
),

by_category_and_session as (
    select
        customer_id,
        as_of_date,
        session_id,
        session_started_at,
        category_viewed,
        count(*) as view_count,
        min(seconds_before) as seconds_before,
        max(case when seconds_before <= {{ week }} then views_within_an_hour end) as most_views_within_an_hour
    from of_categories
    group by customer_id, as_of_date, session_id, session_started_at, category_viewed
),

by_session as (
    select
        customer_id,
        as_of_date,
        session_id,
        session_started_at,
        max(view_count) as most_views_of_a_category,
        max(most_views_within_an_hour) as most_views_within_an_hour,
        min(seconds_before) as seconds_before
    from by_category_and_session
    group by customer_id, as_of_date, session_id, session_started_at
),

sessions_compared as (
    select
        customer_id,
        as_of_date,
        max(case when seconds_before <= {{ week }} then most_views_of_a_category end)
            as most_views_of_a_category_in_a_session_7d,
        max(most_views_within_an_hour) as most_views_of_a_category_in_an_hour_7d,
        sum(case when most_views_of_a_category >= {{ enough }} then 1 else 0 end) as session_count_of_one_category_28d
    from by_session
    group by customer_id, as_of_date
),

-- A search is for what was looked at next in the same visit: the words themselves are spelt in many ways.
steps as (
    select
        customer_id,
        as_of_date,
        event_name,
        lead(event_name) over visit as next_event_name,
        lead(product_type) over visit as next_product_type
    from events
    where event_name in ('Products Searched', 'Product Viewed')
    window visit as (
        partition by customer_id, as_of_date, session_id, session_started_at
        order by event_at, event_id
    )
),

niche_searches as (
    select
        steps.customer_id,
        steps.as_of_date,
        count(*) as niche_search_count_28d
    from steps
    left join bought_types
        on
            steps.as_of_date = bought_types.as_of_date
            and steps.next_product_type = bought_types.product_type
    where
        steps.event_name = 'Products Searched'
        and steps.next_event_name = 'Product Viewed'
        and steps.next_product_type is not null
        -- what nobody has bought is the rarest
        and coalesce(bought_types.buyer_share, 0) < {{ setting('segments.rules.niche_searchers.buyer_share') }}
    group by steps.customer_id, steps.as_of_date
),

things as (
    select
        customer_id,
        as_of_date,
        {{ list_of_distinct(
            "case when event_name = 'Product Viewed' and seconds_before <= 2 * 86400 then product_id end"
        ) }} as products_viewed_48h,
        {{ list_of_distinct('case when seconds_before <= 7 * 86400 then category_viewed end') }} as categories_viewed_7d
    from events
    group by customer_id, as_of_date
)

select
    -- keys
    counted.customer_id,
    counted.as_of_date,
    -- time
    counted.seconds_since_last_event,
    counted.seconds_since_last_product_view,
    -- counts
    cast(counted.product_view_count_24h as integer) as product_view_count_24h,
    cast(counted.price_view_count_7d as integer) as price_view_count_7d,
    cast(counted.promotion_click_count_7d as integer) as promotion_click_count_7d,
    {% for measure in [
        'most_views_of_a_product_7d', 'most_views_of_a_product_not_engaged_with_7d',
        'most_views_of_a_product_like_one_bought_7d',
    ] -%}
        cast(coalesce(products_compared.{{ measure }}, 0) as integer) as {{ measure }},
    {% endfor -%}
    {% for measure in [
        'most_views_of_a_category_in_a_session_7d', 'most_views_of_a_category_in_an_hour_7d',
        'session_count_of_one_category_28d',
    ] -%}
        cast(coalesce(sessions_compared.{{ measure }}, 0) as integer) as {{ measure }},
    {% endfor -%}
    cast(coalesce(niche_searches.niche_search_count_28d, 0) as integer) as niche_search_count_28d,
    -- things
    things.products_viewed_48h,
    things.categories_viewed_7d
from counted
inner join things
    on
        counted.customer_id = things.customer_id
        and counted.as_of_date = things.as_of_date
left join products_compared
    on
        counted.customer_id = products_compared.customer_id
        and counted.as_of_date = products_compared.as_of_date
left join sessions_compared
    on
        counted.customer_id = sessions_compared.customer_id
        and counted.as_of_date = sessions_compared.as_of_date
left join niche_searches
    on
        counted.customer_id = niche_searches.customer_id
        and counted.as_of_date = niche_searches.as_of_date
