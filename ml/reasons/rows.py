"""Rows of ``ml.score_reasons``: for each score up to three sentences, or one that says what it rests on instead."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.frames import dates_out, feature_matrix, require_columns
from ml.reasons.choosing import NOTHING, REASONS, Explains, choose_reasons
from ml.reasons.words import LOWERS, RAISES, Teller
from ml.threads import one_thread

REASON_COLUMNS = (
    "customer_id",
    "as_of_date",
    "model_name",
    "model_version",
    "campaign_id",
    "reason_rank",
    "theme",
    "feature",
    "direction",
    "contribution",
    "reason",
)
DIGITS = 6


@dataclass(frozen=True)
class Told:
    """Reasons of some scores, and what was learned about them on the way.

    Attributes
    ----------
    rows : DataFrame with `REASON_COLUMNS`
    sizes : array of shape (n_themes,), sum over the rows of the absolute contribution of each theme
    themes : names of the themes
    explained : rows that a model explains
    tried, left_out : see `ml.reasons.choosing.Chosen`
    """

    rows: pd.DataFrame
    sizes: npt.NDArray[np.float64]
    themes: tuple[str, ...]
    explained: int
    tried: int
    left_out: int


def tell_reasons(
    scored: pd.DataFrame, explainer: Explains | None, teller: Teller, model_name: str, model_version: str
) -> Told:
    """Why each score is what it is; each row of `scored` by itself, whatever the others are.

    Parameters
    ----------
    scored : DataFrame with customer_id, as_of_date, campaign_id, fallback_tier and the features of the model
    explainer : None for a model that is a fallback as a whole
    teller : says the features of the explainer, in their order

    Raises
    ------
    MissingColumnsError, WrongTypeError
        If a feature is not there, or is not what the catalogue says.
    """
    require_columns(scored, ["customer_id", "as_of_date", "campaign_id", "fallback_tier"], "the scores to explain")
    words = teller.words
    tier = scored["fallback_tier"].to_numpy(dtype=object)
    strange = sorted({str(one) for one in tier} - {"model", *words.fallbacks})
    if strange:
        raise ValueError(f"{model_name}: a score rests on '{strange[0]}'; reasons know model, cohort and base_rate.")
    is_explained = np.asarray(tier == "model") & (explainer is not None)
    keys = pd.DataFrame(
        {
            "customer_id": scored["customer_id"].to_numpy(),
            "as_of_date": dates_out(pd.to_datetime(scored["as_of_date"])).to_numpy(),
            "model_name": model_name,
            "model_version": model_version,
            "campaign_id": scored["campaign_id"].to_numpy(),
        }
    )
    parts = [_without_a_model(keys[~is_explained], tier[~is_explained], dict(words.fallbacks))]
    sizes, themes, tried, left_out = np.zeros(0), tuple(dict.fromkeys(teller.themes)), 0, 0
    if explainer is not None and is_explained.any():
        numeric = [feature.name for feature in teller.features if feature.is_number]
        kinds = [feature.name for feature in teller.features if not feature.is_number]
        given = scored[is_explained]
        matrix = feature_matrix(given, numeric, kinds, f"the scores of {model_name}")[list(explainer.features)]
        with one_thread():
            chosen = choose_reasons(explainer, matrix, teller.themes)
        own = keys[is_explained].reset_index(drop=True)
        for rank in range(REASONS):
            has = np.flatnonzero(chosen.theme[:, rank] != NOTHING)
            amount = chosen.contribution[has, rank]
            feature = chosen.feature[has, rank]
            told = teller.sentences(feature, amount > 0, matrix.iloc[has], explainer.reference)
            parts.append(
                own.iloc[has].assign(
                    reason_rank=rank + 1,
                    theme=np.asarray(chosen.themes, dtype=object)[chosen.theme[has, rank]],
                    feature=np.asarray(explainer.features, dtype=object)[feature],
                    direction=np.where(amount > 0, RAISES, LOWERS),
                    contribution=np.round(amount, DIGITS),
                    reason=told,
                )
            )
        parts.append(_alone(own[chosen.theme[:, 0] == NOTHING], words.like_typical))
        sizes, themes = np.abs(chosen.by_theme).sum(axis=0), chosen.themes
        tried, left_out = chosen.tried, chosen.left_out
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return Told(rows[list(REASON_COLUMNS)], sizes, themes, int(is_explained.sum()), tried, left_out)


def _without_a_model(keys: pd.DataFrame, tier: npt.NDArray[np.object_], said: Mapping[Any, str]) -> pd.DataFrame:
    # a scorer without a model gives everybody the base rate, whatever else the row says
    texts = np.array([said.get(str(one), said["base_rate"]) for one in tier], dtype=object)
    return _alone(keys, texts)


def _alone(keys: pd.DataFrame, text: str | npt.NDArray[np.object_]) -> pd.DataFrame:
    """One row a score that has no theme: what it says is all there is."""
    nothing = pd.Series([None] * len(keys), index=keys.index, dtype=object)
    return keys.assign(reason_rank=1, theme=nothing, feature=nothing, direction=nothing, contribution=0.0, reason=text)
