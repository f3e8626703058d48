with answers as (
    select
        *,
        {{ clean_text('answer') }} as clean_answer,
        {{ normalize_email('email') }} as plain_email
    from {{ ref('base_service__survey_answers') }}
    where reject_reason is null
),

judged as (
    select
        *,
        {{ is_email('plain_email') }} as email_is_valid
    from answers
)

select
    -- keys
    survey_id,
    response_id,
    question_id,
    loyalty_id,
    load_id,
    -- who answered
    case when email_is_valid then plain_email end as email,
    case when email_is_valid then {{ email_key('plain_email') }} end as email_key,
    -- what it is
    clean_answer as answer,
    try_cast(clean_answer as decimal(18, 4)) as answer_number,
    -- times
    occurred_at as answered_at,
    known_at
from judged
