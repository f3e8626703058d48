"""Connected components of the identity graph: which source records hang together over edges.

SciPy's breadth-first search on integer ids takes seconds for millions of edges where SQL takes minutes. The numbers
that it gives have no meaning beyond one build; `master_customer_index` makes persistent ids of them.
"""


def model(dbt, session):
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    dbt.config(materialized="table")
    records = dbt.ref("int_identity__source_records").order("source_record_key").df()
    edges = dbt.ref("int_identity__edges").df()

    keys = records["source_record_key"].to_numpy(dtype=object).astype(str)
    left = np.searchsorted(keys, edges["left_record_key"].to_numpy(dtype=object).astype(str))
    right = np.searchsorted(keys, edges["right_record_key"].to_numpy(dtype=object).astype(str))
    graph = coo_matrix((np.ones(len(edges), dtype=bool), (left, right)), shape=(len(keys), len(keys)))
    _, component = connected_components(graph, directed=False)
    return records[["source_record_key"]].assign(component_number=component.astype("int64"))
