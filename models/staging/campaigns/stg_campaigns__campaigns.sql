select
    campaign_id,
    campaign_type,
    starts_on,
    ends_on,
    load_id,
    known_at
from {{ ref('base_campaigns__campaigns') }}
where reject_reason is null
