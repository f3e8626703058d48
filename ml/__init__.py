"""Models in pure Python: data frames in, data frames and fitted estimators out.

What belongs here: splits, estimators, evaluation, clustering, linkage of records, names, artifacts, plots.
What must not: Dagster, DuckDB, dbt, paths of a shop, the clock, the network. An adapter elsewhere reads the feature
tables, calls one function of `ml.propensity`, `ml.clusters` or `ml.linkage`, and writes the frames
that come back. Only `ml.linkage` runs SQL, in an engine that Splink opens for it and that is gone when it returns.
"""
