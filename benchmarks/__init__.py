"""Measures what the project claims, on this machine: `make bench`, or `python -m benchmarks NAME`.

Each benchmark runs what it compares in the same session, alternating, and rewrites `results/<name>.json`: a list of
rows with name, ours_seconds, peer, peer_seconds, ratio (peer / ours), goal, rows, peak_memory_mb. Nothing here is a
test: a slow machine is not a failure.
"""
