"""What the propensities do without, measured: neural networks, made-up positives (SMOTE), weights, LightGBM.

`python -m benchmarks.propensity_algorithms [WAREHOUSE]`. Each algorithm learns from the rows that the shipped
candidates learn from and is judged on the demo shop's development hold-outs; its probabilities are calibrated on the
newest date before it, so that what it does to the classes is undone. Beside the mean of line and boosting, paired,
customers resampled. LightGBM is measured where it is installed: it is no dependency.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

from benchmarks.measuring import Row, write_results
from benchmarks.propensity_data import UNTIL, demo_warehouse, hold_out, read
from ml.evaluation import estimate
from ml.propensity import TASKS, Limits, Task
from ml.propensity.calibration import fit_calibration
from ml.propensity.candidates import blend, boosting, boosting_pipeline, forest, logistic, logistic_pipeline
from ml.propensity.events import plan_events
from ml.propensity.inputs import checked_matrix
from ml.propensity.offers import plan_offers
from ml.propensity.slices import Part, Plan
from ml.threads import one_thread

Floats = npt.NDArray[np.float64]
Build = Callable[[Task], Any]

TOLD = ("purchase_propensity_14d", "churn_propensity", "redemption_propensity", "click_propensity")
NEIGHBORS = 5
SEEDS = 3
RESAMPLES = 500


class Smote(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator that first fills up the rarer class with rows between neighbors of it.

    Chawla, Bowyer, Hall and Kegelmeyer, *SMOTE: synthetic minority over-sampling technique*, JAIR 16, 2002.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, rows: Floats, labels: npt.NDArray[np.int64]) -> Smote:
        """Fit to the rows and the made-up ones."""
        generator = np.random.default_rng(0)
        rare = int(labels.mean() < 0.5)
        few = np.asarray(rows)[labels == rare]
        wanted = len(labels) - 2 * len(few)
        near = NearestNeighbors(n_neighbors=NEIGHBORS + 1).fit(few).kneighbors(few, return_distance=False)[:, 1:]
        start = generator.integers(0, len(few), wanted)
        end = near[start, generator.integers(0, NEIGHBORS, wanted)]
        between = few[start] + generator.random((wanted, 1)) * (few[end] - few[start])
        self.model.fit(np.vstack([rows, between]), np.r_[labels, np.full(wanted, rare)])
        self.classes_ = self.model.classes_
        return self

    def predict_proba(self, rows: Floats) -> Floats:
        """As the model says."""
        said: Floats = self.model.predict_proba(rows)
        return said


class Mean(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The mean of several neural networks that begin at different random weights."""

    def __init__(self, layers: tuple[int, ...], alpha: float) -> None:
        self.layers, self.alpha = layers, alpha

    def fit(self, rows: Floats, labels: npt.NDArray[np.int64]) -> Mean:
        """Fit each, stopping when a tenth of the rows no longer gets better."""
        self.models_ = [
            MLPClassifier(
                self.layers, alpha=self.alpha, learning_rate_init=0.003, early_stopping=True, max_iter=200,
                random_state=seed,
            ).fit(rows, labels)
            for seed in range(SEEDS)
        ]  # fmt: skip
        self.classes_ = self.models_[0].classes_
        return self

    def predict_proba(self, rows: Floats) -> Floats:
        """Mean probability."""
        said: Floats = np.mean([model.predict_proba(rows) for model in self.models_], axis=0)
        return said


def _with(prepared: Pipeline, model: Any) -> Pipeline:
    return Pipeline([("prepare", prepared.named_steps["prepare"]), ("model", model)])


def _scaled(task: Task) -> Pipeline:
    return logistic_pipeline(task.numeric, task.categorical, 0.01)


def _for_trees(task: Task) -> Pipeline:
    return boosting_pipeline(task.numeric, task.categorical, 60, 0.05, 50)


def _small_trees() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=50, l2_regularization=10.0,
        early_stopping=False, random_state=0,
    )  # fmt: skip


