"""Reach against precision of one model, with the cuts of its goals marked; PNG bytes."""

import numpy as np
import pandas as pd

from ml.cuts.words import verb_of
from ml.plots import COLORS, _axes, _png

_MARKS = ("o", "s", "D", "^", "v", "P", "X")


def reach_and_precision(curve: pd.DataFrame, cuts: pd.DataFrame) -> bytes:
    """The curve of a model version.

    Parameters
    ----------
    curve, cuts : rows of ``ml.score_cut_curves`` and ``ml.score_cuts`` of one model version; all cuts have a score
    """
    figure, axes = _axes(7.4, 5.8)
    name = str(curve["model_name"].iloc[0])
    verb = verb_of(name)
    # The highest cut reaches least.
    share = 100 * curve.sort_values("cut", ascending=False)[
        ["recall", "precision", "precision_low", "precision_high"]
    ].to_numpy(dtype=np.float64)
    axes.fill_between(share[:, 0], share[:, 2], share[:, 3], color=COLORS[0], alpha=0.15, linewidth=0)
    axes.plot(share[:, 0], share[:, 1], color=COLORS[0], linewidth=1.8, label="every cut (95% interval)")
    everybody = float(share[-1, 1])
    axes.axhline(everybody, color="#999999", linestyle="--", linewidth=1, label="everybody is contacted")
    marked = cuts.sort_values(["recall", "goal"]).reset_index(drop=True)
    for number, row in enumerate(marked.to_dict("records")):
        axes.scatter(
            [100 * float(row['recall'])], [100 * float(row['precision'])],
            color=COLORS[1 + number % (len(COLORS) - 1)], marker=_MARKS[number % len(_MARKS)],
            # Goals may have one cut: the mark that is drawn later leaves an edge of the earlier one.
            s=90 - 12 * (number % len(_MARKS)), zorder=4, edgecolors="white", linewidths=0.8,
            label=f"{row['goal']}: {int(row['people_contacted']):,} of {int(row['hold_out_rows']):,} contacted",
        )  # fmt: skip
    lowest = min(float(np.nanmin(share[:, 2])), everybody)
    axes.set(xlim=(0, 103), ylim=(max(0.0, 10 * np.floor(lowest / 10) - 5), 103))
    axes.set_xlabel(f"Reach: of 100 who {verb}, so many are contacted")
    axes.set_ylabel(f"Precision: of 100 contacted, so many {verb}")
    day = pd.Timestamp(curve["hold_out_date"].iloc[0])
    shown = name.replace("_", " ")
    axes.set_title(
        f"{shown[0].upper()}{shown[1:]}, hold-out from {day:%Y-%m-%d}\nCuts were chosen on an earlier slice",
        fontsize=11,
        loc="left",
    )
    axes.grid(alpha=0.25)
    figure.legend(frameon=False, fontsize=9, loc="outside lower center", ncols=2)
    return _png(figure)
