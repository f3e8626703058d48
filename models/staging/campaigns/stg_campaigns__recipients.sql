select
    campaign_id,
    loyalty_id,
    load_id,
    known_at
from {{ ref('base_campaigns__recipients') }}
where reject_reason is null
