{#-
    Whether two normalized names can be one person's. Null where one is missing: nothing speaks against it.

    `words_fit`: equal, one letter apart where both are long enough for a slip, or one the initial of the other.
    `given_names_fit`: so do the given names, or each of the two stands in the other's place (written last name first).
    `names_fit`: and the last names.
-#}
{%- macro words_fit(left, right) -%}
    (
        {{ left }} = {{ right }}
        or (
            least(length({{ left }}), length({{ right }})) >= 4
            and {{ edit_distance(left, right) }} <= 1
        )
        or (
            least(length({{ left }}), length({{ right }})) = 1
            and substr({{ left }}, 1, 1) = substr({{ right }}, 1, 1)
        )
    )
{%- endmacro -%}


{%- macro given_names_fit(left, right) -%}
    (
        {{ words_fit(left ~ '.given_name', right ~ '.given_name') }}
        or coalesce(
            {{ words_fit(left ~ '.given_name', right ~ '.last_name') }}
            and {{ words_fit(left ~ '.last_name', right ~ '.given_name') }},
            false
        )
    )
{%- endmacro -%}


{%- macro names_fit(left, right) -%}
    (
        (
            {{ words_fit(left ~ '.given_name', right ~ '.given_name') }}
            and coalesce({{ words_fit(left ~ '.last_name', right ~ '.last_name') }}, true)
        )
        or coalesce(
            {{ words_fit(left ~ '.given_name', right ~ '.last_name') }}
            and {{ words_fit(left ~ '.last_name', right ~ '.given_name') }},
            false
        )
    )
{%- endmacro -%}
