"""Cluster segments of a run: the previous model kept, fitted again or replaced, with keys that stay.

As long as customers have not drifted, the previous model only assigns. Over the drift threshold it is fitted again,
beginning from its own groups; far over it, or when it cannot be fitted again, algorithm and number are chosen anew.
Either way clusters are matched with the old ones on the same customers, and keys and names carry over.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from ml.clusters.drift import COLUMNS as DRIFT
from ml.clusters.drift import measure_drift
from ml.clusters.fitting import LINEAGE, fit_model
from ml.clusters.naming import rendered_names
from ml.clusters.segment_model import DESCRIBED, FEATURES, MODEL_NAME, SegmentModel, in_order
from ml.clusters.settings import ClusterSettings
from ml.clusters.words import Words, shipped_words
from ml.frames import dates_out
from ml.threads import one_thread

Action = Literal["chosen", "refitted", "assigned"]
ASSIGNMENTS = ("customer_id", "as_of_date", "model_name", "model_version", "level", "cluster_key", "cluster_name",
               "is_outlier")  # fmt: skip


@dataclass(frozen=True)
class Segmentation:
    """The clusters of one as-of date.

    Attributes
    ----------
    model : SegmentModel
        The one that holds from this date on; the previous one itself if it only assigned.
    action : "chosen", "refitted" or "assigned"
    reason : str
        Why, in a sentence.
    previous_version : str or None
        Of the model whose keys were carried over, or that was kept.
    rows : DataFrame
        The customers with FEATURES and DESCRIBED, in the order of their ids.
    divided : DataFrame
        broad_key, micro_key and is_outlier of each of `rows`.
    drift : DataFrame
        What `measure_drift` found; empty without a previous model.
    lineage : DataFrame with `LINEAGE`
        Empty if the model only assigned.
    names : dict
        Key to name, in the words of today.
    floor : int
        Least members of a cluster among so many customers.
    """

    model: SegmentModel
    action: Action
    reason: str
    previous_version: str | None
    as_of_date: datetime.date
    rows: pd.DataFrame
    divided: pd.DataFrame
    drift: pd.DataFrame
    lineage: pd.DataFrame
    names: dict[str, str]
    floor: int

    @property
    def assignments(self) -> pd.DataFrame:
        """Rows of ``ml.customer_clusters`` without run_id and is_reconstructed: one a customer and level."""
        return _assignment_rows(self.model, self.rows, self.divided, self.names)


def fit(
    features: pd.DataFrame,
    previous: SegmentModel | None = None,
    *,
    reference: pd.DataFrame | None = None,
    earlier: Iterable[pd.DataFrame] = (),
    settings: ClusterSettings | None = None,
    words: Words | None = None,
    namesake: SegmentModel | None = None,
    used_keys: Sequence[str] = (),
    force: Action | None = None,
) -> Segmentation:
    """The clusters of one as-of date.

    Parameters
    ----------
    features : DataFrame with customer_id, as_of_date, `FEATURES` and `DESCRIBED`
        One row per customer, one as-of date.
    previous : SegmentModel or None
        The model that held until now. Never one that was fitted on later data.
    reference : DataFrame or None
        The features that `previous` was fitted on, to see drift; without them it is fitted again.
    earlier : DataFrames like `features`
        At earlier dates, newest first; a choice weighs whether a division comes out of them as well. Read only then.
    namesake : SegmentModel or None
        Where there is no previous model but one of a later date (an old date is run for the first time): its keys go
        to those groups that are most like its own. Nothing else is taken from it.
    used_keys : every key that was ever given
    force : do this, whatever the drift; for measurements

    Raises
    ------
    MissingColumnsError
        If a key or a feature is not there.
    ValueError
        If there is no row, more than one as-of date, a customer twice, or `previous` was fitted on a later date.
    """
    settings, words = settings or ClusterSettings(), words or shipped_words()
    rows = in_order(features, (*FEATURES, *DESCRIBED))
    if rows["as_of_date"].nunique() != 1:
        raise ValueError(f"clusters are made at one as-of date, not at {rows['as_of_date'].nunique()}")
    as_of_date = rows["as_of_date"].iloc[0].date()
    if previous is not None and previous.fitted_on > as_of_date:
        raise ValueError(f"a model fitted on {previous.fitted_on} has seen the future of {as_of_date}")
    drift = pd.DataFrame(columns=list(DRIFT))
    if previous is not None and reference is not None:
        drift = drift_since(previous, reference, rows, settings)
    if previous is None:
        action: Action = "chosen"
        reason = "there is no earlier model"
    elif tuple(previous.offered) != FEATURES or previous.facts["settings"] != settings.of_choice:
        action, reason = "chosen", "features or settings of the choice are others than when the model was chosen"
        previous = previous if _can_divide(previous, rows) else None
    elif reference is None:
        action, reason = "refitted", f"the features of {previous.fitted_on}, when the model was fitted, are gone"
    else:
        action, reason = _decide(previous, drift, rows, settings)
    action = force or action
    with one_thread():
        if action == "assigned" and previous is not None:
            model, lineage = previous, pd.DataFrame(columns=list(LINEAGE))
        else:
            again = action == "refitted"
            fitted = fit_model(
                rows,
                settings,
                words,
                previous=previous or namesake,
                again=again,
                earlier=[] if again else [in_order(one, FEATURES) for one in earlier],
                used_keys=used_keys,
            )
            model, lineage = fitted.model, fitted.events
    divided = model.divide(rows)
    names = rendered_names({key: model.names[key] for key in model.all_keys}, words)
    before = previous or namesake
    version = before.model_version if before is not None else None
    return Segmentation(
        model, action, reason, version, as_of_date, rows, divided, drift, lineage, names, settings.floor(len(rows))
    )


def _can_divide(model: SegmentModel, rows: pd.DataFrame) -> bool:
    return set(model.features) <= set(rows.columns)


def drift_since(
    model: SegmentModel, reference: pd.DataFrame, features: pd.DataFrame, settings: ClusterSettings
) -> pd.DataFrame:
    """How far the customers of now are from those that a model was fitted on.

    Parameters
    ----------
    reference, features : DataFrames with customer_id, as_of_date and `FEATURES`, then and now

    Returns
    -------
    DataFrame with `ml.clusters.drift.COLUMNS`; empty if the model has features that are gone
    """
    then, rows = in_order(reference, FEATURES), in_order(features, FEATURES)
    if not _can_divide(model, rows):
        return pd.DataFrame(columns=list(DRIFT))
    sides = [
        part.assign(cluster_key=model.divide(part)["broad_key"].to_numpy())[["customer_id", *FEATURES, "cluster_key"]]
        for part in (then, rows)
    ]
    return measure_drift(sides[0], sides[1], FEATURES, limits=settings.drift)


def _decide(
    previous: SegmentModel, drift: pd.DataFrame, rows: pd.DataFrame, settings: ClusterSettings
) -> tuple[Action, str]:
    alarms = drift[drift["is_alarm"]]
    if len(alarms):
        worst = alarms.assign(times=alarms["effect"] / alarms["min_effect"]).nlargest(1, "times").iloc[0]
        told = f"{worst['kind']} {worst['name']} has moved by {worst['effect']:.0%} of the customers"
        if worst["times"] >= settings.choose_drift:
            return "chosen", f"{told}, {worst['times']:.1f} times the least effect of an alarm"
        return "refitted", told
    floor = settings.floor(len(rows))
    divided = previous.divide(rows)
    members = pd.concat([divided["broad_key"], divided["micro_key"].dropna()]).value_counts()
    small = [key for key in previous.all_keys if members.get(key, 0) < floor and len(previous.all_keys) > 1]
    if small:
        return "refitted", f"cluster {small[0]} has {members.get(small[0], 0)} members, the floor is {floor}"
    return "assigned", f"customers have not drifted since {previous.fitted_on}"


def assign(model: SegmentModel, features: pd.DataFrame, words: Words | None = None) -> pd.DataFrame:
    """Rows of ``ml.customer_clusters`` without run_id and is_reconstructed for customers of any dates.

    Parameters
    ----------
    features : DataFrame with customer_id, as_of_date and `FEATURES`, one row per customer and as-of date
    """
    rows = in_order(features, model.features)
    names = rendered_names({key: model.names[key] for key in model.all_keys}, words or shipped_words())
    return _assignment_rows(model, rows, model.divide(rows), names)


def _assignment_rows(
    model: SegmentModel, rows: pd.DataFrame, divided: pd.DataFrame, names: dict[str, str]
) -> pd.DataFrame:
    parts = []
    for level in ("broad", "micro"):
        inside = divided[f"{level}_key"].notna().to_numpy()
        keys = divided.loc[inside, f"{level}_key"].to_numpy()
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": rows.loc[inside, "customer_id"].to_numpy(),
                    "as_of_date": dates_out(rows.loc[inside, "as_of_date"]).to_numpy(),
                    "model_name": MODEL_NAME,
                    "model_version": model.model_version,
                    "level": level,
                    "cluster_key": keys,
                    "cluster_name": [names[key] for key in keys],
                    "is_outlier": divided.loc[inside, "is_outlier"].to_numpy(),
                },
                columns=list(ASSIGNMENTS),
            )
        )
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
