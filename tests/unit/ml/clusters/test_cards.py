"""Cards say how large, how different and how typical; pairs that are one are proposed, with evidence."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml.clusters.cards import SLICING, Cards, card_text, make_cards
from ml.clusters.merging import Alike, merge_proposals, overlapping
from ml.clusters.migration import Divided, migrations
from ml.clusters.model import Segmentation, fit
from ml.clusters.plots import cluster_plots
from ml.clusters.settings import ClusterSettings
from ml.clusters.words import shipped_words

Groups = Callable[..., tuple[pd.DataFrame, np.ndarray]]
PNG = b"\x89PNG\r\n\x1a\n"
WORDS = shipped_words()


@pytest.fixture
def found(make_groups: Groups, quick: ClusterSettings) -> tuple[Segmentation, Cards]:
    segmentation = fit(make_groups(groups=3, members=60)[0], settings=quick)
    return segmentation, make_cards(segmentation, WORDS)


def test_a_card_has_size_spend_traits_and_typical_customers(found: tuple[Segmentation, Cards]) -> None:
    segmentation, cards = found
    clusters = cards.clusters.set_index("cluster_key")
    assert clusters["member_count"].sum() == len(segmentation.rows)
    assert clusters["customer_share"].sum() == pytest.approx(1, abs=1e-5)
    assert clusters["spend_share"].sum() == pytest.approx(1, abs=1e-4)
    assert clusters["spend_share"].is_monotonic_decreasing
    joined = segmentation.rows.assign(key=segmentation.divided["broad_key"].to_numpy())
    means = joined.groupby("key")["mean_order_value"].mean()
    profile = cards.profiles[cards.profiles["feature"] == "mean_order_value"].set_index("cluster_key")
    assert profile["cluster_mean"].to_dict() == pytest.approx(means.to_dict(), abs=1e-5)
    assert profile.loc[means.idxmax(), "effect_size"] > 1
    assert profile.loc[means.idxmin(), "effect_size"] < -1
    typical = cards.typical.merge(joined[["customer_id", "key"]], on="customer_id")
    assert (typical["cluster_key"] == typical["key"]).all()
    assert typical.groupby("cluster_key")["place"].apply(list).tolist() == [[1, 2, 3, 4, 5]] * 3
    assert typical.groupby("cluster_key")["distance"].apply(lambda values: values.is_monotonic_increasing).all()


def test_groups_that_are_groups_are_not_called_a_slicing(
    found: tuple[Segmentation, Cards], make_groups: Groups, quick: ClusterSettings
) -> None:
    _, cards = found
    assert cards.clusters["is_natural"].all()
    assert not cards.clusters["cluster_description"].str.contains(SLICING).any()
    cloud = fit(make_groups(groups=1, members=300, spread=0.5)[0], settings=quick)
    told = make_cards(cloud, WORDS)
    assert not told.clusters["is_natural"].any()
    assert told.clusters["cluster_description"].str.endswith(SLICING).all()
    text = card_text(told.clusters.iloc[0], told.profiles, told.typical, WORDS)
    assert text.startswith("### ")
    assert SLICING in text
    assert text.count("`") == 10


def test_every_cluster_has_a_picture(found: tuple[Segmentation, Cards]) -> None:
    segmentation, cards = found
    now = Divided.of(segmentation.model, segmentation.rows)
    before = Divided.of(segmentation.model, segmentation.rows.assign(as_of_date=pd.Timestamp("2017-12-25")))
    pictures = cluster_plots(segmentation, cards, migrations([before, now]))
    assert pictures.keys() == {"map", "profiles", "comparison", "migration", "card_1", "card_2", "card_3"}
    assert all(picture.startswith(PNG) for picture in pictures.values())


def members(behaviour: dict[str, tuple[float, float]], size: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Clusters of `size` customers, by the chance that they buy and what they then spend."""
    generator = np.random.default_rng(4)
    keys = np.repeat(list(behaviour), size)
    chance = np.array([behaviour[key][0] for key in keys])
    bought = generator.random(len(keys)) < chance
    spend = np.where(bought, generator.gamma(4, 1, len(keys)) / 4 * [behaviour[key][1] for key in keys], 0)
    ids = [f"c{number:05d}" for number in range(len(keys))]
    divided = pd.DataFrame({"customer_id": ids, "broad_key": keys, "micro_key": None}, dtype=object)
    return divided, pd.DataFrame({"customer_id": ids, "has_purchased": bought.astype(int), "spend": spend})


def test_members_who_behave_alike_are_proposed_and_others_are_not() -> None:
    found = merge_proposals(*members({"1": (0.6, 40.0), "2": (0.6, 40.0), "3": (0.3, 40.0)}, 5_000))
    proposed = found[found["is_proposed"]]
    assert proposed[["left_key", "right_key"]].to_numpy().tolist() == [["1", "2"]]
    assert "bought" in proposed["evidence"].iloc[0]
    assert len(found) == 3


def test_too_few_members_show_nothing() -> None:
    found = merge_proposals(*members({"1": (0.6, 40.0), "2": (0.6, 40.0)}, 60))
    assert not found["is_proposed"].any()


def test_wrong_proposals_are_as_rare_as_stated_over_all_pairs() -> None:
    """All pairs of the six differ by exactly the bound: any proposal is wrong."""
    generator = np.random.default_rng(5)
    wrong = 0
    for _ in range(200):
        keys = np.repeat(["1", "2"], 1_500)
        bought = generator.random(len(keys)) < np.where(keys == "1", 0.5, 0.55)
        divided = pd.DataFrame({"customer_id": range(len(keys)), "broad_key": keys, "micro_key": None}).astype(object)
        outcomes = pd.DataFrame({"customer_id": range(len(keys)), "has_purchased": bought, "spend": bought * 1.0})
        wrong += merge_proposals(divided, outcomes.astype({"customer_id": object}), Alike(spend=9.0))[
            "is_proposed"
        ].any()
    assert wrong <= 20  # of 200 at 5%: more than 20 happens once in a thousand


def test_a_micro_segment_that_is_nearly_its_parent_is_proposed() -> None:
    divided, outcomes = members({"1": (0.6, 40.0), "2": (0.3, 10.0)}, 100)
    divided.loc[:89, "micro_key"] = "1.1"
    divided.loc[90:99, "micro_key"] = "1.2"
    found = merge_proposals(divided, outcomes)
    shared = found[found["reason"] == "share their members"].set_index("right_key")
    assert shared["is_proposed"].to_dict() == {"1.1": True, "1.2": False}
    assert shared.loc["1.1", "shared_share"] == 0.9


def test_segments_of_any_kind_that_share_their_members_are_found() -> None:
    rows = [("lapsed", n) for n in range(10)] + [("cold", n) for n in range(9)] + [("new", n) for n in range(4)]
    found = overlapping(pd.DataFrame(rows, columns=["segment_key", "customer_id"]))
    assert found[["left_key", "right_key", "shared_share"]].to_numpy().tolist() == [["cold", "lapsed", 0.9]]
