{#-
    The rows of a table that Python wrote, under the ids that its customers have now: who was merged since the last run of
    Python has another one. Where both have a row, the one that kept its id stands. `keys` are the columns that make a
    row one of a kind besides customer_id.
-#}
{%- macro current_customers(relation, columns, keys) -%}
    with written as (
        select * from {{ relation }}
    ),

    redirects as (
        select * from {{ ref('int_identity__redirects') }}
    ),

    followed as (
        select
            case when redirects.retired_customer_id is null then written.customer_id else redirects.customer_id end
                as customer_id,
            {% for column in columns -%}
                written.{{ column }},
            {% endfor -%}
            row_number() over (
                partition by
                    case when redirects.retired_customer_id is null then written.customer_id else redirects.customer_id end
                    {%- for key in keys %}, written.{{ key }}{% endfor %}
                order by redirects.retired_customer_id asc nulls first
            ) as place
        from written
        left join redirects on written.customer_id = redirects.retired_customer_id
    )

    select
        customer_id,
        {{ columns | join(',\n        ') }}
    from followed
    where
        place = 1
        and customer_id is not null
{%- endmacro -%}
