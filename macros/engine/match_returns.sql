{#-
    For each of the `returns` the sale line that it takes back and how many units of it, as a list of (order_id,
    line_number, original_order_id, original_line_number, quantity); the original is null where none fits. A fold over
    the returns in their order, because each one takes from what the ones before it left.

    `sales` is a list of (ordered_at, order_id, line_number, voided_at, quantity), oldest first. `returns` is a list of
    (order_id, line_number, line_type, quantity, returned_at, wanted_order_id, wanted_line_number). Which line a return
    may take is said below, in _may_take; of those it takes the last.
-#}
{%- macro match_returns(sales, returns) -%}
    {{ return(adapter.dispatch('match_returns')(sales, returns)) }}
{%- endmacro -%}


{#- DuckDB wants one type for the state and the elements of a fold, so an element is wrapped into an empty state. -#}
{%- macro duckdb__match_returns(sales, returns) -%}
    {%- set found_type -%}
        struct(
            order_id varchar, line_number integer, original_order_id varchar, original_line_number integer,
            quantity decimal(18, 3)
        )[]
    {%- endset -%}
    list_reduce(
        list_transform(
            {{ returns }},
            lambda item: {
                'back': item,
                'remaining': cast(null as decimal(18, 3)[]),
                'found': cast(null as {{ found_type }})
            }
        ),
        lambda state, step: list_transform(
            [
                coalesce(
                    list_max(
                        list_filter(
                            range(1, len({{ sales }}) + 1),
                            lambda i: {{ _may_take('step.back', sales ~ '[i]', 'state.remaining[i]') }}
                        )
                    ),
                    0
                )
            ],
            lambda chosen: {
                'back': step.back,
                'remaining': list_transform(
                    state.remaining,
                    lambda quantity, i: case
                        when i = chosen then quantity - least(quantity, step.back.quantity) else quantity
                    end
                ),
                'found': list_append(
                    state.found,
                    {
                        'order_id': step.back.order_id,
                        'line_number': step.back.line_number,
                        'original_order_id': {{ sales }}[chosen].order_id,
                        'original_line_number': {{ sales }}[chosen].line_number,
                        'quantity': case
                            when chosen > 0 then least(state.remaining[chosen], step.back.quantity) else 0
                        end
                    }
                )
            }
        )[1],
        {
            'back': null,
            'remaining': list_transform({{ sales }}, lambda sale: sale.quantity),
            'found': cast([] as {{ found_type }})
        }
    ).found
{%- endmacro -%}


{%- macro spark__match_returns(sales, returns) -%}
    aggregate(
        {{ returns }},
        named_struct(
            'remaining', transform({{ sales }}, sale -> sale.quantity),
            'found', cast(
                array() as array<struct<
                    order_id: string, line_number: int, original_order_id: string, original_line_number: int,
                    quantity: decimal(18, 3)
                >>
            )
        ),
        (state, back) -> element_at(
            transform(
                array(
                    coalesce(
                        array_max(
                            filter(
                                sequence(0, size({{ sales }}) - 1),
                                i -> {{ _may_take('back', 'get(' ~ sales ~ ', i)', 'get(state.remaining, i)') }}
                            )
                        ),
                        -1
                    )
                ),
                chosen -> named_struct(
                    'remaining', transform(
                        state.remaining,
                        (quantity, i) -> case
                            when i = chosen then cast(quantity - least(quantity, back.quantity) as decimal(18, 3))
                            else quantity
                        end
                    ),
                    'found', concat(
                        state.found,
                        array(
                            named_struct(
                                'order_id', back.order_id,
                                'line_number', back.line_number,
                                'original_order_id', get({{ sales }}, chosen).order_id,
                                'original_line_number', get({{ sales }}, chosen).line_number,
                                'quantity', case
                                    when chosen >= 0 then least(get(state.remaining, chosen), back.quantity)
                                    else cast(0 as decimal(18, 3))
                                end
                            )
                        )
                    )
                )
            ),
            1
        ),
        state -> state.found
    )
{%- endmacro -%}


{%- macro _may_take(back, sale, remaining) -%}
    case
        -- the source names the line: that one, whatever is left of it
        when {{ back }}.wanted_line_number is not null
            then
                {{ sale }}.order_id = {{ back }}.wanted_order_id
                and {{ sale }}.line_number = {{ back }}.wanted_line_number
        when {{ back }}.quantity <= 0 or {{ remaining }} < {{ back }}.quantity then false
        -- it names the order only
        when {{ back }}.wanted_order_id is not null then {{ sale }}.order_id = {{ back }}.wanted_order_id
        -- what was cancelled as a whole does not come back once more
        when {{ back }}.line_type = 'return' and {{ sale }}.voided_at <= {{ back }}.returned_at then false
        else {{ sale }}.ordered_at <= {{ back }}.returned_at
    end
{%- endmacro -%}
