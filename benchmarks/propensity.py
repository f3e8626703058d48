"""How good the propensities are on the demo shop's hold-outs.

`python -m benchmarks.propensity [WAREHOUSE]`. Each is trained and judged as in the chain, on what happened before
2017-11-13. Printed: the model's figures, those of two baselines, and the paired differences with 95% intervals,
customers resampled; calibration by type of campaign.

`--final` judges on 2017-11-13 and 2017-12-03 instead (campaigns that start on them or later), each by a model of what
was known before. Nothing may be chosen by what it says: it is for the end. The second is no Monday, so that its
features have to be made first: `python -m orchestration backfill 2017-12-03`.
"""

from __future__ import annotations

import argparse
import datetime
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measuring import Row, write_results
from benchmarks.propensity_data import FINAL, UNTIL, demo_warehouse, hold_out, read
from ml.propensity import TASKS, Task, TrainedModel, train
from ml.propensity.inputs import BadInputError

BASELINES = ("days_since_last_order", "logistic_regression_rfm")
GOAL = "under 45 s on one core"


def main(warehouse: Path | None = None, is_final: bool = False, only: str | None = None) -> None:
    """Train all, print what each reaches, rewrite the results; `only` one of them leaves the results alone."""
    source = warehouse or demo_warehouse()
    results = []
    for task in TASKS.values() if only is None else (TASKS[only],):
        features, labels = read(source, task, FINAL if is_final else ())
        for begin in FINAL if is_final else (hold_out(task),):
            started = time.process_time()
            try:
                model = train(task, features, labels, begin, test_until=None if is_final else UNTIL)
            except BadInputError as error:
                print(f"\n{task.model_name}, {begin}: {error}")
                continue
            seconds = round(time.process_time() - started, 1)
            _tell(task, model, seconds)
            results.append(_row(task, model, begin, seconds))
    if only is not None:
        return
    total = round(sum(row.ours_seconds for row in results), 1)
    if not is_final:
        results.append(Row(name="all six, processor seconds of one thread", ours_seconds=total, goal=GOAL))
    print(f"\nall: {total} s of one core")
    print(f"results: {write_results('propensity_final' if is_final else 'propensity', results)}")


def _row(task: Task, model: TrainedModel, begin: datetime.date, seconds: float) -> Row:
    auc = _figure(model, task.slice, "roc_auc", BASELINES[1])
    gains = []
    for baseline in BASELINES:
        gain = _figure(model, task.slice, "roc_auc_gain", baseline)
        gains.append(f"{baseline} {gain['value']:+.4f} ({gain['ci_low']:+.4f} to {gain['ci_high']:+.4f})")
    return Row(
        name=f"{task.model_name}, judged from {begin}: ROC-AUC {auc['value']:.3f} ({auc['ci_low']:.3f}-"
        f"{auc['ci_high']:.3f}), {len(model.hold_out):,} rows; gain on {', on '.join(gains)}; {model.scorer.algorithm}",
        ours_seconds=seconds,
        goal="beats recency and logistic regression on RFM, interval above 0",
        rows=model.parameters["training_rows"],
    )


def _figure(model: TrainedModel, part: str, metric: str, baseline: str) -> pd.Series:
    rows = model.performance.set_index(["slice", "metric", "baseline_name"])
    found: pd.Series = rows.loc[(part, metric, baseline)]  # type: ignore[index]
    return found


def _highest(own: pd.DataFrame) -> float:
    found: float = own.loc[own["metric"] == "highest_lift_at_10pct", "value"].iloc[0]
    return found


def _tell(task: Task, model: TrainedModel, seconds: float) -> None:
    judged = model.hold_out
    print(f"\n{model.title}: {len(judged):,} rows, {int(judged.labels.sum()):,} yes; {seconds} s")
    print(f"  {model.scorer.algorithm}, from {model.parameters['training_rows']:,} rows; tiers {_tiers(judged.tiers)}")
    own = model.performance[model.performance["slice"] == task.slice].drop_duplicates("metric")
    for metric in ("roc_auc", "average_precision", "log_loss", "brier_score", "calibration_error", "lift_at_10pct"):
        row = own.set_index("metric").loc[metric]
        print(f"  {metric:<20} {row['value']:.4f} ({row['ci_low']:.4f} to {row['ci_high']:.4f})")
    print(f"  {'highest lift':<20} {_highest(own):.4f}")
    for baseline in BASELINES:
        gain = _figure(model, task.slice, "roc_auc_gain", baseline)
        print(
            f"  gain on {baseline}: {gain['value']:+.4f} ({gain['ci_low']:+.4f} to {gain['ci_high']:+.4f}), "
            f"it has {gain['baseline']:.4f}"
        )
    said = judged.scores["model"]
    top = np.argsort(-said, kind="stable")[: max(1, len(said) // 10)]
    print(f"  the tenth on top: said {said[top].mean():.3f}, was {judged.labels[top].mean():.3f}")
    if task.type_column:
        kinds = judged.rows[task.type_column].to_numpy()
        for kind in sorted(set(kinds)):
            inside = kinds == kind
            print(
                f"  {kind}: {inside.sum():,} rows, said {said[inside].mean():.3f}, was "
                f"{judged.labels[inside].mean():.3f}"
            )


def _tiers(tiers: np.ndarray) -> dict[str, int]:
    names, counts = np.unique(tiers.astype(str), return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.propensity", description=__doc__)
    parser.add_argument("warehouse", nargs="?", type=Path, help="a warehouse of the demo shop; default: the demo's own")
    parser.add_argument("--final", action="store_true", help="the final hold-outs")
    parser.add_argument("--only", choices=list(TASKS), help="one of them; the results file stays as it is")
    asked = parser.parse_args()
    main(asked.warehouse, asked.final, asked.only)
