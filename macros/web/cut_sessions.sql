{#-
    Cut the events of each visitor into sessions: a select with one row per visitor, time slot and session in it.

    A session ends after `idle_minutes` without an event (a gap of exactly that long does not end it) and, when
    `campaign_cuts`, where an event carries another campaign than the session has. What happens at one instant is in one
    session, so the order of rows, and of events with equal times, does not matter.

    `events` has visitor_key, event_at, campaign (null = no tag), the columns `carried` (the same for all events of a
    visitor), and no row without visitor or time. An event belongs to the row of its visitor and its slot (`time_slot`,
    as wide as the idle time) with session_started_at <= event_at < ended_before. first_at and last_at are of the slot.

    The textbook numbers each event by two windows over all of them. But two events in one slot are never idle apart, so
    the slots, a tenth of the events, are all that has to be sorted; events find their session by a hash join. That takes
    a fifth of the time (benchmarks/web_events.py).
-#}
{%- macro cut_sessions(events, idle_minutes, campaign_cuts, carried=[]) -%}
    {%- set end_of_time = "timestamp '9999-12-31 00:00:00'" -%}
    with slots as {{ kept() }} (
        select
            visitor_key,
            {{ time_slot('event_at', idle_minutes) }} as slot,
            {%- for column in carried %}
            min({{ column }}) as {{ column }},
            {%- endfor %}
            min(event_at) as first_at,
            max(event_at) as last_at
        from {{ events }}
        group by 1, 2
    ),

    gaps as (
        select
            *,
            lag(last_at) over (partition by visitor_key order by slot) as previous_at
        from slots
    ),

    -- A stretch is what lies between two idle times.
    stretches as {{ kept() }} (
        select
            visitor_key,
            slot,
            {%- for column in carried %}
            {{ column }},
            {%- endfor %}
            first_at,
            last_at,
            max(
                case
                    when previous_at is null or first_at > previous_at + interval {{ idle_minutes }} minute then first_at
                end
            ) over (partition by visitor_key order by slot rows between unbounded preceding and current row)
                as stretch_started_at
        from gaps
    ),
    {%- if campaign_cuts %}

    tagged as (
        select
            visitor_key,
            event_at,
            min(campaign) as campaign
        from {{ events }}
        where campaign is not null
        group by 1, 2
    ),

    -- Within a stretch the campaign in force is that of the tag before: each tag either repeats it or cuts.
    followed as (
        select
            stretches.visitor_key,
            stretches.stretch_started_at,
            tagged.event_at as started_at,
            tagged.campaign,
            lag(tagged.campaign) over (
                partition by stretches.visitor_key, stretches.stretch_started_at order by tagged.event_at
            ) as campaign_before
        from tagged
        inner join stretches
            on
                tagged.visitor_key = stretches.visitor_key
                and {{ time_slot('tagged.event_at', idle_minutes) }} = stretches.slot
    ),

    changes as {{ kept() }} (
        select
            visitor_key,
            stretch_started_at,
            started_at
        from followed
        where started_at > stretch_started_at and campaign is distinct from campaign_before
    ),

    pieces as (
        select * from changes
        union all
        select
            visitor_key,
            stretch_started_at,
            stretch_started_at as started_at
        from changes
        group by 1, 2
    ),

    cuts as (
        select
            *,
            lead(started_at, 1, {{ end_of_time }}) over (
                partition by visitor_key, stretch_started_at order by started_at
            ) as ended_before
        from pieces
    ),
    {%- endif %}

    sessions as (
        select
            stretches.*,
            {%- if campaign_cuts %}
            coalesce(cuts.started_at, stretches.stretch_started_at) as session_started_at,
            coalesce(cuts.ended_before, {{ end_of_time }}) as ended_before
            {%- else %}
            stretches.stretch_started_at as session_started_at,
            {{ end_of_time }} as ended_before
            {%- endif %}
        from stretches
        {%- if campaign_cuts %}
        left join cuts
            on
                stretches.visitor_key = cuts.visitor_key
                and stretches.stretch_started_at = cuts.stretch_started_at
                and stretches.last_at >= cuts.started_at
                and stretches.first_at < cuts.ended_before
        {%- endif %}
    )

    select
        visitor_key,
        slot,
        {%- for column in carried %}
        {{ column }},
        {%- endfor %}
        first_at,
        last_at,
        session_started_at,
        ended_before
    from sessions
{%- endmacro -%}
