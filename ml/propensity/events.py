"""Rows of questions about a customer at an as-of date: which dates are learned from, calibrate, and judge."""

import datetime
from collections.abc import Iterable

import pandas as pd

from ml.frames import as_date, as_days, in_key_order, require_columns
from ml.propensity.inputs import BadInputError, checked_labels, sampled
from ml.propensity.limits import Limits
from ml.propensity.slices import Part, Plan, Split
from ml.propensity.tasks import Task
from ml.splits import make_slice, spaced_dates

# Half a year of dates two weeks apart: older ones cost time and gained nothing.
MAX_TRAINING_DATES = 12
# The newest dates whose windows end before the hold-out calibrate: with one it could not be told what helps.
SELECTION_COUNT = 3
# The newest dates before those that calibrate, each in turn judged by models that learned from earlier ones only.
FOLD_COUNT = 3
# A date whose labels are nearly all there: windows that differ in length end one after the other.
WHOLE_DATE = 0.9


def default_test_from(task: Task, labels: pd.DataFrame) -> datetime.date:
    """The newest as-of date with nearly as many labels as the date with most: its windows were observed.

    Raises
    ------
    BadInputError
        If there is no label at all.
    """
    known = labels.loc[labels[task.label_column].notna(), "as_of_date"]
    if known.empty:
        raise BadInputError(
            f"{task.label_table} has no {task.label_column}, so no as-of date can judge {task.model_name}. "
            "Next: wait until a window is over, or set the hold-out's date in the shop's settings."
        )
    counts = as_days(known).value_counts()
    return as_date(counts[counts >= WHOLE_DATE * counts.max()].index.max())


def training_dates(task: Task, dates: Iterable[object], test_from: datetime.date) -> list[datetime.date]:
    """As-of dates to learn from, ascending: the newest whose (shortest) window ends before the hold-out, and so on."""
    shortest = task.horizon_days or task.spacing_days
    newest = spaced_dates(dates, test_from, shortest, 1)
    if not newest:
        return []
    return [*spaced_dates(dates, newest[0], task.spacing_days, MAX_TRAINING_DATES - 1), *newest]


def plan_events(
    task: Task,
    features: pd.DataFrame,
    labels: pd.DataFrame,
    test_from: datetime.date,
    test_until: datetime.date | None,
    limits: Limits,
) -> Plan:
    """Join features and labels of the dates that are used, and part them in time order.

    The dates that calibrate are the newest whose windows of `task.judged_days` end before the hold-out; the folds are
    dates before them, by the same rule. Rows whose own window is longer than what lies between are in no slice that
    needs its end.

    Parameters
    ----------
    features : DataFrame with the keys and the features of `task`
    labels : DataFrame with the keys and `task.label_columns`; null labels are left out
    test_from : the as-of date that judges
    test_until : labels of windows that reach this day are not read

    Raises
    ------
    BadInputError
        If there are labels, but none at `test_from`.
    """
    what = f"the features of {task.model_name}"
    require_columns(features, [*task.keys, *task.numeric, *task.categorical], what)
    require_columns(labels, [*task.keys, *task.label_columns], task.label_table)
    wanted = labels.assign(as_of_date=as_days(labels["as_of_date"]))[[*task.keys, *task.label_columns]]
    wanted = wanted[wanted[task.label_column].notna() & (wanted["as_of_date"] <= pd.Timestamp(test_from))]
    horizon = task.horizon_days if task.horizon_days is not None else wanted["horizon_days"]
    wanted = wanted.assign(last_label_day=_last_day(wanted["as_of_date"], horizon))
    if test_until is not None:
        wanted = wanted[wanted["last_label_day"] < pd.Timestamp(test_until)]
    _refuse_absent_date(task, labels, wanted, test_from, test_until)

    held_out = wanted["as_of_date"] == pd.Timestamp(test_from)
    dates = training_dates(task, wanted.loc[~held_out, "as_of_date"].unique(), test_from)
    learned = wanted["as_of_date"].isin([pd.Timestamp(day) for day in dates])
    learned &= wanted["last_label_day"] < pd.Timestamp(test_from)
    parts = [(wanted[learned], limits.fit_rows), (wanted[held_out], limits.judged_rows)]
    wanted = pd.concat([part[sampled(part["customer_id"], at_most)] for part, at_most in parts])
    rows = _with_features(task, features, wanted, what)
    days, last_day = rows["as_of_date"], rows["last_label_day"]
    truth = checked_labels(rows[task.label_column], task.label_table)

    def split(judged_at: datetime.date, before: datetime.date | None) -> Split:
        """Learn from what had ended at a date, judge the date's rows whose windows ended before another."""
        begin = pd.Timestamp(judged_at)
        inside = (days == begin).to_numpy()
        if before is not None:
            inside = inside & (last_day < pd.Timestamp(before)).to_numpy()
        earlier = make_slice("train", ((days < begin) & (last_day < begin)).to_numpy(), days, last_day)
        judged = make_slice("judged", inside, days, last_day)
        return Split(Part(earlier, truth[earlier.rows]), Part(judged, truth[judged.rows]))

    chosen = _ended_before(dates, test_from, task.judged_days)[1:][-SELECTION_COUNT:]
    earlier = _ended_before(dates, chosen[0], task.judged_days) if chosen else []
    return Plan(
        rows=rows,
        folds=[split(day, chosen[0]) for day in earlier[1:][-FOLD_COUNT:]],
        selection=[split(day, test_from) for day in chosen],
        hold_out=split(test_from, None),
    )


