-- The score is the mean of three parts, each from 0 to 1: how recently (halved every two weeks), how often (half at
-- three visit days in four weeks), and how much (half at five pages a session of the last four weeks).
{% set half_life_days, half_visit_days, half_pages = 14, 3, 5 %}
{%- set of_windows = ['session_count', 'page_view_count', 'product_view_count', 'add_count'] %}

with computed as (
    select * from {{ ref('int_features__engagement').include(database=false) }}
),

sources as (
    {{ missing_sources(['products']) }}
),

history as (
    select * from {{ ref('int_as_of_history').include(database=false) }}
    where source = 'web'
)

-- noqa: disable=LT02
select
    -- keys
    computed.customer_id,
    computed.as_of_date,
    computed.identity_basis,
    -- time
    computed.days_since_first_seen,
    computed.days_since_last_seen,
    computed.days_since_last_product_view,
    computed.days_since_last_search,
    computed.days_since_last_add,
    computed.days_since_last_checkout,
    -- counts
    {% for measure in of_windows -%}
        computed.{{ measure }},
        {% for window in [7, 28, 90] -%}
            {{ windowed(measure, window) }},
        {% endfor -%}
    {% endfor -%}
    {% for measure in ['category_view_count', 'content_view_count', 'search_count'] -%}
        computed.{{ measure }},
        {{ windowed(measure, 28) }},
    {% endfor -%}
    {{ windowed('viewed_product_count', 28) }},
    case when sources.missing_reason is null and history.history_days >= 28 then computed.viewed_category_count_28d end
        as viewed_category_count_28d,
    computed.visit_day_count,
    {{ windowed('visit_day_count', 28) }},
    case when history.history_days >= 28 then cast(computed.visit_day_count_28d as double) / 4 end as visit_days_a_week,
    -- habits
    cast(computed.dwell_seconds as double) / computed.session_count as mean_session_seconds,
    cast(computed.page_view_count as double) / computed.session_count as mean_pages_per_session,
    cast(computed.discounted_view_count as double) / nullif(computed.product_view_count, 0) as discounted_view_share,
    -- of the sessions that could have gone on
    cast(computed.abandoned_browse_count as double) / computed.session_count as browse_abandonment_share,
    cast(computed.abandoned_cart_count as double)
    / nullif(computed.abandoned_cart_count + computed.abandoned_checkout_count + computed.order_count, 0)
        as cart_abandonment_share,
    cast(computed.abandoned_checkout_count as double)
    / nullif(computed.abandoned_checkout_count + computed.order_count, 0) as checkout_abandonment_share,
    {{ most_of(['desktop', 'mobile', 'tablet'], 'session_count') }} as preferred_device,
    -- all of it in one number
    (
        power(0.5, cast(computed.days_since_last_seen as double) / {{ half_life_days }})
        + cast(computed.visit_day_count_28d as double) / (computed.visit_day_count_28d + {{ half_visit_days }})
        + coalesce(
            cast(computed.page_view_count_28d as double) / nullif(computed.session_count_28d, 0)
            / (cast(computed.page_view_count_28d as double) / nullif(computed.session_count_28d, 0) + {{ half_pages }}),
            0
        )
    ) / 3 as engagement_score
from computed
inner join sources on computed.as_of_date = sources.as_of_date
inner join history on computed.as_of_date = history.as_of_date
