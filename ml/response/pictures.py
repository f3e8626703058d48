"""How unlike those mailed and those not mailed were, by type of campaign; PNG bytes."""

import numpy as np
import pandas as pd

from ml.plots import love_plot
from ml.response.balance import PROPENSITY

# The features that differ most; all of them stand in the table.
MOST_FEATURES = 16
MOST_TYPES = 6


def balance_plot(balance: pd.DataFrame) -> bytes | None:
    """A love plot of the features that differ most, a mark a type; None if nothing could be compared.

    Parameters
    ----------
    balance : `campaign_balance`
    """
    own = balance[balance["campaign_id"].isna() & balance["standardized_difference"].notna()]
    own = own[own["feature"] != PROPENSITY]
    if own.empty:
        return None
    sizes = own.groupby("campaign_type")["mailed_count"].max().sort_values(ascending=False, kind="stable")
    types = sorted(sizes.index[:MOST_TYPES])
    table = own.pivot(index="feature", columns="campaign_type", values="standardized_difference")[types].astype(float)
    strength = table.abs().max(axis=1).sort_values(ascending=False, kind="stable")
    shown = table.loc[strength.index[:MOST_FEATURES]]
    return love_plot(
        [str(name).replace("_", " ") for name in shown.index],
        {f"{name} ({int(sizes[name]):,} mailed)": shown[name].to_numpy(dtype=np.float64) for name in types},
        "Those mailed beside those not mailed, before the campaigns began",
        "Standardized mean difference, mailed less not mailed",
    )
