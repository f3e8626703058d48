"""Past predictions beside what came true: figures of each date and model version, and whether they are as promised.

For each figure there are two things it may be held against. *Expected*: what it would be if each probability were
right, worked out from the probabilities alone (the entropy, for the log loss). *Promised*: what the hold-out gave.
Customers of another date can be harder to tell apart than those of the hold-out, and a model that says so keeps its
word. So a date speaks against a model only if its figure is worse than both, each by more than noise and by more than a
margin (an intersection-union test: the larger of the two p-values counts; Berger 1982, Technometrics 24(4), 295-300). A
model without a promise is held against the expectation alone.

Every date is another look. Of all looks of a quarter, over all figures that are tested, a model that is as good as
promised is called degraded with a probability of at most `alarm_rate`: each look is given an equal part of it
(Bonferroni), which holds however the dates hang together; and they do, by shared customers and overlapping windows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from ml.evaluation import CALIBRATION_BINS
from ml.frames import as_days, dates_out, in_key_order, require_columns
from ml.monitoring.labels import LabelSource
from ml.resampling import blocks_of, drawn_counts, draws, interval

Floats = npt.NDArray[np.float64]

# So many distinct probabilities are kept apart; beyond, neighbours share their mean.
MAX_CELLS = 1_000
# With fewer rows of either class a normal approximation is none.
MIN_ROWS_PER_CLASS = 30
# Where windows differ in length, a date is judged when this share of its rows has one that has ended.
MIN_MATURED = 0.8
CLIP = 1e-6
RESAMPLES = 300
COLUMNS = ("model_name", "model_version", "as_of_date", "matured_on", "metric", "value", "ci_low", "ci_high",
           "expected", "promised", "margin", "p_value", "is_degraded", "rows", "positives")  # fmt: skip


@dataclass(frozen=True)
class OutcomeLimits:
    """When a figure is worse than promised.

    Attributes
    ----------
    alarm_rate : float
        Of quarters in which a model is as good as promised, the share that may call it degraded.
    looks_per_quarter : int
        Dates that are judged in a quarter.
    margins : mapping
        By how much a figure must be worse, in its own unit; the figures named here are those tested.
    """

    alarm_rate: float = 0.05
    looks_per_quarter: int = 13
    margins: Mapping[str, float] = field(
        default_factory=lambda: {"log_loss": 0.02, "roc_auc": 0.03, "calibration_intercept": 0.25}
    )

    @property
    def level(self) -> float:
        """What one figure of one date may take of the rate."""
        return self.alarm_rate / (self.looks_per_quarter * max(len(self.margins), 1))


def matured(
    scores: pd.DataFrame, labels: pd.DataFrame, source: LabelSource, until: object, least: float = MIN_MATURED
) -> pd.DataFrame:
    """Score rows whose label is known, of dates of which most are.

    Parameters
    ----------
    scores : DataFrame with the source's keys, model_version and score
        As they were written at their date.
    labels : DataFrame with the source's keys, label (1, 0 or null) and matured_on
        matured_on: the first day on which the whole window lies in the past.
    until : date
        The current as-of date; a window that ends later is not known yet, whatever the label says.

    Returns
    -------
    DataFrame with the keys, model_version, probability, label and matured_on, in key order
    """
    keys = list(source.keys)
    require_columns(scores, [*keys, "model_version", "score"], f"the scores of {source.model_name}")
    require_columns(labels, [*keys, "label", "matured_on"], source.table)
    given = in_key_order(_with_days(scores, "as_of_date"), keys, f"the scores of {source.model_name}")
    known = _with_days(_with_days(labels, "as_of_date"), "matured_on").dropna(subset=["label"])
    known = known[known["matured_on"] <= pd.Timestamp(until)]  # type: ignore[arg-type]
    known = in_key_order(known, keys, source.table)
    rows = given.merge(known[[*keys, "label", "matured_on"]], on=keys, how="left")
    groups = [rows["model_version"], rows["as_of_date"]]
    rows = rows[(rows["label"].notna().groupby(groups).transform("mean") >= least) & rows["label"].notna()]
    probability = (rows["score"].astype(np.float64) * source.per_unit).clip(CLIP, 1 - CLIP)
    found = rows[[*keys, "model_version", "matured_on"]].assign(
        probability=probability, label=rows["label"].astype(np.int64)
    )
    return found.reset_index(drop=True)


def _with_days(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame.assign(**{column: as_days(frame[column])})


def outcomes(
    rows: pd.DataFrame,
    promised: pd.DataFrame,
    source: LabelSource,
    limits: OutcomeLimits | None = None,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Figures of each model version and as-of date.

    Parameters
    ----------
    rows : DataFrame as `matured` gives it
    promised : rows of ``ml.model_performance`` of the model
    source : the model's label
    limits : what counts as degraded
    resamples : customers are drawn so often

    Returns
    -------
    DataFrame with `COLUMNS`
        p_value, margin and is_degraded of figures that are tested and have rows enough; else null, null and False.
        value of positive_rate is what was observed, its expectation what the probabilities say.
    """
    limits = limits or OutcomeLimits()
    found = []
    for (version, day), part in rows.groupby(["model_version", "as_of_date"], sort=True):
        cells = _Cells(part, resamples)
        promises = _promises(promised, str(version), source.slices)
        for metric, figures in cells.figures().items():
            value, low, high = interval(figures.drawn)
            verdict = _verdict(metric, figures, promises.get(metric), limits, cells.rows_per_class)
            found.append(
                {
                    "model_name": source.model_name,
                    "model_version": version,
                    "as_of_date": day,
                    "matured_on": part["matured_on"].max(),
                    "metric": metric,
                    "value": value,
                    "ci_low": low,
                    "ci_high": high,
                    "expected": figures.expected,
                    "promised": promises.get(metric, (np.nan, np.nan))[0],
                    **verdict,
                    "rows": len(part),
                    "positives": int(part["label"].sum()),
                }
            )
    table = pd.DataFrame(found, columns=list(COLUMNS))
    for column in ("as_of_date", "matured_on"):
        table[column] = dates_out(pd.to_datetime(table[column]))
    numbers = ["value", "ci_low", "ci_high", "expected", "promised", "margin"]
    table[numbers] = table[numbers].astype(np.float64).round(6)
    return table


