"""What a matrix of features goes through before it is divided: gaps, outliers, scale, and directions if asked for."""

from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, PowerTransformer, RobustScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = npt.NDArray[np.float64]
Scaling = Literal["power", "z_score", "min_max", "robust"]
SCALINGS: tuple[Scaling, ...] = get_args(Scaling)

# The tails from which limits and spreads are learned: one row in twenty on either side. Quartiles, the usual choice,
# coincide as soon as three in four customers have a zero, as for coupons or returns.
TAIL = 5.0
# Limits in distances from the median to the 5th or 95th percentile: 3 is 4.9 standard deviations of a normal feature.
CLIP = 3.0


class Winsorizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Pulls values beyond robust limits in to the limit; no row is lost.

    On each side the limit is the median plus or minus `clip` times the distance from the median to the 5th or 95th
    percentile, so that a skewed feature keeps its long side, but never beyond the extreme value that was seen: a power
    fitted to positive values makes hundreds of what lies below them. Where that distance is 0 (fewer than one row in
    twenty differ from the median) the extreme value is the limit: a rare thing is not an error.

    Parameters
    ----------
    clip : float, more than 0

    Attributes
    ----------
    lowest_, highest_ : arrays of shape (n_features,)
    """

    def __init__(self, clip: float = CLIP) -> None:
        self.clip = clip

    def fit(self, X: npt.ArrayLike, y: Any = None) -> Self:
        """Learn the limits from rows of shape (n_rows, n_features); raises ValueError if `clip` is not positive."""
        if not self.clip > 0:
            raise ValueError(f"clip must be positive, not {self.clip}")
        rows: Floats = validate_data(self, X, dtype=np.float64)
        low, middle, high = np.percentile(rows, [TAIL, 50.0, 100.0 - TAIL], axis=0)
        least, most = rows.min(axis=0), rows.max(axis=0)
        self.lowest_ = np.where(low < middle, np.maximum(least, middle - self.clip * (middle - low)), least)
        self.highest_ = np.where(high > middle, np.minimum(most, middle + self.clip * (high - middle)), most)
        return self

    def transform(self, X: npt.ArrayLike) -> Floats:
        """The rows within the limits, shape (n_rows, n_features)."""
        check_is_fitted(self)
        rows: Floats = validate_data(self, X, dtype=np.float64, reset=False)
        return np.clip(rows, self.lowest_, self.highest_)


class RobustSpread(RobustScaler):  # type: ignore[misc]
    """Median 0 and a normal's spread 1, between the 5th and 95th percentile; the usual spread where those coincide.

    scikit-learn leaves a feature whose percentiles coincide in its own unit: rare spend in cents would outweigh all.
    """

    def fit(self, X: npt.ArrayLike, y: Any = None) -> Self:
        """Learn medians and spreads from rows of shape (n_rows, n_features)."""
        super().fit(X, y)
        rows = np.asarray(X, dtype=np.float64)
        low, high = np.nanpercentile(rows, self.quantile_range, axis=0)
        spread = np.nanstd(rows, axis=0)
        self.scale_: Floats = np.where(high > low, self.scale_, np.where(spread > 0, spread, 1.0))
        return self


def preparation(scaling: Scaling = "power", components: int | float | None = None, clip: float = CLIP) -> Pipeline:
    """A pipeline that fills gaps with medians, pulls outliers in and scales; its fitted state holds no row.

    Parameters
    ----------
    scaling : "power", "z_score", "min_max" or "robust"
        Yeo and Johnson's power, then mean 0 and standard deviation 1; those alone; from 0 to 1; median 0 and the
        spread between the 5th and 95th percentile.
    components : int, float or None
        Principal components to keep: so many, or as many as hold this share of the variance (between 0 and 1).
    clip : float
        See `Winsorizer`.

    Raises
    ------
    ValueError
        If the scaling is unknown, or `components` is neither a count nor a share.

    Examples
    --------
    >>> import numpy as np
    >>> preparation("z_score").fit_transform(np.array([[1.0], [np.nan], [3.0]])).ravel().round(2).tolist()
    [-1.22, 0.0, 1.22]
    """
    scalers = {
        "power": PowerTransformer,
        "z_score": StandardScaler,
        "min_max": lambda: MinMaxScaler(clip=True),
        "robust": lambda: RobustSpread(quantile_range=(TAIL, 100.0 - TAIL), unit_variance=True),
    }
    if scaling not in scalers:
        raise ValueError(f"there is no scaling '{scaling}'; there are {', '.join(SCALINGS)}")
    steps: list[tuple[str, Any]] = [
        ("fill", SimpleImputer(strategy="median", keep_empty_features=True)),
        ("pull_in", Winsorizer(clip)),
        ("scale", scalers[scaling]()),
    ]
    if components is not None:
        is_count = isinstance(components, int) and not isinstance(components, bool) and components >= 1
        if not is_count and not (isinstance(components, float) and 0 < components < 1):
            raise ValueError(f"components is a count from 1 or a share between 0 and 1, not {components!r}")
        steps.append(("directions", PCA(components, svd_solver="full")))
    return Pipeline(steps)
