"""What a model rests on as a whole: the mean size of each theme's contribution over many scores."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

IMPORTANCE_COLUMNS = ("theme", "mean_contribution", "share")
SHOWN_THEMES = 15


def importance(themes: Sequence[str], sizes: npt.NDArray[np.float64], rows: int) -> pd.DataFrame:
    """Mean absolute contribution of each theme (Lundberg et al. 2020, "global feature importance"), largest first.

    Parameters
    ----------
    themes : names
    sizes : array of shape (n_themes,), sums of absolute contributions over `rows`, log-odds

    Returns
    -------
    DataFrame with `IMPORTANCE_COLUMNS`; share is that of all themes together, 0 to 1
    """
    means = np.asarray(sizes, dtype=np.float64) / max(rows, 1)
    total = means.sum()
    found = pd.DataFrame(
        {"theme": list(themes), "mean_contribution": means, "share": means / total if total else means},
        columns=list(IMPORTANCE_COLUMNS),
    )
    return found.sort_values(["mean_contribution", "theme"], ascending=[False, True]).reset_index(drop=True).round(6)


def importance_plot(found: pd.DataFrame, title: str) -> bytes:
    """The largest themes as bars, PNG.

    Parameters
    ----------
    found : DataFrame with `IMPORTANCE_COLUMNS`, see `importance`
    """
    from ml import plots

    shown = found.head(SHOWN_THEMES)
    figure, axes = plots._axes(7.2, 1.2 + 0.34 * len(shown))
    places = np.arange(len(shown))
    axes.barh(places, shown["mean_contribution"], color=plots.COLORS[0], height=0.66)
    for place, (size, share) in enumerate(zip(shown["mean_contribution"], shown["share"], strict=True)):
        axes.annotate(
            f"{size:.2f} ({share:.0%})",
            (size, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.set_yticks(places, list(shown["theme"]))
    axes.invert_yaxis()
    axes.margins(x=0.14)
    axes.set_xlabel("Mean size of the contribution, log-odds (share of all)")
    axes.set_title(f"{title}\nWhat the scores rest on", fontsize=11, loc="left")
    return plots._png(figure)