def _promises(promised: pd.DataFrame, version: str, slices: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """Value and standard error of each figure that the hold-out gave."""
    own = promised[promised["model_version"] == version]
    for name in slices:
        part = own[(own["slice"] == name) & own["value"].notna()].drop_duplicates("metric")
        if len(part):
            spread = (part["ci_high"] - part["ci_low"]).astype(np.float64) / (2 * norm.ppf(0.975))
            return {
                metric: (float(value), 0.0 if np.isnan(error) else float(error))
                for metric, value, error in zip(part["metric"], part["value"], spread, strict=True)
            }
    return {}


@dataclass(frozen=True)
class _Figures:
    """A figure of the rows as they are and of each resample, and what the probabilities alone expect it to be.

    Attributes
    ----------
    drawn, drawn_expected : arrays of shape (1 + n_resamples,); the first is of the rows as they are
    worse : +1 if more is worse, -1 if less is, 0 if any distance from the expectation is
    """

    drawn: Floats
    drawn_expected: Floats | None
    worse: int

    @property
    def expected(self) -> float:
        return np.nan if self.drawn_expected is None else float(self.drawn_expected[0])


def _verdict(
    metric: str,
    figures: _Figures,
    promise: tuple[float, float] | None,
    limits: OutcomeLimits,
    rows_per_class: int,
) -> dict[str, object]:
    """Whether the figure is worse than it may be."""
    margin = limits.margins.get(metric)
    if margin is None or rows_per_class < MIN_ROWS_PER_CLASS or figures.drawn_expected is None:
        return {"margin": np.nan, "p_value": np.nan, "is_degraded": False}
    apart = figures.drawn - figures.drawn_expected
    comparisons = [(apart[0], float(np.nanstd(apart[1:])))]
    if promise is not None and figures.worse:
        noise = float(np.hypot(np.nanstd(figures.drawn[1:]), promise[1]))
        comparisons.append((figures.drawn[0] - promise[0], noise))
    p_values, is_far = [], []
    for distance, noise in comparisons:
        shortfall = abs(distance) if figures.worse == 0 else figures.worse * distance
        tail = float(norm.sf(shortfall / noise)) if noise > 0 else float(shortfall <= 0)
        p_values.append(min(1.0, 2 * tail) if figures.worse == 0 else tail)
        is_far.append(shortfall >= margin)
    p_value = max(p_values)
    return {"margin": margin, "p_value": p_value, "is_degraded": bool(p_value <= limits.level and all(is_far))}


class _Cells:
    """Rows and positives by probability, as they are and in each resample: every figure is made from these counts."""

    def __init__(self, rows: pd.DataFrame, resamples: int) -> None:
        values = rows["probability"].to_numpy(dtype=np.float64)
        labels = rows["label"].to_numpy()
        edges = np.unique(values)
        if len(edges) > MAX_CELLS:
            edges = np.unique(np.quantile(values, np.linspace(0, 1, MAX_CELLS + 1)[1:], method="inverted_cdf"))
        cells = np.searchsorted(edges, values, side="left")
        count = len(edges)
        self._p = np.bincount(cells, values, count) / np.bincount(cells, minlength=count)
        blocks = blocks_of(rows["customer_id"])
        times = draws(int(blocks.max()) + 1, resamples)
        self._rows = drawn_counts(cells, count, blocks, times)
        positive = labels == 1
        self._positives = drawn_counts(cells[positive], count, blocks[positive], times)
        self.rows_per_class = int(min(positive.sum(), (~positive).sum()))

    def figures(self) -> dict[str, _Figures]:
        """Every figure; NaN where it is not defined."""
        p, rows, positives = self._p, self._rows, self._positives
        logs, other_logs = np.log(p), np.log1p(-p)
        count = rows.sum(axis=1)

        def mean(of_positives: Floats, of_others: Floats, yes: Floats) -> Floats:
            return np.asarray((yes @ of_positives + (rows - yes) @ of_others) / count)

        by_chance = rows * p
        found: dict[str, Callable[[Floats], Floats]] = {
            "log_loss": lambda yes: mean(-logs, -other_logs, yes),
            "brier_score": lambda yes: mean((1 - p) ** 2, p**2, yes),
            "roc_auc": lambda yes: _roc_auc(yes, rows - yes),
            "positive_rate": lambda yes: yes.sum(axis=1) / count,
        }
        worse = {"log_loss": 1, "brier_score": 1, "roc_auc": -1, "positive_rate": 0}
        with np.errstate(divide="ignore", invalid="ignore"):
            figures = {name: _Figures(of(positives), of(by_chance), worse[name]) for name, of in found.items()}
            intercept = _intercept(p, rows, positives)
            figures["calibration_intercept"] = _Figures(intercept, np.zeros(len(rows)), 0)
            figures["calibration_error"] = _Figures(_calibration_error(p, rows, positives), None, 1)
        return figures


def _roc_auc(positives: Floats, negatives: Floats) -> Floats:
    """Chance that a positive row is in a higher cell than a negative one; one cell counts one half."""
    below = np.cumsum(negatives, axis=1) - negatives
    wins = (positives * (below + negatives / 2)).sum(axis=1)
    return np.asarray(wins / (positives.sum(axis=1) * negatives.sum(axis=1)))


def _intercept(p: Floats, rows: Floats, positives: Floats, steps: int = 25) -> Floats:
    """What has to be added to all log-odds so that the sum of the probabilities is the number of positives.

    Newton's method on a concave likelihood, each step at most 1; NaN where one class is empty.
    """
    logits = np.log(p) - np.log1p(-p)
    wanted = positives.sum(axis=1)
    shift = np.zeros(len(rows))
    for _ in range(steps):
        shifted = expit(logits + shift[:, None])
        gap = wanted - (rows * shifted).sum(axis=1)
        slope = (rows * shifted * (1 - shifted)).sum(axis=1)
        shift = shift + np.clip(gap / np.maximum(slope, 1e-12), -1, 1)
        if np.abs(gap).max(initial=0.0) < 1e-9 * max(float(wanted.max(initial=1.0)), 1.0):
            break
    one_class = (wanted <= 0) | (wanted >= rows.sum(axis=1))
    return np.where(one_class, np.nan, shift)


def _calibration_error(p: Floats, rows: Floats, positives: Floats) -> Floats:
    """Mean distance between said and observed rate over tenths of the rows by probability; a cell is never parted."""
    middle = (np.cumsum(rows[0]) - rows[0] / 2) / rows[0].sum()
    bins = np.minimum((middle * CALIBRATION_BINS).astype(np.intp), CALIBRATION_BINS - 1)
    distances = np.zeros(len(rows))
    for number in range(CALIBRATION_BINS):
        inside = bins == number
        distances += np.abs(rows[:, inside] @ p[inside] - positives[:, inside].sum(axis=1))
    return np.asarray(distances / rows.sum(axis=1))
