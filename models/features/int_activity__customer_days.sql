-- Every feature model joins to its as-of dates from here: a tenth of the rows of the order lines. What must
-- be counted distinct up to a date (products, categories, stores) is stored as the number of *new* ones of
-- the day, so that a plain sum over earlier days is the exact distinct count at any later date.

with orders as (
    select * from {{ ref('int_activity__orders') }}
),

order_lines as (
    select * from {{ ref('int_activity__order_lines') }}
),

order_days as (
    select
        customer_id,
        order_date,
        count(*) as order_count,
        count(*) filter (where coupon_discount > 0 or coupon_match_discount > 0) as coupon_order_count,
        count(*) filter (where hour(ordered_at_local) >= 17) as evening_order_count,
        sum(line_count) as line_count,
        sum(gross_amount) as gross_amount,
        sum(retail_discount) as retail_discount,
        sum(coupon_discount) as coupon_discount,
        sum(coupon_match_discount) as coupon_match_discount,
        sum(order_total) as order_total
    from orders
    group by customer_id, order_date
),

line_days as (
    select
        customer_id,
        order_date,
        count(*) filter (where retail_discount > 0) as discounted_line_count,
        sum(case when brand_type = 'Private' then net_amount else 0 end) as private_brand_amount
    from order_lines
    group by customer_id, order_date
),

first_products as (
    select
        customer_id,
        product_id,
        min(order_date) as order_date
    from order_lines
    group by customer_id, product_id
),

new_products as (
    select
        customer_id,
        order_date,
        count(*) as new_product_count
    from first_products
    group by customer_id, order_date
),

first_categories as (
    select
        customer_id,
        product_category,
        min(order_date) as order_date
    from order_lines
    where product_category is not null
    group by customer_id, product_category
),

new_categories as (
    select
        customer_id,
        order_date,
        count(*) as new_category_count
    from first_categories
    group by customer_id, order_date
),

first_stores as (
    select
        customer_id,
        store_id,
        min(order_date) as order_date
    from orders
    where store_id is not null
    group by customer_id, store_id
),

new_stores as (
    select
        customer_id,
        order_date,
        count(*) as new_store_count
    from first_stores
    group by customer_id, order_date
),

joined as (
    select
        order_days.customer_id,
        order_days.order_date,
        lag(order_days.order_date) over (
            partition by order_days.customer_id
            order by order_days.order_date
        ) as previous_order_date,
        order_days.order_count,
        order_days.coupon_order_count,
        order_days.evening_order_count,
        order_days.line_count,
        line_days.discounted_line_count,
        coalesce(new_products.new_product_count, 0) as new_product_count,
        coalesce(new_categories.new_category_count, 0) as new_category_count,
        coalesce(new_stores.new_store_count, 0) as new_store_count,
        order_days.gross_amount,
        order_days.retail_discount,
        order_days.coupon_discount,
        order_days.coupon_match_discount,
        line_days.private_brand_amount,
        order_days.order_total
    from order_days
    inner join line_days
        on
            order_days.customer_id = line_days.customer_id
            and order_days.order_date = line_days.order_date
    left join new_products
        on
            order_days.customer_id = new_products.customer_id
            and order_days.order_date = new_products.order_date
    left join new_categories
        on
            order_days.customer_id = new_categories.customer_id
            and order_days.order_date = new_categories.order_date
    left join new_stores
        on
            order_days.customer_id = new_stores.customer_id
            and order_days.order_date = new_stores.order_date
)

select
    -- keys
    customer_id,
    order_date,
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
