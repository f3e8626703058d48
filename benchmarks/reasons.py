"""A million scores by forty features: three reasons each, in words, beside the model's own `predict_proba`.

Everything from Parquet in batches to sentences in Parquet, checked against the model, for a logistic regression,
boosted trees and the mean of both. Beside them the ways that were not taken: walking through the model, on fewer rows,
and the library shap for the boosted trees alone, where `SHAP_PYTHON` names a Python that has it and the same
scikit-learn.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measuring import Row, run, run_python, write_results

ROWS = int(os.environ.get("REASONS_BENCHMARK_ROWS", "1000000"))
FEATURES = 40
TRAINING_ROWS = 50_000
BATCH = 50_000
WALKED_ROWS = 2_000
SHAP_ROWS = 20_000
WAYS = ("line", "trees", "mean", "predict", "walked")
SHAP = """
import json, sys, time, numpy as np, shap
from sklearn.ensemble import HistGradientBoostingClassifier
data = np.load(sys.argv[1])
model = HistGradientBoostingClassifier(max_iter=200, learning_rate=0.03, max_leaf_nodes=8, min_samples_leaf=100,
                                       l2_regularization=10.0, early_stopping=False, random_state=0)
model.fit(data["learned"], data["labels"])
explainer = shap.TreeExplainer(model, data["reference"], feature_perturbation="interventional")
explainer.shap_values(data["rows"][:100])
started = time.perf_counter()
found = explainer.shap_values(data["rows"])
seconds = time.perf_counter() - started
from_ours = float(np.abs(found - data["ours"]).max())
print(json.dumps({"seconds": seconds, "difference": from_ours}))
"""


def main() -> None:
    """Measure, compare, print, rewrite the results."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_rows(folder)
        said, memory = {}, {}
        for way in WAYS:
            done = run_python("-m", "benchmarks.reasons", way, name)
            said[way] = json.loads(done.output.strip().splitlines()[-1])
            memory[way] = round(done.peak_memory_mb, 0)
        shap = _shap(folder) if os.environ.get("SHAP_PYTHON") else None
    size = f"{ROWS:,} x {FEATURES}"
    titles = {"line": "logistic regression", "trees": "200 boosted trees", "mean": "the mean of both"}
    results = [
        Row(
            name=f"three reasons in words for {size}: {title}; {said[way]['reasons']:,} reasons, "
            f"{said[way]['left_out']:,} left out because the model does not bear them out",
            ours_seconds=round(said[way]["seconds"], 1),
            peer="predict_proba of the mean of both alone, the same batches" if way == "mean" else None,
            peer_seconds=round(said["predict"]["seconds"], 1) if way == "mean" else None,
            ratio=round(said["predict"]["seconds"] / said[way]["seconds"], 2) if way == "mean" else None,
            goal="under 5 minutes and 2 GB",
            rows=ROWS,
            peak_memory_mb=memory[way],
        )
        for way, title in titles.items()
    ]
    walked = said["walked"]
    results.append(
        Row(
            name=f"contributions to the mean of both for {WALKED_ROWS:,} rows; the same largest feature in "
            f"{walked['same_largest']:.1%} of them",
            ours_seconds=round(walked["seconds"], 3),
            peer="walking through the model, one order and its reverse",
            peer_seconds=round(walked["walked_seconds"], 2),
            ratio=round(walked["walked_seconds"] / walked["seconds"], 0),
            goal="at least 10 times as fast",
            rows=WALKED_ROWS,
        )
    )
    if shap is not None:
        results.append(
            Row(
                name=f"contributions to 200 boosted trees for {SHAP_ROWS:,} rows; largest difference "
                f"{shap['difference']:.1e}",
                ours_seconds=round(shap["ours_seconds"], 3),
                peer="shap.TreeExplainer, interventional, a background of one row",
                peer_seconds=round(shap["seconds"], 2),
                ratio=round(shap["seconds"] / shap["ours_seconds"], 1),
                goal="the same values, not slower",
                rows=SHAP_ROWS,
            )
        )
    for row in results:
        beside = "" if row.ratio is None else f"; {row.peer} {row.peer_seconds} s: ratio {row.ratio}"
        print(f"{row.name}: {row.ours_seconds} s, {row.peak_memory_mb} MB{beside} (goal: {row.goal})")
    print(f"written to {write_results('reasons', results)}")


def _names() -> list[str]:
    from ml.catalogue import read_catalogue

    features = [feature for feature in read_catalogue().features if feature.models and feature.is_number]
    return [feature.name for feature in features][:FEATURES]


