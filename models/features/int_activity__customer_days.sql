-- Every feature model joins to its as-of dates from here: a tenth of the rows of the order lines. What must
-- be counted distinct up to a date (products, categories, stores) is stored as the number of *new* ones of
-- the day, so that a plain sum over earlier days is the exact distinct count at any later date.
--
-- A return changes what is known of a day, and a feature may not use it earlier. So the days of a customer with
-- returns stand here once for each state of knowledge, from known_after to known_until: before the first
-- return, between the first and the second, and so on. Nearly all customers have one state and no limits.

with orders as (
    select * from {{ ref('int_activity__orders') }}
),

order_lines as (
    select * from {{ ref('int_activity__order_lines') }}
),

returns as (
    select * from {{ ref('int_activity__returns') }}
),

changes as (
    select
        customer_id,
        returned_on as changed_on
    from returns
    union
    select
        customer_id,
        taken_back_on as changed_on
    from orders
    where taken_back_on is not null
),

states as (
    select
        customer_id,
        0 as state_number,
        cast(null as date) as known_after,
        min(changed_on) as known_until
    from changes
    group by customer_id
    union all
    select
        customer_id,
        row_number() over (partition by customer_id order by changed_on) as state_number,
        changed_on as known_after,
        lead(changed_on) over (partition by customer_id order by changed_on) as known_until
    from changes
),

known_orders as (
    select
        orders.*,
        states.known_after,
        coalesce(states.state_number, 0) as state_number
    from orders
    left join states
        on
            orders.customer_id = states.customer_id
            and (states.known_until is null or orders.order_date < states.known_until)
    where
        orders.taken_back_on is null
        or orders.taken_back_on > coalesce(states.known_after, orders.order_date)
),

known_lines as (
    select
        order_lines.*,
        coalesce(states.state_number, 0) as state_number
    from order_lines
    left join states
        on
            order_lines.customer_id = states.customer_id
            and (states.known_until is null or order_lines.order_date < states.known_until)
    where
        order_lines.line_type = 'sale'
        and (
            order_lines.taken_back_on is null
            or order_lines.taken_back_on > coalesce(states.known_after, order_lines.order_date)
        )
),

-- What had been given back of an order, in each state.
known_returns as (
    select
        returns.*,
        known_orders.state_number,
        known_orders.known_after,
        known_orders.order_date
    from returns
    inner join known_orders
        on
            returns.charged_order_id = known_orders.order_id
            and returns.returned_on <= known_orders.known_after
),

order_days as (
    select
        customer_id,
        state_number,
        order_date,
        count(*) as order_count,
        count(*) filter (where coupon_discount > 0 or coupon_match_discount > 0) as coupon_order_count,
        count(*) filter (where hour(ordered_at_local) >= 17) as evening_order_count,
        sum(gross_amount) as gross_amount,
        sum(retail_discount) as retail_discount,
        sum(coupon_discount) as coupon_discount,
        sum(coupon_match_discount) as coupon_match_discount,
        sum(order_total) as order_total
    from known_orders
    group by customer_id, state_number, order_date
),

line_days as (
    select
        customer_id,
        state_number,
        order_date,
        count(*) as line_count,
        count(*) filter (where retail_discount > 0) as discounted_line_count,
        sum(case when brand_type = 'Private' then net_amount else 0 end) as private_brand_amount
    from known_lines
    group by customer_id, state_number, order_date
),

return_days as (
    select
        known_returns.customer_id,
        known_returns.state_number,
        known_returns.order_date,
        sum(known_returns.gross_amount) as gross_amount,
        sum(known_returns.retail_discount) as retail_discount,
        sum(known_returns.coupon_discount) as coupon_discount,
        sum(known_returns.coupon_match_discount) as coupon_match_discount,
        sum(known_returns.net_amount) as order_total,
        sum(case when order_lines.brand_type = 'Private' then known_returns.net_amount else 0 end)
            as private_brand_amount
    from known_returns
    -- a line that came back as a whole is not among the known lines any more
    left join order_lines
        on
            known_returns.charged_order_id = order_lines.order_id
            and known_returns.charged_line_number = order_lines.line_number
            and (order_lines.taken_back_on is null or known_returns.known_after < order_lines.taken_back_on)
    group by known_returns.customer_id, known_returns.state_number, known_returns.order_date
),

first_products as (
    select
        customer_id,
        state_number,
        product_id,
        min(order_date) as order_date
    from known_lines
    group by customer_id, state_number, product_id
),

