"""To whom each record belonged from when on, as today's rules tell it: edges in the order in which they became known.

`ml.graph` says how. An edge cannot be known before both of its records are.
"""


def model(dbt, session):
    import numpy as np
    import pyarrow as pa

    from ml.graph import absorptions, lives

    dbt.config(materialized="incremental")
    records, edges = dbt.ref("int_identity__source_records"), dbt.ref("int_identity__kept_edges")
    touched = dbt.ref("int_identity__touched_records").project("record_number as touched_number")
    if dbt.is_incremental:
        records = records.join(touched, "record_number = touched_number")
        edges = edges.join(touched, "left_number = touched_number")
    found = edges.order("left_number, right_number, match_rule, evidence").project(
        "left_number, right_number, epoch_us(known_at) as known_at, match_rule, match_confidence, evidence"
    ).to_arrow_table()
    born = records.order("record_number").project(
        "record_number, epoch_us(first_known_at) as first_known_at"
    ).fetchnumpy()
    numbers, born_at = born["record_number"], born["first_known_at"]
    left, right = (np.searchsorted(numbers, found[end].to_numpy()) for end in ("left_number", "right_number"))
    known_at = np.maximum(found["known_at"].to_numpy(), np.maximum(born_at[left], born_at[right]))
    parent, edge_of = absorptions(len(born_at), left, right, known_at)
    record, anchor, instant, edge = lives(parent, edge_of, known_at, born_at)
    why = found.select(["match_rule", "match_confidence", "evidence"]).take(pa.array(edge, mask=edge < 0))
    return pa.table(
        {
            "record_number": numbers[record],
            "anchor_number": numbers[anchor],
            "valid_from": pa.array(instant, pa.timestamp("us")),
            "match_rule": why["match_rule"],
            "match_confidence": why["match_confidence"],
            "evidence": why["evidence"],
        }
    )
