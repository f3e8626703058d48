"""How unlike two groups are in one number: standardized differences of means, and ratios of variances.

Differences are over the spread of both groups, so that features in money, days and counts have one measure (Stuart,
*Matching Methods for Causal Inference*, Statistical Science 25, 2010; Austin, Statistics in Medicine 28, 2009).
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# Standardized mean differences up to here are balance enough (Austin 2009; Stuart 2010).
MAX_IMBALANCE = 0.1


def weighted_mean(values: Floats, rows: Mask, weights: Floats) -> float:
    """Mean of `values` in `rows`; NaN if nothing there weighs anything."""
    total = weights[rows].sum()
    return float((values[rows] * weights[rows]).sum() / total) if total > 0 else float("nan")


def weighted_variance(values: Floats, rows: Mask, weights: Floats) -> float:
    """Mean squared distance from the mean of `rows`; NaN if nothing there weighs anything."""
    total = weights[rows].sum()
    if not total > 0:
        return float("nan")
    distance = values[rows] - weighted_mean(values, rows, weights)
    return float((weights[rows] * distance**2).sum() / total)


def pooled_spread(values: Floats, mine: Mask, other: Mask, weights: Floats) -> float:
    """Root of the mean of both groups' variances: what a difference of their means is divided by."""
    variances = weighted_variance(values, mine, weights) + weighted_variance(values, other, weights)
    return float(np.sqrt(variances / 2))


def standardized(own: float, rest: float, spread: float) -> float:
    """``(own - rest) / spread``; 0 where neither group varies."""
    return (own - rest) / spread if spread > 0 else 0.0


def variance_ratio(values: Floats, mine: Mask, other: Mask, weights: Floats) -> float:
    """Variance of `mine` over that of `other`; NaN where the other does not vary."""
    below = weighted_variance(values, other, weights)
    return weighted_variance(values, mine, weights) / below if below > 0 else float("nan")
