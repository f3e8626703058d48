"""How unlike those mailed and those not mailed were when each campaign began: why no effect of mailing is told."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.balance import MAX_IMBALANCE, pooled_spread, standardized, variance_ratio, weighted_mean
from ml.frames import as_date, feature_matrix
from ml.response.mailing import cross_fitted
from ml.response.outcomes import FEATURES, TYPE, eligible_rows

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

BALANCE_COLUMNS = (
    "campaign_type", "campaign_id", "as_of_date", "feature", "mailed_count", "not_mailed_count", "mailed_mean",
    "not_mailed_mean", "mean_ratio", "standardized_difference", "variance_ratio", "mailed_low", "mailed_high",
    "not_mailed_low", "not_mailed_high", "mailed_within", "not_mailed_within", "is_balanced",
)  # fmt: skip
PROPENSITY = "propensity_to_be_mailed"
# A range without its hundredths: one odd customer is no overlap.
RANGE = (0.01, 0.99)
DIGITS = 6


def campaign_balance(eligible: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``ml.campaign_balance`` without run_id.

    One row for each type and feature, over all campaigns of the type (campaign_id null), and one for each campaign and
    feature; the last feature is how likely a customer was to be mailed, by all others. Over several campaigns those not
    mailed weigh, of each campaign, as much as those mailed: else one with few mailed would stand for its season.

    Parameters
    ----------
    eligible : DataFrame, see `ml.response.train`; its optional column not_mailed_count says how many of a campaign were
        not mailed where only some of them are rows.

    Returns
    -------
    DataFrame with `BALANCE_COLUMNS`. Figures are of customers of whom the feature is known; ranges reach from the 1st
    to the 99th percentile, and ``mailed_within`` is the share of those mailed within the range of those not mailed.
    """
    rows = eligible_rows(eligible)
    matrix = feature_matrix(rows, FEATURES, (), "who could have received a campaign")
    matrix[PROPENSITY] = cross_fitted(rows)
    mailed = rows["is_mailed"].to_numpy(dtype=bool)
    weights = _weights(rows, mailed)
    found: list[dict[str, Any]] = []
    for name, own in rows.groupby(TYPE):
        campaigns = [None, *dict.fromkeys(own["campaign_id"])]
        for campaign in campaigns:
            group = own if campaign is None else own[own["campaign_id"] == campaign]
            places = group.index.to_numpy()
            facts = {
                "campaign_type": name,
                "campaign_id": campaign,
                "as_of_date": None if campaign is None else as_date(group["as_of_date"].iloc[0]),
                "mailed_count": int(mailed[places].sum()),
                "not_mailed_count": _not_mailed(group),
            }
            block = matrix.iloc[places]
            found.extend(
                facts | _compared(str(feature), block[feature].to_numpy(), mailed[places], weights[places])
                for feature in matrix.columns
            )
    return _frame(found)


def _weights(rows: pd.DataFrame, mailed: Mask) -> Floats:
    """1 for those mailed; those not mailed of a campaign weigh together what its mailed do."""
    of = rows["campaign_id"]
    sizes = (
        pd.DataFrame({"of": of, "mailed": mailed, "rest": ~mailed}).groupby("of")[["mailed", "rest"]].transform("sum")
    )
    rest = (sizes["mailed"] / sizes["rest"].where(sizes["rest"] > 0)).fillna(0.0).to_numpy(dtype=np.float64)
    return np.where(mailed, 1.0, rest)


def _not_mailed(group: pd.DataFrame) -> int:
    if "not_mailed_count" in group.columns:
        return int(group.groupby("campaign_id")["not_mailed_count"].first().sum())
    return int((~group["is_mailed"].astype(bool)).sum())


def _compared(feature: str, values: Floats, mailed: Mask, weights: Floats) -> dict[str, Any]:
    """One feature of those mailed beside those not mailed; null where either has nobody of whom it is known."""
    known = ~np.isnan(values)
    mine, other = mailed & known, ~mailed & known
    if not mine.any() or not weights[other].sum() > 0:
        return {"feature": feature}
    own, rest = weighted_mean(values, mine, weights), weighted_mean(values, other, weights)
    difference = standardized(own, rest, pooled_spread(values, mine, other, weights))
    low, high = np.quantile(values[mine], RANGE)
    other_low, other_high = np.quantile(values[other], RANGE)
    return {
        "feature": feature,
        "mailed_mean": own,
        "not_mailed_mean": rest,
        "mean_ratio": own / rest if rest > 0 and own >= 0 else None,
        "standardized_difference": difference,
        "variance_ratio": variance_ratio(values, mine, other, weights),
        "mailed_low": low,
        "mailed_high": high,
        "not_mailed_low": other_low,
        "not_mailed_high": other_high,
        "mailed_within": np.average(_within(values[mine], other_low, other_high)),
        "not_mailed_within": np.average(_within(values[other], low, high), weights=weights[other]),
        "is_balanced": bool(abs(difference) <= MAX_IMBALANCE),
    }


def _within(values: Floats, low: float, high: float) -> Mask:
    return (values >= low) & (values <= high)


def _frame(found: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(found, columns=list(BALANCE_COLUMNS))
    words = ("campaign_type", "campaign_id", "as_of_date", "feature", "is_balanced")
    for name in BALANCE_COLUMNS:
        if name in words:
            frame[name] = pd.Series([row.get(name) for row in found], dtype=object)
        elif not name.endswith("_count"):
            frame[name] = frame[name].astype(np.float64).round(DIGITS)
    return frame


def why_no_effect(balance: pd.DataFrame, campaign_type: str) -> str:
    """Why nothing is said of what mailing changes, with what those mailed differed in most."""
    text = "coupons were not randomized: whom to mail was chosen, and as far as is known nobody was left out by lot"
    own = balance[(balance["campaign_type"] == campaign_type) & balance["campaign_id"].isna()]
    own = own[(own["feature"] != PROPENSITY) & own["standardized_difference"].notna()]
    spend = own.loc[own["feature"] == "total_spend", "mean_ratio"].dropna()
    if len(spend):
        ratio = float(spend.iloc[0])
        text += f"; before campaigns of this type those mailed had spent {ratio:.1f} times as much as the others"
    if len(own):
        differences = own["standardized_difference"].to_numpy(dtype=np.float64)
        most = int(np.argmax(np.abs(differences)))
        text += (
            f"; they differ most in {own['feature'].iloc[most]}, by {abs(differences[most]):.2f} standard deviations "
            "(rpt_campaign_balance)"
        )
    return text
