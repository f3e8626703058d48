-- Customers that a record with new memberships belongs to, belonged to, or would be the anchor of.

with touched as (
    select * from {{ ref('int_identity__touched_memberships') }}
)

select customer_id
from {{ ref('int_identity__memberships') }}
where
    customer_id is not null
    and source_record_key in (select touched.source_record_key from touched)
union
select {{ customer_id_of('source_record_key') }} as customer_id
from touched
