-- The membership history under the ids of today: what was said of a customer id that was merged away since is said of
-- the customer who has its records now.

with history as (
    select * from {{ ref('int_segments__history').include(database=false) }}
),

redirects as (
    select * from {{ ref('int_identity__redirects').include(database=false) }}
)

select distinct
    coalesce(redirects.customer_id, history.customer_id) as customer_id,
    history.segment_key,
    history.as_of_date
from history
left join redirects on history.customer_id = redirects.retired_customer_id
-- an id that nobody has any more is nobody
where redirects.retired_customer_id is null or redirects.customer_id is not null
