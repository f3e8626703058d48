"""Models in pure Python: data frames in, data frames and fitted estimators out.

What belongs here: splits, estimators, evaluation, clustering, names, artifacts, plots.
What must not: Dagster, DuckDB, dbt, paths of a shop, the clock, the network. An adapter elsewhere reads the feature
tables, calls one function of `ml.purchase`, `ml.redemption` or `ml.clustering`, and writes the frames that come back.
"""
