{#-
    Signs are weighed for each day of a visitor, for all of a visitor's days together, and for crowds at one place; each is
    a number of nats (powers of e) by which a program is likelier than a person. the yml tells why each is one.
-#}
{%- set kinds = web_event_kinds() -%}
{%- set bots = setting_value('web.bots') or {} -%}
{#- An average over so many rows is as good as one over all. -#}
{%- set sample_rows = 200000 -%}
{#- No kind of event is so rare among people that one or two of it could condemn. -#}
{%- set rarest_share = 0.02 -%}
{#- That people are up at 2, 3, 4, 5, 6 of the six parts of a day is at least so likely, whatever the sample says. -#}
{%- set least_chances = {2: 0.2, 3: 0.02, 4: 0.004, 5: 0.001, 6: 0.0003} -%}
{%- set day_signs = [
    ('pace', 'paces like a clock'),
    ('timetable', 'comes back like a clock'),
    ('restless', 'never rests'),
    ('hurry', 'too many pages a minute'),
    ('volume', 'too much for one day'),
    ('repetition', 'the same pages again and again'),
    ('filling', 'fills carts and never buys'),
    ('oddness', 'does not browse as people do'),
    ('breadth', 'reads through the catalogue'),
] -%}
{%- set crowd_signs = [
    ('turns', 'address hands out cookies, one after the other'),
    ('arrivals', 'address hands out cookies like a clock'),
    ('cookies', 'address hands out cookies'),
    ('crowd_oddness', 'address sends visitors who do not browse as people do'),
] -%}

-- noqa: disable=LT02,LT03,LT05,LT14,RF01,RF02
with visitor_days as {{ inlined() }} (
    select * from {{ ref('base_web__visitor_days') }} where declared_name is null
),

visitors as {{ inlined() }} (
    select * from {{ ref('base_web__visitors') }}
),

crowd_days as (
    select
        *,
        {{ kind_count() }} as kind_count,
        {{ kind_log_sum() }} as kind_log_sum
    from {{ ref('base_web__crowd_days') }}
),

-- What is usual among the shop's people.
population as {{ kept() }} (
    select
        count(*) as day_count,
        count(*) filter (where is_identified) < {{ bots.known_people_days }} as is_little_known,
        1 + cast(floor(count(*) / {{ sample_rows }}) as bigint) as every_nth,
        1 + cast(floor(count(*) filter (where is_identified) / {{ sample_rows }}) as bigint) as every_nth_known
    from visitor_days
),

known_days as {{ kept() }} (
    select
        visitor_days.*,
        {{ log_spread('pause') }} as pause_spread,
        (pause_log_p80 - pause_log_p10) / 2123.0 as pause_inner_spread,
        ln(step_ms / 1000.0 / nullif(step_count, 0) + 0.05) as step_log
    from visitor_days
    inner join population
        on
            (visitor_days.is_identified and visitor_days.visitor_key % population.every_nth_known = 0)
            or (population.is_little_known and visitor_days.visitor_key % population.every_nth = 0)
),

-- People come to look or to buy: two mixes.
usual_mixes as (
    select
        {%- for kind in kinds %}
        sum(cast(round(10000.0 * {{ kind }}_count / event_count) as bigint)) filter (where not has_order)
        / 10000.0 / nullif(count(*) filter (where not has_order), 0) as looking_{{ kind }},
        sum(cast(round(10000.0 * {{ kind }}_count / event_count) as bigint)) filter (where has_order)
        / 10000.0 / nullif(count(*) filter (where has_order), 0) as buying_{{ kind }}{{ ',' if not loop.last }}
        {%- endfor %}
    from known_days
),

-- Who only passes does other things than who stays. Each address has one voice a day: few addresses make many cookies.
passing_days as (
    select
        {%- for kind in kinds %}
        cast(round(10000.0 * sum({{ kind }}_count) filter (where event_count <= 3)
        / sum(event_count) filter (where event_count <= 3)) as bigint) as {{ kind }}_share,
        {%- endfor %}
        count(*) as visitor_count
    from visitor_days
    inner join population on visitor_days.address_key % population.every_nth = 0
    group by address_key, event_date
),

passing_mix as (
    select
        {%- for kind in kinds %}
        sum({{ kind }}_share) / 10000.0 / nullif(count({{ kind }}_share), 0) as passing_{{ kind }},
        {%- endfor %}
        greatest(8, percentile_cont(0.95) within group (order by visitor_count)) as crowd_size
    from passing_days
),

usual_ways as (
    select
        -- The evenest tenth of people; a tracker that counts nothing but clicks has wide pauses, and not every hasty day counts.
        least(1.0, greatest(0.4, coalesce(percentile_cont(0.1) within group (
            order by case when pause_count >= 15 then pause_spread end
        ), 0.7))) as pause_spread_limit,
        least(1.0, greatest(0.4, coalesce(percentile_cont(0.1) within group (
            order by case when pause_count >= 20 then pause_inner_spread end
        ), 0.7))) as pause_inner_spread_limit,
        coalesce(percentile_cont(0.5) within group (order by case when step_count >= 4 then step_log end), ln(15))
            as usual_step_log,
        greatest(0.5, coalesce(
            percentile_cont(0.5) within group (order by case when step_count >= 4 then step_log end)
            - percentile_cont(0.1) within group (order by case when step_count >= 4 then step_log end), 0
        ) / 1.28) as step_log_spread,
        coalesce(percentile_cont(0.5) within group (order by ln(event_count)), ln(10)) as usual_volume_log,
        greatest(1.0, coalesce(
            percentile_cont(0.9) within group (order by ln(event_count))
            - percentile_cont(0.5) within group (order by ln(event_count)), 0
        ) / 1.28) as volume_log_spread,
        greatest(8, coalesce(percentile_cont(0.999) within group (order by hour_count), 0)) as hour_limit,
        {%- for parts, chance in least_chances.items() %}
        -ln(greatest({{ chance }}, count(*) filter (where part_of_day_count >= {{ parts }}) / greatest(count(*), 1)))
            as surprise_of_{{ parts }}_parts,
        {%- endfor %}
        greatest(0.02, coalesce(
            1 - sum(viewed_product_count) / cast(sum(case when viewed_product_count > 0 then product_count end) as double), 0
        )) as return_share
    from known_days
),

usual as {{ kept() }} (
    select
        usual_ways.*,
        passing_mix.crowd_size,
        {%- for kind in kinds %}
        ln(greatest({{ rarest_share }}, coalesce(looking_{{ kind }}, 0))) as looking_{{ kind }}_log,
        ln(greatest({{ rarest_share }}, coalesce(buying_{{ kind }}, 0))) as buying_{{ kind }}_log,
        ln(greatest({{ rarest_share }}, coalesce((looking_{{ kind }} + passing_{{ kind }}) / 2, 0))) as passing_{{ kind }}_log
        {{- ',' if not loop.last }}
        {%- endfor %}
    from usual_ways
    cross join usual_mixes
    cross join passing_mix
),

known_distances as (
    select
        case when checkout_count > 0
            then least({{ mix_distance('event_count', 'looking') }}, {{ mix_distance('event_count', 'buying') }})
            else {{ mix_distance('event_count', 'looking') }}
        end as distance
    from known_days
    cross join usual
    where event_count >= 12
),

known_life_distances as (
    select {{ mix_distance('browsing_event_count', 'looking') }} as distance
    from visitors
    cross join usual
    cross join population
    where
        declared_name is null
        and browsing_event_count >= 45
        and ((is_identified and visitor_key % every_nth_known = 0) or (is_little_known and visitor_key % every_nth = 0))
),

-- The oddest of a hundred people are as far from the mix as this.
limits as {{ kept() }} (
    select
        greatest(0.2, coalesce((select percentile_cont(0.95) within group (order by distance) from known_distances), 0.5))
            as distance_limit,
        greatest(0.2, coalesce((select percentile_cont(0.99) within group (order by distance) from known_distances), 0.5))
            as crowd_distance_limit,
        greatest(
            0.15, coalesce((select percentile_cont(0.95) within group (order by distance) from known_life_distances), 0.3)
        ) as life_distance_limit
),

-- The signs of a visitor's days.
measured_days as (
    select
        visitor_days.*,
        {{ log_spread('pause') }} as pause_spread,
        (pause_log_p80 - pause_log_p10) / 2123.0 as pause_inner_spread,
        {{ log_spread('rest') }} as rest_spread,
        ln(step_ms / 1000.0 / nullif(step_count, 0) + 0.05) as step_log,
        ln(event_count) as volume_log,
        case when checkout_count > 0
            then least({{ mix_distance('event_count', 'looking') }}, {{ mix_distance('event_count', 'buying') }})
            else {{ mix_distance('event_count', 'looking') }}
        end as distance,
        usual.*,
        limits.distance_limit
    from visitor_days
    cross join usual
    cross join limits
    where visitor_days.event_count >= 4
),

weighed_days as (
    select
        visitor_key,
        event_date,
        least({{ bots.most_pace }}, greatest(
            case when pause_count >= 4
                then {{ evidence_of_evenness('(pause_count - 1)', 'pause_spread', 'pause_spread_limit') }} else 0 end,
            -- Quantiles take no notice of a nap now and then, but know less: as much as 0.6 of the pauses would tell.
            case when pause_count >= 20
                then {{ evidence_of_evenness('0.6 * pause_count', 'pause_inner_spread', 'pause_inner_spread_limit') }}
                else 0 end
        )) as pace,
        least({{ bots.most_timetable }}, case when rest_count >= 5
            then {{ evidence_of_evenness('(rest_count - 1)', 'rest_spread', '0.5') }} else 0 end) as timetable,
        least({{ bots.most_restless }},
            {% for parts in least_chances -%}
            {{ 'case part_of_day_count ' if loop.first }}when {{ parts }} then 0.5 * surprise_of_{{ parts }}_parts
            {% endfor -%} else 0 end
            + greatest(0, hour_count - hour_limit)) as restless,
        least({{ bots.most_hurry }}, case when step_count >= 4
            then {{ evidence_of_excess('((usual_step_log - step_log) / step_log_spread)') }} else 0 end) as hurry,
        least({{ bots.most_volume }}, {{ evidence_of_excess('((volume_log - usual_volume_log) / volume_log_spread)') }})
            as volume,
        least({{ bots.most_repetition }}, case when page_count > 0
            then greatest(0, 4 * ln(event_count / (4.0 * page_count))) else 0 end) as repetition,
        least({{ bots.most_filling }}, case when add_count >= 20 and checkout_count = 0
            then 2 + 2 * ln(add_count / 20.0) else 0 end) as filling,
        least({{ bots.most_oddness }},
            greatest(0, {{ bots.oddness_weight }} * event_count * (distance - distance_limit))) as oddness,
        least({{ bots.most_breadth }}, case when product_count >= 20 and viewed_product_count >= 0.98 * product_count
            then -product_count * ln(1 - return_share) else 0 end) as breadth
    from measured_days
),

-- The signs of all of a visitor's days together.
weighed_lives as (
    select
        visitor_key,
        least({{ bots.most_oddness }}, case when browsing_event_count >= 45
            then greatest(0, {{ bots.oddness_weight }} * browsing_event_count
                * ({{ mix_distance('greatest(browsing_event_count, 1)', 'looking') }} - life_distance_limit))
            else 0 end) as oddness,
        -- Each day at rest speaks against the days without.
        least({{ bots.most_restless }}, case when day_count >= 3
            then greatest(0, {% for parts in least_chances -%}
                0.5 * surprise_of_{{ parts }}_parts * day_count_of_{{ parts }}_parts +
                {% endfor -%} -0.5 * day_count)
            else 0 end) as restless
    from visitors
    cross join usual
    cross join limits
    where declared_name is null
),

odd_lives as {{ kept() }} (
    select * from weighed_lives where oddness > 0 or restless > 0
),

weighed as (
    select
        weighed_days.visitor_key,
        {%- for sign, _ in day_signs %}
        {%- if sign in ('oddness', 'restless') %}
        greatest(weighed_days.{{ sign }}, coalesce(odd_lives.{{ sign }}, 0)) as {{ sign }}
        {%- else %}
        weighed_days.{{ sign }}
        {%- endif %}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from weighed_days
    left join odd_lives on weighed_days.visitor_key = odd_lives.visitor_key
    union all
    select
        visitor_key,
        {%- for sign, _ in day_signs %}
        {{ sign if sign in ('oddness', 'restless') else '0' }} as {{ sign }}{{ ',' if not loop.last }}
        {%- endfor %}
    from odd_lives
),

summed as (
    select
        *,
        {% for sign, _ in day_signs %}{{ sign }}{{ ' + ' if not loop.last }}{% endfor %} as evidence,
        greatest({% for sign, _ in day_signs %}{{ sign }}{{ ', ' if not loop.last }}{% endfor %}) as strongest
    from weighed
),

against_itself as (
    select
        visitor_key,
        evidence,
        case
            {%- for sign, words in day_signs %}
            when {{ sign }} = strongest then {{ sql_text(words) }}
            {%- endfor %}
        end as reason,
        row_number() over (partition by visitor_key order by evidence desc, strongest desc) as place
    from summed
    where evidence >= {{ bots.evidence_needed }}
),

-- The signs of crowds.
measured_crowds as (
    select
        crowd_days.*,
        usual.*,
        limits.crowd_distance_limit,
        {{ log_spread('arrival') }} as arrival_spread,
        {{ mix_distance('event_count', 'passing') }} as distance,
        -- So many would meet if they came by chance: each finds the place taken in the part of the time that others stay.
        visitor_count * (1 - exp(
            -stay_ms / cast(greatest({{ milliseconds_between('first_event_at', 'last_event_at') }}, 1) as double)
        )) as chance_meetings
    from crowd_days
    cross join usual
    cross join limits
),

weighed_crowds as (
    select
        place_type,
        place_key,
        event_date,
        least({{ bots.most_turns }}, case when meeting_count < chance_meetings
            then chance_meetings - meeting_count
                + case when meeting_count > 0 then meeting_count * ln(meeting_count / chance_meetings) else 0 end
            else 0 end) as turns,
        -- What comes by chance comes at intervals whose logarithms spread by 1.28.
        least({{ bots.most_arrivals }}, case when arrival_count >= 8
            then {{ evidence_of_evenness('(arrival_count - 1)', 'arrival_spread', '0.9') }} else 0 end) as arrivals,
        least({{ bots.most_cookies }}, greatest(0, 2 * ln(visitor_count / crowd_size))) as cookies,
        least({{ bots.most_oddness }},
            greatest(0, {{ bots.oddness_weight }} * event_count * (distance - crowd_distance_limit))) as crowd_oddness
    from measured_crowds
),

summed_crowds as (
    select
        *,
        {% for sign, _ in crowd_signs %}{{ sign }}{{ ' + ' if not loop.last }}{% endfor %} as evidence,
        greatest({% for sign, _ in crowd_signs %}{{ sign }}{{ ', ' if not loop.last }}{% endfor %}) as strongest
    from weighed_crowds
),

odd_crowds as {{ kept() }} (
    select
        place_type,
        place_key,
        event_date,
        evidence,
        case
            {%- for sign, words in crowd_signs %}
            when {{ sign }} = strongest then {{ sql_text(words) }}
            {%- endfor %}
        end as reason
    from summed_crowds
    where evidence >= {{ bots.evidence_needed }}
),

in_odd_crowds as (
    {%- for place in ('actor', 'address', 'network') %}
    select
        visitor_days.visitor_key,
        visitor_days.event_date,
        odd_crowds.evidence,
        odd_crowds.reason
    from odd_crowds
    inner join visitor_days
        on odd_crowds.place_key = visitor_days.{{ place }}_key and odd_crowds.event_date = visitor_days.event_date
    where
        odd_crowds.place_type = '{{ place }}'
        and visitor_days.actor_key is not null
        and visitor_days.event_count <= {{ bots.passing_events }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

by_company as (
    select
        visitor_key,
        count(distinct event_date) as odd_day_count,
        max({{ struct_of(['evidence', 'reason']) }}) as worst
    from in_odd_crowds
    group by visitor_key
),

judged as (
    select
        visitors.*,
        against_itself.evidence
        - case when visitors.is_identified then {{ bots.evidence_of_login }} else 0 end
        - case when visitors.has_order then {{ bots.evidence_of_order }} else 0 end as own_evidence,
        against_itself.reason as own_reason,
        -- Who logs in, or was elsewhere on most days, was there by chance.
        case
            when not visitors.is_identified and not visitors.has_order and 2 * by_company.odd_day_count > visitors.day_count
                then by_company.worst.evidence
        end as crowd_evidence,
        by_company.worst.reason as crowd_reason
    from visitors
    left join against_itself on visitors.visitor_key = against_itself.visitor_key and against_itself.place = 1
    left join by_company on visitors.visitor_key = by_company.visitor_key
)

select
    -- key
    anonymous_id,
    -- how much
    first_seen_at,
    last_seen_at,
    day_count,
    session_count,
    event_count,
    -- verdict
    declared_name is not null
    or coalesce(own_evidence, 0) >= {{ bots.evidence_needed }}
    or coalesce(crowd_evidence, 0) >= {{ bots.evidence_needed }} as is_bot,
    case
        when declared_name is not null then 'declared: ' || declared_name
        when own_evidence >= {{ bots.evidence_needed }} then own_reason
        when crowd_evidence >= {{ bots.evidence_needed }} then crowd_reason
    end as bot_reason,
    cast(greatest(coalesce(own_evidence, crowd_evidence), coalesce(crowd_evidence, own_evidence)) as decimal(6, 1))
        as bot_evidence
from judged
