with catalog as (
    select * from {{ ref('int_segments__catalog') }}
),

sizes as (
    select * from {{ ref('int_segments__sizes') }}
)

select
    -- keys
    catalog.segment_key,
    catalog.parent_segment_key,
    -- what it is
    catalog.segment_name,
    catalog.segment_type,
    catalog.description,
    catalog.suggested_action,
    catalog.owner,
    catalog.priority,
    -- definition
    catalog.threshold_form,
    catalog.definition_hash,
    -- size
    sizes.member_count,
    sizes.customer_share,
    catalog.min_members,
    sizes.other_form_member_count,
    sizes.status,
    sizes.status_reason
from catalog
inner join sizes on catalog.segment_key = sizes.segment_key
