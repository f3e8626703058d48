{#-
    Whether an incremental model is built anew: when it is asked for (--full-refresh), and when what stands in the table
    was not made the way it would be made now (`can_continue`). dbt asks this macro both for `is_incremental()` and
    when it writes, so that an upgrade, a changed setting or a landing zone that was replaced need no thought.
-#}
{%- macro should_full_refresh() -%}
    {%- set asked = config.get('full_refresh') -%}
    {%- if asked is none -%}{%- set asked = flags.FULL_REFRESH -%}{%- endif -%}
    {{ return(asked or not can_continue()) }}
{%- endmacro -%}