new_products as (
    select
        customer_id,
        state_number,
        order_date,
        count(*) as new_product_count
    from first_products
    group by customer_id, state_number, order_date
),

first_categories as (
    select
        customer_id,
        state_number,
        product_category,
        min(order_date) as order_date
    from known_lines
    where product_category is not null
    group by customer_id, state_number, product_category
),

new_categories as (
    select
        customer_id,
        state_number,
        order_date,
        count(*) as new_category_count
    from first_categories
    group by customer_id, state_number, order_date
),

first_stores as (
    select
        customer_id,
        state_number,
        store_id,
        min(order_date) as order_date
    from known_orders
    where store_id is not null
    group by customer_id, state_number, store_id
),

new_stores as (
    select
        customer_id,
        state_number,
        order_date,
        count(*) as new_store_count
    from first_stores
    group by customer_id, state_number, order_date
),

joined as (
    select
        order_days.customer_id,
        order_days.order_date,
        states.known_after,
        states.known_until,
        lag(order_days.order_date) over (
            partition by order_days.customer_id, order_days.state_number
            order by order_days.order_date
        ) as previous_order_date,
        order_days.order_count,
        order_days.coupon_order_count,
        order_days.evening_order_count,
        line_days.line_count,
        line_days.discounted_line_count,
        coalesce(new_products.new_product_count, 0) as new_product_count,
        coalesce(new_categories.new_category_count, 0) as new_category_count,
        coalesce(new_stores.new_store_count, 0) as new_store_count,
        order_days.gross_amount - coalesce(return_days.gross_amount, 0) as gross_amount,
        order_days.retail_discount - coalesce(return_days.retail_discount, 0) as retail_discount,
        order_days.coupon_discount - coalesce(return_days.coupon_discount, 0) as coupon_discount,
        order_days.coupon_match_discount - coalesce(return_days.coupon_match_discount, 0) as coupon_match_discount,
        line_days.private_brand_amount - coalesce(return_days.private_brand_amount, 0) as private_brand_amount,
        order_days.order_total - coalesce(return_days.order_total, 0) as order_total
    from order_days
    inner join line_days
        on
            order_days.customer_id = line_days.customer_id
            and order_days.state_number = line_days.state_number
            and order_days.order_date = line_days.order_date
    left join return_days
        on
            order_days.customer_id = return_days.customer_id
            and order_days.state_number = return_days.state_number
            and order_days.order_date = return_days.order_date
    left join states
        on
            order_days.customer_id = states.customer_id
            and order_days.state_number = states.state_number
    left join new_products
        on
            order_days.customer_id = new_products.customer_id
            and order_days.state_number = new_products.state_number
            and order_days.order_date = new_products.order_date
    left join new_categories
        on
            order_days.customer_id = new_categories.customer_id
            and order_days.state_number = new_categories.state_number
            and order_days.order_date = new_categories.order_date
    left join new_stores
        on
            order_days.customer_id = new_stores.customer_id
            and order_days.state_number = new_stores.state_number
            and order_days.order_date = new_stores.order_date
)

select
    -- keys
    customer_id,
    order_date,
    -- when this was what was known of the day
    known_after,
    known_until,
    -- rhythm
    cast(order_date - previous_order_date as integer) as days_since_previous_order,
    -- 1900-01-01 was a Monday: days 5 and 6 of its weeks are Saturday and Sunday on every engine
    cast(order_date - cast('1900-01-01' as date) as integer) % 7 >= 5 as is_weekend,
    -- counts
    cast(order_count as integer) as order_count,
    cast(coupon_order_count as integer) as coupon_order_count,
    cast(evening_order_count as integer) as evening_order_count,
    cast(line_count as integer) as line_count,
    cast(discounted_line_count as integer) as discounted_line_count,
    cast(new_product_count as integer) as new_product_count,
    cast(new_category_count as integer) as new_category_count,
    cast(new_store_count as integer) as new_store_count,
    -- amounts
    cast(gross_amount as decimal(18, 2)) as gross_amount,
    cast(retail_discount as decimal(18, 2)) as retail_discount,
    cast(coupon_discount as decimal(18, 2)) as coupon_discount,
    cast(coupon_match_discount as decimal(18, 2)) as coupon_match_discount,
    cast(private_brand_amount as decimal(18, 2)) as private_brand_amount,
    cast(order_total as decimal(18, 2)) as order_total
from joined
