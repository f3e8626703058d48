"""Paths of a segment's members: what few went is not named, and of few visitors nothing is told."""

from __future__ import annotations

from tests.unit.models.compiled import CompiledModels, rows

LONG = "home > product > cart > checkout > order > account"
# Who went which way: five bought and went on to their account, four looked at a product.
WENT = [(f"c{number}", LONG) for number in range(5)] + [(f"c{number}", "search > product") for number in range(4)]
# It begins with an order, which is all of its way.
WENT += [(f"c{number}", "order > account") for number in range(5)]


def test_rare_paths_count_without_a_name_and_few_visitors_are_nobody(models: CompiledModels) -> None:
    warehouse = models.warehouse()
    models.empty(warehouse, "int_segments__web_paths", "fct_segment_memberships")
    for number, (customer, path) in enumerate(WENT):
        warehouse.execute(
            "insert into segments.int_segments__web_paths by name select $1 as session_id, "
            "timestamp '2024-01-01' as session_started_at, $2 as customer_id, 90 as window_days, $3 as path, "
            "$3 like '%product%' as is_product_seen, $3 like '%cart%' as is_cart_filled, "
            "$3 like '%checkout%' as is_checkout_begun, $3 like '%order%' as is_ordered",
            [f"s{number}", customer, path],
        )
    members = [("many", f"c{number}") for number in range(5)] + [("few", f"c{number}") for number in range(4)]
    for segment, customer in members:
        warehouse.execute(
            "insert into marts.fct_segment_memberships by name select ? as segment_key, ? as customer_id",
            [segment, customer],
        )
    models.build(warehouse, "rpt_segment_web_paths")
    assert rows(warehouse, "from marts.rpt_segment_web_paths order by all") == [
        ("many", "home > product > cart > checkout > order", "order", 90, 5),
        ("many", "order", "order", 90, 5),
        ("many", "rare", "product", 90, 4),
    ]