def _last_day(as_of: pd.Series, horizon: pd.Series | int) -> pd.Series:
    if isinstance(horizon, int):
        return as_of + pd.Timedelta(days=horizon - 1)
    return as_of + pd.to_timedelta(horizon.astype("int64") - 1, unit="D")


def _ended_before(dates: list[datetime.date], day: datetime.date, judged_days: int) -> list[datetime.date]:
    """Those of `dates` of which windows of `judged_days` end before `day`."""
    return [date for date in dates if date <= day - datetime.timedelta(days=judged_days)]


def _refuse_absent_date(
    task: Task, labels: pd.DataFrame, wanted: pd.DataFrame, test_from: datetime.date, test_until: datetime.date | None
) -> None:
    """A hold-out date that nobody has features at is a mistake, as long as there is any label to judge on."""
    if labels.empty or (wanted["as_of_date"] == pd.Timestamp(test_from)).any():
        return
    given = sorted({as_date(day) for day in as_days(labels["as_of_date"]).unique()})
    near = sorted(given, key=lambda day: abs(day - test_from))[:2]
    until = f" with a window that ends before {test_until}" if test_until else ""
    raise BadInputError(
        f"{task.label_table} has no rows at {test_from}{until}, so nothing can judge {task.model_name}. Nearest as-of "
        f"dates: {', '.join(map(str, sorted(near)))}. Next: set one of them as the hold-out's date in the settings."
    )


def _with_features(task: Task, features: pd.DataFrame, wanted: pd.DataFrame, what: str) -> pd.DataFrame:
    """Label and features of each wanted row, in key order; later labels are not even joined."""
    days = as_days(features["as_of_date"])
    used = days.isin(wanted["as_of_date"].unique()).to_numpy()
    if len(wanted) < used.sum():
        # of many customers a sample is wanted: the rest need not be copied
        used = used & features["customer_id"].isin(wanted["customer_id"].unique()).to_numpy()
    given = features.loc[used, [*task.keys, *task.numeric, *task.categorical]]
    given = given.assign(as_of_date=days[used])
    rows = wanted.merge(given, on=list(task.keys), how="inner", validate=None)
    return in_key_order(rows, ("as_of_date", "customer_id"), what)


def scored_rows(task: Task, features: pd.DataFrame) -> pd.DataFrame:
    """`features` in key order, its dates as timestamps."""
    given = features.assign(as_of_date=as_days(features["as_of_date"]))
    keys = [key for key in ("as_of_date", "campaign_id", "customer_id") if key in task.keys]
    return in_key_order(given, keys, f"the features of {task.model_name}")
