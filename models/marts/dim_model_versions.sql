with versions as (
    select * from {{ ref('int_scores__model_versions') }}
),

choices as (
    select
        *,
        lead(known_from) over (partition by model_name order by known_from, choice_number) as next_known_from,
        lag(model_version) over (partition by model_name order by known_from, choice_number) as previous_model_version
    from {{ ref('int_scores__model_champions') }}
),

-- A version may have been chosen more than once: what is told is the last time.
chosen as (
    select
        model_name,
        model_version,
        max_by(choice, choice_number) as choice,
        max_by(previous_model_version, choice_number) as previous_model_version,
        max_by(known_from, choice_number) as champion_from,
        case when bool_or(is_champion) then null else max_by(next_known_from, choice_number) end as champion_until,
        bool_or(is_champion) as is_champion,
        bool_or(is_fallback) as is_fallback
    from choices
    group by model_name, model_version
),

judged as (
    select
        model_name,
        challenger_version as model_version,
        max_by(hold_out_from, as_of_date) as hold_out_from,
        max_by(hold_out_through, as_of_date) as hold_out_through,
        max_by(verdict, as_of_date) as verdict,
        max_by(champion_version, as_of_date) as judged_against
    from {{ ref('int_scores__model_decisions') }}
    where challenger_version is not null
    group by model_name, challenger_version
),

scored as (
    select
        model_name,
        model_version,
        count(*) as score_count,
        min(as_of_date) as first_scored_date,
        max(as_of_date) as last_scored_date
    from {{ ref('int_scores__scores') }}
    group by model_name, model_version
)

select
    -- keys
    versions.model_name,
    versions.model_version,
    -- what it is
    versions.algorithm,
    versions.trained_through,
    versions.feature_names,
    versions.feature_schema_hash,
    versions.parameters,
    versions.artifact_sha256,
    -- its part
    case
        when chosen.is_champion then 'champion'
        when chosen.is_fallback then 'fallback'
        when chosen.model_version is not null then 'former champion'
        when judged.verdict = 'refused' then 'refused'
        else 'not judged'
    end as standing,
    chosen.choice,
    chosen.champion_from,
    chosen.champion_until,
    chosen.previous_model_version,
    -- what it was judged on
    judged.hold_out_from,
    judged.hold_out_through,
    judged.judged_against,
    -- what it gave
    coalesce(scored.score_count, 0) as score_count,
    scored.first_scored_date,
    scored.last_scored_date,
    -- provenance
    versions.run_id
from versions
left join chosen
    on
        versions.model_name = chosen.model_name
        and versions.model_version = chosen.model_version
left join judged
    on
        versions.model_name = judged.model_name
        and versions.model_version = judged.model_version
left join scored
    on
        versions.model_name = scored.model_name
        and versions.model_version = scored.model_version
