with landed as (
    select * from {{ visible_rows('survey_answers') }}
),

judged as (
    select
        *,
        case
            when
                survey_id is null
                or response_id is null
                or question_id is null
                then 'key is missing'
            when occurred_at is null then 'occurred_at is missing'
            when known_at is null then 'known_at is missing'
            when {{ is_after_its_arrival() }} then 'occurred_at lies after known_at'
        end as problem
    from landed
),

-- Here the newest stands: whoever goes back in the form and answers anew means the later answer.
versioned as (
    select
        *,
        row_number() over (
            partition by survey_id, response_id, question_id
            order by problem is not null asc, occurred_at desc, known_at desc, load_sequence desc, answer asc
        ) as version_rank,
        -- the same answer delivered again is no news
        min(known_at) over (
            partition by survey_id, response_id, question_id, occurred_at, answer
        ) as answer_known_at
    from judged
)

select
    -- keys
    survey_id,
    response_id,
    question_id,
    loyalty_id,
    load_id,
    -- what it is
    answer,
    email,
    -- times
    occurred_at,
    answer_known_at as known_at,
    -- verdict
    coalesce(problem, case when version_rank > 1 then 'a later version of this key stands' end) as reject_reason
from versioned
