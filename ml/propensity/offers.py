"""Rows of questions about a customer and a campaign, as of the campaign's first day.

Campaigns run for weeks and overlap, so at any split some are still running. Their rows are kept with what was known
then: the label is cut at the split, and beside it stands what share of the events could have been seen by then
(`ml.propensity.timing`), so that calibration and judging do not take "not yet" for "no".
"""

import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.frames import as_date, as_days, in_key_order, require_columns
from ml.propensity.inputs import BadInputError, checked_labels, sampled
from ml.propensity.limits import Limits
from ml.propensity.slices import Part, Plan, Split
from ml.propensity.tasks import Task
from ml.propensity.timing import Timing, fit_timing
from ml.splits import Slice, cut_label_windows, make_slice

# The newest start dates before those that calibrate, each in turn judged by models from before it.
FOLD_COUNT = 3
# The newest start dates before the hold-out calibrate, at least two: with one it could not be told what helps.
SELECTION_SHARE = 1 / 3
TEST_SHARE = 0.2
LENGTH = "campaign_days"


def default_test_from(task: Task, labels: pd.DataFrame) -> datetime.date:
    """Start of the newest fifth of the campaigns (at least one), where a shop sets no date.

    Raises
    ------
    BadInputError
        If there is no campaign.
    """
    require_columns(labels, task.keys, task.label_table)
    if labels.empty:
        raise BadInputError(
            f"{task.label_table} is empty, so no campaign can judge {task.model_name}. Next: land campaigns, or leave "
            "the model out."
        )
    starts = as_days(labels["as_of_date"]).groupby(labels["campaign_id"].to_numpy()).min().sort_values()
    held_out = max(1, int(np.ceil(TEST_SHARE * len(starts))))
    return as_date(starts.iloc[-held_out])


def plan_offers(
    task: Task,
    features: pd.DataFrame,
    labels: pd.DataFrame,
    test_from: datetime.date,
    test_until: datetime.date | None,
    limits: Limits,
) -> Plan:
    """Join features and labels of all campaigns, and part them by the day on which they start.

    Parameters
    ----------
    features : DataFrame with the keys and the features of `task`, one row per customer and campaign mailed
    labels : DataFrame with the keys and `task.label_columns`
    test_from : campaigns that start on it or later judge
    test_until : campaigns that start on it or later are left out, and what happened from then on is not read
    """
    what = f"the features of {task.model_name}"
    require_columns(features, [*task.keys, *task.numeric, *task.categorical], what)
    require_columns(labels, [*task.keys, *task.label_columns], task.label_table)
    wanted = labels.assign(as_of_date=as_days(labels["as_of_date"]))[[*task.keys, *task.label_columns]]
    if test_until is not None:
        wanted = wanted[wanted["as_of_date"] < pd.Timestamp(test_until)]
    before = (wanted["as_of_date"] < pd.Timestamp(test_from)).to_numpy()
    parts = [(wanted[before], limits.fit_rows), (wanted[~before], limits.judged_rows)]
    wanted = pd.concat([part[sampled(part["customer_id"], at_most)] for part, at_most in parts])
    given = features.assign(as_of_date=as_days(features["as_of_date"]))[[*task.keys, *task.numeric, *task.categorical]]
    rows = in_key_order(
        wanted.merge(given, on=list(task.keys), how="inner"), ("as_of_date", "campaign_id", "customer_id"), what
    )
    checked_labels(rows[task.label_column], task.label_table)
    known = _Known(task, rows)

    starts = sorted(as_date(day) for day in rows["as_of_date"].unique() if as_date(day) < test_from)
    count = max(2, int(np.ceil(SELECTION_SHARE * len(starts))))
    chosen = starts[1:][-count:]
    begin = chosen[0] if chosen else test_from
    earlier = [day for day in starts if day < begin]
    return Plan(
        rows=rows,
        folds=known.splits(earlier[1:][-FOLD_COUNT:], begin, cut=begin),
        selection=known.splits(chosen, test_from, cut=test_from),
        hold_out=known.splits([test_from], test_until, cut=test_until)[0],
    )


class _Known:
    """What was known of each row when a day began."""

    def __init__(self, task: Task, rows: pd.DataFrame) -> None:
        assert task.event_column is not None
        self.days = rows["as_of_date"]
        self.ends = as_days(rows["label_ends_on"])
        self.happened = as_days(rows[task.event_column])
        self.final = rows[task.label_column].to_numpy(dtype=np.int64)
        # the label ends with the campaign or with what was observed; the campaign's own length is a feature
        ended = _days_between(self.days, self.ends)
        self.whole_days = rows[LENGTH].to_numpy(dtype=np.float64, na_value=np.nan) if LENGTH in rows else ended
        self.entered = self.days if task.entered_column is None else as_days(rows[task.entered_column])

    def part(
        self, name: str, inside: npt.NDArray[np.bool_], cut: datetime.date | None, timing: Timing | None = None
    ) -> Part:
        """The rows `inside`, with what was known of them before `cut` (None: all there is)."""
        if cut is None:
            labels, last_day = self.final, self.ends
        else:
            labels, last_day = cut_label_windows(self.happened, self.ends, cut)
            inside = inside & (self.entered < pd.Timestamp(cut)).to_numpy()
        part = make_slice(name, inside, self.days, last_day)
        return Part(part, labels[part.rows], self._seen(part, last_day, timing))

    def timing(self, learned: Part) -> Timing:
        """When in their windows the events of a part came."""
        rows = learned.slice.rows
        came = np.where(learned.labels == 1, _days_between(self.days, self.happened)[rows], np.nan)
        until = learned.slice.last_label_day
        ends = self.ends if until is None else self.ends.where(self.ends <= pd.Timestamp(until), pd.Timestamp(until))
        return fit_timing(came, _days_between(self.days, ends)[rows])

    def _seen(self, part: Slice, last_day: pd.Series, timing: Timing | None) -> npt.NDArray[np.float64] | None:
        if timing is None:
            return None
        observed = _days_between(self.days, last_day)[part.rows]
        return timing.seen(observed, self.whole_days[part.rows])

    def splits(self, begins: list[datetime.date], end: datetime.date | None, cut: datetime.date | None) -> list[Split]:
        """A split at each of `begins`: judged up to the next one (the last: up to `end`), labels known at `cut`."""
        found = []
        for begin, until in zip(begins, [*begins[1:], end][: len(begins)], strict=True):
            inside = self.days >= pd.Timestamp(begin)
            if until is not None:
                inside &= self.days < pd.Timestamp(until)
            earlier = (self.days < pd.Timestamp(begin)).to_numpy()
            learned = self.part("train", earlier, begin)
            found.append(Split(learned, self.part("judged", inside.to_numpy(), cut, self.timing(learned))))
        return found


def _days_between(first: pd.Series, last: pd.Series) -> npt.NDArray[np.float64]:
    """Days from `first` to `last`, both included; NaN where there is no last day."""
    return np.asarray((last - first).dt.days + 1, dtype=np.float64)
