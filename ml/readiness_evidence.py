"""Does buy readiness mean what it says? Scores as they were written, held against what was bought afterwards.

Every score was made by a formula that knew nothing of its date or later, so that all dates together are one hold-out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from ml import readiness, resampling
from ml.evaluation import PERFORMANCE_COLUMNS, brier_score, log_loss, roc_auc
from ml.frames import as_date, as_days, require_columns

Floats = npt.NDArray[np.float64]
Figure = tuple[float, float, float]

BASELINE = "days_since_last_order"
BIN_WIDTH = 10
# A score of 0 or 100 after rounding would have no log-odds.
NEAREST = 0.0005
ALL_DATES = "all dates"
ONE_DATE = "one date"


@dataclass(frozen=True)
class Evidence:
    """How good the scores were.

    Attributes
    ----------
    performance : DataFrame
        Rows of ``ml.model_performance`` without run_id: slices `ALL_DATES`, ``readiness 80 to 90`` … and `ONE_DATE`.
    reliability : DataFrame
        One row a bin of readiness: low, high, rows, mean_readiness, bought_share, ci_low, ci_high (0 to 100).
    by_date : DataFrame
        One row a date: as_of_date, rows, model (ROC-AUC), ci_low, ci_high, baseline (ROC-AUC of recency alone).
    """

    performance: pd.DataFrame
    reliability: pd.DataFrame
    by_date: pd.DataFrame
    horizon_days: int

    def metrics(self) -> dict[str, float]:
        """The figures over all dates, by name."""
        own = self.performance[self.performance["slice"] == ALL_DATES].set_index("metric")["value"].dropna()
        return {str(metric): float(value) for metric, value in own.to_dict().items()}

    def plots(self) -> dict[str, bytes]:
        """PNG pictures by name; none without judged rows."""
        from ml import readiness_plots

        if self.reliability.empty:
            return {}
        return {
            "calibration": readiness_plots.calibration(self.reliability, self.by_date, self.horizon_days),
            "over_time": readiness_plots.over_time(self.by_date),
        }


def judge(
    scores: pd.DataFrame, labels: pd.DataFrame, recency: pd.DataFrame, model_version: str, horizon_days: int
) -> Evidence:
    """Hold written scores against labels, beside recency alone.

    Parameters
    ----------
    scores : DataFrame with customer_id, as_of_date, score (0 to 100), as written
    labels : DataFrame with customer_id, as_of_date, has_purchased; scores without a label are not judged
    recency : DataFrame with customer_id, as_of_date, days_since_last_order
    model_version : the formula of now, under whose name the figures stand
    """
    keys = list(readiness.KEYS)
    require_columns(scores, [*keys, "score"], "the scores")
    require_columns(labels, [*keys, "has_purchased"], "label_readiness")
    require_columns(recency, [*keys, BASELINE], "the recency")
    frames = [frame.assign(as_of_date=as_days(frame["as_of_date"])) for frame in (scores, labels, recency)]
    rows = frames[0][[*keys, "score"]].merge(frames[1][[*keys, "has_purchased"]], on=keys)
    rows = rows.merge(frames[2][[*keys, BASELINE]], on=keys).sort_values(["as_of_date", "customer_id"])
    rows = rows.reset_index(drop=True)
    if rows.empty:
        nothing = pd.DataFrame()
        return Evidence(pd.DataFrame(columns=list(PERFORMANCE_COLUMNS)), nothing, nothing, horizon_days)
    blocks = resampling.blocks_of(rows["customer_id"])
    times = resampling.draws(int(blocks.max()) + 1)
    found = [*_overall(rows, blocks, times)]
    reliability = _reliability(rows, blocks, times)
    by_date = _by_date(rows)
    first = as_date(rows["as_of_date"].min())
    counts = {"rows": len(rows), "positives": int(rows["has_purchased"].sum())}
    table = [
        {"as_of_date": first, "slice": ALL_DATES, "metric": metric, **_named(figure), **base, **counts}
        for metric, figure, base in found
    ]
    for row in reliability.to_dict("records"):
        figure = tuple(row[name] / 100 for name in ("bought_share", "ci_low", "ci_high"))
        base = _beside("mean_readiness", row["mean_readiness"] / 100)
        own = {"rows": row["rows"], "positives": row["positives"]}
        name = f"readiness {row['low']} to {row['high']}"
        table.append({"as_of_date": first, "slice": name, "metric": "purchase_rate", **_named(figure), **base, **own})
    for row in by_date.to_dict("records"):
        figure = (row["model"], row["ci_low"], row["ci_high"])
        own = {"rows": row["rows"], "positives": row["positives"]}
        base = _beside(BASELINE, row["baseline"])
        day = as_date(row["as_of_date"])
        table.append(
            {"as_of_date": day, "slice": ONE_DATE, "metric": "roc_auc_of_date", **_named(figure), **base, **own}
        )
    performance = pd.DataFrame(table).assign(
        model_name=readiness.MODEL_NAME, model_version=model_version, is_champion=True
    )[list(PERFORMANCE_COLUMNS)]
    numbers = ["value", "ci_low", "ci_high", "baseline"]
    performance[numbers] = performance[numbers].astype(float).round(6)
    return Evidence(performance, reliability, by_date, horizon_days)


def _named(figure: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(("value", "ci_low", "ci_high"), figure, strict=True))


def _beside(name: str | None, value: float = np.nan) -> dict[str, object]:
    return {"baseline_name": name, "baseline": value}


@dataclass(frozen=True)
class _Cells:
    """Rows with one score and label are one cell, and a resample is a weight for each cell."""

    labels: Floats
    scores: Floats
    weights: Floats

    @classmethod
    def of(cls, labels: Floats, scores: Floats, blocks: npt.NDArray[np.intp], times: Floats) -> "_Cells":
        values, place = np.unique(scores, return_inverse=True)
        cells = 2 * place + labels.astype(np.intp)
        weights = resampling.drawn_counts(cells, 2 * len(values), blocks, times)
        return cls(np.tile([0.0, 1.0], len(values)), np.repeat(values, 2), weights)

    def figure(self, metric: Callable[[Floats, Floats, Floats], Floats]) -> Floats:
        return metric(self.labels, self.scores, self.weights)


def _overall(
    rows: pd.DataFrame, blocks: npt.NDArray[np.intp], times: Floats
) -> list[tuple[str, Figure, dict[str, object]]]:
    truth = rows["has_purchased"].to_numpy(dtype=np.float64)
    own = _Cells.of(truth, rows["score"].to_numpy(dtype=np.float64) / 100, blocks, times)
    other = _Cells.of(truth, -rows[BASELINE].to_numpy(dtype=np.float64), blocks, times)
    rate = float(truth.mean())
    auc, beside = own.figure(roc_auc), other.figure(roc_auc)
    recency = _beside(BASELINE, float(beside[0]))
    constant = _Cells(own.labels, np.full(len(own.labels), rate), own.weights[:1])
    slope, intercept = _calibration_line(own)
    top = own.scores > readiness.HIGH_INTENT / 100
    reached = own.weights[:, top].sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share, bought = reached / own.weights.sum(axis=1), own.weights[:, top] @ own.labels[top] / reached
    interval = resampling.interval
    return [
        ("roc_auc", interval(auc), recency),
        ("roc_auc_gain", interval(auc - beside), recency),
        ("brier_score", interval(own.figure(brier_score)), _beside("base_rate", constant.figure(brier_score)[0])),
        ("log_loss", interval(own.figure(log_loss)), _beside("base_rate", constant.figure(log_loss)[0])),
        ("calibration_error", interval(_calibration_error(own)), _beside(None)),
        ("calibration_slope", interval(slope), _beside("perfect", 1.0)),
        ("calibration_intercept", interval(intercept), _beside("perfect", 0.0)),
        ("high_intent_share", interval(share), _beside(None)),
        ("high_intent_purchase_rate", interval(bought), _beside("base_rate", rate)),
    ]


def _calibration_error(cells: _Cells) -> Floats:
    """Mean distance between readiness and what was bought, over bins of readiness, weighted by their rows."""
    bins = _bins(100 * cells.scores)
    gaps = cells.weights * (cells.scores - cells.labels)
    distance = np.zeros(len(cells.weights))
    for number in np.unique(bins):
        distance += np.abs(gaps[:, bins == number].sum(axis=1))
    error: Floats = distance / cells.weights.sum(axis=1)
    return error


def _calibration_line(cells: _Cells, steps: int = 8) -> tuple[Floats, Floats]:
    """Slope and intercept of what was bought over the log-odds of readiness (Cox 1958): 1 and 0 are perfect.

    The intercept is that of a line with slope 1, as usual: how far readiness is too low (above 0) or too high overall.
    """
    line = logit(np.clip(cells.scores, NEAREST, 1 - NEAREST))
    weights, truth = cells.weights, cells.labels
    ones, moved = np.zeros(len(weights)), np.zeros(len(weights))
    slope = np.ones(len(weights))
    for _ in range(steps):
        rates = expit(ones[:, None] + slope[:, None] * line)
        left, curve = weights * (truth - rates), weights * rates * (1 - rates)
        g0, g1 = left.sum(axis=1), left @ line
        h00, h01, h11 = curve.sum(axis=1), curve @ line, curve @ line**2
        determinant = h00 * h11 - h01**2
        with np.errstate(divide="ignore", invalid="ignore"):
            ones = ones + (h11 * g0 - h01 * g1) / determinant
            slope = slope + (h00 * g1 - h01 * g0) / determinant
        at_one = expit(moved[:, None] + line)
        moved = moved + (weights * (truth - at_one)).sum(axis=1) / (weights * at_one * (1 - at_one)).sum(axis=1)
    return slope, moved


def _bins(scores: Floats) -> npt.NDArray[np.intp]:
    # 100 * 0.7 is a little less than 70 to a computer.
    return np.minimum(np.round(scores, 6) // BIN_WIDTH, 100 // BIN_WIDTH - 1).astype(np.intp)


def _reliability(rows: pd.DataFrame, blocks: npt.NDArray[np.intp], times: Floats) -> pd.DataFrame:
    scores = rows["score"].to_numpy(dtype=np.float64)
    truth = rows["has_purchased"].to_numpy(dtype=np.float64)
    count = 100 // BIN_WIDTH
    bins = _bins(scores)
    drawn = resampling.drawn_counts(2 * bins + truth.astype(np.intp), 2 * count, blocks, times)
    found = []
    for number in range(count):
        inside = bins == number
        if not inside.any():
            continue
        hits, misses = drawn[:, 2 * number + 1], drawn[:, 2 * number]
        with np.errstate(divide="ignore", invalid="ignore"):
            value, low, high = resampling.interval(100 * hits / (hits + misses))
        found.append(
            {
                "low": BIN_WIDTH * number,
                "high": BIN_WIDTH * (number + 1),
                "rows": int(inside.sum()),
                "positives": int(truth[inside].sum()),
                "mean_readiness": round(float(scores[inside].mean()), 2),
                "bought_share": round(value, 2),
                "ci_low": round(low, 2),
                "ci_high": round(high, 2),
            }
        )
    return pd.DataFrame(found)


def _by_date(rows: pd.DataFrame) -> pd.DataFrame:
    found = []
    for day, own in rows.groupby("as_of_date"):
        truth = own["has_purchased"].to_numpy(dtype=np.float64)
        blocks = resampling.blocks_of(own["customer_id"])
        times = resampling.draws(int(blocks.max()) + 1, resamples=200)
        cells = _Cells.of(truth, own["score"].to_numpy(dtype=np.float64), blocks, times)
        base = roc_auc(truth, -own[BASELINE].to_numpy(dtype=np.float64), np.ones((1, len(own))))
        value, low, high = resampling.interval(cells.figure(roc_auc))
        found.append(
            {
                "as_of_date": day,
                "rows": len(own),
                "positives": int(truth.sum()),
                "model": value,
                "ci_low": low,
                "ci_high": high,
                "baseline": float(base[0]),
                "mean_readiness": float(own["score"].mean()),
                "bought_share": 100 * float(truth.mean()),
            }
        )
    return pd.DataFrame(found)
