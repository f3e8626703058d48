"""How good a model of offers looks over all customers: better than it is, because it learns who gets mailed.

So it is judged among those mailed, and this figure stands apart as the slice "targeting included", beside what "was
mailed" alone reaches. Nothing of it ships.
"""

import datetime

import numpy as np
import pandas as pd

from ml.evaluation import performance_rows
from ml.frames import as_days, content_hash, in_key_order, model_version, require_columns, schema_hash
from ml.propensity.calibration import Calibration
from ml.propensity.candidates import logistic
from ml.propensity.inputs import checked_matrix
from ml.propensity.scorer import fit_scorer
from ml.propensity.tasks import Task
from ml.splits import check_time_order, cut_label_windows, make_slice
from ml.threads import one_thread

# Ten times the rows of those mailed, for a figure that is a warning and not a result.
RESAMPLES = 200


def targeting_included(
    task: Task,
    everyone: pd.DataFrame,
    labels: pd.DataFrame,
    test_from: datetime.date,
    test_until: datetime.date | None = None,
) -> pd.DataFrame:
    """Rows of ``ml.model_performance`` of the same question over all customers, not mailed = no.

    A logistic regression on the customers' features: what an offer holds is known for those mailed only.

    Parameters
    ----------
    everyone : DataFrame with the keys, ``task.customer_features`` and the type of campaign
        One row for each campaign and each customer known at its start.
    labels, test_from, test_until : as for `ml.propensity.training.train`
    """
    assert task.event_column is not None
    assert task.type_column is not None
    numeric, kinds = task.customer_features, (task.type_column,)
    what = "the features of all customers"
    require_columns(everyone, [*task.keys, *numeric, *kinds], what)
    known = labels.assign(as_of_date=as_days(labels["as_of_date"]), was_mailed=1)
    given = everyone.assign(as_of_date=as_days(everyone["as_of_date"]))[[*task.keys, *numeric, *kinds]]
    answers = [*task.keys, "label_ends_on", task.event_column, "was_mailed"]
    rows = given.merge(known[answers], on=list(task.keys), how="left")
    if test_until is not None:
        rows = rows[rows["as_of_date"] < pd.Timestamp(test_until)]
    rows = in_key_order(rows, ("as_of_date", "campaign_id", "customer_id"), what)
    days = rows["as_of_date"]
    ends = as_days(rows["label_ends_on"]).fillna(days)
    happened = as_days(rows[task.event_column])
    before = (days < pd.Timestamp(test_from)).to_numpy()
    learned_labels, last_day = cut_label_windows(happened, ends, test_from)
    train_slice = make_slice("train", before, days, last_day)
    judged_labels, judged_last_day = (
        cut_label_windows(happened, ends, test_until) if test_until else (happened.notna().to_numpy(np.int64), ends)
    )
    test_slice = make_slice("hold-out", ~before, days, judged_last_day)
    check_time_order([train_slice, test_slice])
    learned, tested = train_slice.rows, test_slice.rows

    matrix = checked_matrix(rows, numeric, kinds, what)
    name = f"{task.model_name}_targeting_included"
    candidate = logistic(0.01)
    trained_through = train_slice.last_label_day or test_from - datetime.timedelta(days=1)
    version = model_version(
        name,
        trained_through,
        candidate.definition(numeric, kinds),
        schema_hash(numeric, kinds),
        content_hash(matrix.iloc[learned].assign(label=learned_labels[learned])),
    )
    with one_thread():
        scorer = fit_scorer(
            candidate,
            matrix.iloc[learned],
            learned_labels[learned],
            Calibration(),
            numeric,
            kinds,
            model_name=task.model_name,
            model_version=version,
            trained_through=trained_through,
            horizon_days=None,
        )
        judged = pd.DataFrame(
            {
                "customer_id": rows["customer_id"].iloc[tested].to_numpy(),
                "as_of_date": days.iloc[tested].to_numpy(),
                "model": scorer.probabilities(matrix.iloc[tested]),
                "was_mailed": rows["was_mailed"].fillna(0).to_numpy(dtype=np.float64)[tested],
                "label": judged_labels[tested],
            }
        )
    # What was known when the first campaign of the hold-out started, against any yes in the whole of it.
    known_then = judged[judged["as_of_date"] == judged["as_of_date"].min()].groupby("customer_id")["model"].mean()
    any_campaign = judged.groupby("customer_id")[["was_mailed", "label"]].max()
    per_customer = known_then.to_frame().join(any_campaign).reset_index()
    parts = [
        performance_rows(
            part["label"],
            {"model": part["model"], "was_mailed": part["was_mailed"]},
            part["customer_id"],
            ranking_only=("was_mailed",),
            resamples=RESAMPLES,
            model_name=task.model_name,
            model_version=version,
            as_of_date=test_from,
            slice=name,
            is_champion=False,
        )
        for name, part in {
            "targeting included": judged,
            "targeting included, per customer": per_customer,
        }.items()
    ]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]
