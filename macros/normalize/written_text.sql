{#-
    A cleaned text, null also where it only fills a field that must not be empty: 'n/a', 'none', 'unknown', 'no email',
    'see notes', '-', '000-000-0000', '00/00/0000' (zeros and signs alone). Not for names: people are called Null.
-#}
{%- macro written_text(text) -%}
    {%- set clean = clean_text(text) -%}
    {%- set fillers = '^([ -0:-@]+|n[/.]?a[.]?|nil|null|none|unknown|missing|tbd|see notes|'
        ~ 'no (e-?mail|phone|number|address)|not? (known|given|provided|available|applicable))$' -%}
    case when not {{ matches_pattern('lower(' ~ clean ~ ')', fillers) }} then {{ clean }} end
{%- endmacro -%}
