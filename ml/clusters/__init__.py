"""Cluster segments: rows are prepared, divided, compared; groups are matched over time, named and watched.

What belongs here: numbers in, labels and figures out. What does not: tables, dates of a run, the ledger.
"""
