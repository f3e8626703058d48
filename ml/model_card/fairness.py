"""Whether a model treats groups alike: differences in who is found, and in what probabilities mean, with intervals.

*Equal opportunity* (Hardt, Price and Srebro, *Equality of opportunity in supervised learning*, NIPS 2016, def. 2.2): of
those who did it, the share that the model would have picked, in the group less in all others. Picked are as many as did
it, those with the highest scores, so that nobody has to choose a cut.
*Calibration within groups* (Kleinberg, Mullainathan and Raghavan, *Inherent trade-offs in the fair determination of
risk scores*, ITCS 2017, condition A): the rate observed less the mean probability, in the group less in all others.
Both cannot hold at once where base rates differ; the card says how far they are off.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from ml.frames import require_columns
from ml.resampling import blocks_of, drawn_sums, draws, figures_of

Floats = npt.NDArray[np.float64]

COLUMNS = (
    "dimension",
    "group",
    "rows",
    "positives",
    "mean_probability",
    "observed_rate",
    "true_positive_rate",
    "opportunity_difference",
    "opportunity_low",
    "opportunity_high",
    "calibration_difference",
    "calibration_low",
    "calibration_high",
    "is_clear",
)
# Of a smaller group nothing can be said.
MIN_ROWS = 100
MIN_POSITIVES = 20
ERROR_RATE = 0.05


def group_differences(judged: pd.DataFrame, dimensions: Sequence[str]) -> pd.DataFrame:
    """How each group fares beside all others; customers resampled.

    Parameters
    ----------
    judged : DataFrame with customer_id, probability, label (0 or 1) and a column a dimension
        Predictions of a hold-out.
    dimensions : columns that hold groups; null is "unknown"

    Returns
    -------
    DataFrame with `COLUMNS`, one row a group of at least `MIN_ROWS` rows, `MIN_POSITIVES` positives and as many others.
    is_clear: one of the differences is larger than chance makes any of all of them in one card of twenty.
    """
    require_columns(judged, ["customer_id", "probability", "label", *dimensions], "the judged predictions")
    labels = judged["label"].to_numpy(dtype=np.float64)
    probability = judged["probability"].to_numpy(dtype=np.float64)
    if not len(judged) or not 0 < labels.sum() < len(labels):
        return pd.DataFrame(columns=list(COLUMNS))
    picked = _picked(probability, int(labels.sum()))
    blocks = blocks_of(judged["customer_id"])
    times = draws(int(blocks.max()) + 1)
    found = []
    for dimension in dimensions:
        groups = judged[dimension].astype(object).where(judged[dimension].notna(), "unknown").astype(str).to_numpy()
        for group in sorted(set(groups)):
            inside = groups == group
            if not (_is_large(labels[inside]) and _is_large(labels[~inside])):
                continue
            found.append(
                {
                    "dimension": dimension,
                    "group": group,
                    **_differences(inside, labels, probability, picked, blocks, times),
                }
            )
    frame = pd.DataFrame(found, columns=[*COLUMNS[:-1], "_largest"])
    limit = float(norm.ppf(1 - ERROR_RATE / 2 / max(2 * len(frame), 1)))
    frame["is_clear"] = frame.pop("_largest").astype(float) > limit
    figures = list(COLUMNS[4:-1])
    frame[figures] = frame[figures].astype(float).round(6)
    return frame[list(COLUMNS)]


AMOUNT_COLUMNS = ("dimension", "group", "rows", "mean_expected", "mean_spent", "difference", "low", "high", "is_clear")


def amount_differences(judged: pd.DataFrame, dimensions: Sequence[str]) -> pd.DataFrame:
    """Whether amounts mean the same in each group: spent less expected, in the group less in all others.

    Parameters
    ----------
    judged : DataFrame with customer_id, expected, spent (money) and a column a dimension, one row a customer

    Returns
    -------
    DataFrame with `AMOUNT_COLUMNS`, one row a group of at least `MIN_ROWS` customers with as many beside it. is_clear:
    as of `group_differences`.
    """
    require_columns(judged, ["customer_id", "expected", "spent", *dimensions], "the judged amounts")
    expected, spent = (judged[name].to_numpy(dtype=np.float64) for name in ("expected", "spent"))
    blocks = blocks_of(judged["customer_id"])
    times = draws(int(blocks.max(initial=-1)) + 1)

    def difference(s: Floats) -> Floats:
        return np.asarray((s[:, 2] - s[:, 1]) / s[:, 0] - (s[:, 5] - s[:, 4]) / s[:, 3])

    found, largest = [], []
    for dimension in dimensions:
        groups = judged[dimension].astype(object).where(judged[dimension].notna(), "unknown").astype(str).to_numpy()
        for group in sorted(set(groups)):
            sides = [side.astype(np.float64) for side in (groups == group, groups != group)]
            if min(side.sum() for side in sides) < MIN_ROWS:
                continue
            parts = [np.column_stack([side, side * expected, side * spent]) for side in sides]
            sums = drawn_sums(np.hstack(parts), blocks, times)
            value, low, high = figures_of(sums, difference)
            spread = float(np.nanstd(difference(sums)[1:]))
            largest.append(abs(value) / spread if spread > 0 else 0.0)
            own = sums[0]
            found.append((dimension, group, int(own[0]), own[1] / own[0], own[2] / own[0], value, low, high))
    frame = pd.DataFrame(found, columns=list(AMOUNT_COLUMNS[:-1]))
    limit = float(norm.ppf(1 - ERROR_RATE / 2 / max(len(frame), 1)))
    return frame.assign(is_clear=np.asarray(largest, dtype=np.float64) > limit)


def _picked(probability: Floats, count: int) -> Floats:
    """How far each row is picked: the `count` highest, those at the border in part, whatever the order of rows."""
    border = np.sort(probability)[len(probability) - count]
    above, at = probability > border, probability == border
    return np.where(above, 1.0, np.where(at, (count - above.sum()) / at.sum(), 0.0))


def _is_large(labels: Floats) -> bool:
    return len(labels) >= MIN_ROWS and labels.sum() >= MIN_POSITIVES


def _differences(
    inside: npt.NDArray[np.bool_],
    labels: Floats,
    probability: Floats,
    picked: Floats,
    blocks: npt.NDArray[np.intp],
    times: Floats,
) -> dict[str, object]:
    parts = [np.column_stack([side, side * labels, side * labels * picked, side * probability]) for side in (
        inside.astype(np.float64), (~inside).astype(np.float64)
    )]  # fmt: skip
    sums = drawn_sums(np.hstack(parts), blocks, times)

    def opportunity(s: Floats) -> Floats:
        return np.asarray(s[:, 2] / s[:, 1] - s[:, 6] / s[:, 5])

    def calibration(s: Floats) -> Floats:
        return np.asarray((s[:, 1] - s[:, 3]) / s[:, 0] - (s[:, 5] - s[:, 7]) / s[:, 4])

    own = sums[0]
    values: dict[str, float] = {}
    largest = 0.0
    for name, figure in (("opportunity", opportunity), ("calibration", calibration)):
        value, low, high = figures_of(sums, figure)
        values |= {f"{name}_difference": value, f"{name}_low": low, f"{name}_high": high}
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = float(np.nanstd(figure(sums)[1:]))
        largest = max(largest, abs(value) / spread if spread > 0 else 0.0)
    return {
        "rows": int(own[0]),
        "positives": int(own[1]),
        "mean_probability": own[3] / own[0],
        "observed_rate": own[1] / own[0],
        "true_positive_rate": own[2] / own[1],
        **values,
        "_largest": largest,
    }
