"""Rows of ``ml.scores``: one place that knows which columns a score has, whatever model gave it."""

from typing import Any

import numpy.typing as npt
import pandas as pd

from ml.frames import dates_out

SCORE_COLUMNS = (
    "customer_id",
    "as_of_date",
    "model_name",
    "model_version",
    "feature_schema_hash",
    "campaign_id",
    "score",
    "score_low",
    "score_high",
    "score_kind",
    "unit",
    "horizon_days",
    "fallback_tier",
)


def score_rows(
    keys: pd.DataFrame,
    score: npt.ArrayLike,
    *,
    score_low: npt.ArrayLike | None = None,
    score_high: npt.ArrayLike | None = None,
    fallback_tier: npt.ArrayLike | str = "model",
    **facts: Any,
) -> pd.DataFrame:
    """Rows of ``ml.scores`` without run_id, in the order of `keys`.

    Parameters
    ----------
    keys : DataFrame with customer_id, as_of_date and, for a score per offer, campaign_id
    score : array of shape (n_rows,)
    score_low, score_high : arrays of shape (n_rows,), optional
        Ends of the interval, for models that give one.
    fallback_tier : text, or one for each row
        ``"model"``, ``"cohort"`` or ``"base_rate"``: what the score rests on.
    **facts
        model_name, model_version, feature_schema_hash, score_kind, unit and horizon_days (None where the campaign
        sets the end).
    """
    nothing = pd.Series([None] * len(keys), dtype=object)
    horizon = facts.pop("horizon_days")
    return pd.DataFrame(
        {
            "customer_id": keys["customer_id"].to_numpy(),
            "as_of_date": dates_out(keys["as_of_date"]).to_numpy(),
            "campaign_id": keys["campaign_id"].to_numpy() if "campaign_id" in keys else nothing,
            "score": score,
            "score_low": nothing if score_low is None else score_low,
            "score_high": nothing if score_high is None else score_high,
            "horizon_days": nothing if horizon is None else horizon,
            "fallback_tier": fallback_tier,
            **facts,
        },
        columns=list(SCORE_COLUMNS),
    )
