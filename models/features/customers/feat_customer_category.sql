with computed as (
    select * from {{ ref('int_features__categories').include(database=false) }}
),

sources as (
    {{ missing_sources(['products']) }}
)

select
    -- keys
    computed.customer_id,
    computed.as_of_date,
    computed.category,
    computed.identity_basis,
    -- shares
    cast(computed.line_count as double) / sum(computed.line_count) over of_customer as category_line_share,
    case
        when sum(computed.net_amount) over of_customer > 0
            then
                greatest(
                    0.0, cast(computed.net_amount as double) / cast(sum(computed.net_amount) over of_customer as double)
                )
    end as category_spend_share
from computed
inner join sources on computed.as_of_date = sources.as_of_date
-- a shop without its products knows no shares, rather than that all is unknown
where sources.missing_reason is null
window of_customer as (partition by computed.customer_id, computed.as_of_date)
