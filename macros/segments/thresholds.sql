{#-
    Thresholds of a rule, from `segments.rules.<rule>` in the shop's settings: of the rule whose file it stands in, or of
    another one (`of`).
-#}
{%- macro threshold(name, of=none) -%}
    {{ return(setting('segments.rules.' ~ (of or model.name[4:]) ~ '.' ~ name)) }}
{%- endmacro -%}


{#-
    A threshold of time in both forms, for days: `days`, or `gaps` times the customer's own usual pause between purchases
    (rhythm_days; of customers without one, that of all customers). Of another rule (`of`) it is the form in force: who is
    lapsed says the rule of the lapsed.
-#}
{%- macro threshold_days(of=none) -%}
    case {{ "'" ~ form_in_force(of) ~ "'" if of else 'threshold_form' }}
        when 'relative' then {{ threshold('gaps', of) }} * rhythm_days
        else {{ threshold('days', of) }}
    end
{%- endmacro -%}


{#-
    A threshold of a count in both forms: the number itself, or `<name>_usual` times what is usual for the customer, and
    never below two: twice nothing is nothing.
-#}
{%- macro threshold_times(name, usual) -%}
    case threshold_form
        when 'relative' then greatest(2, {{ threshold(name ~ '_usual') }} * {{ usual }})
        else {{ threshold(name) }}
    end
{%- endmacro -%}


{#- The form of the thresholds in force for a rule: its own, else the shop's. One that has no relative form has none. -#}
{%- macro form_in_force(key) -%}
    {%- if not execute -%}{{ return('absolute') }}{%- endif -%}
    {%- set segment = graph.nodes['model.' ~ project_name ~ '.seg_' ~ key].config.meta.segment -%}
    {%- set own = ((setting_value('segments.rules') or {}).get(key) or {}).get('form') -%}
    {%- if own is not none and own not in ('absolute', 'relative') -%}
        {{ exceptions.raise_compiler_error(
            shop_file('settings.yml') ~ ': segments.rules.' ~ key ~ ".form is '" ~ own
            ~ "'. Next: write absolute or relative."
        ) }}
    {%- endif -%}
    {%- if not segment.relative_description -%}
        {%- if own == 'relative' -%}
            {{ exceptions.raise_compiler_error(
                shop_file('settings.yml') ~ ': segments.rules.' ~ key
                ~ '.form is relative, and this rule has absolute thresholds alone. Next: take the key out.'
            ) }}
        {%- endif -%}
        {{ return('absolute') }}
    {%- endif -%}
    {{ return(own or setting_value('segments.threshold_form')) }}
{%- endmacro -%}
