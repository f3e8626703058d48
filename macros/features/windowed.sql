{#-
    A feature over a window as a column (`as_name`: under another name): null where the window is longer than what was
    observed before the as-of date (`int_as_of_history` has the reasons; `history` is its row of the source).
-#}
{%- macro windowed(feature, window, as_name=none) -%}
    case when history.history_days >= {{ window }} then {{ named(feature, window) }} end
        as {{ named(as_name or feature, window) }}
{%- endmacro -%}
