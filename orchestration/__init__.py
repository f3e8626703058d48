"""Runs the chain: Dagster assets by stage, gates, ML adapters, publish, jobs and the command line.

Domain code lives elsewhere (`models/`, `ml/`, `expectations/`, `ingestion/`); what is here reads, calls, writes and
records. Importing this package has no side effect.
"""
