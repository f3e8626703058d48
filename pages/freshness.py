"""Freshness: up to when there is data, source by source, and what has never landed."""

from __future__ import annotations

from pages.page import Page
from pages.published import Published, Shop

_SOURCES = "select * from rpt_sources where row_count > 0 order by last_load_date desc, landing_table"
_MISSING = "select landing_table from rpt_sources where row_count = 0 order by landing_table"
_SCORED = """
select model_name, max(as_of_date) as day, count(*) filter (is_current) as customers
from fct_scores group by model_name order by model_name
"""
_RUN = "select max(run_at) as run_at from rpt_data_quality"

# What is missing here without a source; tables that are not named only lack their own rows.
WITHOUT = {
    "web_events": "visits, dwell, bounces, paths and the segments that ask for them",
    "email_events": "clicks, and the segments that ask for mails",
    "consent_events": "how many may be reached by e-mail",
    "crm_contacts": "names and addresses to recognize customers by",
    "campaigns": "responses to campaigns and the models of them",
    "campaign_recipients": "who was mailed, and the models of responses",
    "coupon_redemptions": "who redeemed a coupon",
    "coupons": "which products an offer was for",
    "products": "names and categories of products",
    "loyalty_members": "age, income and household of customers",
    "exchange_rates": "orders in another currency than the reporting one",
    "external_attributes": "whether customers live in a city",
    "order_lines": "what was bought in an order",
    "orders": "everything",
    "support_tickets": "what customers asked for help with",
    "survey_answers": "what customers said of themselves",
}


def page(published: Published, shop: Shop) -> Page:
    """The page of the sources."""
    context = {
        "landed": published.rows(_SOURCES),
        "missing": [
            (row["landing_table"], WITHOUT.get(row["landing_table"], "its own figures"))
            for row in published.rows(_MISSING)
        ],
        "scored": published.rows(_SCORED),
        "run_at": published.row(_RUN).get("run_at"),
    }
    return Page("freshness.html", "Freshness", "freshness.html.j2", context)
