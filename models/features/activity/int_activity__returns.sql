-- Each return is charged on an order: on the line that it takes back; where it fits no line, on the order that the
-- source names and that was placed before it, else on the latest order of the same buyer that stood when the return
-- became known. A buyer without such an order bought before the history begins, and nothing that counts is taken off.

with returns as (
    select * from {{ ref('stg_shop__returns') }}
),

stg_orders as (
    select * from {{ ref('stg_shop__orders') }}
),

orders as (
    select * from {{ ref('int_activity__orders') }}
),

order_lines as (
    select * from {{ ref('int_activity__order_lines') }}
),

of_lines as (
    select
        returns.order_id,
        returns.line_number,
        returns.is_matched,
        orders.record_hash,
        orders.order_id as charged_order_id,
        order_lines.line_number as charged_line_number
    from returns
    inner join order_lines
        on
            returns.original_order_id = order_lines.order_id
            and returns.original_line_number = order_lines.line_number
    inner join orders on order_lines.order_id = orders.order_id
    where returns.is_matched
),

of_orders as (
    select
        returns.order_id,
        returns.line_number,
        returns.is_matched,
        orders.record_hash,
        orders.order_id as charged_order_id,
        cast(null as integer) as charged_line_number
    from returns
    inner join orders
        on
            returns.original_order_id = orders.order_id
            and returns.returned_on >= orders.order_date
    where not returns.is_matched
),

of_nothing as (
    select
        returns.order_id,
        returns.line_number,
        returns.is_matched,
        returns.returned_at,
        returns.returned_on,
        {{ record_hash("'orders'", 'stg_orders.buyer') }} as record_hash
    from returns
    inner join stg_orders on returns.order_id = stg_orders.order_id
    left join orders
        on
            returns.original_order_id = orders.order_id
            and returns.returned_on >= orders.order_date
    where
        not returns.is_matched
        and orders.order_id is null
),

of_customers as (
    select
        of_nothing.order_id,
        of_nothing.line_number,
        of_nothing.is_matched,
        of_nothing.record_hash,
        orders.order_id as charged_order_id,
        cast(null as integer) as charged_line_number,
        row_number() over (
            partition by of_nothing.order_id, of_nothing.line_number
            order by orders.ordered_at desc, orders.order_id desc
        ) as order_rank
    from of_nothing
    inner join orders
        on
            of_nothing.record_hash = orders.record_hash
            and of_nothing.returned_at >= orders.ordered_at
            and (orders.counts_until is null or of_nothing.returned_on < orders.counts_until)
),

charged as (
    select * from of_lines
    union all
    select * from of_orders
    union all
    select
        order_id,
        line_number,
        is_matched,
        record_hash,
        charged_order_id,
        charged_line_number
    from of_customers
    where order_rank = 1
)

select
    -- keys
    charged.order_id,
    charged.line_number,
    charged.is_matched,
    charged.record_hash,
    charged.charged_order_id,
    charged.charged_line_number,
    -- dates
    returns.returned_on,
    -- what was given back
    returns.quantity,
    returns.gross_amount,
    returns.retail_discount,
    returns.coupon_discount,
    returns.coupon_match_discount,
    returns.net_amount
from charged
inner join returns
    on
        charged.order_id = returns.order_id
        and charged.line_number = returns.line_number
        and charged.is_matched = returns.is_matched
