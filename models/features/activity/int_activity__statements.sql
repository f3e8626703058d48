-- What is said of customers in words: their answers to surveys, and what others supply (external_attributes). Who
-- skipped a question said nothing.

-- noqa: disable=LT02
with survey_answers as (
    select * from {{ ref('stg_service__survey_answers') }}
    where answer is not null
),

external_attributes as (
    select * from {{ ref('stg_external__attributes') }}
    where attribute_value is not null
),

told as (
    select
        case
            when loyalty_id is not null then {{ record_hash("'loyalty_members'", 'loyalty_id') }}
            when email is not null then {{ record_hash("'emails'", 'email') }}
        end as record_hash,
        'survey' as attribute_source,
        question_id as attribute,
        answer as attribute_value,
        answered_at as told_at,
        known_at
    from survey_answers
    union all
    select
        {{ record_hash('source_system', 'source_record_id') }} as record_hash,
        provider as attribute_source,
        attribute,
        attribute_value,
        observed_at as told_at,
        known_at
    from external_attributes
)

select
    -- keys
    record_hash,
    attribute_source || '.' || attribute as attribute,
    -- dates
    {{ days_of_telling() }},
    -- what was told, with its time
    {{ as_told('told_at', 'known_at', 'attribute_value') }} as value_as_told
from told
-- an answer without a name is nobody's
where record_hash is not null
