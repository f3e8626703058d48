{#-
    A shop's setting as a SQL literal, e.g. setting('segments.min_members') -> 50.
    The shop's file wins over shops/defaults.yml; the merge in shops/settings.py is the same for Python. The name of a
    section gives all of it to `setting_value`, with one look at the files.
-#}
{%- macro setting(path) -%}
    {{ return(adapter.dispatch('literal')(setting_value(path))) }}
{%- endmacro -%}


{%- macro setting_value(path) -%}
    {%- if not execute -%}{{ return(none) }}{%- endif -%}
    {#- The files are read once a build, and kept where all models see them: forty rules ask for hundreds of settings. What
        is kept is whole: models are rendered in several threads. -#}
    {%- set kept = 'settings_of_' ~ invocation_id -%}
    {%- if kept not in graph -%}
        {%- set read = [] -%}
        {%- for file in [shop_file('defaults.yml', of_shop=false), shop_file('settings.yml')] -%}
            {%- do read.append(fromyaml(read_text_file(file)) or {}) -%}
        {%- endfor -%}
        {#- For one build: `--vars '{settings: {segments: {rules: {lapsed: {days: 45}}}}}'`, as a backtest has it. -#}
        {%- do read.append(var('settings', {})) -%}
        {%- do graph.update({kept: read}) -%}
    {%- endif -%}
    {%- set sources = graph[kept] -%}
    {%- set state = namespace(value=none, found=false) -%}
    {%- for source in sources -%}
        {%- set at = namespace(value=source, found=true) -%}
        {%- for key in path.split('.') -%}
            {%- if at.found and at.value is mapping and key in at.value -%}
                {%- set at.value = at.value[key] -%}
            {%- else -%}
                {%- set at.found = false -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if at.found -%}
            {%- set state.value = merged_settings(state.value, at.value) -%}
            {%- set state.found = true -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not state.found -%}
        {{ exceptions.raise_compiler_error(
            "no setting '" ~ path ~ "' in " ~ shop_file('defaults.yml', of_shop=false) ~ " or "
            ~ shop_file('settings.yml') ~ ". Next: add it to the shop's settings.yml."
        ) }}
    {%- endif -%}
    {{ return(state.value) }}
{%- endmacro -%}


{#- Of two values the second, and of two sections both, key by key. -#}
{%- macro merged_settings(first, second) -%}
    {%- if first is not mapping or second is not mapping -%}{{ return(second) }}{%- endif -%}
    {%- set both = dict(first) -%}
    {%- for key, value in second.items() -%}
        {%- do both.update({key: merged_settings(both[key], value) if key in both else value}) -%}
    {%- endfor -%}
    {{ return(both) }}
{%- endmacro -%}


{%- macro shop_file(name, of_shop=true) -%}
    {%- set folder = env_var('AUDIENCE_SHOP', 'demo') ~ '/' if of_shop else '' -%}
    {{ return('shops/' ~ folder ~ name) }}
{%- endmacro -%}


{%- macro default__literal(value) -%}
    {%- if value is none -%}{{ return('null') }}
    {%- elif value is number -%}{{ return(value | string) }}
    {%- elif value is string -%}{{ return("'" ~ value | replace("'", "''") ~ "'") }}
    {%- else -%}{{ return("date '" ~ value ~ "'") }}
    {%- endif -%}
{%- endmacro -%}