def algorithms() -> dict[str, Build]:
    """Name -> what builds the unfitted pipeline of a task; the first is what the others are held against."""

    def of(candidate: Any) -> Build:
        return lambda task: candidate.build(task.numeric, task.categorical)

    line, steps = logistic(0.01), boosting(60, 0.05, 50)
    found: dict[str, Build] = {
        "mean of line and boosting": of(blend(line, steps)),
        "line": of(line),
        "line, balanced weights": of(logistic(0.01, is_balanced=True)),
        "line, SMOTE": lambda task: _with(_scaled(task), Smote(LogisticRegression(C=0.01, max_iter=1000))),
        "random forest": of(forest(60, 10)),
        "random forest, balanced weights": of(forest(60, 10, is_balanced=True)),
        "boosting": of(steps),
        "boosting, balanced weights": of(boosting(60, 0.05, 50, is_balanced=True)),
        "boosting, SMOTE": lambda task: _with(_for_trees(task), Smote(_small_trees())),
        "neural network, 32": lambda task: _with(_scaled(task), Mean((32,), 1.0)),
        "neural network, 64 and 32": lambda task: _with(_scaled(task), Mean((64, 32), 1.0)),
    }
    if importlib.util.find_spec("lightgbm") is not None:
        import lightgbm  # type: ignore[import-not-found]

        found["LightGBM"] = lambda task: _with(
            _for_trees(task),
            lightgbm.LGBMClassifier(
                n_estimators=60, learning_rate=0.05, num_leaves=8, min_child_samples=50, reg_lambda=10.0, n_jobs=1,
                random_state=0, deterministic=True, verbose=-1,
            ),
        )  # fmt: skip
    return found


def main(warehouse: Path | None = None, names: Sequence[str] = TOLD) -> None:
    """Fit all to each task, print the paired differences; if all tasks were asked for, rewrite the results."""
    results = []
    for name in names:
        task = TASKS[name]
        features, labels = read(warehouse or demo_warehouse(), task)
        make_plan = plan_offers if task.is_per_offer else plan_events
        plan = make_plan(task, features, labels, hold_out(task), UNTIL, Limits())
        matrix = checked_matrix(plan.rows, task.numeric, task.categorical, name)
        said: dict[str, Floats] = {}
        seconds: dict[str, float] = {}
        for algorithm, build in algorithms().items():
            with one_thread():
                said[algorithm], seconds[algorithm] = _judged(build, task, plan, matrix)
        judged = plan.hold_out.judged
        customers = plan.rows["customer_id"].iloc[judged.slice.rows].reset_index(drop=True)
        reference = next(iter(said))
        print(f"\n{name}: {len(judged):,} rows, {int(judged.labels.sum()):,} yes; beside the {reference}")
        for algorithm, scores in said.items():
            pair = {algorithm: scores, f"{reference} ": said[reference]}
            figures, gains = estimate(judged.labels, pair, customers, ("roc_auc", "log_loss"), RESAMPLES)
            auc, loss = figures[algorithm, "roc_auc"].value, figures[algorithm, "log_loss"].value
            gain, lost = gains[f"{reference} ", "roc_auc"], gains[f"{reference} ", "log_loss"]
            told = (
                f"ROC-AUC {auc:.4f}, {gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}); "
                f"log loss {loss:.4f}, {lost.value:+.4f} ({lost.low:+.4f} to {lost.high:+.4f})"
            )
            print(f"  {algorithm:<32} {told}; fit {seconds[algorithm]:.2f} s")
            results.append(
                Row(
                    name=f"{name}, {algorithm}: {told}",
                    ours_seconds=round(seconds[reference], 2),
                    goal="a gain whose interval is above 0",
                    rows=len(plan.hold_out.learned),
                    peer=algorithm,
                    peer_seconds=round(seconds[algorithm], 2),
                    ratio=round(seconds[algorithm] / seconds[reference], 2),
                )
            )
    if tuple(names) == TOLD:
        print(f"results: {write_results('propensity_algorithms', results)}")


def _judged(build: Build, task: Task, plan: Plan, matrix: pd.DataFrame) -> tuple[Floats, float]:
    """Calibrated probabilities of the hold-out's rows, and the seconds of the fit."""

    def fitted(part: Part) -> Any:
        return build(task).fit(matrix.iloc[part.slice.rows], part.labels)

    def said_by(model: Any, part: Part) -> Floats:
        found: Floats = model.predict_proba(matrix.iloc[part.slice.rows])[:, 1]
        return found

    newest = plan.selection[-1]
    raw = said_by(fitted(newest.learned), newest.judged)
    calibration = fit_calibration(raw, newest.judged.labels, seen=newest.judged.seen)
    started = time.process_time()
    model = fitted(plan.hold_out.learned)
    seconds = time.process_time() - started
    judged = plan.hold_out.judged
    return judged.as_seen(calibration.apply(said_by(model, judged))), seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.propensity_algorithms", description=__doc__)
    parser.add_argument("warehouse", nargs="?", type=Path, help="a warehouse of the demo shop; default: the demo's own")
    parser.add_argument("--task", action="append", choices=TOLD, help="measure this task alone; may be given again")
    arguments = parser.parse_args()
    main(arguments.warehouse, arguments.task or TOLD)
