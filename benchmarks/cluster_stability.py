"""How far a weekly refit changes what the clusters mean, on the demo shop; and what holding them still costs.

The measure, fixed before anything was measured:

    Over the weekly scheduled as-of dates with at least 180 days of history, week t's model is fitted on week t's
    customers from week t-1's model, as the asset does when it refits. *Agreement* of a week is the share of customers
    of week t whose key under the refitted model equals their key under the old model, both applied to the features of
    week t. Wanted: median over the weeks of .9 or more. The minimum is reported.

Beside it, on the same rows:

* plain refits: k-means from scratch each week (ten starts), keys matched by the same optimal assignment;
* what the past costs: inertia and silhouette of the refitted chain against a fit from scratch of the same week and k,
  in the same prepared features, each cluster by the mean of its rows. The chain is refitted every week from its own
  last week, so the last week shows what has piled up; a frozen model (the first week's, only assigning) stands beside.

For k = 2 to 8, anchored and folded as shipped; then for the whole as shipped (algorithm and k chosen at the first date,
two levels), refitted every week (`force`), and with the drift gate, which refits only when it must.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import silhouette_score

from benchmarks.measuring import RESULTS
from ml.catalogue import read_catalogue
from ml.clusters.algorithms import clusterer
from ml.clusters.base import means_of
from ml.clusters.dividing import divide_again
from ml.clusters.lineage import trace
from ml.clusters.model import Segmentation, fit
from ml.clusters.preparation import preparation
from ml.clusters.segment_model import DESCRIBED, FEATURES, WHAT
from ml.clusters.settings import ClusterSettings
from ml.frames import feature_matrix
from ml.threads import one_thread
from orchestration.warehouse import reading
from shops import ShopFolders

Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.object_]

HISTORY_DAYS = 180
SILHOUETTE_ROWS = 2_000
CHOICE_DATES = 4
WANTED = 0.9


def main() -> None:
    weeks, earlier = _weeks()
    with one_thread():
        rows = [_by_count(count, weeks) for count in range(2, 9)]
        rows += [_shipped(weeks, earlier, is_gated=False), _shipped(weeks, earlier, is_gated=True)]
    file = RESULTS / "cluster_stability.json"
    file.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    for row in rows:
        print({name: value for name, value in row.items() if name != "goal"})


def _weeks() -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """Features of each scheduled date with enough history, and of the dates right before the first of them."""
    features = read_catalogue().named((*FEATURES, *DESCRIBED))
    tables = dict.fromkeys(feature.table for feature in features if feature.table != "feat_customer_rfm")
    joins = " ".join(f"left join features.{table} using (customer_id, as_of_date)" for table in tables)
    listed = ", ".join(f"{feature.table}.{feature.name}" for feature in features)
    with reading(ShopFolders.of("demo").warehouse) as connection:
        rows = connection.execute(
            f"select customer_id, as_of_date, {listed} from features.feat_customer_rfm {joins} "
            "join features.int_as_of_dates using (as_of_date) where is_scheduled order by as_of_date, customer_id"
        ).df()
        first = connection.execute("select min(order_date) from features.int_activity__orders").fetchone()
    assert first is not None
    dates = sorted(rows["as_of_date"].unique())
    begin = pd.Timestamp(first[0]) + pd.Timedelta(days=HISTORY_DAYS)
    parts = {date: part.reset_index(drop=True) for date, part in rows.groupby("as_of_date")}
    before = [date for date in dates if date < begin]
    return [parts[date] for date in dates if date >= begin], [parts[date] for date in before[::-1][:CHOICE_DATES]]


class _Plain:
    """K-means and its keys, without anything else."""

    def __init__(self, prepare: Any, estimator: Any, keys: Sequence[str]) -> None:
        self._prepare, self._estimator, self._keys = prepare, estimator, np.array(keys, dtype=object)

    def keys(self, matrix: pd.DataFrame) -> Keys:
        keys: Keys = self._keys[self._estimator.predict(self._prepare.transform(matrix))]
        return keys


def _by_count(count: int, weeks: Sequence[pd.DataFrame]) -> dict[str, Any]:
    """A chain of refits with a fixed number of clusters, beside plain refits and a frozen model."""
    settings = ClusterSettings()
    started = time.perf_counter()
    ours: list[float] = []
    plain: list[float] = []
    losses: list[float] = []
    frozen: list[float] = []
    silhouettes: list[float] = []
    escaped = 0
    chain: _Plain | None = None
    scratch: _Plain | None = None
    first: _Plain | None = None
    for week in weeks:
        matrix = feature_matrix(week, FEATURES, (), WHAT)
        prepare = preparation(settings.scaling, settings.components).fit(matrix)
        rows = prepare.transform(matrix)
        free = clusterer("k_means", count).fit(rows)
        free_labels = np.array([str(label + 1) for label in free.predict(rows)], dtype=object)
        if chain is None or scratch is None or first is None:
            chain = scratch = first = _Plain(prepare, free, [str(label + 1) for label in range(count)])
            continue
        old = chain.keys(matrix)
        floor = settings.floor(len(rows))
        again = divide_again(rows, old, "k_means", settings.anchor, settings.max_inertia_loss, floor, False)
        assert again is not None
        assert again.estimator is not None
        escaped += not again.facts["kept_its_start"]
        keys = _carried(old, np.array([str(group) for group in again.groups], dtype=object)[again.labels])
        chain = _Plain(prepare, again.estimator, [keys[str(group)] for group in again.groups])
        new = chain.keys(matrix)
        ours.append(float((new == old).mean()))
        scratch_old = scratch.keys(matrix)
        plain_keys = _carried(scratch_old, free_labels)
        scratch = _Plain(prepare, free, [plain_keys[str(label + 1)] for label in range(count)])
        plain.append(float((scratch.keys(matrix) == scratch_old).mean()))
        best = _inertia(rows, free_labels)
        losses.append(_inertia(rows, new) / best - 1)
        frozen.append(_inertia(rows, first.keys(matrix)) / best - 1)
        silhouettes.append(_silhouette(rows, free_labels) - _silhouette(rows, new))
    return {
        "name": f"k-means, {count} clusters, refitted every week",
        **_figures(ours, plain, losses, frozen, silhouettes, escaped),
        "ours_seconds": round(time.perf_counter() - started, 2),
    }


def _shipped(weeks: Sequence[pd.DataFrame], earlier: Sequence[pd.DataFrame], is_gated: bool) -> dict[str, Any]:
    """The whole as shipped: chosen once, then refitted every week or when customers have drifted."""
    started = time.perf_counter()
    settings = ClusterSettings()
    by_date = {pd.Timestamp(week["as_of_date"].iloc[0]).date(): week for week in weeks}
    run: Segmentation | None = None
    first: Segmentation | None = None
    ours: list[float] = []
    micro: list[float] = []
    losses: list[float] = []
    frozen: list[float] = []
    silhouettes: list[float] = []
    actions: list[str] = []
    for week in weeks:
        if run is None or first is None:
            run = first = fit(week, earlier=earlier, settings=settings)
            continue
        model = run.model
        if is_gated:
            run = fit(week, model, reference=by_date[model.fitted_on], settings=settings)
        else:
            run = fit(week, model, settings=settings, force="refitted")
        actions.append(run.action)
        old = model.divide(run.rows)
        ours.append(float((old["broad_key"] == run.divided["broad_key"]).mean()))
        micro.append(float((old["micro_key"].fillna("-") == run.divided["micro_key"].fillna("-")).mean()))
        matrix = feature_matrix(run.rows, run.model.features, (), WHAT)
        rows = preparation(settings.scaling, settings.components).fit_transform(matrix)
        count = run.divided["broad_key"].nunique()
        algorithm = run.model.facts["levels"]["broad"]["algorithm"]
        free = clusterer(algorithm, count).fit(rows)
        free_labels = np.array([str(label) for label in free.predict(rows)], dtype=object)
        best, keys = _inertia(rows, free_labels), run.divided["broad_key"].to_numpy()
        losses.append(_inertia(rows, keys) / best - 1)
        frozen.append(_inertia(rows, first.model.divide(run.rows)["broad_key"].to_numpy()) / best - 1)
        silhouettes.append(_silhouette(rows, free_labels) - _silhouette(rows, keys))
    assert run is not None
    model = run.model
    name = "as shipped, drift decides" if is_gated else "as shipped, refitted every week"
    return {
        "name": f"{name}: {model.facts['levels']['broad']['algorithm']}, {len(model.broad_keys)} clusters",
        **_figures(ours, [], losses, frozen, silhouettes, 0),
        "micro_median_agreement": round(statistics.median(micro), 4),
        "micro_min_agreement": round(min(micro), 4),
        "weeks_refitted": actions.count("refitted"),
        "weeks_chosen": actions.count("chosen"),
        "ours_seconds": round(time.perf_counter() - started, 2),
    }


def _carried(old: Keys, new: Keys) -> dict[str, str]:
    """Keys of new labels, by optimal assignment; those without an heir get new ones."""
    return trace(old, new, sorted(set(old)), sorted(set(new))).keys


def _inertia(rows: Floats, keys: Keys) -> float:
    _, labels = np.unique(keys.astype(str), return_inverse=True)
    return float(((rows - means_of(rows, labels, int(labels.max()) + 1)[labels]) ** 2).sum())


def _silhouette(rows: Floats, keys: Keys) -> float:
    return float(silhouette_score(rows, keys.astype(str), sample_size=min(SILHOUETTE_ROWS, len(rows)), random_state=0))


def _figures(
    ours: Sequence[float],
    plain: Sequence[float],
    losses: Sequence[float],
    frozen: Sequence[float],
    silhouettes: Sequence[float],
    escaped: int,
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "goal": f"median agreement >= {WANTED}",
        "weeks": len(ours),
        "median_agreement": round(statistics.median(ours), 4),
        "min_agreement": round(min(ours), 4),
        "share_of_weeks_at_wanted": round(sum(one >= WANTED for one in ours) / len(ours), 4),
        "median_inertia_loss": round(statistics.median(losses), 5),
        "max_inertia_loss": round(max(losses), 5),
        "last_inertia_loss": round(losses[-1], 5),
        "last_inertia_loss_if_frozen": round(frozen[-1], 5),
        "median_silhouette_loss": round(statistics.median(silhouettes), 5),
        "last_silhouette_loss": round(silhouettes[-1], 5),
        "weeks_that_left_their_start": escaped,
    }
    if plain:
        found |= {
            "plain_median_agreement": round(statistics.median(plain), 4),
            "plain_min_agreement": round(min(plain), 4),
            "plain_share_of_weeks_at_wanted": round(sum(one >= WANTED for one in plain) / len(plain), 4),
        }
    return found


if __name__ == "__main__":
    main()
