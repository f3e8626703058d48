"""When in its window an event comes: what share of them had been seen when the window was cut short.

Campaigns overlap, so at any split some are still running. Dropping them would lose the newest, and taking "not yet" for
"no" would say too little of them. The share that had been seen by a day comes from a life table: a row counts on each
day on which its window was open and nothing had happened yet (Kaplan and Meier, *Nonparametric estimation from
incomplete observations*, JASA 53, 1958), so that open windows tell what they can.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# With fewer events the curve would be noise: windows count as seen.
MIN_EVENTS = 30


@dataclass(frozen=True)
class Timing:
    """Share of rows in which the event has come by the end of each day of the window, the first day first.

    Attributes
    ----------
    incidence : array of shape (n_days,), ascending; empty if nothing is known
    """

    incidence: Floats

    def seen(self, observed_days: npt.ArrayLike, whole_days: npt.ArrayLike) -> Floats:
        """Of the events of the whole window the share that comes in its first days, shape (n_rows,), 0 < share <= 1.

        Parameters
        ----------
        observed_days, whole_days : arrays of shape (n_rows,)
            Days that were seen, and that the window has.
        """
        observed, whole = np.asarray(observed_days, dtype=np.float64), np.asarray(whole_days, dtype=np.float64)
        if not len(self.incidence) or self.incidence[0] <= 0:
            # before the first day with an event nothing could be divided by
            return np.ones(len(observed))
        by_day = np.concatenate([[self.incidence[0]], self.incidence])
        last = len(by_day) - 1
        share: Floats = (
            by_day[np.clip(observed, 1, last).astype(np.intp)]
            / by_day[np.clip(np.maximum(observed, whole), 1, last).astype(np.intp)]
        )
        return share


def fit_timing(event_day: npt.ArrayLike, observed_days: npt.ArrayLike) -> Timing:
    """The life table of rows of which each was seen for some days.

    Parameters
    ----------
    event_day : array of shape (n_rows,)
        Day of the window on which the event came, 1 for the first; NaN where it had not come.
    observed_days : array of shape (n_rows,)
        Days of the window that were seen.
    """
    event, observed = np.asarray(event_day, dtype=np.float64), np.asarray(observed_days, dtype=np.float64)
    happened = ~np.isnan(event)
    if happened.sum() < MIN_EVENTS:
        return Timing(np.zeros(0))
    days = int(observed.max())
    events = np.bincount(event[happened].astype(np.intp), minlength=days + 1)[1 : days + 1]
    left_on = np.where(happened, event, observed).astype(np.intp)
    at_risk = len(event) - np.concatenate([[0], np.cumsum(np.bincount(left_on, minlength=days + 1)[1:days])])
    hazard = events / np.maximum(at_risk, 1)
    return Timing(1.0 - np.cumprod(1.0 - hazard))
