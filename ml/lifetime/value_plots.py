"""Pictures of how good lifetime value is, as PNG bytes."""

import numpy as np
import pandas as pd

from ml.lifetime.value_evidence import Tracked
from ml.plots import COLORS, _axes, _png


def tenths(table: pd.DataFrame, title: str, currency: str) -> bytes:
    """What tenths of the customers were expected to spend, beside what they spent.

    Parameters
    ----------
    table : as `value_evidence.by_tenth` gives it
    """
    figure, axes = _axes(7.0, 4.8)
    axes.bar(table["tenth"] - 0.2, table["expected"], width=0.4, color=COLORS[5], label="expected")
    errors = [table["observed"] - table["ci_low"], table["ci_high"] - table["observed"]]
    axes.bar(table["tenth"] + 0.2, table["observed"], width=0.4, color=COLORS[0], label="spent (95% interval)")
    axes.errorbar(
        table["tenth"] + 0.2, table["observed"], yerr=errors, fmt="none", ecolor="#333333", capsize=3, linewidth=1.2
    )
    axes.set_xticks(table["tenth"])
    axes.set(xlabel="Tenths of the customers by expected value, highest last", ylabel=f"{currency} a customer")
    axes.set_title(f"{title}\nExpected and spent", fontsize=11, loc="left")
    axes.grid(alpha=0.25, axis="y")
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    return _png(figure)


def tracking(found: Tracked) -> bytes:
    """Repeat purchase days in all, observed and as BG/NBD expects them, before and after it was fitted."""
    table = found.table
    figure, axes = _axes(7.2, 4.6)
    axes.plot(table["as_of_date"], table["observed"], color=COLORS[0], linewidth=2, label="observed")
    axes.plot(
        table["as_of_date"], table["expected"], color=COLORS[1], linestyle="--", linewidth=1.6, label="BG/NBD expects"
    )
    top = float(table[["observed", "expected"]].max().max())
    fitted_on = np.array([found.fitted_on] * 2, dtype="datetime64[s]")
    axes.plot(fitted_on, [0, top], color="#666666", linewidth=1, linestyle=":")
    axes.annotate(" fitted here", (found.fitted_on, 0.03 * top), fontsize=9, color="#666666")
    axes.set(ylim=(0, 1.05 * top), xlabel="As-of date", ylabel="Repeat purchase days, all customers together")
    axes.set_title(f"How purchases added up\nCustomers of {found.fitted_on:%Y-%m-%d}", fontsize=11, loc="left")
    axes.grid(alpha=0.25)
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    figure.autofmt_xdate()
    return _png(figure)
