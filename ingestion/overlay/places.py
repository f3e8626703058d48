"""What a provider of geodata knows of the places that people live in: an attribute from outside."""

from __future__ import annotations

URBAN_POSTCODES = 4  # a city with so many postcodes of its own is a large one
DAYS_TO_SUPPLY = 1


def external_attributes_sql() -> str:
    """Query: rows of the landing table external_attributes, one a version of a contact whose postcode is known."""
    return f"""
        with cities as (
            select city, region, count(*) as postcodes from pool_places group by all
        )
        select
            'places' as provider, 'settlement' as attribute,
            case when postcodes >= {URBAN_POSTCODES} then 'urban' else 'rural' end as attribute_value,
            'crm_contacts' as source_system, contact_id as source_record_id, occurred_at,
            known_at + interval {DAYS_TO_SUPPLY} day as known_at
        from contacts
        join pool_places using (postcode)
        join cities on cities.city = pool_places.city and cities.region = pool_places.region
    """