def _draw(count: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    numbers = np.round(generator.gamma(1.5, 8.0, size=(count, FEATURES)))
    numbers[generator.random(numbers.shape) < 0.02] = np.nan
    frame = pd.DataFrame(numbers, columns=_names())
    frame.insert(0, "customer_id", [f"c{seed:02d}{place:07d}" for place in range(count)])
    frame.insert(1, "as_of_date", pd.Timestamp(2017, 10, 16).date())
    return frame.assign(campaign_id=None, fallback_tier="model")


def _write_rows(folder: Path) -> None:
    writer = None
    for number in range(-(-ROWS // BATCH)):
        table = pa.Table.from_pandas(_draw(min(BATCH, ROWS - number * BATCH), 1 + number), preserve_index=False)
        table = table.set_column(
            table.schema.get_field_index("campaign_id"), "campaign_id", pa.nulls(len(table), pa.string())
        )
        writer = writer or pq.ParquetWriter(folder / "rows.parquet", table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def _batches(folder: Path) -> Iterator[pd.DataFrame]:
    for batch in pq.ParquetFile(folder / "rows.parquet").iter_batches(BATCH):
        yield batch.to_pandas()


def _learned() -> tuple[pd.DataFrame, Any]:
    rows = _draw(TRAINING_ROWS, 0)[_names()]
    first, second, third = (rows[name].fillna(0).to_numpy() for name in _names()[:3])
    line = 0.1 * (first - 12) - 0.05 * (second - 12) + 0.6 * (third > 10) * (first > 8)
    chance = 1 / (1 + np.exp(-line))
    return rows, (np.random.default_rng(7).random(TRAINING_ROWS) < chance).astype(np.int64)


def _fitted(way: str) -> Any:
    from ml.propensity.candidates import blend, boosting, logistic

    line, steps = logistic(0.01), boosting(rounds=200, learning_rate=0.03, min_leaf=100)
    candidate = {"line": line, "trees": steps}.get(way) or blend(line, steps)
    rows, labels = _learned()
    return candidate.build(_names(), ()).fit(rows, labels)


def _measure(way: str, folder: Path) -> dict[str, Any]:
    from ml.catalogue import read_catalogue
    from ml.reasons.contributions import Explainer
    from ml.reasons.reference import typical
    from ml.reasons.rows import tell_reasons
    from ml.reasons.sampling import sampled_contributions
    from ml.reasons.words import Teller, shipped_words
    from ml.threads import one_thread

    names = _names()
    with one_thread():
        pipeline = _fitted(way)
        explainer = Explainer(pipeline, typical(_learned()[0], names, ()))
        if way == "walked":
            rows = _draw(WALKED_ROWS, 1)[names]
            explainer.contributions(rows[:100])
            started = time.perf_counter()
            own = explainer.contributions(rows)
            middle = time.perf_counter()
            walked = sampled_contributions(explainer.margin, rows, explainer.reference)
            same = np.abs(own).argmax(axis=1) == np.abs(walked).argmax(axis=1)
            return {
                "seconds": middle - started,
                "walked_seconds": time.perf_counter() - middle,
                "same_largest": float(same.mean()),
            }
        started = time.perf_counter()
        if way == "predict":
            for batch in _batches(folder):
                pipeline.predict_proba(batch[names])
            return {"seconds": time.perf_counter() - started}
    teller = Teller(read_catalogue().named(names), shipped_words(), "USD")
    reasons = left_out = 0
    writer = None
    for batch in _batches(folder):
        told = tell_reasons(batch, explainer, teller, "benchmark", "benchmark-1")
        reasons, left_out = reasons + len(told.rows), left_out + told.left_out
        table = pa.Table.from_pandas(told.rows.drop(columns="campaign_id"), preserve_index=False)
        writer = writer or pq.ParquetWriter(folder / f"{way}.parquet", table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    return {"seconds": time.perf_counter() - started, "reasons": reasons, "left_out": left_out}


def _shap(folder: Path) -> dict[str, float]:
    """The boosted trees explained by the library shap in another Python, and by ours in this one."""
    from ml.reasons.trees import TreeContributions, boosted_trees
    from ml.threads import one_thread

    pipeline = _fitted("trees")
    prepare, model = pipeline[0], pipeline[1]
    learned, labels = _learned()
    rows = prepare.transform(_draw(SHAP_ROWS, 1)[_names()])
    reference = prepare.transform(learned)[:1]
    with one_thread():
        ours = TreeContributions(boosted_trees(model), reference[0], np.arange(FEATURES), FEATURES)
        ours.of(rows[:100])
        started = time.perf_counter()
        found = ours.of(rows)
        seconds = time.perf_counter() - started
    file = folder / "shap.npz"
    np.savez(file, learned=prepare.transform(learned), labels=labels, rows=rows, reference=reference, ours=found)
    done = run([os.environ["SHAP_PYTHON"], "-c", SHAP, str(file)], {"OMP_NUM_THREADS": "1"})
    said: dict[str, float] = json.loads(done.output.strip().splitlines()[-1])
    return {**said, "ours_seconds": seconds}


def _measured_part() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    print(json.dumps(_measure(asked.way, asked.folder)))


if __name__ == "__main__":
    _measured_part()
