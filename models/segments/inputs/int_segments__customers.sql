{{ config(materialized='view') }}

-- What rules select from: the candidates, once for each form of the thresholds.

with candidates as (
    select * from {{ ref('int_segments__candidates').include(database=false) }}
),

forms as (
    select 'absolute' as threshold_form
    union all
    select 'relative' as threshold_form
)

select
    forms.threshold_form,
    candidates.*
from candidates
cross join forms
