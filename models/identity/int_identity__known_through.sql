-- The newest thing that the identity stage knows: an arrival, or a decision.

select max(last_known_at) as last_known_at
from (
    select max(first_known_at) as last_known_at from {{ ref('int_identity__source_records') }}
    union all
    select max(known_at) as last_known_at from {{ ref('int_identity__edges') }}
    union all
    select max(decided_at) as last_known_at from {{ source('ledger', 'identity_decisions') }}
) as instants
