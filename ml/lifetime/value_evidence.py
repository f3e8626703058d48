"""How good lifetime value is: errors, ranking, bias and coverage with intervals from resampled customers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from ml import resampling
from ml.evaluation import PERFORMANCE_COLUMNS
from ml.lifetime.candidates import COVERAGE

Floats = npt.NDArray[np.float64]
Figure = tuple[float, float, float]

# What decides. Value is added up and compared with costs: it has to be a mean, and of all errors the squared one is
# least at the mean. The absolute error is least at the median, which for most shops' customers is nothing.
DECIDES = "rmse"
ERRORS = ("rmse", "mae")
TENTHS = 10


class Judged:
    """Amounts that were spent, and what several candidates had said of them."""

    def __init__(self, spend: Floats, said: Mapping[str, Floats], customers: pd.Series) -> None:
        self._names = list(said)
        ranks = {name: rankdata(values) for name, values in said.items()}
        of_spend = rankdata(spend)
        columns: dict[str, Floats] = {"rows": np.ones(len(spend)), "spend": spend}
        columns |= {"rank": of_spend, "rank squared": of_spend**2}
        for name, values in said.items():
            columns[f"{name} sum"] = values
            columns[f"{name} squared"] = (values - spend) ** 2
            columns[f"{name} absolute"] = np.abs(values - spend)
            columns[f"{name} rank"] = ranks[name]
            columns[f"{name} rank squared"] = ranks[name] ** 2
            columns[f"{name} rank product"] = ranks[name] * of_spend
        self._columns = columns
        self._blocks = resampling.blocks_of(customers)
        self._times = resampling.draws(int(self._blocks.max(initial=-1)) + 1)
        self._sums: dict[str, Floats] = self._summed(columns)

    def _summed(self, columns: Mapping[str, Floats]) -> dict[str, Floats]:
        found = resampling.drawn_sums(np.column_stack(list(columns.values())), self._blocks, self._times)
        return dict(zip(columns, found.T, strict=True))

    def metric(self, metric: str, name: str) -> Floats:
        """A metric of a candidate, as it is and in each resample; shape (1 + n_resamples,).

        The ranks are those of all rows, in resamples, too.
        """
        sums, found = self._sums, np.zeros(0)
        n = sums["rows"]
        with np.errstate(divide="ignore", invalid="ignore"):
            if metric == "rmse":
                found = np.sqrt(sums[f"{name} squared"] / n)
            elif metric == "mae":
                found = sums[f"{name} absolute"] / n
            elif metric == "total_bias":
                found = sums[f"{name} sum"] / sums["spend"] - 1
            else:
                of_spend, of_said = sums["rank"] / n, sums[f"{name} rank"] / n
                spread = sums["rank squared"] / n - of_spend**2, sums[f"{name} rank squared"] / n - of_said**2
                found = (sums[f"{name} rank product"] / n - of_spend * of_said) / np.sqrt(spread[0] * spread[1])
        return found

    def share(self, values: Floats) -> Floats:
        """Mean of a further column, as it is and in each resample."""
        drawn = self._summed({"rows": self._columns["rows"], "values": values})
        with np.errstate(divide="ignore", invalid="ignore"):
            mean: Floats = drawn["values"] / drawn["rows"]
        return mean

    def gain(self, metric: str, name: str, over: str) -> Figure:
        """By how much the error of `name` is less than that of `over`, with its interval; same resamples."""
        return resampling.interval(self.metric(metric, over) - self.metric(metric, name))


METRICS: tuple[str, ...] = (*ERRORS, "spearman", "total_bias")


def performance(
    judged: Judged, spend: Floats, said: Mapping[str, pd.DataFrame], champion: str, **keys: object
) -> pd.DataFrame:
    """Rows of ``ml.model_performance`` without run_id, for the one that ships beside each of the others.

    ``rmse_gain`` and ``mae_gain`` are paired differences, positive where the champion errs less.

    Parameters
    ----------
    said : name -> expected, low, high of each row
    keys : model_name, model_version, as_of_date, slice
    """
    own = said[champion]
    others = [name for name in said if name != champion]
    held: Floats = ((own["low"] <= spend) & (spend <= own["high"])).to_numpy().astype(np.float64)
    width = (own["high"] - own["low"]).to_numpy(dtype=np.float64)
    found: list[tuple[str, Figure, str | None, float]] = [
        ("interval_coverage", resampling.interval(judged.share(held)), "meant", COVERAGE),
        ("mean_interval_width", resampling.interval(judged.share(width)), None, np.nan),
    ]
    for metric in METRICS:
        value = resampling.interval(judged.metric(metric, champion))
        if not others:
            found.append((metric, value, None, np.nan))
        for name in others:
            beside = float(judged.metric(metric, name)[0])
            found.append((metric, value, name, beside))
            if metric in ERRORS:
                found.append((f"{metric}_gain", judged.gain(metric, champion, name), name, beside))
    rows = [
        {"metric": metric, "value": value, "ci_low": low, "ci_high": high, "baseline_name": name, "baseline": beside}
        for metric, (value, low, high), name, beside in found
    ]
    counts = {"rows": len(spend), "positives": int((spend > 0).sum()), "is_champion": True}
    frame = pd.DataFrame([{**keys, **row, **counts} for row in rows], columns=list(PERFORMANCE_COLUMNS))
    numbers = ["value", "ci_low", "ci_high", "baseline"]
    frame[numbers] = frame[numbers].astype(float).round(6)
    return frame


def by_tenth(spend: Floats, expected: Floats, customers: pd.Series) -> pd.DataFrame:
    """What tenths of the customers by expected value were said to spend, and did.

    Returns
    -------
    DataFrame with tenth (1 is the lowest), rows, expected, observed, ci_low, ci_high (means, money); equal values are
    never parted, so that there may be fewer.
    """
    edges = np.unique(np.quantile(expected, np.linspace(0, 1, TENTHS + 1)[1:-1]))
    tenth = np.unique(np.searchsorted(edges, expected, side="left"), return_inverse=True)[1]
    blocks = resampling.blocks_of(customers)
    times = resampling.draws(int(blocks.max()) + 1)
    found = []
    for number in range(int(tenth.max()) + 1):
        inside = (tenth == number).astype(np.float64)
        sums = resampling.drawn_sums(np.column_stack([inside, inside * spend]), blocks, times)
        value, low, high = resampling.figures_of(sums, lambda drawn: drawn[:, 1] / drawn[:, 0])
        rows = int(inside.sum())
        mean = float(expected[tenth == number].mean())
        figures = dict(zip(("expected", "observed", "ci_low", "ci_high"), (mean, value, low, high), strict=True))
        found.append({"tenth": number + 1, "rows": rows, **{name: round(one, 2) for name, one in figures.items()}})
    return pd.DataFrame(found)


@dataclass(frozen=True)
class Tracked:
    """Repeat purchase days of the customers of a date, from their first purchase on: expected and observed, in all."""

    table: pd.DataFrame
    fitted_on: pd.Timestamp


def tracked(seen: pd.DataFrame, fitted_on: object, expected_of_age: Callable[[Floats], Floats]) -> Tracked:
    """How purchases added up, before and after the date on which the model was fitted.

    Parameters
    ----------
    seen : DataFrame with customer_id, as_of_date, customer_age_days, repeat_purchase_day_count, at dates before and
        after `fitted_on`; customers who are not there at `fitted_on` are left out
    expected_of_age : expected repeat purchase days in the first so many days, of a customer of whom nothing is known
    """
    day = pd.Timestamp(str(fitted_on))
    dates = pd.to_datetime(seen["as_of_date"])
    known = seen.loc[dates == day, "customer_id"]
    own = seen.assign(as_of_date=dates)[seen["customer_id"].isin(set(known))]
    ages, place = np.unique(own["customer_age_days"].to_numpy(dtype=np.float64), return_inverse=True)
    rows = own.assign(expected=expected_of_age(ages)[place])
    table = rows.groupby("as_of_date").agg(
        expected=("expected", "sum"), observed=("repeat_purchase_day_count", "sum"), customers=("customer_id", "size")
    )
    return Tracked(table.reset_index(), day)
