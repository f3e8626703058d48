{#-
    Features at many dates as running sums. Each fact is known by two numbers of dates, where it begins and where it ends to
    count (`int_as_of_calendar` has them for each day), and a feature is the sum of what begins less what ends: cost
    follows facts, not facts times dates. Facts that a correction or another owner ends early need no other treatment.
    The last CTE is `many_dates`: a row (of each value of `by`) at each date where something changes, that holds up to the next.
-#}
{%- macro at_many_dates(facts, columns, by=none) -%}
    {%- set of_customer = 'customer_number' ~ (', ' ~ by if by) -%}
    {%- set branches = [] -%}
    {%- for fact in facts %}
        {%- set name = 'facts_' ~ loop.index %}
        {{- facts_on_the_grid(fact, name, by) }}
        {{- distinct_on_the_grid(fact, name) }}
        {%- do branches.extend(changes_of_facts(fact, name) + changes_of_distinct(fact, name)) %}
    {%- endfor %}
changes as (
    {%- for branch in branches %}
    select
        {{ of_customer }},
        {{ branch.number }} as date_number
        {%- for column in columns %},
        {{ branch.columns.get(column, 'null') }} as {{ column }}
        {%- endfor %}
    from {{ branch.from }}
    where {{ branch.where }}
    {%- if not branch.single %}
    group by {{ of_customer }}, {{ branch.number }}
    {%- endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

changes_by_date as (
    select
        {{ of_customer }},
        date_number
        {%- for column, kind in columns.items() %},
        {{ kind.aggregate }}({{ column }}) as {{ column }}
        {%- endfor %}
    from changes
    group by {{ of_customer }}, date_number
),

many_dates as (
    select
        {{ of_customer }},
        date_number,
        lead(date_number) over up_to_now as next_number
        {%- for column, kind in columns.items() %},
        {{ column if kind.for_a_while else kind.aggregate ~ '(' ~ column ~ ') over up_to_now' }} as {{ column }}
        {%- endfor %}
    from changes_by_date
    window up_to_now as (
        partition by {{ of_customer }}
        order by date_number
        rows between unbounded preceding and current row
    )
),
{% endmacro -%}


{#- The facts of customers with many dates, with the numbers of the due dates at which they begin and end to count. -#}
{%- macro facts_on_the_grid(fact, name, by=none) -%}
    {%- set spans = fact.get('spans', false) -%}
    {%- set ends = ['owners.ends_at'] + (['coalesce(on_until.starts_at, owners.ends_at)'] if spans else []) %}
{{ name }} as {{ inlined() }} (
    select
        owners.customer_number,
        owners.grid,
        owners.last_number,
        greatest(on_day.starts_at, owners.starts_at{{ ', on_from.starts_at' if spans }}) as starts_at,
        {{ 'least(' ~ ends | join(', ') ~ ')' if spans else ends[0] }} as ends_at
        {%- for window in windows_of(fact) %},
        on_day.{{ end_of(window) }} as left_{{ window }}d,
        least({{ ends | join(', ') }}, on_day.{{ end_of(window) }}) as {{ end_of(window) }}
        {%- endfor %}
        {{- ', facts.' ~ by if by }}
        {%- for value in values_of(fact) %},
        facts.{{ value }}
        {%- endfor %}
    from {{ ref(fact.relation) }} as facts
    inner join {{ ref('int_activity__owners') }} as owners on facts.record_hash = owners.record_hash
    inner join {{ ref('int_as_of_calendar') }} as on_day
        on
            owners.grid = on_day.grid
            and facts.{{ fact.get('day', 'day') }} = on_day.day
    {%- if spans %}
    inner join {{ ref('int_as_of_calendar') }} as on_from
        on
            owners.grid = on_from.grid
            and facts.counts_from = on_from.day
    left join {{ ref('int_as_of_calendar') }} as on_until
        on
            owners.grid = on_until.grid
            and facts.counts_until = on_until.day
    {%- endif %}
    where
        owners.grid <> 'few'
        and on_day.starts_at <= owners.last_number
        {{ 'and ' ~ fact.where if fact.where }}
),
{% endmacro -%}


{#-
    Facts of the same value cover dates together: each counts from where those that began before it have ended
    (`covered_…`). Only values that began at more than one date are sorted for it.
-#}
{%- macro distinct_on_the_grid(fact, name) -%}
    {%- for feature, measure in fact.get('distinct', {}).items() -%}
    {%- set ends = [] -%}
    {%- for window in measure.windows -%}{%- do ends.append(end_of(window)) -%}{%- endfor %}
{{ name }}_{{ feature }} as {{ kept() }} (
    select
        customer_number,
        {{ measure.of }} as thing,
        starts_at,
        max(last_number) as last_number
        {%- for end in ends %},
        max({{ end }}) as {{ end }}
        {%- endfor %}
    from {{ name }}
    where
        {{ measure.of }} is not null
        and starts_at < ends_at
        and starts_at <= last_number
    group by customer_number, {{ measure.of }}, starts_at
),

{{ name }}_{{ feature }}_again as {{ kept() }} (
    select
        customer_number,
        thing
    from {{ name }}_{{ feature }}
    where starts_at > 1
    group by customer_number, thing
),

{{ name }}_{{ feature }}_apart as {{ kept() }} (
    select
        once.customer_number,
        once.last_number,
        once.starts_at
        {%- for end in ends %},
        once.{{ end }},
        0 as covered_{{ end }}
        {%- endfor %}
    from {{ name }}_{{ feature }} as once
    left join {{ name }}_{{ feature }}_again as again
        on
            once.customer_number = again.customer_number
            and once.thing = again.thing
    where again.customer_number is null
    union all
    select
        together.customer_number,
        together.last_number,
        together.starts_at
        {%- for end in ends %},
        together.{{ end }},
        coalesce(max(together.{{ end }}) over earlier, 0) as covered_{{ end }}
        {%- endfor %}
    from {{ name }}_{{ feature }} as together
    inner join {{ name }}_{{ feature }}_again as again
        on
            together.customer_number = again.customer_number
            and together.thing = again.thing
    window earlier as (
        partition by together.customer_number, together.thing
        order by together.starts_at
        rows between unbounded preceding and 1 preceding
    )
),
    {% endfor -%}
{% endmacro -%}


{#-
    What begins and what ends to count, at which number of a date. The greatest and smallest of what never ends run on; of
    what does end they are shown at each date between, and the end makes a row where they are gone.
-#}
{%- macro changes_of_facts(fact, name) -%}
    {%- set branches, begin, between = [], {}, {} -%}
    {%- for feature, measure in fact.get('sums', {}).items() -%}
        {%- for window in measure.windows -%}
            {%- set counted = 'case when ' ~ end_of(window) ~ ' > starts_at then ' ~ measure.of ~ ' end' if window else measure.of -%}
            {%- do begin.update({named(feature, window): 'sum(' ~ counted ~ ')'}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for kind, aggregate in {'latest': 'max', 'earliest': 'min'}.items() -%}
        {%- for feature, column in fact.get(kind, {}).items() -%}
            {%- set counted = 'case when ends_at > last_number then ' ~ column ~ ' end' if ends_early(fact) else column -%}
            {%- do begin.update({feature: aggregate ~ '(' ~ counted ~ ')'}) -%}
            {%- do between.update({feature ~ '_for_a_while': column}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if begin -%}
        {%- do branches.append({
            'from': name, 'number': 'starts_at', 'columns': begin,
            'where': 'starts_at < ends_at and starts_at <= last_number',
        }) -%}
    {%- endif -%}
    {%- for window in windows_of(fact) + ([none] if ends_early(fact) else []) -%}
        {%- set end = {} -%}
        {%- for feature, measure in fact.get('sums', {}).items() if window in measure.windows -%}
            {%- do end.update({named(feature, window): '-sum(' ~ measure.of ~ ')'}) -%}
        {%- endfor -%}
        {%- if end -%}
            {#- Of the calendar alone where that is enough: then few days are read. -#}
            {%- set at = end_of(window) if ends_early(fact) else 'left_' ~ window ~ 'd' -%}
            {%- do branches.append({
                'from': name, 'number': at, 'columns': end,
                'where': at ~ ' > starts_at and starts_at < ends_at and ' ~ at ~ ' <= last_number',
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if between and ends_early(fact) -%}
        {%- set dates = '(select grid as dates_of, date_number from ' ~ ref('int_as_of_grid') ~ ') as dates' -%}
        {%- do branches.append({
            'from': name ~ ' inner join ' ~ dates ~ ' on ' ~ name ~ '.grid = dates.dates_of',
            'number': 'date_number', 'columns': between, 'single': true,
            'where': 'ends_at <= last_number and date_number >= starts_at and date_number < ends_at',
        }) -%}
        {%- do branches.append({
            'from': name, 'number': 'ends_at', 'columns': {}, 'single': true,
            'where': 'ends_at <= last_number and starts_at < ends_at',
        }) -%}
    {%- endif -%}
    {{ return(branches) }}
{%- endmacro -%}


{%- macro changes_of_distinct(fact, name) -%}
    {%- set branches = [] -%}
    {%- for feature, measure in fact.get('distinct', {}).items() -%}
        {%- set pieces, begin, begins = name ~ '_' ~ feature ~ '_apart', {}, [] -%}
        {%- for window in measure.windows -%}
            {%- set column, at, covered = named(feature, window), end_of(window), 'covered_' ~ end_of(window) -%}
            {%- do begin.update({
                column: 'sum(case when ' ~ at ~ ' > starts_at and ' ~ covered ~ ' <= starts_at then 1 else 0 end)'
            }) -%}
            {%- do begins.append('(' ~ at ~ ' > starts_at and ' ~ covered ~ ' <= starts_at)') -%}
            {%- do branches.append({
                'from': pieces, 'number': covered, 'columns': {column: 'count(*)'},
                'where': covered ~ ' > starts_at and ' ~ covered ~ ' < ' ~ at ~ ' and ' ~ covered ~ ' <= last_number',
            }) -%}
            {%- do branches.append({
                'from': pieces, 'number': at, 'columns': {column: '-count(*)'},
                'where': at ~ ' > starts_at and ' ~ at ~ ' > ' ~ covered ~ ' and ' ~ at ~ ' <= last_number',
            }) -%}
        {%- endfor -%}
        {%- do branches.append({'from': pieces, 'number': 'starts_at', 'columns': begin, 'where': begins | join(' or ')}) -%}
    {%- endfor -%}
    {{ return(branches) }}
{%- endmacro -%}
