"""Clusters of half a year ago meet the customers of today: what is fitted anew, which keys stay, who moved and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from shops import ShopFolders, load_settings
from tour.copies import original_of
from tour.telling import Teller

if TYPE_CHECKING:
    from ml.clusters.migration import Divided
    from ml.clusters.words import Words

TITLE = "a refit"
NEEDS = ("warehouse.duckdb",)
# What a run takes a minute to compare would tell nothing more here.
MAX_CLUSTERS = 6
EXAMPLE_FEATURES = 3


@dataclass(frozen=True)
class Figures:
    """What the scene found; shares are of the customers who were there at both dates, at the broad level.

    Attributes
    ----------
    action, reason : what the clusters' own rule decided, and why.
    lineage : old key to new key, with the event.
    moved_as_customers_changed : share in another cluster of the old model than half a year ago.
    moved_as_definition_changed : share of the customers of today in another cluster of the new model than of the old.
    """

    fitted_on: date
    as_of_date: date
    action: str
    reason: str
    lineage: pd.DataFrame
    moved_as_customers_changed: float
    moved_as_definition_changed: float


def play(copy: ShopFolders, tell: Teller) -> Figures:
    """Fit at a date of half a year ago, let today's run decide, tell what became of keys and customers."""
    from ml.clusters.migration import Divided, kept_share, migration
    from ml.clusters.model import fit
    from orchestration.cluster_inputs import ClusterFeatures, read_words, settings_of

    settings, words = load_settings(copy.shop), read_words(copy)
    features = ClusterFeatures(copy.warehouse, settings.models.purchase.horizon_days)
    then, now = features.scheduled[len(features.scheduled) // 2], features.current
    quick = replace(settings_of(settings), algorithms=("k_means",), max_clusters=MAX_CLUSTERS)
    tell.does(f"choose clusters as of {then} (k-means up to {MAX_CLUSTERS}, to be quick)")
    rows = features.at(then)
    old = fit(rows, settings=quick, words=words)
    tell.does(f"go on to {now}, as a weekly run does: keep the model, fit it again, or choose anew?")
    new = fit(
        features.at(now), old.model, reference=rows, settings=quick, words=words, used_keys=old.model.all_keys
    )  # fmt: skip
    tell.says(f"{new.action}: {new.reason}")
    broad = new.lineage[new.lineage["level"] == "broad"]
    tell.shows(
        "Which clusters go on, and under which key",
        ("old key", "new key", "event", "members before", "after", "in both", "name now"),
        [
            (
                one["old_key"] or "-", one["new_key"] or "-", one["event"], f"{one['old_members']:,}",
                f"{one['new_members']:,}", f"{one['shared_members']:,}", new.names.get(one["new_key"], ""),
            )
            for one in broad.to_dict("records")
        ],
    )  # fmt: skip
    before, meanwhile, after = (
        Divided.of(old.model, old.rows), Divided.of(old.model, new.rows), Divided.of(new.model, new.rows),
    )  # fmt: skip
    population, definition = (1 - kept_share(migration(*pair)) for pair in ((before, meanwhile), (meanwhile, after)))
    tell.shows(
        "Who moved, and why",
        ("why", "held still", "customers in another cluster"),
        [
            ("customers changed", f"the model of {then}; two dates", f"{population:.1%}"),
            ("the definition changed", f"customers of {now}; two models", f"{definition:.1%}"),
        ],
    )
    _tell_of_one(before, meanwhile, after, old.rows, new.rows, words, tell)
    tell.look(
        [
            ("marts.fct_cluster_lineage", "the same of your runs, once there was a refit"),
            ("marts.fct_cluster_migrations", "who moved from where to where, kind by kind"),
            (copy.shown(original_of(copy).current / "site" / "moves.html"), "moves between segments, on the site"),
            ("docs/clusters.md", "when clusters are fitted again, and how keys stay"),
        ]
    )  # fmt: skip
    return Figures(then, now, new.action, new.reason, new.lineage, population, definition)


def _tell_of_one(
    before: Divided, meanwhile: Divided, after: Divided, then: pd.DataFrame, now: pd.DataFrame, words: Words,
    tell: Teller,
) -> None:  # fmt: skip
    """One customer who changed, with what changed most, and one for whom only the definition did."""
    keys = before.keys.merge(meanwhile.keys, on="customer_id", suffixes=("_before", "_meanwhile"))
    keys = keys.merge(after.keys.rename(columns={"broad_key": "broad_key_after"}), on="customer_id").set_index(
        "customer_id"
    )
    changed = keys[
        (keys["broad_key_before"] != keys["broad_key_meanwhile"])
        & (keys["broad_key_meanwhile"] == keys["broad_key_after"])
    ]
    redefined = keys[
        (keys["broad_key_before"] == keys["broad_key_meanwhile"])
        & (keys["broad_key_meanwhile"] != keys["broad_key_after"])
    ]
    if len(changed):
        names = _told(words, then)
        old, new = (rows.set_index("customer_id").loc[changed.index, names] for rows in (then, now))
        moved = ((new - old) / then[names].std()).abs().fillna(0)
        one = str(moved.sum(axis=1).idxmax())
        figures = zip(names, *(part.loc[[one]].to_numpy()[0] for part in (moved, old, new)), strict=True)
        most = sorted(figures, key=lambda figure: -figure[1])[:EXAMPLE_FEATURES]
        told = ", ".join(
            f"{words.trait(name).label} {_figure(words, name, past)} → {_figure(words, name, present)}"
            for name, _, past, present in most
        )
        tell.concludes(f"{one} changed: {_path(changed, one, 'broad_key_before', 'broad_key_after')}; {told}.")
    if len(redefined):
        one = str(redefined.index[0])
        path = _path(redefined, one, "broad_key_meanwhile", "broad_key_after")
        tell.concludes(f"{one} did not: {path}, because the border moved over it.")


def _told(words: Words, rows: pd.DataFrame) -> Sequence[str]:
    from ml.clusters.segment_model import FEATURES

    return [name for name in FEATURES if name in words.traits and name in rows.columns]


def _figure(words: Words, name: str, value: float) -> str:
    return f"{value:.0%}" if words.trait(name).kind == "percent" else f"{value:,.0f}"


def _path(keys: pd.DataFrame, customer: str, old: str, new: str) -> str:
    return "cluster " + " → ".join(str(keys[column].loc[customer]) for column in (old, new))
