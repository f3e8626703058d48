with computed as (
    select * from {{ ref('int_features__categories').include(database=false) }}
)

select
    -- keys
    customer_id,
    as_of_date,
    category,
    identity_basis,
    -- shares
    cast(line_count as double) / sum(line_count) over of_customer as category_line_share,
    case
        when sum(net_amount) over of_customer > 0
            then greatest(0.0, cast(net_amount as double) / cast(sum(net_amount) over of_customer as double))
    end as category_spend_share
from computed
window of_customer as (partition by customer_id, as_of_date)
