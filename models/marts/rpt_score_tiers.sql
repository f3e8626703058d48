with scores as (
    select * from {{ ref('fct_scores') }}
),

counted as (
    select
        model_name,
        model_version,
        as_of_date,
        is_current,
        fallback_tier,
        count(*) as score_count,
        round(avg(score), 6) as mean_score
    from scores
    group by all
)

select
    -- keys
    model_name,
    model_version,
    as_of_date,
    fallback_tier,
    is_current,
    -- how many
    score_count,
    score_count / sum(score_count) over (partition by model_name, model_version, as_of_date, is_current) as share,
    -- what they say
    mean_score
from counted
