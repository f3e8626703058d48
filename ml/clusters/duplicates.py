"""Features that say nearly the same are counted once: of each bundle of near-duplicates one is kept."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

MAX_CORRELATION = 0.95


def drop_near_duplicates(
    features: pd.DataFrame, order: Sequence[str] | None = None, most: float = MAX_CORRELATION
) -> tuple[tuple[str, ...], pd.DataFrame]:
    """Keep each feature that no earlier kept one stands for, and tell what became of every one.

    Two features are near-duplicates if they put the customers in nearly the same order, forwards or backwards
    (Spearman's rank correlation), for what is divided afterwards is scaled, mostly by powers, which leave an order
    as it is. The one that comes first in the catalogue stays: the order there is a person's and does not move, where
    a rule that looks at the data (the feature with the largest correlations, say) may keep spend this week and orders
    the next, and a cluster's card would change its traits without a change of the customers. A feature that never
    differs is dropped as well.

    Parameters
    ----------
    features : DataFrame of numbers, one row a customer; NaN where unknown
        Correlations are those of the rows in which both are known.
    order : names of features, the first is the most wanted; default: the columns as they stand
    most : float between 0 and 1
        From this absolute correlation on, two are duplicates.

    Returns
    -------
    kept : tuple of str
        In their order.
    told : DataFrame with feature, is_kept, kept_instead, correlation, reason
        One row a feature; kept_instead and correlation are null for the kept ones and those that never differ.

    Raises
    ------
    ValueError
        If `most` is not between 0 and 1, or the order names other features than the frame has.

    Examples
    --------
    >>> frame = pd.DataFrame({"spend": [1.0, 5.0, 9.0], "orders": [1.0, 2.0, 4.0], "returns": [2.0, 0.0, 1.0]})
    >>> drop_near_duplicates(frame)[0]
    ('spend', 'returns')
    """
    if not 0 < most <= 1:
        raise ValueError(f"most is a correlation between 0 and 1, not {most}")
    names = list(features.columns if order is None else order)
    if sorted(names) != sorted(features.columns):
        raise ValueError(f"the order names {sorted(names)}, the features are {sorted(features.columns)}")
    correlations = features[names].corr(method="spearman").abs()
    kept: list[str] = []
    told = []
    for name in names:
        instead, correlation, reason = None, None, "kept"
        if features[name].nunique() < 2:
            reason = "never differs"
        elif kept:
            beside = correlations.loc[name, kept].fillna(0.0).to_numpy(dtype=np.float64)
            if beside.max() >= most:
                instead, correlation = kept[int(beside.argmax())], round(float(beside.max()), 6)
                reason = f"orders customers as {instead} does (rank correlation {correlation:.3f})"
        if reason == "kept":
            kept.append(name)
        told.append((name, reason == "kept", instead, correlation, reason))
    frame = pd.DataFrame(told, columns=["feature", "is_kept", "kept_instead", "correlation", "reason"])
    return tuple(kept), frame.astype({"is_kept": bool, "correlation": np.float64})
