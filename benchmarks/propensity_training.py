"""A million rows by forty features: the training of a propensity beside one `HistGradientBoostingClassifier` on all.

Ours is everything from the frames to the judged model: the search over ten candidates, three calibrations, the fit,
the baselines and 500 resamples for each figure. The peer is one fit on the same rows, and nothing else. Both are judged
on the same customers at a later date. Each measurement in a process of its own, in turns; the peer uses all cores.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measuring import Row, run_python, write_results

ROWS = int(os.environ.get("PROPENSITY_BENCHMARK_ROWS", "1000000"))
DATES = 10
FEATURES = 40
ROUNDS = 3
TEST_FROM = datetime.date(2017, 10, 16)
JUDGED = 50_000


def main() -> None:
    """Measure, compare, print, rewrite the results."""
    said: dict[str, list[dict[str, Any]]] = {"ours": [], "peer": []}
    memory = dict.fromkeys(said, 0.0)
    for _ in range(ROUNDS):
        for who in said:
            done = run_python("-m", "benchmarks.propensity_training", who)
            said[who].append(json.loads(done.output.strip().splitlines()[-1]))
            memory[who] = max(memory[who], round(done.peak_memory_mb, 0))
    seconds = {who: round(statistics.median(one["seconds"] for one in runs), 2) for who, runs in said.items()}
    ours, peer = said["ours"][-1], said["peer"][-1]
    row = Row(
        name=f"training on {ROWS:,} x {FEATURES}, search, calibration and judging included ({ours['algorithm']}); "
        f"ROC-AUC {ours['roc_auc']:.4f}, peer {peer['roc_auc']:.4f}",
        ours_seconds=seconds["ours"],
        peer="scikit-learn's HistGradientBoostingClassifier on all rows, one fit",
        peer_seconds=seconds["peer"],
        ratio=round(seconds["peer"] / seconds["ours"], 2),
        goal="no slower than the one fit, and no less accurate",
        rows=ROWS,
        peak_memory_mb=memory["ours"],
    )
    print(
        f"{row.name}: {row.ours_seconds} s, {row.peer}: {row.peer_seconds} s, ratio {row.ratio}; "
        f"memory {memory['ours']:.0f} MB beside {memory['peer']:.0f} MB"
    )
    print(f"results: {write_results('propensity_training', [row])}")


def _shop() -> tuple[Any, pd.DataFrame, pd.DataFrame]:
    """A task of forty numbers, its features and labels at `DATES` dates and at the hold-out.

    Some numbers matter by themselves, some together, a third not at all, and one in twenty is null.
    """
    from ml.propensity import TASKS, Task

    class _Wide(Task):
        """A question that learns from made-up numbers and not from the catalogue."""

        @property
        def numeric(self) -> tuple[str, ...]:
            names = [*self.required, "order_count", "total_spend"]
            return (*names, *(f"feature_{number}" for number in range(FEATURES - len(names))))

    known = TASKS["purchase_propensity_14d"]
    task = _Wide(**{**vars(known), "model_name": "wide_propensity"})
    generator = np.random.default_rng(0)
    customers = ROWS // DATES
    days = [TEST_FROM - datetime.timedelta(days=14 * step) for step in range(DATES, -1, -1)]
    size = customers * len(days)
    columns = {name: generator.gamma(2.0, 2.0, size) for name in task.numeric}
    values = list(columns.values())
    logits = 0.5 * (values[0] - 4) - 0.4 * (values[2] - 4) + 0.6 * (values[5] > 4) * (values[6] - 4)
    logits = logits + 0.3 * np.sin(values[7]) + 0.2 * (np.minimum(values[8], 6) - 4)
    labels = (generator.random(size) < 1 / (1 + np.exp(-logits))).astype(np.int64)
    for name in task.numeric[4::6]:
        columns[name][generator.random(size) < 0.05] = np.nan
    columns["customer_age_days"] = 20.0 + np.floor(40 * columns["customer_age_days"])
    names = np.array([f"c{number:07d}" for number in range(customers)], dtype=object)
    keys = pd.DataFrame(
        {
            "customer_id": np.tile(names, len(days)),
            "as_of_date": np.repeat(pd.to_datetime(days).to_numpy().astype("datetime64[s]"), customers),
        }
    )
    features = pd.concat([keys, pd.DataFrame(columns)], axis=1)
    return task, features, keys.assign(**{task.label_column: labels})


def _ours() -> dict[str, Any]:
    from ml.propensity import train

    task, features, labels = _shop()
    started = time.perf_counter()
    model = train(task, features, labels, TEST_FROM)
    seconds = time.perf_counter() - started
    held_out = features[features["as_of_date"] == pd.Timestamp(TEST_FROM)].head(JUDGED)
    truth = labels[task.label_column][held_out.index].to_numpy()
    return {
        "seconds": seconds,
        "algorithm": model.scorer.algorithm,
        "roc_auc": _auc(truth, model.scorer.probabilities(held_out)),
    }


def _peer() -> dict[str, Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    task, features, labels = _shop()
    numbers = features[list(task.numeric)].to_numpy()
    learned = (features["as_of_date"] < pd.Timestamp(TEST_FROM)).to_numpy()
    truth = labels[task.label_column].to_numpy()
    matrix = numbers[learned]
    started = time.perf_counter()
    model = HistGradientBoostingClassifier(random_state=0).fit(matrix, truth[learned])
    seconds = time.perf_counter() - started
    held_out = numbers[~learned][:JUDGED]
    return {"seconds": seconds, "roc_auc": _auc(truth[~learned][:JUDGED], model.predict_proba(held_out)[:, 1])}


def _auc(labels: Any, scores: Any) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, scores))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.propensity_training", description=__doc__)
    parser.add_argument("who", nargs="?", choices=("ours", "peer"), help="measure one in this process; default: all")
    chosen = parser.parse_args().who
    if chosen is None:
        main()
    else:
        print(json.dumps(_ours() if chosen == "ours" else _peer()))
