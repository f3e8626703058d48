{#-
    Features of customers at all due as-of dates, from what their records did: CTEs, the last of which is `over_time`, one
    row per customer and as-of date from the customer's first fact on, with the columns customer_id and as_of_date.

    Each of `facts` is a mapping:
        relation    a model: record_hash, day (or the column that is named as `day`), and the columns that are used
        spans       whether it has counts_from and counts_until: a fact counts at dates after counts_from and, unless
                    counts_until is null, up to it
        where       a condition on its rows
        sums        {feature: {of: a column, windows: days, none for all time}}
        latest      {feature: a column}, the greatest of all time; `earliest` likewise the smallest
        distinct    {feature: {of: a column, windows: as above}}: how many different values, null not among them
        previous    the column with the day before on which the record had the same value, null for the first

    A feature of a window is named with its days: order_count_28d. A fact of day d counts at the dates after d, in a window
    of w days at those up to d + w. With `by`, a column that all the relations have, there is a row for each of its values,
    and the values of a customer are known from their own first fact on; `distinct` is not for it. Customers of the grid
    `few` have few dates (`at_few_dates`), the others many (`at_many_dates`).
-#}
{%- macro over_time(facts, by=none) -%}
    {%- if execute and 'among' not in (config.get('meta') or {}).get('increment', {}) and model.resource_type == 'model' -%}
        {{ exceptions.raise_compiler_error(
            "over_time gives the rows of dates and customers that are due, and " ~ model.name ~ " does not keep the others. "
            ~ "Next: give it the config materialized: incremental and meta: {increment: {among: int_activity__fingerprints}}."
        ) }}
    {%- endif -%}
    {%- if execute and model.resource_type == 'model' and not is_incremental() and changes_continue() -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ " is built anew, and the last build of the stage computed only what had changed. "
            ~ "Next: dbt build --select tag:features --full-refresh."
        ) }}
    {%- endif -%}
    {%- set columns = columns_over_time(facts) -%}
    {%- if by and facts | selectattr('distinct', 'defined') | list -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ " counts distinct values by " ~ by ~ ". Next: count them without `by`, or sum them."
        ) }}
    {%- endif -%}
    {{ at_few_dates(facts, columns, by) }}
    {{- at_many_dates(facts, columns, by) }}
-- Spelled out: held against the dates by comparison, each row would be tried with all of them.
many_dates_apart as (
    select
        many_dates.*,
        {{ each_number('many_dates.date_number', 'coalesce(many_dates.next_number, last_dates.last_number + 1)') }} as at_number
    from many_dates
    inner join {{ ref('int_activity__customers') }} as customers
        on many_dates.customer_number = customers.customer_number
    inner join (
        select
            grid,
            max(date_number) as last_number
        from {{ ref('int_as_of_grid') }}
        group by grid
    ) as last_dates
        on customers.grid = last_dates.grid
),

over_time as (
    {%- for relation in ['few_dates', 'many_dates'] %}
    select
        customers.customer_id,
        as_of_grid.as_of_date
        {{- ', ' ~ relation ~ '.' ~ by if by }}
        {%- for column, kind in columns.items() if not kind.for_a_while %},
        {% if kind.while and relation == 'many_dates' -%}
            {{ kind.greater }}({{ relation }}.{{ column }}, {{ relation }}.{{ kind.while }}) as {{ column }}
        {%- elif kind.aggregate == 'sum' -%}
            coalesce({{ relation }}.{{ column }}, 0) as {{ column }}
        {%- else -%}
            {{ relation }}.{{ column }}
        {%- endif %}
        {%- endfor %}
    from {{ 'many_dates_apart as many_dates' if relation == 'many_dates' else relation }}
    inner join {{ ref('int_activity__customers') }} as customers
        on {{ relation }}.customer_number = customers.customer_number
    inner join {{ ref('int_as_of_grid') }} as as_of_grid
        on
            customers.grid = as_of_grid.grid
            and as_of_grid.date_number = {{ relation }}.{{ 'at_number' if relation == 'many_dates' else 'date_number' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)
{%- endmacro -%}


{#- What comes out: columns by name, each with how changes of it add up. -#}
{%- macro columns_over_time(facts) -%}
    {%- set columns = {} -%}
    {%- for fact in facts -%}
        {%- for kind in ('sums', 'distinct') -%}
            {%- for feature, measure in fact.get(kind, {}).items() -%}
                {%- for window in measure.windows -%}
                    {%- do columns.update({named(feature, window): {'aggregate': 'sum'}}) -%}
                {%- endfor -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- for kind, aggregate in {'latest': 'max', 'earliest': 'min'}.items() -%}
            {%- for feature in fact.get(kind, {}) -%}
                {%- set while = feature ~ '_for_a_while' if ends_early(fact) else none -%}
                {%- do columns.update({feature: {
                    'aggregate': aggregate, 'while': while, 'greater': 'greatest' if aggregate == 'max' else 'least',
                }}) -%}
                {%- if while -%}
                    {%- do columns.update({while: {'aggregate': aggregate, 'for_a_while': true}}) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro -%}


{%- macro named(feature, window) -%}
    {{ return(feature ~ ('_' ~ window ~ 'd' if window else '')) }}
{%- endmacro -%}


{#- The column that says where a fact ends to count in a window, or for all time. -#}
{%- macro end_of(window) -%}
    {{ return('ends_' ~ window ~ 'd' if window else 'ends_at') }}
{%- endmacro -%}


{#- Whether facts may end for another reason than that a window has passed them. -#}
{%- macro ends_early(fact) -%}
    {{ return(fact.get('spans') or feature_basis() == 'as_known') }}
{%- endmacro -%}


{%- macro windows_of(fact) -%}
    {%- set windows = [] -%}
    {%- for kind in ('sums', 'distinct') -%}
        {%- for measure in fact.get(kind, {}).values() -%}
            {%- for window in measure.windows if window and window not in windows -%}
                {%- do windows.append(window) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(windows | sort) }}
{%- endmacro -%}


{#- The columns of a relation that its features read. -#}
{%- macro values_of(fact) -%}
    {%- set values = [] -%}
    {%- for kind in ('sums', 'distinct') -%}
        {%- for measure in fact.get(kind, {}).values() -%}{%- do values.append(measure.of) -%}{%- endfor -%}
    {%- endfor -%}
    {%- for kind in ('latest', 'earliest') -%}
        {%- for column in fact.get(kind, {}).values() -%}{%- do values.append(column) -%}{%- endfor -%}
    {%- endfor -%}
    {%- if fact.get('previous') -%}{%- do values.append(fact.previous) -%}{%- endif -%}
    {{ return(values | unique | list) }}
{%- endmacro -%}
