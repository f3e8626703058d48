"""All customers scored, from DuckDB into DuckDB, beside scikit-learn's `predict_proba` on one frame in memory.

1 M customers, 40 features, 200 rounds of boosting. Ours reads the features in Arrow batches, scores them and writes the
score rows; the peer is the same fitted pipeline, its frame is already read and its probabilities go nowhere. The peer
may use all cores or one, and the faster of the two is what counts: on a machine that does other work two threads can
be the slower ones. Both are processes of their own, in turns. Then ours with five times the customers: does it need
more memory?
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.measuring import Measured, Row, median_seconds, peak_memory, run_python, write_results
from ml import artifacts
from ml.batch_scoring import positive_probability
from ml.frames import feature_matrix
from ml.propensity.calibration import Calibration
from ml.propensity.candidates import boosting_pipeline
from ml.propensity.cohorts import Fallback
from ml.propensity.scorer import PropensityScorer
from ml.score_rows import SCORE_COLUMNS
from ml.threads import one_thread
from orchestration.batch_scoring import Query, score_in_batches

CUSTOMERS = 1_000_000
MANY_CUSTOMERS = 5_000_000
TRAINED_ON = 50_000
FEATURES = tuple(f"feature_{number:02d}" for number in range(40))
ROUNDS = 3
# As the models that ship have it, and as scikit-learn has it where nobody says a number.
LEAVES = (8, 31)
TYPES = {
    "as_of_date": "date",
    "score": "double",
    "score_low": "double",
    "score_high": "double",
    "horizon_days": "integer",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop, large = Path(folder) / "shop.duckdb", Path(folder) / "large.duckdb"
        make_customers(shop, CUSTOMERS)
        rows: list[Row] = []
        for leaves in LEAVES:
            model = Path(folder) / f"model_{leaves}"
            artifacts.save_scorer(model, trained(shop, leaves))
            ours: list[Measured] = []
            peers: dict[str, list[Measured]] = {"all": [], "one": []}
            for _ in range(ROUNDS):
                ours.append(measured("ours", shop, model))
                for threads, found in peers.items():
                    found.append(measured(f"peer-{threads}", shop, model))
            rows.append(compared(leaves, ours, peers))
        small = peak_memory(ours)
        make_customers(large, MANY_CUSTOMERS)
        grown = measured("ours", large, model)
        rows.append(
            Row(
                name=f"memory with {MANY_CUSTOMERS:,} customers ({small:.0f} MB with {CUSTOMERS:,})",
                ours_seconds=round(grown.seconds, 2),
                goal="under 2,000 MB, and no more than with a fifth of them by a tenth",
                rows=MANY_CUSTOMERS,
                peak_memory_mb=round(grown.peak_memory_mb),
            )
        )
    print(write_results("scoring", rows))
    for row in rows:
        print(row)


def compared(leaves: int, ours: Sequence[Measured], peers: Mapping[str, Sequence[Measured]]) -> Row:
    """Medians side by side; the peer's are of whichever number of threads was faster."""
    seconds, threads = min((median_seconds(found), threads) for threads, found in peers.items())
    mine = median_seconds(ours)
    return Row(
        name=f"customers scored and written, 200 trees of {leaves} leaves",
        ours_seconds=mine,
        goal="at least 2 times as fast as predict_proba on one frame, under 2,000 MB",
        rows=CUSTOMERS,
        peak_memory_mb=peak_memory(ours),
        peer=f"scikit-learn predict_proba, {threads} thread(s), nothing read or written, "
        f"{peak_memory(peers[threads]):.0f} MB",
        peer_seconds=seconds,
        ratio=round(seconds / mine, 2),
    )


def measured(what: str, warehouse: Path, model: Path) -> Measured:
    """A process of its own; its seconds are those of the work alone, without imports and loading the model."""
    found = run_python("-m", "benchmarks.scoring", what, str(warehouse), str(model))
    return dataclasses.replace(found, seconds=float(found.output.split()[-1]))


