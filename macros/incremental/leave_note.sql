{#- For a post-hook: note beside the table how it was made and through which load, for `can_continue` of the next build. -#}
{%- macro leave_note() -%}
    {%- if execute and keeps_notes() -%}
        {%- set increment = config.get('meta').increment -%}
        {%- if 'follows' in increment -%}
            {%- set through = read_note(ref(increment.follows)).get('through', 0) -%}
        {%- else -%}
            {%- set through = run_query('select coalesce(max(load_sequence), 0) from ' ~ this).rows[0][0] | int -%}
        {%- endif -%}
        {{ write_table_note(this, synthetic_label() ~ tojson(how_it_was_made(increment, through))) }}
    {%- endif -%}
{%- endmacro -%}
