"""Tables of a card from rows of ``ml.model_performance`` and ``ml.judged_predictions``."""

from typing import Any

import numpy as np
import pandas as pd

from ml.evaluation import calibration_bins
from ml.model_card.content import Table, as_table, between
from ml.plots import LABELS, _wilson

METRICS = {
    "roc_auc": "ROC-AUC",
    "average_precision": "Average precision",
    "lift_at_10pct": "Lift at 10%",
    "log_loss": "Log loss",
    "brier_score": "Brier score",
    "calibration_error": "Calibration error",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
}
# A slice of each date of many is a series and no table.
SERIES = ("one date",)
BASELINES = {**LABELS, "days_since_last_order": "days since the last order alone", "was_mailed": "was mailed, alone"}


def main_slice(performance: pd.DataFrame) -> str | None:
    """The slice that a model is judged by: of those of the model itself the largest; None without any figure."""
    own = performance[performance["is_champion"].astype(bool) & ~performance["slice"].isin(SERIES)]
    own = own[own["metric"].isin(METRICS)]
    if not len(own):
        return None
    sizes = own.groupby("slice")["rows"].max()
    return str(min(sizes.index[sizes == sizes.max()]))


def figures_table(performance: pd.DataFrame, part: str) -> Table:
    """Each metric of the slice `part` with its interval, beside each baseline."""
    own = performance[(performance["slice"] == part) & performance["is_champion"].astype(bool)]
    baselines = [str(one) for one in dict.fromkeys(own["baseline_name"].dropna()) if one != "perfect"]
    rows = []
    for metric, title in METRICS.items():
        found = own[own["metric"] == metric]
        if not len(found):
            continue
        first = found.iloc[0]
        beside = dict(zip(found["baseline_name"], found["baseline"], strict=True))
        rows.append(
            [
                title,
                between(*_numbers(first, ("value", "ci_low", "ci_high"))),
                *(_number(beside.get(name)) for name in baselines),
            ]
        )
    titles = ["Metric", "This model", *(_baseline(name) for name in baselines)]
    frame = pd.DataFrame(rows, columns=titles)
    return as_table(frame, f"Hold-out, {part}: 95% intervals, customers resampled", titles[1:])


def gains_table(performance: pd.DataFrame, part: str) -> Table | None:
    """What the model gains on each baseline on the same rows; None where nothing was compared in pairs."""
    own = performance[(performance["slice"] == part) & performance["is_champion"].astype(bool)]
    # Everybody beats a constant: that is in the figures already.
    own = own[own["metric"].astype(str).str.endswith("_gain") & (own["baseline_name"] != "base_rate")]
    if not len(own):
        return None
    rows = [
        (
            METRICS.get(str(row["metric"]).removesuffix("_gain"), str(row["metric"])),
            _baseline(str(row["baseline_name"])),
            between(*_numbers(row, ("value", "ci_low", "ci_high"))),
            "yes" if row["ci_low"] > 0 else "no",
        )
        for _, row in own.iterrows()
    ]
    columns = ["Metric", "Gain on", "Difference", "Beyond noise"]
    return as_table(pd.DataFrame(rows, columns=columns), "Paired gains on the same rows", ["Difference"])


def slices_table(performance: pd.DataFrame, part: str) -> Table | None:
    """ROC-AUC and calibration error of every other slice; None where there are no others."""
    own = performance[~performance["slice"].isin([*SERIES, part])]
    own = own[own["metric"].isin(METRICS)].drop_duplicates(["slice", "metric"])
    rows = []
    for name, found in own.groupby("slice", sort=True):
        by_metric = found.set_index("metric")
        shown = [
            between(*_numbers(by_metric.loc[metric], ("value", "ci_low", "ci_high")))
            if metric in by_metric.index
            else "-"
            for metric in ("roc_auc", "calibration_error")
        ]
        first = found.iloc[0]
        rows.append((str(name), int(first["rows"]), int(first["positives"]), *shown))
    if not rows:
        return None
    columns = ["Slice", "Rows", "Positives", "ROC-AUC", "Calibration error"]
    return as_table(pd.DataFrame(rows, columns=columns), "Parts of the hold-out", columns[1:])


def calibration_table(judged: pd.DataFrame, performance: pd.DataFrame) -> Table | None:
    """What was said beside what happened, in tenths of the rows, or in the bands that the model was judged in."""
    columns = ["Scores", "Rows", "Said", "Happened"]
    if len(judged):
        said, labels = judged["probability"].to_numpy(dtype=float), judged["label"].to_numpy(dtype=float)
        bins = calibration_bins(said)
        counts = np.bincount(bins)
        rates = np.bincount(bins, labels) / counts
        low, high = _wilson(rates, counts)
        lowest = [said[bins == number].min() for number in range(len(counts))]
        highest = [said[bins == number].max() for number in range(len(counts))]
        rows = [
            (
                f"{lowest[n]:.1%} to {highest[n]:.1%}",
                int(counts[n]),
                f"{said[bins == n].mean():.1%}",
                f"{rates[n]:.1%} ({low[n]:.1%} to {high[n]:.1%})",
            )
            for n in range(len(counts))
        ]
        return as_table(
            pd.DataFrame(rows, columns=columns),
            "Probability said and rate observed, tenths of the hold-out",
            columns[1:],
        )
    bands = performance[performance["metric"] == "purchase_rate"]
    if not len(bands):
        return None
    rows = [
        (
            str(row["slice"]),
            int(row["rows"]),
            f"{row['baseline']:.1%}",
            f"{row['value']:.1%} ({row['ci_low']:.1%} to {row['ci_high']:.1%})",
        )
        for _, row in bands.iterrows()
    ]
    return as_table(pd.DataFrame(rows, columns=columns), "What was said and what happened", columns[1:])


def fairness_table(differences: pd.DataFrame) -> Table:
    """Rows of `ml.model_card.fairness.group_differences` as a reader takes them in."""
    rows = [
        (
            str(row["dimension"]).replace("_", " "),
            str(row["group"]),
            int(row["rows"]),
            f"{row['mean_probability']:.1%}",
            f"{row['observed_rate']:.1%}",
            _points(row["opportunity_difference"], row["opportunity_low"], row["opportunity_high"]),
            _points(row["calibration_difference"], row["calibration_low"], row["calibration_high"]),
            "yes" if row["is_clear"] else "no",
        )
        for _, row in differences.iterrows()
    ]
    columns = ["", "Group", "Rows", "Said", "Happened", "Opportunity", "Calibration", "Beyond noise"]
    return as_table(
        pd.DataFrame(rows, columns=columns),
        "Each group less all others, in percentage points, with 95% intervals",
        columns[2:7],
    )


def _points(value: float, low: float, high: float) -> str:
    return f"{100 * value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def _baseline(name: str) -> str:
    return BASELINES.get(name, name.replace("_", " "))


def _numbers(row: Any, names: tuple[str, str, str]) -> tuple[float, float, float]:
    first, second, third = (float("nan") if pd.isna(row[name]) else float(row[name]) for name in names)
    return first, second, third


def _number(value: Any) -> str:
    return "-" if value is None or pd.isna(value) else f"{float(value):.3f}"
