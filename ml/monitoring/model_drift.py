"""Are the customers of now like those that a model learned from, in its features and in what it says of them?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.drift import Comparison, Floats, chosen_customers, knots, memberships, stability_index
from ml.frames import feature_matrix, require_columns

SCORE = "score"
COLUMNS = ("kind", "name", "effect", "population_stability_index", "p_value", "min_effect", "is_alarm")


@dataclass(frozen=True)
class ModelDriftLimits:
    """When a change is an alarm.

    Attributes
    ----------
    false_alarm_rate : float
        Of runs in which nothing changed, the share that may alarm, over all features and the score of a model.
    min_feature_effect, min_score_effect : float
        Share of customers that must have moved to another bin.
    draws : int
        Bootstrap draws.
    """

    false_alarm_rate: float = 0.05
    min_feature_effect: float = 0.1
    min_score_effect: float = 0.1
    draws: int = 500


def measure_drift(
    before: pd.DataFrame,
    now: pd.DataFrame,
    numeric: Sequence[str],
    categorical: Sequence[str] = (),
    limits: ModelDriftLimits | None = None,
    seed: int = 1,
) -> pd.DataFrame:
    """Hold the features, and the score where both frames have one, against what they were.

    Parameters
    ----------
    before, now : DataFrame with customer_id, the features and, optionally, score
        A customer may have several rows, of several dates; they count as one block.
    numeric, categorical : names of the features
    limits : what counts as an alarm
    seed : of the draws

    Returns
    -------
    DataFrame with `COLUMNS`
        Features, then the score; the largest effect first. Empty if one of the frames has no rows.

    Raises
    ------
    MissingColumnsError
        If a frame lacks a feature.
    """
    limits = limits or ModelDriftLimits()
    what = "the features held against each other"
    for part in (before, now):
        require_columns(part, ["customer_id", *numeric, *categorical], what)
    before, now = _sampled(before, numeric, categorical), _sampled(now, numeric, categorical)
    if before.empty or now.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    matrices = [feature_matrix(part, numeric, categorical, what) for part in (before, now)]
    compared = Comparison(before["customer_id"], now["customer_id"], limits.draws, seed)

    def add(kind: str, name: str, then: Floats, today: Floats, least: float) -> None:
        stability = round(stability_index(then.mean(axis=0), today.mean(axis=0), len(then)), 6)
        row = {"kind": kind, "name": name, "population_stability_index": stability, "min_effect": least}
        compared.add(row, then, today)

    for name in numeric:
        at = knots(matrices[0][name].to_numpy())
        then, today = (memberships(matrix[name].to_numpy(), at) for matrix in matrices)
        add("feature", name, then, today, limits.min_feature_effect)
    for name in categorical:
        kinds = np.unique(np.concatenate([matrix[name].to_numpy().astype(str) for matrix in matrices]))
        # one more bin, always empty: the effect of a single kind is half the sum as well
        then, today = (
            np.hstack([(matrix[name].to_numpy().astype(str)[:, None] == kinds), np.zeros((len(matrix), 1))])
            for matrix in matrices
        )
        add("feature", name, then, today, limits.min_feature_effect)
    if SCORE in before and SCORE in now:
        then_scores, scores = (part[SCORE].to_numpy(dtype=np.float64) for part in (before, now))
        at = knots(then_scores)
        add(SCORE, SCORE, memberships(then_scores, at), memberships(scores, at), limits.min_score_effect)
    found = compared.table(limits.false_alarm_rate).reindex(columns=list(COLUMNS))
    return found.sort_values(["kind", "effect", "name"], ascending=[True, False, True]).reset_index(drop=True)


def _sampled(frame: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str]) -> pd.DataFrame:
    """Rows of at most so many customers, in an order that depends on what they hold alone."""
    held = [name for name in (*numeric, *categorical, SCORE) if name in frame]
    rows = frame[chosen_customers(frame["customer_id"])]
    return rows.sort_values(["customer_id", *held], kind="stable").reset_index(drop=True)
