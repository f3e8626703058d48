"""Connected components of the identity graph: which source records hang together over edges.

The numbers are those of each component's first record; `master_customer_index` makes persistent ids.
"""


def model(dbt, session):
    import numpy as np
    import pyarrow as pa

    from ml.graph import connected_components

    dbt.config(materialized="incremental")
    records, edges = dbt.ref("int_identity__source_records"), dbt.ref("int_identity__edges")
    touched = dbt.ref("int_identity__touched_records")
    if dbt.is_incremental:
        records = touched
        edges = edges.join(touched.project("record_number as left_number"), "left_number")
    numbers = records.project("record_number").order("record_number").fetchnumpy()["record_number"]
    ends = edges.project("left_number, right_number").fetchnumpy()
    # Edges stay among touched records: their places there are nodes enough.
    left, right = (np.searchsorted(numbers, ends[end]) for end in ("left_number", "right_number"))
    component = connected_components(len(numbers), left, right)
    return pa.table({"record_number": numbers, "component_number": numbers[component]})
