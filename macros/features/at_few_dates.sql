{#-
    Features at few dates: each fact is held against each date, first by record, then the records of a customer are put
    together. The last CTE is `few_dates`, one row per customer and date (and value of `by`).
-#}
{%- macro at_few_dates(facts, columns, by=none) -%}
    {%- set branches = [] -%}
    {%- for fact in facts %}
        {%- set name = 'few_' ~ loop.index %}
{{ name }} as {{ inlined() }} (
    select
        facts.record_hash,
        dates.date_number,
        dates.as_of_date,
        facts.{{ fact.get('day', 'day') }} as day
        {{- ', facts.' ~ by if by }}
        {%- for value in values_of(fact) if value != 'day' %},
        facts.{{ value }}
        {%- endfor %}
    from {{ ref(fact.relation) }} as facts
    inner join {{ ref('int_as_of_grid') }} as dates
        on
            dates.as_of_date > facts.{{ fact.get('day', 'day') }}
            {%- if fact.get('spans') %}
            and {{ counts_at('dates.as_of_date', 'facts') }}
            {%- endif %}
    where
        dates.grid = 'few'
        {{ 'and ' ~ fact.where if fact.where }}
),
        {%- set measured = {} -%}
        {%- for feature, measure in fact.get('sums', {}).items() -%}
            {%- for window in measure.windows -%}
                {%- do measured.update({named(feature, window): 'sum(' ~ measure.of ~ ')' ~ in_window(window)}) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- for kind, aggregate in {'latest': 'max', 'earliest': 'min'}.items() -%}
            {%- for feature, column in fact.get(kind, {}).items() -%}
                {%- do measured.update({feature: aggregate ~ '(' ~ column ~ ')'}) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if measured -%}
            {%- do branches.append({'from': name ~ '_by_record', 'columns': measured.keys()}) %}

{{ by_record(name, '_by_record', measured, by=by) }}
        {%- endif -%}
        {%- for feature, measure in fact.get('distinct', {}).items() %}
            {%- set first, different = {}, {} -%}
            {%- for window in measure.windows -%}
                {%- set is_first = fact.previous ~ ' is null' ~ (' or ' ~ fact.previous ~ ' < as_of_date - ' ~ window if window else '') -%}
                {%- do first.update({named(feature, window): 'count(*)' ~ in_window(window, is_first)}) -%}
                {%- do different.update({named(feature, window): 'count(*)' ~ in_window(window)}) -%}
            {%- endfor -%}
            {%- if fact.previous -%}
                {%- set suffix = '_' ~ feature ~ '_by_record' -%}
                {%- do branches.append({'from': name ~ suffix, 'columns': first.keys(), 'where': 'owners.is_sole'}) %}

{{ by_record(name, suffix, first, measure.of ~ ' is not null') }}
            {%- endif %}

-- Records of one customer may share values: there each value is looked at once.
{{ name }}_{{ feature }} as (
    select
        owners.customer_number,
        facts.date_number,
        facts.as_of_date,
        max(facts.day) as day
    from {{ name }} as facts
    inner join {{ ref('int_activity__owners') }} as owners on facts.record_hash = owners.record_hash
    where
        owners.grid = 'few'
        and facts.date_number >= owners.starts_at
        and facts.date_number < owners.ends_at
        and facts.{{ measure.of }} is not null
        {{ 'and not owners.is_sole' if fact.previous }}
    group by owners.customer_number, facts.date_number, facts.as_of_date, facts.{{ measure.of }}
),
            {%- do branches.append({'from': name ~ '_' ~ feature, 'columns': different, 'of_customers': true}) %}
        {%- endfor %}
{% endfor %}
found_at_few_dates as (
    {%- for branch in branches %}
    select
        {% if branch.of_customers -%}
        customer_number,
        date_number
        {%- for column, kind in columns.items() if not kind.for_a_while %},
        {{ branch.columns.get(column, 'null') }} as {{ column }}
        {%- endfor %}
    from {{ branch.from }}
    group by customer_number, date_number
        {%- else -%}
        owners.customer_number,
        records.date_number
        {{- ', records.' ~ by if by }}
        {%- for column, kind in columns.items() if not kind.for_a_while %},
        {{ 'records.' if column in branch.columns else 'null as ' }}{{ column }}
        {%- endfor %}
    from {{ branch.from }} as records
    inner join {{ ref('int_activity__owners') }} as owners on records.record_hash = owners.record_hash
    where
        owners.grid = 'few'
        and records.date_number >= owners.starts_at
        and records.date_number < owners.ends_at
        {{ 'and ' ~ branch.where if branch.where }}
        {%- endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

few_dates as (
    select
        customer_number,
        date_number
        {{- ', ' ~ by if by }}
        {%- for column, kind in columns.items() if not kind.for_a_while %},
        {{ kind.aggregate }}({{ column }}) as {{ column }}
        {%- endfor %}
    from found_at_few_dates
    group by customer_number, date_number{{ ', ' ~ by if by }}
),

{% endmacro -%}


{%- macro by_record(name, suffix, measured, where=none, by=none) -%}
{{ name }}{{ suffix }} as (
    select
        record_hash,
        date_number
        {{- ', ' ~ by if by }}
        {%- for column, aggregate in measured.items() %},
        {{ aggregate }} as {{ column }}
        {%- endfor %}
    from {{ name }}
    {{ 'where ' ~ where if where }}
    group by record_hash, date_number{{ ', ' ~ by if by }}
),
{%- endmacro -%}


{#- The filter of an aggregate that looks back over a window, and at rows that fulfil `condition`. -#}
{%- macro in_window(window, condition=none) -%}
    {%- set conditions = (['day >= as_of_date - ' ~ window] if window else []) + (['(' ~ condition ~ ')'] if condition else []) -%}
    {{ return(' filter (where ' ~ conditions | join(' and ') ~ ')' if conditions else '') }}
{%- endmacro -%}
