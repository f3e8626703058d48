"""Connected components of the identity graph: which source records hang together over edges.

The numbers are those of each component's first record within one build; `master_customer_index` makes persistent ids.
"""


def model(dbt, session):
    import pyarrow as pa

    from ml.graph import connected_components

    dbt.config(materialized="table")
    edges = dbt.ref("int_identity__edges").select("left_number - 1 as left_end, right_number - 1 as right_end")
    ends = edges.fetchnumpy()
    records = dbt.ref("int_identity__source_records").aggregate("count(*)").fetchone()[0]
    component = connected_components(records, ends["left_end"], ends["right_end"])
    return pa.table({"record_number": range(1, records + 1), "component_number": component + 1})
