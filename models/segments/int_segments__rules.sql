{#- What each rule segment is called and for, from the config beside its SQL, with the thresholds in force. -#}
{%- set segments = [] -%}
{%- if execute -%}
    {%- set rules = setting_value('segments.rules') or {} -%}
    {%- for name in rule_segments() -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.' ~ name] -%}
        {%- set segment = dict(node.config.meta.segment) -%}
        {%- set key = name[4:] -%}
        {%- set form = form_in_force(key) -%}
        {%- do segment.update({
            'key': key,
            'name': segment_name(name, segment),
            'form': form,
            'description': with_thresholds(
                key, segment.relative_description if form == 'relative' else segment.description
            ),
            'thresholds': tojson(rules.get(key) or {}, sort_keys=true),
            'definition_hash': local_md5(definition_of(key))[:12],
            'history_days': needed_history_days(key, (segment.needs or {}).get('history_days', 0)),
            'not_named': [],
        }) -%}
        {%- for threshold in (segment.needs or {}).get('thresholds', []) -%}
            {%- if (rules.get(key) or {}).get(threshold) is none -%}{%- do segment.not_named.append(threshold) -%}{%- endif -%}
        {%- endfor -%}
        {%- do segments.append(segment) -%}
    {%- endfor -%}
{%- endif -%}

-- noqa: disable=LT02
{% for segment in segments -%}
    select
        -- keys
        {{ sql_text(segment.key) }} as segment_key,
        cast({{ sql_text(segment.parent[4:]) if segment.parent else 'null' }} as varchar) as parent_segment_key,
        -- what it is
        {{ sql_text(segment.name) }} as segment_name,
        {{ sql_text(segment.description) }} as description,
        {{ sql_text(segment.suggested_action) }} as suggested_action,
        {{ sql_text(segment.owner) }} as owner,
        cast({{ segment.priority }} as integer) as priority,
        -- thresholds
        '{{ segment.form }}' as threshold_form,
        {{ 'true' if segment.relative_description else 'false' }} as has_two_forms,
        {{ sql_text(segment.thresholds) }} as thresholds,
        '{{ segment.definition_hash }}' as definition_hash,
        -- size
        cast({{ segment.min_members if segment.min_members is defined else setting('segments.min_members') }} as integer) as min_members,
        -- what it cannot do without
        cast({{ sql_text((segment.needs or {}).get('score')) if (segment.needs or {}).get('score') else 'null' }} as varchar) as needed_score,
        cast({{ segment.history_days }} as integer) as needed_history_days,
        cast({{ sql_text('segments.rules.' ~ segment.key ~ '.' ~ segment.not_named[0]) if segment.not_named else 'null' }} as varchar) as threshold_not_named
    {{ 'union all' if not loop.last }}
{% else -%}
    select
        'none' as segment_key,
        cast(null as varchar) as parent_segment_key,
        'none' as segment_name,
        'none' as description,
        'none' as suggested_action,
        'none' as owner,
        cast(0 as integer) as priority,
        'absolute' as threshold_form,
        false as has_two_forms,
        'none' as thresholds,
        'none' as definition_hash,
        cast(0 as integer) as min_members,
        cast(null as varchar) as needed_score,
        cast(0 as integer) as needed_history_days,
        cast(null as varchar) as threshold_not_named
    where 1 = 0
{% endfor -%}
