"""A million customers by twelve features: k-means beside scikit-learn's on all rows, Ward of all, the whole choice.

Everything from the matrix in memory to a cluster for every row; each measurement in a process of its own, in turns.
`python -m benchmarks clusters_planted` tells whether what is chosen is right.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measuring import Row, run_python, write_results

Floats = npt.NDArray[np.float64]

ROWS = int(os.environ.get("CLUSTER_BENCHMARK_ROWS", "1000000"))
FEATURES = 12
CLOUDS = 8
ROUNDS = {"ours": 5, "sklearn": 5, "ward": 3, "choice": 1}
# What the choice compares is fitted to two earlier dates as well.
EARLIER = 2


def main() -> None:
    """Measure, compare the answers, print, rewrite the results."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.npz"
        rows, truth = _draw(0)
        np.savez(file, rows=rows, truth=truth)
        said: dict[str, list[dict[str, Any]]] = {who: [] for who in ROUNDS}
        memory = dict.fromkeys(ROUNDS, 0.0)
        for number in range(max(ROUNDS.values())):
            for who in (who for who, rounds in ROUNDS.items() if number < rounds):
                done = run_python("-m", "benchmarks.clusters", who, str(file))
                said[who].append(json.loads(done.output.strip().splitlines()[-1]))
                memory[who] = max(memory[who], round(done.peak_memory_mb, 0))
    seconds = {who: round(statistics.median(one["seconds"] for one in runs), 2) for who, runs in said.items()}
    last = {who: runs[-1] for who, runs in said.items()}
    inertia = last["ours"]["inertia"] / last["sklearn"]["inertia"] - 1
    ratio = round(seconds["sklearn"] / seconds["ours"], 1)
    size = f"{ROWS:,} x {FEATURES}"
    chosen = f"{last['choice']['algorithm']} with {last['choice']['clusters']}"
    results = [
        Row(
            name=f"k-means of {size} into {CLOUDS}, fitted and assigned; inertia {inertia:+.2%}",
            ours_seconds=seconds["ours"],
            peer="scikit-learn's KMeans on all rows",
            peer_seconds=seconds["sklearn"],
            ratio=ratio,
            goal="at least 3 times as fast, inertia within 1%",
            rows=ROWS,
            peak_memory_mb=memory["ours"],
        ),
        Row(
            name=f"Ward of {size} into {CLOUDS} through 1,000 micro-centroids; "
            f"adjusted Rand {last['ward']['rand']:.3f}, k-means {last['ours']['rand']:.3f}",
            ours_seconds=seconds["ward"],
            goal="under 20 s",
            rows=ROWS,
            peak_memory_mb=memory["ward"],
        ),
        Row(
            name=f"choice for {size}: 2 to 12 clusters, four algorithms, {EARLIER} earlier dates; took {chosen}",
            ours_seconds=seconds["choice"],
            goal="under 60 s",
            rows=ROWS,
            peak_memory_mb=memory["choice"],
        ),
    ]
    for row in results:
        beside = "" if row.ratio is None else f"; {row.peer} {row.peer_seconds} s: {row.ratio} times as fast"
        print(f"{row.name}: {row.ours_seconds} s, {row.peak_memory_mb:.0f} MB{beside} (goal: {row.goal})")
    print(f"written to {write_results('clusters', results)}")


def _draw(seed: int) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Overlapping round clouds of unequal size, always the same ones; the seed draws who is in them."""
    shape = np.random.default_rng(12)
    centers = shape.normal(0.0, 1.0, (CLOUDS, FEATURES))
    shares = shape.dirichlet(np.full(CLOUDS, 4.0))
    generator = np.random.default_rng(seed)
    truth = generator.choice(CLOUDS, ROWS, p=shares).astype(np.intp)
    return centers[truth] + generator.normal(0.0, 0.8, (ROWS, FEATURES)), truth


def _labels(name: str, rows: Floats) -> tuple[float, npt.NDArray[np.intp]]:
    """Seconds and the cluster of every row; what is imported is not counted."""
    from sklearn.cluster import KMeans

    from ml.clusters.algorithms import clusterer

    ways: dict[str, Callable[[Floats], Any]] = {
        "ours": lambda all_rows: clusterer("k_means", CLOUDS).fit(all_rows).predict(all_rows),
        "sklearn": lambda all_rows: KMeans(CLOUDS, random_state=0).fit(all_rows).labels_,
        "ward": lambda all_rows: clusterer("ward", CLOUDS).fit(all_rows).predict(all_rows),
    }
    # libraries load and start their threads on a little of it
    ways[name](rows[:2_000])
    started = time.perf_counter()
    labels = ways[name](rows)
    return time.perf_counter() - started, labels


def _measured_part() -> None:
    from sklearn.metrics import adjusted_rand_score

    from ml.clusters.choice import choose
    from ml.clusters.criteria import within_squares

    parser = argparse.ArgumentParser()
    parser.add_argument("who", choices=tuple(ROUNDS))
    parser.add_argument("file")
    asked = parser.parse_args()
    with np.load(asked.file) as stored:
        rows, truth = stored["rows"], stored["truth"]
    if asked.who == "choice":
        earlier = [_draw(1 + number)[0] for number in range(EARLIER)]
        started = time.perf_counter()
        choice = choose(rows, earlier, floor=50)
        figures = {
            "seconds": time.perf_counter() - started,
            "algorithm": choice.algorithm,
            "clusters": choice.n_clusters,
        }
    else:
        seconds, labels = _labels(asked.who, rows)
        figures = {
            "seconds": seconds,
            "inertia": within_squares(rows, labels),
            "rand": adjusted_rand_score(truth, labels),
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    _measured_part()