def make_customers(warehouse: Path, count: int) -> None:
    """A table of features, made from hashes: amounts, counts and shares, one in twenty null."""
    kinds = (
        "round(-20 * ln((1 + hash(n, {0}) % 100000) / 100001.0), 2)",
        "(hash(n, {0}) % 40)::double",
        "(hash(n, {0}) % 1000) / 1000.0",
    )
    columns = ", ".join(
        f"case when hash(n, {number}, 'null') % 20 = 0 then null else {kinds[number % 3].format(number)} end as {name}"
        for number, name in enumerate(FEATURES)
    )
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set memory_limit = '1GB'")
        connection.execute(
            f"create table features as select 'c_' || lpad(n::varchar, 16, '0') as customer_id, "
            f"date '2018-01-01' as as_of_date, {columns} from range({count}) as customers(n)"
        )
        listed = ", ".join(f"{name} {TYPES.get(name, 'varchar')}" for name in (*SCORE_COLUMNS, "run_id"))
        connection.execute("create schema ml")
        connection.execute(f"create table ml.scores ({listed})")


def trained(warehouse: Path, leaves: int) -> PropensityScorer:
    """The pipeline that ships, with trees of so many leaves."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        frame = connection.execute(f"from features order by customer_id limit {TRAINED_ON}").df()
    matrix = feature_matrix(frame, FEATURES, (), "the features")
    known = matrix.fillna(0.0).to_numpy()
    signal = (
        0.02 * known[:, 0] - 0.05 * known[:, 1] + known[:, 2] * known[:, 5] + (known[:, 4] > 20) * (known[:, 3] > 15)
    )
    labels = (np.random.default_rng(1).random(len(signal)) < 1 / (1 + np.exp(-signal))).astype(np.int64)
    pipeline = boosting_pipeline(FEATURES, (), rounds=200, learning_rate=0.1, min_leaf=100)
    model = pipeline[-1]
    assert isinstance(model, HistGradientBoostingClassifier)
    model.set_params(max_leaf_nodes=leaves)
    with one_thread():
        pipeline.fit(matrix, labels)
    return PropensityScorer(
        model_name="benchmark", model_version=f"benchmark-{leaves}", algorithm="gradient_boosting", numeric=FEATURES,
        categorical=(), pipeline=pipeline, calibration=Calibration(1.1, 0.1), fallback=Fallback(float(labels.mean())),
        trained_through=datetime.date(2017, 12, 31), horizon_days=14,
    )  # fmt: skip


def ours(warehouse: Path, scorer: PropensityScorer) -> float:
    """Seconds to score everybody in `warehouse`."""
    facts = {**scorer.identity, "score_kind": "probability", "unit": "probability"}
    started = time.perf_counter()
    score_in_batches(
        warehouse, Query("from features"), scorer.predict,
        scorer.numeric, facts=facts, where={"model_name": scorer.model_name}, run_id="benchmark",
    )  # fmt: skip
    return time.perf_counter() - started


def peer(warehouse: Path, scorer: PropensityScorer, threads: str) -> float:
    """Seconds of `predict_proba` on the frame of everybody; what it says is held against what we say."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        frame = connection.execute(f"select {', '.join(FEATURES)} from features").df()
    pipeline = scorer.pipeline
    assert pipeline is not None
    started = time.perf_counter()
    if threads == "one":
        with one_thread():
            found = pipeline.predict_proba(frame)[:, 1]
    else:
        found = pipeline.predict_proba(frame)[:, 1]
    seconds = time.perf_counter() - started
    apart = np.abs(found - positive_probability(pipeline, frame)).max()
    if apart > 1e-12:
        raise SystemExit(f"the probabilities differ by {apart}")
    return seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="?", choices=["ours", "peer-all", "peer-one"])
    parser.add_argument("warehouse", nargs="?", type=Path)
    parser.add_argument("model", nargs="?", type=Path)
    asked = parser.parse_args()
    if asked.what is None:
        main()
    else:
        loaded = artifacts.load_scorer(asked.model)
        if asked.what == "ours":
            print(ours(asked.warehouse, loaded))
        else:
            print(peer(asked.warehouse, loaded, asked.what.removeprefix("peer-")))
