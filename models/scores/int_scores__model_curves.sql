-- What was said beside what came true, from the highest scores down: what calibration and gains are drawn of. Tenths of
-- the rows that were held out; of buy readiness, whose rows are not kept one by one, the bands that it was judged in.

{%- set bands = 10 %}
{#- Of fewer rows a tenth would say nothing, and would stand for single customers. #}
{%- set min_rows = 50 %}
{%- set z = 1.96 %}

with predictions as (
    select * from {{ source('ml', 'judged_predictions') }}
    where judged_for = 'hold_out'
),

performance as (
    select * from {{ ref('int_scores__model_performance') }}
),

versions as (
    select
        model_name,
        model_version,
        min(as_of_date) as first_date,
        max(as_of_date) as last_date,
        max(case when is_champion then 1 else 0 end) as is_champion
    from performance
    group by model_name, model_version
),

-- Equal scores are never parted: their tenth is larger, and the next one smaller or not there.
placed as (
    select
        model_name,
        model_version,
        as_of_date,
        probability,
        label,
        run_id,
        rank() over (partition by model_name, model_version order by probability desc) - 1 as rows_above,
        count(*) over (partition by model_name, model_version) as row_count
    from predictions
),

tenths as (
    select
        model_name,
        model_version,
        1 + floor({{ bands }} * cast(rows_above as double) / row_count) as place,
        min(as_of_date) as first_date,
        max(as_of_date) as last_date,
        count(*) as row_count,
        sum(label) as positives,
        avg(probability) as mean_predicted,
        cast(sum(label) as double) / count(*) as observed,
        max(run_id) as run_id
    from placed
    where row_count >= {{ min_rows }}
    group by model_name, model_version, 1 + floor({{ bands }} * cast(rows_above as double) / row_count)
),

-- Rows of one customer are taken as independent: offers to the same customer make the true interval a little wider.
bounded as (
    select
        *,
        (observed + {{ z }} * {{ z }} / (2 * row_count)) / (1 + {{ z }} * {{ z }} / row_count) as center,
        {{ z }} * sqrt(observed * (1 - observed) / row_count + {{ z }} * {{ z }} / (4.0 * row_count * row_count))
        / (1 + {{ z }} * {{ z }} / row_count) as half_width
    from tenths
),

curves as (
    select
        model_name,
        model_version,
        place,
        first_date,
        last_date,
        row_count,
        positives,
        mean_predicted,
        observed,
        -- Nobody of a tenth, or all of it: rounding must not leave the figure outside.
        least(observed, center - half_width) as observed_low,
        greatest(observed, center + half_width) as observed_high,
        run_id
    from bounded
    union all
    select
        performance.model_name,
        performance.model_version,
        row_number() over (
            partition by performance.model_name, performance.model_version order by performance.baseline desc
        ) as place,
        versions.first_date,
        versions.last_date,
        performance.rows as row_count,
        performance.positives,
        performance.baseline as mean_predicted,
        performance.value as observed,
        performance.ci_low as observed_low,
        performance.ci_high as observed_high,
        performance.run_id
    from performance
    inner join versions
        on
            performance.model_name = versions.model_name
            and performance.model_version = versions.model_version
    where performance.metric = 'purchase_rate' and performance.baseline_name = 'mean_readiness'
),

-- Numbered anew, as ties leave gaps.
numbered as (
    select
        *,
        row_number() over (partition by model_name, model_version order by place) as band,
        min(first_date) over (partition by model_name, model_version) as hold_out_from,
        max(last_date) over (partition by model_name, model_version) as hold_out_through,
        sum(row_count) over (partition by model_name, model_version) as all_rows,
        sum(positives) over (partition by model_name, model_version) as all_positives,
        sum(row_count) over (
            partition by model_name, model_version order by place rows between unbounded preceding and current row
        ) as rows_so_far,
        sum(positives) over (
            partition by model_name, model_version order by place rows between unbounded preceding and current row
        ) as positives_so_far
    from curves
)

select
    -- keys
    numbered.model_name,
    numbered.model_version,
    cast(numbered.band as integer) as band,
    -- what it rests on
    numbered.hold_out_from,
    numbered.hold_out_through,
    cast(numbered.row_count as bigint) as rows,
    cast(numbered.positives as bigint) as positives,
    coalesce(versions.is_champion, 0) = 1 as is_champion,
    -- calibration
    round(numbered.mean_predicted, 6) as mean_predicted,
    round(numbered.observed, 6) as observed,
    round(numbered.observed_low, 6) as observed_low,
    round(numbered.observed_high, 6) as observed_high,
    -- gains: of the bands down to this one
    round(cast(numbered.rows_so_far as double) / numbered.all_rows, 6) as contacted_share,
    round(cast(numbered.positives_so_far as double) / nullif(numbered.all_positives, 0), 6) as recall,
    round(
        cast(numbered.positives_so_far as double) * numbered.all_rows
        / nullif(cast(numbered.rows_so_far as double) * numbered.all_positives, 0),
        6
    ) as lift,
    -- provenance
    numbered.run_id
from numbered
left join versions
    on
        numbered.model_name = versions.model_name
        and numbered.model_version = versions.model_version
